"""Inclusion curves: how well a model does if it sees only the k most relevant features, and only the k least relevant.

Features are hidden behind a background (a mask), or a new model is trained without them. A feature may be a column, a
pixel with its channels, or a group of them: a superpixel, a word, the columns of one category.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.compiling import slices
from vitrina.explain.feature_groups import FeatureGroups, Ranks
from vitrina.explain.hiding import Masked, Retrained, Retraining
from vitrina.explain.masking import Masks
from vitrina.explain.performance import Measure, Numbers, Performance
from vitrina.explain.perturbing import step_counts

_MASKS = 1 << 23  # values of masks that are held at once


@dataclass(frozen=True)
class InclusionCurves:
    """
    Performance against the number of features that are kept, from both ends of a ranking.

    Attributes
    ----------
    kept : array of int, shape (points,)
        Number of features kept, from 0 to all. Where samples have different numbers of groups: of the largest.
    first, last : arrays, shape (..., points)
        Performance with the most relevant kept first, and with the least relevant; axes before are other rankings.
    none : float
        Performance of who knows no feature: what counts as nothing retained.
    """

    kept: npt.NDArray[np.int32]
    first: Numbers
    last: Numbers
    none: float

    @property
    def shares(self) -> Numbers:
        """Share of the features that are kept, k / d; shape (points,)."""
        return self.kept / self.kept[-1]

    @property
    def full(self) -> float:
        """Performance with all features."""
        return float(self.first.flat[-1])

    @property
    def first_retained(self) -> Numbers:
        """Share of the performance that the most relevant features retain, from 0 to 1; shape of `first`."""
        return self._retained(self.first)

    @property
    def last_retained(self) -> Numbers:
        """Share of the performance that the least relevant features retain, from 0 to 1; shape of `last`."""
        return self._retained(self.last)

    def _retained(self, performance: Numbers) -> Numbers:
        """Compute r(k) = (P(k) - P_0) / (P_full - P_0), cut off below 0 and above 1."""
        return np.clip((performance - self.none) / (self.full - self.none), 0, 1)


def inclusion_curves(
    model: Any,
    inputs: Any,
    labels: npt.ArrayLike,
    relevance: npt.ArrayLike,
    *,
    background: Any,
    performance: str | Performance = "skill",
    groups: npt.ArrayLike | None = None,
    channels: bool | None = None,
    steps: int | None = None,
    seed: int = 0,
) -> InclusionCurves:
    """
    Measure how well a model does with only the most relevant, and only the least relevant features.

    Parameters
    ----------
    model : keras.Model, estimator, callable or Retraining
        What `vitrina.explain.black_box.scoring` takes. A Keras model is asked for probabilities (but for
        `performance="r_squared"`, as it is). Or a `Retraining`, for a new model at every point.
    inputs : array or pandas frame, shape (n, ...)
        Samples that the model was not trained on.
    labels : array, shape (n,)
        What is true of them: classes as the model calls them, or numbers.
    relevance : array
        One ranking for all samples, shape of a sample, or one for each, shape of inputs; also by group, (groups,) or
        (n, groups). Only the order matters: more is more relevant. For a global ranking that is usually the mean size
        of attributions; local ones are taken with their sign, for the class that the model decides for. (Explaining
        the label would give it away.) Equal relevance is put in order by chance, the same way in both directions.
    background : array or pandas frame, shape (m, ...) or that of a sample
        What is seen in place of hidden features, such as the mean of the training data. Of several rows the model's
        outputs are averaged.
    performance
        "skill", "accuracy", "auc", "r_squared", or a function of labels and outputs (n, outputs), more being better.
    groups : array of int, optional
        Features with the same number are kept or hidden together, and their relevances are added up; a negative number
        is never hidden. Shape of a sample without its channels, or with the samples before it where they differ, as
        superpixels do.
    channels
        Whether the last axis holds channels, which are one feature; by default so where a sample has several axes.
    steps
        How many points the curve has after the first; by default one for each feature, but 50 at most.
    seed
        Orders features of equal relevance, and is handed to a retraining.

    Returns
    -------
    InclusionCurves
        `first` and `last` of shape (points,).

    Raises
    ------
    ValueError
        If the arguments do not fit each other, or the model with all features is no better than one without.
    """
    inclusion = Inclusion(
        model, inputs, labels, background, performance, groups=groups, channels=channels, steps=steps, seed=seed
    )
    return inclusion.curves(inclusion.relevance(relevance))


class Inclusion:
    """A model with its data, ready to be asked for the inclusion curves of many rankings."""

    def __init__(
        self,
        model: Any,
        inputs: Any,
        labels: npt.ArrayLike,
        background: Any,
        performance: str | Performance,
        *,
        groups: npt.ArrayLike | None,
        channels: bool | None,
        steps: int | None,
        seed: int,
    ) -> None:
        """Take the arguments of `inclusion_curves`."""
        raw = performance == "r_squared"
        if isinstance(model, Retraining):
            self._outputs = Retrained(model, inputs, background, raw=raw, seed=seed)
        else:
            self._outputs = Masked(model, inputs, background, raw=raw)
        self._groups = FeatureGroups(self._outputs.inputs, groups, channels)
        self._counts = step_counts(self._groups.count, steps)
        self._mixed = np.random.default_rng(seed).permutation(self._groups.count)
        whole = self._outputs(self._groups.visible(np.ones((1, 1, self._groups.count), bool)))
        self._measure = Measure(performance, labels, self._outputs.classes)
        self._ends = self._performances(np.zeros((1, 1, self._groups.count), bool))[0], self._measure(whole)[0]
        constant = self._measure.without_features(whole.shape[-1])
        self._none = float(self._ends[0] if constant is None else constant)
        if not self._ends[1] > self._none:
            raise ValueError(
                f"the model with all features ({self._ends[1]:.3g}) is no better than an answer without any "
                f"({self._none:.3g}): there is no performance that features could retain"
            )

    def relevance(self, relevance: npt.ArrayLike) -> Numbers:
        """Return the relevance of each group, shape (1 or n, groups)."""
        return self._groups.relevance(relevance)

    def curves(self, relevance: Numbers) -> InclusionCurves:
        """Follow one ranking, or several, (rankings, 1 or n, groups), from both ends."""
        several = relevance.reshape(-1, *relevance.shape[-2:])
        points = len(self._counts)
        together = max(1, _MASKS // (2 * points * several[0].size))
        parts = [self._both_ends(several[piece]) for piece in slices(len(several), together)]
        first, last = (np.concatenate(end).reshape(*relevance.shape[:-2], points) for end in zip(*parts, strict=True))
        return InclusionCurves(self._counts, first, last, self._none)

    def chance(self, relevance: Numbers, orders: int, seed: int) -> InclusionCurves:
        """
        Follow random rankings: of each sample its own, if `relevance` is such; shape (orders, points).

        Every second one is the one before it turned round. That costs nothing, as its curves are known, and makes
        their mean contrast 0 as it should be.
        """
        generator = np.random.default_rng(seed)
        together = max(1, _MASKS // relevance.size)
        pairs = range((orders + 1) // 2)
        parts = [
            self.curves(generator.random((len(pairs[piece]), *relevance.shape)))
            for piece in slices(len(pairs), together)
        ]
        first, last = (np.concatenate([getattr(part, end) for part in parts]) for end in ("first", "last"))
        there, back = (np.stack(ends, axis=1).reshape(-1, first.shape[1]) for ends in ((first, last), (last, first)))
        return InclusionCurves(self._counts, there[:orders], back[:orders], self._none)

    def _both_ends(self, relevance: Numbers) -> tuple[Numbers, Numbers]:
        ranked = np.concatenate(self._groups.ranks(relevance, self._mixed))
        inner = self._inner(ranked)
        ends = [np.full((len(ranked), 1), end) for end in self._ends]
        first, last = np.split(np.hstack([ends[0], inner, ends[1]]), 2)
        return first, last

    def _inner(self, ranked: Ranks) -> Numbers:
        """Measure between none and all; samples with fewer groups keep the same share of them."""
        shares = self._counts[1:-1, np.newaxis] / self._groups.count
        counts = np.rint(shares * self._groups.sizes).astype(np.int32)[..., np.newaxis]
        if ranked.shape[1] > 1:
            return np.stack([self._of_each_sample(ranking, counts) for ranking in ranked])
        kept = (ranked[:, np.newaxis] < counts).reshape(-1, 1, self._groups.count)
        packed, first, again = np.unique(np.packbits(kept, axis=-1), axis=0, return_index=True, return_inverse=True)
        del packed  # the same few features are kept by many rankings
        return self._performances(kept[first])[again.reshape(len(ranked), -1)]

    def _of_each_sample(self, ranking: Ranks, counts: npt.NDArray[np.int32]) -> Numbers:
        pieces = slices(len(counts), max(1, _MASKS // ranking.size))
        return np.concatenate([self._performances(ranking < counts[points]) for points in pieces])

    def _performances(self, kept: Masks) -> Numbers:
        if not len(kept):
            return np.empty(0)
        size = self._outputs.inputs[0].size * kept.shape[1]
        return np.concatenate(
            [
                self._measure(self._outputs(self._groups.visible(kept[piece])))
                for piece in slices(len(kept), max(1, _MASKS // size))
            ]
        )
