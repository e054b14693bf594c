"""Training Elman networks with back-propagation through time written out, several of them at once.

All arrays have a first axis of restarts: four networks cost little more than one, as each step's arrays are small. The
recipe (short words, a label after each symbol, noise that grows, a high rate of learning) was found by experiment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.automata.elman import ElmanNetwork, Floats, NoiseKind
from vitrina.automata.machines import DFA, States

Parameters = dict[str, Floats]


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


def training_words(automaton: DFA, count: int, length: int, *, seed: int) -> States:
    """
    Draw words that show a network what there is: half of them any words, half staying near the language.

    A drawn word is mostly outside a language with a trap, and tells little after its first mistake. So half of the
    words avoid mistakes, and half of these get one somewhere.

    Parameters
    ----------
    automaton
        Of the language.
    count, length
        How many words, and of how many symbols.
    seed
        The same words again for the same seed.

    Returns
    -------
    array of ints, shape (count, length)
    """
    generator = np.random.default_rng(seed)
    symbols = len(automaton.alphabet)
    shares = generator.dirichlet(np.full(symbols, 1.5), size=count - count // 2)
    anything = (generator.random((len(shares), length, 1)) > shares.cumsum(axis=1)[:, np.newaxis, :-1]).sum(axis=2)
    inside = _walks(automaton, count // 2, length, generator)
    return np.concatenate([anything, inside])


def _walks(automaton: DFA, count: int, length: int, generator: np.random.Generator) -> States:
    """Words that never enter a trap but by one wrong symbol, in half of them."""
    hopeless = _hopeless(automaton)
    states, words = np.full(count, automaton.start), np.empty((count, length), np.int64)
    slips = np.where(np.arange(count) % 2, generator.integers(length, size=count), length)
    for time in range(length):
        free = (slips == time) | hopeless[states]
        good = ~hopeless[automaton.transitions[states]] | free[:, np.newaxis]
        weights = good * generator.random(good.shape)
        words[:, time] = weights.argmax(axis=1)
        states = automaton.transitions[states, words[:, time]]
    return words


def _hopeless(automaton: DFA) -> npt.NDArray[np.bool_]:
    """States from which nothing is accepted any more."""
    hope = automaton.outputs.copy()
    for _ in range(len(automaton)):
        hope |= hope[automaton.transitions].any(axis=1)
    return ~hope


def train(automaton: DFA, recipe: Recipe | None = None, *, restarts: int = 4, seed: int) -> list[ElmanNetwork]:
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

    Returns
    -------
    list of ElmanNetwork

    Raises
    ------
    ValueError
        If there is nothing to train, or the recipe makes no sense.
    """
    how = recipe or Recipe()
    _check_recipe(how, restarts)
    generator = np.random.default_rng(seed)
    seeds = generator.integers(2**31, size=restarts).tolist()
    words = np.stack([training_words(automaton, how.words, how.length, seed=each) for each in seeds])
    labels = automaton.outputs[automaton.run(words)[..., 1:]].astype(float)
    weights = _first_weights(len(automaton.alphabet), how.units, restarts, generator)
    optimiser = _Adam(weights)
    rows = np.arange(restarts)[:, np.newaxis]
    for step in range(how.steps):
        chosen = generator.integers(how.words, size=(restarts, how.batch))
        strength = how.noise * min(1.0, step / max(1.0, how.ramp * how.steps))
        noise = strength * generator.standard_normal((how.length, restarts, how.batch, how.units))
        gradients = _gradients(weights, words[rows, chosen], labels[rows, chosen], noise, how.kind)
        _regularise(weights, gradients, how)
        optimiser.step(weights, gradients, _rate(how, step))
    return [_network(automaton, weights, index) for index in range(restarts)]


def _check_recipe(how: Recipe, restarts: int) -> None:
    counts = {"restarts": restarts, "units": how.units, "length": how.length, "words": how.words, "batch": how.batch}
    small = [name for name, value in counts.items() if value < 1]
    if small or how.steps < 0:
        raise ValueError(f"{small[0] if small else 'steps'} must be at least {1 if small else 0}")
    if how.noise < 0 or how.l1 < 0 or how.rate <= 0 or how.clip <= 0:
        raise ValueError("noise and l1 must not be negative, rate and clip must be above 0")
    if how.kind not in ("additive", "multiplicative"):
        raise ValueError(f"the noise is 'additive' or 'multiplicative', got {how.kind!r}")


def _first_weights(symbols: int, units: int, restarts: int, generator: np.random.Generator) -> Parameters:
    """Draw weights; the recurrent ones are orthogonal, so that at first nothing fades and nothing grows."""
    orthogonal = np.linalg.qr(generator.standard_normal((restarts, units, units)))[0]
    spread = np.sqrt(1 / units)
    return {
        "inputs": generator.standard_normal((restarts, symbols, units)) * np.sqrt(1 / symbols),
        "recurrent": orthogonal,
        "bias": np.zeros((restarts, units)),
        "readout": generator.standard_normal((restarts, units)) * spread,
        "offset": np.zeros(restarts),
    }


