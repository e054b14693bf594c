"""The columns of a table as LIME sees them: how their values are drawn, and how they are compared with an instance."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from vitrina.explain.lime.fit import Floats
from vitrina.explain.lime.table import Table, Values, is_number
from vitrina.explain.remembering import KEPT

_TINY = 1e-16  # a share that is as good as none, as the quantile of 0 is infinite
_CELLS = 1024  # equal shares of all draws
_STRAIGHT = 1e-3  # how far a line may be from what it stands for, in standard deviations of a bin

Draws = tuple[Values, npt.NDArray[Any]]
"""Drawn values as the model takes them, and what they are called when compared: bins, categories or numbers."""


@dataclass(frozen=True, eq=False)
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
        return (_as_numbers(self.name, values) - self.mean) / (self.deviation or 1.0)

    def condition(self, _value: Any) -> str:
        """Name what a coefficient is about."""
        return self.name


@dataclass(frozen=True, eq=False)
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
        shares = generator.random(count)
        cells = (_CELLS * shares).astype(np.intp)
        starts, steps, bins = self._straight
        values, drawn = starts.take(cells) + steps.take(cells) * shares, bins.take(cells)
        others = np.flatnonzero(np.isnan(values))
        values[others], drawn[others] = self._quantiles(shares[others])
        return values, drawn

    def _quantiles(self, shares: Floats) -> Draws:
        """Return below which values these shares of all draws lie, and their bins."""
        until, start, slope = self._cumulative
        shares = until[-1] * shares
        bins = np.add.reduce([shares >= end for end in until[:-1]], dtype=np.intp)
        normal = ndtri(np.clip(start.take(bins) + slope.take(bins) * shares, _TINY, 1 - _TINY))
        return self.means.take(bins) + self.deviations.take(bins) * normal, bins

    @cached_property
    def _straight(self) -> tuple[Floats, Floats, npt.NDArray[np.uint8]]:
        """
        Lines that are as good as the quantiles, one for each cell of shares, and the cells' bins.

        To look up a line takes a third of the time of computing a quantile. Cells where there is none, as a bin ends or
        quantiles bend, have NaN.
        """
        ends = np.linspace(0, 1, _CELLS + 1)
        (values, bins), (middle, _) = self._quantiles(ends), self._quantiles((ends[:-1] + ends[1:]) / 2)
        steps = _CELLS * np.diff(values)
        bends = np.abs((values[:-1] + values[1:]) / 2 - middle) > _STRAIGHT * self.deviations.take(bins[:-1])
        steps[bends | (bins[:-1] < bins[1:])] = np.nan
        return values[:-1] - steps * ends[:-1], steps, bins[:-1].astype(np.uint8)

    @cached_property
    def _cumulative(self) -> tuple[Floats, Floats, Floats]:
        """Where each bin ends among the shares, and the line there from a share to one of the bin's distribution."""
        until = np.cumsum(self.shares)
        scale = np.where(self.deviations > 0, self.deviations, 1.0)
        low, high = ndtr((np.stack([self.lowest, self.highest]) - self.means) / scale)
        slope = (high - low) / np.where(self.shares > 0, self.shares, 1.0)
        # Where a draw lies in its bin is uniform as well, and becomes a value by the inverse of the distribution.
        return until, low - slope * (until - self.shares), slope

    def code(self, values: Values) -> Floats:
        """Number the bins of values."""
        return self.edges.searchsorted(_as_numbers(self.name, values)).astype(np.float64)

    def condition(self, value: Any) -> str:
        """Say between which cuts a value lies."""
        return self._conditions[self.edges.searchsorted(float(value))]

    @cached_property
    def _conditions(self) -> tuple[str, ...]:
        cuts = [f"{edge:g}" for edge in self.edges]
        between = (f"{low} < {self.name} <= {high}" for low, high in pairwise(cuts))
        return f"{self.name} <= {cuts[0]}", *between, f"{self.name} > {cuts[-1]}"


@dataclass(frozen=True, eq=False)
class Categories:
    """A column of categories: a value is equal to itself only."""

    name: str
    values: tuple[Hashable, ...]
    shares: Floats
    called: Sequence[str]  # names of the values that are numbers from 0 up; empty where a value is its own name

    def draw(self, count: int, generator: np.random.Generator) -> Draws:
        """Draw categories as often as they are seen."""
        drawn = generator.choice(len(self.shares), count, p=self.shares)
        return self.column[drawn], drawn

    @cached_property
    def column(self) -> Values:
        """The values as they stand in a table: numbers or, where one is none, objects."""
        if all(map(is_number, self.values)):
            return np.array(self.values, np.float64)
        column = np.empty(len(self.values), object)
        column[:] = self.values
        return column

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
        if not is_number(value):
            return f"{self.name} = {value}"
        return f"{self.name} = {self.called[int(value)] if self.called else f'{value:g}'}"


Column = Numbers | Bins | Categories
Categorical = Sequence[int | str] | Mapping[int, Sequence[str]] | Mapping[str, Sequence[str]]
"""Columns that hold categories, by number or name; as a mapping with the names of categories that are numbers."""


