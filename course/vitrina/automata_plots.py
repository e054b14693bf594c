"""Pictures of finite state machines, drawn with matplotlib alone.

The states stand on a circle, so that no arrow between two of them runs through a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path

from vitrina.automata import DFA, Machine, MealyMachine
from vitrina.figures import finished, new_figure
from vitrina.recurrent_plots import STATE_COLOURS

Point = npt.NDArray[np.float64]

_RADIUS = 0.32  # of a state; neighbours on the circle are about 1.6 apart
_APART = 1.65
_BEND = 0.18  # of an arrow between two states, as a share of its length
_INCH = 0.85  # per unit
_LETTER, _LINE = 0.14, 0.28  # width and height of what is written at an arrow, with room around it, in units
_ALONG = np.array([0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7])  # shares of an arrow where its label may stand
_SWEEPS = 3  # over all labels
_INK, _FAINT, _TRAP = "#22303f", "#8a94a0", "#eceff2"
_ACCEPTING = "#dcebdc"
_MOST_STATES = 40
_MOST_ORDERED = 8  # 5,040 orders are tried


def draw_machine(
    machine: Machine,
    *,
    title: str = "",
    names: Sequence[object] | None = None,
    groups: Sequence[int] | npt.NDArray[np.int64] | None = None,
    axes: Axes | None = None,
) -> Figure:
    """
    Draw a machine as circles and arrows.

    Accepting states have a double rim and are green. A state that is never left and never accepts, a trap, is grey. The
    arrow from nowhere marks the start. A Mealy machine's arrows say `symbol / output`, other machines' states say their
    output below their name.

    Parameters
    ----------
    machine
        At most 40 states; minimise it first.
    title
        Written above.
    names : sequence, one per state
        What the states are called; by itself their numbers.
    groups : sequence of ints, one per state
        States of a group have the colour of its number and stand together, as equivalent states before they are merged.
    axes
        Where to draw; by itself a figure of its own.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are too many states, or not one name or group for each.
    """
    if len(machine) > _MOST_STATES:
        raise ValueError(f"{len(machine)} states are too many to look at: minimise the machine first")
    called = [str(name) for name in (range(len(machine)) if names is None else names)]
    if len(called) != len(machine):
        raise ValueError(f"the machine has {len(machine)} states, but {len(called)} names are given")
    if groups is not None and len(groups) != len(machine):
        raise ValueError(f"the machine has {len(machine)} states, but {len(groups)} groups are given")
    places = _places(machine, groups)
    if axes is None:
        size = float(np.ptp(places[:, 0]) + 3.2) * _INCH, float(np.ptp(places[:, 1]) + 2.8) * _INCH
        axes = new_figure(size).subplots()
    _draw_arrows(axes, machine, places)
    for state, place in enumerate(places):
        colour = None if groups is None else group_tint(int(groups[state]))
        _draw_state(axes, machine, state, place, called[state], colour)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.autoscale_view()
    axes.margins(0.08)
    return finished(axes, title)


def group_tint(group: int) -> tuple[float, float, float]:
    """Return a group's colour, so light that black is read on it: red, green and blue from 0 to 1; white below 0."""
    if group < 0:
        return 1.0, 1.0, 1.0
    red, green, blue = (0.45 + 0.55 * channel for channel in to_rgb(STATE_COLOURS[group % len(STATE_COLOURS)]))
    return red, green, blue


def _places(machine: Machine, groups: Sequence[int] | npt.NDArray[np.int64] | None) -> Point:
    """Put states on a circle, the first one on the left, going round with the clock; partners are neighbours."""
    count = len(machine)
    if count == 1:
        return np.zeros((1, 2))
    longest = max(len(_symbol(symbol)) for symbol in machine.alphabet)
    radius = _APART * (1 + 0.15 * min(longest - 1, 4)) / 2 / np.sin(np.pi / count)
    angles = np.empty(count)
    angles[_order(machine, groups)] = np.pi - 2 * np.pi * np.arange(count) / count
    return radius * np.column_stack([np.cos(angles), np.sin(angles)])


