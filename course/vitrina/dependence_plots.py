"""Plots of how a score depends on features: ICE curves in grey, their mean in colour, what was observed below."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitrina.explain.dependence import ConditionalExpectations, PartialDependence
from vitrina.figures import new_axes, new_panels
from vitrina.messages import _

_MEAN, _SINGLE = "#c8501e", "#55606b"
_PANEL, _ALONE = (3.3, 3.0), 5.0  # inches
_CURVES = 150  # so many at most are drawn: more become a grey wall
_LETTERS = 18  # of a line in the name of a category
_RUG = 1000  # so many observed values at most


def show_dependence(
    features: Mapping[str, ConditionalExpectations | PartialDependence], *, ylabel: str = "", columns: int = 3
) -> Figure:
    """
    Draw how the score depends on features, one panel for each.

    The thick line is the mean, the partial dependence; thin lines are single instances, if there are curves of them.
    Strokes at the bottom are values that were observed. Where there are more than 150 curves, 150 are drawn that are
    spread over the whole.

    Parameters
    ----------
    features
        From the name of a feature to its curves.
    ylabel
        What the score is.
    columns
        Panels side by side at most; more continue below.

    Returns
    -------
    Figure
        Shown by a notebook when it is a cell's last value.

    Raises
    ------
    ValueError
        If there is nothing to draw, or something is of two features.
    """
    for name, result in features.items():
        if isinstance(result, PartialDependence) and len(result.grids) != 1:
            raise ValueError(f"{name!r} is of two features: show_joint_dependence draws it")
    if not features:
        raise ValueError("there is nothing to draw: one feature at least is needed")
    down = -(-len(features) // columns)
    across = -(-len(features) // down)
    size = ((_ALONE if across == 1 else _PANEL[0] * across) + 0.4, _PANEL[1] * down)
    figure, grid = new_panels(down, across, size, sharey=True)
    for axis, (name, result) in zip(grid.flat, features.items(), strict=False):
        _draw(axis, result)
        axis.set_xlabel(name, fontsize=9, parse_math=False, wrap=True)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    for axis in grid.flat[len(features) :]:
        axis.set_axis_off()
    for axis in grid[:, 0]:
        axis.set_ylabel(ylabel, fontsize=9)
    _legend(figure, grid.flat[: len(features)])
    return figure


def show_joint_dependence(
    result: PartialDependence, names: tuple[str, str], *, label: str = "", title: str = ""
) -> Figure:
    """
    Draw the partial dependence on two features as a map, with the observed pairs of values as points.

    Parameters
    ----------
    result
        Of two features.
    names
        Of the features: the first is drawn to the right, the second upwards.
    label
        What the score is, at the colour scale.
    title
        Written above.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the dependence is on one feature.
    """
    if len(result.grids) != 2 or len(names) != 2:
        raise ValueError("the partial dependence on two features is needed, and two names")
    figure, axis = new_axes((5.4, 4.0))
    right, up = (_places(grid) for grid in result.grids)
    image = axis.pcolormesh(right, up, result.values.T, shading="nearest", cmap="viridis")
    x, y = (_places_of(values, grid) for values, grid in zip(result.observed, result.grids, strict=True))
    step = max(1, len(x) // _RUG)
    limits = axis.get_xlim(), axis.get_ylim()
    axis.plot(x[::step], y[::step], ".", color="white", markersize=3, markeredgecolor="0.2", markeredgewidth=0.3)
    axis.set(xlim=limits[0], ylim=limits[1])
    for ruler, grid, name in ((axis.xaxis, result.grids[0], names[0]), (axis.yaxis, result.grids[1], names[1])):
        _ticks(ruler, grid)
        ruler.set_label_text(name, fontsize=9, parse_math=False)
    axis.tick_params(labelsize=8)
    axis.set_title(title, fontsize=10)
    figure.colorbar(image, ax=axis, pad=0.02).set_label(label, fontsize=9)
    return figure


def _draw(axis: Axes, result: ConditionalExpectations | PartialDependence) -> None:
    """Draw the curves of one feature, or the points of a categorical one."""
    if isinstance(result, PartialDependence):
        grid, curves, mean, observed = result.grids[0], None, result.values, result.observed[0]
    else:
        grid, curves, mean, observed = result.grid, result.curves, result.mean, result.observed
    places, marker = _places(grid), "o" if _is_text(grid) or len(grid) == 1 else ""  # a line needs two points
    if curves is not None:
        some = curves[np.argsort(curves[:, 0], kind="stable")][:: -(-len(curves) // _CURVES)]
        faint = max(0.12, min(0.5, 15 / len(some)))
        lines = axis.plot(places, some.T, color=_SINGLE, alpha=faint, linewidth=0.7, marker=marker, markersize=2)
        lines[0].set_label(_("single instances"))
    axis.plot(places, mean, color=_MEAN, linewidth=2.4, marker=marker, label=_("mean"))
    if not _is_text(grid):
        inside = observed[(observed >= places[0]) & (observed <= places[-1])]
        step = max(1, len(inside) // _RUG)
        transform = axis.get_xaxis_transform()
        axis.plot(inside[::step], np.zeros(len(inside[::step])), "|", color="0.2", alpha=0.5, transform=transform)
    _ticks(axis.xaxis, grid)


def _is_text(grid: npt.NDArray[Any]) -> bool:
    return grid.dtype.kind not in "iufb"


def _places(grid: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.arange(len(grid)) if _is_text(grid) else grid


def _places_of(values: npt.NDArray[Any], grid: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Find where observed values lie; what is not in a grid of categories lies nowhere."""
    if not _is_text(grid):
        return values.astype(float)
    known = {category: float(place) for place, category in enumerate(grid)}
    return np.array([known.get(value, np.nan) for value in values])


def _ticks(ruler: Any, grid: npt.NDArray[Any]) -> None:
    if _is_text(grid):
        labels = ["\n".join(wrap(str(category), _LETTERS)) for category in grid]
        angle = {"rotation": 35, "ha": "right"} if ruler.axis_name == "x" and max(map(len, labels)) > 4 else {}
        ruler.set_ticks(range(len(grid)), labels, parse_math=False, **angle)


def _legend(figure: Figure, axes: Any) -> None:
    lines = {line.get_label(): line for axis in axes for line in axis.lines if not line.get_label().startswith("_")}
    if len(lines) > 1:
        legend = figure.legend(
            lines.values(), lines.keys(), loc="outside upper center", ncols=2, frameon=False, fontsize=9
        )
        for line in legend.get_lines():
            line.set_alpha(1)
