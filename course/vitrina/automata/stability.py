"""How stable a network's states are: saturated, found again, restored after a kick, right under noise and for ever.

What is measured, and how, follows Oliva and Lago-Fernandez, "Stability of internal states in recurrent neural networks
trained on regular languages" (2021, arXiv 2006.10828).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.automata.elman import saturation
from vitrina.automata.machines import DFA, States, as_words
from vitrina.automata.networks import Floats, NoiseKind, RecurrentNetwork
from vitrina.automata.samples import staying_words, training_words

#: A unit whose activation varies by less than this (standard deviation) is not active.
ACTIVE = 0.1
#: States whose units differ by less than this are the same.
NEAR = 0.1


@dataclass(frozen=True)
class Return:
    """
    How fast a network comes back from random states to states it was seen in.

    Attributes
    ----------
    share : float
        Of the random states from which it came back.
    median, longest : float
        Steps that this took, over those that did; NaN if none did.
    """

    share: float
    median: float
    longest: float


@dataclass(frozen=True)
class Stability:
    """
    How stable a network's states are.

    Attributes
    ----------
    units, active : int
        Hidden units, and how many of them vary (`active_units`).
    saturation : float
        Share of the activations beyond 0.9 in size. Units that stand still there count, silent ones do not.
    returns : Return
        From random states.
    kicks : dict
        By the size of a kick: share of words after which the network is where it would have been (`recovery`).
    noise : dict
        By kind and strength of the noise at test time: accuracy on words of 50 symbols.
    lengths : dict
        By length: accuracy on words that stay near the language.
    """

    units: int
    active: int
    saturation: float
    returns: Return
    kicks: Mapping[float, float]
    noise: Mapping[tuple[NoiseKind, float], float]
    lengths: Mapping[int, float]

    def __str__(self) -> str:
        """Write a small table."""
        back = self.returns
        lines = [
            ("active units", f"{self.active} of {self.units}"),
            ("saturated", f"{self.saturation:.2f}"),
            ("back from random states", f"{back.share:.1%}, median {back.median:g} steps, at most {back.longest:g}"),
            *((f"after a kick of {size:g}", f"{share:.1%} where they would be") for size, share in self.kicks.items()),
            *((f"{kind} noise {level:g}", f"accuracy {right:.4f}") for (kind, level), right in self.noise.items()),
            *((f"{length:,} symbols", f"accuracy {right:.5f}") for length, right in self.lengths.items()),
        ]
        return "\n".join(f"{name:26}{value}" for name, value in lines)


def stability_report(
    network: RecurrentNetwork,
    automaton: DFA,
    *,
    seed: int,
    kicks: Sequence[float] = (0.1, 0.3, 0.5, 1.0),
    noise: Sequence[tuple[NoiseKind, float]] = (("additive", 0.5), ("multiplicative", 0.6)),
    lengths: Sequence[int] = (1_000, 10_000),
) -> Stability:
    """
    Measure how stable a network's states are.

    Parameters
    ----------
    network
        Trained.
    automaton
        The true one, for words and labels.
    seed
        The same report again for the same seed.
    kicks, noise, lengths
        What to try.

    Returns
    -------
    Stability

    Raises
    ------
    ValueError
        If a kick or noise is negative, or a length is below 1.

    Notes
    -----
    Tomita 5 and 6 and parity have *permutation* automata: every symbol moves different states to different states, so
    what is once in a wrong state never forgets it. Noise and kicks do no harm there only as long as the disturbed state
    is pulled back to its own corner at once. In Tomita 1 to 4 and 7 the next symbols correct many mistakes by
    themselves, or a trap hides them.
    """
    words = training_words(automaton, 200, 50, seed=seed)
    hidden = network.states(words)
    return Stability(
        units=hidden.shape[-1],
        active=active_units(hidden[:, 1:]),
        saturation=saturation(hidden[:, 1:]),
        returns=returns(network, words, seed=seed),
        kicks={float(size): recovery(network, words, size, seed=seed) for size in kicks},
        noise={
            (kind, float(level)): network.accuracy(automaton, words, noise=level, kind=kind, seed=seed)
            for kind, level in noise
        },
        lengths=long_accuracy(network, automaton, lengths, seed=seed),
    )


def active_units(hidden: npt.ArrayLike) -> int:
    """
    Count the units whose activation varies.

    Parameters
    ----------
    hidden : array, shape (..., units)
        Activations.

    Returns
    -------
    int
        Units with a standard deviation above 0.1. One that stands still is not among them, near -1 or 1 neither, though
        it counts in `vitrina.automata.elman.saturation`. (Oliva and Lago-Fernandez count such constant units, so that
        their numbers of active units can be larger.)
    """
    values = np.asarray(hidden)
    return int(np.sum(values.reshape(-1, values.shape[-1]).std(axis=0) > ACTIVE))


def returns(
    network: RecurrentNetwork, words: npt.ArrayLike, *, trials: int = 500, steps: int = 30, seed: int
) -> Return:
    """
    Put a network into random states and count the steps until it is in a state that it was seen in before.

    Parameters
    ----------
    network
        Trained.
    words : array of ints, shape (count, length)
        Where its states are seen. From random states it reads random symbols.
    trials
        Random states, uniform in the cube from -1 to 1.
    steps
        To wait at most.
    seed
        Draws states and symbols.

    Returns
    -------
    Return
        A state counts as seen where units rounded to -1, 0 and 1 (silent ones left out) are those of a seen one.

    Raises
    ------
    ValueError
        If the network's states are not finite.
    """
    generator = np.random.default_rng(seed)
    seen = network.states(words)[:, 1:]
    if not np.all(np.isfinite(seen)):
        raise ValueError("some activations are NaN or infinite: has the training diverged?")
    speaks = np.abs(seen).max(axis=(0, 1)) > NEAR
    known = {code.tobytes() for code in np.unique(_rounded(seen, speaks), axis=0)}
    hidden = generator.uniform(-1, 1, size=(trials, seen.shape[-1]))
    took = np.full(trials, np.inf)
    for step in range(steps + 1):
        back = np.array([code.tobytes() in known for code in _rounded(hidden, speaks)])
        took[back & np.isinf(took)] = step
        hidden = network.step(hidden, generator.integers(len(network.alphabet), size=trials))
    found = took[np.isfinite(took)]
    if not len(found):
        return Return(0.0, float("nan"), float("nan"))
    return Return(len(found) / trials, float(np.median(found)), float(found.max()))


def _rounded(hidden: Floats, speaks: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
    return np.ascontiguousarray(np.rint(hidden.reshape(-1, len(speaks))[:, speaks]).astype(np.int8))


def recovery(
    network: RecurrentNetwork, words: npt.ArrayLike, size: float, *, after: int = 20, then: int = 20, seed: int
) -> float:
    """
    Kick a network's state by N(0, size) in each unit, and say how often it comes back to where it would have been.

    Parameters
    ----------
    network
        Trained.
    words : array of ints, shape (count, length)
        What it reads; at least after + then symbols.
    size
        Standard deviation of the kick; 0 changes nothing.
    after, then
        Symbols before the kick, and from the kick until states are compared.
    seed
        Draws the kicks.

    Returns
    -------
    float
        Share of the words at whose end no unit is further than 0.1 from where it would have been. A network that
        forgets whatever it has read is always back: look at its accuracy too.

    Raises
    ------
    ValueError
        If the size is negative or the words are too short.
    """
    read = as_words(words, network.alphabet)
    if size < 0:
        raise ValueError(f"a kick's size must not be negative, got {size}")
    if after < 1 or then < 0 or read.shape[1] < after + then:
        raise ValueError(f"words need {after} symbols before the kick and {then} after it, they have {read.shape[1]}")
    undisturbed = network.states(read[:, : after + then])
    kicked = undisturbed[:, after] + size * np.random.default_rng(seed).standard_normal(undisturbed[:, after].shape)
    for time in range(after, after + then):
        kicked = network.step(kicked, read[:, time])
    return float(np.mean(np.abs(kicked - undisturbed[:, -1]).max(axis=1) < NEAR))


def long_accuracy(
    network: RecurrentNetwork, automaton: DFA, lengths: Sequence[int] = (1_000, 10_000), *, count: int = 20, seed: int
) -> dict[int, float]:
    """
    Measure accuracy on long words that stay where the language can still be reached.

    Parameters
    ----------
    network
        Trained, on words of perhaps a dozen symbols.
    automaton
        The true one.
    lengths
        The longest word is read once, shorter ones are its beginnings.
    count
        How many words.
    seed
        Draws them.

    Returns
    -------
    dict
        By length: the share of the prefixes up to it on which network and automaton agree.

    Raises
    ------
    ValueError
        If there is no length, or one is below 1.
    """
    if not lengths or min(lengths) < 1:
        raise ValueError(f"lengths must be 1 or more, got {tuple(lengths)}")
    words = staying_words(automaton, count, max(lengths), seed=seed)
    right = _said(network, words) == automaton.outputs[automaton.run(words)[:, 1:]]
    return {int(length): float(right[:, :length].mean()) for length in lengths}


def _said(network: RecurrentNetwork, words: States) -> npt.NDArray[np.bool_]:
    """What a network says after each symbol, without keeping all its states."""
    hidden = network.states(words[:, :0])[:, 0]
    said = np.empty(words.shape, bool)
    for time in range(words.shape[1]):
        hidden = network.step(hidden, words[:, time])
        said[:, time] = network.logits(hidden) > 0
    return said
