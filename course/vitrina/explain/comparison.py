"""Explainers compared over several seeds: means, spread, and which differences are larger than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.stats import ttest_rel

from vitrina.explain.coefficient import Coefficient, Definition
from vitrina.explain.performance import Numbers
from vitrina.explain.significance import holm

FEWEST_SEEDS = 5
"""On fewer, the order of two explainers is mostly luck."""


@dataclass(frozen=True)
class Comparison:
    """
    Coefficients of several explainers over several seeds.

    Attributes
    ----------
    names : tuple of str
        The explainers, the highest mean first.
    definition : Definition
        What the scores are.
    scores, percentiles : arrays, shape (explainers, seeds)
        Coefficients, and their percentiles among random orders.
    chance : array, shape (orders,)
        Coefficients of random orders, those of all seeds.
    full : array, shape (seeds,)
        Performance of the models that were explained.
    p_values : array, shape (explainers, explainers)
        How surprising the mean difference of two explainers would be if there were none but noise: paired t-tests over
        the seeds, corrected for their number by Holm's method. They know the noise between these splits and trainings,
        which share data: a fresh sample may vary more.
    """

    names: tuple[str, ...]
    definition: Definition
    scores: Numbers
    percentiles: Numbers
    chance: Numbers
    full: Numbers
    p_values: Numbers

    @property
    def means(self) -> Numbers:
        """Mean score of each explainer; shape (explainers,)."""
        return self.scores.mean(axis=1)

    @property
    def spreads(self) -> Numbers:
        """Standard deviation of each explainer's score over the seeds; shape (explainers,)."""
        return self.scores.std(axis=1, ddof=1)

    def better(self, one: str, other: str, *, level: float = 0.05) -> bool:
        """
        Tell whether one explainer's mean is higher than another's by more than noise.

        Parameters
        ----------
        one, other
            Names of explainers.
        level
            Largest p-value that counts as more than noise.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            If there is no explainer of that name.
        """
        for name in (one, other):
            if name not in self.names:
                raise ValueError(f"there is no explainer {name!r}: choose from {', '.join(self.names)}")
        first, second = self.names.index(one), self.names.index(other)
        return bool(self.means[first] > self.means[second] and self.p_values[first, second] < level)

    def __str__(self) -> str:
        width = max(map(len, self.names))
        rows = [
            f"{name:{width}s}  {mean:+.3f} ± {spread:.3f}   percentile {percentile:3.0f}   better than: "
            + (", ".join(other for other in self.names if self.better(name, other)) or "none by more than noise")
            for name, mean, spread, percentile in zip(
                self.names, self.means, self.spreads, self.percentiles.mean(axis=1), strict=True
            )
        ]
        head = f"{self.definition.name}, {len(self.full)} seeds, models with all features {self.full.mean():.3f}"
        return "\n".join([head, *rows])


def compare_explainers(
    coefficients: Mapping[str, Sequence[Coefficient]], *, definition: str | Definition | None = None
) -> Comparison:
    """
    Rank explainers by their coefficients over several seeds.

    Parameters
    ----------
    coefficients
        From the name of an explainer to its coefficients: one for each seed, the seeds in the same order, where a seed
        decides the split of the data, the training of the model and what the explainer draws.
    definition
        Another definition for the same curves; by default that of the coefficients.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If there are fewer than five seeds, or the coefficients do not belong together.
    """
    chosen = {
        name: [each if definition is None else each.under(definition) for each in several]
        for name, several in coefficients.items()
    }
    _check(chosen)
    names = sorted(chosen, key=lambda name: -float(np.mean([each.score for each in chosen[name]])))
    scores = np.array([[each.score for each in chosen[name]] for name in names])
    return Comparison(
        names=tuple(names),
        definition=chosen[names[0]][0].definition,
        scores=scores,
        percentiles=np.array([[each.percentile for each in chosen[name]] for name in names]),
        chance=np.concatenate([each.chance_scores for each in chosen[names[0]]]),
        full=np.array([each.full for each in chosen[names[0]]]),
        p_values=_p_values(scores),
    )


def _check(coefficients: Mapping[str, Sequence[Coefficient]]) -> None:
    if not coefficients:
        raise ValueError("there is no explainer to compare")
    counts = {name: len(several) for name, several in coefficients.items()}
    seeds = min(counts.values())
    if seeds < FEWEST_SEEDS:
        raise ValueError(
            f"{seeds} {'seed is' if seeds == 1 else 'seeds are'} too few to rank explainers: the order would mostly be "
            f"luck. Split, train and explain with {FEWEST_SEEDS} seeds at least"
        )
    if len(set(counts.values())) > 1:
        raise ValueError(f"explainers are compared seed by seed, so each needs equally many, got {counts}")
    if len({each.definition for several in coefficients.values() for each in several}) > 1:
        raise ValueError("coefficients of several definitions cannot be compared: name one definition for all")
    full = np.array([[each.full for each in several] for several in coefficients.values()])
    if not np.allclose(full, full[0], rtol=1e-6):
        raise ValueError(
            "explainers are compared seed by seed on the same model, data and performance, but their performance with "
            "all features differs"
        )


def _p_values(scores: Numbers) -> Numbers:
    """Compare every pair, corrected for the number of pairs."""
    pairs = list(combinations(range(len(scores)), 2))
    corrected = holm([_p_value(scores[one], scores[other]) for one, other in pairs])
    table = np.ones((len(scores), len(scores)))
    for (one, other), value in zip(pairs, corrected, strict=True):
        table[one, other] = table[other, one] = value
    return table


def _p_value(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    difference = one - other
    if np.ptp(difference) < 1e-12:  # the same at every seed: no noise to compare with
        return 1.0 if abs(difference[0]) < 1e-12 else 0.0
    return float(ttest_rel(one, other).pvalue)
