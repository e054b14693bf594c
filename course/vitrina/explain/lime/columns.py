"""The columns of a table as LIME sees them: how their values are drawn, and how they are compared with an instance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from vitrina.explain.lime.fit import Floats

_TINY = 1e-16  # a share that is as good as none, as the quantile of 0 is infinite

Values = npt.NDArray[Any]
Draws = tuple[Values, Floats]
"""Drawn values as the model takes them, and what they are called when compared: bins, categories or numbers."""


class Table(NamedTuple):
    """
    Rows with named columns.

    Attributes
    ----------
    values : array, shape (rows, columns)
        Floats, or objects where a column holds something else than numbers.
    names : tuple of str
    frame
        The pandas frame that the rows came as, `None` for an array.
    """

    values: Values
    names: tuple[str, ...]
    frame: Any

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds nothing but numbers, and a frame does not call them categories."""
        if self.frame is not None and self.frame.dtypes.iloc[column].name == "category":
            return False
        return self.values.dtype != object or all(map(_is_number, self.values[:, column]))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))


def as_table(what: str, rows: Any, names: Sequence[str] | None = None) -> Table:
    """
    Check rows of a table.

    Parameters
    ----------
    what
        What they are called in messages.
    rows : array or pandas frame, shape (rows, columns)
    names
        Of the columns, by default those of the frame, else "column 0", "column 1" and so on.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If it is no table, has no row or column, or lacks a value.
    """
    frame = rows if hasattr(rows, "columns") else None
    if hasattr(rows, "iloc") and frame is None:
        raise ValueError(f"{what} must be a table, got one row of a pandas frame: take frame.iloc[[number]]")
    values = np.asarray(rows)
    if values.ndim != 2 or 0 in values.shape:
        hint = f"; one row needs a batch axis: {what}[np.newaxis]" if values.ndim == 1 else ""
        raise ValueError(f"{what} must be a table (rows, columns) that is not empty, got shape {values.shape}{hint}")
    given = [f"column {number}" for number in range(values.shape[1])] if frame is None else frame.columns
    named = tuple(map(str, given if names is None else names))
    if len(named) != values.shape[1]:
        raise ValueError(f"{values.shape[1]} columns need as many names, got {len(named)}")
    values = values.astype(np.float64 if values.dtype.kind in "fiub" else object)
    gaps = _gaps(values) if frame is None else _gaps(values) | np.asarray(frame.isna())
    if gaps.any():
        row, column = (int(place) for place in np.argwhere(gaps)[0])
        raise ValueError(
            f"{what} must be complete, row {row} holds {values[row, column]} in {named[column]!r}: fill it in or give "
            "missing values a category of their own"
        )
    return Table(values, named, frame)


def _gaps(values: Values) -> npt.NDArray[np.bool_]:
    if values.dtype != object:
        return ~np.isfinite(values)
    return np.array(
        [[value is None or (_is_number(value) and not np.isfinite(value)) for value in row] for row in values]
    )


@dataclass(frozen=True)
class Numbers:
    """A column of numbers that is drawn from a normal distribution, and compared as it is, in standard deviations."""

    name: str
    mean: float
    deviation: float  # 0 where the column never differs: then it is never perturbed either

    def draw(self, count: int, generator: np.random.Generator) -> Draws:
        """Draw values from the normal distribution that the column would have if it had one."""
        drawn = self.mean + self.deviation * generator.standard_normal(count)
        return drawn, self.code(drawn)

    def code(self, values: Values) -> Floats:
        """Measure how many standard deviations values are from the mean."""
        return (values.astype(np.float64) - self.mean) / (self.deviation or 1.0)

    def condition(self, _value: Any) -> str:
        """Name what a coefficient is about."""
        return self.name


@dataclass(frozen=True)
class Bins:
    """A column of numbers that is cut at its quartiles: a value counts as equal to all others between two cuts."""

    name: str
    edges: Floats
    shares: Floats
    means: Floats
    deviations: Floats
    lowest: Floats
    highest: Floats

    def draw(self, count: int, generator: np.random.Generator) -> Draws:
        """Draw a bin as often as it is seen, then a value from a normal distribution cut off at the bin's ends."""
        until = np.cumsum(self.shares)
        drawn = until[-1] * generator.random(count)
        bins = np.add.reduce([drawn >= end for end in until[:-1]], dtype=np.intp)
        # Where a draw lies in its bin is uniform as well, and becomes a value by the inverse of the distribution.
        scale = np.where(self.deviations > 0, self.deviations, 1.0)
        low, high = ndtr((np.stack([self.lowest, self.highest]) - self.means) / scale)
        slope = (high - low) / np.where(self.shares > 0, self.shares, 1.0)
        start = low - slope * (until - self.shares)
        normal = ndtri(np.clip(start.take(bins) + slope.take(bins) * drawn, _TINY, 1 - _TINY))
        return self.means.take(bins) + self.deviations.take(bins) * normal, bins.astype(np.float64)

    def code(self, values: Values) -> Floats:
        """Number the bins of values."""
        return np.searchsorted(self.edges, values.astype(np.float64)).astype(np.float64)

    def condition(self, value: Any) -> str:
        """Say between which cuts a value lies."""
        after = int(np.searchsorted(self.edges, float(value)))
        low, high = (f"{edge:g}" for edge in (self.edges[after - 1], self.edges[min(after, len(self.edges) - 1)]))
        if after == 0:
            return f"{self.name} <= {high}"
        return f"{self.name} > {low}" if after == len(self.edges) else f"{low} < {self.name} <= {high}"


