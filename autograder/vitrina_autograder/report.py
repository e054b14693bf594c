"""The report of a class: points by exercise, competences, and where points were lost to something unusual."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vitrina.judging import Verdict
from vitrina.messages import _
from vitrina.values import plain_text
from vitrina_autograder.course import Course
from vitrina_autograder.exercise import AnyExercise, load_exercises
from vitrina_autograder.grade import Grade, feedback_pages, read_grades, submitted_students
from vitrina_autograder.verdicts import Record, load_record

_BAR = "▁▂▃▄▅▆▇█"
_GOOD, _FAIR = 0.8, 0.5
_NAME_LENGTH = 24
_REMARK_LENGTH = 1000


@dataclass(frozen=True)
class Row:
    """One student's line."""

    student: str
    grade: Grade | None
    record: Record | None


def class_report(course: Course, assignment: str) -> RenderableType:
    """Make the report of everyone who has a folder among the submissions."""
    exercises = load_exercises(course.assignment_folder(assignment))
    grades = read_grades(course, assignment)
    rows = [
        Row(student, grades.get(student), load_record(course, assignment, student))
        for student in submitted_students(course, assignment)
    ]
    parts = [_points(rows, exercises), _competences(rows, exercises), _remarks(rows), _pages(course, assignment, rows)]
    return Group(*parts)


def show_report(course: Course, assignment: str, console: Console | None = None) -> None:
    """Print the report."""
    (console or Console()).print(class_report(course, assignment))


def _points(rows: Sequence[Row], exercises: Mapping[str, AnyExercise]) -> RenderableType:
    table = _table(_("Points"))
    most = {key: max(_max_points(rows, key), default=0.0) for key in exercises}
    for number, key in enumerate(exercises, start=1):
        table.add_column(f"{number}\n/{most[key]:g}", justify="right")
    table.add_column(_("by hand"), justify="right")
    table.add_column(_("total"), justify="right", style="bold")
    for row in rows:
        table.add_row(_student(row), *(_cell(row, key) for key in exercises), _by_hand(row), _total(row))
    titles = {str(number): exercise.title for number, exercise in enumerate(exercises.values(), start=1)}
    return Group(table, _legend(titles), Text())


def _student(row: Row) -> Text:
    """Show a student's name as it is: nothing in it is markup, and a long one is cut."""
    name = plain_text(row.student, len(row.student)).replace("\n", " ")
    return Text(name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…")


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(_("student"), no_wrap=True)
    return table


def _legend(names: Mapping[str, str]) -> Text:
    return Text("   ".join(f"{sign} {name}" for sign, name in names.items()), style="dim")


def _max_points(rows: Iterable[Row], exercise: str) -> Iterable[float]:
    return (row.record.verdicts[exercise].max_points for row in rows if row.record and exercise in row.record.verdicts)


def _cell(row: Row, exercise: str) -> Text:
    verdict = row.record.verdicts.get(exercise) if row.record else None
    if verdict is None:
        return Text("–", style="dim")
    if verdict.unanswered:
        return Text("·", style="dim")
    return Text(f"{verdict.points:g}", style=_style(verdict.points / verdict.max_points))


def _style(share: float) -> str:
    return "green" if share >= _GOOD else "yellow" if share >= _FAIR else "red"


def _by_hand(row: Row) -> str:
    if row.grade is None:
        return "–"
    written = [points for name, points in row.grade.points.items() if not name.startswith("check-")]
    return _("{count} to do").format(count=row.grade.by_hand) if row.grade.by_hand else f"{sum(written):g}"


def _total(row: Row) -> str:
    return f"{row.grade.total:g}/{row.grade.max_score:g}" if row.grade else "–"


def _competences(rows: Sequence[Row], exercises: Mapping[str, AnyExercise]) -> RenderableType:
    names = sorted({name for exercise in exercises.values() for name in exercise.competences})
    table = _table(_("Competences (share of the points)"))
    for letter, _name in zip(ascii_uppercase, names, strict=False):
        table.add_column(letter, justify="right")
    for row in rows:
        verdicts = row.record.verdicts if row.record else {}
        table.add_row(_student(row), *(_share(name, verdicts, exercises) for name in names))
    return Group(table, _legend(dict(zip(ascii_uppercase, names, strict=False))), Text())


def competence_share(name: str, verdicts: Mapping[str, Verdict], exercises: Mapping[str, AnyExercise]) -> float | None:
    """Share of the points of the exercises that show a competence; `None` where none was examined."""
    relevant = [verdict for key, verdict in verdicts.items() if key in exercises and name in exercises[key].competences]
    total = sum(verdict.max_points for verdict in relevant)
    return sum(verdict.points for verdict in relevant) / total if total else None


def _share(name: str, verdicts: Mapping[str, Verdict], exercises: Mapping[str, AnyExercise]) -> Text:
    share = competence_share(name, verdicts, exercises)
    if share is None:
        return Text("–", style="dim")
    bar = _BAR[min(len(_BAR) - 1, int(share * len(_BAR)))]
    return Text(f"{bar} {share:4.0%}", style=_style(share))


def _remarks(rows: Sequence[Row]) -> RenderableType:
    table = _table(_("Unusual"))
    table.show_header = False
    table.add_column()
    for row in rows:
        for remark in unusual(row.record):
            table.add_row(_student(row), Text(plain_text(remark, _REMARK_LENGTH)))
    return Group(table, Text()) if table.row_count else Text()


def unusual(record: Record | None) -> list[str]:
    """List what was unusual about a submission: remarks, and exercises whose answer never reached the examiner."""
    if record is None:
        return [_("not graded yet")]
    notes = [f"{verdict.title}: {verdict.note}" for verdict in record.verdicts.values() if verdict.note]
    lost = [
        f"{verdict.title}: {outcome.message}"
        for verdict in record.verdicts.values()
        for outcome in verdict.outcomes[:1]
        if outcome.status == "failed" and outcome.reply != "answered" and not verdict.points
    ]
    sandbox = [] if record.sandbox in ("", "bubblewrap") else [_("graded without a sandbox")]
    return [*record.remarks, *notes, *lost, *sandbox]


def _pages(course: Course, assignment: str, rows: Sequence[Row]) -> RenderableType:
    pages = [page for row in rows for page in feedback_pages(course, assignment, row.student)]
    if not pages:
        return Text()
    lines = [plain_text(os.path.relpath(page), _REMARK_LENGTH) for page in pages]
    text = "\n".join([_("Feedback pages:"), *(f"  {line}" for line in lines)])
    return Text(text, no_wrap=True, overflow="ignore")
