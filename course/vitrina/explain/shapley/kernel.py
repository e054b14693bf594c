"""KernelSHAP: Shapley values by a weighted least squares fit to sampled coalitions."""

from __future__ import annotations

from typing import Any

import numpy as np

from vitrina.explain.compiling import slices
from vitrina.explain.outputs import Output
from vitrina.explain.request import Target, positive_int
from vitrina.explain.shapley.coalitions import (
    Game,
    Sample,
    ShapleyEstimate,
    Values,
    kernel_sample,
    players_of,
    shaped,
    worth,
)
from vitrina.explain.shapley.players import Groups
from vitrina.explain.shapley.value_functions import interventional

_MORE = 2048
_FEWEST = 256  # coalitions asked for in one call of the game
_VALUES = 1 << 20  # what they are worth, of all samples, that is kept at once


def kernel_shap(
    model: Any,
    inputs: Any,
    target: Target,
    *,
    background: Any,
    coalitions: int | None = None,
    groups: Groups | None = None,
    output: Output | None = None,
    seed: int = 0,
) -> ShapleyEstimate:
    """
    KernelSHAP (Lundberg and Lee 2017, arXiv 1705.07874, theorem 2) of the interventional value function.

    This is `kernel_shapley` of the game `interventional`. All samples share the coalitions, so one fit serves them all,
    and what is said of a sample does not depend on the others. The cost is coalitions x rows of the background forward
    passes for each sample.

    Parameters
    ----------
    model, inputs, target, background, groups, output
        As for `interventional`.
    coalitions
        At most so many are asked for, at least twice the players; by default twice the players and 2048. With
        2^players - 2 or more the values are exact.
    seed
        Draws coalitions; the same one, the same values.

    Returns
    -------
    ShapleyEstimate
        Attributions of the shape of inputs, or (batch, groups); with k targets each, an axis of them after the batch.

    Raises
    ------
    ValueError
        If the arguments do not fit each other, or there are too few coalitions.

    Warns
    -----
    UserWarning
        If no output is named and a Keras model ends in a softmax or sigmoid: its logits are explained.
    """
    game = interventional(model, inputs, target, background=background, groups=groups, output=output)
    return kernel_shapley(game, coalitions=coalitions, seed=seed)


def kernel_shapley(
    game: Game, players: int | None = None, *, coalitions: int | None = None, seed: int = 0
) -> ShapleyEstimate:
    """
    Shapley values of any game as the additive game nearest to it.

    They minimise sum over S of kernel(S) (v(S) - v(none) - sum over i in S of phi_i)^2 subject to the values adding up
    to v(all) - v(none) (Charnes et al. 1988; Lundberg and Lee 2017, theorem 2). Over all coalitions that is exact; over
    sampled ones (see `kernel_sample`) an estimate, still exact where no three players act together, as coalitions come
    with their complements.

    Parameters
    ----------
    game : callable, or array, shape (2^players, ...)
        As for `shapley_values`, with any number of players.
    players
        How many; a table and the game of a model know it.
    coalitions, seed
        As for `kernel_shap`.

    Returns
    -------
    ShapleyEstimate
        Without standard errors.

    Raises
    ------
    ValueError
        If game, players and coalitions do not fit.
    """
    count = players_of(game, players)
    asked = 2 * count + _MORE if coalitions is None else positive_int("coalitions", coalitions)
    ends = worth(game, np.repeat([[False], [True]], count, axis=1))
    sample = kernel_sample(count, asked, seed)
    attributions = _fit(game, sample, ends)
    return ShapleyEstimate(
        attributions=shaped(attributions, game),
        base=ends[0],
        residual=ends[1] - ends[0] - attributions.sum(axis=0),
        standard_errors=None,
        evaluated=2 + len(sample.members),
    )


def _fit(game: Game, sample: Sample, ends: Values) -> Values:
    """
    Weighted least squares of what coalitions are worth on who takes part: (players, ...).

    The values are total / n each and what is left, which adds up to 0. To find the rest without that condition, players
    are measured from their mean: membership less the coalition's size / n adds up to 0 as well, and a term that pulls
    the sum to 0 makes the system regular without moving its solution.
    """
    total = ends[1] - ends[0]
    players = sample.members.shape[1]
    system, right = np.full((players, players), 1 / players), np.zeros((players, total.size))
    for part in slices(len(sample.members), max(_FEWEST, _VALUES // max(1, total.size))):
        members = sample.members[part].astype(np.float64)
        sizes = members.mean(axis=1, keepdims=True)
        weighted = ((members - sizes) * sample.weights[part, np.newaxis]).T
        gained = (worth(game, sample.members[part]) - ends[0]).reshape(len(members), total.size)
        system += weighted @ (members - sizes)
        right += weighted @ (gained - sizes * total.reshape(-1))
    return total / players + np.linalg.solve(system, right).reshape(players, *total.shape)
