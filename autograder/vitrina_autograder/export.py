"""Grades for Moodle and Canvas, as the CSV files that they import.

Moodle: *Grades > Import > CSV file* (map both the grade and the feedback column), or the grading worksheet itself,
filled in, for *Upload grading worksheet*. Canvas: *Gradebook > Import*. Nobody is dropped without a word: who is
not in the file is named in the report that comes with it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin
from traitlets import Bool, Unicode

from vitrina.messages import _
from vitrina_autograder.audit import hash_files, note_event
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.deadlines import read_deadlines
from vitrina_autograder.identities import Identity, read_identities
from vitrina_autograder.lateness import settle
from vitrina_autograder.rosters import IDENTITY, Roster, read_roster
from vitrina_autograder.standing import Standing, standing_of
from vitrina_autograder.verdicts import load_record

#: A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_POINTS_POSSIBLE = "    Points Possible"


@dataclass(frozen=True)
class Result:
    """What goes into the file for one student."""

    folder: str
    identity: Identity
    standing: Standing

    @property
    def feedback(self) -> str:
        """One line for the student."""
        total = _("{points:g} of {most:g} points").format(points=self.standing.total, most=self.standing.max_score)
        return "; ".join(filter(None, [total, self.standing.late]))


@dataclass
class Export:
    """A file, and what the instructor has to know about it.

    Attributes
    ----------
    table : list of list of str
        Rows, the header first.
    exported : list of str
        Students in the file.
    waiting : list of str
        Students with answers to grade by hand; in the file only if that was asked for.
    ungraded : list of str
        Students whose work could not be graded; in the file only if that was asked for.
    unknown : list of str
        Students of ours that the roster does not know, or knows twice.
    missing : list of str
        Students of the roster of whom there is no grade.
    notes : list of str
        Anything else, a sentence each.
    """

    table: list[list[str]] = field(default_factory=list[list[str]])
    exported: list[str] = field(default_factory=list[str])
    waiting: list[str] = field(default_factory=list[str])
    ungraded: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])
    missing: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    def remarks(self) -> Iterator[str]:
        """Say what the instructor has to know."""
        named = {
            _("students who still have answers to grade by hand ({count}): {names}"): self.waiting,
            _("submissions that could not be graded ({count}): {names}"): self.ungraded,
            _("students who are not in the roster, or not clearly ({count}): {names}"): self.unknown,
            _("students of the roster without a grade here ({count}): {names}"): self.missing,
        }
        for text, names in named.items():
            if names:
                yield text.format(count=len(names), names=", ".join(names))
        yield from self.notes


def export_grades(
    course: Course,
    assignment: str,
    platform: str,
    *,
    roster: Path | None = None,
    column: str = "",
    partial: bool = False,
) -> Export:
    """Make the table of an assignment's grades.

    Parameters
    ----------
    course : Course
        The course.
    assignment : str
        nbgrader's name of the assignment.
    platform : str
        "moodle" or "canvas".
    roster : Path, optional
        A class list that the platform exported; names and addresses are taken from there.
    column : str
        What the platform calls the assignment; by default the roster's column that holds our name for it.
    partial : bool
        Whether to export students who have answers to grade by hand, or whose work could not be graded.

    Raises
    ------
    CourseError
        If the gradebook does not know the assignment, or the roster cannot be used.
    """
    settle(course, assignment)
    export = Export()
    results = list(_results(course, assignment, export, partial=partial))
    known = read_roster(roster) if roster else None
    writer = {"moodle": _moodle, "canvas": _canvas}[platform]
    writer(export, assignment, column, results, known)
    export.table = [[_harmless(cell) for cell in row] for row in export.table]
    return export


def write_export(course: Course, assignment: str, platform: str, path: Path, export: Export) -> None:
    """Write the file, as UTF-8, and log that it was made."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(export.table)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode("utf-8", "replace"))
    note_event(
        course, "exported", assignment=assignment, to=platform, file=path.name, content=hash_files([path]),
        students=export.exported, left_out=[*export.waiting, *export.ungraded, *export.unknown],
    )  # fmt: skip


def _results(course: Course, assignment: str, export: Export, *, partial: bool) -> Iterator[Result]:
    identities = read_identities(course)
    deadlines = read_deadlines(course)
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        try:
            submissions = list(gradebook.find_assignment(assignment).submissions)
        except MissingEntry as error:
            raise CourseError(f"the gradebook knows no {assignment}: release and grade it first") from error
        for submission in sorted(submissions, key=lambda submission: submission.student.id):
            folder = str(submission.student.id)
            result = Result(folder, identities.get(folder) or Identity(folder), standing_of(deadlines, submission))
            record = load_record(course, assignment, folder)
            if record is not None and record.quarantine:
                export.ungraded.append(_label(result))
            elif result.standing.waiting:
                export.waiting.append(_label(result))
            else:
                yield result
                continue
            if partial:
                yield result


def _label(result: Result) -> str:
    return result.identity.name or result.identity.id


def _matched(export: Export, results: Sequence[Result], roster: Roster) -> Iterator[tuple[Result, Sequence[str]]]:
    """Find each student in the roster; who is not there, or there twice, is noted."""
    rows = {result.folder: roster.find(result.identity) for result in results}
    claimed = [id(found[0]) for found in rows.values() if len(found) == 1]
    for result in results:
        found = rows[result.folder]
        if len(found) == 1 and claimed.count(id(found[0])) == 1:
            export.exported.append(_label(result))
            yield result, found[0]
        else:
            export.unknown.append(_label(result))
    export.missing += [roster.label(row) for row in roster.rows if id(row) not in claimed]


