"""A regular language drawn for a name, so that every student trains a network and reads an automaton of their own.

What is given are labelled words, never the automaton: to find it is the exercise. It has four to six states, all of
which can be reached from all others, so that long words still tell them apart; about half of the words belong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.membership import symbol_numbers

Words = npt.NDArray[np.int64]
Labels = npt.NDArray[np.bool_]

MOST_STATES = 6
_FEWEST_STATES = 4
_GIVEN, _LENGTH = 2000, 12
_ENDINGS = MOST_STATES - 2  # symbols of an ending that tells two states apart: Moore (1956), theorem 6
_BALANCED = 0.3  # of each length at least this share belongs, and this share does not
_LONGEST = 24
_RAREST = 0.06  # the rarest state is visited that often


@dataclass(frozen=True)
class OwnLanguage:
    """
    A language over a and b, by its words. In arrays a is 0 and b is 1.

    Attributes
    ----------
    name : str
        Whose it is; capitals and spaces do not matter.
    """

    name: str

    @property
    def words(self) -> Words:
        """2,000 words of 12 symbols to train on: (2000, 12)."""
        return self.draw(_GIVEN, _LENGTH, seed=0)[0]

    @property
    def labels(self) -> Labels:
        """Whether each beginning of these words belongs, the empty one first: (2000, 13)."""
        return self.label(self.words)

    def draw(self, count: int, length: int, *, seed: int) -> tuple[Words, Labels]:
        """
        Draw words, in some of which one symbol is much more frequent than the other.

        Parameters
        ----------
        count, length : int
            How many words, of how many symbols.
        seed : int
            The same words again for the same seed.

        Returns
        -------
        words : array of ints, shape (count, length)
        labels : array of bools, shape (count, length + 1)
            As `label` gives them.
        """
        rng = np.random.default_rng([seed, *_digest(self.name)[:8]])
        shares = rng.beta(1.5, 1.5, size=(count, 1))
        words = (rng.random((count, length)) < shares).astype(np.int64)
        return words, self.label(words)

    def label(self, words: npt.ArrayLike) -> Labels:
        """
        Say of each beginning of words whether it belongs.

        Parameters
        ----------
        words : array of ints, shape (count, length)
            0 for a and 1 for b.

        Returns
        -------
        array of bools, shape (count, length + 1)
            First for the empty word, then after each symbol.

        Raises
        ------
        ValueError
            If that is no such array.
        """
        read = np.asarray(words)
        if read.ndim != 2 or not np.all((read == 0) | (read == 1)):
            raise ValueError(f"words must be an array of 0 and 1 of shape (count, length), got the shape {read.shape}")
        return _follow(_digest(self.name), read.astype(np.int64))

    def belongs(self, word: Iterable[Any]) -> bool:
        """
        Say whether one word belongs.

        Parameters
        ----------
        word : str, or sequence of ints
            Of the letters a and b, or of 0 and 1.

        Raises
        ------
        ValueError
            If there is anything else in it.
        """
        return bool(self.label(np.array([symbol_numbers(word)], np.int64).reshape(1, -1))[0, -1])


def own_language(name: str) -> OwnLanguage:
    """Give the language of a name; capitals and spaces around it do not matter."""
    return OwnLanguage(plain_name(name))


def plain_name(name: str) -> str:
    """Give what matters of a name for which something is drawn: neither capitals nor spaces around it."""
    return " ".join(str(name).casefold().split())


def _digest(name: str) -> bytes:
    return hashlib.sha256(b"own language\0" + name.encode("utf-8", "replace")).digest()


def _follow(digest: bytes, words: Words) -> Labels:
    table, ends = _drawn(digest)
    states = np.zeros((len(words), words.shape[1] + 1), np.int64)
    for time in range(words.shape[1]):
        states[:, time + 1] = table[states[:, time], words[:, time]]
    return ends[states]


@lru_cache(maxsize=64)
def _drawn(digest: bytes) -> tuple[Words, Labels]:
    """Draw tables until one is good."""
    rng = np.random.default_rng(int.from_bytes(digest))
    while True:
        states = int(rng.integers(_FEWEST_STATES, MOST_STATES + 1))
        table, ends = rng.integers(states, size=(states, 2)), rng.random(states) < 0.5
        if _is_balanced(table, ends) and _all_differ(table, ends):
            return table, ends


def _is_balanced(table: Words, ends: Labels) -> bool:
    """Whether long words visit every state from every state, and about half of each length belong."""
    step = (table[:, :, np.newaxis] == np.arange(len(table))).mean(axis=1)
    shares = np.eye(len(table))
    for length in range(1, 2 * _LONGEST):
        shares = shares @ step
        accepted = float(shares[0] @ ends)
        if 2 < length <= _LONGEST and not _BALANCED <= accepted <= 1 - _BALANCED:
            return False
    return bool(np.all(shares > _RAREST))


def _all_differ(table: Words, ends: Labels) -> bool:
    """Whether for every two states some ending belongs after one of them only."""
    endings = np.array(list(product(range(2), repeat=_ENDINGS)))
    states = np.repeat(np.arange(len(table))[:, np.newaxis], len(endings), axis=1)
    said = [ends[states]]
    for symbols in endings.T:
        states = table[states, symbols]
        said.append(ends[states])
    return len(np.unique(np.concatenate(said, axis=1), axis=0)) == len(table)
