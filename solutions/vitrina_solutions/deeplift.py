"""DeepLIFT with the Rescale rule: gradients of differences, which see past saturation."""

import keras
import numpy as np

from vitrina.models import dense_parameters


def rescale_multiplier(z: np.ndarray, z_reference: np.ndarray) -> np.ndarray:
    """
    DeepLIFT's multiplier of a ReLU: how much of a difference before it is left after it.

    m = (relu(z) − relu(z⁰)) / (z − z⁰)

    Where |z − z⁰| < 1e-10 there is no difference to divide by; there the multiplier is the gradient of the ReLU at z: 1
    for z > 0, else 0. (Shrikumar et al. 2017, arXiv 1704.02685, section 3.5.1.)

    Parameters
    ----------
    z : array, shape (batch, units)
        What enters the ReLU for the samples.
    z_reference : array, shape (batch, units)
        What enters it for the references, z⁰.

    Returns
    -------
    array, shape (batch, units)
        Between 0 and 1.
    """
    difference = z - z_reference
    same = np.abs(difference) < 1e-10
    slope = (np.maximum(z, 0) - np.maximum(z_reference, 0)) / np.where(same, 1, difference)
    return np.where(same, z > 0, slope)


def deeplift(model: "keras.Model", inputs: np.ndarray, target: int, baseline: np.ndarray) -> np.ndarray:
    """
    DeepLIFT (Rescale rule) through a network of Dense layers: explain the difference from a baseline.

    Forward: compute what enters each ReLU, for the samples x and for the baseline x⁰ (DeepLIFT calls it the reference).
    Backward, a chain rule of multipliers: start with the weights of the last layer that lead to the logit of class c,
    one row for each sample; then, layer by layer down, multiply by `rescale_multiplier` and by the weights below. At
    the inputs:

    R_i = m_i · (x_i − x⁰_i)

    `dense_parameters(model)` gives the list of (weights, bias) from the input up. (Shrikumar et al. 2017, arXiv
    1704.02685, sections 3.1 to 3.3.)

    Parameters
    ----------
    model
        Dense layers with ReLU between them; returns logits, shape (batch, classes).
    inputs : array, shape (batch, features)
        The samples x to explain.
    target : int
        The class c, the same for all samples.
    baseline : array, shape (features,)
        The baseline x⁰, the same for all samples.

    Returns
    -------
    array, shape (batch, features)
        A sample's sum is f_c(x) − f_c(x⁰), with biases too.
    """
    *hidden, (top, _) = dense_parameters(model)
    activations, references = inputs, np.broadcast_to(baseline, inputs.shape)
    relus: list[np.ndarray] = []
    for weights, bias in hidden:
        z, z_reference = activations @ weights + bias, references @ weights + bias
        relus.append(rescale_multiplier(z, z_reference))
        activations, references = np.maximum(z, 0), np.maximum(z_reference, 0)
    multiplier = np.tile(top[:, target], (len(inputs), 1))
    for (weights, _), relu in zip(reversed(hidden), reversed(relus), strict=True):
        multiplier = (multiplier * relu) @ weights.T
    return multiplier * (inputs - baseline)
