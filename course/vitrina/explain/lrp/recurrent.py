"""LRP through recurrent layers: products of a gate and a signal give all their relevance to the signal.

A gate says how much of a signal passes; it receives nothing ("signal-take-all"). What is left is linear: the new state
is a sum of what was kept and what was added, a candidate is a function of x W + h U + b, and both are shared out by the
epsilon rule. Bias and epsilon take their shares with them. Arras et al. 2017, doi 10.18653/v1/W17-5221, section 3.2;
Arras et al. 2019, arXiv 1909.12114.

Time is a compiled loop: one step of it explains the whole batch and all targets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from vitrina.explain.graph import Step
from vitrina.explain.lrp.sharing import Relevance, divide
from vitrina.explain.lrp.stages import Setting

_layers = keras.layers
_Record = dict[str, Any]


class _Weights(NamedTuple):
    """The weights of a cell; biases are 0 where it has none."""

    cell: Any
    kernel: Any
    recurrent: Any
    bias: Any
    recurrent_bias: Any
    keep_bias: bool

    def of_candidate(self, units: slice) -> tuple[Any, Any, Any, Any]:
        """Return what the candidate is made with; a bias that takes no part in denominators is left out."""
        kept = float(self.keep_bias)
        biases = (self.bias[units] * kept, self.recurrent_bias[units] * kept)
        return self.kernel[:, units], self.recurrent[:, units], *biases


class Recurrent(NamedTuple):
    """A SimpleRNN, LSTM or GRU layer."""

    step: Step
    layer: Any
    keep_bias: bool

    def up(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """Run through time and remember what each moment saw: tensors (time, batch, ...)."""
        x = tf.transpose(values[0], [1, 0, 2])
        x = x[::-1] if self.layer.go_backwards else x
        weights, (forward, _) = _weights(self.layer, self.keep_bias), _CELLS[type(self.layer)]
        nothing = tf.zeros(tf.stack([tf.shape(x)[1], self.layer.units]), x.dtype)
        start = forward(weights, x[0], tf.ensure_shape(nothing, [None, self.layer.units]), nothing)
        start = {name: tf.zeros_like(value) for name, value in start.items()}

        def one_moment(before: _Record, now: Any) -> _Record:
            return forward(weights, now, before["h"], before["c"])

        record = tf.scan(one_moment, x, start)
        output = tf.transpose(record["h"], [1, 0, 2]) if self.layer.return_sequences else record["h"][-1]
        return output, (x, weights, record)

    def down(self, memory: Any, relevance: Relevance, setting: Setting) -> list[Relevance]:
        """Go back through time and hand relevance down to the input of each moment."""
        x, weights, record = memory
        back, stabiliser = _CELLS[type(self.layer)][1], setting.numbers["epsilon"]
        seen = record | {"x": x, "h_before": _shifted(record["h"]), "c_before": _shifted(record["c"])}
        whole = relevance.whole()
        if self.layer.return_sequences:
            seen["relevance"] = tf.transpose(whole, [2, 0, 1, 3])
        last = tf.zeros_like(whole[:, :, 0]) if self.layer.return_sequences else whole
        place = tf.zeros(tf.stack([*tf.unstack(tf.shape(last)[:2]), x.shape[-1]]), x.dtype)

        def one_moment_back(later: _Record, now: _Record) -> _Record:
            hidden = later["h"] + now["relevance"] if "relevance" in now else later["h"]
            return back(weights, now, hidden, later["c"], stabiliser)

        start = {
            "x": tf.ensure_shape(place, [None, *last.shape[1:2], x.shape[-1]]),
            "h": last,
            "c": tf.zeros_like(last),
        }
        received = tf.scan(one_moment_back, seen, start, reverse=True)["x"]
        received = received[::-1] if self.layer.go_backwards else received
        return [Relevance(tf.transpose(received, [1, 2, 0, 3]))]


class Bidirectional(NamedTuple):
    """Two recurrent layers, one of them from the end to the start, with concatenated outputs."""

    step: Step
    ways: tuple[Recurrent, Recurrent]

    def up(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """Run both ways."""
        (forward, seen_forward), (backward, seen_backward) = (way.up(values) for way in self.ways)
        backward = backward[:, ::-1] if self._sequences() else backward
        return tf.concat([forward, backward], -1), (seen_forward, seen_backward)

    def down(self, memory: Any, relevance: Relevance, setting: Setting) -> list[Relevance]:
        """Hand relevance down both ways; an input receives the sum."""
        forward, backward = tf.split(relevance.whole(), [way.layer.units for way in self.ways], axis=-1)
        backward = backward[:, :, ::-1] if self._sequences() else backward
        parts = zip(self.ways, memory, (forward, backward), strict=True)
        return [Relevance(tf.add_n([way.down(seen, Relevance(r), setting)[0].whole() for way, seen, r in parts]))]

    def _sequences(self) -> bool:
        return self.ways[0].layer.return_sequences


def recurrent_stage(step: Step, keep_bias: bool) -> Recurrent | Bidirectional:
    """
    Make the stage of a recurrent layer.

    Parameters
    ----------
    step
        A step of one of `RECURRENT`.
    keep_bias
        Whether biases take part in denominators.

    Returns
    -------
    Recurrent or Bidirectional

    Raises
    ------
    ValueError
        If the layer keeps its state, is given one, or joins two ways other than by concatenation.
    """
    layer = step.operation
    if len(step.inputs) != 1 or layer.stateful:
        raise ValueError(f"layer {step.name!r} begins with a state of its own: lrp explains sequences from the start")
    if not isinstance(layer, _layers.Bidirectional):
        return Recurrent(step, layer, keep_bias)
    ways = layer.forward_layer, layer.backward_layer
    if layer.merge_mode != "concat" or not all(type(way) in _CELLS for way in ways):
        raise ValueError(f"layer {step.name!r} (Bidirectional) must join SimpleRNN, LSTM or GRU layers by 'concat'")
    return Bidirectional(step, (Recurrent(step, ways[0], keep_bias), Recurrent(step, ways[1], keep_bias)))


def _weights(layer: Any, keep_bias: bool) -> _Weights:
    cell = layer.cell
    kernel, recurrent = tf.convert_to_tensor(cell.kernel), tf.convert_to_tensor(cell.recurrent_kernel)
    nothing = tf.zeros_like(kernel[0])
    biases = tf.convert_to_tensor(cell.bias) if cell.use_bias else nothing
    bias, recurrent_bias = (biases, nothing) if biases.shape.rank == 1 else tf.unstack(biases)
    return _Weights(cell, kernel, recurrent, bias, recurrent_bias, keep_bias)


def _shifted(values: Any) -> Any:
    """Return what each moment found: the state after the moment before, 0 at first."""
    return tf.concat([tf.zeros_like(values[:1]), values[:-1]], 0)


def _simple(weights: _Weights, x: Any, h: Any, c: Any) -> _Record:
    W, U, b, _ = weights.of_candidate(slice(None))
    unbiased = x @ W + h @ U
    return {"h": weights.cell.activation(unbiased + weights.bias), "c": c, "candidate": unbiased + b}


def _simple_back(weights: _Weights, now: _Record, hidden: Any, cell: Any, stabiliser: Any) -> _Record:
    W, U, _, _ = weights.of_candidate(slice(None))
    divided = divide(Relevance(hidden), now["candidate"], stabiliser)
    return {"x": _handed(now["x"], divided, W), "h": _handed(now["h_before"], divided, U), "c": cell}


def _lstm(weights: _Weights, x: Any, h: Any, c: Any) -> _Record:
    units = slice(2 * h.shape[-1], 3 * h.shape[-1])
    W, U, b, _ = weights.of_candidate(units)
    gates = x @ weights.kernel + h @ weights.recurrent + weights.bias
    i, f, candidate, o = tf.split(gates, 4, axis=-1)
    i, f, o = (weights.cell.recurrent_activation(gate) for gate in (i, f, o))
    kept, added = f * c, i * weights.cell.activation(candidate)
    divisor = candidate if weights.keep_bias else x @ W + h @ U + b
    c = kept + added
    return {"h": o * weights.cell.activation(c), "c": c, "kept": kept, "added": added, "candidate": divisor}


def _lstm_back(weights: _Weights, now: _Record, hidden: Any, cell: Any, stabiliser: Any) -> _Record:
    units = now["h"].shape[-1]
    W, U, _, _ = weights.of_candidate(slice(2 * units, 3 * units))
    share = divide(Relevance(cell + hidden), now["c"], stabiliser)
    divided = divide(Relevance(share, now["added"]), now["candidate"], stabiliser)
    return {
        "x": _handed(now["x"], divided, W),
        "h": _handed(now["h_before"], divided, U),
        "c": now["kept"][:, tf.newaxis] * share,
    }


def _gru(weights: _Weights, x: Any, h: Any, c: Any) -> _Record:
    units, cell = h.shape[-1], weights.cell
    W, U, b, recurrent_b = weights.of_candidate(slice(2 * units, None))
    gates = x @ weights.kernel[:, : 2 * units] + h @ weights.recurrent[:, : 2 * units]
    gates = gates + (weights.bias + weights.recurrent_bias)[: 2 * units]
    z, r = (cell.recurrent_activation(gate) for gate in tf.split(gates, 2, axis=-1))
    true_b, true_recurrent_b = weights.bias[2 * units :], weights.recurrent_bias[2 * units :]
    recalled = r * (h @ U) if cell.reset_after else (r * h) @ U
    candidate = x @ W + recalled
    hidden = cell.activation(candidate + true_b + r * true_recurrent_b)
    kept, added = z * h, (1 - z) * hidden
    divisor = candidate + b + r * recurrent_b
    return {"h": kept + added, "c": c, "kept": kept, "added": added, "candidate": divisor, "r": r}


def _gru_back(weights: _Weights, now: _Record, hidden: Any, cell: Any, stabiliser: Any) -> _Record:
    W, U, _, _ = weights.of_candidate(slice(2 * now["h"].shape[-1], None))
    share = divide(Relevance(hidden), now["h"], stabiliser)
    divided = divide(Relevance(share, now["added"]), now["candidate"], stabiliser)
    r = now["r"][:, tf.newaxis]
    if weights.cell.reset_after:
        recalled = _handed(now["h_before"], divided * r, U)
    else:
        recalled = _handed(now["r"] * now["h_before"], divided, U)
    return {"x": _handed(now["x"], divided, W), "h": now["kept"][:, tf.newaxis] * share + recalled, "c": cell}


def _handed(inputs: Any, divided: Any, weights: Any) -> Any:
    """Return what inputs (batch, n) receive along their weights from divided relevance (batch, targets, units)."""
    return inputs[:, tf.newaxis] * tf.tensordot(divided, weights, [[2], [1]])


_CELLS: dict[type, tuple[Callable[..., _Record], Callable[..., _Record]]] = {
    _layers.SimpleRNN: (_simple, _simple_back),
    _layers.LSTM: (_lstm, _lstm_back),
    _layers.GRU: (_gru, _gru_back),
}
"""One moment forward, and one moment back."""
RECURRENT = (*_CELLS, _layers.Bidirectional)
"""Layers that `recurrent_stage` knows."""