def _moodle(export: Export, assignment: str, column: str, results: Sequence[Result], roster: Roster | None) -> None:
    titles = [column or assignment, f"{column or assignment} (feedback)"]
    if roster is None:
        export.table = [["Full name", "Username", "Email address", *titles]]
        for result in results:
            own = result.identity
            address = own.email or (own.id if "@" in own.id else "")
            username = "" if "@" in own.id or own.number else own.id
            export.table.append([own.name, username, address, *_grade(result)])
            export.exported.append(_label(result))
    elif roster.is_worksheet:
        _fill_worksheet(export, results, roster)
    else:
        kept = sorted(roster.columns[role] for role in IDENTITY if role in roster.columns)
        export.table = [[*(roster.header[position] for position in kept), *titles]]
        for result, row in _matched(export, results, roster):
            export.table.append([*(row[position] for position in kept), *_grade(result)])


def _grade(result: Result) -> list[str]:
    return [f"{result.standing.total:g}", result.feedback]


def _fill_worksheet(export: Export, results: Sequence[Result], roster: Roster) -> None:
    """Give Moodle's own worksheet back, with grades and feedback in its columns."""
    export.table = [list(roster.header)]
    for result, row in _matched(export, results, roster):
        filled = list(row)
        for role, text in zip(("grade", "feedback"), _grade(result), strict=True):
            if role in roster.columns:
                filled[roster.columns[role]] = text
        export.table.append(filled)
        most = roster.cell(row, "most").replace(",", ".")
        if most and _as_number(most) != result.standing.max_score:
            note = _("Moodle's maximum grade is {most}, ours is {ours:g}: change it in the assignment's settings")
            export.notes = [note.format(most=most, ours=result.standing.max_score)]
    if "feedback" not in roster.columns:
        export.notes.append(_("the worksheet has no column for feedback: switch *Feedback comments* on in Moodle"))


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _canvas(export: Export, assignment: str, column: str, results: Sequence[Result], roster: Roster | None) -> None:
    most = f"{results[0].standing.max_score:g}" if results else ""
    if roster is None:
        header = ["Student", "ID", "SIS Login ID", "Section"]
        title = column or assignment
        graded = [(result, _canvas_names(result.identity)) for result in results]
        export.exported += [_label(result) for result in results]
    else:
        title = column or _canvas_column(roster, assignment)
        kept = sorted(roster.columns[role] for role in IDENTITY if role in roster.columns)
        header = [roster.header[position] for position in kept]
        matched = _matched(export, results, roster)
        graded = [(result, [row[position] for position in kept]) for result, row in matched]
    points = [_POINTS_POSSIBLE, *[""] * (len(header) - 1), most]
    export.table = [[*header, title], points]
    export.table += [[*row, f"{result.standing.total:g}"] for result, row in graded]


def _canvas_names(own: Identity) -> list[str]:
    return [own.name or own.id, own.number, "" if own.number else own.id, ""]


def _canvas_column(roster: Roster, assignment: str) -> str:
    """Find the assignment's column, `Week 2: LRP (12345)`, in Canvas' export."""
    wanted = _letters(assignment)
    named = [title for title in roster.header if re.search(r"\(\d+\)\s*$", title)]
    found = [title for title in named if re.match(rf"{wanted}(?!\d)", _letters(title))]
    if len(found) == 1:
        return found[0]
    raise CourseError(
        f"which of Canvas' columns is {assignment}? Say it with --column, in its own words: "
        f"{'; '.join(named) or 'the roster names no assignment, so create it in Canvas and export again'}"
    )


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula; numbers stay numbers."""
    text = " ".join(cell.splitlines()) if "\n" in cell else cell
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) and _as_number(text) is None else text


class _PlatformExport(ExportPlugin):
    """What both plug-ins do: one file an assignment, and remarks in the log."""

    platform = ""
    roster = Unicode("", help="A class list that the platform exported.").tag(config=True)
    column = Unicode("", help="What the platform calls the assignment.").tag(config=True)
    partial = Bool(False, help="Also export who still has answers to grade by hand.").tag(config=True)

    def export(self, gradebook: Any) -> None:
        """Write the files; `--to` names the file, or begins its name where several assignments are exported."""
        course = Course.configured(self.config)
        names = [str(name) for name in self.assignment] or [entry.name for entry in gradebook.assignments]
        for name in names:
            roster = Path(self.roster) if self.roster else None
            export = export_grades(course, name, self.platform, roster=roster, column=self.column, partial=self.partial)
            path = Path(self.to or f"{name}-{self.platform}.csv")
            path = path if len(names) == 1 or not self.to else path.with_name(f"{path.stem}-{name}{path.suffix}")
            write_export(course, name, self.platform, path, export)
            for remark in export.remarks():
                self.log.warning(remark)


class MoodleExport(_PlatformExport):
    """`nbgrader export --exporter=vitrina_autograder.export.MoodleExport`."""

    platform = "moodle"


class CanvasExport(_PlatformExport):
    """`nbgrader export --exporter=vitrina_autograder.export.CanvasExport`."""

    platform = "canvas"
