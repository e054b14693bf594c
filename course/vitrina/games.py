"""Cooperative games as tables: the worth of every coalition, so that a game can be drawn, sent and asked.

A game is anything that gives the worth of a coalition: `game([0, 2])` is what players 0 and 2 achieve together. Where a
game has to travel, it is the table of all its worths, and `TableGame` makes it a game again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Game = Callable[[list[int]], float]
"""Takes a coalition, a list of the numbers of its players in any order, and returns its worth."""

_MOST_PLAYERS = 16


class TableGame:
    """A game given by its table.

    Parameters
    ----------
    worths : array_like, shape (2^n,)
        The worth of every coalition. Its place in the table is a number in binary: player i takes part where the bit
        of value 2^i is set. So the table begins with nobody, player 0, player 1, players 0 and 1, player 2, ...

    Attributes
    ----------
    players : int
        The number n of players, who are 0, 1, ..., n - 1.

    Raises
    ------
    ValueError
        If that is no table of finite numbers with 2^n entries, or there are more than 16 players.
    """

    def __init__(self, worths: Iterable[float] | NDArray[Any]) -> None:
        table = np.array(worths, dtype=float)
        players = int(table.size).bit_length() - 1
        if table.ndim != 1 or table.size != 2**players or players < 1:
            raise ValueError(
                f"a game of n players is a list of 2^n worths (2, 4, 8, 16, ...), not an array of shape {table.shape}"
            )
        if players > _MOST_PLAYERS or not np.all(np.isfinite(table)):
            raise ValueError(f"a game's worths are finite numbers, of at most {_MOST_PLAYERS} players")
        self.players = players
        self.worths = table.tolist()

    def __call__(self, coalition: Iterable[int]) -> float:
        """Give the worth of a coalition.

        Raises
        ------
        TypeError
            If it is a single number, or a mask of true and false.
        ValueError
            If a player does not exist.
        """
        place = 0
        for player in _members(coalition):
            if isinstance(player, bool | np.bool_):
                raise TypeError("a coalition is a list of players such as [0, 2], not a mask of True and False")
            if player not in range(self.players):
                raise ValueError(f"there is no player {player}: this game has players 0 to {self.players - 1}")
            place |= 1 << int(player)
        return self.worths[place]


def _members(coalition: object) -> Iterable[Any]:
    if isinstance(coalition, np.ndarray):
        coalition = coalition.tolist()
    if not isinstance(coalition, Iterable):
        raise TypeError(f"a coalition is a list of players such as [0, 2], not {coalition}")
    return cast(Iterable[Any], coalition)
