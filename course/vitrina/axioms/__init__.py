"""Rules that share a game's worth out unfairly, each of which breaks one of Shapley's four axioms, and how to see it.

Shapley (1953) showed that one rule alone keeps all four: efficiency, symmetry, null player and additivity. None of them
can be spared: for each there is a rule here that breaks it and keeps the other three.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrina.games import TableGame
from vitrina.messages import _

Values = NDArray[np.floating[Any]]
Rule = Callable[[TableGame], Values]

_SAME, _APART = 1e-9, 1e-3  # relative to the largest worth: equal but for rounding; different beyond any doubt
_MOST_PLAYERS = 6  # of whom all orders are gone through


def contributions_by_order(game: TableGame) -> Values:
    """
    Let the players enter in every order, and note what each adds.

    Returns
    -------
    array, shape (n!, n)
        Row by row an order, column by column a player; the means are the Shapley values.
    """
    table = np.array(game.worths)
    orders = np.array(list(itertools.permutations(range(game.players))))
    reached = np.cumsum(2**orders, axis=1)
    steps = np.diff(np.pad(table[reached], ((0, 0), (1, 0)), constant_values=table[0]), axis=1)
    contributions = np.empty_like(steps)
    np.put_along_axis(contributions, orders, steps, axis=1)
    return contributions


def equal_split(game: TableGame) -> Values:
    """Give everybody the same share of the gain."""
    return np.full(game.players, (game.worths[-1] - game.worths[0]) / game.players)


def first_in_line(game: TableGame) -> Values:
    """Let the players enter in the order of their numbers, once."""
    everyone = range(game.players)
    return np.array([game(range(player + 1)) - game(range(player)) for player in everyone])


def banzhaf(game: TableGame) -> Values:
    """Average what a player adds over all coalitions, each of which counts the same (Banzhaf 1965)."""
    return np.array([np.mean(_additions(game, player)) for player in range(game.players)])


def by_squares(game: TableGame) -> Values:
    """Share the gain out in proportion to the squares of the Shapley values."""
    squares = np.square(contributions_by_order(game).mean(axis=0))
    gain = game.worths[-1] - game.worths[0]
    return gain * squares / squares.sum() if squares.sum() > 0 else np.zeros(game.players)


RULES: Mapping[str, Rule] = MappingProxyType(
    {"equal split": equal_split, "first in line": first_in_line, "Banzhaf": banzhaf, "by squares": by_squares}
)
"""The unfair rules by name."""


def broken_axioms(rule: Rule, games: NDArray[Any]) -> list[str]:
    """
    Say which axioms a rule breaks on a game, or on two games and their sum.

    Parameters
    ----------
    rule : callable
        Takes a game and returns each player's share.
    games : array, shape (2^n,) or (2, 2^n)
        The tables.

    Returns
    -------
    list of str
        Some of "efficiency", "symmetry", "null player" and "additivity".

    Raises
    ------
    ValueError
        If that is neither the table of a game nor those of two, of at most 6 players.
    """
    tables = np.atleast_2d(np.asarray(games, dtype=float))
    if tables.ndim > 2 or len(tables) not in (1, 2):
        raise ValueError(_("expected the worths of one game, or of two as rows, not an array of this shape"))
    scale = float(np.max(np.abs(tables), initial=0)) or 1.0
    tables = tables / scale  # all rules share a game's multiple out alike, and no sum leaves the range of numbers
    played = [TableGame(table) for table in tables]
    if played[0].players > _MOST_PLAYERS:
        raise ValueError(_("at most {players} players, please").format(players=_MOST_PLAYERS))
    found = [name for name, shows in _SIGNS.items() if any(shows(game, rule(game)) for game in played)]
    if len(played) == 2:
        apart = rule(TableGame(tables.sum(axis=0))) - rule(played[0]) - rule(played[1])
        found += ["additivity"] if np.max(np.abs(apart)) > _APART else []
    return found


def _additions(game: TableGame, player: int) -> Values:
    """Return what a player adds to each coalition of the others."""
    others = [other for other in range(game.players) if other != player]
    coalitions = itertools.chain.from_iterable(itertools.combinations(others, size) for size in range(game.players))
    return np.array([game([*coalition, player]) - game(coalition) for coalition in coalitions])


def _inefficient(game: TableGame, shares: Values) -> bool:
    return abs(float(shares.sum()) - (game.worths[-1] - game.worths[0])) > _APART


def _rewards_null_player(game: TableGame, shares: Values) -> bool:
    return any(
        np.max(np.abs(_additions(game, player))) <= _SAME and abs(shares[player]) > _APART
        for player in range(game.players)
    )


def _treats_twins_differently(game: TableGame, shares: Values) -> bool:
    pairs = itertools.combinations(range(game.players), 2)
    return any(abs(shares[i] - shares[j]) > _APART and _are_twins(game, i, j) for i, j in pairs)


def _are_twins(game: TableGame, i: int, j: int) -> bool:
    """Whether two players do the same for every coalition of the others."""
    places = np.arange(2**game.players)
    without = places[(places >> i) % 2 + (places >> j) % 2 == 0]
    table = np.array(game.worths)
    return bool(np.max(np.abs(table[without | 1 << i] - table[without | 1 << j])) <= _SAME)


_SIGNS: Mapping[str, Callable[[TableGame, Values], bool]] = MappingProxyType(
    {
        "efficiency": _inefficient,
        "null player": _rewards_null_player,
        "symmetry": _treats_twins_differently,
    }
)
