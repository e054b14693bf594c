"""Attributions read from the gradient: how the target's logit moves when an input value moves.

One compiled backward pass explains a whole batch: the gradient of the sum of all samples' logits holds, sample by
sample, the gradient of each one's own logit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import compiled, in_chunks
from vitrina.explain.request import Request, Target, request
from vitrina.models import Array


def saliency(model: keras.Model, inputs: npt.ArrayLike, target: Target) -> Array:
    """
    Size of the gradient of the target's logit, |df_c / dx_i| (Simonyan et al. 2014, arXiv 1312.6034, section 3.1).

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,)
        The class to explain, one for all samples or one each.

    Returns
    -------
    array, shape of inputs
        Not negative, in the model's type.

    Raises
    ------
    ValueError
        If inputs or target do not fit the model.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    return np.abs(_gradient(request(model, inputs, target)))


def gradient_x_input(model: keras.Model, inputs: npt.ArrayLike, target: Target) -> Array:
    """
    Gradient x Input, x_i df_c / dx_i (Shrikumar et al. 2016, arXiv 1605.01713).

    On a ReLU network without biases the attributions of a sample add up to its logit f_c(x); in general they add up to
    the logit of the linear piece around x, without that piece's offset.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,)
        The class to explain, one for all samples or one each.

    Returns
    -------
    array, shape of inputs
        Signed, in the model's type.

    Raises
    ------
    ValueError
        If inputs or target do not fit the model.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    asked = request(model, inputs, target)
    return asked.inputs * _gradient(asked)


def _gradient(asked: Request) -> Array:
    """Gradient of each sample's target logit with respect to that sample."""
    function = compiled(asked.model, "gradient", lambda: _compile_gradient(asked.model))
    return in_chunks(function, asked.inputs, asked.targets)


def _compile_gradient(model: keras.Model) -> Callable[..., Any]:
    reference = ref(model)
    specification = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)

    def gradient(values: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(values)
            logits = tf.gather(reference()(values, training=False), targets, batch_dims=1)  # pyright: ignore[reportOptionalCall]
        return tape.gradient(logits, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return tf.function(gradient, input_signature=[specification, tf.TensorSpec((None,), tf.int32)])
