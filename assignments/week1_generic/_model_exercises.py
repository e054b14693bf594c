"""Part B: exercises on the Shapley values of a model, sampling and KernelSHAP."""

import math

import numpy as np

from vitrina.properties import PROPERTY_HINTS
from vitrina_autograder.exercise import Exercise, PlantedBug
from vitrina_solutions import shapley_models

from ._answers import (
    BY_PLACE,
    FIRST_SAMPLE_ONLY,
    banzhaf,
    by_dividends,
    fit_and_spread_the_rest,
    fit_by_heavy_ends,
    fit_by_multiplier,
    fit_without_condition,
    interval,
    interval_by_coin_flips,
    interval_without_draws,
    kernel_weights,
    kernel_weights_at_once,
    of_features,
    of_features_at_once,
    orders_as_places,
    sampled,
    sampled_with_running_sums,
    shapley_weight,
    worth_by_loop,
    worth_of_mean,
    worth_turned_round,
)
from ._drawing_models import (
    draw_coalition_value,
    draw_features,
    draw_interval,
    draw_kernel_fit,
    draw_kernel_weights,
    draw_linear,
    draw_sampling,
)

MEAN_FIRST = "You asked the model about the average row. Ask it about every row, and average what it says."
KNOWN_FROM_SAMPLE = "Known features come from the sample, all others from the background: yours are swapped."
ONE_ROW = "Every row of the background counts, not only the first."
ZEROS = "What is not known comes from the background; 0 is a value like any other."

_kernel = shapley_models.kernel_shap_weights
_fit = shapley_models.kernel_shap_fit

