"""Shapley values of any game, counted over all coalitions."""

from __future__ import annotations

import numpy as np

from vitrina.explain.shapley.coalitions import Game, Values, all_coalitions, players_of, shaped, shapley_weights, worth


def shapley_values(game: Game, players: int | None = None) -> Values:
    """
    Exact Shapley values: a player's contribution to each coalition, averaged.

    phi_i = sum over coalitions S without i of |S|! (n - |S| - 1)! / n! (v(S with i) - v(S)) (Shapley 1953). Every
    coalition is asked for once, so the cost is 2^n evaluations.

    Parameters
    ----------
    game : callable, or array, shape (2^players, ...)
        A function of coalitions (m, players), booleans, which returns their worth, (m,) or (m, ...) for several games
        at once; or a table of the worth of all coalitions, in which S has the row number sum over i in S of 2^i. The
        games of `interventional` and `observational` explain models.
    players
        How many, at most 20; a table and the game of a model know it.

    Returns
    -------
    array of float64, shape (players,) or (..., players)
        Of the game of a model: the shape of its inputs, or (batch, groups); with k targets each, an axis of them after
        the batch.

    Raises
    ------
    ValueError
        If the number of players is not known, wrong or too large, or the game returns something else than a finite
        number for each coalition.

    Examples
    --------
    Two gloves make a pair: the player with the only left glove gets most.

    >>> pairs = lambda members: members[:, 0] & (members[:, 1] | members[:, 2])
    >>> shapley_values(pairs, 3).round(3)
    array([0.667, 0.167, 0.167])
    """
    count = players_of(game, players)
    members = all_coalitions(count)
    values = worth(game, members)
    weights = shapley_weights(count)[all_coalitions(count - 1).sum(axis=1)]
    return shaped(np.stack([np.tensordot(weights, gains(values, player), 1) for player in range(count)]), game)


def gains(values: Values, player: int) -> Values:
    """
    What a player adds to each coalition of the others.

    Parameters
    ----------
    values : array, shape (2^n, ...)
        A table of all coalitions.
    player
        Its number.

    Returns
    -------
    array, shape (2^(n - 1), ...)
        A table of all coalitions of the others, who keep their order.
    """
    halves = values.reshape(len(values) >> player + 1, 2, 1 << player, *values.shape[1:])
    return (halves[:, 1] - halves[:, 0]).reshape(len(values) // 2, *values.shape[1:])