@dataclass(frozen=True)
class Categories:
    """A column of categories: a value is equal to itself only."""

    name: str
    values: tuple[Hashable, ...]
    shares: Floats

    def draw(self, count: int, generator: np.random.Generator) -> Draws:
        """Draw categories as often as they are seen."""
        drawn = generator.choice(len(self.shares), count, p=self.shares)
        return _as_column(self.values)[drawn], drawn.astype(np.float64)

    def code(self, values: Values) -> Floats:
        """Number categories, if they are known."""
        known = {value: float(number) for number, value in enumerate(self.values)}
        for row, value in enumerate(values):
            if value not in known:
                shown = ", ".join(map(repr, self.values[:8])) + ", ..." * (len(self.values) > 8)
                raise ValueError(
                    f"row {row} of inputs holds {value!r} in {self.name!r}, which never occurs in the background: "
                    f"there it is one of {shown}"
                )
        return np.array([known[value] for value in values])

    def condition(self, value: Any) -> str:
        """Name the category."""
        return f"{self.name} = {f'{value:g}' if _is_number(value) else value}"


Column = Numbers | Bins | Categories


def _as_column(values: Sequence[Hashable]) -> Values:
    if all(map(_is_number, values)):
        return np.array(values, np.float64)
    column = np.empty(len(values), object)
    column[:] = values
    return column


def describe_columns(background: Table, categorical: Sequence[int | str] | None, *, discretise: bool) -> list[Column]:
    """
    Learn the columns of a table.

    Parameters
    ----------
    background
        Rows that show what values there are and how often.
    categorical
        Names or numbers of the columns that hold categories; those that do not hold numbers do anyway.
    discretise
        Whether numbers are cut at their quartiles.

    Returns
    -------
    list of Column

    Raises
    ------
    ValueError
        If there is no such column.
    """
    named = {_number(column, background.names) for column in categorical or ()}
    columns = range(len(background.names))
    chosen = named | {column for column in columns if not background.is_numeric(column)}
    numeric = [column for column in columns if column not in chosen]
    numbers = background.values[:, numeric].astype(np.float64)
    described: dict[int, Column] = {
        column: _categories(background.names[column], background.values[:, column]) for column in chosen
    }
    quartiles = np.percentile(numbers, [25, 50, 75], axis=0)
    for place, column in enumerate(numeric):
        name, values = background.names[column], numbers[:, place]
        described[column] = _bins(name, values, quartiles[:, place]) if discretise else _numbers(name, values)
    return [described[column] for column in columns]


def _number(column: int | str, names: tuple[str, ...]) -> int:
    if isinstance(column, str) and names.count(column) == 1:
        return names.index(column)
    if isinstance(column, (int, np.integer)) and 0 <= column < len(names):
        return int(column)
    raise ValueError(f"categorical names a column {column!r} that is not there: the columns are {', '.join(names)}")


def _categories(name: str, values: Values) -> Categories:
    counts: dict[Hashable, int] = {}
    for value in values.tolist():
        counts[value] = counts.get(value, 0) + 1
    order = sorted(counts, key=lambda value: (str(type(value)), value))
    return Categories(name, tuple(order), np.array([counts[value] for value in order]) / len(values))


def _numbers(name: str, values: Floats) -> Numbers:
    differs = values.min() < values.max()
    return Numbers(name, float(values.mean() if differs else values[0]), float(values.std()) if differs else 0.0)


def _bins(name: str, values: Floats, quartiles: Floats) -> Bins:
    edges = np.unique(quartiles)
    bins = np.searchsorted(edges, values)
    counts = np.bincount(bins, minlength=len(edges) + 1)
    full = np.maximum(counts, 1)
    means = np.bincount(bins, values, len(counts)) / full
    deviations = np.sqrt(np.bincount(bins, (values - means[bins]) ** 2, len(counts)) / full)
    lowest, highest = np.r_[values.min(), edges], np.r_[edges, values.max()]
    return Bins(name, edges, counts / len(values), means, deviations, lowest, highest)
