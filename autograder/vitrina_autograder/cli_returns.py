"""The commands around grading: collecting submissions, more time, what goes back to the platform, the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from vitrina_autograder.audit import Entry, last_hash, note_event, read_log
from vitrina_autograder.collect import Clock, Collected, collect, newest_file
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.deadlines import Deadlines, grant, read_deadlines, revoke
from vitrina_autograder.export import export_grades, write_export
from vitrina_autograder.grade import submitted_students
from vitrina_autograder.terminal import Assignment, console, friendly, harmless, note

_SHOWN = 40

returns = typer.Typer()


@returns.command("collect")
def collect_command(
    assignment: Assignment,
    source: Annotated[Path, typer.Argument(help="The platform's download: a zip or a folder.")],
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Collect under pseudonyms.")] = False,
    received: Annotated[
        str, typer.Option(help="When all of it came in, on the course's clock: `2026-12-01T20:00`.")
    ] = "",
    file_times: Annotated[
        bool, typer.Option("--file-times", help="Take the times that the download holds of the files.")
    ] = False,
) -> None:
    """Put what students handed in on Moodle or Canvas where it is graded.

    Takes the zip that the platform gives for *Download all submissions*, or a folder of `STUDENT.ipynb` or
    `STUDENT/NOTEBOOK.ipynb`. With `--anonymous` every folder gets a pseudonym that only the course secret explains;
    grading, formgrader and reports then show no names, and `vitrina export` translates back.
    """
    with friendly():
        course = Course.find()
        name = course.assignment_name(assignment)
        clock = _clock(read_deadlines(course), received, file_times=file_times)
        result = collect(course, name, source, anonymous=anonymous, clock=clock)
        details = {"new": result.new, "replaced": result.replaced, "left_out": result.left_out}
        note_event(course, "collected", assignment=name, source=source.name, anonymous=anonymous, **details)
        _show_collected(result, due=read_deadlines(course).due_of(name) is not None)


@returns.command()
def extend(
    assignment: Assignment,
    student: Annotated[str | None, typer.Argument(help="The student; without one, all extensions are listed.")] = None,
    days: Annotated[float, typer.Option(min=0, help="Days after the due time.")] = 0,
    until: Annotated[str, typer.Option(help="A time on the course's clock: `2026-12-03T23:59`.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept with the extension.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the extension back.")] = False,
) -> None:
    """Give a student more time, or list who has it.

    Due times and the late policy stand in `assignments/deadlines.toml`. An extension changes only that student's
    penalty, at the next `vitrina grade`; no notebook runs again for it.
    """
    with friendly():
        course = Course.find()
        name = course.assignment_name(assignment)
        if student is None:
            _list_extensions(read_deadlines(course), name)
            return
        if remove:
            revoke(course, name, student)
        elif bool(days) == bool(until):
            raise CourseError("say how much more time: --days 2, or --until 2026-12-03T23:59")
        else:
            grant(course, name, student, days=days, until=until, reason=reason)
        due = read_deadlines(course).due_of(name, student)
        note_event(course, "extension", assignment=name, student=student, due=str(due), reason=reason, removed=remove)
        note(f"{student}: {name} is due {due:%Y-%m-%d %H:%M %Z}; the next `vitrina grade {name}` takes it into account")
        if student not in submitted_students(course, name):
            note(f"{student} has handed nothing in so far")


@returns.command()
def export(
    assignment: Assignment,
    path: Annotated[Path | None, typer.Argument(help="The file to write.")] = None,
    moodle: Annotated[bool, typer.Option("--moodle", help="For Moodle.")] = False,
    canvas: Annotated[bool, typer.Option("--canvas", help="For Canvas.")] = False,
    roster: Annotated[
        Path | None,
        typer.Option(help="The platform's own class list: Moodle's grading worksheet or Canvas' gradebook, as CSV."),
    ] = None,
    column: Annotated[str, typer.Option(help="What the platform calls the assignment.")] = "",
    partial: Annotated[
        bool, typer.Option("--partial", help="Also who still has answers to grade by hand, or could not be graded.")
    ] = False,
) -> None:
    """Write the grades as the CSV file that Moodle or Canvas imports.

    With `--roster` the file goes by the platform's own names, and everybody who is in only one of the two is named.
    Late penalties are taken off; the feedback column says so. The same as an nbgrader plug-in:
    `nbgrader export --exporter=vitrina_autograder.export.MoodleExport`.
    """
    with friendly():
        course = Course.find()
        name = course.assignment_name(assignment)
        if moodle == canvas:
            raise CourseError("for which platform? --moodle or --canvas")
        platform = "moodle" if moodle else "canvas"
        result = export_grades(course, name, platform, roster=roster, column=column, partial=partial)
        target = path or Path(f"{name}-{platform}.csv")
        write_export(course, name, platform, target, result)
        note(f"{target}: {len(result.exported)} students")
        for remark in result.remarks():
            note(f"! {remark}")


@returns.command()
def audit(
    assignment: Annotated[str | None, typer.Argument(help="Only this assignment.")] = None,
    student: Annotated[str | None, typer.Option(help="Only this student.")] = None,
    everything: Annotated[bool, typer.Option("--all", help=f"All lines, not only the last {_SHOWN}.")] = False,
) -> None:
    """Show who did what to which grades, and check that the log was not changed.

    The log, `build/audit.jsonl`, is one JSON object a line: user, time, versions, hashes of files and seeds, points.
    Its last hash stands for all of it: keep it elsewhere, and nobody can shorten the log unseen.
    """
    with friendly():
        course = Course.find()
        name = course.assignment_name(assignment) if assignment else None
        entries = list(read_log(course))
        shown = [entry for entry in entries if entry.trouble or _concerns(entry, name, student)]
        for entry in shown if everything else shown[-_SHOWN:]:
            console.print(harmless(_line(entry)), highlight=False, soft_wrap=True)
        troubles = [entry for entry in entries if entry.trouble]
        state = f"[red]{len(troubles)} lines cannot be trusted[/]" if troubles else "chain unbroken"
        console.print(f"{len(entries)} lines, {state}, last hash {last_hash(course)}", soft_wrap=True)
        if troubles:
            raise typer.Exit(1)


def _clock(deadlines: Deadlines, received: str, *, file_times: bool) -> Clock:
    if received and file_times:
        raise CourseError("either --received or --file-times")
    if not received:
        return newest_file if file_times else lambda _handed: None
    try:
        moment = datetime.fromisoformat(received)
    except ValueError as error:
        raise CourseError(f"--received {received}: {error}. Write 2026-12-01T20:00") from error
    aware = moment if moment.tzinfo else deadlines.moment(moment)
    return lambda _handed: aware


def _show_collected(result: Collected, *, due: bool) -> None:
    collected = len(result.new) + len(result.replaced) + len(result.unchanged)
    note(
        f"collected {collected} students: {len(result.new)} new, {len(result.replaced)} in place of earlier work "
        f"(kept in build/collected_before/), {len(result.unchanged)} unchanged"
    )
    _name_some("marked late by the platform", result.marked_late)
    if due:
        _name_some("not known when it came in, so taken as on time (see --received, --file-times)", result.untimed)
    for line in result.left_out:
        note(f"! left out: {line}")


def _name_some(text: str, names: Sequence[str]) -> None:
    if names:
        note(f"! {len(names)} {text}: {', '.join(names)}")


def _list_extensions(deadlines: Deadlines, assignment: str) -> None:
    due = deadlines.due_of(assignment)
    note(f"{assignment}: " + (f"due {due:%Y-%m-%d %H:%M %Z}" if due else "no due time in assignments/deadlines.toml"))
    table = Table("student", "due", "reason", "granted by", "at")
    for student, extension in sorted(deadlines.extensions.get(assignment, {}).items()):
        moment = deadlines.due_of(assignment, student)
        cells = (student, f"{moment:%Y-%m-%d %H:%M}" if moment else "-", extension.reason, extension.by, extension.at)
        table.add_row(*(escape(harmless(cell)) for cell in cells))
    if table.row_count:
        console.print(table)


def _concerns(entry: Entry, assignment: str | None, student: str | None) -> bool:
    data = entry.data
    named: Iterable[Any] = [data.get("student"), *(data.get("students") or [])] if student else []
    return assignment in (None, data.get("assignment")) and (student is None or student in named)


def _line(entry: Entry) -> str:
    data = entry.data
    if not data:
        return f"[red]line {entry.number}: {entry.trouble}[/]"
    hidden = {"time", "who", "event", "assignment", "student", "previous"}
    rest = "  ".join(f"{key}={_brief(value)}" for key, value in data.items() if key not in hidden and value)
    subject = " ".join(str(data[key]) for key in ("assignment", "student") if data.get(key))
    text = f"{data.get('time', '')[:19]}  {data.get('who', '')}  {data.get('event', '')}  {subject}"
    trouble = f"  [red]{entry.trouble}[/]" if entry.trouble else ""
    return f"{escape(text)}  [dim]{escape(rest)}[/]{trouble}"


def _brief(value: Any) -> str:
    text = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
    return text if len(text) <= 100 else text[:99] + "…"
