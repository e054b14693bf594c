"""Pictures of what local explanations of a word see: which symbols they point at, beside those that decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitrina.automata import Symbol
from vitrina.figures import new_panels, rule_cells

Floats = npt.NDArray[np.float64]

_STRIPS = 10.2  # inches that all strips take at most
_LETTERS_FROM = 0.2  # inches: a smaller cell of a strip holds no letter


def show_relevance_strips(
    words: npt.ArrayLike,
    alphabet: Sequence[Symbol],
    maps: Mapping[str, npt.ArrayLike],
    *,
    title: str = "",
) -> Figure:
    """
    Draw sizes of relevance as strips: a panel for each explanation, a row for each word, a cell for each symbol.

    Each row has a scale of its own, white for 0 and dark for the row's largest: what is compared is where an
    explanation points, not how large it is. A row of zeros stays white.

    Parameters
    ----------
    words : array of ints, shape (count, length)
        Numbers of symbols; written into the cells.
    alphabet
        The symbols.
    maps : mapping from a name to an array, shape (count, length)
        Relevance, or truth values.
    title
        Written above.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no map, or one has not the shape of the words.
    """
    read = np.asarray(words, np.int64)
    if read.ndim != 2 or not read.size or not maps:
        raise ValueError("there is nothing to draw: words (count, length) and one map at least are needed")
    for name, relevance in maps.items():
        if np.shape(relevance) != read.shape:
            raise ValueError(f"{name!r} has the shape {np.shape(relevance)}, the words have {read.shape}")
    count, length = read.shape
    cell = min(0.26, _STRIPS / (len(maps) * length))
    figure, panels = new_panels(1, len(maps), (len(maps) * (cell * length + 0.25) + 0.2, cell * count + 0.9))
    for axes, (name, relevance) in zip(panels[0], maps.items(), strict=True):
        shares = _shares(np.asarray(relevance, float))
        axes.imshow(shares, cmap="Oranges", vmin=0, vmax=1, aspect="equal")
        if cell >= _LETTERS_FROM:
            _write_symbols(axes, read, alphabet, shares)
        rule_cells(axes, read.shape, color="white", linewidth=0.8)
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize=10)
        axes.spines[:].set_visible(False)
    figure.suptitle(title)
    return figure


def _shares(relevance: Floats) -> Floats:
    """Sizes as shares of the largest in their row, 0 where all are 0."""
    sizes = np.abs(relevance)
    largest = sizes.max(axis=1, keepdims=True)
    return sizes / np.where(largest > 0, largest, 1)


def _write_symbols(axes: Axes, words: npt.NDArray[np.int64], alphabet: Sequence[Symbol], shares: Floats) -> None:
    for (row, column), symbol in np.ndenumerate(words):
        colour = "white" if shares[row, column] > 0.6 else "0.3"
        axes.text(column, row, str(alphabet[int(symbol)]), ha="center", va="center", fontsize=7.5, color=colour)
