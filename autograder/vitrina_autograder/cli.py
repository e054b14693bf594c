"""The command `vitrina`: build, release and grade the course's assignments."""

from __future__ import annotations

import gc
import logging
import os
import time
import warnings
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vitrina_autograder import demo as demo_class
from vitrina_autograder.audit import hash_files, note_by_hand, note_event, note_run, versions
from vitrina_autograder.build import build_assignment
from vitrina_autograder.class_page import write_page
from vitrina_autograder.class_report import read_class, reports_folder
from vitrina_autograder.cli_returns import returns
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.doctor import examine_machine
from vitrina_autograder.grade import Grading, submitted_students
from vitrina_autograder.kit import make_kit
from vitrina_autograder.lateness import settle, untimed
from vitrina_autograder.lessons import Page, build_lessons, render_lesson
from vitrina_autograder.materials import write_materials
from vitrina_autograder.release import release_assignment
from vitrina_autograder.report import show_report
from vitrina_autograder.sandbox import UNSAFE_VARIABLE, sandbox_problem
from vitrina_autograder.standing import refresh_feedback
from vitrina_autograder.tables import write_tables
from vitrina_autograder.terminal import Assignment, console, friendly, note

#: One more than there are processors: a notebook that waits for its kernel leaves one free.
_JOBS = 1 + (os.cpu_count() or 1)

app = typer.Typer(
    help="Build, release and grade the notebooks of *Interpretabilidad del Deep Learning*.\n\n"
    "A first look: `vitrina demo`. A week's round: `vitrina release week2`, collect the notebooks into "
    "`build/submitted/STUDENT/week2/`, `vitrina grade week2`. All of nbgrader works beside it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(returns)
logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a kernel that a student killed leaves tasks behind
warnings.filterwarnings("ignore", module="nbgrader")  # its use of SQLAlchemy is no news for an instructor

Assignments = Annotated[list[str] | None, typer.Argument(help="Assignments, for example `week2`; all by default.")]
Unsafe = Annotated[
    bool,
    typer.Option("--unsafe-no-sandbox", help="Grade even where no sandbox can be had; the report will say so."),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="How many submissions run at once.")]


@app.command()
def build(assignments: Assignments = None) -> None:
    """Build nbgrader's source notebooks from the text sources."""
    with friendly():
        course = Course.find()
        for name in _names(course, assignments):
            for path in build_assignment(course, name, write_materials(course, name)):
                console.print(f"built    {path.relative_to(course.root)}")


@app.command()
def release(assignments: Assignments = None) -> None:
    """Build, make the students' version, prove that no solution is in it, and pack the zip to hand out."""
    with friendly():
        course = Course.find()
        for name in _names(course, assignments):
            _release(course, name)
            console.print(f"hand out {make_kit(course, name).relative_to(course.root)}")


@app.command()
def lessons(
    weeks: Annotated[list[str] | None, typer.Argument(help="Weeks or workshops, for example `week2`.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Run them, and write each as a page with its figures.")] = False,
    only: Annotated[str, typer.Option(help="Only lessons whose name contains this.")] = "",
) -> None:
    """Build the lessons for students, and prove that they show no solution of the week's assignment.

    `vitrina release week2` does this too and puts them into the zip to hand out. Authors look at a lesson with
    `vitrina lessons week2 --html --only 10_`: it is run, and `build/pages/week2/` holds it as a page for the
    browser and each figure as a picture. The time that is said is the processor's, with the start of the kernel.
    """
    with friendly():
        course = Course.find()
        for name in weeks or course.lesson_scripts():
            for path in build_lessons(course, name):
                console.print(f"built    {path.relative_to(course.root)}")
                if html and only in path.name:
                    _show_page(render_lesson(path, course.build / "pages" / path.parent.name))


@app.command()
def grade(
    assignment: Assignment,
    student: Annotated[list[str] | None, typer.Option(help="Only this student; may be repeated.")] = None,
    jobs: Jobs = _JOBS,
    force: Annotated[bool, typer.Option("--force", help="Also grade again what has not changed.")] = False,
    unsafe_no_sandbox: Unsafe = False,
    cluster: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Run the notebooks on the Dask cluster whose scheduler is there.")
    ] = "",
) -> None:
    """Grade everyone in `build/submitted`, write feedback, and print the class's report.

    Each notebook runs in a sandbox; the points come from the examiner, a process that no student's code ever
    enters. Scores and comments given by hand are kept. Open formgrader to grade the written answers:
    `jupyter lab`, then *Nbgrader > Formgrader*.

    More than one machine: run `dask scheduler` on one and `dask worker tcp://HOST:8786` on each, all in the
    environment that `make setup` makes from the same sources, then add `--cluster tcp://HOST:8786`. Nothing else has
    to be shared, and workers may come and go: see `autograder/docs/scaling.md`.
    """
    with friendly():
        course = Course.find()
        name = course.assignment_name(assignment)
        students = student or submitted_students(course, name)
        if not students:
            raise CourseError(f"nobody handed in {name}: there is no {course.submitted}/STUDENT/{name}/")
        _grade(course, name, students, jobs=jobs, force=force, unsafe=unsafe_no_sandbox, cluster=cluster)
        _report(course, name)


