"""Encodings: a table as inputs of a model, and the way back from the inputs to the columns that people know.

A network wants an input for each category. An explanation of such a network has a number for each of these inputs, and
nobody asked about "relationship=Husband" and "relationship=Wife" apart: `groups` says which inputs are one feature, and
`sum_by_feature` adds their attributions up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina_datasets.tables import Column, Table

__all__ = ["Encoding", "one_hot", "ordinal"]


@dataclass(frozen=True, eq=False)
class Encoding:
    """
    How a table becomes inputs; made by `one_hot` or `ordinal`.

    Attributes
    ----------
    columns
        Of the table.
    spread
        Whether a categorical column becomes one input for each of its categories.
    shift, scale : float64, shape (columns,)
        Each column as a number becomes (value - shift) / scale; spread columns are not touched.
    """

    columns: tuple[Column, ...]
    spread: bool
    shift: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]

    @property
    def widths(self) -> tuple[int, ...]:
        """How many inputs each column becomes."""
        return tuple(len(column.categories) if self._spreads(column) else 1 for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs, such as "age" and "sex=Male"."""
        return tuple(
            f"{column.name}={category}" if self._spreads(column) else column.name
            for column in self.columns
            for category in (column.categories if self._spreads(column) else ("",))
        )

    @property
    def feature_of(self) -> npt.NDArray[np.int64]:
        """Which column each input comes from, shape (inputs,)."""
        return np.repeat(np.arange(len(self.columns)), self.widths)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Numbers of the inputs of each column: the players of a game in which a column is one player."""
        return tuple(tuple(np.flatnonzero(self.feature_of == index).tolist()) for index in range(len(self.columns)))

    def encode(self, values: npt.ArrayLike | Table) -> npt.NDArray[np.float32]:
        """
        Turn rows of the table into inputs.

        Parameters
        ----------
        values : shape (rows, columns)
            A table or its values.

        Returns
        -------
        float32, shape (rows, inputs)

        Raises
        ------
        ValueError
            If the shape is another one or a position has no category.
        """
        rows = np.asarray(values.values if isinstance(values, Table) else values, np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise ValueError(f"values must have the shape (rows, {len(self.columns)}), got {rows.shape}")
        parts = [self._encode_column(index, rows[:, index]) for index in range(len(self.columns))]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def decode(self, inputs: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """
        Turn inputs back into rows of the table, the largest input of a spread column being its category.

        Parameters
        ----------
        inputs : shape (rows, inputs)
            What `encode` gives.

        Returns
        -------
        float64, shape (rows, columns)
            Numbers as exact as float32 keeps them.

        Raises
        ------
        ValueError
            If the shape is another one.
        """
        encoded = self._checked(inputs)
        if encoded.ndim != 2:
            raise ValueError(f"inputs must have the shape (rows, {len(self.names)}), got {encoded.shape}")
        parts = [
            encoded[:, group].argmax(axis=1) if len(group) > 1 else encoded[:, group[0]] * scale + shift
            for group, scale, shift in zip(map(list, self.groups), self.scale, self.shift, strict=True)
        ]
        return np.column_stack(parts).astype(np.float64)

    def sum_by_feature(self, attributions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """
        Add up the attributions of the inputs that are one column.

        Parameters
        ----------
        attributions : shape (..., inputs)
            Of any method whose attributions may be added: Shapley values, LRP, Gradient × Input.

        Returns
        -------
        float64, shape (..., columns)
            With the same total.

        Raises
        ------
        ValueError
            If the last axis has another length.
        """
        starts = np.cumsum([0, *self.widths[:-1]])
        return np.add.reduceat(self._checked(attributions), starts, axis=-1)

    def _spreads(self, column: Column) -> bool:
        return self.spread and bool(column.categories)

    def _encode_column(self, index: int, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        column = self.columns[index]
        if column.categories and not np.isin(values, range(len(column.categories))).all():
            raise ValueError(f"{column.name} must hold positions in its {len(column.categories)} categories")
        if self._spreads(column):
            return np.eye(len(column.categories))[values.astype(np.int64)]
        return ((values - self.shift[index]) / self.scale[index])[:, np.newaxis]

    def _checked(self, inputs: npt.ArrayLike) -> npt.NDArray[np.float64]:
        array = np.asarray(inputs, np.float64)
        if array.shape[-1:] != (len(self.names),):
            raise ValueError(f"the last axis must have the {len(self.names)} inputs, got the shape {array.shape}")
        return array


def one_hot(table: Table, *, standardise: bool = True) -> Encoding:
    """
    Encode each category as an input of its own, 1 or 0, and numbers by their distance from the mean.

    Parameters
    ----------
    table
        Gives means and standard deviations: the training part, never the test part.
    standardise
        False leaves numbers as they are.

    Returns
    -------
    Encoding
    """
    return _fitted(table, spread=True, standardise=standardise)


def ordinal(table: Table, *, standardise: bool = False) -> Encoding:
    """
    Encode each category as its position, so that every column is one input: enough for trees, hardly for a network.

    Parameters
    ----------
    table
        Gives means and standard deviations if these are wanted.
    standardise
        True takes the mean off and divides by the standard deviation.

    Returns
    -------
    Encoding
    """
    return _fitted(table, spread=False, standardise=standardise)


def _fitted(table: Table, *, spread: bool, standardise: bool) -> Encoding:
    count = len(table.columns)
    if not standardise:
        return Encoding(table.columns, spread, np.zeros(count), np.ones(count))
    if not len(table):
        raise ValueError(f"{table.name} has no rows to take means and standard deviations from")
    deviation = table.values.std(axis=0)
    return Encoding(table.columns, spread, table.values.mean(axis=0), np.where(deviation > 0, deviation, 1.0))
