"""Grad-CAM: where in the last feature map a convolutional network finds what speaks for a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import compiled, graph_function, in_chunks
from vitrina.explain.graph import Graph, Step, read_graph
from vitrina.explain.layers import gradients_at
from vitrina.explain.request import Target, request
from vitrina.models import Array

_layers = keras.layers
_CONVOLUTIONS = (
    *(_layers.Conv1D, _layers.Conv2D, _layers.DepthwiseConv1D, _layers.DepthwiseConv2D),
    *(_layers.SeparableConv1D, _layers.SeparableConv2D, _layers.Conv1DTranspose, _layers.Conv2DTranspose),
)
_NORMALISATIONS = (_layers.BatchNormalization, _layers.LayerNormalization, _layers.GroupNormalization)


def grad_cam(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    *,
    layer: str | None = None,
    relu: bool = True,
) -> Array:
    """
    Gradient-weighted class activation map (Selvaraju et al. 2017, arXiv 1610.02391).

    With feature maps A_k of the chosen layer and the target's logit y_c, each map is weighted by its mean gradient::

        w_k = mean over places of dy_c / dA_k,      map = ReLU(sum_k w_k A_k)

    and the map is enlarged to the size of the inputs (bilinear, half-pixel centres). Its resolution is that of the
    feature map: the fine structure of what is drawn comes from the enlarging.

    Parameters
    ----------
    model
        A built convolutional classifier that returns logits (batch, classes), channels last.
    inputs : array, shape (batch, height, width, channels) or (batch, steps, channels)
        The samples to explain.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The class to explain: one for all samples, one each, or k each, which share the forward pass.
    layer
        Name of the layer whose output, after its own activation, is taken; of a layer used twice, the last time. By
        default the last convolution, after the normalisation, residual sum and activation that follow it.
    relu
        Whether what speaks against the class is cut off.

    Returns
    -------
    array, shape (batch, height, width) or (batch, steps); with k targets each, (batch, k, ...)
        In the model's type, one value per place. Unlike other attributions these have no axis of channels.

    Raises
    ------
    ValueError
        If inputs or target do not fit the model, the model has no convolution, or `layer` is not in it or gives no
        feature map.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    asked = request(model, inputs, target)
    targets = asked.targets if asked.targets.ndim == 2 else asked.targets[:, np.newaxis]
    key = ("grad_cam", layer, relu, targets.shape[1])
    function = compiled(asked.model, key, lambda: _compile(asked.model, layer, relu, targets.shape[1]))
    maps = in_chunks(function, asked.inputs, targets)
    return maps if asked.targets.ndim == 2 else maps[:, 0]


def _compile(model: keras.Model, layer: str | None, relu: bool, count: int) -> Callable[..., Any]:
    graph = read_graph(model)
    features = _find_features(graph, layer)
    _check_features(graph, features)
    source = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)

    def maps(values: Any, targets: Any) -> Any:
        found, gradients = gradients_at(graph, features, values, targets, count)
        places = tuple(range(1, len(found.shape) - 1))
        weights = tf.reduce_mean(gradients, axis=[axis + 1 for axis in places], keepdims=True)
        coarse = tf.reduce_sum(weights * tf.expand_dims(found, 1), axis=-1)
        return _enlarge(tf.nn.relu(coarse) if relu else coarse, tf.shape(values)[1:-1])

    return graph_function(maps, source, tf.TensorSpec((None, count), tf.int32))


def _enlarge(maps: Any, size: Any) -> Any:
    """Bring maps (batch, k, height, width) or (batch, k, steps) to another size."""
    shape = tf.shape(maps)
    flat = tf.reshape(maps, tf.concat([[shape[0] * shape[1]], shape[2:], [1] * (5 - len(maps.shape))], 0))
    wanted = tf.concat([size, [1] * (4 - len(maps.shape))], 0)
    large = tf.cast(tf.image.resize(flat, wanted, antialias=False), maps.dtype)
    return tf.reshape(large, tf.concat([shape[:2], size], 0))


def _find_features(graph: Graph, layer: str | None) -> int:
    """Return the number of the value that the layer gives, or of the last convolution's feature map."""
    if layer is not None:
        named = [step.output for step in graph.steps if step.name == layer]
        if not named:
            names = list(dict.fromkeys(step.name for step in graph.steps if len(graph.shapes[step.output]) > 2))
            raise ValueError(f"the model has no layer {layer!r} that computes; those with feature maps: {names}")
        return named[-1]
    convolutions = [step.output for step in graph.steps if isinstance(step.operation, _CONVOLUTIONS)]
    if not convolutions:
        raise ValueError("the model has no convolution: Grad-CAM reads feature maps; take another method, or a layer")
    return _after_activation(graph, convolutions[-1])


def _after_activation(graph: Graph, value: int) -> int:
    """Follow a feature map through normalisation, residual sum and activation, as long as nobody else takes it."""
    while True:
        takers = [step for step in graph.steps if value in step.inputs]
        if len(takers) != 1 or not _belongs_to_convolution(takers[0]):
            return value
        value = takers[0].output
        if takers[0].pointwise:
            return value


def _belongs_to_convolution(step: Step) -> bool:
    return isinstance(step.operation, (*_NORMALISATIONS, _layers.Add)) or step.pointwise


def _check_features(graph: Graph, features: int) -> None:
    shape, wanted = graph.shapes[features], len(graph.shapes[0])
    if wanted not in (3, 4) or len(shape) != wanted:
        raise ValueError(
            f"Grad-CAM needs images (batch, height, width, channels) or sequences (batch, steps, channels) and feature "
            f"maps of the same kind; the inputs have shape {graph.shapes[0]}, the layer gives {shape}"
        )
