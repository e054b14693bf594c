"""Interactions: what two players add together that neither adds alone."""

from __future__ import annotations

import math

import numpy as np

from vitrina.explain.shapley.coalitions import Game, Values, all_coalitions, players_of, shapley_weights, worth
from vitrina.explain.shapley.exact import gains


def shapley_interactions(game: Game, players: int | None = None) -> Values:
    """
    Exact Shapley interaction values, with main effects on the diagonal.

    The Shapley interaction index of i and j is the mean over coalitions S of the others of v(S, i, j) - v(S, i) -
    v(S, j) + v(S), with weights |S|! (n - |S| - 2)! / (n - 1)! (Grabisch and Roubens 1999). As in `shap` (Lundberg et
    al. 2020, arXiv 1905.04610, equations 6 to 8) it is shared: row i, column j and row j, column i hold *half* of it
    each, and the diagonal what is left of the Shapley value, so each row adds up to its player's Shapley value and the
    whole matrix to v(all) - v(none). Twice an entry off the diagonal is the index.

    The values themselves need the same coalitions: every row's sum is `shapley_values`, at no cost.

    Parameters
    ----------
    game : callable, or array, shape (2^players, ...)
        As for `shapley_values`.
    players
        How many, at most 20; a table and the game of a model know it.

    Returns
    -------
    array of float64, shape (..., players, players)
        Symmetric. Of the game of a model (batch, players, players), with k targets each (batch, k, players, players).

    Raises
    ------
    ValueError
        As `shapley_values`.
    """
    count = players_of(game, players)
    values = worth(game, all_coalitions(count))
    matrix = np.zeros((count, count, *values.shape[1:]))
    weights = shapley_weights(count)[all_coalitions(count - 1).sum(axis=1)]
    pair_weights = _pair_weights(count)[all_coalitions(max(0, count - 2)).sum(axis=1)] if count > 1 else np.zeros(0)
    for i in range(count):
        gained = gains(values, i)
        matrix[i, i] = np.tensordot(weights, gained, 1)
        for j in range(i):  # below i, players keep their number among the others
            matrix[i, j] = matrix[j, i] = np.tensordot(pair_weights, gains(gained, j), 1) / 2
    diagonal = np.arange(count)
    matrix[diagonal, diagonal] -= matrix.sum(axis=1) - matrix[diagonal, diagonal]
    return np.moveaxis(matrix, (0, 1), (-2, -1))


def _pair_weights(players: int) -> Values:
    """Weight of a pair's joint contribution to a coalition of each size that it is not in."""
    return np.array([1 / ((players - 1) * math.comb(players - 2, size)) for size in range(players - 1)])
