"""What plots of tables share: labels of any length, rows with the first on top, swarms of points, colours of values."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure

from vitrina.figures import new_panels
from vitrina.messages import _

_Array = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.intp]

VALUES = ListedColormap(plt.get_cmap("viridis")(np.linspace(0, 0.92, 256)), "values")  # bright yellow is lost on white
_UNKNOWN = to_rgba("0.65")  # a value that is no number has no place between low and high
_WIDTH, _ROW, _LINE = 4.4, 0.26, 0.14  # inches: a panel, a row, each further line of its label
_LETTERS, _NAME, _VALUE = 30, 50, 24  # at most: of a line, of a name, of a value
_CROWD = 7.0  # points on one side that fill a row


def as_text(value: object) -> str:
    """Write a value beside the name of its feature."""
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else _clipped(str(value), _VALUE)


def signed(value: float) -> str:
    """Write an attribution, with its sign."""
    return f"{value:+.2g}".replace("-", "−")


def number(value: float, digits: int = 3) -> str:
    """Write a number with a minus as long as a plus."""
    return f"{value:.{digits}g}".replace("-", "−")


def check_finite(values: _Array) -> None:
    """Refuse what cannot be drawn."""
    if not np.isfinite(values).all():
        raise ValueError("NaN or infinite values cannot be drawn: look first at where they come from")


def column_names(inputs: object) -> Sequence[str] | None:
    """Take the names of a data frame's columns, if it is one."""
    columns = getattr(inputs, "columns", None)
    return None if columns is None else [str(column) for column in columns]


def feature_labels(
    names: Sequence[str] | None, count: int, values: Sequence[object] | npt.ArrayLike | None = None
) -> list[str]:
    """Return a label for each feature, with its value if there are values, broken into lines where it is long."""
    known = [_("feature {index}").format(index=index) for index in range(count)] if names is None else list(names)
    given = None if values is None else list(np.asarray(values, object))
    for what, entries in (("names", known), ("values", given)):
        if entries is not None and len(entries) != count:
            raise ValueError(f"{count} features need as many {what}, got {len(entries)}")
    clipped = [_clipped(str(name), _NAME) for name in known]
    if given is None:
        return ["\n".join(wrap(name, _LETTERS)) for name in clipped]
    pairs = zip(clipped, given, strict=True)
    return ["\n".join(wrap(f"{name} = {as_text(value)}", _LETTERS)) for name, value in pairs]


def _clipped(text: str, letters: int) -> str:
    """Leave out the end of a long text, from a space on if there is one in its second half."""
    if len(text) <= letters:
        return text
    end = text.rfind(" ", letters // 2, letters)
    return text[: end if end > 0 else letters - 1] + "…"


def largest(sizes: _Array, top: int, *, hidden: bool = False) -> tuple[_Indices, _Indices]:
    """Split features into the largest and the rest, which needs a row too unless it is hidden."""
    order = np.argsort(-sizes, kind="stable")
    count = len(order) if len(order) <= top else max(1, top if hidden else top - 1)
    return order[:count], order[count:]


def label_of_others(rest: _Indices) -> list[str]:
    """Name the row of what was added up."""
    return [_("{count} others together").format(count=len(rest))] if len(rest) else []


def note_hidden(axis: Axes, count: int) -> None:
    """Say how many features are not drawn."""
    if count:
        note = _("{count} more are not shown").format(count=count)
        axis.text(1, 0.005, note, transform=axis.transAxes, ha="right", va="bottom", fontsize=8, color="0.4")


def row_panels(
    labels: Sequence[str], titles: Sequence[str], *, share: bool = False, room: float = 0.0, around: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """Make panels whose rows are features, the first on top; room is for each row, in inches, around for all."""
    lines = max(label.count("\n") for label in labels)
    size = (_WIDTH * len(titles) + 2.0, len(labels) * (_ROW + _LINE * lines + room) + 0.8 + around)
    figure, grid = new_panels(1, len(titles), size, sharey=True, sharex=share)
    axes = list(grid[0])
    axes[0].set_yticks(range(len(labels)), labels, parse_math=False)
    axes[0].set_ylim(len(labels) - 0.4, -0.6)
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
        axis.tick_params(labelsize=9)
    return figure, axes


def swarm(values: _Array, width: float) -> _Array:
    """Find heights, within half a row, at which points do not hide each other; those in a slice pile up."""
    slices = np.floor((values - values.min()) / width)
    order = np.argsort(slices, kind="stable")
    rank = np.arange(len(values)) - np.searchsorted(slices[order], slices[order])
    heights = np.empty(len(values))
    heights[order] = (rank + 1) // 2 * np.where(rank % 2, 1, -1)
    return 0.4 * heights / max(_CROWD, np.abs(heights).max())


def value_colours(column: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    """Colour values from low to high; grey is what is no number."""
    try:
        numbers = column.astype(float)
    except (TypeError, ValueError):
        numbers = np.full(len(column), np.nan)
    known = np.isfinite(numbers)
    colours = np.tile(_UNKNOWN, (len(column), 1))
    if known.any():
        colours[known] = VALUES(_shares(numbers[known]))
    return colours


def _shares(numbers: _Array) -> _Array:
    """Place numbers between 0 and 1; few very large ones would make all others look alike."""
    low, high = np.percentile(numbers, [5, 95])
    if low == high:
        low, high = numbers.min(), numbers.max()
    return np.clip((numbers - low) / (high - low), 0, 1) if high > low else np.full(len(numbers), 0.5)
