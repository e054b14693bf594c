"""Features that are kept or hidden together: single columns, pixels with their channels, superpixels, words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.masking import Masks
from vitrina.explain.performance import Numbers
from vitrina.explain.perturbing import has_channels, ranks
from vitrina.explain.shapley.players import Groups, player_of_each_value

Ranks = npt.NDArray[np.int32]


class FeatureGroups:
    """
    The groups of some samples: the same for all of them, or others for each.

    Attributes
    ----------
    count : int
        How many groups the sample with the most has.
    sizes : array of int, shape (1,) or (n,)
        How many groups there are, in all samples or in each.
    """

    def __init__(
        self, inputs: npt.NDArray[Any], groups: Groups | None, channels: bool | None, columns: list[Any] | None = None
    ) -> None:
        """
        Number the groups.

        Parameters
        ----------
        inputs : array, shape (n, ...)
            The samples.
        groups : optional
            Which features belong together, as for `inclusion_curves`. By default each feature is a group.
        channels
            Whether the last axis holds channels, as for `has_channels`.
        columns
            Their names, where samples came as a pandas frame.

        Raises
        ------
        ValueError
            If groups do not fit the inputs.
        """
        self._channels, self._shape = has_channels(inputs, channels), inputs.shape
        places = inputs.shape[1:-1] if self._channels else inputs.shape[1:]
        given = _numbers(groups, places, columns)
        if given.shape not in (places, (len(inputs), *places)) or given.dtype.kind not in "iu":
            raise ValueError(
                f"groups must be ints of the shape {places}, or {(len(inputs), *places)} if samples differ, got shape "
                f"{given.shape} of {given.dtype}"
            )
        rows = given.reshape(1 if given.shape == places else len(inputs), -1)
        numbered = [_numbered(row) for row in rows]
        self._places = places
        self._of = np.stack(numbered)
        self.sizes = self._of.max(axis=1, initial=-1) + 1
        self.count = int(self.sizes.max(initial=0))
        if not np.all(self.sizes > 0):
            raise ValueError("each sample needs one group at least: where a group's number is negative, it is none")

    def visible(self, kept: Masks) -> Masks:
        """
        Spread masks of groups over the features.

        Parameters
        ----------
        kept : array of bool, shape (masks, rows, groups)
            With one row for all samples, or one for each.

        Returns
        -------
        array of bool, shape (masks, rows, ...)
            Broadcasts to the samples.
        """
        always = np.concatenate([kept, np.ones((*kept.shape[:-1], 1), bool)], axis=-1)  # -1, no group, is the last
        rows = max(kept.shape[1], len(self._of))
        spread = np.take_along_axis(
            np.broadcast_to(always, (len(kept), rows, always.shape[-1])), self._of[np.newaxis], axis=-1
        )
        return spread.reshape(len(kept), rows, *self._places, *[1] * self._channels)

    def relevance(self, relevance: npt.ArrayLike) -> Numbers:
        """
        Return the relevance of each group, the sum of its features'.

        Parameters
        ----------
        relevance : array
            Shape of a sample or of all samples, or by group: (groups,) or (n, groups).

        Returns
        -------
        array, shape (rows, groups)
            With one row if there is one ranking for all samples.

        Raises
        ------
        ValueError
            If it has another shape or is not finite.
        """
        values = np.asarray(relevance)
        if values.dtype.kind not in "fiub" or not np.all(np.isfinite(values)):
            raise ValueError("relevance must be an array of finite numbers, such as the attributions of an explanation")
        if values.shape in (self._shape, self._shape[1:]):
            return self._summed(values.astype(float))
        if values.shape in ((self.count,), (self._shape[0], self.count)):
            return values.reshape(-1, self.count).astype(float)
        raise ValueError(
            f"relevance must have the shape of a sample, {self._shape[1:]}, or of inputs, {self._shape}, or one number "
            f"for each of the {self.count} groups, got {values.shape}"
        )

    def ranks(self, relevance: Numbers, mixed: npt.NDArray[np.integer[Any]]) -> tuple[Ranks, Ranks]:
        """
        Rank the groups: 0 is the most relevant, and in the second array the least relevant.

        Parameters
        ----------
        relevance : array, shape (rankings, rows, groups)
            Of each group.
        mixed : array of int, shape (groups,)
            The order of groups of equal relevance, in both directions.

        Returns
        -------
        pair of arrays of int32, shape (rankings, rows, groups)
            Groups that a sample does not have come last.
        """
        missing = np.arange(self.count) >= self.sizes[:, np.newaxis]
        first, last = (
            _ranks(np.where(missing, never, relevance)[..., mixed], order)[..., np.argsort(mixed)]
            for order, never in (("morf", -np.inf), ("lerf", np.inf))
        )
        return first, last

    def _summed(self, values: Numbers) -> Numbers:
        flat = values.reshape(-1 if values.shape == self._shape else 1, *self._places, *[-1] * self._channels)
        flat = (flat.sum(axis=-1) if self._channels else flat).reshape(len(flat), -1)
        rows = max(len(flat), len(self._of))
        flat, of = (np.broadcast_to(array, (rows, array.shape[1])) for array in (flat, self._of))
        group = np.where(of >= 0, of + self.count * np.arange(rows)[:, np.newaxis], rows * self.count)  # none: the last
        summed = np.bincount(group.ravel(), weights=flat.ravel(), minlength=rows * self.count + 1)[:-1]
        return summed.reshape(rows, self.count).astype(np.float64, copy=False)


def _numbers(groups: Groups | None, places: tuple[int, ...], columns: list[Any] | None) -> npt.NDArray[Any]:
    """Return the number of each feature's group, shape `places` or that of all samples."""
    listed = isinstance(groups, (list, tuple)) and (not len(groups) or np.ndim(groups[0]) == 1)
    by_columns = isinstance(groups, Mapping) or listed
    if groups is None or by_columns:
        return player_of_each_value(groups, places, columns)[0].reshape(places)
    return np.asarray(groups)


def _numbered(row: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Number the groups of a sample from 0; a negative number becomes -1."""
    numbers = np.unique(row[row >= 0])
    return np.where(row >= 0, np.searchsorted(numbers, row), -1)


def _ranks(relevance: Numbers, order: Any) -> Ranks:
    flat = relevance.reshape(-1, relevance.shape[-1])
    return ranks(flat, order, channels=False, seed=0).reshape(relevance.shape)
