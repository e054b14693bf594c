"""Part C: exercises on LIME."""

import numpy as np

from vitrina_autograder.exercise import Exercise, PlantedBug
from vitrina_solutions import lime

from ._drawing_lime import (
    draw_bins,
    draw_fidelity,
    draw_images,
    draw_lime_fit,
    draw_lime_masks,
    draw_lime_weights,
)
from ._lime_answers import (
    bins_by_loop,
    bins_by_search,
    cover,
    cover_first_channel,
    cover_on_and_on,
    equal_widths,
    fidelity,
    fidelity_by_library,
    masks_of,
    ridge,
    ridge_as_least_squares,
    ridge_with_dear_intercept,
    ridge_without_intercept,
    ridge_without_penalty,
)

UNWEIGHTED = "The weights are missing: neighbours that are far away count as much as near ones."

LIME_EXERCISES = [
    Exercise(
        id="quartile-bins",
        title="Quartile bins",
        formula="how many of the feature's quartiles (25, 50, 75 %) lie strictly below the value",
        competences=["lime"],
        reference=lime.quartile_bins,
        draw=draw_bins,
        alternatives=[bins_by_search, bins_by_loop],
        bugs=[
            PlantedBug(
                "A value that is a quartile itself is not above it: strictly below is asked.",
                lambda x, t: bins_by_search(x, t, side="right"),
            ),
            PlantedBug(
                "Quartiles belong to the training data, not to the samples that you explain.",
                lambda x, _: bins_by_search(x, x),
            ),
            PlantedBug(
                "Each feature has quartiles of its own: axis=0.",
                lambda x, t: bins_by_search(x, np.tile(t.reshape(-1, 1), t.shape[1])),
            ),
            PlantedBug(
                "A quartile may lie between two data: np.percentile as it is, without a `method`.",
                lambda x, t: (x[:, None] > np.percentile(t, [25, 50, 75], axis=0, method="lower")).sum(axis=1),
            ),
            PlantedBug("Quartiles hold equally many samples each; yours are equally wide.", equal_widths),
            PlantedBug(
                "np.percentile takes per cent: 25, not 0.25.",
                lambda x, t: (x[:, None] > np.percentile(t, [0.25, 0.5, 0.75], axis=0)).sum(axis=1),
            ),
            PlantedBug("Bins are numbered from 0.", lambda x, t: bins_by_search(x, t) + 1),
        ],
    ),
    Exercise(
        id="lime-masks",
        title="What a neighbour has in common",
        formula="1 where the neighbour lies in the same quartile bin as the sample, else 0",
        competences=["lime"],
        reference=lime.lime_masks,
        draw=draw_lime_masks,
        alternatives=[masks_of, lambda *a: masks_of(*a, bins=bins_by_loop) * 1.0],
        bugs=[
            PlantedBug("1 says “still the same”. Yours says what has changed.", lambda *a: 1 - 1 * masks_of(*a)),
            PlantedBug(
                "The same bin is enough; the value itself may differ.", lambda x, near, _: (near == x).astype(int)
            ),
            PlantedBug(
                "These are the bins. Compare them with the sample's.", lambda _, near, t: bins_by_search(near, t)
            ),
            PlantedBug(
                "Compare with the bins of the sample, not with those of the first neighbour.",
                lambda _, near, t: masks_of(near[0], near, t),
            ),
            PlantedBug(
                "Each feature is compared for itself: you ask whether all agree.",
                lambda x, near, t: np.tile(masks_of(x, near, t).all(axis=1, keepdims=True), near.shape[1]),
            ),
        ],
    ),
    Exercise(
        id="switch-off",
        title="Cover superpixels",
        formula="pixel = image where the mask of its superpixel is 1, else fill",
        competences=["lime", "batch computation"],
        reference=lime.switch_off,
        draw=draw_images,
        alternatives=[cover, lambda i, s, m, f: i * (m[:, s] == 1)[..., None] + f * (m[:, s] == 0)[..., None]],
        bugs=[
            PlantedBug("0 covers and 1 stays: yours is the other way round.", lambda i, s, m, f: cover(i, s, 1 - m, f)),
            PlantedBug(
                "Covered pixels take the value `fill`, which is not always 0.", lambda i, s, m, _: cover(i, s, m, 0.0)
            ),
            PlantedBug("Cover all channels.", cover_first_channel),
            PlantedBug(
                "Every neighbour starts from the whole image: yours stay covered from mask to mask.", cover_on_and_on
            ),
            PlantedBug("One image for each mask, also if there is only one mask.", lambda *a: cover(*a)[0]),
        ],
    ),
    Exercise(
        id="lime-weights",
        title="LIME's kernel",
        formula="√exp(−d² / width²), d² = number of features that are off",
        competences=["lime"],
        reference=lime.lime_weights,
        draw=draw_lime_weights,
        alternatives=[
            lambda m, w: np.exp(-0.5 * np.linalg.norm(m - np.ones(m.shape[1]), axis=1) ** 2 / w**2),
            lambda m, w: [np.exp(-sum(1 - row) / (2 * w * w)) for row in m.tolist() and m],
        ],
        bugs=[
            PlantedBug("The root around the exponential is missing.", lambda m, w: np.exp(-(1 - m).sum(axis=1) / w**2)),
            PlantedBug(
                "d is squared: for masks, d² is the number of features that are off.",
                lambda m, w: np.sqrt(np.exp(-np.sqrt((1 - m).sum(axis=1)) / w**2)),
            ),
            PlantedBug("The width is squared too.", lambda m, w: np.sqrt(np.exp(-(1 - m).sum(axis=1) / w))),
            PlantedBug(
                "d is the distance from the mask of all ones, the sample itself: not from all zeros.",
                lambda m, w: np.sqrt(np.exp(-m.sum(axis=1) / w**2)),
            ),
            PlantedBug(
                "The Euclidean distance squared is the number of features that are off, not its square.",
                lambda m, w: np.sqrt(np.exp(-((1 - m).sum(axis=1) ** 2) / w**2)),
            ),
            PlantedBug(
                "The square of the distance is a sum, not a mean.",
                lambda m, w: np.sqrt(np.exp(-(1 - m).mean(axis=1) / w**2)),
            ),
        ],
    ),
    Exercise(
        id="lime-fit",
        title="LIME's fit",
        formula="min over a, b of Σ weight · (score − a − mask · b)² + penalty · Σ b²;  returns a, then b",
        competences=["lime", "weighted fits"],
        reference=lime.lime_fit,
        draw=draw_lime_fit,
        alternatives=[ridge, ridge_as_least_squares],
        bugs=[
            PlantedBug(UNWEIGHTED, lambda m, s, w, p: ridge(m, s, 1 + 0 * w, p)),
            PlantedBug(
                "The intercept pays no penalty: reduce masks and scores by their weighted means first.",
                ridge_with_dear_intercept,
            ),
            PlantedBug(
                "There is no intercept: what does the model say where every feature is off?", ridge_without_intercept
            ),
            PlantedBug(
                "The squares are weighted: multiply by the root of the weight, or by the weight once.",
                lambda m, s, w, p: ridge(m, s, w**2, p),
            ),
            PlantedBug("The penalty is missing.", lambda m, s, w, _: ridge(m, s, w, 1e-10)),
            PlantedBug("Ordinary least squares have no penalty.", ridge_without_penalty),
            PlantedBug(
                "Take the weights as they are: made to add up to 1, they count too little beside the penalty.",
                lambda m, s, w, p: ridge(m, s, w / w.sum(), p),
            ),
            PlantedBug("The intercept belongs to the answer, before the coefficients.", lambda *a: ridge(*a)[1:]),
            PlantedBug("The intercept comes first.", lambda *a: np.roll(ridge(*a), -1)),
            PlantedBug(
                "Reduce by the weighted means: plain ones leave part of the intercept in.",
                lambda m, s, w, p: _ridge_around(m, s, w, p, m.mean(axis=0), s.mean()),
            ),
        ],
    ),
    Exercise(
        id="local-fidelity",
        title="Local fidelity",
        formula="R² = 1 − Σ weight · (score − fitted)² / Σ weight · (score − weighted mean)²",
        competences=["lime", "experiment"],
        reference=lime.local_fidelity,
        draw=draw_fidelity,
        alternatives=[fidelity, fidelity_by_library],
        bugs=[
            PlantedBug(UNWEIGHTED, lambda s, f, w: fidelity(s, f, 1 + 0 * w)),
            PlantedBug(
                "The mean in the denominator is weighted as well.", lambda s, f, w: fidelity(s, f, w, mean=s.mean())
            ),
            PlantedBug("This is the share that is missed. What is caught?", lambda s, f, w: 1 - fidelity(s, f, w)),
            PlantedBug(
                "A squared correlation forgives a wrong slope and a wrong sign.",
                lambda s, f, w: _correlation(s, f, w) ** 2,
            ),
            PlantedBug(
                "Compare with the mean of the scores, not with that of the fit.",
                lambda s, f, w: fidelity(s, f, w, mean=np.average(f, weights=w)),
            ),
        ],
    ),
]


def _ridge_around(masks, scores, weights, penalty, mean_mask, mean_score):
    centred = masks - mean_mask
    matrix = centred.T @ (weights[:, None] * centred) + penalty * np.eye(masks.shape[1])
    slopes = np.linalg.solve(matrix, centred.T @ (weights * (scores - mean_score)))
    return np.append(mean_score - mean_mask @ slopes, slopes)


def _correlation(scores, fitted, weights):
    a, b = (v - np.average(v, weights=weights) for v in (scores, fitted))
    spread = np.sum(weights * a**2) * np.sum(weights * b**2)
    return np.sum(weights * a * b) / np.sqrt(spread) if spread > 0 else 0.0
