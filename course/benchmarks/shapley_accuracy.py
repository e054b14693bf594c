"""
How far estimates of Shapley values are from the exact ones, ours and shap's, at the same number of coalitions.

Prints JSON for `explainers.py`. The games are those of real models with 12 features: all 4,096 coalitions are evaluated
once, so an estimate costs nothing but its own arithmetic, and its error is that of the sampling alone. The numbers do
not depend on the machine.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_wine
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from vitrina.explain import interventional, kernel_shapley, permutation_shapley, shapley_values
from vitrina.explain.shapley.coalitions import all_coalitions

Values = npt.NDArray[np.float64]

FEATURES = 12
BUDGETS = (64, 128, 256, 512, 1024, 2048)
INSTANCES = 4
SEEDS = 5


def games() -> list[Values]:
    """Tables of what all coalitions of features are worth, for several samples of several models."""
    members = all_coalitions(FEATURES)
    tables: list[Values] = []
    for model, target, samples in models():
        game = interventional(model, samples[:INSTANCES], target, background=samples[-50:])
        tables += list(game(members).T)
    return tables


def models() -> list[tuple[Any, int, Values]]:
    """Forests and networks on wines, and on made-up data in which up to three features act together."""
    wine: Any = load_wine()
    order = np.random.default_rng(0).permutation(len(wine.data))
    wines, labels = StandardScaler().fit_transform(wine.data)[order, :FEATURES], wine.target[order]
    made_up = np.random.default_rng(1).standard_normal((1000, FEATURES))
    a, b, c, d, e, f, g, h, i, j, k, _ = made_up.T
    worth = a * b + np.sin(2 * c) + d**2 * e + np.maximum(f, g) + h - i * j * k / 2
    classifier = MLPClassifier(hidden_layer_sizes=(64, 64), max_iter=300, random_state=0)
    regressor = MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=300, random_state=0)
    return [
        (RandomForestClassifier(100, random_state=0).fit(wines, labels), 1, wines),
        (classifier.fit(wines, labels), 1, wines),
        (GradientBoostingRegressor(max_depth=5, random_state=0).fit(made_up, worth), 0, made_up),
        (regressor.fit(made_up, worth), 0, made_up),
    ]


def ours(table: Values, coalitions: int, seed: int) -> Values:
    """KernelSHAP of `vitrina.explain`."""
    return kernel_shapley(table, coalitions=coalitions, seed=seed).attributions


def permutations(table: Values, coalitions: int, seed: int) -> Values:
    """As many antithetic pairs of orders as the coalitions allow."""
    return permutation_shapley(table, pairs=coalitions // (2 * (FEATURES - 1)), seed=seed).attributions


def theirs(table: Values, coalitions: int, seed: int) -> Values:
    """KernelSHAP of shap without its selection of features; it draws from NumPy's global state."""
    import shap

    def game(members: Any) -> Values:
        return table[members.astype(int) @ (1 << np.arange(FEATURES))]

    explainer: Any = shap.KernelExplainer(game, np.zeros((1, FEATURES)))
    np.random.seed(seed)
    return explainer.shap_values(np.ones((1, FEATURES)), nsamples=coalitions, l1_reg=False, silent=True)[0]


METHODS: dict[str, Callable[[Values, int, int], Values]] = {
    "KernelSHAP": ours,
    "shap.KernelExplainer, l1_reg=False": theirs,
    "permutations, antithetic": permutations,
}


def relative_error(method: Callable[[Values, int, int], Values], tables: list[Values], coalitions: int) -> float:
    """Root mean square of the error over that of the exact values, averaged over games and seeds."""
    errors: list[float] = []
    for table in tables:
        exact = shapley_values(table)
        scale = np.linalg.norm(exact)
        errors += [float(np.linalg.norm(method(table, coalitions, s) - exact) / scale) for s in range(SEEDS)]
    return float(np.mean(errors))


def main() -> None:
    """Measure all methods at all budgets."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    tables = games()
    lines = [
        {"coalitions": budget, **{name: relative_error(method, tables, budget) for name, method in METHODS.items()}}
        for budget in BUDGETS
    ]
    print(json.dumps(lines))


if __name__ == "__main__":
    main()
