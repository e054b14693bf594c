"""Whether an explanation that draws at random says the same when it draws again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.lime.explanation import LimeExplanation
from vitrina.explain.lime.fit import Floats
from vitrina.explain.request import positive_int
from vitrina.explain.similarity import size_rank_correlation

_INTERVAL = 1.96  # standard errors, on either side, of a 95 % confidence interval


@dataclass(frozen=True)
class SeedStability:
    """
    How explanations of the same instances with different seeds agree.

    Attributes
    ----------
    coefficients : tuple of arrays, shape (seeds, features); one per instance
        What each seed gave.
    deviations : tuple of arrays, shape (features,)
        Standard deviation of each coefficient over the seeds.
    vsi : array, shape (batch,)
        Variables stability index: which share of the leading features two seeds have in common.
    csi : array, shape (batch,)
        Coefficients stability index: how often the 95 % confidence intervals of two seeds overlap; NaN for explanations
        without standard errors.
    rank_agreement : array, shape (batch,)
        Spearman's correlation between the sizes of the coefficients of two seeds, all of them; NaN for one feature.
    """

    coefficients: tuple[Floats, ...]
    deviations: tuple[Floats, ...]
    vsi: Floats
    csi: Floats
    rank_agreement: Floats


def seed_stability(
    explain: Callable[[int], LimeExplanation | npt.ArrayLike],
    seeds: int | Sequence[int] = 10,
    *,
    leading: int = 5,
) -> SeedStability:
    """
    Explain the same instances with several seeds and compare each pair of explanations.

    The two indices of Visani et al. 2022, arXiv 2001.11757, from 0 to 1. The variables stability index compares which
    features lead. The coefficients stability index compares, for each feature that leads with two seeds, the confidence
    intervals of its coefficients; it is the mean over features. Both are needed: coefficients can be stable only
    because the intervals are wide.

    Parameters
    ----------
    explain
        Takes a seed and returns a LIME explanation with one target per instance, or an array (batch, ...) of any
        other method's attributions, such as `lambda seed: lime_tabular(model, inputs, 1, background=rows, seed=seed)`.
    seeds
        How many, from 0 up, or a list of at least two.
    leading
        How many features, those with the largest coefficients, an explanation is read for.

    Returns
    -------
    SeedStability
        Means over all pairs of seeds.

    Raises
    ------
    ValueError
        If there are fewer than two seeds, or the explanations are not alike.
    """
    chosen = list(range(seeds)) if isinstance(seeds, (int, np.integer)) else list(seeds)
    if len(chosen) < 2:
        raise ValueError(f"to compare explanations takes at least 2 seeds, got {seeds}")
    positive_int("leading", leading)
    found = [_read(explain(seed)) for seed in chosen]
    if len({tuple(part.shape for part in coefficients) for coefficients, _ in found}) != 1:
        raise ValueError("explain must return explanations of the same instances, whatever the seed")
    coefficients = tuple(map(np.stack, zip(*(one for one, _ in found), strict=True)))
    errors = tuple(map(np.stack, zip(*(one for _, one in found), strict=True)))
    chief = [_leads(values, leading) for values in coefficients]
    return SeedStability(
        coefficients,
        tuple(values.std(axis=0) for values in coefficients),
        np.array([_variables(leads) for leads in chief]),
        np.array([_overlaps(*one) for one in zip(coefficients, errors, chief, strict=True)]),
        np.array([_rank_agreement(values) for values in coefficients]),
    )


def _read(explained: Any) -> tuple[list[Floats], list[Floats]]:
    """Return the coefficients of each instance and their standard errors, NaN where there are none."""
    if isinstance(explained, LimeExplanation):
        coefficients, errors = list(explained.coefficients), list(explained.standard_errors)
    else:
        values = np.asarray(explained, np.float64)
        if values.ndim < 2:
            raise ValueError(f"explain must return attributions (batch, ...), got shape {values.shape}")
        coefficients = list(values.reshape(len(values), -1))
        errors = [np.full(one.shape, np.nan) for one in coefficients]
    if any(one.ndim != 1 for one in coefficients):
        raise ValueError("stability is judged for one target per instance, explain must ask for one")
    return coefficients, errors


def _leads(values: Floats, leading: int) -> npt.NDArray[np.bool_]:
    """Mark the features with the largest coefficients of each seed; those that are 0 never lead."""
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :leading]
    leads = np.zeros(values.shape, bool)
    np.put_along_axis(leads, order, values=True, axis=1)
    return leads & (values != 0)


def _variables(leads: npt.NDArray[np.bool_]) -> float:
    shared = [(one & other).sum() / max(1, one.sum(), other.sum()) for one, other in combinations(leads, 2)]
    return float(np.mean(shared)) if leads.any() else 1.0


def _overlaps(values: Floats, errors: Floats, leads: npt.NDArray[np.bool_]) -> float:
    low, high = values - _INTERVAL * errors, values + _INTERVAL * errors
    pairs = np.array(list(combinations(range(len(values)), 2))).T
    both = leads[pairs[0]] & leads[pairs[1]]
    overlap = (low[pairs[0]] <= high[pairs[1]]) & (low[pairs[1]] <= high[pairs[0]])
    compared = both.sum(axis=0)
    if np.isnan(errors).any() or not compared.any():
        return float("nan")
    shares = (both & overlap).sum(axis=0)[compared > 0] / compared[compared > 0]
    return float(shares.mean())


def _rank_agreement(values: Floats) -> float:
    if values.shape[1] < 2:
        return float("nan")
    one, other = (list(places) for places in zip(*combinations(range(len(values)), 2), strict=True))
    return float(size_rank_correlation(values[one], values[other]).mean())
