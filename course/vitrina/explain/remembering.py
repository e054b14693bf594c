"""Scores of samples that a model is asked about again: computed once, for as long as the model stays what it is."""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import sha256
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np
import tensorflow as tf

from vitrina.explain.black_box import Scores, score_function
from vitrina.explain.outputs import Output
from vitrina.models import Array

KEPT = 2  # sets of samples, and of scores


class _Memory(NamedTuple):
    """What a compiled function reads beside its input (`None`: it may read anything), and what it said, latest last."""

    variables: tuple[Any, ...] | None
    said: dict[Hashable, Array]


_MEMORIES: WeakKeyDictionary[Any, _Memory] = WeakKeyDictionary()


def remembered_scores(scores: Scores, model: Any, output: Output | None, key: Hashable, samples: Any) -> Array:
    """
    Score samples, or return what the model said of them before.

    Only what a Keras model said the last two times is remembered. It is asked again once any of its weights or layers
    has changed, and every time if it draws random numbers, runs Python or reads anything else than weights.

    Parameters
    ----------
    scores
        What `scoring` made of model and output.
    model, output
        As for `scoring`.
    key
        Tells the samples from all others.
    samples : array, shape (n, ...)

    Returns
    -------
    array, shape (n, outputs)
        It must not be written to.
    """
    if not isinstance(model, keras.Model):
        return scores(samples)
    function = score_function(model, output)
    memory = _MEMORIES.get(function)
    if memory is None:
        memory = _MEMORIES[function] = _Memory(_variables(function), {})
    if memory.variables is None:
        return scores(samples)
    asked = key, _digest(memory.variables)
    known = memory.said.pop(asked, None)
    memory.said[asked] = scores(samples) if known is None else known
    if len(memory.said) > KEPT:
        del memory.said[next(iter(memory.said))]
    return memory.said[asked]


def _variables(function: Any) -> tuple[Any, ...] | None:
    """Return all that a compiled function reads, `None` if that may be more than its variables."""
    variables = tuple(function.variables)
    known = {id(variable.handle) for variable in variables}
    read = all(id(tensor) in known for tensor in function.captured_inputs if tensor.dtype.name == "resource")
    # To read a variable is stateful for TensorFlow, too, though it changes nothing.
    pure = all(op.type == "ReadVariableOp" or not op.op_def.is_stateful for op in function.graph.get_operations())
    numbers = all(np.dtype(variable.dtype.as_numpy_dtype).kind in "fiub" for variable in variables)
    return variables if read and pure and numbers else None


def _digest(variables: tuple[Any, ...]) -> bytes:
    digest = sha256()
    for variable in variables:  # read as the compiled function does, which is quicker than variable.numpy()
        value: Any = tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)
        digest.update(value.numpy())
    return digest.digest()
