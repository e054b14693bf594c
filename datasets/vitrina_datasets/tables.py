"""Tables: rows of numbers and categories with a class each, in the one form in which every tabular data set comes.

A category is stored as its number in the column's list of categories, so that a table is one array of floats: the form
that scikit-learn, `shap` and `lime` take. `vitrina_datasets.encoding` turns it into inputs of a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Column", "Table"]


@dataclass(frozen=True)
class Column:
    """
    What one column of a table holds.

    Attributes
    ----------
    name
        Short and unique in its table.
    meaning
        A phrase for people.
    unit
        Of a number, such as "cm"; empty where there is none or nobody knows it.
    categories
        Names of the categories; the table holds their positions in this list. Empty for a number.
    ordered
        Whether the categories go from less to more.
    """

    name: str
    meaning: str
    unit: str = ""
    categories: tuple[str, ...] = ()
    ordered: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """
    Rows with a class each.

    Attributes
    ----------
    name
        Of the data set.
    columns
        What each column holds.
    values : float64, shape (rows, columns)
        Numbers as they are; of a categorical column the positions in its `categories`. Nothing is missing: where a
        source leaves values out, "unknown" is a category.
    targets : int64, shape (rows,)
        The class of each row, 0 and up.
    target_names
        Names of the classes.
    published_train
        How many of the first rows the publisher meant for training; None where there is no such split.

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite or a position has no category or class.
    """

    name: str
    columns: tuple[Column, ...]
    values: npt.NDArray[np.float64]
    targets: npt.NDArray[np.int64]
    target_names: tuple[str, ...]
    published_train: int | None = None

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.targets), len(self.columns)):
            raise ValueError(
                f"{self.name}: {len(self.targets)} targets and {len(self.columns)} columns, but values of shape "
                f"{self.values.shape}"
            )
        if not np.isfinite(self.values).all():
            raise ValueError(f"{self.name}: every value must be a finite number")
        for column, values in zip(self.columns, self.values.T, strict=True):
            if column.categories and not np.isin(values, range(len(column.categories))).all():
                raise ValueError(f"{self.name}: {column.name} has values without a category")
        if not np.isin(self.targets, range(len(self.target_names))).all():
            raise ValueError(f"{self.name}: there are targets without a name")

    def __len__(self) -> int:
        return len(self.targets)

    def __repr__(self) -> str:
        counts = np.bincount(self.targets, minlength=len(self.target_names))
        classes = ", ".join(f"{name} ({count})" for name, count in zip(self.target_names, counts, strict=True))
        return f"{self.name}: {len(self)} rows, {len(self.columns)} columns, classes {classes}"

    def _repr_html_(self) -> str:
        return self.to_frame()._repr_html_()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def units(self) -> tuple[str, ...]:
        """Units of the columns."""
        return tuple(column.unit for column in self.columns)

    @property
    def categories(self) -> dict[int, tuple[str, ...]]:
        """Categories by the number of their column, the categorical ones only: what `lime` calls categorical_names."""
        return {index: column.categories for index, column in enumerate(self.columns) if column.categories}

    @property
    def categorical(self) -> tuple[int, ...]:
        """Numbers of the categorical columns."""
        return tuple(self.categories)

    def index(self, name: str) -> int:
        """
        Find a column by its name.

        Parameters
        ----------
        name
            Of the column.

        Returns
        -------
        int

        Raises
        ------
        KeyError
            If there is no such column.
        """
        if name not in self.names:
            raise KeyError(f"{self.name} has no column {name!r}, only {', '.join(self.names)}")
        return self.names.index(name)

    def column(self, name: str) -> npt.NDArray[Any]:
        """
        Read one column, categories by their names.

        Parameters
        ----------
        name
            Of the column.

        Returns
        -------
        ndarray, shape (rows,)
            float64, or str for a categorical column.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        index = self.index(name)
        categories, values = self.columns[index].categories, self.values[:, index]
        return np.array(categories)[values.astype(np.int64)] if categories else values.copy()

    def row(self, index: int) -> dict[str, float | str]:
        """
        Read one row, categories by their names.

        Parameters
        ----------
        index
            Of the row.

        Returns
        -------
        dict
            Values by the names of the columns.
        """
        pairs = zip(self.columns, self.values[index].tolist(), strict=True)
        return {column.name: column.categories[int(v)] if column.categories else v for column, v in pairs}

    def to_frame(self) -> Any:
        """
        Convert to pandas, to look at and to count.

        Returns
        -------
        pandas.DataFrame
            Categories by their names, and the class as a last column "target".
        """
        import pandas

        names = np.array(self.target_names)[self.targets]
        return pandas.DataFrame({name: self.column(name) for name in self.names} | {"target": names})

    def take(self, rows: npt.ArrayLike) -> Table:
        """
        Keep some of the rows.

        Parameters
        ----------
        rows
            Their numbers, in the order wanted, or a mask.

        Returns
        -------
        Table
            Without a published split.
        """
        chosen = np.asarray(rows)
        chosen = chosen if chosen.size else chosen.astype(np.intp)
        return replace(self, values=self.values[chosen], targets=self.targets[chosen], published_train=None)

    def without(self, *names: str) -> Table:
        """
        Leave columns out.

        Parameters
        ----------
        names
            Of the columns.

        Returns
        -------
        Table

        Raises
        ------
        KeyError
            If there is no such column.
        """
        dropped = {self.index(name) for name in names}
        kept = [index for index in range(len(self.columns)) if index not in dropped]
        return replace(self, columns=tuple(self.columns[index] for index in kept), values=self.values[:, kept])

    def sample(self, count: int, *, seed: int = 0) -> Table:
        """
        Draw rows without replacement, for a background for instance.

        Parameters
        ----------
        count
            How many; all of them, shuffled, if there are no more.
        seed
            Draws them.

        Returns
        -------
        Table
        """
        return self.take(np.random.RandomState(seed).permutation(len(self))[:count])

    def split(self, *, test: float = 0.25, seed: int = 0) -> tuple[Table, Table]:
        """
        Divide the rows in two, the same share of each class, both in an order that says nothing.

        Parameters
        ----------
        test
            Share of the rows that is held out, between 0 and 1. Of a class with two rows or more, each side gets one at
            least.
        seed
            Draws the rows; the same seed gives the same split, always.

        Returns
        -------
        train, test : Table

        Raises
        ------
        ValueError
            If `test` is not a share.
        """
        if not 0 < test < 1:
            raise ValueError(f"test is the share of rows to hold out, between 0 and 1, got {test}")
        # RandomState and not default_rng: NumPy promises that its stream never changes.
        generator = np.random.RandomState(seed)
        shuffled = generator.permutation(len(self))
        held_out = np.zeros(len(self), bool)
        for target in np.unique(self.targets):
            rows = shuffled[self.targets[shuffled] == target]
            held_out[rows[: min(max(round(test * len(rows)), 1), len(rows) - 1)]] = True
        return self.take(shuffled[~held_out[shuffled]]), self.take(shuffled[held_out[shuffled]])

    def published_split(self) -> tuple[Table, Table]:
        """
        Divide the rows as the publisher did.

        Returns
        -------
        train, test : Table

        Raises
        ------
        ValueError
            If the publisher did not.
        """
        if self.published_train is None:
            raise ValueError(f"{self.name} was published without a split; use split(test=..., seed=...)")
        rows = np.arange(len(self))
        return self.take(rows[: self.published_train]), self.take(rows[self.published_train :])