def _as_numbers(name: str, values: Values) -> Floats:
    for value in values if values.dtype == object else ():
        if not is_number(value):
            raise ValueError(f"inputs hold {value!r} in {name!r}, where the background holds numbers")
    return values.astype(np.float64, copy=False)


def describe_columns(background: Table, categorical: Categorical | None, *, discretise: bool) -> tuple[Column, ...]:
    """
    Learn the columns of a table; those of a table of numbers are remembered, as rows are often explained one by one.

    Parameters
    ----------
    background
        Rows that show what values there are and how often.
    categorical
        The columns that hold categories; those that do not hold numbers do anyway.
    discretise
        Whether numbers are cut at their quartiles.

    Returns
    -------
    tuple of Column
        The same objects for the same table.

    Raises
    ------
    ValueError
        If there is no such column, a category has no name, or all rows are equal.
    """
    called: Iterable[tuple[int | str, Sequence[str]]]
    called = categorical.items() if isinstance(categorical, Mapping) else [(column, ()) for column in categorical or ()]
    named = tuple((_number(column, background.names), tuple(names)) for column, names in called)
    values = background.values
    numeric = tuple(background.is_numeric(column) for column in range(values.shape[1]))
    if values.dtype == object:
        return _described(values, background.names, named, numeric, discretise)
    return _remembered(values.tobytes(), background.names, named, numeric, discretise)


@lru_cache(maxsize=4)
def _remembered(content: bytes, names: tuple[str, ...], *rest: Any) -> tuple[Column, ...]:
    return _described(np.frombuffer(content).reshape(-1, len(names)), names, *rest)


def _described(
    values: Values,
    names: tuple[str, ...],
    categorical: Iterable[tuple[int, tuple[str, ...]]],
    numeric: Sequence[bool],
    discretise: bool,
) -> tuple[Column, ...]:
    if np.all(values == values[0]):
        raise ValueError(
            "the background does not vary, and all that LIME draws is drawn from it: give many rows that differ, such "
            "as the training data"
        )
    called = dict(categorical)
    chosen = [column for column in range(len(names)) if column in called or not numeric[column]]
    described: dict[int, Column] = {
        column: _categories(names[column], values[:, column], called.get(column, ())) for column in chosen
    }
    others = [column for column in range(len(names)) if column not in described]
    numbers = values[:, others].astype(np.float64)
    quartiles = np.percentile(numbers, [25, 50, 75], axis=0)
    for place, column in enumerate(others):
        name, each = names[column], numbers[:, place]
        described[column] = _bins(name, each, quartiles[:, place]) if discretise else _numbers(name, each)
    return tuple(described[column] for column in range(len(names)))


@lru_cache(maxsize=KEPT)
def draw_rows(columns: tuple[Column, ...], count: int, seed: int) -> Draws:
    """
    Draw rows, column by column as if they were independent; the last ones are remembered.

    Parameters
    ----------
    columns
        As `describe_columns` gives them.
    count
        How many rows.
    seed
        The same rows again for the same seed.

    Returns
    -------
    values : array, shape (count, columns)
        As the model takes them; objects if a column's are.
    codes : array, shape (count, columns)
        As they are compared, in the smallest type that holds all that a row may have. Neither may be written to.
    """
    generator = np.random.default_rng(seed)
    plain = not any(isinstance(column, Categories) and column.column.dtype == object for column in columns)
    values = np.empty((count, len(columns)), float if plain else object, "F")
    known = [len(column.shares) for column in columns if not isinstance(column, Numbers)]  # more than may be drawn
    smallest = np.min_scalar_type(max(known)) if len(known) == len(columns) else float
    codes = np.empty(values.shape, smallest, "F")
    for number, column in enumerate(columns):  # written at once, while they are in the processor's cache
        values[:, number], codes[:, number] = column.draw(count, generator)
    for array in (values, codes):
        array.flags.writeable = False
    return values, codes


def _number(column: int | str, names: tuple[str, ...]) -> int:
    if isinstance(column, str) and names.count(column) == 1:
        return names.index(column)
    if isinstance(column, (int, np.integer)) and 0 <= column < len(names):
        return int(column)
    raise ValueError(f"categorical names a column {column!r} that is not there: the columns are {', '.join(names)}")


def _categories(name: str, values: Values, called: Sequence[str]) -> Categories:
    if len(called) and not set(values.tolist()) <= set(range(len(called))):
        raise ValueError(f"column {name!r} must hold the numbers of its {len(called)} named categories, from 0")
    counts: dict[Hashable, int] = {}
    for value in values.tolist():
        counts[value] = counts.get(value, 0) + 1
    order = sorted(counts, key=lambda value: (str(type(value)), value))
    return Categories(name, tuple(order), np.array([counts[value] for value in order]) / len(values), called)


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
    lowest, highest = np.append(values.min(), edges), np.append(edges, values.max())
    return Bins(name, edges, counts / len(values), means, deviations, lowest, highest)
