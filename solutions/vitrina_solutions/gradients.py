"""Explanations read from the gradient of one logit, and the numbers by which they are understood."""

import keras
import numpy as np
import tensorflow as tf


def softmax_gradient(logits: np.ndarray, target: int) -> np.ndarray:
    """
    Gradient of the target's probability with respect to every logit.

    The softmax turns the logits z of a sample into probabilities p_k = exp(z_k) / Σ_j exp(z_j). How does the
    probability of class c react when logit k moves?

    ∂p_c / ∂z_k = p_c (1 − p_c)  for k = c,   and  −p_c p_k  for every other class k

    exp(1000) overflows. Subtract each sample's largest logit from all of its logits first: p stays the same.

    Parameters
    ----------
    logits : array, shape (batch, classes)
        The logits z, of any size.
    target : int
        The class c, the same for all samples.

    Returns
    -------
    array, shape (batch, classes)
        ∂p_c / ∂z_k at position k. Each sample's sum is 0.
    """
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    one_hot = np.eye(logits.shape[1])[target]
    return probabilities[:, [target]] * (one_hot - probabilities)


def logit_gradient(model: "keras.Model", inputs: np.ndarray, target: int) -> np.ndarray:
    """
    Gradient of the target's logit with respect to the inputs.

    For each sample x of the batch and each feature i: df_c(x) / dx_i, where f_c is the logit of class c. Record the
    computation of the logits with `tf.GradientTape`; an array that is not a variable has to be watched. One backward
    pass is enough for the whole batch, as no logit depends on another sample.

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    inputs : array, shape (batch, ...)
        The samples; features (batch, features) or images (batch, height, width, channels).
    target : int
        The class c, the same for all samples.

    Returns
    -------
    array, shape of inputs
        A NumPy array.
    """
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = model(x)[:, target]
    return np.asarray(tape.gradient(logit, x))


def saliency(model: "keras.Model", inputs: np.ndarray, target: int) -> np.ndarray:
    """
    Saliency: how strongly the target's logit reacts to each input value.

    For each sample x of the batch and each feature i: |df_c(x) / dx_i|, where f_c is the logit of class c. Use your
    `logit_gradient`. (Simonyan et al. 2014, arXiv 1312.6034, section 3.1.)

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int
        The class c, the same for all samples.

    Returns
    -------
    array, shape of inputs
        Never negative. A NumPy array.
    """
    gradient = logit_gradient(model, inputs, target)
    return np.abs(gradient)


def gradient_x_input(model: "keras.Model", inputs: np.ndarray, target: int) -> np.ndarray:
    """
    Gradient x Input: how much each input value contributes to the target's logit, to first order.

    For each sample x of the batch and each feature i: x_i df_c(x) / dx_i, where f_c is the logit of class c. Use your
    `logit_gradient`. (Shrikumar et al. 2016, arXiv 1605.01713.)

    On a ReLU network without biases the attributions of a sample add up to its logit (completeness).

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int
        The class c, the same for all samples.

    Returns
    -------
    array, shape of inputs
        Positive where the value speaks for the class, negative where it speaks against it. A NumPy array.
    """
    gradient = logit_gradient(model, inputs, target)
    return inputs * gradient


def completeness_error(attributions: np.ndarray, scores: np.ndarray, baseline_scores: np.ndarray) -> np.ndarray:
    """
    How much of a change of the score an explanation leaves unexplained.

    An explanation is complete when a sample's attributions R_i add up to the change of the score on the way from the
    baseline x' to the sample x. What is left over, for each sample:

    Σ_i R_i − (f_c(x) − f_c(x'))

    (The axiom: Sundararajan et al. 2017, arXiv 1703.01365, section 3.)

    Parameters
    ----------
    attributions : array, shape (batch, ...)
        R; after the batch there may be one axis (features) or several (an image).
    scores : array, shape (batch,)
        f_c(x), one for each sample.
    baseline_scores : array, shape (batch,)
        f_c(x'), one for each sample.

    Returns
    -------
    array, shape (batch,)
        0 for a complete explanation, above 0 where it hands out too much, below 0 where something is missing.
    """
    totals = attributions.reshape(len(attributions), -1).sum(axis=1)
    return totals - (scores - baseline_scores)


def integrated_gradients(
    model: "keras.Model", inputs: np.ndarray, target: int, baseline: np.ndarray, steps: int
) -> np.ndarray:
    """
    Integrated Gradients: the gradient, averaged on the straight way from a baseline, times the way.

    The way from the baseline x' to the sample x is cut into n pieces, and the gradient is taken in the middle of each:

    R_i = (x_i − x'_i) · 1/n Σ_s ∂f_c / ∂x_i at x' + (s + 1/2)/n · (x − x'),   s = 0, ..., n − 1

    Use your `logit_gradient`. (Sundararajan et al. 2017, arXiv 1703.01365, equation 3; middle rule.)

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    inputs : array, shape (batch, features)
        The samples x to explain.
    target : int
        The class c, the same for all samples.
    baseline : array, shape (features,)
        The baseline x', the same for all samples.
    steps : int
        The number n of pieces, at least 1.

    Returns
    -------
    array, shape (batch, features)
        With many steps a sample's sum approaches f_c(x) − f_c(x'). A NumPy array.
    """
    way = inputs - baseline
    places = (np.arange(steps) + 0.5) / steps
    total = sum(logit_gradient(model, baseline + place * way, target) for place in places)
    return way * total / steps


def smooth_grad(model: "keras.Model", inputs: np.ndarray, target: int, noise: np.ndarray) -> np.ndarray:
    """
    SmoothGrad: the gradient, averaged over noisy copies of the sample.

    1/n Σ_s ∂f_c / ∂x_i at x + e_s,   s = 1, ..., n

    The noise is handed in, so that the same call gives the same answer: e_s is `noise[s]`, one value for every value of
    `inputs`. Signs stay. Use your `logit_gradient`. (Smilkov et al. 2017, arXiv 1706.03825, section 3.)

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    inputs : array, shape (batch, ...)
        The samples x to explain.
    target : int
        The class c, the same for all samples.
    noise : array, shape (n, batch, ...)
        n draws of noise, each of the shape of `inputs`.

    Returns
    -------
    array, shape of inputs
        A NumPy array.
    """
    gradients = [logit_gradient(model, inputs + draw, target) for draw in noise]
    return np.mean(gradients, axis=0)
