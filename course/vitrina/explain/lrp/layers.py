"""Layers with weights as linear maps z = op(x, W) + b, the form in which every rule of LRP takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

_layers = keras.layers
_NORMALISATION = _layers.BatchNormalization
_CONVOLUTIONS = (_layers.Conv1D, _layers.Conv2D, _layers.Conv3D)
_DEPTHWISE = (_layers.DepthwiseConv1D, _layers.DepthwiseConv2D)
_SEPARABLE = (_layers.SeparableConv1D, _layers.SeparableConv2D)
WEIGHTED = (_layers.Dense, *_CONVOLUTIONS, *_DEPTHWISE, *_SEPARABLE, _NORMALISATION)
"""Layers that `linear_maps` knows."""


class LinearMap(NamedTuple):
    """
    A layer as z = op(x, W) + b.

    Attributes
    ----------
    op
        Linear in x and in W.
    parameters
        Reads W and b (None where there is none), as they are when the compiled function runs.
    channels
        How many of the last axes of W number the outputs.
    convolution
        Whether a composite treats it as a convolution.
    """

    op: Callable[[Any, Any], Any]
    parameters: Callable[[], tuple[Any, Any]]
    channels: int = 1
    convolution: bool = False


def linear_maps(layer: Any) -> list[LinearMap]:
    """
    Write a layer as linear maps, applied one after the other.

    A separable convolution is two: a depthwise convolution without bias, then a convolution of width 1.

    Parameters
    ----------
    layer
        One of `WEIGHTED`.

    Returns
    -------
    list of LinearMap
    """
    if isinstance(layer, _NORMALISATION):
        return [LinearMap(tf.multiply, lambda: _scale_and_shift(layer))]
    if isinstance(layer, _layers.Dense):
        return [LinearMap(_matmul, lambda: (_tensor(layer.kernel), _bias(layer)))]
    if isinstance(layer, _CONVOLUTIONS):
        return [LinearMap(_convolution(layer), lambda: (_tensor(layer.kernel), _bias(layer)), convolution=True)]
    if isinstance(layer, _DEPTHWISE):
        return [LinearMap(_depthwise(layer), lambda: (_tensor(layer.kernel), _bias(layer)), 2, convolution=True)]
    first = LinearMap(_depthwise(layer), lambda: (_tensor(layer.depthwise_kernel), None), 2, convolution=True)
    second = LinearMap(_matmul_kernel, lambda: (_tensor(layer.pointwise_kernel), _bias(layer)), convolution=True)
    return [first, second]


def folded(linear: LinearMap, normalisation: Any) -> LinearMap:
    """
    Fold a BatchNormalization into the layer before it: W g / sqrt(v + eps), (b - m) g / sqrt(v + eps) + beta.

    Parameters
    ----------
    linear
        The layer before, whose value nothing else takes.
    normalisation
        The BatchNormalization, over the last axis.

    Returns
    -------
    LinearMap
        Both at once, as at inference.
    """

    def parameters() -> tuple[Any, Any]:
        weights, bias = linear.parameters()
        scale, shift = _scale_and_shift(normalisation)
        outputs = weights.shape[-linear.channels :]
        return weights * tf.reshape(scale, outputs), shift if bias is None else bias * scale + shift

    return linear._replace(parameters=parameters)


def _tensor(variable: Any) -> Any:
    return tf.convert_to_tensor(variable)


def _bias(layer: Any) -> Any:
    return _tensor(layer.bias) if layer.use_bias else None


def _scale_and_shift(layer: Any) -> tuple[Any, Any]:
    """Write a BatchNormalization at inference as x scale + shift."""
    variance, mean = _tensor(layer.moving_variance), _tensor(layer.moving_mean)
    scale = tf.math.rsqrt(variance + layer.epsilon)
    scale = scale * _tensor(layer.gamma) if layer.scale else scale
    return scale, (_tensor(layer.beta) if layer.center else 0.0) - mean * scale


def _matmul(x: Any, W: Any) -> Any:
    return x @ W if x.shape.rank == 2 else tf.tensordot(x, W, 1)


def _matmul_kernel(x: Any, W: Any) -> Any:
    """Apply a convolution of width 1, whose kernel has axes of length 1 first."""
    return tf.tensordot(x, tf.reshape(W, W.shape[-2:]), 1)


def _convolution(layer: Any) -> Callable[[Any, Any], Any]:
    padding, before = layer.padding.upper(), None
    if layer.padding == "causal":
        padding, before = "VALID", [[0, 0], [layer.dilation_rate[0] * (layer.kernel_size[0] - 1), 0], [0, 0]]
    strides, dilations, groups = layer.strides, layer.dilation_rate, layer.groups

    def op(x: Any, W: Any) -> Any:
        x = x if before is None else tf.pad(x, before)
        return tf.nn.convolution(x, _without_groups(W, groups), strides, padding, dilations=dilations)

    return op


def _without_groups(W: Any, groups: int) -> Any:
    """Write the kernel of a grouped convolution as that of an ordinary one, 0 between groups."""
    if groups == 1:
        return W
    inside, spatial = W.shape[-2], [[0, 0]] * (W.shape.rank - 2)
    pieces = [
        tf.pad(piece, [*spatial, [inside * group, inside * (groups - 1 - group)], [0, 0]])
        for group, piece in enumerate(tf.split(W, groups, axis=-1))
    ]
    return tf.concat(pieces, axis=-1)


def _depthwise(layer: Any) -> Callable[[Any, Any], Any]:
    padding, flat = layer.padding.upper(), len(layer.kernel_size) == 1
    strides, dilations = (
        (layer.strides * 2, (1, *layer.dilation_rate)) if flat else (layer.strides, layer.dilation_rate)
    )

    def op(x: Any, W: Any) -> Any:
        if not flat:
            return tf.nn.depthwise_conv2d(x, W, (1, *strides, 1), padding, dilations=dilations)
        row = tf.nn.depthwise_conv2d(x[:, tf.newaxis], W[tf.newaxis], (1, *strides, 1), padding, dilations=dilations)
        return row[:, 0]

    return op
