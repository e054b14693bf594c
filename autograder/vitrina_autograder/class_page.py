"""The class's page: one HTML file that holds everything it shows and loads nothing.

All that students wrote goes through Jinja's escaping; a content security policy lets only the page's own script run.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Any, cast
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vitrina.judging import Verdict
from vitrina.messages import _
from vitrina.panel import code_spans
from vitrina.values import plain_text
from vitrina_autograder import charts
from vitrina_autograder.analysis import ClassAnalysis
from vitrina_autograder.class_report import ClassReport, write_file
from vitrina_autograder.concerns import Kind
from vitrina_autograder.members import Member
from vitrina_autograder.side_by_side import MarkedPart, side_by_side

#: Pairs whose code is shown side by side; the list of things to look at names them all.
_MOST_PAIRS = 40
_MOST_LINES = 4
_TEXT_LENGTH = 1000
_CODE_LENGTH = 200_000
#: Characters that turn the direction of writing, and so may show a text as another.
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def write_page(report: ClassReport, folder: Path) -> Path:
    """Write the page, `ASSIGNMENT.html`.

    Raises
    ------
    CourseError
        When it cannot be written there.
    """
    path = folder / f"{report.analysis.assignment}.html"
    html = render_page(report, folder)
    write_file(path, html.encode("utf-8", "replace"))
    return path


def render_page(report: ClassReport, folder: Path) -> str:
    """Make the page's HTML.

    Parameters
    ----------
    report : ClassReport
        What it shows.
    folder : Path
        Where it will lie: links to feedback pages are relative to it.
    """
    environment = _environment()
    script = _resource(environment, "class_page.js")
    analysis, shares = report.analysis, report.analysis.shares
    most = max((member.grade.max_score for member in analysis.members if member.grade), default=0.0)
    return environment.get_template("class_page.html.j2").render(
        analysis=analysis,
        made=f"{datetime.now():%Y-%m-%d %H:%M}",
        style=Markup(_resource(environment, "class_page.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        apart={name: count for name, count in analysis.standings.items() if name not in ("graded", "partly graded")},
        concerns=report.concerns,
        kinds=_kind_names(),
        serious=sum(concern.serious for concern in report.concerns),
        anchors={member.student: _anchor(index) for index, member in enumerate(analysis.members)},
        max_points=most,
        mean=fmean(shares) * most if shares else None,
        middle=median(shares) * most if shares else None,
        to_do=sum(member.grade.by_hand for member in analysis.members if member.grade),
        profiles=_profiles(analysis),
        silent=_silent(analysis),
        histogram=charts.histogram(shares, most),
        item_plot=charts.item_plot(_points(analysis)),
        heat_map=charts.heat_map(_columns(analysis), _row_names(analysis)),
        pairs=[_marked_pair(report, index) for index in range(min(len(report.comparison.pairs), _MOST_PAIRS))],
        more_pairs=max(len(report.comparison.pairs) - _MOST_PAIRS, 0),
        threshold=report.comparison.threshold,
        rows=[_row(analysis, member, index, folder) for index, member in enumerate(analysis.members)],
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("vitrina_autograder"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cast(dict[str, Any], environment.globals)["_"] = _
    cast(dict[str, Any], environment.filters).update(
        shown=shown,
        coded=coded,
        shown_code=_shown_code,
        number=_number,
        points=_plain,
        percent=_percent,
        percent_width=_width,
    )
    return environment


def _resource(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def shown(text: object) -> str:
    """Make a text that others wrote one that a page can show in a line."""
    return _TURNS.sub("�", plain_text(text, _TEXT_LENGTH))


def coded(text: object) -> Markup:
    """Make it one, and set what stands between backticks as code."""
    return Markup(code_spans(shown(text)))


def _shown_code(text: str) -> str:
    return _TURNS.sub("�", plain_text(text, _CODE_LENGTH))


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _plain(points: float) -> str:
    return f"{round(points, 2):g}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _width(share: float | None) -> str:
    return f"{100 * min(max(share or 0.0, 0.0), 1.0):.1f}%"


def _kind_names() -> dict[Kind, str]:
    return {
        "alarm": _("sandbox alarm"),
        "quarantined": _("quarantined"),
        "similar": _("similar code"),
        "same name": _("one name, several students"),
        "unsafe": _("no sandbox"),
        "not graded": _("not graded"),
        "partly graded": _("partly graded"),
        "exercise": _("exercise"),
        "unusual": _("unusual"),
        "stopped": _("stopped"),
    }


def _anchor(index: int) -> str:
    return f"student-{index + 1}"


@dataclass(frozen=True)
class Profile:
    """The class's share of a competence: the mean, and between what the middle half lies."""

    name: str
    mean: float | None
    low: float | None
    high: float | None


def _profiles(analysis: ClassAnalysis) -> list[Profile]:
    return [_profile(analysis, name, mean) for name, mean in analysis.competences.items()]


