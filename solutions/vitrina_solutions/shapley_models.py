"""Shapley values of a model: its features become players; sampling and KernelSHAP where they are too many to count."""

import math
from functools import partial

import numpy as np

from vitrina.functions import ScoreFunction
from vitrina.games import Game
from vitrina_solutions.shapley import shapley_values


def coalition_value(
    model: "ScoreFunction", sample: np.ndarray, target: int, background: np.ndarray, coalition: list[int]
) -> float:
    """
    The game that a model plays: what it says if it knows some features of a sample, and the others are anybody's.

    v(S) = mean over the rows b of the background of f_c(x_S, b_rest): features in S as in the sample x, all others as
    in b. This is the interventional value function. (Lundberg and Lee 2017, arXiv 1705.07874, section 4.1; Janzing,
    Minorics and Blöbaum 2020, arXiv 1910.13413.)

    Parameters
    ----------
    model
        Returns scores, shape (batch, outputs), for an array of shape (batch, features).
    sample : array, shape (features,)
        The sample x to explain.
    target : int
        The output c to explain.
    background : array, shape (rows, features)
        What unknown features may be; at least one row.
    coalition : list of int
        The features S that are known; it may be empty.

    Returns
    -------
    float
        The worth of the coalition.
    """
    known = np.isin(np.arange(len(sample)), coalition)
    mixed = np.where(known, sample, background)
    return float(np.mean(model(mixed)[:, target]))


def shapley_of_features(model: "ScoreFunction", inputs: np.ndarray, target: int, background: np.ndarray) -> np.ndarray:
    """
    Shapley values of a model's features: each sample plays its own game, and the features are the players.

    φ_i(x) = the Shapley value of player i in the game v(S) = mean over the background of f_c(x_S, b_rest).

    (Lundberg and Lee 2017, arXiv 1705.07874, equation 8.)

    Parameters
    ----------
    model
        Returns scores, shape (batch, outputs), for an array of shape (batch, features).
    inputs : array, shape (batch, features)
        The samples to explain; few features, as every coalition is asked.
    target : int
        The output c to explain, the same for all samples.
    background : array, shape (rows, features)
        What unknown features may be.

    Returns
    -------
    array, shape of inputs
        Each row adds up to f_c(x) − the mean of f_c over the background.
    """
    games = [partial(coalition_value, model, sample, target, background) for sample in inputs]
    return np.stack([shapley_values(game, inputs.shape[1]) for game in games])


def linear_shapley(weights: np.ndarray, inputs: np.ndarray, background: np.ndarray) -> np.ndarray:
    """
    Shapley values of a linear model f(x) = w·x + b, without asking a single coalition.

    φ_i(x) = w_i · (x_i − the mean of feature i over the background)

    (Lundberg and Lee 2017, arXiv 1705.07874, corollary 1.)

    Parameters
    ----------
    weights : array, shape (features,)
        The weights w; the intercept b does not matter.
    inputs : array, shape (batch, features)
        The samples to explain.
    background : array, shape (rows, features)
        What unknown features may be.

    Returns
    -------
    array, shape of inputs
        Exactly the values that all 2^n coalitions would give.
    """
    typical = background.mean(axis=0)
    return weights * (inputs - typical)


def sampled_shapley(game: "Game", orders: np.ndarray) -> np.ndarray:
    """
    Permutation sampling: the mean over some orders instead of all, and how far it may be off.

    Each order gives each player one marginal contribution. With m orders, the estimate is their mean, and its standard
    error is s / √m, where s is their standard deviation with m − 1 in the denominator. (Castro, Gómez and Tejada 2009,
    doi 10.1016/j.cor.2008.04.004.)

    Parameters
    ----------
    game
        Gives the worth of a coalition, a list of players: game([0, 2]), game([]).
    orders : array of int, shape (m, n)
        One order a row: orders[0] = [2, 0, 1] says that player 2 comes first, then 0, then 1. At least two rows.

    Returns
    -------
    array, shape (2, n)
        The estimates of all players, and below them their standard errors.
    """
    contributions = np.zeros(orders.shape)
    for row, order in enumerate(orders.tolist()):
        worth = game([])
        for place, player in enumerate(order):
            grown = game(order[: place + 1])
            contributions[row, player] = grown - worth
            worth = grown
    error = contributions.std(axis=0, ddof=1) / np.sqrt(len(orders))
    return np.stack([contributions.mean(axis=0), error])


