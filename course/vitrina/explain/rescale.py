"""DeepLIFT's Rescale rule layer by layer: how a difference to a reference is handed down through one step of a model.

A multiplier m says how much of the output's difference a unit's difference explains: the contribution of a unit is
m (x - x0). Multipliers obey a chain rule like that of gradients (Shrikumar et al. 2017, arXiv 1704.02685, eq. 3), so
each step only has to turn the multipliers of its output into those of its inputs::

    affine step             its gradient, which is the same everywhere
    activation y = g(x)     the slope of the chord, (y - y0) / (x - x0)
    maximum of a window     max(y, y0) - y0 to the winner of x, y - max(y, y0) to the winner of the reference
    product z = u v         the mean of the other factor: (v + v0) / 2 for u, (u + u0) / 2 for v

A product's difference z - z0 is (u - u0) (v + v0) / 2 + (v - v0) (u + u0) / 2: these are the Shapley values of its two
factors (as in Chen, Lundberg and Lee 2022, doi 10.1038/s41467-022-31384-3).

Samples and references run forward once each. Multipliers belong to pairs of one sample and one reference: the values of
n samples and r references meet as (n, 1, ...) and (1, r, ...), and multipliers have n r rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from vitrina.explain.graph import Step

Pullback = Callable[[Any], list[Any]]
"""From the multipliers of a step's output to those of its inputs, one row per pair."""


class Side(NamedTuple):
    """
    What one step saw and gave, for the samples or for the references.

    Attributes
    ----------
    inputs
        Tensors, batch first.
    output
        Tensor, batch first.
    record
        What a recurrent step remembers of its time steps.
    """

    inputs: tuple[Any, ...]
    output: Any
    record: Any


class Pairs(NamedTuple):
    """
    Which sample meets which reference.

    Attributes
    ----------
    each
        Whether every sample has one reference of its own; otherwise all meet all.
    """

    each: bool

    def meet(self, value: Any, reference: Any) -> tuple[Any, Any]:
        """Give both sides the axes (samples, references, ...), of length 1 where values repeat."""
        return tf.expand_dims(value, 1), tf.expand_dims(reference, 1 if self.each else 0)

    def repeated(self, value: Any, reference: Any) -> tuple[Any, Any]:
        """One row per pair, of either side."""
        value, reference = self.meet(value, reference)
        shape = tf.broadcast_dynamic_shape(tf.shape(value), tf.shape(reference))
        return rows(tf.broadcast_to(value, shape)), rows(tf.broadcast_to(reference, shape))

    def mean(self, value: Any, reference: Any) -> Any:
        """One row per pair, (value + reference) / 2."""
        value, reference = self.meet(value / 2, reference / 2)
        return rows(value + reference)

    def chord(self, function: Callable[[Any], Any], x: Any, x0: Any) -> Any:
        """One row per pair, the slope of a function's chord; its gradient at x where the ends nearly meet."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        slope = tf.expand_dims(tape.gradient(y, x), 1)
        (x, x0), (y, y0) = self.meet(x, x0), self.meet(y, function(x0))
        step = x - x0
        return rows(tf.where(tf.abs(step) < _nearly_zero(x), slope, tf.math.divide_no_nan(y - y0, step)))


def rows(pairs: Any) -> Any:
    """
    Make one row per pair.

    Parameters
    ----------
    pairs : tensor, shape (samples, references, ...)

    Returns
    -------
    tensor, shape (samples x references, ...)
    """
    return tf.reshape(pairs, tf.concat([[-1], tf.shape(pairs)[2:]], 0))


def affine(step: Step, samples: Side, references: Side, pairs: Pairs) -> Pullback:  # noqa: ARG001
    """Hand multipliers down by the gradient, taken at zero."""

    def pull(multipliers: Any) -> list[Any]:
        points = [_zeros_like(value, tf.shape(multipliers)[0]) for value in samples.inputs]
        with tf.GradientTape() as tape:
            tape.watch(points)
            output = step.call(*points)  # TensorFlow does not compute it: the gradient needs its shape only
        return tape.gradient(output, points, multipliers)

    return pull


def pointwise(step: Step, samples: Side, references: Side, pairs: Pairs) -> Pullback:
    """Multiply by the slope of the activation's chord."""
    chord = pairs.chord(step.call, samples.inputs[0], references.inputs[0])
    return lambda multipliers: [multipliers * chord]