def _profile(analysis: ClassAnalysis, name: str, mean: float | None) -> Profile:
    shares = [share for member in analysis.counted if (share := member.competences[name]) is not None]
    low, _middle, high = quantiles(shares, n=4, method="inclusive") if len(shares) > 1 else (None, None, None)
    return Profile(name, mean, low, high)


def _silent(analysis: ClassAnalysis) -> list[tuple[str, str]]:
    """List why some figures of some exercises are missing, each reason once an exercise."""
    reasons = (
        (item.exercise.title, statistic.why)
        for item in analysis.items
        for statistic in (item.difficulty, item.item_rest, item.discrimination)
        if statistic.value is None
    )
    return list(dict.fromkeys(reasons))


def _points(analysis: ClassAnalysis) -> list[charts.Point]:
    return [
        charts.Point(number, item.exercise.title, item.difficulty.value, item.discrimination.value)
        for number, item in enumerate(analysis.items, start=1)
        if item.difficulty.value is not None and item.discrimination.value is not None
    ]


def _row_names(analysis: ClassAnalysis) -> list[str]:
    titles = (exercise.title for exercise in analysis.exercises.values())
    return [f"{number}  {title if len(title) < 36 else title[:34] + '…'}" for number, title in enumerate(titles, 1)]


def _columns(analysis: ClassAnalysis) -> list[charts.Column]:
    """Order those who count by their total, the best first."""
    best = sorted(analysis.counted, key=lambda member: (-(member.share or 0.0), member.student))
    return [charts.Column(shown(member.student), _shares(analysis, member)) for member in best]


def _shares(analysis: ClassAnalysis, member: Member) -> list[float | None]:
    results = (member.results.get(exercise) for exercise in analysis.exercises)
    return [result.share if result and result.begun else None for result in results]


@dataclass(frozen=True)
class MarkedPair:
    """A pair of students with their code, marked where it is alike."""

    first: str
    second: str
    score: float
    evidence: float
    left: Sequence[MarkedPart]
    right: Sequence[MarkedPart]


def _marked_pair(report: ClassReport, index: int) -> MarkedPair:
    pair = report.comparison.pairs[index]
    left, right = side_by_side(pair, report.comparison)
    return MarkedPair(pair.first.student, pair.second.student, pair.score, pair.evidence, left, right)


@dataclass(frozen=True)
class Cell:
    """A student's points on an exercise, as a cell of the table."""

    text: str
    kind: str
    key: float | None


@dataclass(frozen=True)
class Loss:
    """An exercise on which a student lost points, and what was said about it."""

    title: str
    points: float
    max_points: float
    corrected: bool
    lines: Sequence[str]


@dataclass(frozen=True)
class Link:
    """A link to a feedback page."""

    name: str
    address: str


@dataclass(frozen=True)
class Row:
    """One student's part of the page."""

    member: Member
    anchor: str
    total_key: float
    cells: Sequence[Cell]
    notes: Sequence[str]
    losses: Sequence[Loss]
    links: Sequence[Link]


def _row(analysis: ClassAnalysis, member: Member, index: int, folder: Path) -> Row:
    return Row(
        member=member,
        anchor=_anchor(index),
        total_key=-1.0 if member.share is None else member.share,
        cells=[_cell(member, exercise) for exercise in analysis.exercises],
        notes=[*member.alarms, *member.remarks],
        losses=list(_losses(analysis, member)),
        links=[Link(page.stem, quote(os.fsencode(os.path.relpath(page, folder)))) for page in member.feedback],
    )


def _cell(member: Member, exercise: str) -> Cell:
    result = member.results.get(exercise)
    if result is None or not result.examined:
        return Cell("–", "none", None)
    if result.verdict.unanswered:
        return Cell("·", "none", 0.0)
    return Cell(f"{result.points:g}", f"h{charts.heat_level(result.share)}", result.share)


def _losses(analysis: ClassAnalysis, member: Member) -> Iterator[Loss]:
    for key, exercise in analysis.exercises.items():
        result = member.results.get(key)
        if result and (result.share < 1 or result.corrected) and member.standing != "blank":
            lines = [_("not begun")] if result.verdict.unanswered else list(_reasons(result.verdict))[:_MOST_LINES]
            yield Loss(exercise.title, result.points, result.verdict.max_points, result.corrected, lines)


def _reasons(verdict: Verdict) -> Iterator[str]:
    """Say once what failed, and the hints that were given."""
    if verdict.note:
        yield verdict.note
    failed = [outcome for outcome in verdict.outcomes if outcome.status == "failed"]
    yield from dict.fromkeys(outcome.hint for outcome in failed if outcome.hint)
    cases = {outcome.message: outcome.title for outcome in reversed(failed) if not outcome.hint}
    yield from (f"{title}: {message}" for message, title in reversed(cases.items()))
