"""From what a network does to a machine: name its hidden states, count the transitions between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import DFA, States, Symbol

Hidden = npt.NDArray[np.floating[Any]]


def by_sign(hidden: npt.ArrayLike, *, silent: float = 0.0) -> States:
    """
    Name hidden states by the signs of their units.

    Parameters
    ----------
    hidden : array, shape (..., units)
        Activations.
    silent
        A unit that nowhere exceeds this in size is left out.

    Returns
    -------
    array of ints, shape (...)
        The same number for the same signs, from 0.
    """
    return _named(np.asarray(hidden) > 0, hidden, silent)


def by_rounding(hidden: npt.ArrayLike, *, silent: float = 0.0) -> States:
    """
    Name hidden states by their units rounded to -1, 0 and 1.

    Parameters
    ----------
    hidden : array, shape (..., units)
        Activations of tanh units.
    silent
        A unit that nowhere exceeds this in size is left out.

    Returns
    -------
    array of ints, shape (...)
    """
    return _named(np.rint(np.asarray(hidden, float)).astype(np.int8), hidden, silent)


def by_clusters(hidden: npt.ArrayLike, clusters: int, *, seed: int) -> States:
    """
    Name hidden states by k-means.

    Parameters
    ----------
    hidden : array, shape (..., units)
        Activations.
    clusters
        How many; more than there are different states give those.
    seed
        The same clusters again for the same seed.

    Returns
    -------
    array of ints, shape (...)

    Raises
    ------
    ValueError
        If the number of clusters is not a whole number of 1 or more.
    """
    from sklearn.cluster import KMeans

    if clusters != int(clusters) or clusters < 1:
        raise ValueError(f"clusters must be 1 or more, got {clusters}")
    values = np.asarray(hidden, float)
    points = values.reshape(-1, values.shape[-1])
    different = np.unique(points, axis=0)
    if len(different) <= clusters:
        return _named(values, values, 0.0)
    # What is to be named are the states, not how often each was visited.
    model = KMeans(int(clusters), n_init="auto", random_state=seed).fit(different)
    return np.unique(model.predict(points), return_inverse=True)[1].reshape(values.shape[:-1])


def _named(codes: npt.NDArray[Any], hidden: npt.ArrayLike, silent: float) -> States:
    values = np.asarray(hidden)
    if values.ndim < 2 or not values.size:
        raise ValueError(f"hidden states have the shape (..., units) and at least one of them, got {values.shape}")
    if not np.all(np.isfinite(values)):
        raise ValueError("some activations are NaN or infinite: has the training diverged?")
    speaks = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0) > silent
    rows = codes.reshape(-1, values.shape[-1])[:, speaks]
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(values.shape[:-1]).astype(np.int64)


@dataclass(frozen=True)
class Observation:
    """
    How often each state led where, and what was said there.

    Attributes
    ----------
    alphabet : tuple
        The symbols.
    moves : array of ints, shape (states, symbols, states)
        How often a state moved to another by a symbol.
    said : array of ints, shape (states, 2)
        How often the network rejected and accepted in each state.
    start : int
        The state before the first symbol.
    """

    alphabet: tuple[Symbol, ...]
    moves: npt.NDArray[np.int64]
    said: npt.NDArray[np.int64]
    start: int

    @property
    def determinism(self) -> float:
        """Share of the observed moves that follow the most frequent one of their state and symbol: 1 for a machine."""
        total = int(self.moves.sum())
        return float(self.moves.max(axis=2).sum() / total) if total else 1.0

    @property
    def agreement(self) -> float:
        """Share of the visits in which a state said what it says most often."""
        total = int(self.said.sum())
        return float(self.said.max(axis=1).sum() / total) if total else 1.0

    @property
    def unseen(self) -> npt.NDArray[np.int64]:
        """States and symbols that were never met together, among the states that can be reached: (pairs, 2)."""
        return np.argwhere(self._reached[:, np.newaxis] & ~self.moves.any(axis=2))

    @property
    def _reached(self) -> npt.NDArray[np.bool_]:
        reached = np.zeros(len(self.said), bool)
        fresh = [self.start]
        while fresh:
            reached[fresh] = True
            following = self.moves[fresh].argmax(axis=2)[self.moves[fresh].any(axis=2)]
            fresh = sorted({int(state) for state in following if not reached[state]})
        return reached

    def automaton(self, *, missing: Literal["refuse", "trap", "stay"] = "refuse") -> DFA:
        """
        Return the automaton of the majority: each state goes where it went and says what it said most often.

        Parameters
        ----------
        missing
            What to do about a state and symbol that were never met together: refuse, go to a rejecting trap, or stay.

        Raises
        ------
        ValueError
            If something is missing and is to be refused, or nothing was ever said in the start state.
        """
        gaps = self.unseen
        if len(gaps) and missing == "refuse":
            state, symbol = gaps[0].tolist()
            raise ValueError(
                f"state {state} never read {self.alphabet[symbol]!r} ({len(gaps)} pairs were never met): observe more "
                "or longer words, or say missing='trap' or missing='stay'"
            )
        count = len(self.said)
        table = self.moves.argmax(axis=2)
        never = ~self.moves.any(axis=2)
        table[never] = count if missing == "trap" else np.nonzero(never)[0]
        accepting = self.said[:, 1] > self.said[:, 0]
        if missing == "trap":
            table = np.vstack([table, np.full(len(self.alphabet), count)])
            accepting = np.append(accepting, False)
        return DFA(self.alphabet, table, accepting, self.start).canonical()


def observe(
    states: npt.ArrayLike, words: npt.ArrayLike, accepted: npt.ArrayLike, alphabet: tuple[Symbol, ...]
) -> Observation:
    """
    Count what was seen.

    Parameters
    ----------
    states : array of ints, shape (count, length + 1)
        Named states before the first symbol and after each.
    words : array of ints, shape (count, length)
        Numbers of the symbols that were read.
    accepted : array of bools, shape (count, length + 1)
        What was said in each state.
    alphabet : tuple
        The symbols.

    Returns
    -------
    Observation

    Raises
    ------
    ValueError
        If the shapes do not agree, the alphabet is empty, nothing was seen, or words begin in different states.
    """
    visited, read, said = np.asarray(states, np.int64), np.asarray(words, np.int64), np.asarray(accepted, bool)
    _check_observed(visited, read, said, alphabet)
    count = int(visited.max()) + 1
    moves = np.zeros((count, len(alphabet), count), np.int64)
    np.add.at(moves, (visited[:, :-1], read, visited[:, 1:]), 1)
    counts = np.zeros((count, 2), np.int64)
    np.add.at(counts, (visited, said.astype(np.int64)), 1)
    return Observation(tuple(alphabet), moves, counts, int(visited[0, 0]))


def _check_observed(states: States, words: States, said: npt.NDArray[np.bool_], alphabet: tuple[Symbol, ...]) -> None:
    if not alphabet:
        raise ValueError("the alphabet is empty: a machine reads at least one symbol")
    if (
        states.ndim != 2
        or not states.size
        or words.shape != (len(states), states.shape[1] - 1)
        or said.shape != states.shape
    ):
        raise ValueError(
            "states (count, length + 1), words (count, length) and what was said (count, length + 1) must agree, got "
            f"{states.shape}, {words.shape} and {said.shape}"
        )
    if words.size and (words.min() < 0 or words.max() >= len(alphabet)):
        raise ValueError(f"words hold numbers of symbols from 0 to {len(alphabet) - 1}")
    if np.any(states[:, 0] != states[0, 0]):
        raise ValueError("words begin in different states: a machine has one state to start in")
