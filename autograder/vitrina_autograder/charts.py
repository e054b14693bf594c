"""The pictures of the class's page, as inline SVG that takes its colours from the page's style sheet.

Everything that is text comes in through `Markup.format`, which escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from markupsafe import Markup

from vitrina.messages import _

_BINS = 10
_JOIN = Markup("")


@dataclass(frozen=True)
class Point:
    """A numbered exercise in the plot of difficulty and discrimination."""

    number: int
    title: str
    x: float
    y: float


@dataclass(frozen=True)
class Column:
    """A student in the heat map: a name and the share earned of each exercise (`None`: not examined)."""

    name: str
    shares: Sequence[float | None]


def _svg(width: float, height: float, label: str, *parts: Markup) -> Markup:
    opening = Markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">').format(width, height, label)
    return opening + _JOIN.join(parts) + Markup("</svg>")


def _text(x: float, y: float, text: object, kind: str = "", anchor: str = "middle") -> Markup:
    markup = '<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>'
    return Markup(markup).format(x, y, anchor, kind, text)


def _line(x: float, y: float, x_end: float, y_end: float, kind: str) -> Markup:
    return Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>').format(x, y, x_end, y_end, kind)


def _box(x: float, y: float, width: float, height: float, kind: str, radius: float = 0.0) -> Markup:
    markup = '<rect x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" rx="{:g}" class="{}"/>'
    return Markup(markup).format(x, y, max(width, 0), max(height, 0), radius, kind)


def histogram(shares: Sequence[float], max_points: float) -> Markup:
    """Draw how many students earned what share of the points, with the mean and the median.

    Parameters
    ----------
    shares : sequence of float
        Shares of all points, from 0 to 1.
    max_points : float
        What there was to earn: the axis shows points.
    """
    width, height, left, bottom, top = 560.0, 250.0, 14.0, 34.0, 34.0
    counts = [0] * _BINS
    for share in shares:
        counts[min(int(share * _BINS), _BINS - 1)] += 1
    step, floor = (width - 2 * left) / _BINS, height - bottom
    scale = (floor - top) / max(*counts, 1)
    parts = [_line(left, floor, width - left, floor, "axis")]
    parts += _averages(shares, left, width - 2 * left, floor) if shares else []
    for index, count in enumerate(counts):
        x, y = left + index * step, floor - count * scale
        parts.append(_box(x + 2, y, step - 4, count * scale, "bar", 2))
        parts += [_text(x + step / 2, y - 5, count, "value")] if count else []
    ticks = [0, 0.25, 0.5, 0.75, 1]
    parts += [_text(left + tick * (width - 2 * left), floor + 16, f"{tick * max_points:g}", "tick") for tick in ticks]
    parts.append(_text(width / 2, height - 3, _("points"), "name"))
    return _svg(width, height, _("Histogram of the points"), *parts)


def _averages(shares: Sequence[float], left: float, width: float, floor: float) -> Iterator[Markup]:
    middle, mean = median(shares), fmean(shares)
    for name, value, anchor in (
        (_("mean"), mean, "end" if mean <= middle else "start"),
        (_("median"), middle, "start" if mean <= middle else "end"),
    ):
        x = left + min(value, 1) * width
        side = -5 if anchor == "end" else 5
        yield _line(x, 6, x, floor, "average")
        yield _text(x + side, 13, name, "average-name", anchor)


def item_plot(points: Sequence[Point]) -> Markup:
    """Plot the exercises by difficulty p (to the right: easier) and discrimination D (upwards: tells more)."""
    width, height, left, right, top, bottom = 560.0, 340.0, 46.0, 14.0, 12.0, 42.0
    lowest = min([-0.2, *(point.y for point in points)])

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = width - left - right, height - top - bottom
        return left + x * across, top + (1 - (y - lowest) / (1 - lowest)) * up

    weak = place(0, 0.2)[1]
    parts = [_box(left, weak, width - left - right, height - bottom - weak, "weak")]
    parts.append(_text(left + 8, height - bottom - 8, _("tells little: look at the exercise"), "weak-name", "start"))
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        (x, y), floor = place(tick, tick), height - bottom
        parts += [_line(x, top, x, floor, "grid"), _text(x, floor + 16, f"{tick:g}", "tick")]
        parts += [_line(left, y, width - right, y, "grid"), _text(left - 7, y + 4, f"{tick:g}", "tick", "end")]
    parts.append(_text((width + left) / 2, height - 4, _("difficulty p (mean share of the points): easy →"), "name"))
    parts.append(
        Markup('<text transform="translate(12 {:.0f}) rotate(-90)" text-anchor="middle" class="name">{}</text>').format(
            (height - bottom + top) / 2, _("discrimination D →")
        )
    )
    parts += _labelled([(point, *place(point.x, point.y)) for point in points])
    return _svg(width, height, _("Difficulty and discrimination of each exercise"), *parts)


#: Where a label may stand beside its dot, best first.
_SIDES = ((0, -10), (12, 4), (0, 19), (-12, 4), (11, -7), (-11, -7), (11, 15), (-11, 15), (22, 4), (-22, 4), (0, 30))


def _labelled(places: Sequence[tuple[Point, float, float]]) -> Iterator[Markup]:
    """Draw dots with their numbers, each where it meets neither a dot nor another number."""
    taken = [(x, y + 4) for _point, x, y in places]
    for point, x, y in places:
        spots = [(x + dx, y + dy) for dx, dy in _SIDES]
        free = [spot for spot in spots if all(abs(spot[0] - a) > 11 or abs(spot[1] - b) > 11 for a, b in taken)]
        spot = (free or spots)[0]
        taken.append(spot)
        dot = '<g><title>{}</title><circle cx="{:.1f}" cy="{:.1f}" r="5" class="dot"/>{}</g>'
        yield Markup(dot).format(point.title, x, y, _text(*spot, point.number, "dot-name"))


def heat_map(columns: Sequence[Column], names: Sequence[str]) -> Markup:
    """Draw students (columns) by exercises (rows), coloured by the share of the points.

    Parameters
    ----------
    columns : sequence of Column
        Students, in the order in which they are to stand.
    names : sequence of str
        The exercises.
    """
    width, left, row = 1180.0, 270.0, 22.0
    step = min((width - left) / max(len(columns), 1), 90.0)
    gap = 2.0 if step > 12 else 0.0
    parts = [_text(left - 10, index * row + 15, name, "row-name", "end") for index, name in enumerate(names)]
    for index, column in enumerate(columns):
        boxes = _JOIN.join(
            _box(left + index * step, place * row + 1, step - gap, row - 2, _heat_class(share), 2 if gap else 0)
            for place, share in enumerate(column.shares)
        )
        parts.append(Markup("<g><title>{}</title>{}</g>").format(column.name, boxes))
    return _svg(width, len(names) * row + 2, _("Share of the points, students by exercises"), *parts)


def heat_level(share: float | None) -> int | None:
    """Give a share's step on the scale of colours, from 0 to 10; `None` where nothing is known."""
    return None if share is None else max(0, min(10, round(share * 10)))


def _heat_class(share: float | None) -> str:
    level = heat_level(share)
    return "heat none" if level is None else f"heat h{level}"
