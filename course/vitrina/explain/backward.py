"""Gradients of a model's logits as compiled functions: at the samples, along a path, in a cloud of noise.

`count` is the number of classes explained for each sample: they share one forward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import keras
import tensorflow as tf

from vitrina.explain.compiling import graph_function


def gradient_function(model: keras.Model, count: int) -> Callable[..., Any]:
    """
    Compile the gradient of the logits with respect to the inputs.

    Parameters
    ----------
    model
        Returns logits (batch, classes).
    count
        Classes per sample.

    Returns
    -------
    callable
        (inputs (batch, ...), targets (batch, count)) to gradients (batch, count, ...).
    """
    return graph_function(_gradients_of(model, count), _batch_of(model), _targets_of(count))


def path_function(model: keras.Model, count: int) -> Callable[..., Any]:
    """
    Compile a step of the weighted sum of the gradients at points of each sample's path.

    Parameters
    ----------
    model
        Returns logits (batch, classes).
    count
        Classes per sample.

    Returns
    -------
    callable
        (starts (batch, ...), differences from there to the samples (batch, ...), targets (batch, count), positions
        (points,), weights (points,), sum so far (batch, count, ...)) to the new sum.
    """
    gradients, source = _gradients_of(model, count), _batch_of(model)
    numbers, sums = tf.TensorSpec((None,), source.dtype), _gradients_like(source, count)

    def path_sum(starts: Any, differences: Any, targets: Any, positions: Any, weights: Any, so_far: Any) -> Any:
        steps = tf.reshape(positions, (1, -1, *(1 for _ in source.shape[1:]))) * tf.expand_dims(differences, 1)
        found = _at_points(gradients, tf.expand_dims(starts, 1) + steps, targets, weights)
        return so_far + tf.reduce_sum(found, axis=1)

    return graph_function(path_sum, source, source, _targets_of(count), numbers, numbers, sums)


def moments_function(model: keras.Model, count: int, squares: bool) -> Callable[..., Any]:
    """
    Compile a step of the mean and the spread of gradients in a cloud around each sample.

    Two clouds are merged by their means and sums of squared deviations (Chan et al. 1983, doi
    10.1080/00031305.1983.10483115), so no large squares cancel.

    Parameters
    ----------
    model
        Returns logits (batch, classes).
    count
        Classes per sample.
    squares
        Whether the deviations are wanted.

    Returns
    -------
    callable
        (inputs (batch, ...), targets (batch, count), noise (points, ...), number of points so far, their mean
        (batch, count, ...), their sum of squared deviations of the same shape) to the new mean and sum. Without
        `squares` that sum is a number and stays as it is.
    """
    gradients, source = _gradients_of(model, count), _batch_of(model)
    scalar, moment = tf.TensorSpec((), source.dtype), _gradients_like(source, count)

    def moments(values: Any, targets: Any, noise: Any, before: Any, mean: Any, deviations: Any) -> Any:
        found = _at_points(gradients, tf.expand_dims(values, 1) + noise, targets)
        new = tf.cast(tf.shape(noise)[0], source.dtype)
        new_mean = tf.reduce_mean(found, axis=1)
        gap = new_mean - mean
        if squares:
            around = tf.reduce_sum(tf.square(found - tf.expand_dims(new_mean, 1)), axis=1)
            deviations += around + tf.square(gap) * (before * new / (before + new))
        return mean + gap * (new / (before + new)), deviations

    return graph_function(moments, source, _targets_of(count), source, scalar, moment, moment if squares else scalar)


def _batch_of(model: keras.Model) -> Any:
    return tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)


def _targets_of(count: int) -> Any:
    return tf.TensorSpec((None, count), tf.int32)


def _gradients_like(source: Any, count: int) -> Any:
    return tf.TensorSpec((None, count, *source.shape[1:]), source.dtype)


def _at_points(gradients: Callable[..., Any], points: Any, targets: Any, weights: Any = None) -> Any:
    """Gradients at several points of each sample, each times its weight: (batch, points, count, ...)."""
    shape = tf.shape(points)
    flat = tf.reshape(points, tf.concat([[-1], shape[2:]], 0))
    each = None if weights is None else tf.tile(weights, shape[:1])
    found = gradients(flat, tf.repeat(targets, shape[1], axis=0), each)
    return tf.reshape(found, tf.concat([shape[:2], tf.shape(found)[1:]], 0))


def _gradients_of(model: keras.Model, count: int) -> Callable[..., Any]:
    """One forward pass, `count` backward passes; a weight of a sample costs nothing where its logit begins."""
    reference = ref(model)

    def gradients(values: Any, targets: Any, weights: Any = None) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(values)
            logits = reference()(values, training=False)  # pyright: ignore[reportOptionalCall]
        classes = tf.shape(logits)[1]

        def of(target: Any) -> Any:
            chosen = tf.one_hot(target, classes, dtype=logits.dtype)
            chosen = chosen if weights is None else chosen * weights[:, tf.newaxis]
            return tape.gradient(logits, values, chosen, unconnected_gradients=tf.UnconnectedGradients.ZERO)

        if count == 1:
            return tf.expand_dims(of(targets[:, 0]), 1)  # no copy, as tf.stack makes
        return tf.stack([of(targets[:, index]) for index in range(count)], axis=1)

    return gradients
