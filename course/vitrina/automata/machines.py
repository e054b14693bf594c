"""Finite state machines as tables: Moore machines (acceptors among them) and Mealy machines.

States are the numbers 0, 1, ...; a machine's table of transitions holds the next state for each state and symbol. A
word is a sequence of symbols: a string where each symbol is one character, else a tuple.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Symbol = Hashable
Word = Sequence[Symbol]
Array = npt.NDArray[Any]
States = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Machine:
    """
    What Moore and Mealy machines have in common: an alphabet, a table of transitions and a state to start in.

    Attributes
    ----------
    alphabet : tuple
        The symbols, in the order of the table's columns.
    transitions : array of ints, shape (states, symbols)
        Next state.
    outputs : array, shape (states,) for a Moore machine, (states, symbols) for a Mealy machine
        Numbers, truth values or strings.
    start : int
        State before the first symbol.

    Raises
    ------
    ValueError
        If the alphabet is empty or repeats a symbol, there is no state, a transition leads nowhere or is missing, or
        the shapes do not agree.
    """

    alphabet: tuple[Symbol, ...]
    transitions: States
    outputs: Array
    start: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "alphabet", tuple(self.alphabet))
        object.__setattr__(self, "transitions", _table_of_states(self.transitions))
        object.__setattr__(self, "outputs", np.asarray(self.outputs))
        _check(self)
        wanted = self._shape_of_outputs()
        if self.outputs.shape != wanted:
            raise ValueError(f"outputs must have the shape {wanted}, got {self.outputs.shape}")

    def _shape_of_outputs(self) -> tuple[int, ...]:
        raise NotImplementedError

    def __len__(self) -> int:
        """Count the states."""
        return len(self.transitions)

    def encode(self, word: Word) -> States:
        """
        Return the numbers of a word's symbols.

        Raises
        ------
        ValueError
            If a symbol is not in the alphabet.
        """
        numbers = {symbol: number for number, symbol in enumerate(self.alphabet)}
        strangers = [symbol for symbol in word if symbol not in numbers]
        if strangers:
            raise ValueError(f"{strangers[0]!r} is not in the alphabet {', '.join(map(repr, self.alphabet))}")
        return np.array([numbers[symbol] for symbol in word], np.int64)

    def run(self, words: npt.ArrayLike) -> States:
        """
        Follow many words of one length at once.

        Parameters
        ----------
        words : array of ints, shape (..., length)
            Numbers of symbols, as `encode` gives them.

        Returns
        -------
        array of ints, shape (..., length + 1)
            The states passed through, the start first.

        Raises
        ------
        ValueError
            If words hold something else than numbers of symbols.
        """
        symbols = as_words(words, self.alphabet)
        states = np.full((*symbols.shape[:-1], symbols.shape[-1] + 1), self.start, np.int64)
        for time in range(symbols.shape[-1]):
            states[..., time + 1] = self.transitions[states[..., time], symbols[..., time]]
        return states

    def reachable(self) -> States:
        """Return the states that some word leads to, in the order of their shortest words, then of the alphabet."""
        found = {self.start: None}
        for state in (queue := [self.start]):
            for following in self.transitions[state].tolist():
                if following not in found:
                    found[following] = None
                    queue.append(following)
        return np.array(list(found), np.int64)

    def canonical(self) -> Self:
        """
        Return the machine without unreachable states, numbered in the order of `reachable`.

        Two machines that differ only in the names of their states have equal canonical tables.
        """
        order = self.reachable()
        numbers = np.zeros(len(self), np.int64)
        numbers[order] = np.arange(len(order))
        return type(self)(self.alphabet, numbers[self.transitions[order]], self.outputs[order])


class MooreMachine(Machine):
    """A machine that speaks in its states: one output when it starts and one after each symbol."""

    def _shape_of_outputs(self) -> tuple[int, ...]:
        return (len(self),)

    def transduce(self, word: Word) -> Array:
        """Return the output before the first symbol and after each: (length + 1,)."""
        return self.outputs[self.run(self.encode(word))]

    def mealy(self) -> MealyMachine:
        """Return the Mealy machine that says while it moves what this one says on arrival."""
        return MealyMachine(self.alphabet, self.transitions, self.outputs[self.transitions], self.start)


class DFA(MooreMachine):
    """
    A deterministic finite automaton: a Moore machine which says whether it accepts what it has read.

    Examples
    --------
    >>> even = DFA(("a", "b"), [[1, 0], [0, 1]], [True, False])
    >>> even.accepts("abba"), even.accepts("ab")
    (True, False)
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "outputs", np.asarray(self.outputs).astype(bool))
        super().__post_init__()

    def accepts(self, word: Word) -> bool:
        """Whether a word belongs to the automaton's language."""
        return bool(self.transduce(word)[-1])

    def __invert__(self) -> DFA:
        """Return the automaton of all other words."""
        return DFA(self.alphabet, self.transitions, ~self.outputs, self.start)

    @classmethod
    def from_table(
        cls,
        table: Mapping[Hashable, Mapping[Symbol, Hashable]],
        *,
        accepting: Iterable[Hashable],
        start: Hashable,
        alphabet: Iterable[Symbol] | None = None,
        missing: str = "refuse",
    ) -> DFA:
        """
        Make an automaton from a table with names.

        Parameters
        ----------
        table : mapping
            The next state by state and symbol.
        accepting
            Names of the accepting states.
        start
            Name of the first state.
        alphabet
            The symbols in their order; by itself those of the table, sorted.
        missing : {"refuse", "trap"}
            What to do where a transition is missing: refuse the table, or let it lead to a state of its own which is
            never left and accepts nothing.

        Raises
        ------
        ValueError
            If a state or transition is missing, or the table is empty.
        """
        symbols = tuple(
            alphabet if alphabet is not None else sorted({s for row in table.values() for s in row}, key=str)
        )
        names = list(table)
        accepting = set(accepting)
        unknown = {start, *accepting, *(to for row in table.values() for to in row.values())} - set(names)
        if unknown:
            raise ValueError(f"no row of the table says where these states lead: {sorted(map(str, unknown))}")
        gaps = [(name, symbol) for name in names for symbol in symbols if symbol not in table[name]]
        if gaps and missing != "trap":
            raise ValueError(
                f"state {gaps[0][0]!r} has no transition for {gaps[0][1]!r} ({len(gaps)} missing in all): complete the "
                "table, or let what is missing lead to a trap with missing='trap'"
            )
        numbers = {name: number for number, name in enumerate(names)}
        rows = [[numbers[table[n][s]] if s in table[n] else len(names) for s in symbols] for n in names]
        rows += [[len(names)] * len(symbols)] if gaps else []
        said = [name in accepting for name in names] + [False] * bool(gaps)
        return cls(symbols, np.array(rows), np.array(said), numbers[start])


