"""How each kind of step of a model takes part in LRP: what it remembers on the way up, what it hands down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vitrina.explain.graph import Step
from vitrina.explain.lrp.layers import LinearMap
from vitrina.explain.lrp.rules import STABILISER, Kind
from vitrina.explain.lrp.sharing import Relevance, Seen, Term, divide, share, transposed


class Setting(NamedTuple):
    """
    What the rule of a stage and the model around it say.

    Attributes
    ----------
    kind
        The rule; None where the stage has no choice.
    numbers
        Tensors with the names of the rule's attributes.
    keep_bias
        Whether biases take part in denominators.
    nonnegative
        Whether no input of the stage can be below 0.
    positive_only
        Whether relevance of the stage's output can only be where the output is above 0.
    """

    kind: Kind | None
    numbers: dict[str, Any]
    keep_bias: bool
    nonnegative: bool
    positive_only: bool


class Linear(NamedTuple):
    """A linear map with weights, explained by its rule."""

    step: Step
    map: LinearMap
    follows: bool = False
    """Whether it continues the layer of the stage before (the second half of a separable convolution)."""

    def up(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """Compute the output, and what `down` needs."""
        weights, bias = self.map.parameters()
        product = self.map.op(values[0], weights)
        z = product if bias is None else product + bias
        return z, (values[0], weights, bias, product, z)

    def down(self, memory: Any, relevance: Relevance, setting: Setting) -> list[Relevance]:
        """Hand relevance down to each input."""
        x, weights, bias, product, z = memory
        bias = bias if setting.keep_bias else None
        seen = Seen(self.map.op, x, weights, bias, product, z, setting.nonnegative, setting.positive_only)
        assert setting.kind is not None
        return [share(setting.kind, seen, setting.numbers, relevance)]


class Passing(NamedTuple):
    """One value in, one value out (activations, Rescaling): relevance passes unchanged."""

    step: Step

    def up(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """Compute the output."""
        return self.step.call(*values), None

    def down(self, memory: Any, relevance: Relevance, setting: Setting) -> list[Relevance]:
        """Hand relevance down as it is."""
        del memory, setting
        return [relevance]


class Moving(NamedTuple):
    """Values move (reshape, padding, concatenation): relevance moves back."""

    step: Step

    def up(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """Compute the output."""
        return self.step.call(*values), values

    def down(self, memory: Any, relevance: Relevance, setting: Setting) -> list[Relevance]:
        """Hand relevance down to where each value came from."""
        del setting
        return [Relevance(part) for part in transposed(self.step.call, memory, relevance.whole())]


class MaxPool(NamedTuple):
    """The largest value of each window: the winner takes all, the first one where several are equal."""

    step: Step

    def up(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """Compute the output."""
        return self.step.call(*values), values[0]

    def down(self, memory: Any, relevance: Relevance, setting: Setting) -> list[Relevance]:
        """Hand relevance down to the winners."""
        del setting
        layer: Any = self.step.operation
        received = relevance.whole()
        apart = layer.padding == "valid" and tuple(layer.strides) == tuple(layer.pool_size)
        if received.shape[1] == 1 or not apart:
            return [Relevance(transposed(self.step.call, [memory], received, linear=False)[0])]
        # Windows that do not meet: who wins is found once for all targets, and each window hands out what it has.
        ones = tf.ones_like(self.step.call(memory))[:, tf.newaxis]
        winners = transposed(self.step.call, [memory], ones, linear=False)[0][:, 0]
        (spread,) = transposed(self._mean, [memory], received)
        return [Relevance(spread, winners * float(np.prod(layer.pool_size)))]

    def _mean(self, values: Any) -> Any:
        layer: Any = self.step.operation
        return tf.nn.avg_pool(values, layer.pool_size, layer.strides, "VALID")


class Summing(NamedTuple):
    """A sum or mean without weights (Add, average pooling): each summand takes its share, x_i / sum(x)."""

    step: Step

    def up(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """Compute the output."""
        output = self.step.call(*values)
        return output, (values, output)

    def down(self, memory: Any, relevance: Relevance, setting: Setting) -> list[Relevance]:
        """Hand relevance down in proportion."""
        values, output = memory
        divided = divide(relevance, output, STABILISER, Term(output, 1 if setting.nonnegative else 0, []))
        handed = transposed(self.step.call, values, divided)
        return [Relevance(share, x) for x, share in zip(values, handed, strict=True)]


class GlobalMax(NamedTuple):
    """The largest value of each channel: the winner takes all, the first one where several are equal."""

    step: Step

    def up(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """Compute the output."""
        return self.step.call(*values), values[0]

    def down(self, memory: Any, relevance: Relevance, setting: Setting) -> list[Relevance]:
        """Hand relevance down to the winners."""
        del setting
        shape, channels = tf.shape(memory), memory.shape[-1]
        places = tf.reshape(memory, tf.stack([shape[0], -1, channels]))
        winners = tf.one_hot(tf.argmax(places, 1), tf.shape(places)[1], axis=1, dtype=memory.dtype)
        received = relevance.whole()
        spread = tf.reshape(received, tf.concat([tf.shape(received)[:2], [1] * (memory.shape.rank - 2), [channels]], 0))
        return [Relevance(spread, tf.reshape(winners, shape))]
