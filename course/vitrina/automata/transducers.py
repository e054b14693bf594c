"""From what a network that translates does to a machine: Mealy, which speaks while it moves, or Moore, in its states.

A plain recurrent network speaks out of its state alone and so reads as a Moore machine; a dual one, whose output also
sees the symbol, as a Mealy machine (Oliva and Lago-Fernandez 2020, arXiv 2005.13971).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from vitrina.automata.discretising import by_sign
from vitrina.automata.machines import Machine, MealyMachine, MooreMachine, States, Symbol, as_words
from vitrina.automata.minimisation import minimise
from vitrina.automata.networks import Floats
from vitrina.automata.observing import Tally, check_visits, count_moves, named_with_start

Missing = Literal["refuse", "stay"]
_Kind = TypeVar("_Kind", bound=Machine)
_Tally = TypeVar("_Tally", "MealyTally", "MooreTally")
_MOST_ROUNDS = 10


class TransducerNetwork(Protocol):
    """A network that says something for each symbol: see `DualNetwork` and `ElmanTransducer`."""

    @property
    def alphabet(self) -> tuple[Symbol, ...]:
        """The symbols that it reads."""
        ...

    @property
    def outputs(self) -> tuple[Any, ...]:
        """What it can say."""
        ...

    def states(self, words: npt.ArrayLike) -> Floats:
        """Hidden states before the first symbol and after each: (count, length) to (count, length + 1, units)."""
        ...

    def says(self, words: npt.ArrayLike) -> States:
        """Numbers of the outputs for each symbol: (count, length) to (count, length)."""
        ...


@dataclass(frozen=True)
class _TransducerTally(Tally):
    """What was seen of a network that translates."""

    outputs: tuple[Any, ...]


class MealyTally(_TransducerTally):
    """
    How often each state led where, and what it said to which symbol: `said` is (states, symbols, outputs).

    `alphabet`, `moves` and `start` are as in `Tally`; `outputs` are what can be said.
    """

    def machine(self, *, missing: Missing = "refuse") -> MealyMachine:
        """
        Return the machine of the majority: each state goes where it went and says what it said most often.

        Parameters
        ----------
        missing
            What to do about a state and symbol that were never met together: refuse, or stay and say what most states
            say to this symbol.

        Raises
        ------
        ValueError
            If something is missing and is to be refused.
        """
        table = self._table(missing)
        said = np.where(self.said.any(axis=2, keepdims=True), self.said, self.said.sum(axis=0))
        return MealyMachine(self.alphabet, table, _spoken(self.outputs, said), self.start).canonical()


class MooreTally(_TransducerTally):
    """
    How often each state led where, and what was said in it: `said` is (states, outputs).

    `alphabet`, `moves` and `start` are as in `Tally`; `outputs` are what can be said.
    """

    def machine(self, *, missing: Missing = "refuse") -> MooreMachine:
        """
        Return the machine of the majority, as `MealyTally.machine` does.

        Parameters
        ----------
        missing
            What to do about a state and symbol that were never met together: refuse, or stay.

        Raises
        ------
        ValueError
            If something is missing and is to be refused.
        """
        table = self._table(missing)
        return MooreMachine(self.alphabet, table, _spoken(self.outputs, self.said), self.start).canonical()


def _spoken(outputs: tuple[Any, ...], counts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    return np.array(outputs)[counts.argmax(axis=-1)]


def observe_mealy(
    states: npt.ArrayLike,
    words: npt.ArrayLike,
    said: npt.ArrayLike,
    alphabet: tuple[Symbol, ...],
    outputs: tuple[Any, ...],
) -> MealyTally:
    """
    Count what was said when a state read a symbol.

    Parameters
    ----------
    states : array of ints, shape (count, length + 1)
        Named states before the first symbol and after each.
    words : array of ints, shape (count, length)
        Numbers of the symbols that were read.
    said : array of ints, shape (count, length)
        Numbers of the outputs.
    alphabet, outputs : tuple
        What can be read and said.

    Returns
    -------
    MealyTally

    Raises
    ------
    ValueError
        If the shapes do not agree, numbers are out of range, nothing was seen, or words begin in different states.
    """
    visited, spoken = np.asarray(states, np.int64), np.asarray(said, np.int64)
    read = check_visits(visited, words, alphabet)
    _check_said(read, spoken, outputs)
    counts = np.zeros((int(visited.max()) + 1, len(alphabet), len(outputs)), np.int64)
    np.add.at(counts, (visited[:, :-1], read, spoken), 1)
    moves = count_moves(visited, read, len(alphabet))
    return MealyTally(tuple(alphabet), moves, counts, int(visited[0, 0]), tuple(outputs))


def observe_moore(
    states: npt.ArrayLike,
    words: npt.ArrayLike,
    said: npt.ArrayLike,
    alphabet: tuple[Symbol, ...],
    outputs: tuple[Any, ...],
    *,
    first: Any,
) -> MooreTally:
    """
    Count what was said in each state.

    Parameters
    ----------
    states, words, said, alphabet, outputs
        As in `observe_mealy`; what was said for a symbol counts for the state that it led to.
    first
        One of the outputs, for the state before the first symbol, where nothing is said.

    Returns
    -------
    MooreTally

    Raises
    ------
    ValueError
        As `observe_mealy`, and if `first` is none of the outputs.
    """
    visited, spoken = np.asarray(states, np.int64), np.asarray(said, np.int64)
    read = check_visits(visited, words, alphabet)
    _check_said(read, spoken, outputs)
    if first not in outputs:
        raise ValueError(f"{first!r} is none of the outputs {', '.join(map(repr, outputs))}")
    counts = np.zeros((int(visited.max()) + 1, len(outputs)), np.int64)
    counts[visited[0, 0], outputs.index(first)] += len(visited)
    np.add.at(counts, (visited[:, 1:], spoken), 1)
    moves = count_moves(visited, read, len(alphabet))
    return MooreTally(tuple(alphabet), moves, counts, int(visited[0, 0]), tuple(outputs))


def _check_said(words: States, said: States, outputs: tuple[Any, ...]) -> None:
    if not outputs:
        raise ValueError("the outputs are empty: a transducer says at least one symbol")
    if said.shape != words.shape or not said.size:
        raise ValueError(
            f"what was said must have the shape of the words, {words.shape}, and not be empty, got {said.shape}"
        )
    if said.min() < 0 or said.max() >= len(outputs):
        raise ValueError(f"what was said must be numbers from 0 to {len(outputs) - 1}")


@dataclass(frozen=True, eq=False)
class ReadTransducer(Generic[_Kind]):
    """
    A machine that was read from a network.

    Attributes
    ----------
    observation : MealyTally or MooreTally
        Which of the named states led where, and what was said.
    machine : MealyMachine or MooreMachine
        The majority's, minimised.
    states : int
        How many different states the network was seen in, the start among them.
    """

    observation: MealyTally | MooreTally
    machine: _Kind
    states: int


def read_mealy(
    network: TransducerNetwork,
    words: npt.ArrayLike,
    *,
    name_states: Callable[[Floats], States] = by_sign,
    missing: Missing = "stay",
) -> ReadTransducer[MealyMachine]:
    """
    Read a Mealy machine from a network: name its hidden states, count what it says to which symbol, minimise.

    Parameters
    ----------
    network
        Trained.
    words : array of ints, shape (count, length)
        What it reads while it is watched; each state should meet each symbol often.
    name_states : callable
        Names hidden states (..., units) by whole numbers from 0: `by_sign`, `by_rounding` or a `by_clusters`.
    missing : {"stay", "refuse"}
        What to do about a state and symbol that were never met together (`MealyTally.machine`).

    Returns
    -------
    ReadTransducer

    Raises
    ------
    ValueError
        If the network's states are not finite, or a pair is missing and is to be refused.
    """

    def observed(states: States, read: States, said: States) -> MealyTally:
        return observe_mealy(states, read, said, network.alphabet, network.outputs)

    watched = _watch(network, words, name_states, observed)
    return ReadTransducer(watched, minimise(watched.machine(missing=missing)), len(watched.moves))


def read_moore(
    network: TransducerNetwork,
    words: npt.ArrayLike,
    *,
    first: Any,
    name_states: Callable[[Floats], States] = by_sign,
    missing: Missing = "stay",
) -> ReadTransducer[MooreMachine]:
    """
    Read a Moore machine from a network: as `read_mealy`, but what is said must follow from the state alone.

    Where it does not, as in a dual network, `observation.agreement` is well below 1.

    Parameters
    ----------
    network, words, name_states, missing
        As in `read_mealy`.
    first
        What to put down for the state before the first symbol, where the network says nothing.

    Returns
    -------
    ReadTransducer

    Raises
    ------
    ValueError
        As `read_mealy`, and if `first` is none of the network's outputs.
    """

    def observed(states: States, read: States, said: States) -> MooreTally:
        return observe_moore(states, read, said, network.alphabet, network.outputs, first=first)

    watched = _watch(network, words, name_states, observed)
    return ReadTransducer(watched, minimise(watched.machine(missing=missing)), len(watched.moves))


def _watch(
    network: TransducerNetwork,
    words: npt.ArrayLike,
    name_states: Callable[[Floats], States],
    observed: Callable[[States, States, States], _Tally],
) -> _Tally:
    """Watch a network read words; where a state never met a symbol, show it, until no gap is left."""
    read = as_words(words, network.alphabet)
    rounds = 0
    while True:
        named = named_with_start(network.states(read), name_states)
        seen = observed(named, read, network.says(read))
        rounds += 1
        if rounds > _MOST_ROUNDS or not len(seen.unseen):
            return seen
        read = _with_asked(read, named, seen.unseen)


def _with_asked(words: States, named: States, unseen: States) -> States:
    """Add a word for each state and symbol that never met: one that leads to the state, and there the symbol."""
    found, first = np.unique(named.T, return_index=True)  # the earliest visit of each state
    times, rows = np.divmod(first, len(words))
    longer = np.column_stack([words, np.zeros(len(words), np.int64)])  # some states are visited last of all
    places = np.searchsorted(found, unseen[:, 0])
    asked = longer[rows[places]]
    asked[np.arange(len(asked)), times[places]] = unseen[:, 1]
    return np.concatenate([longer, asked])
