"""Layer-wise relevance propagation, one Dense layer at a time.

Notation: a_i are the activations that enter the layer, w_ik its weights, b_k its bias, R_k the relevance of its outputs
and R_i the relevance of its inputs. Rules as in Montavon et al. 2019, doi 10.1007/978-3-030-28954-6_10.
"""

import keras
import numpy as np

from vitrina.models import dense_parameters


def lrp_0(activations: np.ndarray, weights: np.ndarray, bias: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    """
    LRP-0: hand the relevance of a Dense layer down in proportion to each input's contribution to z.

    z_k = Σ_i a_i w_ik + b_k
    R_i = Σ_k  a_i w_ik / (z_k + s_k) · R_k

    s_k keeps the division finite: 1e-12 with the sign of z_k, and +1e-12 where z_k is 0. The bias is part of z; its own
    share of the relevance is dropped. (Bach et al. 2015, doi 10.1371/journal.pone.0130140; Montavon et al. 2019.)

    Parameters
    ----------
    activations : array, shape (batch, n_in)
        The inputs a of the layer.
    weights : array, shape (n_in, n_out)
        The weights w of the layer.
    bias : array, shape (n_out,)
        The bias b of the layer.
    relevance : array, shape (batch, n_out)
        The relevance R_k of the layer's outputs.

    Returns
    -------
    array, shape (batch, n_in)
        The relevance R_i of the layer's inputs. With a bias of 0 each sample's sum is that of `relevance`.
    """
    z = activations @ weights + bias
    z = z + np.where(z >= 0, 1e-12, -1e-12)
    return activations * ((relevance / z) @ weights.T)


def lrp_epsilon(
    activations: np.ndarray, weights: np.ndarray, bias: np.ndarray, relevance: np.ndarray, epsilon: float
) -> np.ndarray:
    """
    LRP-ε: like LRP-0, but ε in the denominator absorbs weak and contradictory evidence.

    z_k = Σ_i a_i w_ik + b_k
    R_i = Σ_k  a_i w_ik / (z_k + ε · sign(z_k)) · R_k,   with sign(0) = +1

    (Bach et al. 2015, doi 10.1371/journal.pone.0130140; Montavon et al. 2019.)

    Parameters
    ----------
    activations : array, shape (batch, n_in)
        The inputs a of the layer.
    weights : array, shape (n_in, n_out)
        The weights w of the layer.
    bias : array, shape (n_out,)
        The bias b of the layer.
    relevance : array, shape (batch, n_out)
        The relevance R_k of the layer's outputs.
    epsilon : float
        ε, above 0.

    Returns
    -------
    array, shape (batch, n_in)
        The relevance R_i of the layer's inputs.
    """
    z = activations @ weights + bias
    z = z + np.where(z >= 0, epsilon, -epsilon)
    return activations * ((relevance / z) @ weights.T)


def lrp_gamma(
    activations: np.ndarray, weights: np.ndarray, bias: np.ndarray, relevance: np.ndarray, gamma: float
) -> np.ndarray:
    """
    LRP-γ: like LRP-0, but positive weights count more, so that evidence in favour prevails.

    w'_ik = w_ik + γ max(w_ik, 0),   b'_k = b_k + γ max(b_k, 0)
    z'_k = Σ_i a_i w'_ik + b'_k
    R_i = Σ_k  a_i w'_ik / (z'_k + s_k) · R_k

    s_k is 1e-12 with the sign of z'_k, and +1e-12 where z'_k is 0. The rule assumes activations that are not negative,
    as they are after a ReLU. (Montavon et al. 2019.)

    Parameters
    ----------
    activations : array, shape (batch, n_in)
        The inputs a of the layer, none below 0.
    weights : array, shape (n_in, n_out)
        The weights w of the layer.
    bias : array, shape (n_out,)
        The bias b of the layer.
    relevance : array, shape (batch, n_out)
        The relevance R_k of the layer's outputs.
    gamma : float
        γ, at least 0; γ = 0 is LRP-0.

    Returns
    -------
    array, shape (batch, n_in)
        The relevance R_i of the layer's inputs.
    """
    weights = weights + gamma * np.maximum(weights, 0)
    bias = bias + gamma * np.maximum(bias, 0)
    z = activations @ weights + bias
    z = z + np.where(z >= 0, 1e-12, -1e-12)
    return activations * ((relevance / z) @ weights.T)


def lrp_zb(inputs: np.ndarray, weights: np.ndarray, relevance: np.ndarray, low: float, high: float) -> np.ndarray:
    """
    The z^B rule for the layer at the pixels: compare each pixel with the worst it could have been.

    With l and h the bounds of a pixel, w⁺ = max(w, 0) and w⁻ = min(w, 0):

    q_ik = x_i w_ik − l w⁺_ik − h w⁻_ik
    R_i = Σ_k  q_ik / (z_k + s_k) · R_k,   with z_k = Σ_i q_ik

    s_k is 1e-12 with the sign of z_k, and +1e-12 where z_k is 0. The bias cancels, so the rule needs none. A black
    pixel can get relevance too: "nothing here" is information. (Montavon et al. 2017, doi
    10.1016/j.patcog.2016.11.008.)

    Parameters
    ----------
    inputs : array, shape (batch, n_in)
        The pixels x, between `low` and `high`.
    weights : array, shape (n_in, n_out)
        The weights w of the layer.
    relevance : array, shape (batch, n_out)
        The relevance R_k of the layer's outputs.
    low : float
        The lowest value l that a pixel can have.
    high : float
        The highest value h that a pixel can have.

    Returns
    -------
    array, shape (batch, n_in)
        The relevance R_i of the pixels; not negative where `relevance` is not negative.
    """
    positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
    lows, highs = np.full(inputs.shape, low), np.full(inputs.shape, high)
    z = inputs @ weights - lows @ positive - highs @ negative
    s = relevance / (z + np.where(z >= 0, 1e-12, -1e-12))
    return inputs * (s @ weights.T) - lows * (s @ positive.T) - highs * (s @ negative.T)


def lrp_network(model: "keras.Model", inputs: np.ndarray, target: int) -> np.ndarray:
    """
    LRP-0 through a whole network of Dense layers, from the target's logit down to the inputs.

    Forward: keep the activations that enter each layer; a ReLU follows every layer but the last. Start: the relevance
    of the last layer's outputs is the logit of class c at position c and 0 elsewhere. Backward: apply `lrp_0` to each
    layer, from the last to the first; a ReLU passes relevance on unchanged. `dense_parameters(model)` gives the list of
    (weights, bias) from the input up. (Montavon et al. 2019.)

    Parameters
    ----------
    model
        Dense layers with ReLU between them; returns logits, shape (batch, classes).
    inputs : array, shape (batch, features)
        The samples to explain.
    target : int
        The class c, the same for all samples.

    Returns
    -------
    array, shape (batch, features)
        The relevance of each input value. Without biases each sample's sum is its logit (conservation).
    """
    layers = dense_parameters(model)
    activations = [inputs.astype(np.float64)]
    for weights, bias in layers:
        activations.append(np.maximum(activations[-1] @ weights + bias, 0))
    weights, bias = layers[-1]
    logits = activations[-2] @ weights + bias
    relevance = np.zeros_like(logits)
    relevance[:, target] = logits[:, target]
    for (weights, bias), entering in zip(reversed(layers), reversed(activations[:-1]), strict=True):
        relevance = lrp_0(entering, weights, bias, relevance)
    return relevance


def relative_difference(attributions: np.ndarray, others: np.ndarray) -> float:
    """
    Distance of two explanations: the measuring stick for "is LRP equivalent to Gradient x Input?".

    max |a_i − b_i| / max |b_i|, each maximum taken over the whole array: 0 means equal, 1 means that they differ by as
    much as the largest attribution.

    Parameters
    ----------
    attributions : array
        The attributions a.
    others : array, the same shape
        The attributions b to compare with, not all 0.

    Returns
    -------
    float
        At least 0.
    """
    difference = np.max(np.abs(attributions - others))
    return float(difference / np.max(np.abs(others)))
