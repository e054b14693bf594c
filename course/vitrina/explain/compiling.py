"""Functions compiled once per model, and called in chunks so that memory does not grow with the batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

_COMPILED: WeakKeyDictionary[keras.Model, dict[Hashable, Callable[..., Any]]] = WeakKeyDictionary()
CHUNK = 1024
"""Samples in one call of a compiled function, unless a method says otherwise."""


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


def in_chunks(function: Callable[..., Any], *arrays: npt.NDArray[Any], chunk: int = CHUNK) -> npt.NDArray[Any]:
    """
    Call a compiled function on `chunk` samples at a time.

    Parameters
    ----------
    function
        Takes one tensor per array and returns a tensor, each with the samples along its first axis.
    arrays
        Of the same length, which may be 0.
    chunk
        How many samples are in memory at once.

    Returns
    -------
    array
        The results, one after the other.
    """
    starts = range(0, max(1, len(arrays[0])), chunk)
    parts = [function(*(tf.constant(array[start : start + chunk]) for array in arrays)).numpy() for start in starts]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
