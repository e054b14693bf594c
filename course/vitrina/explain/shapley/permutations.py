"""Shapley values by permutations: players enter one after the other, in random orders."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vitrina.explain.request import positive_int
from vitrina.explain.shapley.coalitions import Game, Members, ShapleyEstimate, Values, players_of, shaped, worth

_COALITIONS = 4096  # asked for in one call of the game


def permutation_shapley(game: Game, players: int | None = None, *, pairs: int = 10, seed: int = 0) -> ShapleyEstimate:
    """
    Shapley values estimated by random orders, with standard errors.

    The Shapley value is a player's mean contribution on entering, over all orders (Castro et al. 2009). Each random
    order is walked from both ends (antithetic pairs; Mitchell et al. 2022, arXiv 2104.12199, section 4.1), which
    cancels noise: one pair is exact where no three players act together. The contributions of an order add up, so the
    estimate is complete after any number of pairs.

    Parameters
    ----------
    game : callable, or array, shape (2^players, ...)
        As for `shapley_values`, with any number of players.
    players
        How many; a table and the game of a model know it.
    pairs
        Orders with their reverses. Each pair costs 2 (players - 1) coalitions.
    seed
        Draws the orders.

    Returns
    -------
    ShapleyEstimate
        Its standard errors are those of the mean over pairs, which are independent: NaN for a single pair.

    Raises
    ------
    ValueError
        If the game, players or pairs do not fit.
    """
    count, pairs = players_of(game, players), positive_int("pairs", pairs)
    orders = np.argsort(np.random.default_rng(seed).random((pairs, count)), axis=1)
    ends = worth(game, np.repeat([[False], [True]], count, axis=1))
    at_once = max(1, _COALITIONS // max(1, 2 * (count - 1)))
    estimates = np.concatenate(
        [_estimates(game, orders[start : start + at_once], ends) for start in range(0, pairs, at_once)]
    )
    mean = estimates.mean(axis=0)
    errors = estimates.std(axis=0, ddof=1) / np.sqrt(pairs) if pairs > 1 else np.full(mean.shape, np.nan)
    return ShapleyEstimate(
        attributions=shaped(mean, game),
        base=ends[0],
        residual=ends[1] - ends[0] - mean.sum(axis=0),
        standard_errors=shaped(errors, game),
        evaluated=2 + 2 * pairs * (count - 1),
    )


def _estimates(game: Game, orders: npt.NDArray[np.int_], ends: Values) -> Values:
    """Contributions in each order, averaged with those in its reverse: (orders, players, ...)."""
    both = np.stack([orders, orders[:, ::-1]], axis=1).reshape(-1, orders.shape[1])
    chains = _entered(both)
    inner = worth(game, chains.reshape(-1, orders.shape[1])).reshape(*chains.shape[:2], *ends.shape[1:])
    empty, full = (np.broadcast_to(end, (len(both), 1, *end.shape)) for end in ends)
    gained = np.diff(np.concatenate([empty, inner, full], axis=1), axis=1)
    places = np.argsort(both, axis=1).reshape(*both.shape, *[1] * (gained.ndim - 2))
    by_player = np.take_along_axis(gained, places, axis=1)
    return by_player.reshape(len(orders), 2, *by_player.shape[1:]).mean(axis=1)


def _entered(orders: npt.NDArray[np.int_]) -> Members:
    """Who has entered after 1, 2, ..., players - 1 steps of each order: (orders, players - 1, players)."""
    places = np.argsort(orders, axis=1)
    return places[:, np.newaxis] < np.arange(1, orders.shape[1])[:, np.newaxis]
