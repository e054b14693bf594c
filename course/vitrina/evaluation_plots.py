"""Plots of measured explanations: curves beside chance, methods against perturbations, what survives randomisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vitrina.explain.additivity import SensitivityN
from vitrina.explain.faithfulness import FlippingCurve
from vitrina.explain.randomisation import Randomisation
from vitrina.explain.roar import RANDOM, Roar
from vitrina.explain.robustness import MaxSensitivity
from vitrina.figures import new_axes, new_panels

Curves = Mapping[str, FlippingCurve]
CHANCE = "0.6"  # grey: chance is what everything else is held against
_PANEL = (3.4, 2.9)  # inches
_ALONE = 5.0  # width of a panel that has no other beside it


def show_curves(
    methods: Mapping[str, Curves], *, chance: Sequence[Curves] = (), ylabel: str = "probability of the class"
) -> Figure:
    """
    Draw the mean curve of each method, one panel per perturbation.

    Parameters
    ----------
    methods
        From the name of a method to its curves by perturbation.
    chance
        Curves of several random orders: drawn as a band that holds all their means.
    ylabel
        What the curves show.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no method, or the methods were not measured with the same perturbations.
    """
    names = _same_keys(methods)
    figure, axes = curve_panels(len(names), ylabel, _ALONE if len(names) == 1 else _PANEL[0])
    for axis, name in zip(axes, names, strict=True):
        if chance:
            means = np.stack([curves[name].outputs.mean(axis=0) for curves in chance])
            _band(axis, chance[0][name].shares, means, "random order")
        for method, curves in methods.items():
            axis.plot(curves[name].shares, curves[name].outputs.mean(axis=0), label=method, linewidth=1.6)
        axis.set(title=name, xlabel="share of the pixels", xlim=(0, None))
    legend_beside(figure, axes[0])
    return figure


def show_comparison(
    scores: Mapping[str, Mapping[str, npt.ArrayLike]], *, title: str = "", low_is_good: bool = False
) -> Figure:
    """
    Draw a table of methods and perturbations, coloured by score; the best of each column is in a frame.

    Parameters
    ----------
    scores
        From the name of a method to its scores by perturbation: of each sample, or a number.
    title
        Written above: what was measured.
    low_is_good
        Whether a low score is good, as for the deletion score.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no method, or the methods were not measured with the same perturbations.
    """
    names = _same_keys(scores)
    table = np.array([[np.nanmean(np.asarray(row[name], float)) for name in names] for row in scores.values()])
    figure, axis = new_axes((1.8 + 1.05 * len(names), 1.0 + 0.36 * len(table)))
    image = axis.imshow(table, cmap="viridis_r" if low_is_good else "viridis", aspect="auto")
    dark = np.asarray(image.to_rgba(table))[..., :3] @ [0.3, 0.6, 0.1] < 0.5  # as the eye weighs red, green and blue
    for (row, column), value in np.ndenumerate(table):
        colour = "white" if dark[row, column] else "black"
        axis.text(column, row, f"{round(value, 2) + 0.0:.2f}", ha="center", va="center", color=colour)
    best = table.argmin(axis=0) if low_is_good else table.argmax(axis=0)
    for column, row in enumerate(best):
        frame = Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, edgecolor="red", linewidth=2)
        axis.add_patch(frame)
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(table)), list(scores))
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=10)
    return figure


def show_randomisation(results: Mapping[str, Randomisation]) -> Figure:
    """
    Draw how similar each method's explanations stay to those of the trained model, one panel per similarity.

    Parameters
    ----------
    results
        From the name of a method to its result; all of the same model and mode.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no result, or they are not of the same layers and mode.
    """
    kinds = {(*result.layers, result.mode) for result in results.values()}
    if len(kinds) != 1:
        raise ValueError("results of the same model and mode are needed, of one method at least")
    first = next(iter(results.values()))
    figure, axes = curve_panels(len(first.similarities), "similarity to the trained model's")
    stages = range(1 + len(first.layers))
    down_to = "down to " if first.mode == "cascading" else ""
    for axis, name in zip(axes, first.similarities, strict=True):
        axis.axhline(0, color="0.8", linewidth=0.8)
        for method, result in results.items():
            values = result.similarities[name]
            axis.errorbar(stages, values.mean(axis=0), values.std(axis=0), label=method, marker="o", capsize=2)
        axis.set_xticks(stages, ["trained", *first.layers], rotation=35, ha="right", fontsize=8)
        axis.set(title=name, xlabel=f"randomised {down_to}layer", ylim=(None, 1.08))
    legend_beside(figure, axes[0])
    return figure


def show_roar(result: Roar) -> Figure:
    """
    Draw the accuracy after removal and retraining, with the range over the retrainings.

    Parameters
    ----------
    result
        From `roar`.

    Returns
    -------
    Figure
    """
    figure, axes = curve_panels(1, "accuracy of a retrained model", _ALONE)
    for method, rows in result.accuracies.items():
        (line,) = axes[0].plot(result.shares, rows.mean(axis=0), label=method, marker="o")
        if method == RANDOM:
            line.set(color=CHANCE, linestyle="--")
        axes[0].fill_between(result.shares, rows.min(axis=0), rows.max(axis=0), alpha=0.2, color=line.get_color())
    axes[0].set(xlabel="share of the pixels removed", xlim=(0, None))
    legend_beside(figure, axes[0])
    return figure


def show_sensitivity_n(methods: Mapping[str, Mapping[str, SensitivityN]]) -> Figure:
    """
    Draw the mean correlation against the number of features removed, one panel per perturbation.

    Parameters
    ----------
    methods
        From the name of a method to its results by perturbation.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no method, or the methods were not measured with the same perturbations.
    """
    names = _same_keys(methods)
    figure, axes = curve_panels(len(names), "correlation", _ALONE if len(names) == 1 else _PANEL[0])
    for axis, name in zip(axes, names, strict=True):
        for method, results in methods.items():
            axis.plot(results[name].sizes, np.nanmean(results[name].correlations, axis=0), label=method, marker="o")
        axis.axhline(1, color="0.8", linewidth=0.8)
        axis.set(title=name, xlabel="features removed together, n", xscale="log")
    legend_beside(figure, axes[0])
    return figure


def show_max_sensitivity(methods: Mapping[str, MaxSensitivity]) -> Figure:
    """
    Draw how far explanations were moved against the size of the change, as the median and the middle half of samples.

    Parameters
    ----------
    methods
        From the name of a method to its result.

    Returns
    -------
    Figure
    """
    figure, axes = curve_panels(1, "relative change of the explanation", _ALONE)
    for method, result in methods.items():
        low, middle, high = np.percentile(result.values, [25, 50, 75], axis=0)
        (line,) = axes[0].plot(result.radii, middle, label=method, marker="o")
        axes[0].fill_between(result.radii, low, high, alpha=0.2, color=line.get_color())
    axes[0].set(xlabel="largest change of a pixel", xlim=(0, None), ylim=(0, None))
    legend_beside(figure, axes[0])
    return figure


def _same_keys(methods: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return the perturbations that all methods were measured with."""
    names = [list(results) for results in methods.values()]
    if not names or not names[0] or any(set(other) != set(names[0]) for other in names):
        raise ValueError("methods measured with the same perturbations are needed, one at least")
    return names[0]


def curve_panels(count: int, ylabel: str, width: float = _PANEL[0]) -> tuple[Figure, list[Axes]]:
    """Make panels side by side, with one axis of values for all."""
    figure, grid = new_panels(1, count, (width * count + 0.4, _PANEL[1]), sharey=True)
    axes = list(grid[0])
    axes[0].set_ylabel(ylabel)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.title.set_fontsize(10)
    return figure, axes


def _band(axis: Axes, shares: npt.ArrayLike, means: npt.NDArray[np.floating], label: str) -> None:
    axis.fill_between(shares, means.min(axis=0), means.max(axis=0), color=CHANCE, alpha=0.4, linewidth=0)
    axis.plot(shares, means.mean(axis=0), color=CHANCE, linestyle="--", label=label)


def legend_beside(figure: Figure, axis: Axes) -> None:
    """Explain the lines of a panel to the right of all."""
    figure.legend(*axis.get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=9)
