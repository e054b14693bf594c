"""Models that are plain functions of arrays: cheap to build, cheap to ask, and nothing to look into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

ScoreFunction = Callable[[NDArray[Any]], NDArray[Any]]
"""A model as a function: takes inputs (batch, features), returns scores (batch, outputs)."""

_ACTIVATIONS: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = MappingProxyType(
    {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}
)


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """Turn logits into probabilities, along the last axis."""
    exponentials = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return exponentials / np.sum(exponentials, axis=-1, keepdims=True)


def score_function(
    weights: Sequence[NDArray[Any]],
    biases: Sequence[NDArray[Any]],
    activation: str = "tanh",
    *,
    probabilities: bool = False,
) -> ScoreFunction:
    """
    Make a function of a small network's parameters: what `dense_network` computes, in NumPy alone.

    Parameters
    ----------
    weights : sequence of arrays, shapes (n_in, n_out)
        One matrix a layer, from the input up.
    biases : sequence of arrays, shapes (n_out,)
        One vector a layer.
    activation : {"tanh", "relu"}
        Of every layer but the last, which is linear.
    probabilities : bool
        Whether a softmax follows the last layer.

    Returns
    -------
    callable
        Takes inputs (batch, n_in of the first layer), returns (batch, n_out of the last).

    Raises
    ------
    ValueError
        If there is no layer, shapes do not fit, or the activation is unknown.
    """
    if activation not in _ACTIVATIONS:
        raise ValueError(f"the activation is one of {', '.join(_ACTIVATIONS)}, not {activation!r}")
    if not weights or len(weights) != len(biases):
        raise ValueError(f"one bias a matrix is needed, got {len(weights)} matrices and {len(biases)} biases")
    for above, below in zip(weights[1:], weights, strict=False):
        if above.shape[0] != below.shape[1]:
            raise ValueError(f"a layer of shape {above.shape} does not fit on one of shape {below.shape}")
    layers = [(matrix.copy(), bias.copy()) for matrix, bias in zip(weights, biases, strict=True)]

    def score(inputs: NDArray[Any]) -> NDArray[Any]:
        values = _two_axes(inputs, layers[0][0].shape[0])
        for matrix, bias in layers[:-1]:
            values = _ACTIVATIONS[activation](values @ matrix + bias)
        logits = values @ layers[-1][0] + layers[-1][1]
        return softmax(logits) if probabilities else logits

    return score


def _two_axes(inputs: NDArray[Any], features: int) -> NDArray[Any]:
    """Refuse a sample without its batch axis, over which a matrix product would silently go on."""
    array = np.asarray(inputs)
    if array.ndim != 2 or array.shape[1] != features:
        raise ValueError(f"the model expects an array of shape (batch, {features}), got {array.shape}")
    return array


FUNCTION_BUILDERS: Mapping[str, Callable[..., ScoreFunction]] = MappingProxyType({"score_function": score_function})
"""The functions that may rebuild a model which is itself a function, and needs no TensorFlow."""
