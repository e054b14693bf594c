"""What a model says of its target: for inputs as they are, and for inputs of which more and more is replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from weakref import ref

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import chunk_size, compiled, graph_function, in_chunks, slices
from vitrina.explain.request import Request, Target, request
from vitrina.models import Array

Output = Literal["logit", "probability"]
"""The target's logit, or its share of the softmax (of a model with one logit: the sigmoid)."""

_ROOM = 256  # changed inputs in one call: a processor's cache holds them until the model has read them


def one_class_each(model: keras.Model, inputs: npt.ArrayLike, target: Target) -> Request:
    """
    Check a request that has one target class per sample.

    Parameters
    ----------
    model, inputs, target
        As for `request`.

    Returns
    -------
    Request

    Raises
    ------
    ValueError
        If `request` refuses them, there is no sample, or a sample has several targets.
    """
    asked = request(model, inputs, target)
    if asked.targets.ndim != 1:
        raise ValueError(
            f"explanations are judged for one class per sample, got targets of shape {asked.targets.shape}"
        )
    if not len(asked.inputs):
        raise ValueError("inputs hold no sample: there is nothing to judge")
    return asked


def as_attributions(attributions: npt.ArrayLike, inputs: Array) -> npt.NDArray[np.float64]:
    """
    Check attributions against the inputs that they explain.

    Parameters
    ----------
    attributions : array, shape of inputs
        Finite numbers.
    inputs : array, shape (batch, ...)
        What they explain.

    Returns
    -------
    array of float64, shape of inputs

    Raises
    ------
    ValueError
        If the shapes differ or a number is not finite.
    """
    values = np.asarray(attributions)
    if values.shape != inputs.shape:
        raise ValueError(f"attributions must have the shape of inputs, {inputs.shape}, got {values.shape}")
    if values.dtype.kind not in "fiub" or not np.all(np.isfinite(values)):
        raise ValueError("attributions must be finite numbers: an order of NaN means nothing")
    return values.astype(np.float64)


def outputs_of(asked: Request, inputs: Array, output: Output) -> Array:
    """
    Return the target's output for other inputs of the same shape.

    Parameters
    ----------
    asked
        The model and the classes.
    inputs : array, shape of `asked.inputs`
        What the model sees.
    output
        Logit or probability.

    Returns
    -------
    array, shape (batch,)
    """
    function = compiled(asked.model, ("outputs", output), lambda: _compile_outputs(asked.model, output))
    return in_chunks(function, inputs.astype(asked.inputs.dtype), asked.targets)


def decisions(model: keras.Model, inputs: Array) -> npt.NDArray[np.int64]:
    """
    Return the class that a model decides for.

    Parameters
    ----------
    model
        Returns logits or probabilities (batch, classes); a single logit decides by its sign.
    inputs : array, shape (batch, ...)
        What the model sees.

    Returns
    -------
    array of ints, shape (batch,)
    """
    function = compiled(model, "decisions", lambda: _compile_decisions(model))
    return in_chunks(function, inputs.astype(model.inputs[0].dtype, copy=False))


def replaced_outputs(
    asked: Request,
    start: Array,
    end: Array,
    ranks: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int32],
    output: Output,
) -> Array:
    """
    Replace the values of `start` by those of `end`, lowest rank first, and follow the target's output.

    Samples and steps share the calls: one sample with a thousand steps costs as much as a thousand samples with one.

    Parameters
    ----------
    asked
        The model and the classes.
    start, end : arrays, shape of inputs
        The two inputs between which all others lie.
    ranks : array of int32, shape of inputs
        When a value is replaced; values of equal rank go together.
    counts : array of int32, shape (steps,)
        At a step all values whose rank is below its count are those of `end`.
    output
        Logit or probability.

    Returns
    -------
    array, shape (batch, steps)
    """
    function = compiled(asked.model, ("replaced", output), lambda: _compile_replaced(asked.model, output))
    room = min(_ROOM, chunk_size(start))
    scores = np.empty((len(start), len(counts)), asked.inputs.dtype)
    for part in slices(len(start), room):
        tensors = [tf.constant(array[part]) for array in (start, end, ranks, asked.targets)]
        for steps in slices(len(counts), max(1, room // len(scores[part]))):
            scores[part, steps] = function(*tensors, tf.constant(counts[steps])).numpy()
    return scores


def _compile_outputs(model: keras.Model, output: Output) -> Callable[..., Any]:
    says = _output(model, output)
    return graph_function(says, _inputs_spec(model), tf.TensorSpec((None,), tf.int32))


def _compile_decisions(model: keras.Model) -> Callable[..., Any]:
    reference = ref(model)

    def decide(values: Any) -> Any:
        outputs = reference()(values, training=False)  # pyright: ignore[reportOptionalCall]
        return tf.cast(outputs[:, 0] > 0, tf.int64) if outputs.shape[1] == 1 else tf.argmax(outputs, axis=1)

    return graph_function(decide, _inputs_spec(model))


def _compile_replaced(model: keras.Model, output: Output) -> Callable[..., Any]:
    says, spec = _output(model, output), _inputs_spec(model)
    integers = tf.TensorSpec((None,), tf.int32)

    def replaced(start: Any, end: Any, ranks: Any, targets: Any, counts: Any) -> Any:
        steps, batch = tf.shape(counts)[0], tf.shape(start)[0]
        count = tf.reshape(counts, (-1, *[1] * len(spec.shape)))
        mixed = tf.where(ranks[tf.newaxis] < count, end[tf.newaxis], start[tf.newaxis])
        flat = tf.ensure_shape(tf.reshape(mixed, tf.concat([[-1], tf.shape(start)[1:]], axis=0)), spec.shape)
        return tf.transpose(tf.reshape(says(flat, tf.tile(targets, tf.stack([steps]))), (steps, batch)))

    return graph_function(replaced, spec, spec, tf.TensorSpec(spec.shape, tf.int32), integers, integers)


def _inputs_spec(model: keras.Model) -> Any:
    return tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)


def _output(model: keras.Model, output: Output) -> Callable[[Any, Any], Any]:
    """Return the function of inputs and targets, which does not keep the model alive."""
    if output not in ("logit", "probability"):
        raise ValueError(f"output must be 'logit' or 'probability', got {output!r}")
    reference, single = ref(model), model.output_shape[1] == 1

    def says(values: Any, targets: Any) -> Any:
        logits = reference()(values, training=False)  # pyright: ignore[reportOptionalCall]
        if output == "probability":
            logits = tf.sigmoid(logits) if single else tf.nn.softmax(logits)
        return tf.gather(logits, targets, batch_dims=1)

    return says
