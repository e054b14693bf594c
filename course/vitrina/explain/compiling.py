"""Functions compiled once per model, and called in chunks so that memory does not grow with the batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

_COMPILED: WeakKeyDictionary[keras.Model, dict[Hashable, Callable[..., Any]]] = WeakKeyDictionary()
CHUNK = 1024
"""Samples in one call of a compiled function at most, unless a method says otherwise."""
CHUNK_VALUES = 1 << 20
"""Input values in one call: large pictures come in smaller chunks, as what a layer makes of them grows with them."""


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


def graph_function(function: Callable[..., Any], *signature: Any) -> Any:
    """
    Compile a function made for one model.

    TensorFlow counts how often a function is traced anew, by its source code, and warns when that goes on. Each model
    has a function of its own here, traced once: as a partial it is counted on its own.

    Parameters
    ----------
    function
        Works on tensors.
    signature : tf.TensorSpec
        Type and shape of each argument, with None for what differs from call to call.

    Returns
    -------
    callable
    """
    return tf.function(partial(function), input_signature=signature)


def chunk_size(values: npt.NDArray[Any]) -> int:
    """
    How many samples one call of a compiled function takes.

    Parameters
    ----------
    values : array, shape (batch, ...)

    Returns
    -------
    int
        From 1 to `CHUNK`.
    """
    return min(CHUNK, max(1, CHUNK_VALUES // max(1, values[:1].size)))


def slices(count: int, size: int) -> list[slice]:
    """
    Cut `count` things into pieces.

    Parameters
    ----------
    count
        May be 0, then there is no piece.
    size
        Of a piece at most.

    Returns
    -------
    list of slice
    """
    return [slice(start, start + size) for start in range(0, count, size)]


def in_chunks(function: Callable[..., Any], *arrays: npt.NDArray[Any], chunk: int | None = None) -> npt.NDArray[Any]:
    """
    Call a compiled function on some samples at a time.

    Parameters
    ----------
    function
        Takes one tensor per array and returns a tensor, each with the samples along its first axis.
    arrays
        Of the same length, which may be 0.
    chunk
        How many samples are in memory at once; by itself `chunk_size` of the first array.

    Returns
    -------
    array
        The results, one after the other.
    """
    if not len(arrays[0]):  # TensorFlow's fused convolutions fail now and then on no samples at all
        return in_chunks(function, *(np.zeros((1, *array.shape[1:]), array.dtype) for array in arrays))[:0]
    pieces = slices(len(arrays[0]), chunk or chunk_size(arrays[0]))
    parts = [function(*(tf.constant(array[piece]) for array in arrays)).numpy() for piece in pieces]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