@app.command()
def report(
    assignment: Assignment,
    html: Annotated[bool, typer.Option("--html", help="Write the class's page: one file for a browser.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write tables of the students and of the exercises.")] = False,
    excel: Annotated[bool, typer.Option("--excel", help="The same, with the mark that Excel needs.")] = False,
    to: Annotated[Path | None, typer.Option(help="Folder to write to; `build/reports` by default.")] = None,
) -> None:
    """Report on the last grading again: in the terminal, or as files.

    Scores, competences, difficulty and discrimination of each exercise, which mistake was made how often, and what to
    look at: quarantined submissions, alarms of the sandbox, unusually similar code. See `vitrina report week2 --html`.
    """
    with friendly():
        course = Course.find()
        report_ = read_class(course, course.assignment_name(assignment))
        folder = to or reports_folder(course)
        if html:
            _wrote(write_page(report_, folder))
        if csv or excel:
            _wrote(*write_tables(report_, folder, mark=excel))
        if not (html or csv or excel):
            show_report(report_, console)


@app.command()
def demo(jobs: Jobs = _JOBS) -> None:
    """Build, release and grade a made-up class of twelve: right, wrong, blank, endless, copied, corrupt ..."""
    with friendly():
        start = time.monotonic()
        course = demo_class.demo_course(Course.find())
        _release(course, demo_class.ASSIGNMENT)
        students = demo_class.hand_in(course)
        unsafe = bool(sandbox_problem())
        if unsafe:
            console.print(f"[yellow]no sandbox here ({sandbox_problem()}): the made-up class runs without[/]")
        _grade(course, demo_class.ASSIGNMENT, students, jobs=jobs, force=False, unsafe=unsafe)
        _report(course, demo_class.ASSIGNMENT)
        console.print(f"\n{len(students)} submissions in {time.monotonic() - start:.0f} seconds")


@app.command()
def doctor() -> None:
    """Say what works on this machine, and what to do where something does not."""
    try:
        course = Course.find()
    except CourseError:
        course = None
    ill = False
    for finding in examine_machine(course):
        sign = "[green]✓[/]" if finding.well else "[red]✗[/]"
        console.print(f"{sign} [bold]{finding.subject}[/]  {escape(finding.found)}", highlight=False)
        if not finding.well:
            ill = True
            console.print(f"    → {escape(finding.advice)}", highlight=False)
    raise typer.Exit(int(ill))


def _names(course: Course, assignments: list[str] | None) -> list[str]:
    return [course.assignment_name(name) for name in assignments or course.assignment_names()]


def _release(course: Course, name: str) -> None:
    if name in course.lesson_scripts():
        build_lessons(course, name)
    build_assignment(course, name, write_materials(course, name))
    folder = release_assignment(course, name)
    note_event(
        course, "release", assignment=name, content=hash_files(course.released_notebooks(name)), versions=versions()
    )
    console.print(f"released {os.path.relpath(folder)}: searched, no line of a solution in it")


def _show_page(page: Page) -> None:
    _wrote(page.html, *page.figures)
    note(
        f"it took {page.seconds:.0f} s of processor time"
        + (f"\n! it complained:\n{page.complaints}" * bool(page.complaints))
    )


def _report(course: Course, name: str) -> None:
    """Print the report and write the class's page."""
    report_ = read_class(course, name)
    show_report(report_, console)
    _wrote(write_page(report_, reports_folder(course)))


def _wrote(*paths: Path) -> None:
    for path in paths:
        console.print(f"wrote {os.path.relpath(path)}", highlight=False, markup=False, soft_wrap=True)


def _grade(
    course: Course, name: str, students: list[str], *, jobs: int, force: bool, unsafe: bool, cluster: str = ""
) -> None:
    if unsafe:
        os.environ[UNSAFE_VARIABLE] = "1"
    settle(course, name)  # an error in the due times is met before anything runs
    note_by_hand(course, name)
    note_event(course, "grading began", assignment=name, students=students, jobs=jobs, force=force, versions=versions())
    gc.freeze()  # else the collector goes through all that was imported again and again
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        refresh_per_second=3,  # the processors have better things to do
    )
    with bar:
        running = bar.add_task("running notebooks", total=len(students))
        recording = bar.add_task("recording grades", total=len(students))

        def progress(_student: str, step: str) -> None:
            if step in ("examined", "skipped"):
                bar.advance(running)
            if step in ("recorded", "skipped"):
                bar.advance(recording)

        Grading(course, name, jobs, force, progress, cluster).run(students)
    note_run(course, name, students)
    refresh_feedback(course, name)
    if unknown := untimed(course, name, students):
        note(f"! when it came in is not known, so taken as on time ({len(unknown)}): {', '.join(unknown)}")
