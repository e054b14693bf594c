"""From what a network does to a machine: count the transitions between its named states, and what is said in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import DFA, States, Symbol, as_words


@dataclass(frozen=True)
class Tally:
    """
    How often each state led where, and what was said there: what acceptors and transducers have in common.

    Attributes
    ----------
    alphabet : tuple
        The symbols.
    moves : array of ints, shape (states, symbols, states)
        How often a state moved to another by a symbol.
    said : array of ints, shape (states, outputs) or (states, symbols, outputs)
        How often each output was said in a state, or when it read a symbol.
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
        return float(self.said.max(axis=-1).sum() / total) if total else 1.0

    #: What can be done about states and symbols that were never met together.
    gaps: ClassVar[tuple[str, ...]] = ("refuse", "stay")

    def _table(self, missing: str) -> States:
        """Where each state went most often; where it never went anywhere, it stays."""
        if missing not in self.gaps:
            raise ValueError(f"missing is {' or '.join(map(repr, self.gaps))}, got {missing!r}")
        if missing == "refuse":
            self.refuse_gaps()
        return np.where(self._never, np.arange(len(self.moves))[:, np.newaxis], self.moves.argmax(axis=2))

    @property
    def _never(self) -> npt.NDArray[np.bool_]:
        """Which states and symbols were never met together: (states, symbols)."""
        return np.logical_not(self.moves.any(axis=2))

    @property
    def unseen(self) -> npt.NDArray[np.int64]:
        """States and symbols that were never met together, among the states that can be reached: (pairs, 2)."""
        return np.argwhere(self._reached[:, np.newaxis] & self._never)

    @property
    def _reached(self) -> npt.NDArray[np.bool_]:
        reached = np.zeros(len(self.said), bool)
        fresh = [self.start]
        while fresh:
            reached[fresh] = True
            following = self.moves[fresh].argmax(axis=2)[self.moves[fresh].any(axis=2)]
            fresh = sorted({int(state) for state in following if not reached[state]})
        return reached

    def refuse_gaps(self) -> None:
        """
        Refuse what is not a whole machine.

        Raises
        ------
        ValueError
            If a state that can be reached and a symbol were never met together.
        """
        gaps = self.unseen
        if len(gaps):
            state, symbol = gaps[0].tolist()
            raise ValueError(
                f"state {state} never read {self.alphabet[symbol]!r} ({len(gaps)} pairs were never met): observe more "
                "or longer words, or say missing='stay'"
            )


class Observation(Tally):
    """
    What was seen of a network that accepts or rejects: `said`, (states, 2), counts rejections and acceptances.

    `alphabet`, `moves` and `start` are as in `Tally`.
    """

    gaps = ("refuse", "trap", "stay")

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
        return self._majority(missing).canonical()

    def origins(self, *, missing: Literal["refuse", "trap", "stay"] = "refuse") -> States:
        """
        Return which observed state each state of `automaton` was, as that numbers its states anew.

        Parameters
        ----------
        missing
            As in `automaton`; a trap that was added has the number after the last state.

        Returns
        -------
        array of ints, shape (states of the automaton,)
        """
        return self._majority(missing).reachable()

    def _majority(self, missing: Literal["refuse", "trap", "stay"]) -> DFA:
        table, accepting = self._table(missing), self.said[:, 1] > self.said[:, 0]
        if missing == "trap":
            trap = len(self.said)
            table = np.vstack([np.where(self._never, trap, table), np.full(len(self.alphabet), trap)])
            accepting = np.append(accepting, False)
        return DFA(self.alphabet, table, accepting, self.start)


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
    visited, said = np.asarray(states, np.int64), np.asarray(accepted, bool)
    read = check_visits(visited, words, alphabet)
    if said.shape != visited.shape:
        raise ValueError(f"what was said must have the shape of the states, {visited.shape}, got {said.shape}")
    moves = count_moves(visited, read, len(alphabet))
    counts = np.zeros((len(moves), 2), np.int64)
    np.add.at(counts, (visited, said.astype(np.int64)), 1)
    return Observation(tuple(alphabet), moves, counts, int(visited[0, 0]))


def count_moves(states: States, words: States, symbols: int) -> npt.NDArray[np.int64]:
    """Count how often each state, named before the first symbol and after each, moved to which: as `Tally.moves`."""
    count = int(states.max()) + 1
    moves = np.zeros((count, symbols, count), np.int64)
    np.add.at(moves, (states[:, :-1], words, states[:, 1:]), 1)
    return moves


def named_with_start(hidden: npt.NDArray[np.float64], name_states: Callable[..., States]) -> States:
    """Name hidden states (count, length + 1, units); the first, before any symbol, is a state of its own, 0."""
    named = np.zeros(hidden.shape[:2], np.int64)
    named[:, 1:] = 1 + name_states(hidden[:, 1:])
    return named


def check_visits(states: States, words: npt.ArrayLike, alphabet: tuple[Symbol, ...]) -> States:
    """Return the words that led through named states, if they do and all begin in one state."""
    if not alphabet:
        raise ValueError("the alphabet is empty: a machine reads at least one symbol")
    read = as_words(words, alphabet)
    if states.ndim != 2 or not states.size or read.shape != (len(states), states.shape[1] - 1):
        raise ValueError(
            f"states (count, length + 1) and words (count, length) must agree, got {states.shape} and {read.shape}"
        )
    if states.min() < 0:
        raise ValueError(f"states are named by numbers from 0, got {states.min()}")
    if np.any(states[:, 0] != states[0, 0]):
        raise ValueError("words begin in different states: a machine has one state to start in")
    return read
