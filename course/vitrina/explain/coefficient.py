"""Explainability-performance coefficient: few features that keep the performance, as one number for an explanation.

Oliva and Lago-Fernández 2026 (arXiv 2607.29614) score an explanation by how it balances the sparsity of the features
that it selects against the performance that they preserve. What stands here is a *working definition* after that
abstract, in three forms; a `Definition` of one's own replaces them everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.inclusion import Inclusion, InclusionCurves
from vitrina.explain.performance import Numbers, Performance
from vitrina.explain.shapley.players import Groups


@dataclass(frozen=True)
class Definition:
    """
    What makes one number of inclusion curves.

    Attributes
    ----------
    name : str
        How it is called in tables.
    formula : str
        With r(k) the share of the performance that the k most relevant features retain, out of d.
    score : callable
        Takes `InclusionCurves` of shape (..., points) and returns an array of shape (...).
    """

    name: str
    formula: str
    score: Callable[[InclusionCurves], npt.ArrayLike]


def balances(curves: InclusionCurves) -> Numbers:
    """
    Balance sparsity s(k) = 1 - k/d and retained performance r(k) at each k by their harmonic mean 2 s r / (s + r).

    Parameters
    ----------
    curves
        Of shape (..., points).

    Returns
    -------
    array, shape (..., points)
        0 where both are 0.
    """
    sparsity, retained = 1 - curves.shares, curves.first_retained
    total = sparsity + retained
    return np.divide(2 * sparsity * retained, total, out=np.zeros(total.shape), where=total > 0)


def _operating_point(curves: InclusionCurves) -> npt.ArrayLike:
    return balances(curves).max(axis=-1)


def _area(curves: InclusionCurves) -> npt.ArrayLike:
    return np.trapezoid(curves.first_retained, curves.shares, axis=-1)


def _contrast(curves: InclusionCurves) -> npt.ArrayLike:
    return np.trapezoid(curves.first_retained - curves.last_retained, curves.shares, axis=-1)


DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {
        each.name: each
        for each in (
            Definition("operating point", "max over k of 2 s r / (s + r), s(k) = 1 - k/d", _operating_point),
            Definition("area", "integral of r(k) over k/d", _area),
            Definition("contrast", "integral of r(k) - (the same of the k least relevant) over k/d", _contrast),
        )
    }
)
"""The three forms of the working definition, by name."""


@dataclass(frozen=True)
class Coefficient:
    """
    The coefficient of one explanation, with all that is needed to read it.

    Attributes
    ----------
    definition : Definition
        What `score` is.
    curves : InclusionCurves, shape (points,)
        Of the explanation.
    chance : InclusionCurves, shape (orders, points)
        Of random orders of the same features.
    """

    definition: Definition
    curves: InclusionCurves
    chance: InclusionCurves

    @property
    def score(self) -> float:
        """The coefficient: more is better."""
        return float(np.asarray(self.definition.score(self.curves)))

    @property
    def chance_scores(self) -> Numbers:
        """The coefficients of the random orders; shape (orders,)."""
        return np.asarray(self.definition.score(self.chance), float)

    @property
    def percentile(self) -> float:
        """Per cent of the random orders that score less; an equal score counts half."""
        scores, own = self.chance_scores, self.score
        tolerance = 1e-9 * max(1.0, abs(own))  # equal curves, added up in another order
        equal = np.abs(scores - own) <= tolerance
        return float(100 * np.mean(np.where(equal, 0.5, scores < own)))

    @property
    def full(self) -> float:
        """Performance of the model with all features: what there is to explain."""
        return self.curves.full

    @property
    def best_kept(self) -> int:
        """The number of features k* at which sparsity and retained performance balance best, the fewest of equal."""
        return int(self.curves.kept[np.argmax(balances(self.curves))])

    def under(self, definition: str | Definition) -> Coefficient:
        """
        Score the same curves by another definition.

        Parameters
        ----------
        definition
            A name in `DEFINITIONS`, or one's own.

        Returns
        -------
        Coefficient

        Raises
        ------
        ValueError
            If there is no definition of that name.
        """
        return replace(self, definition=_definition(definition))

    def __str__(self) -> str:
        scores = self.chance_scores
        return (
            f"{self.definition.name} {self.score:.3f} (random orders {scores.mean():.3f} ± {scores.std():.3f}, "
            f"percentile {self.percentile:.0f}; k* = {self.best_kept} of {self.curves.kept[-1]}; "
            f"model with all features {self.full:.3f})"
        )


def explainability_performance(
    model: Any,
    inputs: Any,
    labels: npt.ArrayLike,
    relevance: npt.ArrayLike,
    *,
    background: Any,
    definition: str | Definition = "contrast",
    performance: str | Performance = "skill",
    groups: Groups | None = None,
    channels: bool | None = None,
    steps: int | None = None,
    orders: int = 100,
    seed: int = 0,
) -> Coefficient:
    """
    Explainability-performance coefficient of an explanation (a working definition).

    Let P(k) be the performance with the k most relevant of d features, P_0 that of the best answer without any, and
    r(k) = (P(k) - P_0) / (P(d) - P_0), cut off below 0 and above 1, what the k features retain. The forms are

    - "contrast": the area under r over k/d minus the same with the *least* relevant first. From -1 to 1; a random
      order has 0 on average, and a ranking turned round has minus the score. The one to compare explainers by.
    - "area": the area under r, from 0 to 1.
    - "operating point": the best balance 2 s r / (s + r) with the sparsity s(k) = 1 - k/d, from 0 to 1.

    Random orders have much in the last two, and least where few features do as well as many: so their scores always
    come beside. One score says little: compare explainers over several seeds by `compare_explainers`.

    Parameters
    ----------
    model, inputs, labels, relevance, background, performance, groups, channels, steps
        As for `inclusion_curves`. P_0 is the performance of the frequencies of the classes (of the mean, in a
        regression); with a function of one's own, that of the model when all features are hidden.
    definition
        A name in `DEFINITIONS`, or one's own.
    orders
        Random orders to compare with, half of them the others turned round; if samples have rankings of their own,
        each sample's is drawn for itself.
    seed
        Draws the random orders, and orders features of equal relevance.

    Returns
    -------
    Coefficient
        With the score, its percentile among the random orders, their scores, the full model's performance and k*.

    Raises
    ------
    ValueError
        If the arguments do not fit each other, or the model with all features is no better than one without.
    """
    return explainability_performances(
        model,
        inputs,
        labels,
        {"": relevance},
        background=background,
        definition=definition,
        performance=performance,
        groups=groups,
        channels=channels,
        steps=steps,
        orders=orders,
        seed=seed,
    )[""]


def explainability_performances(
    model: Any,
    inputs: Any,
    labels: npt.ArrayLike,
    relevances: Mapping[str, npt.ArrayLike],
    *,
    background: Any,
    definition: str | Definition = "contrast",
    performance: str | Performance = "skill",
    groups: Groups | None = None,
    channels: bool | None = None,
    steps: int | None = None,
    orders: int = 100,
    seed: int = 0,
) -> dict[str, Coefficient]:
    """
    Explainability-performance coefficients of several explanations of one model, which share the random orders.

    Each is what `explainability_performance` returns for it alone, but most of the work is done once.

    Parameters
    ----------
    relevances
        From the name of an explainer to its relevances.
    model, inputs, labels, background, definition, performance, groups, channels, steps, orders, seed
        As for `explainability_performance`.

    Returns
    -------
    dict of Coefficient
        By explainer.

    Raises
    ------
    ValueError
        If the arguments do not fit each other, or the model with all features is no better than one without.
    """
    chosen = _definition(definition)
    if orders < 1:
        raise ValueError(
            f"a score means nothing without random orders beside it: orders must be at least 1, got {orders}"
        )
    inclusion = Inclusion(
        model, inputs, labels, background, performance, groups=groups, channels=channels, steps=steps, seed=seed
    )
    rankings = {name: inclusion.relevance(relevance) for name, relevance in relevances.items()}
    shapes = {ranking.shape: ranking for ranking in rankings.values()}
    chance = {shape: inclusion.chance(ranking, orders, seed) for shape, ranking in shapes.items()}
    return {
        name: Coefficient(chosen, inclusion.curves(ranking), chance[ranking.shape])
        for name, ranking in rankings.items()
    }


def _definition(definition: str | Definition) -> Definition:
    if isinstance(definition, Definition):
        return definition
    if definition not in DEFINITIONS:
        raise ValueError(f"unknown definition {definition!r}: choose from {', '.join(DEFINITIONS)}, or give your own")
    return DEFINITIONS[definition]
