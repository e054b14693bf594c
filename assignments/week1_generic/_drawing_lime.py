"""How the cases of part C are drawn."""

import numpy as np

from vitrina.values import Array
from vitrina_autograder.exercise import Draw


def draw_bins(rng: np.random.Generator) -> list[Draw]:
    """Draw data whose quartiles keep away from the values, but where it is exactly on one that a value should lie."""
    training = rng.normal(size=(31, 3)) * [1, 10, 0.1] + [0, 50, 0]
    nine = np.sort(rng.choice(np.arange(100.0), (9, 2), replace=False), axis=0)  # the quartiles are rows 2, 4 and 6
    constant = rng.normal(size=(20, 3))
    constant[:, 1] = 7.0
    return [
        Draw("four samples, features of different sizes", (_around(rng, training, 4), training)),
        Draw("values that are quartiles themselves", (nine[[0, 2, 4, 6, 8]], nine)),
        Draw("a feature that never changes", (constant[:3], constant)),
        Draw("a single sample", (_around(rng, training, 1) + 0.01, training)),
        Draw("values right beside a quartile", (_beside_quartiles(training), training)),
        Draw("inputs that lie far from the training data", (training[:3] * 3, training)),
    ]


def _beside_quartiles(training: Array) -> Array:
    """Give values between a quartile, which lies in the middle of two data, and each of the two."""
    ends = [np.percentile(training, [25, 75], axis=0, method=method) for method in ("lower", "higher")]
    return np.vstack([part * ends[0] + (1 - part) * ends[1] for part in (0.25, 0.75)])


def draw_lime_masks(rng: np.random.Generator) -> list[Draw]:
    """Draw a sample and neighbours."""
    training = rng.normal(size=(29, 4))
    constant = training.copy()
    constant[:, 2] = -1.0
    sample = training[5] + 0.01
    near = sample + rng.normal(scale=0.7, size=(8, 4))
    return [
        Draw("eight neighbours", (sample, near, training)),
        Draw("a single neighbour", (training[2], training[[7]] + 0.3, training)),
        Draw("the sample itself is among them", (sample, np.vstack([near[:2], sample, near[2:4]]), training)),
        Draw("a feature that never changes", (constant[4], constant[:6], constant)),
    ]


def _around(rng: np.random.Generator, training: Array, batch: int) -> Array:
    """Draw values as the training data are spread, each feature for itself."""
    return np.stack([rng.choice(column, batch) for column in training.T], axis=1) + 1e-3


def draw_images(rng: np.random.Generator) -> list[Draw]:
    """Draw images, superpixels and masks."""
    halves = np.repeat([[0], [1]], [2, 4], axis=0).repeat(5, axis=1)
    blocks = (np.arange(6)[:, None] // 3 * 2 + np.arange(8) // 4).astype(int)
    scattered = rng.permutation(np.arange(20) % 3).reshape(4, 5)
    colour, grey = rng.random((6, 8, 3)) + 0.1, rng.random((4, 5, 1)) + 0.1
    return [
        Draw("four blocks of a colour image", (colour, blocks, _masks(rng, 5, 4), 0.0)),
        Draw("covered by white", (colour, blocks, _masks(rng, 3, 4), 1.5)),
        Draw("superpixels in pieces", (grey, scattered, _masks(rng, 4, 3), 0.5)),
        Draw("a single neighbour", (rng.random((6, 5, 1)) + 0.1, halves, np.array([[0, 1]]), -1.0)),
        Draw("everything stays, and nothing does", (grey, scattered, np.array([[1, 1, 1], [0, 0, 0]]), 0.25)),
    ]


def _masks(rng: np.random.Generator, count: int, features: int) -> Array:
    """Draw masks; no feature is always on or always off, and no row either."""
    while True:
        masks = (rng.random((count, features)) < 0.5).astype(int)
        if masks.mean(axis=0).min() > 0 and masks.mean(axis=0).max() < 1:
            return masks


def draw_lime_weights(rng: np.random.Generator) -> list[Draw]:
    """Draw masks and widths; distances stay small enough for weights that differ."""
    return [
        Draw("six features", (_masks(rng, 10, 6), float(rng.uniform(1.5, 2.5)))),
        Draw("a wide kernel", (_masks(rng, 6, 9), float(rng.uniform(4, 6)))),
        Draw("a narrow kernel", (_masks(rng, 6, 4), float(rng.uniform(0.7, 0.9)))),
        Draw("the sample itself", (np.vstack([np.ones((1, 5), int), _masks(rng, 3, 5)]), 1.5)),
        Draw("one feature", (np.array([[1], [0]]), float(rng.uniform(0.8, 1.2)))),
    ]


def draw_lime_fit(rng: np.random.Generator) -> list[Draw]:
    """Draw masks, scores and weights that differ."""
    always = _masks(rng, 12, 3)
    always[:, 1] = 1
    return [
        Draw("thirty neighbours, four features", _fit(rng, _masks(rng, 30, 4), 1.0)),
        Draw("hardly any penalty", _fit(rng, _masks(rng, 25, 3), 1e-3)),
        Draw("fewer neighbours than features", _fit(rng, _masks(rng, 4, 6), 0.5)),
        Draw("a feature that is on in all of them", _fit(rng, always, 1.0)),
        Draw("one feature", _fit(rng, _masks(rng, 8, 1), 0.3)),
    ]


def _fit(rng: np.random.Generator, masks: Array, penalty: float) -> tuple[Array, Array, Array, float]:
    scores = masks @ rng.normal(size=masks.shape[1]) + rng.normal(scale=0.3, size=len(masks)) + 2.0
    return masks, scores, rng.uniform(0.05, 1, len(masks)), penalty


def draw_fidelity(rng: np.random.Generator) -> list[Draw]:
    """Draw scores and what a fit says of them."""
    scores, weights = rng.normal(1, 1, 15), rng.uniform(0.02, 1, 15)
    mean = np.full(15, np.average(scores, weights=weights))
    return [
        Draw("a fair fit", (scores, scores + rng.normal(0.2, 0.4, 15), weights)),
        Draw("a perfect fit", (scores, scores.copy(), weights)),
        Draw("worse than a constant", (scores, -2 * scores, weights)),
        Draw("two neighbours", (np.array([0.2, 0.9]), rng.random(2), np.array([1.0, 0.1]))),
        Draw("as good as a constant", (scores, mean, weights), edge=True),
    ]
