"""The report of a class in the terminal: points by exercise, competences, and what to look at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from string import ascii_uppercase

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
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
_EDGES = 3  # what a table's frame takes


def show_report(report: ClassReport, console: Console | None = None) -> None:
    """Print the report."""
    console = console or Console()
    console.print(terminal_report(report), width=min(console.width, _WIDTH))


def terminal_report(report: ClassReport) -> RenderableType:
    """Make the report for the terminal."""
    analysis = report.analysis
    return Group(_points(analysis), _competences(analysis), _concerns(report.concerns), _pages(analysis))


@dataclass(frozen=True)
class _Column:
    """A column of a table of students: its heading and a cell a row."""

    heading: str
    cells: Sequence[Text | str]
    bold: bool = False

    @property
    def width(self) -> int:
        """In characters, with what parts it from the next one."""
        return 2 + max(max(map(cell_len, str(text).split("\n"))) for text in (self.heading, *self.cells))


@dataclass(frozen=True)
class _Stretches:
    """A table of students that goes on below where the terminal is too narrow for all of its columns."""

    title: str
    rows: Sequence[Text]
    columns: Sequence[_Column]
    summary: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        room = options.max_width - _Column(_("student"), self.rows).width - _EDGES
        title, left = self.title, list(self.columns)
        while left:
            count = self._fitting(left, room)
            yield self._table(title, left[:count])
            title, left = "", left[count:]

    @staticmethod
    def _fitting(columns: Sequence[_Column], room: int) -> int:
        used = list(accumulate(column.width for column in columns))
        return max(1, sum(width <= room for width in used))

    def _table(self, title: str, columns: Sequence[_Column]) -> Table:
        table = _table(title)
        for column in columns:
            table.add_column(column.heading, justify="right", no_wrap=True, style="bold" if column.bold else "")
        for number, name in enumerate(self.rows):
            if self.summary and number == len(self.rows) - 1:
                table.add_section()
            table.add_row(name, *(column.cells[number] for column in columns))
        return table


def _points(analysis: ClassAnalysis) -> RenderableType:
    members, counted = analysis.members, bool(analysis.counted)
    rows = [_student(member.student) for member in members]
    if counted:
        rows.append(Text(_("mean of {count}").format(count=len(analysis.counted)), style="dim"))

    def column(heading: str, cells: Iterable[Text | str], mean: Text | str, *, bold: bool = False) -> _Column:
        return _Column(heading, [*cells, *([mean] if counted else [])], bold)

    mean = _percent(sum(analysis.shares) / len(analysis.shares) if analysis.shares else None)
    columns = [column(_("total"), map(_total, members), mean, bold=True)]
    columns.append(column(_("by hand"), map(_by_hand, members), ""))
    for number, (exercise, item) in enumerate(zip(analysis.exercises, analysis.items, strict=True), start=1):
        cells = [_cell(member, exercise) for member in members]
        columns.append(column(f"{number}\n/{item.max_points:g}", cells, _percent(item.difficulty.value)))
    titles = {str(number): exercise.title for number, exercise in enumerate(analysis.exercises.values(), start=1)}
    return Group(_Stretches(_("Points"), rows, columns, counted), _legend(titles), Text())


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
    counted = bool(analysis.counted)
    rows = [_student(member.student) for member in analysis.members]
    rows += [Text(_("the class"), style="dim")] if counted else []
    letters = dict(zip(ascii_uppercase, analysis.competences, strict=False))
    columns = [
        _Column(
            letter,
            [_share(member.competences[name]) for member in analysis.members]
            + ([_share(analysis.competences[name])] if counted else []),
        )
        for letter, name in letters.items()
    ]
    return Group(_Stretches(_("Competences (share of the points)"), rows, columns, counted), _legend(letters), Text())


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
