"""Hierarchies of players: groups within groups, for Owen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Hierarchy = int | Sequence["Hierarchy"] | npt.NDArray[Any]
"""Players (ints from 0) in groups within groups, such as ((0, 1), (2, (3, 4))); or a linkage matrix, as SciPy's."""


@dataclass(frozen=True, eq=False)
class Group:
    """
    A player, or a group of groups.

    Attributes
    ----------
    members : array of ints
        The players in it.
    subgroups
        At least two, which share the members; none in a player.
    """

    members: npt.NDArray[np.int_]
    subgroups: tuple[Group, ...] = ()


def as_group(hierarchy: Hierarchy) -> Group:
    """
    Check a hierarchy.

    Parameters
    ----------
    hierarchy
        Nested sequences of ints, or a linkage matrix.

    Returns
    -------
    Group
        Of all players; a group that holds nothing but one other group is left out.

    Raises
    ------
    ValueError
        If it is neither, or does not hold each of the players 0 to n - 1 once.
    """
    try:
        root = _from_linkage(hierarchy) if isinstance(hierarchy, np.ndarray) else _from_nested(hierarchy)
    except RecursionError:
        raise ValueError("a hierarchy has too many levels of tuples for Python: give a linkage matrix") from None
    count = len(hierarchy) + 1 if isinstance(hierarchy, np.ndarray) else len(root.members)
    if not np.array_equal(np.sort(root.members), np.arange(count)):
        raise ValueError(
            f"a hierarchy must hold each player from 0 up once, this one holds {sorted(root.members.tolist())[:20]}"
        )
    return root


def superpixel_hierarchy(labels: npt.ArrayLike, image: npt.ArrayLike) -> Hierarchy:
    """
    Join superpixels two by two, the most alike among neighbours first, until one group is left.

    Two groups can be joined where they touch, along an edge of two pixels. They are alike if joining them adds little
    to the spread of colours within groups (Ward 1963, doi 10.1080/01621459.1963.10500845; scikit-learn's).

    Parameters
    ----------
    labels : array of ints, shape (height, width)
        The number of each pixel's superpixel, from 0 up without gaps, as `superpixels` makes them for each image.
    image : array, shape (height, width) or (height, width, channels)

    Returns
    -------
    nested tuples of ints
        Groups of two.

    Raises
    ------
    ValueError
        If the labels are none, or the image has another shape or holds something that is not finite.
    """
    from scipy.sparse import coo_array
    from sklearn.cluster import AgglomerativeClustering

    numbers, count = as_labels(labels)
    pixels = np.asarray(image, float)
    if numbers.ndim != 2 or pixels.shape[:2] != numbers.shape or pixels.ndim > 3 or not np.isfinite(pixels).all():
        raise ValueError(
            f"labels must have shape (height, width) and the image as many finite pixels, got {numbers.shape} and "
            f"{pixels.shape}"
        )
    if count == 1:
        return 0
    first, second = touching(numbers)
    touch = coo_array((np.ones(len(first)), (first, second)), shape=(count, count)).tocsr()
    colours = mean_colours(numbers, pixels.reshape(*numbers.shape, -1))
    joined = AgglomerativeClustering(n_clusters=1, connectivity=touch + touch.T, linkage="ward").fit(colours)
    return _nested(np.asarray(joined.children_), count)


def grid_hierarchy(rows: int, columns: int) -> Hierarchy:
    """
    Halve a grid along its longer side, and the halves again, down to its cells.

    Parameters
    ----------
    rows, columns
        Of the grid, whose cells are numbered row by row from 0.

    Returns
    -------
    nested tuples of ints
        Groups of two.

    Raises
    ------
    ValueError
        If there is no cell.
    """
    if rows < 1 or columns < 1:
        raise ValueError(f"a grid needs at least one row and one column, got {rows} x {columns}")
    return _halves(np.arange(rows * columns).reshape(rows, columns))