def shapley_interval(game: "Game", players: int, draws: int, seed: int) -> np.ndarray:
    """
    A 95 % confidence interval for each Shapley value, from orders that you draw yourself.

    All n! orders are equally likely, and each is drawn anew. The interval is estimate ± 1.96 standard errors: by the
    central limit theorem, 95 % of such intervals hold the true value.

    Parameters
    ----------
    game
        Gives the worth of a coalition, a list of players: game([0, 2]), game([]).
    players : int
        The number n of players.
    draws : int
        How many orders to draw.
    seed : int
        The same seed gives the same intervals: draw with np.random.default_rng(seed).

    Returns
    -------
    array, shape (n, 2)
        Lower and upper end for each player.
    """
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.permutation(players) for _ in range(draws)])
    estimate, error = sampled_shapley(game, orders)
    return np.stack([estimate - 1.96 * error, estimate + 1.96 * error], axis=1)


def kernel_shap_weights(masks: np.ndarray) -> np.ndarray:
    """
    KernelSHAP's weights: how much each coalition counts in the fit.

    (n − 1) / (C(n, s) · s · (n − s)) for a coalition of s of the n players, C(n, s) the binomial coefficient. The empty
    and the grand coalition would weigh infinitely much. They become conditions of the fit instead, so their weight here
    is 0. (Lundberg and Lee 2017, arXiv 1705.07874, theorem 2.)

    Parameters
    ----------
    masks : array of 0 and 1, shape (coalitions, n)
        Who takes part, one coalition a row.

    Returns
    -------
    array, shape (coalitions,)
        One weight for each row.
    """
    players = masks.shape[1]
    weights = np.zeros(len(masks))
    for row, size in enumerate(masks.sum(axis=1).astype(int).tolist()):
        if 0 < size < players:
            weights[row] = (players - 1) / (math.comb(players, size) * size * (players - size))
    return weights


def kernel_shap_fit(
    masks: np.ndarray, worths: np.ndarray, weights: np.ndarray, empty: float, full: float
) -> np.ndarray:
    """
    KernelSHAP's fit: the additive game that comes nearest to the worths of some coalitions.

    The φ that minimise Σ over coalitions S of weight(S) · (v(S) − v(∅) − Σ_{i in S} φ_i)², on the condition that
    Σ_i φ_i = v(N) − v(∅). Two ways lead there. Put φ_n = v(N) − v(∅) − the sum of the others into the sum: what is left
    is weighted least squares without a condition. Or use a Lagrange multiplier. (Lundberg and Lee 2017, arXiv
    1705.07874, theorem 2; Covert and Lee 2021, arXiv 2012.01536, section 3.)

    Parameters
    ----------
    masks : array of 0 and 1, shape (coalitions, n)
        Who takes part: coalitions that are neither empty nor complete, enough of them for one answer.
    worths : array, shape (coalitions,)
        The worth v(S) of each coalition.
    weights : array, shape (coalitions,)
        How much each coalition counts.
    empty : float
        The worth v(∅) of nobody.
    full : float
        The worth v(N) of everybody.

    Returns
    -------
    array, shape (n,)
        The values φ. With one player there is no coalition to fit, and the condition alone decides.
    """
    gain = full - empty
    last = masks[:, -1]
    design = masks[:, :-1] - last[:, None]
    goal = worths - empty - last * gain
    scale = np.sqrt(weights)
    others = np.linalg.lstsq(design * scale[:, None], goal * scale, rcond=None)[0]
    return np.append(others, gain - others.sum())
