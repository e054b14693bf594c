"""Coalitions of players, as rows of a boolean matrix, and games, which say what each coalition is worth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vitrina.explain.request import positive_int

Members = npt.NDArray[np.bool_]
"""Coalitions (m, players): True where a player takes part."""
Values = npt.NDArray[np.float64]

Game = Callable[[Members], npt.ArrayLike] | npt.ArrayLike
"""What coalitions are worth: a function of `Members` that returns (m,) or (m, ...), or a table of all 2^players."""

MOST_PLAYERS = 20
"""A million coalitions: more cannot be counted one by one."""


@dataclass(frozen=True)
class ShapleyEstimate:
    """
    Shapley values with what is needed to trust them.

    Attributes
    ----------
    attributions : array, shape (..., players) or that of the explained inputs
        The estimates.
    base : array, shape (...)
        The worth of the empty coalition: for a model, the mean of the target's output over the background.
    residual : array, shape (...)
        The worth of all players together, less `base` and the sum of the attributions: what they fail to add up to.
    standard_errors : array, shape of attributions, or None
        Of the mean over independent draws; NaN for a single draw; None where the method has none.
    evaluated : int
        How many coalitions were asked for, the empty one and that of all players among them.
    """

    attributions: Values
    base: Values
    residual: Values
    standard_errors: Values | None
    evaluated: int


class Sample(NamedTuple):
    """Coalitions with the weight of each in a regression: shapes (m, players) and (m,)."""

    members: Members
    weights: Values


def players_of(game: Game, players: int | None) -> int:
    """
    Return how many players a game has.

    Parameters
    ----------
    game
        A table of 2^players values, a game of `interventional` or `observational`, which knows it, or a function.
    players
        As the caller says, needed for a function.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If nobody says so, or two say different things.
    """
    known: int | None = getattr(game, "players", None) if callable(game) else _table_players(game)
    if known is None and players is None:
        raise ValueError("how many players does the game have? Only a table or the game of a model knows: give players")
    if known is not None and players not in (None, known):
        raise ValueError(f"the game has {known} players, not {players}")
    return positive_int("players", known or players or 0)


def _table_players(table: npt.ArrayLike) -> int:
    values = np.asarray(table)
    players = len(values).bit_length() - 1 if values.ndim else 0
    if players < 1 or len(values) != 1 << players:
        raise ValueError(
            f"a game as a table needs the worth of all 2^players coalitions, so 2, 4, 8, ... values, got shape "
            f"{values.shape}"
        )
    return players


def worth(game: Game, members: Members) -> Values:
    """
    Ask a game what coalitions are worth.

    Parameters
    ----------
    game
        A function, or a table in which coalition S has row number sum over i in S of 2^i.
    members : array of bool, shape (m, players)

    Returns
    -------
    array of float64, shape (m, ...)

    Raises
    ------
    ValueError
        If the game does not return a finite number for each coalition.
    """
    if callable(game):
        returned = np.asarray(game(members))
    else:
        returned = np.asarray(game)[members @ (1 << np.arange(members.shape[1]))]
    if returned.shape[:1] != (len(members),) or returned.dtype.kind not in "fiub":
        raise ValueError(
            f"a game must return one number, or one row of them, for each of {len(members)} coalitions, which are rows "
            f"of True and False, got shape {returned.shape} of {returned.dtype}"
        )
    if not np.all(np.isfinite(returned)):
        raise ValueError("a game must return finite numbers: a coalition's worth is NaN or infinite")
    return returned.astype(np.float64)


def all_coalitions(players: int) -> Members:
    """
    Return every coalition: row number c holds player i if bit i of c is 1.

    Parameters
    ----------
    players
        At most 20.

    Returns
    -------
    array of bool, shape (2^players, players)

    Raises
    ------
    ValueError
        If there are more players.
    """
    if players > MOST_PLAYERS:
        raise ValueError(
            f"{players} players have 2^{players} coalitions, too many to count all: up to {MOST_PLAYERS} is possible; "
            "use kernel_shap or permutation_shapley, or let groups of features be players"
        )
    return (np.arange(1 << players)[:, np.newaxis] >> np.arange(players) & 1).astype(bool)


def shapley_weights(players: int) -> Values:
    """
    Return the weight of a player's contribution to a coalition of each size it is not in, |S|! (n - |S| - 1)! / n!.

    Parameters
    ----------
    players

    Returns
    -------
    array of float64, shape (players,)
        By size, from 0 to players - 1.
    """
    return np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])


def kernel_sample(players: int, count: int, seed: int) -> Sample:
    """
    Choose coalitions for KernelSHAP, with their weights in the regression.

    A coalition of s of the n players has the Shapley kernel (n - 1) / (C(n, s) s (n - s)), Lundberg and Lee 2017,
    theorem 2. It weighs most at the smallest and largest sizes, which have the fewest coalitions. So sizes are taken
    whole from the outside in, s together with n - s, as long as that takes no more than their share of the kernel. What
    is left of the count goes to the sizes in the middle by their share; coalitions are drawn there without replacement,
    each with its complement (Covert and Lee 2021, arXiv 2012.01536: pairs cancel much of the noise), and share the
    weight of their size.

    Parameters
    ----------
    players
    count
        Coalitions at most, without the empty one and that of all players.
    seed
        Draws those in the middle.

    Returns
    -------
    Sample
        All coalitions if count allows it.

    Raises
    ------
    ValueError
        If count is below twice the players: each must be seen alone, and be missed alone.
    """
    if players == 1:  # no coalition lies between none and all
        return Sample(np.zeros((0, 1), bool), np.zeros(0))
    sizes = np.arange(1, players // 2 + 1)
    doubled = 2 * sizes == players  # the middle size is its own complement
    pairs = [math.comb(players, size) // (2 if own else 1) for size, own in zip(sizes.tolist(), doubled, strict=True)]
    if count < 2 * min(players, sum(pairs)):
        raise ValueError(
            f"{players} players need at least {2 * min(players, sum(pairs))} coalitions, got {count}: each must be "
            "seen alone, and be missed alone"
        )
    kernel = (players - 1) / (sizes * (players - sizes)) * np.where(doubled, 1, 2)
    generator = np.random.default_rng(seed)
    expected = _expected_pairs(pairs, kernel, min(count // 2, sum(pairs)))
    members: list[Members] = []
    weights: list[Values] = []
    for size, drawn in enumerate(_whole(expected, generator).tolist(), start=1):
        if drawn:
            half = _subsets(players, size, drawn, generator)
            members += [half, ~half]
            weights.append(np.full(2 * drawn, kernel[size - 1] / (2 * expected[size - 1])))
    return Sample(np.concatenate(members), np.concatenate(weights))


def _expected_pairs(pairs: list[int], kernel: Values, count: int) -> Values:
    """How many pairs of each size to take: whole sizes from the outside in, then shares of what is left."""
    expected = np.zeros(len(pairs))
    for size, exist in enumerate(pairs):
        shares = (count - expected.sum()) * kernel[size:] / kernel[size:].sum()
        if size and shares[0] < exist * (1 - 1e-9):
            expected[size:] = shares
            break
        expected[size] = exist
    return expected


def _whole(expected: Values, generator: np.random.Generator) -> npt.NDArray[np.int_]:
    """Round numbers whose sum is whole up or down, each up so often that its mean stays."""
    ends = np.floor(expected.cumsum() + generator.uniform(1e-9, 1 - 1e-9))
    return np.diff(ends, prepend=0).astype(int)


def _subsets(players: int, size: int, count: int, generator: np.random.Generator) -> Members:
    """Draw different subsets of a size; of the middle size only those with the first player, as pairs hold the rest."""
    own = 2 * size == players
    exist = math.comb(players, size) // (2 if own else 1)
    if 2 * count >= exist:
        every = _every_subset(players - own, size - own)
        chosen = every[np.sort(generator.permutation(exist)[:count])]
    else:
        chosen = _different_subsets(players - own, size - own, count, generator)
    return np.insert(chosen, 0, True, axis=1) if own else chosen


def _every_subset(players: int, size: int) -> Members:
    count = math.comb(players, size)
    places = np.fromiter(chain.from_iterable(combinations(range(players), size)), int, count * size)
    members = np.zeros((count, players), bool)
    np.put_along_axis(members, places.reshape(count, size), True, axis=1)
    return members


def _different_subsets(players: int, size: int, count: int, generator: np.random.Generator) -> Members:
    """Draw until enough are different: at most half of all that there are, so soon."""
    members = np.zeros((0, players), bool)
    while len(members) < count:
        drawn = np.zeros((count, players), bool)
        places = generator.random((count, players)).argpartition(size - 1, axis=1)[:, :size]
        np.put_along_axis(drawn, places, True, axis=1)
        together = np.concatenate([members, drawn])
        _, first = np.unique(np.packbits(together, axis=1), axis=0, return_index=True)
        members = together[np.sort(first)]
    return members[:count]


def shaped(values: Values, game: Any) -> Values:
    """
    Move the players of values (players, ...) to the end, in the shape in which the game of a model has them.

    Parameters
    ----------
    values : array, shape (players, ...)
    game
        Its `attribution_shape`, if it has one, is that of an explained sample.

    Returns
    -------
    array, shape (..., players) or (..., *attribution_shape)
    """
    moved = np.moveaxis(values, 0, -1)
    return moved.reshape(*moved.shape[:-1], *getattr(game, "attribution_shape", moved.shape[-1:]))
