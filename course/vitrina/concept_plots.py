"""Plots of what networks look for: inputs that excite, scores of concepts, single units beside random directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitrina.evaluation_plots import CHANCE, curve_panels, legend_beside
from vitrina.explain.activation_maximisation import Maximised
from vitrina.explain.concepts import Tcav
from vitrina.messages import _
from vitrina.plots import FOR, Sheet, as_pictures
from vitrina.tabular_parts import number, row_panels

_JITTER = 0.24  # of a row


def show_maximised(
    results: Mapping[str, Maximised],
    *,
    titles: Sequence[object] | None = None,
    beside: Mapping[str, npt.ArrayLike] | None = None,
    columns: int = 10,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """
    Draw inputs that excite their targets, a row for each search, with what they reach below them.

    Parameters
    ----------
    results
        From the name of a search to its result, all with as many inputs.
    titles
        Written above the inputs, such as their targets.
    beside
        More rows of pictures without numbers, drawn first: from a name to pictures.
    columns
        Pictures side by side; more continue below.
    limits : pair of floats
        What is white and what is black; by itself lowest and highest of each picture.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no result, or they do not hold as many pictures.
    """
    others = {name: as_pictures(pictures, name) for name, pictures in (beside or {}).items()}
    found = {name: as_pictures(result.images, name) for name, result in results.items()}
    counts = {len(pictures) for pictures in (*others.values(), *found.values())}
    if not found or len(counts) != 1 or (titles is not None and len(titles) not in counts):
        raise ValueError(f"one search at least is needed, with as many pictures and titles in each row, got {counts}")
    (count,) = counts
    sheet = Sheet(count, min(columns, count), len(others) + len(found), bar=False)
    for row, (name, pictures) in enumerate([*others.items(), *found.items()]):
        sheet.name_row(row, name)
        for index, picture in enumerate(pictures):
            note = number(float(results[name].activations[index])) if row >= len(others) else ""
            sheet.draw(picture, index, row, "gray_r", limits or (None, None), frame=True, note=note)
    for index, title in enumerate(titles or []):
        sheet.title(index, str(title))
    return sheet.figure


def show_progress(results: Mapping[str, Maximised], *, level: float | None = None, name: str = "") -> Figure:
    """
    Draw how far each search has come after how many steps: the mean of its inputs, and their range.

    Parameters
    ----------
    results
        From the name of a search to its result.
    level
        A value to compare with, such as the mean of real samples.
    name
        What the level is.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no result.
    """
    if not results:
        raise ValueError("there is no search to draw")
    figure, axes = curve_panels(1, _("activation of the target"), 5.0)
    for label, result in results.items():
        steps = np.arange(len(result.history))
        (line,) = axes[0].plot(steps, result.history.mean(axis=1), label=label, linewidth=1.6)
        low, high = result.history.min(axis=1), result.history.max(axis=1)
        axes[0].fill_between(steps, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    if level is not None:
        axes[0].axhline(level, color=CHANCE, linestyle="--", label=name or _("for comparison"))
    axes[0].set(xlabel=_("step"), xlim=(0, None))
    legend_beside(figure, axes[0])
    return figure


def show_tcav(results: Mapping[str, Tcav], *, level: float = 0.05) -> Figure:
    """
    Draw the score of each vector as a dot, with their mean; scores of random vectors are grey.

    A filled mean differs from the random ones by more than chance, a hollow one does not.

    Parameters
    ----------
    results
        From the title of a panel to a result; all of the same concepts.
    level
        Largest p-value that counts as more than chance.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no result, or the concepts differ.
    """
    names = {result.names for result in results.values()}
    if len(names) != 1:
        raise ValueError("results of the same concepts are needed, one at least")
    (rows,) = names
    figure, axes = row_panels([*rows, _("random examples")], list(results), share=True, room=0.1)
    for axis, result in zip(axes, results.values(), strict=True):
        axis.axvline(0.5, color="0.8", linewidth=0.8)
        for row, (scores, found) in enumerate(zip(result.scores, result.significant(level=level), strict=True)):
            _dots(axis, row, scores, FOR if found else "0.35", filled=bool(found))
        _dots(axis, len(rows), result.random_scores, CHANCE, filled=False)
        axis.set(xlabel=_("TCAV score"), xlim=(-0.04, 1.04))
    return figure


def show_selectivity(
    layers: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]], *, chance: npt.ArrayLike | None = None
) -> Figure:
    """
    Draw how selective the units of a layer are, beside random directions in it, one panel per layer.

    Parameters
    ----------
    layers
        From the name of a layer to the selectivities of its units and of random directions.
    chance
        Selectivities of numbers that know nothing, drawn as a line at their mean.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no layer.
    """
    if not layers:
        raise ValueError("there is no layer to draw")
    figure, axes = curve_panels(len(layers), _("share of units or directions"))
    bins: list[float] = np.linspace(0, 1, 26).tolist()
    for axis, (name, (units, directions)) in zip(axes, layers.items(), strict=True):
        for values, colour, label in ((directions, CHANCE, _("random directions")), (units, FOR, _("single units"))):
            drawn = np.asarray(values, float)
            drawn = drawn[np.isfinite(drawn)]
            style: dict[str, Any] = {"color": colour, "label": label, "weights": np.full(len(drawn), 1 / len(drawn))}
            axis.hist(drawn, bins, histtype="stepfilled" if colour == CHANCE else "step", linewidth=1.8, **style)
            axis.axvline(float(drawn.mean()), color=colour, linestyle=":", linewidth=1.4)
        if chance is not None:
            axis.axvline(float(np.asarray(chance, float).mean()), color="0.2", linewidth=0.8, label=_("knows nothing"))
        axis.set(title=name, xlabel=_("selectivity for one class"), xlim=(0, 1))
    legend_beside(figure, axes[0])
    return figure


def _dots(axis: Axes, row: int, scores: npt.NDArray[np.float64], colour: str, *, filled: bool) -> None:
    places = row + np.linspace(-_JITTER, _JITTER, len(scores))
    axis.plot(scores, places, "o", markersize=3.5, alpha=0.45, color=colour, clip_on=False, markeredgewidth=0)
    face = colour if filled else "white"
    axis.plot(scores.mean(), row, "D", markersize=8, color=colour, markerfacecolor=face, markeredgewidth=1.6, zorder=3)
