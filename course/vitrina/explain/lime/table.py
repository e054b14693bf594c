"""Rows of a table, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]


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
        return self.values.dtype != object or all(map(is_number, self.values[:, column]))


def is_number(value: Any) -> bool:
    """
    Tell a number from all else; truth values are none.

    Parameters
    ----------
    value
        Of a cell.

    Returns
    -------
    bool
    """
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
        raise ValueError(f"{what}: {values.shape[1]} columns need as many names, got {len(named)}")
    numbers = values.dtype.kind in "fiub" or all(map(is_number, values.flat))
    values = values.astype(np.float64 if numbers else object)
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
        [[value is None or (is_number(value) and not np.isfinite(value)) for value in row] for row in values]
    )