def as_labels(labels: npt.ArrayLike) -> tuple[npt.NDArray[np.int_], int]:
    """
    Check the numbers of players.

    Parameters
    ----------
    labels : array of ints, any shape
        The player that each place belongs to.

    Returns
    -------
    array of ints
    int
        How many players there are.

    Raises
    ------
    ValueError
        If they are not ints from 0 up without a gap.
    """
    numbers = np.asarray(labels)
    found = np.unique(numbers)
    if numbers.dtype.kind not in "iu" or not np.array_equal(found, np.arange(len(found))) or not numbers.size:
        raise ValueError(
            f"labels must be ints from 0 up without a gap, one for each place; got {numbers.dtype}, {found[:10]}"
        )
    return numbers.astype(int), len(found)


def touching(labels: npt.NDArray[np.int_]) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """
    Find the pairs of superpixels that have an edge in common.

    Parameters
    ----------
    labels : array of ints, shape (height, width)

    Returns
    -------
    two arrays of ints, shape (pairs,)
        Each pair once, the lower number first.
    """
    sides = [(labels[:-1], labels[1:]), (labels[:, :-1], labels[:, 1:])]
    pairs = np.concatenate([np.stack([one.ravel(), other.ravel()], axis=1) for one, other in sides])
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def mean_colours(labels: npt.NDArray[np.int_], image: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """
    Average an image over each of its superpixels.

    Parameters
    ----------
    labels : array of ints, shape (height, width)
        From 0 up without a gap.
    image : array, shape (height, width, channels)

    Returns
    -------
    array, shape (superpixels, channels)
    """
    sizes = np.bincount(labels.ravel())
    channels = image.reshape(-1, image.shape[-1]).T
    return np.stack([np.bincount(labels.ravel(), channel) for channel in channels], axis=1) / sizes[:, np.newaxis]


def _from_nested(hierarchy: Hierarchy) -> Group:
    if isinstance(hierarchy, (int, np.integer)) and not isinstance(hierarchy, bool):
        return Group(np.array([hierarchy]))
    if not isinstance(hierarchy, (list, tuple)) or not len(hierarchy):
        raise ValueError(f"a hierarchy is made of ints and of tuples of at least one of them, it holds {hierarchy!r}")
    return _joined([_from_nested(part) for part in hierarchy])


def _joined(groups: list[Group]) -> Group:
    return groups[0] if len(groups) == 1 else Group(np.concatenate([g.members for g in groups]), tuple(groups))


def _from_linkage(linkage: npt.NDArray[Any]) -> Group:
    """Row i of a linkage matrix joins two clusters and makes number players + i of them."""
    if linkage.ndim != 2 or linkage.shape[1] < 2 or not len(linkage):
        raise ValueError(f"a linkage matrix has shape (players - 1, 2 or more), got {linkage.shape}")
    players = len(linkage) + 1
    pairs = linkage[:, :2].astype(int)
    if (
        np.any(pairs != linkage[:, :2])
        or np.any(pairs < 0)
        or np.any(pairs >= players + np.arange(len(pairs))[:, None])
    ):
        raise ValueError("a linkage matrix joins clusters that exist: players, or results of rows above")
    groups = [Group(np.array([player])) for player in range(players)]
    for one, other in pairs:
        groups.append(_joined([groups[one], groups[other]]))
    return groups[-1]


def _nested(pairs: npt.NDArray[np.int_], players: int) -> Hierarchy:
    groups: list[Hierarchy] = list(range(players))
    for one, other in pairs.tolist():
        groups.append((groups[one], groups[other]))
    return groups[-1]


def _halves(cells: npt.NDArray[np.int_]) -> Hierarchy:
    if cells.size == 1:
        return int(cells[0, 0])
    one, other = np.array_split(cells, 2, axis=0 if cells.shape[0] >= cells.shape[1] else 1)
    return _halves(one), _halves(other)
