"""The report of a class in the terminal: points by exercise, competences, and what to look at."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vitrina.messages import _
from vitrina.values import plain_text
from vitrina_autograder.analysis import ClassAnalysis
from vitrina_autograder.class_report import ClassReport
from vitrina_autograder.concerns import Concern
from vitrina_autograder.members import Member

_BAR = "▁▂▃▄▅▆▇█"
_GOOD, _FAIR = 0.8, 0.5
_NAME_LENGTH = 24
_REMARK_LENGTH = 1000
_WIDTH = 100
_MOST_CONCERNS = 20
_MOST_PAGES = 20
_MOST_NAMES = 3


def show_report(report: ClassReport, console: Console | None = None) -> None:
    """Print the report."""
    console = console or Console()
    console.print(terminal_report(report), width=min(console.width, _WIDTH))


def terminal_report(report: ClassReport) -> RenderableType:
    """Make the report for the terminal."""
    analysis = report.analysis
    return Group(_points(analysis), _competences(analysis), _concerns(report.concerns), _pages(analysis))


def _points(analysis: ClassAnalysis) -> RenderableType:
    table = _table(_("Points"))
    for number, item in enumerate(analysis.items, start=1):
        table.add_column(f"{number}\n/{item.max_points:g}", justify="right")
    table.add_column(_("by hand"), justify="right")
    table.add_column(_("total"), justify="right", style="bold")
    for member in analysis.members:
        cells = (_cell(member, exercise) for exercise in analysis.exercises)
        table.add_row(_student(member.student), *cells, _by_hand(member), _total(member))
    _add_difficulty(table, analysis)
    titles = {str(number): exercise.title for number, exercise in enumerate(analysis.exercises.values(), start=1)}
    return Group(table, _legend(titles), Text())


def _add_difficulty(table: Table, analysis: ClassAnalysis) -> None:
    """Close with the class's mean share of each exercise."""
    if not analysis.counted:
        return
    table.add_section()
    means = (_percent(item.difficulty.value) for item in analysis.items)
    total = sum(analysis.shares) / len(analysis.shares) if analysis.shares else None
    name = _("mean of {count}").format(count=len(analysis.counted))
    table.add_row(Text(name, style="dim"), *means, "", _percent(total))


def _percent(share: float | None) -> Text:
    return Text("–", style="dim") if share is None else Text(f"{share:.0%}", style=_style(share))


def _student(student: str) -> Text:
    """Show a student's name as it is: nothing in it is markup, and a long one is cut."""
    name = plain_text(student, len(student)).replace("\n", " ")
    return Text(name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…")


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(_("student"), no_wrap=True)
    return table


def _legend(names: Mapping[str, str]) -> Text:
    entries = (f"{sign} {name}".replace(" ", "\N{NO-BREAK SPACE}") for sign, name in names.items())
    return Text("   ".join(entries), style="dim")


def _cell(member: Member, exercise: str) -> Text:
    result = member.results.get(exercise)
    if result is None or not result.examined:
        return Text("–", style="dim")
    if result.verdict.unanswered:
        return Text("·", style="dim")
    return Text(f"{result.points:g}", style=_style(result.share))


def _style(share: float) -> str:
    return "green" if share >= _GOOD else "yellow" if share >= _FAIR else "red"


def _by_hand(member: Member) -> str:
    if member.grade is None or member.score is None:
        return "–"
    to_do = member.grade.by_hand
    return _("{count} to do").format(count=to_do) if to_do else f"{member.by_hand:g}"


def _total(member: Member) -> str:
    if member.grade is None or member.score is None:
        return _(member.standing)
    return f"{member.score:g}/{member.grade.max_score:g}"


def _competences(analysis: ClassAnalysis) -> RenderableType:
    names = list(analysis.competences)
    table = _table(_("Competences (share of the points)"))
    letters = dict(zip(ascii_uppercase, names, strict=False))
    for letter in letters:
        table.add_column(letter, justify="right")
    for member in analysis.members:
        table.add_row(_student(member.student), *(_share(member.competences[name]) for name in letters.values()))
    if analysis.counted:
        table.add_section()
        table.add_row(Text(_("the class"), style="dim"), *map(_share, analysis.competences.values()))
    return Group(table, _legend(letters), Text())


def _share(share: float | None) -> Text:
    if share is None:
        return Text("–", style="dim")
    bar = _BAR[min(len(_BAR) - 1, int(share * len(_BAR)))]
    return Text(f"{bar} {share:4.0%}", style=_style(share))


def _concerns(found: Sequence[Concern]) -> RenderableType:
    """Show the most important things to look at, and how many more there are."""
    if not found:
        return Text()
    table = _table(_("Things to look at"))
    table.show_header = False
    table.add_column()
    for concern in found[:_MOST_CONCERNS]:
        table.add_row(_names(concern.students), Text(plain_text(concern.text, _REMARK_LENGTH)))
    hidden = len(found) - _MOST_CONCERNS
    more = (
        Text(_("… and {count} more, on the class's page").format(count=hidden), style="dim") if hidden > 0 else Text()
    )
    return Group(table, more)


def _names(students: Sequence[str]) -> Text:
    """Name a few of those whom something is about, one a line."""
    lines = [_student(student) for student in students[:_MOST_NAMES]]
    if len(students) > _MOST_NAMES:
        lines.append(Text(_("and {count} more").format(count=len(students) - _MOST_NAMES), style="dim"))
    return Text("\n").join(lines)


def _pages(analysis: ClassAnalysis) -> RenderableType:
    pages = [page for member in analysis.members for page in member.feedback]
    if not pages:
        return Text()
    if len(pages) > _MOST_PAGES:
        folder = plain_text(os.path.relpath(pages[0].parents[2]), _REMARK_LENGTH)
        text = _("Feedback pages: {count} in {folder}").format(count=len(pages), folder=folder)
    else:
        lines = [plain_text(os.path.relpath(page), _REMARK_LENGTH) for page in pages]
        text = "\n".join([_("Feedback pages:"), *(f"  {line}" for line in lines)])
    return Text(text, no_wrap=True, overflow="ignore")