def _gradients(weights: Parameters, words: States, labels: Floats, noise: Floats, kind: NoiseKind) -> Parameters:
    """Gradients of the mean cross-entropy, by back-propagation through time (Werbos 1990)."""
    hidden = _forward(weights, words, noise, kind)
    said = hidden[1:]
    logits = np.einsum("tsbh,sh->tsb", said, weights["readout"]) + weights["offset"][:, np.newaxis]
    errors = (1 / (1 + np.exp(-logits)) - np.moveaxis(labels, 2, 0)) / labels[0].size
    drives = _backward(weights, said, errors, noise if kind == "multiplicative" else None)
    return {
        "inputs": _sum_by_symbol(drives, words, weights["inputs"].shape[1]),
        "recurrent": np.einsum("tsbh,tsbk->shk", hidden[:-1], drives, optimize=True),
        "bias": drives.sum(axis=(0, 2)),
        "readout": np.einsum("tsb,tsbh->sh", errors, said, optimize=True),
        "offset": errors.sum(axis=(0, 2)),
    }


def _forward(weights: Parameters, words: States, noise: Floats, kind: NoiseKind) -> Floats:
    """Hidden states before the first symbol and after each: (length + 1, restarts, batch, units)."""
    restarts, batch, length = words.shape
    hidden = np.zeros((length + 1, restarts, batch, weights["bias"].shape[-1]))
    rows = np.arange(restarts)[:, np.newaxis, np.newaxis]
    drives = weights["inputs"][rows, words] + weights["bias"][:, np.newaxis, np.newaxis]
    for time in range(length):
        factor = hidden[time] if kind == "multiplicative" else 1.0
        drive = drives[:, :, time] + hidden[time] @ weights["recurrent"] + noise[time] * factor
        np.tanh(drive, out=hidden[time + 1])
    return hidden


def _backward(weights: Parameters, said: Floats, errors: Floats, factors: Floats | None) -> Floats:
    """Derivatives by what enters each unit, from the last symbol to the first: the shape of `said`."""
    drives, back = np.empty_like(said), np.zeros_like(said[0])
    transposed = np.swapaxes(weights["recurrent"], 1, 2)
    for time in reversed(range(len(said))):
        back = back + errors[time][..., np.newaxis] * weights["readout"][:, np.newaxis]
        drives[time] = back * (1 - said[time] ** 2)
        back = drives[time] @ transposed
        if factors is not None:
            back = back + drives[time] * factors[time]
    return drives


def _sum_by_symbol(drives: Floats, words: States, symbols: int) -> Floats:
    """Add up what reached each symbol's weights."""
    here = np.moveaxis(words, 2, 0)[..., np.newaxis]
    return np.stack([(drives * (here == symbol)).sum(axis=(0, 2)) for symbol in range(symbols)], axis=1)


def _regularise(weights: Parameters, gradients: Parameters, how: Recipe) -> None:
    """Add L1's gradient, and shorten what is too long."""
    for name in ("inputs", "recurrent", "readout"):
        gradients[name] += how.l1 * np.sign(weights[name])
    squares = sum((np.square(g).reshape(len(g), -1).sum(axis=1) for g in gradients.values()), np.zeros(1))
    factors = np.minimum(1, how.clip / np.sqrt(squares + 1e-30))
    for gradient in gradients.values():
        gradient *= factors.reshape(-1, *[1] * (gradient.ndim - 1))


def _rate(how: Recipe, step: int) -> float:
    return how.rate * (0.05 + 0.95 * (1 + np.cos(np.pi * step / how.steps)) / 2)


class _Adam:
    """Kingma and Ba (2015), arXiv 1412.6980, Algorithm 1."""

    def __init__(self, weights: Parameters) -> None:
        self.first = {name: np.zeros_like(value) for name, value in weights.items()}
        self.second = {name: np.zeros_like(value) for name, value in weights.items()}
        self.steps = 0

    def step(self, weights: Parameters, gradients: Parameters, rate: float) -> None:
        """Change the weights in place."""
        self.steps += 1
        for name, gradient in gradients.items():
            self.first[name] += 0.1 * (gradient - self.first[name])
            self.second[name] += 0.001 * (gradient**2 - self.second[name])
            mean = self.first[name] / (1 - 0.9**self.steps)
            square = self.second[name] / (1 - 0.999**self.steps)
            weights[name] -= rate * mean / (np.sqrt(square) + 1e-8)


def _network(automaton: DFA, weights: Parameters, index: int) -> ElmanNetwork:
    one = {name: array[index].copy() for name, array in weights.items()}
    return ElmanNetwork(
        automaton.alphabet, one["inputs"], one["recurrent"], one["bias"], one["readout"], float(one["offset"])
    )


def validated(network: ElmanNetwork, contains: Callable[[States], npt.NDArray[np.bool_]], *, seed: int) -> bool:
    """
    Whether a network makes no mistake on 400 long words, which is all that a trainer may ask.

    Parameters
    ----------
    network
        Trained.
    contains : callable
        Labels of words (count, length) after each symbol: (count, length).
    seed
        Draws the words, three times as long as those of the recipe.
    """
    words = np.random.default_rng(seed).integers(len(network.alphabet), size=(400, 36))
    return bool(np.all(network.accepts(words) == contains(words)))
