"""Training Elman networks with back-propagation through time written out, several of them at once.

All arrays have a first axis of restarts: four networks cost little more than one, as each step's arrays are small. The
recipe (short words, a label after each symbol, noise that grows, a high rate of learning) was found by experiment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.machines import DFA, States
from vitrina.automata.networks import NoiseKind
from vitrina.automata.samples import training_words

Floats = npt.NDArray[np.floating[Any]]
#: Single precision takes half the time; what the noise and the short words ask for is far coarser.
_PRECISION = np.float32


@dataclass(frozen=True)
class Recipe:
    """
    How to train.

    Attributes
    ----------
    units, length, words, batch, steps
        Hidden units; symbols of a training word; training words; words of a step; steps.
    rate
        Of learning at the start; it falls to a twentieth along a cosine (Adam, Kingma and Ba 2015).
    noise, kind
        Its final strength, and whether it is added or multiplies the unit's last activation.
    ramp
        Share of the steps in which the noise grows from 0.
    l1
        Weight of the sum of the sizes of all weights, biases left out.
    clip
        Largest norm of a step's gradient.
    """

    units: int = 12
    length: int = 12
    words: int = 2000
    batch: int = 32
    steps: int = 2000
    rate: float = 0.03
    noise: float = 0.5
    kind: NoiseKind = "additive"
    ramp: float = 0.5
    l1: float = 1e-4
    clip: float = 1.0


def train(
    automaton: DFA,
    recipe: Recipe | None = None,
    *,
    restarts: int = 4,
    seed: int,
    first: Sequence[ElmanNetwork] | None = None,
) -> list[ElmanNetwork]:
    """
    Train networks on a language.

    Parameters
    ----------
    automaton
        Labels the training words; the networks never see it.
    recipe
        How; by itself `Recipe()`.
    restarts
        How many networks, each with its own first weights, words and noise.
    seed
        The same networks again for the same seed.
    first : sequence of ElmanNetwork, optional
        Networks to go on from, one for each restart, such as `shocked` ones; by itself their weights are drawn.

    Returns
    -------
    list of ElmanNetwork

    Raises
    ------
    ValueError
        If there is nothing to train, the recipe makes no sense, or the first networks are not of its kind and number.
    """
    how = recipe or Recipe()
    check_recipe(how, restarts)
    generator = np.random.default_rng(seed)
    seeds = generator.integers(2**31, size=restarts).tolist()
    words = np.stack([training_words(automaton, how.words, how.length, seed=each) for each in seeds])
    labels = automaton.outputs[automaton.run(words)[..., 1:]].astype(_PRECISION)
    weights = _first_weights(len(automaton.alphabet), how.units, restarts, generator)
    if first is not None:
        _copy_weights(first, weights, automaton)
    read = _one_hot(words, len(automaton.alphabet))
    optimiser, pulled = _Adam(weights.flat), how.l1 * weights.pulled
    noise = np.zeros((restarts, how.length, how.batch, how.units), _PRECISION)
    rows = np.arange(restarts)[:, np.newaxis]
    for step in range(how.steps):
        chosen = generator.integers(how.words, size=(restarts, how.batch))
        if how.noise:
            generator.standard_normal(out=noise, dtype=_PRECISION)
            noise *= how.noise * min(1.0, step / max(1.0, how.ramp * how.steps))
        gradient = _gradients(weights, read[rows, chosen], labels[rows, chosen], noise, how.kind).flat
        gradient += pulled * np.sign(weights.flat)
        _shorten(gradient, how.clip)
        optimiser.step(weights.flat, gradient, _rate(how, step))
    return [_network(automaton, weights, index) for index in range(restarts)]


def check_recipe(how: Recipe, restarts: int = 1) -> None:
    """Raise ValueError where a recipe makes no sense."""
    if restarts < 1:
        raise ValueError(f"restarts must be at least 1, got {restarts}")
    check_numbers(how, counts=("units", "length", "words", "batch"), amounts=("steps", "noise", "l1"))


def check_numbers(how: Any, *, counts: Sequence[str], amounts: Sequence[str]) -> None:
    """Raise ValueError unless a recipe's counts are 1 or more, amounts 0 or more, and rate, clip and kind sensible."""
    for name in counts:
        if getattr(how, name) < 1:
            raise ValueError(f"{name} must be at least 1, got {getattr(how, name)}")
    for name in amounts:
        if not getattr(how, name) >= 0:
            raise ValueError(f"{name} must not be negative, got {getattr(how, name)}")
    if not (how.rate > 0 and how.clip > 0):
        raise ValueError(f"rate and clip must be above 0, got {how.rate} and {how.clip}")
    if how.kind not in get_args(NoiseKind):
        raise ValueError(f"the kind of noise is 'additive' or 'multiplicative', got {how.kind!r}")


