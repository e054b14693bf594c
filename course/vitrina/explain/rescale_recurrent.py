"""DeepLIFT's Rescale rule through time: SimpleRNN, LSTM and GRU as Keras computes them.

A recurrent layer is a chain of what `rescale` knows: affine maps, activations, products of gate and signal. So
multipliers are handed back in time as gradients are, with chords for slopes and, in a product, with the mean of the
other factor. Contributions add up exactly; no gate is held constant. With x the input and h' the state before, the
affine maps a of both, and * element by element::

    SimpleRNN   h = g(a)
    LSTM        c = s(a_f) * c' + s(a_i) * g(a_u)        h = s(a_o) * g(c)
    GRU         h = z * h' + (1 - z) * g(a_u + r * v)    z = s(a_z), r = s(a_r), v affine in h' alone
                or, with reset_after=False,              h = z * h' + (1 - z) * g(a_u + (r * h') V)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from vitrina.explain.graph import Step
from vitrina.explain.rescale import Pairs, Pullback, Side

RECURRENT = (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU)
Record = dict[str, Any]
"""The parts of a cell by name: (time, batch, units), or (batch, units) of one time step."""


def run(layer: Any, values: Any) -> tuple[Any, Record]:
    """
    Run a recurrent layer and remember what its rule asks for.

    Parameters
    ----------
    layer
        A SimpleRNN, LSTM or GRU.
    values : tensor, shape (batch, time, features)

    Returns
    -------
    output : tensor, shape (batch, units) or (batch, time, units)
        As the layer gives it.
    record : dict of tensors, shape (time, batch, units)
    """
    cell, inputs = layer.cell, tf.transpose(values, (1, 0, 2))
    inputs = tf.reverse(inputs, [0]) if layer.go_backwards else inputs
    start = [tf.zeros((tf.shape(values)[0], cell.units), values.dtype)] * (2 if _is_lstm(cell) else 1)

    def forth(before: list[Any], now: Any) -> list[Any]:
        return list(cell(now, before)[1])

    states: list[Any] = tf.scan(forth, inputs, start)
    before = [tf.concat([first[tf.newaxis], state[:-1]], 0) for first, state in zip(start, states, strict=True)]
    output = tf.transpose(states[0], (1, 0, 2)) if layer.return_sequences else states[0][-1]
    return output, _record(cell, inputs, before, states)


def recurrent(step: Step, samples: Side, references: Side, pairs: Pairs) -> Pullback:
    """Hand multipliers back through time."""
    layer, cell = step.operation, step.operation.cell
    through = _lstm if _is_lstm(cell) else _gru if isinstance(cell, keras.layers.GRUCell) else _simple
    length = tf.shape(samples.inputs[0])[1]

    def back(later: tuple[Any, ...], now: tuple[Any, Record, Record]) -> tuple[Any, ...]:
        arriving, here, there = now
        return through(cell, _Moment(here, there, pairs), later[0] + arriving, later[1])

    def pull(multipliers: Any) -> list[Any]:
        arriving = tf.transpose(multipliers, (1, 0, 2)) if layer.return_sequences else multipliers[tf.newaxis]
        early: Any = length - tf.shape(arriving)[0]  # if only the last output is used, nothing arrives before
        arriving = tf.pad(arriving, [[early, 0], [0, 0], [0, 0]])
        nothing = tf.zeros_like(arriving[0])
        maps = tf.zeros((tf.shape(nothing)[0], cell.kernel.shape[1]), nothing.dtype)
        *_, maps = tf.scan(back, (arriving, samples.record, references.record), (nothing, nothing, maps), reverse=True)
        given = _through(maps, cell.kernel)
        return [tf.transpose(tf.reverse(given, [0]) if layer.go_backwards else given, (1, 0, 2))]

    return pull


class _Moment:
    """One time step of samples and references, by name of its parts: one row per pair."""

    def __init__(self, here: Record, there: Record, pairs: Pairs) -> None:
        self._here, self._there, self._pairs = here, there, pairs

    def mean(self, name: str, function: Callable[[Any], Any] = tf.identity) -> Any:
        """Mean of both sides of a part, or of a function of it."""
        return self._pairs.mean(function(self._here[name]), function(self._there[name]))

    def chord(self, name: str, function: Callable[[Any], Any]) -> Any:
        """Slope of a function's chord between both sides of a part."""
        return self._pairs.chord(function, self._here[name], self._there[name])


