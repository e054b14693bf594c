"""Plots of the explainability-performance coefficient: inclusion curves, and scores over seeds, both beside chance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitrina.evaluation_plots import CHANCE, curve_panels, legend_beside
from vitrina.explain.coefficient import Coefficient
from vitrina.explain.comparison import Comparison
from vitrina.tabular_parts import row_panels

_MIDDLE = (5, 95)  # per cent of the random orders that the band holds
_JITTER = 0.22  # of a row


def show_inclusion(panels: Mapping[str, Mapping[str, Coefficient]], *, both_ends: bool = True) -> Figure:
    """
    Draw what few features retain: one line for each explainer, and a grey band with nine random orders in ten.

    Parameters
    ----------
    panels
        From the title of a panel, such as a data set, to the coefficients of explainers of one model by name.
    both_ends
        Whether the least relevant features are drawn as well, dashed: the contrast is the area between the two lines.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if not panels or not all(panels.values()):
        raise ValueError("each panel needs the coefficient of one explainer at least")
    figure, axes = curve_panels(len(panels), "share of the performance retained", 3.4 if len(panels) > 1 else 5.0)
    for axis, (title, methods) in zip(axes, panels.items(), strict=True):
        _band(axis, next(iter(methods.values())))
        for name, found in methods.items():
            curves = found.curves
            (line,) = axis.plot(curves.shares, curves.first_retained, label=name, linewidth=1.6)
            if both_ends:
                axis.plot(curves.shares, curves.last_retained, color=line.get_color(), linewidth=1.2, linestyle="--")
        axis.set(title=title, xlabel="share of the features kept", xlim=(0, 1), ylim=(-0.02, 1.03), xticks=(0, 0.5, 1))
    if both_ends:
        axes[0].plot([], [], color="0.3", linewidth=1.2, linestyle="--", label="least relevant first")
    legend_beside(figure, axes[0])
    return figure


def show_coefficients(comparisons: Mapping[str, Comparison]) -> Figure:
    """
    Draw the scores of explainers: a dot for each seed, a bar for the mean, grey for nine random orders in ten.

    Parameters
    ----------
    comparisons
        From the title of a panel, such as a data set, to its comparison; all of the same explainers.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is nothing to draw, or the explainers differ.
    """
    names = [set(each.names) for each in comparisons.values()]
    if not names or any(other != names[0] for other in names):
        raise ValueError("comparisons of the same explainers are needed, one at least")
    mean = {
        name: float(np.mean([each.means[each.names.index(name)] for each in comparisons.values()])) for name in names[0]
    }
    rows = sorted(mean, key=lambda name: (-mean[name], name))
    figure, axes = row_panels(rows, list(comparisons), share=True)
    for axis, compared in zip(axes, comparisons.values(), strict=True):
        _scores(axis, compared, rows)
    return figure


def _band(axis: Axes, found: Coefficient) -> None:
    """Draw what random orders retain; which end they begin with is all the same."""
    low, high = np.percentile(found.chance.first_retained, _MIDDLE, axis=0)
    axis.fill_between(found.chance.shares, low, high, color=CHANCE, alpha=0.35, linewidth=0, label="random orders")


def _scores(axis: Axes, compared: Comparison, rows: list[str]) -> None:
    axis.axvspan(*np.percentile(compared.chance, _MIDDLE), color=CHANCE, alpha=0.35, linewidth=0)
    axis.axvline(0, color="0.5", linewidth=0.8)
    for row, name in enumerate(rows):
        scores = compared.scores[compared.names.index(name)]
        places = row + np.linspace(-_JITTER, _JITTER, len(scores))
        (dots,) = axis.plot(scores, places, "o", markersize=4, alpha=0.6, clip_on=False)
        axis.plot([scores.mean()] * 2, [row - 0.36, row + 0.36], color=dots.get_color(), linewidth=2.5)
    axis.set_xlabel(f"{compared.definition.name} over {len(compared.full)} seeds")
