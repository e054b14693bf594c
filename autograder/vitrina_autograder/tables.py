"""The class's figures as CSV: one table of students, one of exercises in long form.

What students wrote can be no formula in a spreadsheet; what is not known is an empty cell, never a zero.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vitrina.values import plain_text
from vitrina_autograder.class_report import ClassReport, write_file
from vitrina_autograder.items import Item
from vitrina_autograder.members import Member
from vitrina_autograder.psychometrics import Statistic

Value = str | float | None

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_TEXT_LENGTH = 5000
_ITEM_COLUMNS = ("exercise", "title", "measure", "detail", "value", "why_not")


def write_tables(report: ClassReport, folder: Path, *, mark: bool = False) -> tuple[Path, Path]:
    """Write `ASSIGNMENT.csv` (a row a student) and `ASSIGNMENT-exercises.csv` (a row a figure).

    Parameters
    ----------
    report : ClassReport
        What to write.
    folder : Path
        Where; it is made if need be.
    mark : bool
        Whether to begin with the byte order mark by which Excel knows UTF-8.

    Raises
    ------
    CourseError
        When they cannot be written there.
    """
    name = report.analysis.assignment
    students, exercises = folder / f"{name}.csv", folder / f"{name}-exercises.csv"
    _write(students, [student_columns(report), *student_rows(report)], mark)
    _write(exercises, [_ITEM_COLUMNS, *exercise_rows(report)], mark)
    return students, exercises


def _write(path: Path, rows: Iterable[Sequence[Value]], mark: bool) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([harmless(value) for value in row] for row in rows)
    write_file(path, text.getvalue().encode("utf-8-sig" if mark else "utf-8", "replace"))


def harmless(value: Value) -> str | float:
    """Make a cell that is no formula in any spreadsheet; numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return round(value, 4)
    text = plain_text(value, _TEXT_LENGTH)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_SIGNS) else text


def student_columns(report: ClassReport) -> list[str]:
    """Name the columns of the students' table."""
    analysis = report.analysis
    points = [f"points: {exercise}" for exercise in analysis.exercises]
    competences = [f"competence: {name}" for name in analysis.competences]
    return ["student", "state", "total", "max", "by_hand", "to_grade", *points, *competences, "similar_to", "remarks"]


def student_rows(report: ClassReport) -> Iterator[list[Value]]:
    """Make the rows of the students' table."""
    for member in report.analysis.members:
        yield [*_totals(member), *_points(report, member), *_profile(report, member), *_notes(report, member)]


def _totals(member: Member) -> list[Value]:
    grade = member.grade
    if grade is None or member.score is None:
        return [member.student, member.standing, *[None] * 4]
    return [member.student, member.standing, member.score, grade.max_score, member.by_hand, grade.by_hand]


def _points(report: ClassReport, member: Member) -> list[Value]:
    results = (member.results.get(exercise) for exercise in report.analysis.exercises)
    return [result.points if result else None for result in results]


def _profile(report: ClassReport, member: Member) -> list[Value]:
    return [member.competences[name] for name in report.analysis.competences]


def _notes(report: ClassReport, member: Member) -> list[Value]:
    pairs = ((pair.first.student, pair.second.student) for pair in report.comparison.pairs)
    alike = [other for pair in pairs if member.student in pair for other in pair if other != member.student]
    return ["; ".join(alike), " | ".join([*member.alarms, *member.remarks])]


def exercise_rows(report: ClassReport) -> Iterator[list[Value]]:
    """Make the rows of the exercises' table: one a figure, one a mistake."""
    for item in report.analysis.items:
        for measure, detail, value, why in _figures(item):
            yield [item.exercise.id, item.exercise.title, measure, detail, value, why]
    alpha = report.analysis.alpha
    yield ["", "", "cronbach_alpha", "", alpha.value, alpha.why]


def _figures(item: Item) -> Iterator[tuple[str, str, Value, str]]:
    statistics: dict[str, Statistic] = {
        "difficulty": item.difficulty,
        "item_rest_correlation": item.item_rest,
        "discrimination_index": item.discrimination,
    }
    counts = {
        "max_points": item.max_points,
        "students": item.students,
        "unanswered": item.unanswered,
        "not_examined": item.unreached,
        "stopped": item.stopped,
        "unexplained": item.unexplained,
    }
    yield from ((name, "", statistic.value, statistic.why) for name, statistic in statistics.items())
    yield from ((name, "", value, "") for name, value in counts.items())
    for mistake in item.mistakes:
        yield "planted_mistake" if mistake.planted else "other_mistake", mistake.hint, mistake.students, ""
