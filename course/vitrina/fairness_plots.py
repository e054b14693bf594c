"""Plots of a model among groups of people: rates with their errors, and whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitrina.fairness import RATES, Groups, share_interval
from vitrina.figures import new_axes, new_panels
from vitrina.messages import _
from vitrina.tabular import Calibration

_COLOURS = ("#4575b4", "#d73027", "#1a9850", "#b8860b", "#7b3294", "#555555")


def show_groups(groups: Groups | Mapping[str, Groups], *, rates: Sequence[str] | None = None) -> Figure:
    """
    Draw rates of groups as points with 95 % intervals, one panel per rate.

    Parameters
    ----------
    groups
        What `vitrina.fairness.group_rates` gives; a mapping from the name of a model draws several models in colours.
    rates
        Names in `vitrina.fairness.RATES`, by default all of them.

    Returns
    -------
    Figure
        Shown by a notebook when it is a cell's last value.

    Raises
    ------
    ValueError
        If there is nothing to draw, models have other groups or a rate has another name.
    """
    models = groups if isinstance(groups, Mapping) else {"": groups}
    chosen = list(RATES) if rates is None else list(rates)
    unknown = [rate for rate in chosen if rate not in RATES]
    if not models or not chosen or unknown:
        raise ValueError(f"rates must be some of {', '.join(RATES)}, got {unknown or chosen}, of at least one model")
    names = next(iter(models.values())).names
    if any(other.names != names for other in models.values()):
        raise ValueError("all models need the same groups, in the same order")
    columns = min(len(chosen), 4)
    rows = -(-len(chosen) // columns)
    height = rows * (0.75 + (0.2 + 0.18 * len(models)) * len(names)) + 0.4
    figure, grid = new_panels(rows, columns, (2.4 * columns + 1.2, height), sharey=True)
    panels = grid.ravel()
    for panel, rate in zip(panels, chosen, strict=False):
        _draw_rate(panel, rate, models)
    counts = next(iter(models.values())).counts
    panels[0].set_yticks(range(len(names)), [f"{name} ({n})" for name, n in zip(names, counts, strict=True)])
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    for panel in panels[len(chosen) :]:
        panel.set_visible(False)
    if len(models) > 1:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(models), fontsize=9)
    return figure


def _draw_rate(panel: Axes, rate: str, models: Mapping[str, Groups]) -> None:
    """Draw one rate of all groups, those of several models a little apart."""
    for number, (model, found) in enumerate(models.items()):
        rows = np.arange(len(found.names)) + 0.18 * (number - (len(models) - 1) / 2)
        colour, reach = _COLOURS[number % len(_COLOURS)], _reach(found.rates[rate], found.interval(rate))
        panel.errorbar(found.rates[rate], rows, xerr=reach, fmt="o", markersize=5, color=colour, label=model)
    panel.set_title(_(rate), fontsize=10)
    panel.grid(axis="x", color="0.9")
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)
    if rate == "calibration":  # the only one that is a difference
        panel.axvline(0, color="0.5", linewidth=0.8)
        far = max(0.1, *(np.abs(panel.get_xlim())))
        panel.set_xlim(-far, far)
    else:
        panel.set_xlim(0, 1)


def _reach(points: npt.NDArray[np.float64], ends: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how far intervals reach to either side; rounding may leave less than nothing."""
    return np.maximum(np.stack([points - ends[0], ends[1] - points]), 0)


def show_calibration(calibrations: Calibration | Mapping[str, Calibration]) -> Figure:
    """
    Draw what happened against what a model said, on a line where both are equal; large points are many rows.

    Parameters
    ----------
    calibrations
        What `vitrina.tabular.calibration` gives, one or several by name.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    named = calibrations if isinstance(calibrations, Mapping) else {"": calibrations}
    if not named:
        raise ValueError("there is nothing to draw: one calibration at least is needed")
    figure, axis = new_axes((4.4, 4.2))
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    for colour, (name, found) in zip(_COLOURS * len(named), named.items(), strict=False):
        sizes = 12 + 140 * found.counts / found.counts.max()
        happened = np.asarray(found.happened, np.float64)
        spread = _reach(happened, share_interval(happened, found.counts))
        axis.errorbar(found.said, found.happened, yerr=spread, color=colour, linewidth=1.2, label=name)
        axis.scatter(found.said, found.happened, s=sizes, color=colour, alpha=0.6, linewidths=0)
    axis.set(
        xlabel=_("probability that the model gives"),
        ylabel=_("share of class 1"),
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
    )
    axis.set_aspect("equal")
    if len(named) > 1:
        axis.legend(fontsize=9)
    return figure
