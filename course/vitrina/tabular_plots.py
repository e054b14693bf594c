"""Plots of explanations of tables: red speaks for the target and blue against it, whatever the features are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from vitrina.figures import new_axes
from vitrina.messages import _
from vitrina.plots import AGAINST, FOR, SIGNED, colour_limit
from vitrina.tabular_parts import (
    VALUES,
    check_finite,
    column_names,
    feature_labels,
    label_of_others,
    largest,
    note_hidden,
    number,
    row_panels,
    signed,
    swarm,
    value_colours,
)

Methods = npt.ArrayLike | Mapping[str, npt.ArrayLike]
_Array = npt.NDArray[np.float64]

_NEUTRAL = "#55606b"  # what has no sign
_SLICES = 90  # of a swarm, from the lowest attribution to the highest
_ROWS_OF_LABEL = 5  # beside fewer the long label of the colours would cover its ends
_SAME_CONTRAST = 0.179  # luminance from which white and black are equally far
_NUMBERED = 10  # so many features at most have numbers in their heat map


def show_bars(
    attributions: Methods,
    names: Sequence[str] | None = None,
    *,
    values: Sequence[object] | npt.ArrayLike | None = None,
    top: int = 12,
    common_scale: bool = True,
    title: str = "",
) -> Figure:
    """
    Draw the attributions of one instance as bars, the largest on top.

    Parameters
    ----------
    attributions : array, shape (features,), or mapping from the name of a method to such an array
        With a mapping each method gets a panel; the order is that of the mean size over the methods.
    names : sequence of str, optional
        Of the features.
    values : sequence of one per feature, optional
        What the instance has in them; written behind the names.
    top
        So many rows at most; what is left is added up in the last of them.
    common_scale
        Whether the panels share their scale.
    title
        Written above.

    Returns
    -------
    Figure
        Shown by a notebook when it is a cell's last value.

    Raises
    ------
    ValueError
        If shapes do not fit each other, or an attribution is not finite.
    """
    methods, labels = _of_one_instance(attributions, names, values)
    order, rest = largest(np.mean([np.abs(scores) for scores in methods.values()], axis=0), top)
    figure, axes = row_panels([*(labels[i] for i in order), *label_of_others(rest)], list(methods), share=common_scale)
    for axis, scores in zip(axes, methods.values(), strict=True):
        lengths = np.array([*scores[order], *([scores[rest].sum()] if len(rest) else [])])
        bars = axis.barh(range(len(lengths)), lengths, color=np.where(lengths < 0, AGAINST, FOR).tolist(), height=0.7)
        axis.bar_label(bars, [signed(length) for length in lengths], padding=3, fontsize=8)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.use_sticky_edges = bool(np.all(lengths < 0) or np.all(lengths >= 0))  # else numbers stand on both sides
        axis.margins(x=0.16)
    figure.suptitle(title, fontsize=10)
    return figure


def show_waterfall(
    attributions: npt.ArrayLike,
    names: Sequence[str] | None = None,
    *,
    base: float,
    values: Sequence[object] | npt.ArrayLike | None = None,
    top: int = 12,
    title: str = "",
) -> Figure:
    """
    Draw how the attributions of one instance lead from the base value to the output, step by step.

    Parameters
    ----------
    attributions : array, shape (features,)
        They add up to the output minus the base.
    names, values, top, title
        As in `show_bars`.
    base
        Where the steps begin: the mean output over the background.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If shapes do not fit each other, or an attribution is not finite.
    """
    methods, labels = _of_one_instance(attributions, names, values)
    (scores,) = methods.values()
    order, rest = largest(np.abs(scores), top)
    steps = np.array([*scores[order], *([scores[rest].sum()] if len(rest) else [])])
    ends = base + np.cumsum(steps)
    starts = ends - steps
    figure, (axis,) = row_panels([*(labels[i] for i in order), *label_of_others(rest)], [title], around=0.6)
    axis.barh(range(len(steps)), steps, left=starts, color=np.where(steps < 0, AGAINST, FOR).tolist(), height=0.7)
    for row, (step, end) in enumerate(zip(steps, ends, strict=True)):
        side, away = ("right", -3) if step < 0 else ("left", 3)
        axis.annotate(signed(step), (end, row), (away, 0), textcoords="offset points", ha=side, va="center", fontsize=8)
        axis.plot([end, end], [row - 0.35, row + 1.35 if row + 1 < len(steps) else row + 0.7], color="0.4", lw=0.8)
    last = len(steps) - 1
    axis.plot([base, base], [-0.7, 0.35], color="0.4", lw=0.8)
    axis.text(base, -0.75, _("base {base}").format(base=number(base)), ha="center", va="bottom", fontsize=9)
    axis.text(ends[-1], last + 0.75, _("output {end}").format(end=number(ends[-1])), ha="center", va="top", fontsize=9)
    axis.set_ylim(last + 1.4, -1.4)
    axis.use_sticky_edges = False
    axis.margins(x=0.12)
    return figure


def show_summary(
    attributions: npt.ArrayLike,
    inputs: npt.ArrayLike,
    names: Sequence[str] | None = None,
    *,
    top: int = 15,
    xlabel: str = "",
) -> Figure:
    """
    Draw the attributions of many instances as a swarm of points for each feature (a beeswarm plot).

    Points lie where their attributions are, and pile up where these are many. Their colour is the value of the feature,
    from its 5th to its 95th percentile; what is no number is grey.

    Parameters
    ----------
    attributions : array, shape (n, features)
        For one target.
    inputs : array, shape (n, features)
        Of the same instances; columns may hold text.
    names
        Of the features; those of a data frame are taken if none are given.
    top
        So many features at most, by mean size of their attributions.
    xlabel
        What an attribution is measured in.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If shapes do not fit each other, or an attribution is not finite.
    """
    scores, table = np.asarray(attributions, float), np.asarray(inputs, object)
    if scores.ndim != 2 or not scores.size or scores.shape != table.shape:
        raise ValueError(
            "attributions of one target and inputs must both have shape (instances, features), with one instance at "
            f"least; got {scores.shape} and {table.shape}"
        )
    check_finite(scores)
    labels = feature_labels(column_names(inputs) if names is None else names, scores.shape[1])
    order, rest = largest(np.abs(scores).mean(axis=0), top, hidden=True)
    figure, (axis,) = row_panels([labels[i] for i in order], [""], room=0.12)
    slice_width = np.ptp(scores[:, order]) / _SLICES or 1.0
    for row, feature in enumerate(order):
        heights = row + swarm(scores[:, feature], slice_width)
        axis.scatter(scores[:, feature], heights, s=8, c=value_colours(table[:, feature]), linewidths=0, zorder=2)
        axis.axhline(row, color="0.9", linewidth=0.6, zorder=0)
    axis.axvline(0, color="black", linewidth=0.8, zorder=1)
    axis.set(xlabel=xlabel or _("attribution"), ylim=(len(order) - 0.4, -0.6))
    note_hidden(axis, len(rest))
    bar = figure.colorbar(ScalarMappable(cmap=VALUES), ax=axis, aspect=40, pad=0.02)
    bar.set_ticks([0, 1], labels=[_("low"), _("high")], fontsize=8)
    few = len(order) < _ROWS_OF_LABEL
    bar.set_label(_("value") if few else _("value of the feature"), fontsize=9, labelpad=-12)
    return figure


def show_importance(
    scores: Methods, names: Sequence[str] | None = None, *, top: int = 20, xlabel: str = "", common_scale: bool = False
) -> Figure:
    """
    Draw how important features are for a model as a whole, such as mean |SHAP| or permutation importance.

    Parameters
    ----------
    scores : array, shape (features,) or (features, repeats), or mapping from the name of a measure to such an array
        With repeats the bar is their mean, and a line reaches one standard deviation to both sides. With a mapping
        each measure gets a panel; the order is that of the first.
    names
        Of the features.
    top
        So many rows at most.
    xlabel
        What is measured.
    common_scale
        Whether the panels share their scale.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If shapes do not fit each other, or a score is not finite.
    """
    methods = {name: np.asarray(values, float) for name, values in _named(scores).items()}
    repeats = {name: values[:, np.newaxis] if values.ndim == 1 else values for name, values in methods.items()}
    count = len(next(iter(repeats.values())))
    for name, values in repeats.items():
        if values.ndim != 2 or not values.size or len(values) != count:
            raise ValueError(f"scores {name!r} must have shape ({count},) or ({count}, repeats), got {values.shape}")
        check_finite(values)
    labels = feature_labels(names, count)
    order, rest = largest(next(iter(repeats.values())).mean(axis=1), top, hidden=True)
    figure, axes = row_panels([labels[i] for i in order], list(methods), share=common_scale)
    for axis, values in zip(axes, repeats.values(), strict=True):
        spread = values.std(axis=1)[order] if values.shape[1] > 1 else None
        style: dict[str, Any] = {"ecolor": "black", "error_kw": {"elinewidth": 1}}
        axis.barh(range(len(order)), values.mean(axis=1)[order], xerr=spread, color=_NEUTRAL, height=0.7, **style)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_xlabel(xlabel)
    note_hidden(axes[0], len(rest))
    return figure


def show_interactions(matrix: npt.ArrayLike, names: Sequence[str] | None = None, *, title: str = "") -> Figure:
    """
    Draw interactions of pairs of features as a heat map; the diagonal, which is no pair, is left out.

    Parameters
    ----------
    matrix : array, shape (features, features)
        Red where a pair does more together for the target than its features do alone, blue where less.
    names
        Of the features.
    title
        Written above.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the matrix is not square, or a pair's interaction is not finite.
    """
    pairs = np.array(matrix, float)
    if pairs.ndim != 2 or pairs.shape[0] != pairs.shape[1] or not pairs.size:
        raise ValueError(f"interactions must have shape (features, features), got {pairs.shape}")
    np.fill_diagonal(pairs, 0)
    check_finite(pairs)
    labels, limit = feature_labels(names, len(pairs)), colour_limit(pairs)
    np.fill_diagonal(pairs, np.nan)
    side = 0.24 * len(pairs) + 0.26 * min(len(pairs), _NUMBERED)
    figure, axis = new_axes((side + 3.2, side + 2.0))
    axis.set_facecolor("0.88")
    image = axis.imshow(pairs, cmap=SIGNED, vmin=-limit, vmax=limit)
    if len(pairs) <= _NUMBERED:
        for (row, column), value in np.ndenumerate(pairs):
            if row != column:
                colour = _readable_on(image.to_rgba(value))
                axis.text(column, row, number(value, 2), ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(len(pairs)), labels, rotation=45, ha="right", rotation_mode="anchor", parse_math=False)
    axis.set_yticks(range(len(pairs)), labels, parse_math=False)
    axis.tick_params(length=0, labelsize=8)
    axis.spines[:].set_visible(False)
    figure.suptitle(title, fontsize=10)
    bar = figure.colorbar(image, ax=axis, shrink=0.6, aspect=18, pad=0.02)
    bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"+{limit:.2g}"], fontsize=8)
    return figure


def _readable_on(colour: Any) -> str:
    """Choose white or black, whichever has more contrast (WCAG 2) with a colour."""
    shares = np.asarray(colour[:3], float)
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return "white" if linear @ [0.2126, 0.7152, 0.0722] < _SAME_CONTRAST else "black"


def _named(methods: Methods) -> Mapping[str, npt.ArrayLike]:
    named = methods if isinstance(methods, Mapping) else {"": methods}
    if not named:
        raise ValueError("there is nothing to draw: one method at least is needed")
    return named


def _of_one_instance(
    attributions: Methods, names: Sequence[str] | None, values: Sequence[object] | npt.ArrayLike | None
) -> tuple[dict[str, _Array], list[str]]:
    """Return the attributions by method, and the labels of the features."""
    methods = {name: np.asarray(scores, float) for name, scores in _named(attributions).items()}
    count = len(np.atleast_1d(next(iter(methods.values()))))
    for name, scores in methods.items():
        if scores.ndim != 1 or not count or len(scores) != count:
            raise ValueError(
                f"attributions {name!r} must be of one instance and one target, shape ({count},); got {scores.shape}: "
                "choose one, such as attributions[0]"
            )
        check_finite(scores)
    return methods, feature_labels(names, count, values)