def window_maximum(step: Step, samples: Side, references: Side, pairs: Pairs) -> Pullback:
    """Share a window's difference between the position that wins for x and the one that wins for the reference."""
    x, x0 = pairs.repeated(samples.inputs[0], references.inputs[0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, x0])
        y, y0 = step.call(x), step.call(x0)
    top = tf.maximum(y, y0)

    def pull(multipliers: Any) -> list[Any]:
        risen = tape.gradient(y, x, multipliers * (top - y0))
        fallen = tape.gradient(y0, x0, multipliers * (y - top))
        return [tf.math.divide_no_nan(risen + fallen, x - x0)]

    return pull


def global_maximum(step: Step, samples: Side, references: Side, pairs: Pairs) -> Pullback:  # noqa: ARG001
    """Share the difference of the maximum over all positions as in a window that holds them all."""
    spread = (-1, *(1 for _ in samples.inputs[0].shape[1:-1]), samples.inputs[0].shape[-1])
    x, x0 = pairs.meet(samples.inputs[0], references.inputs[0])
    y, y0 = pairs.meet(tf.reshape(samples.output, spread), tf.reshape(references.output, spread))
    won, won0 = pairs.meet(_winners(samples.inputs[0]), _winners(references.inputs[0]))
    top = tf.maximum(y, y0)
    slope = rows(tf.math.divide_no_nan(won * (top - y0) + won0 * (y - top), x - x0))
    return lambda multipliers: [tf.reshape(multipliers, spread) * slope]


def product(step: Step, samples: Side, references: Side, pairs: Pairs) -> Pullback:
    """Split the difference of a product, factor after factor: multiply by the mean of the other factor."""
    if len({len(value.shape) for value in samples.inputs}) > 1:
        raise ValueError(f"layer {step.name!r} multiplies values with different numbers of axes")
    before, *others = zip(samples.inputs, references.inputs, strict=True)
    means: list[tuple[Any, Any]] = []
    for factor in others:
        means.append((pairs.mean(*before), pairs.mean(*factor)))
        before = before[0] * factor[0], before[1] * factor[1]

    def pull(multipliers: Any) -> list[Any]:
        given: list[Any] = []
        for of_those_before, of_factor in reversed(means):
            given.insert(0, _summed_like(of_factor, multipliers * of_those_before))
            multipliers = _summed_like(of_those_before, multipliers * of_factor)
        return [multipliers, *given]

    return pull


def _winners(x: Any) -> Any:
    """1 at the first largest position of each channel, 0 elsewhere: (batch, ..., channels)."""
    flat = tf.reshape(x, (tf.shape(x)[0], tf.reduce_prod(tf.shape(x)[1:-1]), x.shape[-1]))
    marks = tf.one_hot(tf.argmax(flat, axis=1), tf.shape(flat)[1], axis=1, dtype=x.dtype)
    return tf.reshape(marks, tf.shape(x))


def _summed_like(value: Any, multipliers: Any) -> Any:
    """Add up over the axes along which a factor was repeated."""
    sizes = enumerate(zip(value.shape, multipliers.shape, strict=True))
    repeated = [axis for axis, (size, given) in sizes if axis and size == 1 and given != 1]
    return tf.reduce_sum(multipliers, repeated, keepdims=True) if repeated else multipliers


def _zeros_like(value: Any, count: Any) -> Any:
    zeros = tf.zeros(tf.concat([[count], tf.shape(value)[1:]], 0), value.dtype)
    return tf.ensure_shape(zeros, (None, *value.shape[1:]))


def _nearly_zero(x: Any) -> float:
    """Below this a chord is rounding noise; the field's 1e-10 is made for double precision."""
    return 1e-10 if x.dtype == tf.float64 else 1e-6
