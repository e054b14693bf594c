"""Who plays: every value of a sample by itself, or groups of values that come and go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Groups = npt.ArrayLike | Sequence[Sequence[int | str]] | Mapping[Any, Sequence[int | str]]
"""A number of a player for each value of a sample, or for each player the columns that are its own."""


def player_of_each_value(
    groups: Groups | None, shape: tuple[int, ...], columns: Sequence[Any] | None
) -> tuple[npt.NDArray[np.int_], tuple[int, ...]]:
    """
    Give each value of a sample the number of the player it belongs to.

    Parameters
    ----------
    groups
        None: each value is a player. An array of whole numbers from 0 in the shape of a sample, or of its places
        without the channels, such as superpixels. A sequence or mapping of columns, by number or by name, one entry for
        each player, such as the columns of each one-hot category; each column in exactly one.
    shape
        Of a sample.
    columns
        Names, where samples came as a pandas frame.

    Returns
    -------
    labels : array of ints, shape (values,)
    shape : tuple of int
        That of the attributions of one sample: the sample's own, or (players,) with groups.

    Raises
    ------
    ValueError
        If the groups leave out a value or a number, or share one.
    """
    size = int(np.prod(shape))
    if groups is None:
        return np.arange(size), shape
    by_columns = isinstance(groups, Mapping) or (not np.isscalar(groups) and _is_ragged(groups))
    labels = _from_columns(groups, shape, columns) if by_columns else _from_labels(groups, shape)
    return labels, (int(labels.max()) + 1,)


def _is_ragged(groups: Any) -> bool:
    """Whether groups are lists of columns: labels are an array, or numbers that make one."""
    return not isinstance(groups, np.ndarray) and all(not np.isscalar(one) and np.ndim(one) == 1 for one in groups)


def _from_columns(groups: Any, shape: tuple[int, ...], columns: Sequence[Any] | None) -> npt.NDArray[np.int_]:
    if len(shape) != 1:
        raise ValueError(f"samples of shape {shape} have no columns: give groups as an array of that shape")
    labels = np.full(shape, -1)
    for player, members in enumerate(groups.values() if isinstance(groups, Mapping) else groups):
        if not len(members):
            raise ValueError(f"group {player} of groups is empty: a player needs a column")
        for member in members:
            column = _column(member, shape[0], columns)
            if labels[column] >= 0:
                raise ValueError(f"column {member!r} is in groups {labels[column]} and {player}: each belongs to one")
            labels[column] = player
    if np.any(labels < 0):
        missing = [columns[i] if columns is not None else i for i in np.flatnonzero(labels < 0).tolist()]
        raise ValueError(f"groups must hold every column, also one that is a player by itself; missing: {missing}")
    return labels


def _column(member: Any, count: int, columns: Sequence[Any] | None) -> int:
    if columns is not None and member in columns:
        return list(columns).index(member)
    if isinstance(member, (int, np.integer)) and 0 <= member < count:
        return int(member)
    names = "the frame's names or " if columns is not None else ""
    raise ValueError(f"groups name the column {member!r}, which is not among {names}0 to {count - 1}")


def _from_labels(groups: Any, shape: tuple[int, ...]) -> npt.NDArray[np.int_]:
    labels = np.asarray(groups)
    shapes = [shape, shape[:-1]] if len(shape) > 1 else [shape]
    if labels.dtype.kind not in "iu" or labels.shape not in shapes:
        raise ValueError(
            f"groups must be whole numbers of shape {' or '.join(map(str, shapes))}, one for each value of a sample "
            f"(or pixel), or a list of columns for each player; got shape {labels.shape} of {labels.dtype}"
        )
    labels = labels if labels.shape == shape else np.broadcast_to(labels[..., np.newaxis], shape)
    missing = np.setdiff1d(np.arange(int(labels.max()) + 1), labels)
    if labels.min() < 0 or missing.size:
        raise ValueError(
            f"groups must number the players from 0 without a gap: numbers {labels.min()} to {labels.max()}, missing "
            f"{missing.tolist()}; np.unique(groups, return_inverse=True)[1] closes gaps"
        )
    return labels.reshape(-1).astype(int)