def numeric(name: str, columns: Sequence[Column], values: Any, targets: Any, target_names: Sequence[str]) -> Table:
    """Make a table out of plain numbers."""
    numbers, classes = np.array(values, np.float64), np.array(targets, np.int64)
    return Table(name, tuple(columns), numbers, classes, tuple(target_names))


def from_scikit_learn(loader: str, columns: Sequence[Column], target_names: Sequence[str], sha256: str) -> Table:
    """Read a table that scikit-learn brings along, and make sure that it is the one that the data sheet describes."""
    name = loader.removeprefix("load_").replace("_", " ")
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ModuleNotFoundError(f"{name} comes with scikit-learn: run `pip install scikit-learn`") from error
    values, targets = getattr(datasets, loader)(return_X_y=True)
    content = np.ascontiguousarray(values, "<f8").tobytes() + np.ascontiguousarray(targets, "<i8").tobytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ValueError(
            f"the installed scikit-learn has another {name} than the data sheet describes (sha256 of the values "
            f"{digest}, expected {sha256}): install the version that constraints.txt names"
        )
    return numeric(name, columns, values, targets, target_names)


def made_up(name: str, columns: Sequence[Column], target_names: Sequence[str], rows: int, seed: int) -> Table:
    """Draw a table of positive numbers whose classes are clouds with different means, for tests."""
    generator = np.random.RandomState(seed)
    targets = generator.permutation(np.arange(rows) % len(target_names))
    centres = generator.uniform(2, 8, (len(target_names), len(columns)))
    noise = generator.normal(0, 0.7, (rows, len(columns)))
    return numeric(name, columns, np.abs(centres[targets] + noise), targets, target_names)
