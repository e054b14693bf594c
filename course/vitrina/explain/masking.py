"""What a model says of samples of which parts are hidden: many masks of many samples, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from weakref import ref

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import CHUNK, compiled, graph_function
from vitrina.explain.request import Request
from vitrina.models import Array

Masks = npt.NDArray[np.bool_]
_VALUES = 1 << 22  # of the masked samples in one call: photographs come in smaller chunks


def places_of(inputs: Array) -> tuple[int, ...]:
    """
    Shape of a sample without its channels, which are hidden together.

    Parameters
    ----------
    inputs : array, shape (batch, features) or (batch, ..., channels)

    Returns
    -------
    tuple of int
    """
    return inputs.shape[1:] if inputs.ndim == 2 else inputs.shape[1:-1]


def fill_like(inputs: Array, fill: npt.ArrayLike) -> Array:
    """
    Return what stands in the hidden places of each sample.

    Parameters
    ----------
    inputs : array, shape (batch, ...)
    fill
        A number, one per channel, or an array that broadcasts to inputs, such as the blurred samples.

    Returns
    -------
    array, shape of inputs

    Raises
    ------
    ValueError
        If `fill` does not broadcast to inputs or is not finite.
    """
    values = np.asarray(fill)
    try:
        filled = np.broadcast_to(values.astype(inputs.dtype), inputs.shape)
    except (ValueError, TypeError) as error:
        raise ValueError(f"fill must be a number or an array that broadcasts to {inputs.shape}") from error
    if not np.all(np.isfinite(values)):
        raise ValueError("fill must be finite")
    return filled


def masked_outputs(
    asked: Request,
    fills: Array,
    hidden: Callable[[slice], Masks],
    count: int,
    output: Literal["logit", "log_probability"] = "logit",
) -> Array:
    """
    What the model says of the targets for each sample under each mask.

    Samples and masks share the calls: one sample with a thousand masks costs as much as a thousand samples with one.

    Parameters
    ----------
    asked
        The model, samples and targets.
    fills : array, shape of the samples
        What is seen in hidden places.
    hidden
        Makes the masks of a slice of their numbers, shape (masks, *places): True is hidden.
    count
        How many masks there are.
    output
        The target's logit, or the logarithm of its share of the softmax (of a model with one logit: the sigmoid).

    Returns
    -------
    array, shape (batch, k, count)
        With k = 1 for one target per sample.
    """
    targets = asked.targets if asked.targets.ndim == 2 else asked.targets[:, np.newaxis]
    function = compiled(asked.model, ("masked", output), lambda: _compile(asked.model, output))
    said = np.empty((*targets.shape, count), asked.inputs.dtype)
    room = max(1, min(CHUNK, _VALUES // max(1, asked.inputs[:1].size)))
    for start in range(0, len(targets), room):
        samples = slice(start, start + room)
        tensors = [tf.constant(array[samples]) for array in (asked.inputs, fills, targets)]
        together = max(1, room // len(targets[samples]))
        for first in range(0, count, together):
            masks = slice(first, min(first + together, count))
            said[samples, :, masks] = function(*tensors, tf.constant(hidden(masks))).numpy()
    return said


def _compile(model: keras.Model, output: str) -> Callable[..., Any]:
    reference, shape = ref(model), model.inputs[0].shape
    source = tf.TensorSpec(shape, model.inputs[0].dtype)
    places = shape[1:] if len(shape) == 2 else shape[1:-1]

    def outputs(values: Any, fills: Any, targets: Any, hidden: Any) -> Any:
        hidden = hidden if len(shape) == 2 else tf.expand_dims(hidden, -1)
        mixed = tf.where(tf.expand_dims(hidden, 0), tf.expand_dims(fills, 1), tf.expand_dims(values, 1))
        flat = tf.ensure_shape(tf.reshape(mixed, tf.concat([[-1], tf.shape(values)[1:]], 0)), shape)
        said = reference()(flat, training=False)  # pyright: ignore[reportOptionalCall]
        if output == "log_probability":
            said = tf.math.log_sigmoid(said) if said.shape[-1] == 1 else tf.nn.log_softmax(said)
        by_sample = tf.reshape(said, (tf.shape(values)[0], tf.shape(hidden)[0], said.shape[-1]))
        return tf.gather(tf.transpose(by_sample, (0, 2, 1)), targets, batch_dims=1)

    signature = [source, source, tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, *places), tf.bool)]
    return graph_function(outputs, *signature)