MODEL_EXERCISES = [
    Exercise(
        id="coalition-value",
        title="What a coalition of features is worth",
        formula="v(S) = mean over the background of f_c(x_S, b_rest)",
        competences=["value functions", "batch computation"],
        reference=shapley_models.coalition_value,
        draw=draw_coalition_value,
        alternatives=[worth_by_loop, lambda f, x, c, b, S: _worth_of_copies(f, x, c, b, S)],
        bugs=[
            PlantedBug(MEAN_FIRST, worth_of_mean),
            PlantedBug(KNOWN_FROM_SAMPLE, worth_turned_round),
            PlantedBug(ZEROS, lambda f, x, c, b, S: worth_by_loop(f, x, c, 0 * b[:1], S)),
            PlantedBug(ONE_ROW, lambda f, x, c, b, S: worth_by_loop(f, x, c, b[:1], S)),
            PlantedBug(
                "Only the target's output counts, not the mean of all outputs.",
                lambda f, x, c, b, S: np.mean(f(np.where(np.isin(np.arange(len(x)), S), x, b))),
            ),
            PlantedBug(
                "This is what S adds to knowing nothing. v(S) itself is asked; v(∅) need not be 0.",
                lambda f, x, c, b, S: worth_by_loop(f, x, c, b, S) - worth_by_loop(f, x, c, b, []),
            ),
        ],
    ),
    Exercise(
        id="shapley-of-features",
        title="Shapley values of features",
        formula="φ_i(x) = Shapley value of player i in the game v(S) = mean f_c(x_S, b_rest)",
        competences=["shapley values", "value functions"],
        reference=shapley_models.shapley_of_features,
        draw=draw_features,
        alternatives=[of_features, lambda *a: of_features(*a, shapley=by_dividends), of_features_at_once],
        bugs=[
            PlantedBug(MEAN_FIRST, lambda *a: of_features(*a, worth=worth_of_mean)),
            PlantedBug(ONE_ROW, lambda f, x, c, b: of_features(f, x, c, b[:1])),
            PlantedBug(ZEROS, lambda f, x, c, b: of_features(f, x, c, 0 * b[:1])),
            PlantedBug(FIRST_SAMPLE_ONLY, lambda *a: of_features(*a)[0]),
            PlantedBug(
                "These are Banzhaf's values: with more than two features they do not add up. Weigh each coalition.",
                lambda *a: of_features(*a, shapley=banzhaf),
            ),
            PlantedBug(
                "Explain the output `target`, which is not always 0.", lambda f, x, c, b: of_features(f, x, 0, b)
            ),
            PlantedBug(
                "Each sample plays a game of its own: you explained all by the first one's.",
                lambda f, x, c, b: np.repeat(of_features(f, x[:1], c, b), len(x), axis=0),
            ),
            PlantedBug(
                "You explained all by the last sample's game. A lambda made in a loop looks at the loop's last value.",
                lambda f, x, c, b: np.repeat(of_features(f, x[-1:], c, b), len(x), axis=0),
            ),
        ],
    ),
    Exercise(
        id="linear-shapley",
        title="Shapley values of a linear model",
        formula="φ_i(x) = w_i · (x_i − mean of feature i over the background)",
        competences=["shapley values", "value functions"],
        reference=shapley_models.linear_shapley,
        draw=draw_linear,
        alternatives=[
            lambda w, x, b: x * w - (b * w).mean(axis=0),
            lambda w, x, b: of_features(lambda rows: (rows @ w)[:, None], x, 0, b),
        ],
        bugs=[
            PlantedBug(
                "A weight times a value is no difference from anything: subtract the mean.", lambda w, x, b: w * x
            ),
            PlantedBug("The sign is turned: sample − mean.", lambda w, x, b: w * (b.mean(axis=0) - x)),
            PlantedBug(
                "Each feature has a mean of its own: average over the rows.", lambda w, x, b: w * (x - b.mean())
            ),
            PlantedBug(
                "The mean is right, not the median: the model's mean over the background has to come out.",
                lambda w, x, b: w * (x - np.median(b, axis=0)),
            ),
            PlantedBug(
                "The weights know the features' sizes already: do not divide by a standard deviation.",
                lambda w, x, b: w * (x - b.mean(axis=0)) / (b.std(axis=0) + (b.std(axis=0) == 0)),
            ),
            PlantedBug(
                "The means of the samples themselves do not matter, but those of the background.",
                lambda w, x, _: w * (x - x.mean(axis=0)),
            ),
        ],
    ),
    Exercise(
        id="sampled-shapley",
        title="Permutation sampling",
        formula="mean over the orders of what i adds; below it s / √m, s with m − 1",
        competences=["shapley values", "sampling"],
        reference=shapley_models.sampled_shapley,
        draw=draw_sampling,
        alternatives=[sampled, sampled_with_running_sums],
        bugs=[
            PlantedBug(
                "This is the spread of the contributions. The mean of m of them varies less, by √m.",
                lambda *a: sampled(*a, spread=_spread),
            ),
            PlantedBug(
                "The spread is divided by √m, not by m.", lambda *a: sampled(*a, spread=lambda c: _spread(c) / len(c))
            ),
            PlantedBug(
                "The errors are missing: estimates in the first row, their errors below.", lambda *a: sampled(*a)[0]
            ),
            PlantedBug(BY_PLACE, lambda *a: sampled(*a, by_place=True)),
            PlantedBug(
                "Divide by m − 1 in the standard deviation: the mean comes from the same draws.",
                lambda *a: sampled(*a, spread=lambda c: c.std(axis=0) / math.sqrt(len(c))),
            ),
            PlantedBug(
                "This is the variance of the mean. Its root is the standard error.",
                lambda *a: sampled(*a, spread=lambda c: c.var(axis=0, ddof=1) / len(c)),
            ),
            PlantedBug(
                "A row says who comes first, who second, ...; you read at which place each player comes.",
                orders_as_places,
            ),
            PlantedBug(
                "These are worths. A player is due what the worth grows by on entering.",
                lambda *a: sampled(*a, added=lambda after, _: after),
            ),
            PlantedBug("Estimates in the first row, their errors in the second.", lambda *a: sampled(*a)[::-1]),
        ],
    ),
    Exercise(
        id="shapley-interval",
        title="A confidence interval",
        formula="estimate ± 1.96 · s / √m from m orders drawn at random",
        competences=["shapley values", "sampling"],
        reference=shapley_models.shapley_interval,
        draw=draw_interval,
        by_properties=True,
        alternatives=[
            interval,
            lambda *a: interval(*a, spread=lambda c: c.std(axis=0) / math.sqrt(len(c))),
            lambda *a: interval(*a, draw=_shuffled),
            lambda *a: interval(*a, reach=1.959964),
        ],
        bugs=[
            PlantedBug(PROPERTY_HINTS["the intervals lie around the Shapley values"], interval_by_coin_flips),
            PlantedBug(
                PROPERTY_HINTS["the intervals are as wide as they should be"],
                lambda *a: interval(*a, spread=lambda c: c.std(axis=0, ddof=1)),
            ),
            PlantedBug(
                PROPERTY_HINTS["the intervals are as wide as they should be"], lambda *a: interval(*a, reach=1.96**2)
            ),
            PlantedBug(
                PROPERTY_HINTS["the intervals are as wide as they should be"], lambda *a: interval(*a, reach=1.645)
            ),
            PlantedBug(PROPERTY_HINTS["the intervals come from drawn orders"], interval_without_draws),
            PlantedBug(PROPERTY_HINTS["an interval for each player"], lambda *a: interval(*a).T),
            PlantedBug(PROPERTY_HINTS["an interval for each player"], lambda *a: interval(*a)[:, ::-1]),
        ],
    ),
    Exercise(
        id="kernel-shap-weights",
        title="KernelSHAP's weights",
        formula="(n − 1) / (C(n, s) · s · (n − s)), and 0 for s = 0 and s = n",
        competences=["shapley values"],
        reference=shapley_models.kernel_shap_weights,
        draw=draw_kernel_weights,
        alternatives=[kernel_weights, kernel_weights_at_once],
        bugs=[
            PlantedBug(
                "The coalitions of nobody and of everybody become conditions: here their weight is 0.",
                lambda m: kernel_weights(m, ends=1e6),
            ),
            PlantedBug("Nobody and everybody have the weight 0 here, not 1.", lambda m: kernel_weights(m, ends=1.0)),
            PlantedBug(
                "For nobody and everybody the formula divides by 0: here their weight is 0.",
                lambda m: kernel_weights(m, ends=np.inf),
            ),
            PlantedBug(
                "C(n, s) is missing: the weight is shared among all coalitions of that size.",
                lambda m: kernel_weights(m, shape=lambda n, s: (n - 1) / (s * (n - s))),
            ),
            PlantedBug(
                "The numerator is n − 1, not n.",
                lambda m: kernel_weights(m, shape=lambda n, s: n / (math.comb(n, s) * s * (n - s))),
            ),
            PlantedBug(
                "These are the weights of Shapley's formula. KernelSHAP's are another kernel, which leads to the same.",
                lambda m: kernel_weights(m, shape=lambda n, s: shapley_weight(s, n)),
            ),
            PlantedBug(
                "The numerator n − 1 is missing.",
                lambda m: kernel_weights(m, shape=lambda n, s: 1 / (math.comb(n, s) * s * (n - s))),
            ),
            PlantedBug(
                "s · (n − s) is a product: a coalition weighs as much as its complement.",
                lambda m: kernel_weights(m, shape=lambda n, s: (n - 1) / (math.comb(n, s) * s)),
            ),
        ],
    ),
    Exercise(
        id="kernel-shap-fit",
        title="KernelSHAP's fit",
        formula="min over φ of Σ weight · (v(S) − v(∅) − Σ_{i in S} φ_i)², with Σ φ_i = v(N) − v(∅)",
        competences=["shapley values", "weighted fits"],
        reference=_fit,
        draw=draw_kernel_fit,
        alternatives=[fit_by_multiplier, fit_by_heavy_ends],
        bugs=[
            PlantedBug("The condition is missing: the values must add up to v(N) − v(∅).", fit_without_condition),
            PlantedBug(
                "The condition takes part in the fit: do not fit without it and spread the rest afterwards.",
                fit_and_spread_the_rest,
            ),
            PlantedBug(
                "The weights are missing: all coalitions count alike.",
                lambda m, v, w, *ends: _fit(m, v, 1 + 0 * w, *ends),
            ),
            PlantedBug(
                "The square is weighted: multiply rows and goals by the root of the weight, not by the weight.",
                lambda m, v, w, *ends: _fit(m, v, w**2, *ends),
            ),
            PlantedBug(
                "Values share out what is gained over v(∅): subtract it from the worths and from v(N).",
                lambda m, v, w, empty, full: _fit(m, v, w, 0.0, full),
            ),
            PlantedBug(
                "Subtract v(∅) from the worths of the coalitions too, not only from v(N).",
                lambda m, v, w, empty, full: _fit(m, v + empty, w, empty, full),
            ),
        ],
    ),
]


def _spread(contributions):
    return contributions.std(axis=0, ddof=1)


def _worth_of_copies(model, sample, target, background, coalition):
    mixed = background.copy()
    mixed[:, coalition] = sample[coalition]
    return model(mixed).mean(axis=0)[target]


def _shuffled(rng, draws, players):
    return np.array([rng.permutation(players) for _ in range(draws)])
