"""What becomes of an error: a pushed network is in the right state or in a wrong one, and the automaton says the rest.

A wrong state is forgotten when a symbol leads it and the right one to the same state. In a *permutation automaton*,
where each symbol leads different states to different states, that never happens (McNaughton and Papert 1971).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import DFA, Machine, as_words
from vitrina.automata.networks import Floats, RecurrentNetwork

#: Symbols that a pushed network gets before it must have settled.
SETTLE = 2
_MOST_SEEN = 3000  # states in which it was seen, among which the nearest is looked for


def is_permutation(machine: Machine) -> bool:
    """Whether each symbol leads different states to different states, so that no error is ever forgotten."""
    return all(len(np.unique(column)) == len(machine) for column in machine.transitions.T)


def forgotten(machine: Machine, length: int) -> npt.NDArray[np.float64]:
    """
    Return the share of errors that random words make good.

    Parameters
    ----------
    machine
        Of two or more states.
    length
        Of the longest words.

    Returns
    -------
    array, shape (length + 1,)
        For words of length 0, 1, ...: the share of the pairs of a right and a wrong state that have become one state,
        all pairs and all words being as likely; exact.

    Raises
    ------
    ValueError
        If there is one state only, or the length is below 0.
    """
    count, symbols = machine.transitions.shape
    if count < 2 or length < 0:
        raise ValueError(f"errors need two states and a length of 0 or more, got {count} and {length}")
    shares = (1.0 - np.eye(count)) / (count * (count - 1))
    gone = [0.0]
    for _ in range(length):
        moved = np.zeros_like(shares)
        for column in machine.transitions.T:
            np.add.at(moved, (column[:, np.newaxis], column[np.newaxis]), shares / symbols)
        shares = moved
        gone.append(float(np.trace(shares)))
    return np.array(gone)


@dataclass(frozen=True, eq=False)
class Push:
    """
    What a push did.

    Attributes
    ----------
    measured : array, shape (symbols + 1,)
        Share of the words on which the network says what it would have said, right after the push and later.
    predicted : array, shape (symbols + 1,)
        The same by the automaton, begun in the state that the network had settled in; NaN before.
    wrong : float
        Share of the words on which it had settled in a wrong state.
    """

    measured: npt.NDArray[np.float64]
    predicted: npt.NDArray[np.float64]
    wrong: float


def push(
    network: RecurrentNetwork, automaton: DFA, words: npt.ArrayLike, size: float, *, after: int = 20, seed: int
) -> Push:
    """
    Push a network's units by N(0, size), let it settle, and compare what follows with what its automaton predicts.

    Parameters
    ----------
    network
        Trained.
    automaton
        Its own.
    words : array of ints, shape (count, length)
        What it reads; pushed is its state after `after` symbols.
    size
        Standard deviation of the push.
    after
        Symbols before the push; at least 2 must follow it.
    seed
        Draws the pushes.

    Returns
    -------
    Push
        The state after two more symbols is that of the nearest hidden state seen without a push.

    Raises
    ------
    ValueError
        If the size is negative, or words are too short.
    """
    read = as_words(words, network.alphabet)
    if not size >= 0:
        raise ValueError(f"the size of a push must not be negative, got {size}")
    if after < 1 or read.shape[1] < after + SETTLE:
        raise ValueError(f"words need {after + SETTLE} symbols, {SETTLE} of them after the push, got {read.shape[1]}")
    hidden, right = network.states(read), automaton.run(read)
    pushed = [hidden[:, after] + size * np.random.default_rng(seed).standard_normal(hidden[:, after].shape)]
    for symbols in read[:, after:].T:
        pushed.append(network.step(pushed[-1], symbols))
    course = np.stack(pushed, axis=1)
    measured = np.mean((network.logits(course) > 0) == (network.logits(hidden[:, after:]) > 0), axis=0)
    settled = _state_of_nearest(course[:, SETTLE], hidden[:, 1:], right[:, 1:])
    states = _run_from(automaton, settled, read[:, after + SETTLE :])
    right = right[:, after + SETTLE :]
    predicted = np.full(len(measured), np.nan)
    predicted[SETTLE:] = np.mean(automaton.outputs[states] == automaton.outputs[right], axis=0)
    return Push(measured, predicted, float(np.mean(states[:, 0] != right[:, 0])))


def _state_of_nearest(points: Floats, hidden: Floats, states: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """State of the automaton in which the network was when it was seen nearest to each point."""
    seen, first = np.unique(hidden.reshape(-1, hidden.shape[-1]).round(2), axis=0, return_index=True)
    some = np.linspace(0, len(seen) - 1, min(len(seen), _MOST_SEEN)).astype(int)
    seen, of_seen = seen[some], states.reshape(-1)[first[some]]
    distances = (seen**2).sum(axis=1) - 2 * points @ seen.T  # up to what is the same for all
    return of_seen[distances.argmin(axis=1)]


def _run_from(automaton: DFA, begin: npt.NDArray[np.int64], words: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Follow words, each from a state of its own: (count, length + 1)."""
    states = [begin]
    for symbols in words.T:
        states.append(automaton.transitions[states[-1], symbols])
    return np.stack(states, axis=1)
