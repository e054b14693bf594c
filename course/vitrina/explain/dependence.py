"""How the score depends on one or two features: curves of single instances, and their mean.

Both give a feature another value and leave everything else of an instance as it is. So they show what the *model* says
there, even where nobody like that exists: read them beside what was observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import Scores, scoring
from vitrina.explain.outputs import Output
from vitrina.models import Array

Feature = int | str
"""A column by its position; of a data frame also by its name."""

_ROWS = 1 << 16  # scored at once: memory stays bounded, and a model's call costs little beside its work
_PERCENTILES = (5, 95)  # the ends of a grid of numbers: beyond there is little to support a curve


@dataclass(frozen=True)
class ConditionalExpectations:
    """
    Individual conditional expectation (ICE) curves.

    Attributes
    ----------
    grid : array, shape (points,)
        Values that the feature was given: increasing numbers, or categories.
    curves : array, shape (n, points)
        Score of the target, of each instance.
    observed : array, shape (n,)
        What the feature was.
    """

    grid: npt.NDArray[Any]
    curves: Array
    observed: npt.NDArray[Any]

    @property
    def mean(self) -> Array:
        """Mean of the curves, shape (points,): the partial dependence."""
        return self.curves.mean(axis=0)

    def centred(self, at: int = 0) -> ConditionalExpectations:
        """
        Let all curves begin at zero (centred ICE), which shows whether they have one shape.

        Parameters
        ----------
        at
            Position in the grid at which they are zero.

        Returns
        -------
        ConditionalExpectations
        """
        return ConditionalExpectations(self.grid, self.curves - self.curves[:, [at]], self.observed)


@dataclass(frozen=True)
class PartialDependence:
    """
    Mean score over instances that were all given the same values.

    Attributes
    ----------
    grids : tuple of arrays, shape (points,)
        Values of each feature: increasing numbers, or categories.
    values : array, shape (points,) or (points of the first, points of the second)
        Mean score of the target.
    observed : tuple of arrays, shape (n,)
        What the features were.
    """

    grids: tuple[npt.NDArray[Any], ...]
    values: Array
    observed: tuple[npt.NDArray[Any], ...]


def individual_conditional_expectation(
    model: Any,
    inputs: Any,
    target: int,
    *,
    feature: Feature,
    grid: Sequence[Any] | npt.ArrayLike | None = None,
    points: int = 30,
    output: Output | None = None,
) -> ConditionalExpectations:
    """
    Score each instance with one feature set to each value of a grid (Goldstein et al. 2015, arXiv 1309.6392).

    Parameters
    ----------
    model : keras.Model, estimator or callable
        As for `vitrina.explain.black_box.scoring`.
    inputs : array or data frame, shape (n, features)
        The instances; more of them cost more in proportion.
    target
        Which output of the model; 0 where it has a single one.
    feature
        A column: its position, or its name in a data frame.
    grid : sequence, optional
        Values to give to the feature. By default all values that it has, if these are text or not more than `points`;
        otherwise evenly spaced numbers from the 5th to the 95th percentile.
    points
        Size of such a grid.
    output
        As for `scoring`.

    Returns
    -------
    ConditionalExpectations

    Raises
    ------
    ValueError
        If inputs are no table, or target, feature or grid do not fit.
    """
    table = _Table(inputs, (feature,))
    grids = table.grids(None if grid is None else (grid,), points)
    scores = table.scored(scoring(model, output=output, like=table.like), target, grids)
    return ConditionalExpectations(grids[0], scores.T.copy(), table.observed[0])


def partial_dependence(
    model: Any,
    inputs: Any,
    target: int,
    *,
    features: Feature | tuple[Feature] | tuple[Feature, Feature],
    grids: tuple[Sequence[Any] | npt.ArrayLike, ...] | None = None,
    points: int = 30,
    output: Output | None = None,
) -> PartialDependence:
    """
    Average the score over instances that are all given the same value (Friedman 2001, equation 51).

    Of two features it is their joint dependence, over all pairs of values.

    Parameters
    ----------
    model, inputs, target, output
        As for `individual_conditional_expectation`.
    features
        One column or a pair of columns.
    grids : tuple of one sequence per feature, optional
        Values to give to them; by default as for `individual_conditional_expectation`.
    points
        Size of such a grid.

    Returns
    -------
    PartialDependence

    Raises
    ------
    ValueError
        If inputs are no table, or target, features or grids do not fit.
    """
    chosen = features if isinstance(features, tuple) else (features,)
    if not 1 <= len(chosen) <= 2:
        raise ValueError(f"partial dependence is drawn for one feature or two, got {len(chosen)}")
    table = _Table(inputs, chosen)
    values = table.grids(grids, points)
    means = table.scored(scoring(model, output=output, like=table.like), target, values).mean(axis=1)
    return PartialDependence(values, means.reshape([len(grid) for grid in values]), table.observed)


class _Table:
    """Instances, of which some features are given other values."""

    def __init__(self, inputs: Any, features: Sequence[Feature]) -> None:
        self._frame: Any = inputs if hasattr(inputs, "columns") else None
        self._inputs: Any = inputs if self._frame is not None else np.asarray(inputs)
        if self._inputs.ndim != 2 or not len(self._inputs):
            raise ValueError(
                f"inputs must be a table (n, features) with one row at least, got shape {self._inputs.shape}"
            )
        self._columns = [self._position(feature) for feature in features]
        if len(set(self._columns)) < len(self._columns):
            raise ValueError(f"two different features are needed, got {features[0]!r} twice")
        self.observed = tuple(self._column(position) for position in self._columns)
        self.like = self._frame

    def _position(self, feature: Feature) -> int:
        count = self._inputs.shape[1]
        names = [] if self._frame is None else list(self._frame.columns)
        if feature in names:
            return names.index(feature)
        if isinstance(feature, str) or not 0 <= feature < count:
            among = f", one of {', '.join(map(str, names))}" if names else ""
            raise ValueError(f"feature must be a column from 0 to {count - 1}{among}; got {feature!r}")
        return int(feature)

    def _column(self, position: int) -> npt.NDArray[Any]:
        values = self._inputs[:, position] if self._frame is None else self._frame.iloc[:, position].to_numpy()
        if values.dtype != object:
            return values
        try:
            return values.astype(float)
        except (TypeError, ValueError):
            return values

    def grids(
        self, given: tuple[Sequence[Any] | npt.ArrayLike, ...] | None, points: int
    ) -> tuple[npt.NDArray[Any], ...]:
        """Return the values to give to each feature."""
        if points < 2:
            raise ValueError(f"a grid needs two points at least, got {points}")
        if given is None:
            return tuple(_grid_of(values, points) for values in self.observed)
        grids = tuple(np.asarray(grid) for grid in given)
        if len(grids) != len(self.observed) or any(grid.ndim != 1 or not len(grid) for grid in grids):
            raise ValueError(f"a list of values is needed for each of {len(self.observed)} features")
        return grids

    def scored(self, scores: Scores, target: int, grids: Sequence[npt.NDArray[Any]]) -> Array:
        """Score all instances with every combination of values: shape (combinations, n)."""
        combinations = [np.ravel(values) for values in np.meshgrid(*grids, indexing="ij")]
        count = len(self._inputs)
        at_once = max(1, _ROWS // count)
        parts = [
            _of_target(scores(self._replaced([values[start : start + at_once] for values in combinations])), target)
            for start in range(0, len(combinations[0]), at_once)
        ]
        return np.concatenate(parts).reshape(-1, count)

    def _replaced(self, values: Sequence[npt.NDArray[Any]]) -> Any:
        """Repeat all instances for each combination of values, and give them these."""
        count, times = len(self._inputs), len(values[0])
        if self._frame is None:
            return self._replaced_in_array(values)
        frame = self._frame.iloc[np.tile(np.arange(count), times)].reset_index(drop=True)
        for position, given in zip(self._columns, values, strict=True):
            column = frame.iloc[:, position]
            new = column.__class__(np.repeat(given, count), index=column.index)
            # What is no number keeps its type, such as the known categories; a whole number may become a fraction.
            frame.isetitem(position, new if column.dtype.kind in "iufb" else new.astype(column.dtype))
        return frame

    def _replaced_in_array(self, values: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        count, times = len(self._inputs), len(values[0])
        kinds = [given.dtype for given in values if given.dtype.kind == "f" and self._inputs.dtype.kind in "iub"]
        array = np.tile(self._inputs, (times, 1)).astype(np.result_type(self._inputs.dtype, *kinds), copy=False)
        for position, given in zip(self._columns, values, strict=True):
            array[:, position] = np.repeat(given, count)
        return array


def _grid_of(values: npt.NDArray[Any], points: int) -> npt.NDArray[Any]:
    """Choose values that represent what was observed."""
    if values.dtype.kind not in "iufb":
        return np.array(sorted({value for value in values if value == value and value is not None}, key=str), object)
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    if not len(known):
        raise ValueError("the feature has no known value: give a grid")
    different = np.unique(known)
    if len(different) <= points:
        return different
    low, high = np.percentile(known, _PERCENTILES)
    return np.linspace(low, high, points)


def _of_target(scores: Array, target: int) -> Array:
    if not 0 <= target < scores.shape[1]:
        raise ValueError(f"target must be an output of the model, 0 to {scores.shape[1] - 1}, got {target}")
    return scores[:, target]
