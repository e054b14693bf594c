"""A language that can be asked whether a word belongs to it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.messages import _

LETTERS = "ab"
_MOST_SYMBOLS = 26


class TableLanguage:
    """
    A regular language over a, b, ..., given by the table of an automaton.

    Parameters
    ----------
    transitions : array of ints, shape (states, symbols)
        The next state; the first column is for a, the second for b, and so on.
    accepting : array of bools, shape (states,)
        Where a word that ends belongs to the language.
    start : int
        The state before the first symbol.

    Raises
    ------
    ValueError
        If that is no such table.
    """

    def __init__(self, transitions: npt.ArrayLike, accepting: npt.ArrayLike, start: int = 0) -> None:
        table = checked_table(transitions, accepting, start)
        self.alphabet = tuple(map(_letter, range(table.transitions.shape[1])))
        self._rows, self._accepting = table.transitions.tolist(), table.accepting.tolist()
        self._start = table.start

    def __call__(self, word: Iterable[Any]) -> bool:
        """
        Say whether a word belongs.

        Parameters
        ----------
        word : str, or sequence of ints
            Letters, or their numbers from 0.

        Raises
        ------
        ValueError
            If a symbol is not in the alphabet.
        """
        state = self._start
        for number in symbol_numbers(word, self.alphabet):
            state = self._rows[state][number]
        return self._accepting[state]


def symbol_numbers(word: Iterable[Any], alphabet: Sequence[str] = LETTERS) -> list[int]:
    """Return the numbers of a word's symbols, which are letters or numbers already; a stranger is a `ValueError`."""
    known: dict[Any, int] = {letter: number for number, letter in enumerate(alphabet)}
    known |= {number: number for number in range(len(alphabet))}
    try:
        return [known[symbol] for symbol in word]
    except (KeyError, TypeError):
        message = _("a word is made of {letters}, or of their numbers from 0; this is none: {word}")
        raise ValueError(message.format(letters=", ".join(alphabet), word=repr(word)[:60])) from None


@dataclass(frozen=True, eq=False)
class Table:
    """
    The table of an automaton, looked through.

    Attributes
    ----------
    transitions : array of ints, shape (states, symbols)
        The next state.
    accepting : array of bools, shape (states,)
        Where a word that ends is accepted.
    start : int
        The state before the first symbol.
    """

    transitions: npt.NDArray[np.int64]
    accepting: npt.NDArray[np.bool_]
    start: int


def checked_table(transitions: Any, accepting: Any, start: Any = 0) -> Table:
    """
    Take the table of an automaton, after a look whether it is one.

    Raises
    ------
    ValueError
        If there is no state or no symbol, a transition leads nowhere, or the shapes do not agree.
    """
    table = _whole(transitions, "transitions")
    if table.ndim != 2 or not table.size or table.shape[1] > _MOST_SYMBOLS:
        message = _("`transitions` needs a row for each state and a column for each symbol; its shape is {shape}")
        raise ValueError(message.format(shape=table.shape))
    states = len(table)
    outside = np.argwhere((table < 0) | (table >= states))
    if len(outside):
        state, symbol = outside[0].tolist()
        message = _("from state {state} `{symbol}` leads to {to}, but the states are 0 to {last}")
        raise ValueError(message.format(state=state, symbol=_letter(symbol), to=table[state, symbol], last=states - 1))
    ends = np.asarray(accepting)
    if ends.shape != (states,) or ends.dtype.kind not in "biuf" or not np.all((ends == 0) | (ends == 1)):
        raise ValueError(_("`accepting` must say True or False for each of the {states} states").format(states=states))
    first = _whole(start, "start").reshape(-1).tolist()
    if len(first) != 1 or not 0 <= first[0] < states:
        raise ValueError(_("`start` must be one of the states 0 to {last}").format(last=states - 1))
    return Table(table, ends.astype(bool), first[0])


def _letter(number: int) -> str:
    return chr(ord("a") + number)


def _whole(values: Any, name: str) -> npt.NDArray[np.int64]:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" or not np.all(np.isfinite(array)) or np.any(array != np.rint(array)):
        raise ValueError(_("`{name}` must be whole numbers, the numbers of states").format(name=name))
    return np.clip(array, -1, 2**40).astype(np.int64)