class MealyMachine(Machine):
    """A machine that speaks while it moves: one output for each symbol, none before the first."""

    def _shape_of_outputs(self) -> tuple[int, ...]:
        return self.transitions.shape

    def transduce(self, word: Word) -> Array:
        """Return the output for each symbol: (length,)."""
        symbols = self.encode(word)
        return self.outputs[self.run(symbols)[:-1], symbols]

    def moore(self, first: Any) -> MooreMachine:
        """
        Return the Moore machine that says on arrival what this one says while it moves.

        It needs a state for each state and output that arrive together: (carry, digit) instead of (carry) in an adder.

        Parameters
        ----------
        first
            What it says before the first symbol, which a Mealy machine leaves open.
        """
        pairs: dict[tuple[int, Any], int] = {(self.start, first): 0}
        rows: list[list[int]] = []
        for state, _ in (queue := list(pairs)):
            arrivals = list(zip(self.transitions[state].tolist(), self.outputs[state].tolist(), strict=True))
            for pair in arrivals:
                if pair not in pairs:
                    pairs[pair] = len(pairs)
                    queue.append(pair)
            rows.append([pairs[pair] for pair in arrivals])
        return MooreMachine(self.alphabet, np.array(rows), np.array([said for _, said in pairs]))


def as_words(words: npt.ArrayLike, alphabet: Sequence[Symbol]) -> States:
    """
    Return words as they are kept: numbers of symbols.

    Parameters
    ----------
    words : array of whole numbers, any shape
    alphabet
        The symbols.

    Returns
    -------
    array of ints, shape of words

    Raises
    ------
    ValueError
        If one is not the number of a symbol.
    """
    read = _whole(words)
    if read is None or (read.size and (read.min() < 0 or read.max() >= len(alphabet))):
        raise ValueError(f"words must be numbers from 0 to {len(alphabet) - 1}, one for each symbol of the alphabet")
    return read


def _whole(numbers: npt.ArrayLike) -> States | None:
    """Return whole numbers as integers, None where there is something else."""
    try:
        array = np.asarray(numbers)
        with np.errstate(invalid="ignore"):
            whole = array.astype(np.int64)
        return whole if array.dtype.kind in "iub" or np.array_equal(array, whole) else None
    except (TypeError, ValueError, OverflowError):
        return None


def _table_of_states(transitions: npt.ArrayLike) -> States:
    table = _whole(transitions)
    if table is None:
        raise ValueError(
            "transitions must be whole numbers, the next state for each state and symbol, and none may be missing: "
            "DFA.from_table(..., missing='trap') completes a table with gaps"
        )
    return table


def _check(machine: Machine) -> None:
    symbols, table = machine.alphabet, machine.transitions
    if not symbols:
        raise ValueError("the alphabet is empty: a machine reads at least one symbol")
    if len(set(symbols)) < len(symbols):
        raise ValueError(f"the alphabet repeats a symbol: {', '.join(map(repr, symbols))}")
    if table.ndim != 2 or table.shape[1] != len(symbols) or not len(table):
        raise ValueError(f"transitions need a row per state and {len(symbols)} columns, got the shape {table.shape}")
    outside = np.argwhere((table < 0) | (table >= len(table)))
    if len(outside):
        state, symbol = outside[0].tolist()
        raise ValueError(
            f"from state {state} the symbol {symbols[symbol]!r} leads to state {table[state, symbol]}, but there are "
            f"only the states 0 to {len(table) - 1}"
        )
    if not 0 <= machine.start < len(table):
        raise ValueError(f"the start must be one of the states 0 to {len(table) - 1}, got {machine.start}")