def _record(cell: Any, inputs: Any, before: Sequence[Any], after: Sequence[Any]) -> Record:
    """Compute the affine maps of all time steps at once, from the states that are known by now."""
    taken = tf.tensordot(inputs, tf.convert_to_tensor(cell.kernel), 1)
    if isinstance(cell, keras.layers.GRUCell):
        return _gru_record(cell, taken, before[0])
    maps = taken + tf.tensordot(before[0], tf.convert_to_tensor(cell.recurrent_kernel), 1)
    maps = maps + cell.bias if cell.use_bias else maps
    if not _is_lstm(cell):
        return {"a": maps}
    parts = dict(zip(("a_i", "a_f", "a_u", "a_o"), tf.split(maps, 4, axis=-1), strict=True))
    return parts | {"c'": before[1], "c": after[1]}


def _gru_record(cell: Any, taken: Any, before: Any) -> Record:
    units, kernel = cell.units, tf.convert_to_tensor(cell.recurrent_kernel)
    if not cell.reset_after:
        gates, signal = tf.tensordot(before, kernel[:, : 2 * units], 1), None
        taken = taken + cell.bias if cell.use_bias else taken
    else:
        bias = tf.convert_to_tensor(cell.bias) if cell.use_bias else tf.zeros((2, 3 * units), taken.dtype)
        kept = tf.tensordot(before, kernel, 1) + bias[1]
        gates, signal, taken = kept[..., : 2 * units], kept[..., 2 * units :], taken + bias[0]
    a_z, a_r = tf.split(taken[..., : 2 * units] + gates, 2, axis=-1)
    reset = cell.recurrent_activation(a_r)
    added = reset * signal if signal is not None else tf.tensordot(reset * before, kernel[:, 2 * units :], 1)
    parts = {"a_z": a_z, "a_r": a_r, "a": taken[..., 2 * units :] + added, "h'": before}
    return parts if signal is None else parts | {"v": signal}


def _simple(cell: Any, at: _Moment, m_h: Any, m_c: Any) -> tuple[Any, ...]:
    m_a = m_h * at.chord("a", cell.activation)
    return _through(m_a, cell.recurrent_kernel), m_c, m_a


def _lstm(cell: Any, at: _Moment, m_h: Any, m_c: Any) -> tuple[Any, ...]:
    g, s = cell.activation, cell.recurrent_activation
    m_c = m_c + m_h * at.mean("a_o", s) * at.chord("c", g)
    m_o = m_h * at.mean("c", g) * at.chord("a_o", s)
    m_f = m_c * at.mean("c'") * at.chord("a_f", s)
    m_i = m_c * at.mean("a_u", g) * at.chord("a_i", s)
    m_u = m_c * at.mean("a_i", s) * at.chord("a_u", g)
    maps = tf.concat([m_i, m_f, m_u, m_o], axis=-1)
    return _through(maps, cell.recurrent_kernel), m_c * at.mean("a_f", s), maps


def _gru(cell: Any, at: _Moment, m_h: Any, m_c: Any) -> tuple[Any, ...]:
    g, s, kernel = cell.activation, cell.recurrent_activation, tf.convert_to_tensor(cell.recurrent_kernel)
    gates, signal = kernel[:, : 2 * cell.units], kernel[:, 2 * cell.units :]
    m_z = m_h * (at.mean("h'") - at.mean("a", g)) * at.chord("a_z", s)
    m_a = m_h * (1 - at.mean("a_z", s)) * at.chord("a", g)
    m_before = m_h * at.mean("a_z", s)
    if cell.reset_after:
        m_r = m_a * at.mean("v")
        m_before += _through(m_a * at.mean("a_r", s), signal)
    else:
        m_product = _through(m_a, signal)
        m_r = m_product * at.mean("h'")
        m_before += m_product * at.mean("a_r", s)
    m_r *= at.chord("a_r", s)
    m_before += _through(tf.concat([m_z, m_r], axis=-1), gates)
    return m_before, m_c, tf.concat([m_z, m_r, m_a], axis=-1)


def _through(multipliers: Any, kernel: Any) -> Any:
    """Back through an affine map, along the last axis."""
    return tf.tensordot(multipliers, tf.transpose(tf.convert_to_tensor(kernel)), 1)


def _is_lstm(cell: Any) -> bool:
    return isinstance(cell, keras.layers.LSTMCell)