class _Weights:
    """The parameters of several networks: a row of numbers for each, and views of its parts."""

    def __init__(self, flat: Floats, symbols: int, units: int) -> None:
        restarts, self.symbols, self.units = len(flat), symbols, units
        ends = np.cumsum([symbols * units, units, units * units, units])
        inputs, bias, recurrent, readout, offset = np.split(flat, ends, axis=1)
        self.flat = flat
        self.inputs = inputs.reshape(restarts, symbols, units)
        self.bias, self.readout, self.offset = bias, readout, offset
        self.recurrent = recurrent.reshape(restarts, units, units)

    def like(self) -> _Weights:
        """Room for as many numbers."""
        return _Weights(np.zeros_like(self.flat), self.symbols, self.units)

    @property
    def pulled(self) -> Floats:
        """1 for each number that L1 pulls to 0, 0 for biases."""
        mask = self.like()
        for part in (mask.inputs, mask.recurrent, mask.readout):
            part[...] = 1
        return mask.flat


def _first_weights(symbols: int, units: int, restarts: int, generator: np.random.Generator) -> _Weights:
    """Draw weights; the recurrent ones are orthogonal, so that at first nothing fades and nothing grows."""
    count = symbols * units + units * units + 2 * units + 1
    weights = _Weights(np.zeros((restarts, count), _PRECISION), symbols, units)
    weights.recurrent[...] = np.linalg.qr(generator.standard_normal((restarts, units, units)))[0]
    weights.inputs[...] = generator.standard_normal((restarts, symbols, units)) * np.sqrt(1 / symbols)
    weights.readout[...] = generator.standard_normal((restarts, units)) * np.sqrt(1 / units)
    return weights


def _copy_weights(networks: Sequence[ElmanNetwork], weights: _Weights, automaton: DFA) -> None:
    """Go on from networks; adapted in place."""
    wanted = weights.inputs.shape
    if any(network.alphabet != automaton.alphabet for network in networks) or wanted != (
        len(networks),
        *np.shape(networks[0].inputs if networks else ()),
    ):
        raise ValueError(
            f"training goes on from {wanted[0]} networks of {wanted[2]} units over {automaton.alphabet}, got "
            f"{len(networks)}: {[(len(network.bias), network.alphabet) for network in networks]}"
        )
    for row, network in enumerate(networks):
        weights.inputs[row], weights.recurrent[row] = network.inputs, network.recurrent
        weights.bias[row], weights.readout[row], weights.offset[row] = network.bias, network.readout, network.offset


def _one_hot(words: States, symbols: int) -> Floats:
    """Mark each word's symbols: (..., length) to (..., length, symbols)."""
    return (words[..., np.newaxis] == np.arange(symbols)).astype(_PRECISION)


def _gradients(weights: _Weights, read: Floats, labels: Floats, noise: Floats, kind: NoiseKind) -> _Weights:
    """
    Gradients of the mean cross-entropy, by back-propagation through time (Werbos 1990).

    `read` (restarts, batch, length, symbols) and `labels` (restarts, batch, length) have the batch before time, as
    words have; `noise` and all that follows have time before the batch, so that a step is one block for each restart.
    """
    read, labels = np.ascontiguousarray(np.swapaxes(read, 1, 2)), np.swapaxes(labels, 1, 2)
    hidden = _forward(weights, read, noise, kind)
    said = hidden[:, 1:]
    logits = (_joined(said) @ weights.readout[..., np.newaxis]).reshape(labels.shape) + weights.offset[..., np.newaxis]
    errors = (1 / (1 + np.exp(-logits)) - labels) / labels[0].size
    drives = _backward(weights, said, errors, noise if kind == "multiplicative" else None)
    found, flat = weights.like(), _joined(drives)
    np.matmul(_turned(read), flat, out=found.inputs)
    np.matmul(_turned(hidden[:, :-1]), flat, out=found.recurrent)
    flat.sum(axis=1, out=found.bias)
    found.readout[...] = (errors.reshape(len(errors), 1, -1) @ _joined(said))[:, 0]
    errors.sum(axis=(1, 2), out=found.offset[:, 0])
    return found