def _order(machine: Machine, groups: Sequence[int] | npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
    """Order the states so that arrows are short: the best order of few states, one that no swap betters of many."""
    count = len(machine)
    rest = [state for state in range(count) if state != machine.start]
    if groups is not None and len(np.unique(groups)) < count:
        of_state = [int(group) for group in groups]
        begins = of_state[machine.start]

        def place(state: int) -> tuple[bool, int]:
            return of_state[state] != begins, of_state[state]

        return np.array([machine.start, *sorted(rest, key=place)])
    if count > _MOST_ORDERED:
        return _swapped(machine, np.array([machine.start, *rest]))
    orders = np.array([(machine.start, *order) for order in permutations(rest)])
    return orders[_lengths(machine, orders).argmin()]


def _swapped(machine: Machine, order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Swap two states, but never the first, as long as that makes the arrows shorter."""
    pairs = np.array(list(combinations(range(1, len(order)), 2)))
    length = _lengths(machine, order[np.newaxis])[0]
    while True:
        orders = np.tile(order, (len(pairs), 1))
        rows = np.arange(len(pairs))[:, np.newaxis]
        orders[rows, pairs] = orders[rows, pairs[:, ::-1]]
        lengths = _lengths(machine, orders)
        if lengths.min() >= length:
            return order
        order, length = orders[lengths.argmin()], lengths.min()


def _lengths(machine: Machine, orders: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Length of all arrows, in places along the circle: (orders, states) to (orders,)."""
    position = np.argsort(orders, axis=1)
    apart = np.abs(position[:, :, np.newaxis] - position[:, machine.transitions])
    return np.minimum(apart, len(machine) - apart).sum(axis=(1, 2))


def _draw_state(
    axes: Axes, machine: Machine, state: int, place: Point, name: str, tint: tuple[float, float, float] | None
) -> None:
    accepting = isinstance(machine, DFA) and bool(machine.outputs[state])
    trap = isinstance(machine, DFA) and not accepting and bool(np.all(machine.transitions[state] == state))
    colour = tint or (_ACCEPTING if accepting else _TRAP if trap else "white")
    edge = _FAINT if trap and tint is None else _INK
    axes.add_patch(Circle((place[0], place[1]), _RADIUS, facecolor=colour, edgecolor=edge, linewidth=1.3, zorder=3))
    if accepting:
        axes.add_patch(Circle((place[0], place[1]), 0.82 * _RADIUS, fill=False, edgecolor=edge, linewidth=1, zorder=4))
    speaks = not isinstance(machine, DFA | MealyMachine)
    text = f"{name}\n{machine.outputs[state]}" if speaks else name
    axes.text(place[0], place[1], text, ha="center", va="center", color=edge, zorder=5, fontsize=10, linespacing=0.95)


def _draw_arrows(axes: Axes, machine: Machine, places: Point) -> None:
    outwards = _outwards(places)
    near = 1.1 * _closest(places)
    curves: list[list[Point]] = []
    labels: list[str] = []
    for source in range(len(machine)):
        for target in np.unique(machine.transitions[source]).tolist():
            label = _label(machine, source, target)
            if source == target:
                _draw_loop(axes, places[source], outwards[source], label)
            else:
                curves.append([places[source], _bend(places[source], places[target], near), places[target]])
                labels.append(label)
    for curve, place, label in zip(curves, _clear_places(curves, labels), labels, strict=True):
        _add_path(axes, curve, shrink=_RADIUS)
        _write(axes, place, label)
    begin = places[machine.start] + 2.4 * _RADIUS * _turned(outwards[machine.start], _start_angle(machine))
    _add_path(axes, [begin, places[machine.start]], shrink=_RADIUS)


def _clear_places(curves: Sequence[Sequence[Point]], labels: Sequence[str]) -> Point:
    """Put each arrow's label where it covers least of other arrows and labels, near the middle if it can be."""
    if not labels:
        return np.zeros((0, 2))
    lines = [label.split("\n") for label in labels]
    sizes = np.array([[_LETTER * max(map(len, each)), _LINE * len(each)] for each in lines])
    paths = np.array([_along(curve, np.linspace(0.1, 0.9, 65)) for curve in curves])
    candidates = np.array([_along(curve, _ALONG) for curve in curves])
    crossed = [_inside(candidates[own], np.delete(paths, own, axis=0), sizes[own]) for own in range(len(labels))]
    # From several beginnings, as moving one label after the other gets stuck.
    settled = [_settled(candidates, start, sizes, crossed) for start in range(len(_ALONG))]
    return min(settled, key=lambda found: found[0])[1]


def _settled(candidates: Point, start: int, sizes: Point, crossed: Sequence[Point]) -> tuple[float, Point]:
    """Move one label after the other to where it covers least; return what they then cover, and where they are."""
    places = candidates[:, start].copy()
    covered = np.zeros(len(places))
    for own in np.tile(np.arange(len(places)), _SWEEPS):
        points, others = candidates[own], (np.delete(array, own, axis=0) for array in (places, sizes))
        cost = crossed[own] + _shared(points, sizes[own], *others)
        places[own], covered[own] = points[cost.argmin()], cost.min()
    return float(covered.sum()), places


def _inside(points: Point, paths: Point, size: Point) -> Point:
    """How much of other arrows lies under a label at each of some points."""
    return np.all(np.abs(points[:, np.newaxis, np.newaxis] - paths) < size / 2, axis=3).mean(axis=2).sum(axis=1)


def _shared(points: Point, size: Point, places: Point, sizes: Point) -> Point:
    """How much of a label at each of some points other labels cover."""
    apart = np.abs(points[:, np.newaxis] - places)
    return np.maximum((size + sizes) / 2 - apart, 0).prod(axis=2).sum(axis=1) / size.prod()


def _along(curve: Sequence[Point], shares: npt.NDArray[np.float64]) -> Point:
    """Return points of a quadratic Bezier curve: (shares, 2)."""
    t = shares[:, np.newaxis]
    return (1 - t) ** 2 * curve[0] + 2 * t * (1 - t) * curve[1] + t**2 * curve[2]


def _start_angle(machine: Machine) -> float:
    """Beside the loop, if the first state has one."""
    return 0.9 if machine.start in machine.transitions[machine.start] else 0.0


def _outwards(places: Point) -> Point:
    """Directions in which nothing else is drawn."""
    lengths = np.linalg.norm(places, axis=1, keepdims=True)
    return np.where(lengths > 0, places / np.where(lengths > 0, lengths, 1), [-1.0, 0.0])


def _closest(places: Point) -> float:
    """Distance of neighbours on the circle."""
    distances = np.linalg.norm(places - places[0], axis=1)[1:]
    return float(distances.min(initial=np.inf))


def _label(machine: Machine, source: int, target: int) -> str:
    """Say which symbols lead from one state to another."""
    symbols = np.nonzero(machine.transitions[source] == target)[0].tolist()
    texts = [_symbol(machine.alphabet[symbol]) for symbol in symbols]
    if isinstance(machine, MealyMachine):
        said = [machine.outputs[source, symbol] for symbol in symbols]
        texts = [f"{text} / {output}" for text, output in zip(texts, said, strict=True)]
        return "\n".join(_shortened(texts, 4))
    return ", ".join(_shortened(texts, 6))


def _symbol(symbol: object) -> str:
    return "+".join(map(str, symbol)) if isinstance(symbol, tuple) else str(symbol)  # pyright: ignore[reportUnknownArgumentType]


def _shortened(texts: list[str], most: int) -> list[str]:
    return texts if len(texts) <= most else [*texts[: most - 1], "..."]


def _bend(source: Point, target: Point, near: float) -> Point:
    """
    Return the point that an arrow bends towards.

    To the left of its way, so that two that go to and fro do not meet, but never over a neighbour of a state that is
    not near.
    """
    way, middle = target - source, (source + target) / 2
    side = _BEND * np.array([-way[1], way[0]])
    if np.linalg.norm(way) > near and side @ middle > 1e-9:  # outwards, over the states in between
        side = -0.4 * side
    return middle + 2 * side


def _draw_loop(axes: Axes, place: Point, outward: Point, label: str) -> None:
    rim, far = 1.0 * _RADIUS, 3.4 * _RADIUS
    ends = [place + rim * _turned(outward, angle) for angle in (0.5, -0.5)]
    bends = [place + far * _turned(outward, angle) for angle in (0.55, -0.55)]
    _add_path(axes, [ends[0], *bends, ends[1]], shrink=0)
    across, up = (round(float(part)) for part in outward)
    aside = {"ha": ("center", "left", "right")[across], "va": ("center", "bottom", "top")[up]}
    _write(axes, place + 2.75 * _RADIUS * outward, label, **(aside if across or up else {}))


def _add_path(axes: Axes, points: Sequence[Point], *, shrink: float) -> None:
    """Draw a line (2 points) or a Bezier curve (3 or 4) with an arrow at its end."""
    points = [*points]
    if shrink:
        points[0] = _towards(points[0], points[1], shrink if len(points) > 2 else 0)
        points[-1] = _towards(points[-1], points[-2], shrink)
    codes = [Path.MOVETO] + [{2: Path.LINETO, 3: Path.CURVE3, 4: Path.CURVE4}[len(points)]] * (len(points) - 1)
    path = Path(np.array(points), codes)
    arrow = FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=11, color=_INK, linewidth=1.1, zorder=2)
    axes.add_patch(arrow)
    axes.update_datalim(np.array(points))


def _towards(point: Point, other: Point, by: float) -> Point:
    way = other - point
    return point + by * way / np.linalg.norm(way)


def _turned(direction: Point, angle: float) -> Point:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ direction


def _write(axes: Axes, place: Point, text: str, *, ha: str = "center", va: str = "center") -> None:
    box = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
    axes.text(place[0], place[1], text, ha=ha, va=va, fontsize=9, color=_INK, bbox=box, zorder=6)
