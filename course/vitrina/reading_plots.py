"""Pictures of how an automaton is read from a network, and of how well it foretells what becomes of a push.

Where named states lead (a map for each symbol, a table of shares), and how fast a pushed network is back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.ticker import MaxNLocator

from vitrina.automata import Observation
from vitrina.automata_plots import group_tint
from vitrina.figures import finished, new_axes, new_panels, rule_cells
from vitrina.messages import _
from vitrina.recurrent_plots import STATE_COLOURS

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_SHARES = "Blues"
_INK, _FAINT = "#22303f", "#8a94a0"
_MOST_POINTS = 1500
_DISC = 15  # points across
_RARE = 0.02  # moves that are a smaller share than this are not drawn


def state_letters(count: int) -> list[str]:
    """
    Return short names of states: ε for the start, where the empty word is, then A to Z, then A1 and so on.

    Parameters
    ----------
    count
        How many, the start among them.

    Returns
    -------
    list of str
    """
    return ["ε", *(f"{ascii_uppercase[n % 26]}{n // 26 or ''}" for n in range(count - 1))][:count]


def show_moves(
    hidden: npt.ArrayLike,
    observation: Observation,
    states: npt.ArrayLike,
    *,
    names: Sequence[object] | None = None,
    groups: Sequence[int] | None = None,
    title: str = "",
) -> Figure:
    """
    Draw where each named state is led by each symbol: one map of the hidden states for each symbol.

    Hidden states are grey points on the two principal components of the named states' centres. A disc is a named state;
    double rims accept. A full arrow is the most frequent move, a dashed one a rarer move of the same state and symbol:
    where there is none, the state decides where to go.

    Parameters
    ----------
    hidden : array, shape (count, length + 1, units)
        What the network's units were at while it was watched.
    observation : Observation
        What was counted.
    states : array of ints, shape (count, length + 1)
        The hidden states' names, which were counted.
    names : sequence, one per state
        Written into the discs; by itself letters.
    groups : sequence, one per state
        States of a group share a colour, those of a group below 0 are white; by itself what says the same is a group.
    title
        Written above.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If shapes do not agree, or there is not one name or group for each state.
    """
    count, symbols = observation.moves.shape[:2]
    accepting = observation.said[:, 1] > observation.said[:, 0]
    called = _one_each(state_letters(count) if names is None else names, count, "names")
    colours = _colours(accepting.astype(int) if groups is None else groups, count)
    places, points = _map(np.asarray(hidden, float), np.asarray(states, np.int64), count)
    figure, panels = new_panels(1, symbols, (4.1 * symbols, 3.9))
    for symbol, axes in enumerate(panels[0]):
        axes.plot(*points.T, ".", color="0.82", markersize=3, zorder=1)
        for state in range(count):
            _draw_moves(axes, places, state, observation.moves[state, symbol])
            _draw_disc(axes, places[state], called[state], colours[state], accepting=bool(accepting[state]))
        axes.set_title(_("reads {symbol}").format(symbol=observation.alphabet[symbol]), fontsize=10)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color("0.85")
        axes.margins(0.13)
    figure.suptitle(title)
    return figure


def _one_each(values: Sequence[Any], count: int, what: str) -> list[str]:
    if len(values) != count:
        raise ValueError(f"there are {count} states, but {len(values)} {what}")
    return [str(value) for value in values]


def _colours(groups: Sequence[int] | npt.NDArray[Any], count: int) -> list[tuple[float, float, float]]:
    return [group_tint(int(group)) for group in _one_each(list(groups), count, "groups")]


def _map(hidden: Floats, states: Counts, count: int) -> tuple[Floats, Floats]:
    """Put the centres of states, and some of the hidden states, in a plane."""
    if hidden.shape[:-1] != states.shape or not states.size:
        raise ValueError(f"hidden states {hidden.shape} and their names {states.shape} must agree")
    rows, named = hidden.reshape(-1, hidden.shape[-1]), states.reshape(-1)
    visits = np.bincount(named, minlength=count)
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, named, rows)
    centres = sums / np.maximum(visits, 1)[:, np.newaxis]
    middle = centres.mean(axis=0)
    axes = np.linalg.svd(centres - middle, full_matrices=False)[2][:2]
    flat = np.pad(axes, ((0, 2 - len(axes)), (0, 0))).T
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_POINTS)).astype(int)]
    return (centres - middle) @ flat, (some - middle) @ flat


def _draw_disc(axes: Axes, place: Floats, name: str, colour: tuple[float, float, float], *, accepting: bool) -> None:
    axes.plot(*place, "o", color=colour, markeredgecolor=_INK, markersize=_DISC, zorder=3)
    if accepting:
        axes.plot(*place, "o", color="none", markeredgecolor=_INK, markersize=0.78 * _DISC, zorder=4)
    axes.text(place[0], place[1], name, ha="center", va="center_baseline", color="black", fontsize=8, zorder=5)


def _draw_moves(axes: Axes, places: Floats, state: int, moves: Counts) -> None:
    """Draw arrows from one state: the most frequent one full, others that are not rare dashed."""
    total = int(moves.sum())
    if not total:
        return
    usual = int(moves.argmax())
    for target in np.flatnonzero(moves > _RARE * total).tolist():
        style: dict[str, Any] = {"linewidth": 1.3, "color": _INK, "zorder": 2}
        if target != usual:
            style = {"linewidth": 0.8, "color": "#b2182b", "linestyle": (0, (3, 2)), "zorder": 2}
        _draw_arrow(axes, places[state], places[target], loop=state == target, style=style)


def _draw_arrow(axes: Axes, begin: Floats, end: Floats, *, loop: bool, style: dict[str, Any]) -> None:
    if loop:
        colour = style["color"]
        axes.annotate("↻", (begin[0], begin[1]), (0, 13), textcoords="offset points", color=colour, ha="center",
                      va="center", fontsize=12)  # fmt: skip
        return
    arrow = FancyArrowPatch(
        (begin[0], begin[1]), (end[0], end[1]), arrowstyle="-|>", mutation_scale=11, shrinkA=9, shrinkB=9,
        connectionstyle="arc3,rad=0.18", **style,
    )  # fmt: skip
    axes.add_patch(arrow)


def show_transitions(observation: Observation, *, names: Sequence[object] | None = None, title: str = "") -> Figure:
    """
    Draw the table of transitions as shares: a panel for each symbol, a row for each state, a column for where it led.

    A row with one dark cell is deterministic. On the right of each row stands how often the state read the symbol.

    Parameters
    ----------
    observation : Observation
        What was counted.
    names : sequence, one per state
        By itself letters.
    title
        Written above.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is not one name for each state.
    """
    count, symbols = observation.moves.shape[:2]
    called = _one_each(state_letters(count) if names is None else names, count, "names")
    side = max(2.4, 0.23 * count)
    figure, panels = new_panels(1, symbols, (symbols * (side + 0.9) + 0.6, side + 0.9))
    for symbol, axes in enumerate(panels[0]):
        _draw_shares(axes, observation.moves[:, symbol])
        axes.set_xticks(range(count), called, fontsize=7, rotation=90 if max(map(len, called)) > 2 else 0)
        axes.set_yticks(range(count), called if symbol == 0 else [""] * count, fontsize=7)
        axes.set_title(_("reads {symbol}").format(symbol=observation.alphabet[symbol]), fontsize=10)
        axes.set_xlabel(_("leads to"), fontsize=8)
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), _SHARES), ax=panels[0].tolist(), pad=0.09 / symbols, shrink=0.7
    )
    bar.set_label(_("share of the moves"), fontsize=8)
    bar.ax.tick_params(labelsize=7)
    figure.suptitle(title)
    return figure


def _draw_shares(axes: Axes, moves: Counts) -> None:
    """Draw where states were led by one symbol, as shares, with a dot in what is not deterministic."""
    visits = moves.sum(axis=1)
    shares = moves / np.maximum(visits, 1)[:, np.newaxis]
    axes.imshow(shares, cmap=_SHARES, vmin=0, vmax=1)
    for state, target in np.argwhere((shares > 0) & (shares < 1)).tolist():
        axes.text(target, state, "·", ha="center", va="center", color="#b2182b", fontsize=11)
    for state, seen in enumerate(visits.tolist()):
        axes.text(len(moves) - 0.35, state, f"{seen:,}", va="center", fontsize=7, color=_FAINT)
    rule_cells(axes, shares.shape, color="0.92", linewidth=0.6)


def show_recovery(
    measured: Mapping[str, npt.ArrayLike],
    predicted: Mapping[str, npt.ArrayLike] | None = None,
    *,
    title: str = "",
    axes: Axes | None = None,
) -> Figure:
    """
    Draw how a pushed network comes back, symbol by symbol.

    Parameters
    ----------
    measured : mapping from a name to an array, shape (symbols + 1,)
        Share of the runs that say what an undisturbed twin says, right after the push and after each further symbol.
    predicted : mapping, optional
        The same shares by the automaton, for some of the names; dashed.
    title
        Written above.
    axes
        Where to draw; by itself a figure of its own.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If nothing was measured, or something is predicted that was not.
    """
    if not measured:
        raise ValueError("there is nothing to draw: one curve at least is needed")
    strangers = set(predicted or ()) - set(measured)
    if strangers:
        raise ValueError(f"predicted but not measured: {sorted(strangers)}")
    axes = axes or new_axes((5.2, 3.3))[1]
    for number, (name, shares) in enumerate(measured.items()):
        colour = STATE_COLOURS[number % len(STATE_COLOURS)]
        axes.plot(np.asarray(shares), color=colour, marker="o", markersize=3, label=name)
        if predicted and name in predicted:
            axes.plot(np.asarray(predicted[name]), color=colour, linestyle="--", linewidth=1.2, label="_")
    axes.set(xlabel=_("symbols since the push"), ylabel=_("share back on course"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if predicted:
        axes.plot([], [], color="0.4", linestyle="--", linewidth=1.2, label=_("by the automaton"))
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))  # curves may zigzag through all heights
    return finished(axes, title)