def _joined(values: Floats) -> Floats:
    """Put time and batch into one axis: (restarts, length, batch, n) to (restarts, length * batch, n)."""
    return values.reshape(len(values), -1, values.shape[-1])


def _turned(values: Floats) -> Floats:
    return np.swapaxes(_joined(values), 1, 2)


def _forward(weights: _Weights, read: Floats, noise: Floats, kind: NoiseKind) -> Floats:
    """Hidden states before the first symbol and after each: (restarts, length + 1, batch, units)."""
    restarts, length, batch, _ = read.shape
    drives = (_joined(read) @ weights.inputs).reshape(restarts, length, batch, -1)
    drives += weights.bias[:, np.newaxis, np.newaxis]
    if kind == "additive":
        drives += noise
    hidden = np.zeros((restarts, length + 1, batch, weights.units), weights.flat.dtype)
    for time in range(length):
        drive = hidden[:, time] @ weights.recurrent
        drive += drives[:, time]
        if kind == "multiplicative":
            drive += noise[:, time] * hidden[:, time]
        np.tanh(drive, out=hidden[:, time + 1])
    return hidden


def _backward(weights: _Weights, said: Floats, errors: Floats, factors: Floats | None) -> Floats:
    """Derivatives by what enters each unit, from the last symbol to the first: the shape of `said`."""
    told = errors[..., np.newaxis] * weights.readout[:, np.newaxis, np.newaxis]
    slopes = 1 - said**2
    drives, back = np.empty_like(said), np.zeros_like(said[:, 0])
    transposed = np.swapaxes(weights.recurrent, 1, 2)
    for time in reversed(range(said.shape[1])):
        back += told[:, time]
        drive = np.multiply(back, slopes[:, time], out=drives[:, time])
        np.matmul(drive, transposed, out=back)
        if factors is not None:
            back += drive * factors[:, time]
    return drives


def _shorten(gradient: Floats, longest: float) -> None:
    """Scale the rows that are longer than `longest` down to it, in place."""
    lengths = np.sqrt(np.einsum("sn,sn->s", gradient, gradient))
    gradient *= np.minimum(1, longest / (lengths + 1e-15))[:, np.newaxis]


def _rate(how: Recipe, step: int) -> float:
    return how.rate * (0.05 + 0.95 * (1 + np.cos(np.pi * step / how.steps)) / 2)


class _Adam:
    """Kingma and Ba (2015), arXiv 1412.6980, Algorithm 1."""

    def __init__(self, weights: Floats) -> None:
        self.first, self.second = np.zeros_like(weights), np.zeros_like(weights)
        self.steps = 0

    def step(self, weights: Floats, gradient: Floats, rate: float) -> None:
        """Change the weights in place."""
        self.steps += 1
        self.first += 0.1 * (gradient - self.first)
        self.second += 0.001 * (gradient**2 - self.second)
        mean = self.first / (1 - 0.9**self.steps)
        square = self.second / (1 - 0.999**self.steps)
        weights -= rate * mean / (np.sqrt(square) + 1e-8)


def _network(automaton: DFA, weights: _Weights, index: int) -> ElmanNetwork:
    parts = weights.inputs, weights.recurrent, weights.bias, weights.readout
    inputs, recurrent, bias, readout = (part[index].astype(np.float64) for part in parts)
    return ElmanNetwork(automaton.alphabet, inputs, recurrent, bias, readout, float(weights.offset[index, 0]))
