"""How the cases of part B are drawn."""

import numpy as np

from vitrina.values import Array, GameSpec
from vitrina_autograder.exercise import Draw

from ._drawing import game, model, orders, sizes

_WELL_POSED = 30.0  # condition number: in float32 a fit still has four digits


def draw_coalition_value(rng: np.random.Generator) -> list[Draw]:
    """Draw a sample, a background and what is known."""
    spec, sample, background = model(rng, 4), rng.normal(size=4), rng.normal(size=(6, 4))
    wide = model(rng, 6, 2)
    return [
        Draw("two of four features are known", (spec, sample, 1, background, [0, 2])),
        Draw("a coalition in no order", (wide, rng.normal(size=6), 0, rng.normal(size=(9, 6)), [5, 0, 3])),
        Draw("nothing is known", (spec, sample, 2, background, [])),
        Draw("everything is known", (spec, sample, 0, background, [0, 1, 2, 3])),
        Draw("a background of one row", (spec, sample, 1, background[:1], [3])),
    ]


def draw_features(rng: np.random.Generator) -> list[Draw]:
    """Draw a model, samples and a background."""
    ignored = int(rng.integers(3))
    complete = ("same shape", "completeness")
    return [
        Draw("two samples, three features", (model(rng, 3), *_samples(rng, 2, 3), rng.normal(size=(5, 3))), complete),
        Draw("a single sample", (model(rng, 4), *_samples(rng, 1, 4), rng.normal(size=(4, 4))), complete),
        Draw("a background of one row", (model(rng, 3), *_samples(rng, 2, 3), rng.normal(size=(1, 3))), complete),
        Draw(
            f"the model ignores feature {ignored}",
            (model(rng, 3, ignored=ignored), *_samples(rng, 3, 3), rng.normal(size=(3, 3))),
            complete,
        ),
        Draw("one feature", (model(rng, 1), *_samples(rng, 2, 1), rng.normal(size=(3, 1))), complete),
    ]


def _samples(rng: np.random.Generator, batch: int, features: int) -> tuple[Array, int]:
    return rng.normal(size=(batch, features)) + 0.5, int(rng.integers(1, 3))


def draw_linear(rng: np.random.Generator) -> list[Draw]:
    """Draw linear models."""
    constant = rng.normal(size=(6, 4))
    constant[:, 1] = 3.0
    return [
        Draw("three samples, five features", (rng.normal(size=5), rng.normal(size=(3, 5)), rng.normal(size=(8, 5)))),
        Draw("a single sample", (rng.normal(size=3), rng.normal(size=(1, 3)), rng.normal(1, 1, size=(4, 3)))),
        Draw("a background of one row", (rng.normal(size=4), rng.normal(size=(2, 4)), rng.normal(size=(1, 4)))),
        Draw("a feature that never changes", (rng.normal(size=4), constant[:2] + 0.5, constant)),
    ]


def draw_sampling(rng: np.random.Generator) -> list[Draw]:
    """Draw games and orders."""
    one = np.zeros((3, 1), int)
    return [
        Draw("three players, five orders", (game(rng, 3), orders(rng, 5, 3))),
        Draw("five players, thirty orders", (game(rng, 5), orders(rng, 30, 5))),
        Draw("two orders only", (game(rng, 4), np.array([[3, 1, 0, 2], [0, 2, 3, 1]]))),
        Draw("one player, who always adds the same", (game(rng, 1), one)),
    ]


def draw_interval(rng: np.random.Generator) -> list[Draw]:
    """Draw games in which it matters much who is there already, so that other averages than Shapley's are far off."""
    properties = (
        "an interval for each player",
        "the intervals lie around the Shapley values",
        "the intervals come from drawn orders",
        "the intervals are as wide as they should be",
    )
    return [
        Draw("three players", (game(rng, 3), 3, 2000, _seed(rng)), properties),
        Draw("five players, everybody doubles the worth", (_doubling(rng, 5), 5, 2000, _seed(rng)), properties),
        Draw("four players, a thousand orders", (_doubling(rng, 4), 4, 1000, _seed(rng)), properties),
        Draw("one player, where nothing is left to chance", (game(rng, 1), 1, 1000, _seed(rng)), properties),
    ]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _doubling(rng: np.random.Generator, players: int) -> GameSpec:
    return GameSpec(float(rng.uniform(1, 3)) * 2.0 ** sizes(players) + rng.normal(scale=0.1, size=2**players))


def draw_kernel_weights(rng: np.random.Generator) -> list[Draw]:
    """Draw coalitions, the empty and the grand one among them."""
    four = (np.arange(16)[:, None] >> np.arange(4) & 1)[rng.permutation(16)]
    ten = (rng.random((12, 10)) < 0.5).astype(int)
    ten[0], ten[1] = 0, 1
    return [
        Draw("all coalitions of four players", (four,)),
        Draw("some of ten players", (ten,)),
        Draw("two players", (np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[rng.permutation(4)],)),
        Draw("twelve players, the same coalition twice", (np.tile((rng.random(12) < 0.4).astype(int), (2, 1)),)),
        Draw("one player: nobody or everybody", (np.array([[0], [1]]),), edge=True),
    ]


def draw_kernel_fit(rng: np.random.Generator) -> list[Draw]:
    """Draw coalitions, their worths and weights; the answer is unique."""
    three = (np.arange(1, 7)[:, None] >> np.arange(3) & 1).astype(int)
    return [
        Draw("all coalitions of three players", _problem(rng, three)),
        Draw("fourteen coalitions of five players", _problem(rng, _masks(rng, 14, 5))),
        Draw("as few coalitions as there are players", _problem(rng, _masks(rng, 6, 6))),
        Draw("two players", _problem(rng, np.array([[0, 1], [1, 0]]))),
        Draw("one player", _problem(rng, np.zeros((0, 1), int))),
    ]


def _masks(rng: np.random.Generator, count: int, players: int) -> Array:
    """Draw coalitions that leave one answer, far from leaving many."""
    while True:
        masks = (rng.random((count, players)) < 0.5).astype(int)
        inner = (masks.sum(axis=1) > 0) & (masks.sum(axis=1) < players)
        if np.all(inner) and np.linalg.cond(masks[:, :-1] - masks[:, -1:]) < _WELL_POSED:
            return masks


def _problem(rng: np.random.Generator, masks: Array) -> tuple[Array, Array, Array, float, float]:
    worths, weights = rng.normal(scale=2, size=len(masks)), rng.uniform(0.3, 3, len(masks))
    return masks, worths, weights, float(rng.uniform(1, 3)), float(rng.uniform(-4, -2))
