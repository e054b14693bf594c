"""Attributions read from the gradient: how the target's logit moves when an input value moves.

One compiled backward pass explains a whole batch: the gradient of the sum of all samples' logits holds, sample by
sample, the gradient of each one's own logit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from typing import Any
from weakref import WeakKeyDictionary, ref

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.models import Array

_COMPILED: WeakKeyDictionary[keras.Model, dict[Hashable, Callable[..., Any]]] = WeakKeyDictionary()


def saliency(model: keras.Model, inputs: npt.ArrayLike, target: int | npt.ArrayLike) -> Array:
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
        If the model ends in a softmax: then the gradient of a probability is explained, not that of the logit.
    """
    return np.abs(_gradient(model, *as_batch(model, inputs, target)))


def gradient_x_input(model: keras.Model, inputs: npt.ArrayLike, target: int | npt.ArrayLike) -> Array:
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
        If the model ends in a softmax: then the gradient of a probability is explained, not that of the logit.
    """
    values, targets = as_batch(model, inputs, target)
    return values * _gradient(model, values, targets)


def as_batch(
    model: keras.Model, inputs: npt.ArrayLike, target: int | npt.ArrayLike
) -> tuple[Array, npt.NDArray[np.int32]]:
    """
    Check inputs and target classes against a classifier.

    Parameters
    ----------
    model
        A built model with one input and logits (batch, classes) as its output.
    inputs : array, shape (batch, ...)
        Numbers in the shape that the model takes.
    target : int or array of ints, shape (batch,)
        One class for all samples, or one class per sample.

    Returns
    -------
    inputs : array, shape (batch, ...)
        In the model's type.
    targets : array of int32, shape (batch,)
        One class per sample.

    Raises
    ------
    ValueError
        If the model has several inputs or no logits, or if inputs or target do not fit it.
    """
    tensors = getattr(model, "inputs", None) or ()
    if len(tensors) != 1 or len(model.output_shape) != 2:
        raise ValueError(f"model {model.name!r} must be built, with one input and an output (batch, classes)")
    if "float" not in str(tensors[0].dtype):
        raise ValueError(f"model {model.name!r} takes {tensors[0].dtype} inputs: there is no gradient to them")
    values = _as_numbers(inputs, tuple(tensors[0].shape)[1:]).astype(tensors[0].dtype, copy=False)
    return values, _as_targets(target, len(values), int(model.output_shape[1]))


def compiled(model: keras.Model, key: Hashable, build: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """
    Return the function that `build` compiles for a model, built once and forgotten together with the model.

    Parameters
    ----------
    model
        The model that the function explains.
    key
        Tells the functions of one model apart.
    build
        Makes the function, which must not hold the model itself: that would keep both alive forever.

    Returns
    -------
    callable
        The same one until the model's layers or their activations change.
    """
    layers = tuple((layer, getattr(layer, "activation", None)) for layer in model.layers)
    functions = _COMPILED.setdefault(model, {})
    if (key, layers) not in functions:
        functions[key, layers] = build()
    return functions[key, layers]


def _gradient(model: keras.Model, values: Array, targets: npt.NDArray[np.int32]) -> Array:
    """Gradient of each sample's target output with respect to that sample."""
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax:
        message = "the model ends in a softmax: this explains a probability; give a model that returns logits"
        warnings.warn(message, stacklevel=3)
    function = compiled(model, "gradient", lambda: _compile_gradient(model))
    return function(tf.constant(values), tf.constant(targets)).numpy()


def _compile_gradient(model: keras.Model) -> Callable[..., Any]:
    reference = ref(model)
    specification = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)

    def gradient(values: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(values)
            logits = tf.gather(reference()(values, training=False), targets, batch_dims=1)  # pyright: ignore[reportOptionalCall]
        return tape.gradient(logits, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return tf.function(gradient, input_signature=[specification, tf.TensorSpec((None,), tf.int32)])


def _as_numbers(inputs: npt.ArrayLike, features: tuple[int | None, ...]) -> npt.NDArray[Any]:
    """Return inputs as an array of shape (batch, *features)."""
    values = np.asarray(inputs)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"inputs must be numbers, got an array of {values.dtype}")
    fits = values.ndim == len(features) + 1 and all(
        wanted in (None, size) for size, wanted in zip(values.shape[1:], features, strict=True)
    )
    if not fits:
        hint = "; one sample needs a batch axis: inputs[np.newaxis]" if values.ndim == len(features) else ""
        wanted = ", ".join(["batch", *map(str, features)])
        raise ValueError(f"inputs must have shape ({wanted}), got {values.shape}{hint}")
    return values


def _as_targets(target: int | npt.ArrayLike, batch: int, classes: int) -> npt.NDArray[np.int32]:
    """Return one class per sample."""
    targets = np.asarray(target)
    if targets.dtype.kind not in "iu" or targets.shape not in ((), (batch,)):
        raise ValueError(
            f"target must be an int or an array of {batch} ints, one per sample; "
            f"got shape {targets.shape} of {targets.dtype}"
        )
    if np.any((targets < 0) | (targets >= classes)):
        raise ValueError(f"target must be a class from 0 to {classes - 1}, got {target}")
    return np.broadcast_to(targets, (batch,)).astype(np.int32)
