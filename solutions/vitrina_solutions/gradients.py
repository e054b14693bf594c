"""Saliency and Gradient x Input: attributions read from the gradient of one logit."""

import keras
import numpy as np
import tensorflow as tf


def saliency(model: "keras.Model", inputs: np.ndarray, target: int) -> np.ndarray:
    """
    Saliency: how strongly the target's logit reacts to each input value.

    For each sample x of the batch and each feature i: |df_c(x) / dx_i|, where f_c is the logit of class c. Record the
    computation of the logits with `tf.GradientTape`; an array that is not a variable has to be watched.
    (Simonyan et al. 2014, arXiv 1312.6034, section 3.1.)

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    inputs : array, shape (batch, features)
        The samples to explain.
    target : int
        The class c, the same for all samples.

    Returns
    -------
    array, shape (batch, features)
        Never negative. A NumPy array.
    """
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = model(x)[:, target]
    gradient = np.asarray(tape.gradient(logit, x))
    return np.abs(gradient)


def gradient_x_input(model: "keras.Model", inputs: np.ndarray, target: int) -> np.ndarray:
    """
    Gradient x Input: how much each input value contributes to the target's logit, to first order.

    For each sample x of the batch and each feature i: x_i df_c(x) / dx_i, where f_c is the logit of class c. Record
    the computation of the logits with `tf.GradientTape`; an array that is not a variable has to be watched.
    (Shrikumar et al. 2016, arXiv 1605.01713.)

    On a ReLU network without biases the attributions of a sample add up to its logit (completeness).

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    inputs : array, shape (batch, features)
        The samples to explain.
    target : int
        The class c, the same for all samples.

    Returns
    -------
    array, shape (batch, features)
        Positive where the value speaks for the class, negative where it speaks against it. A NumPy array.
    """
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = model(x)[:, target]
    gradient = np.asarray(tape.gradient(logit, x))
    return inputs * gradient
