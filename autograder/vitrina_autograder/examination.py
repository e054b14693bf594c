"""Examining a notebook: from restored cells to executed cells and verdicts.

`vitrina grade` examines many submissions at once and leaves the results for nbgrader's pipeline, which records one
after the other; plain `nbgrader autograde` examines where it finds no result. A result is used once, and only for
exactly the work it was made from.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

import nbformat
from nbformat import NotebookNode

from vitrina.judging import Verdict
from vitrina.messages import _
from vitrina.values import plain_text
from vitrina_autograder.copies import kit_copies, library_copies
from vitrina_autograder.course import Course
from vitrina_autograder.environment import environment
from vitrina_autograder.examiner import examiner_for
from vitrina_autograder.exercise import exam_seeds
from vitrina_autograder.folders import is_aside, left_out, notebooks_in, refuse_links
from vitrina_autograder.identities import name_remarks
from vitrina_autograder.intake import (
    UnreadableError,
    add_remarks,
    blank_submission,
    quarantine,
    read_submission,
    restore,
    take_quarantine,
    take_remarks,
)
from vitrina_autograder.job import Limits, make_job
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.preload import absent_libraries, modules_of
from vitrina_autograder.run import NotebookRun, Patience
from vitrina_autograder.sandbox import sandbox_name
from vitrina_autograder.verdicts import read_with_verdicts, write_with_verdicts

_asking = threading.Lock()

_REMARK_LENGTH = 1000
_MAX_NAMED = 10


@dataclass(frozen=True)
class Paper:
    """Which notebook of whose submission."""

    course: Course
    assignment: str
    student: str
    notebook: str

    @property
    def submitted(self) -> Path:
        """The file as it was handed in."""
        return self.course.submitted / self.student / self.assignment / f"{self.notebook}.ipynb"

    @property
    def release(self) -> Path:
        """The notebook as it was released."""
        return self.course.release / self.assignment / f"{self.notebook}.ipynb"

    @property
    def result(self) -> Path:
        """Where a result waits for nbgrader."""
        return self.course.build / "examined" / self.assignment / self.student / f"{self.notebook}.json"


@dataclass(frozen=True)
class Rules:
    """What a submission may use, and for how long."""

    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)


@dataclass
class Examined:
    """The result of examining one notebook.

    Attributes
    ----------
    notebook : NotebookNode
        Executed.
    verdicts : dict
        A verdict for every graded exercise; where none was given, one of zero points that says why.
    remarks : list of str
        What was unusual.
    seconds : float
        Wall time of the execution.
    quarantine : str
        Why there was nothing to examine; empty where there was.
    alarms : list of str
        What only somebody who tampers with the grading does.
    sandbox : str
        How the student's code was shut in.
    """

    notebook: NotebookNode
    verdicts: dict[str, Verdict]
    remarks: list[str]
    seconds: float
    quarantine: str = ""
    alarms: list[str] = field(default_factory=list[str])
    sandbox: str = ""


def restored(paper: Paper) -> NotebookNode:
    """Read a submitted notebook and put it into the shape of the release; one that cannot be read is blank.

    Raises
    ------
    UnreadableError
        When the folder itself is a link: nothing at all is read then.
    """
    refuse_links(paper.submitted.parent)
    release = _released(paper.release, paper.release.stat().st_mtime_ns)
    unreadable = ""
    try:
        notebook = read_submission(paper.submitted)
    except UnreadableError as error:
        unreadable = str(error)
        notebook = blank_submission(paper.release, unreadable)
    restore(notebook, release)
    if unreadable:
        quarantine(notebook, unreadable)
    folder = paper.submitted.parent
    files = _files(folder)
    copies = [*kit_copies(notebook, release, files), *library_copies(folder, files, _absent(paper))]
    add_remarks(notebook, [*_renamed(paper), *left_out(folder), *copies])
    add_remarks(notebook, name_remarks(paper.course, paper.student, notebook))
    return notebook


@lru_cache(maxsize=16)
def _released(path: Path, _modified: int) -> NotebookNode:
    """Read a released notebook, which nobody changes, once for the whole class."""
    return cast(NotebookNode, nbformat.read(path, as_version=4))


def _renamed(paper: Paper) -> list[str]:
    """Say that a notebook was submitted under another name, of which a copy was made, or besides another one."""
    folder = paper.submitted.parent
    released = {path.name for path in paper.release.parent.glob("*.ipynb")}
    others = [path for path in notebooks_in(folder) if path.parent != folder or path.name not in released]
    if not paper.submitted.is_file():
        return []
    same = {path for path in others if filecmp.cmp(path, paper.submitted, shallow=False)}
    said = [
        _("submitted as `{name}`") if path in same else _("`{name}` was handed in too, and is not graded")
        for path in others[:_MAX_NAMED]
    ]
    return [text.format(name=path.relative_to(folder)) for text, path in zip(said, others, strict=False)]


def seeds_for(paper: Paper, notebook: NotebookNode) -> dict[str, bytes]:
    """Derive from the course's secret what this exam's cases are drawn from, by exercise."""
    exercises = (exercise for cell in notebook.cells if (exercise := graded_exercise(cell)) is not None)
    return exam_seeds(paper.course.secret, paper.student, exercises)


def examine(
    paper: Paper,
    notebook: NotebookNode,
    rules: Rules,
    *,
    seeds: Mapping[str, bytes] | None = None,
    stop: threading.Event | None = None,
) -> Examined:
    """Run a restored notebook in the sandbox under the examiner's eyes.

    Parameters
    ----------
    paper : Paper
        Whose work it is.
    notebook : NotebookNode
        The work, from `restored`; it is executed in place.
    rules : Rules
        What it may use.
    seeds : mapping, optional
        What the cases are drawn from, by exercise; without, they are derived from the course's secret.

    Raises
    ------
    CourseError
        When there is no sandbox, or the assignment's exercises have an error: never for what a student did.
    StoppedError
        Soon after `stop` is set: the result is not wanted any more.
    """
    remarks, unreadable = take_remarks(notebook), take_quarantine(notebook)
    examiner = examiner_for(paper.course.assignment_folder(paper.assignment))
    seeds = seeds_for(paper, notebook) if seeds is None else seeds
    start = time.monotonic()
    with (
        make_job(paper.submitted.parent, paper.release.parent) as job,
        examiner.exam(paper.student, seeds, job.examiner_address) as invigilator,
    ):
        job.hand_over(job.examiner_address)
        modules = modules_of(paper.release)
        limits = replace(rules.limits, absent=_absent(paper))
        run = NotebookRun(notebook, job, invigilator, limits, rules.patience, modules, stop or threading.Event())
        run.execute()
    seconds = round(time.monotonic() - start, 2)
    for cell in notebook.cells:
        exercise = graded_exercise(cell)
        if exercise is not None:
            run.verdicts.setdefault(exercise, _missing(cell, exercise))
    said = [plain_text(remark, _REMARK_LENGTH) for remark in [*remarks, *run.remarks]]
    return Examined(
        sound_notebook(notebook), run.verdicts, said, seconds, unreadable, invigilator.alarms, sandbox_name()
    )


def _missing(cell: NotebookNode, exercise: str) -> Verdict:
    """Make the verdict of a graded cell that got none: zero, with the reason as far as it is known."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    note = _("no answer reached the examiner")
    if errors:
        note += plain_text(f": {errors[0].ename}: {errors[0].evalue}", 400)
    return Verdict(exercise, exercise, float(cell.metadata.nbgrader.points), note=note)


def sound_notebook(notebook: NotebookNode) -> NotebookNode:
    """Drop what a kernel made up: outputs of a form that there is not, counts that are no numbers, half characters."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_sound(output)]
            count = cell.get("execution_count")
            cell.execution_count = count if isinstance(count, int) and count >= 0 else None
    text = json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace")
    return cast(NotebookNode, nbformat.from_dict(json.loads(text)))


def _is_sound(output: NotebookNode) -> bool:
    try:
        nbformat.validate(output, ref="output", version=4)
    except nbformat.ValidationError:
        return False
    return True


def fingerprint(paper: Paper, notebook: NotebookNode) -> str:
    """Identify what a result depends on: the student, the cells, the files beside them, exercises and environment."""
    digest = hashlib.sha256(json.dumps([paper.student, paper.notebook, _environment()]).encode())
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {}).get("grade_id")
        digest.update(json.dumps([cell.cell_type, cell.source, mark, cell.get("attachments")]).encode())
    exercises = sorted(paper.course.assignment_folder(paper.assignment).glob("*.py"))
    for path in [*exercises, *_files(paper.submitted.parent), *_files(paper.release.parent)]:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(os.fsencode(_name_of(path, paper)) + b"\0" + content)
    return digest.hexdigest()


def _environment() -> dict[str, str]:
    """Get the environment, the reference included, as it was when this process first asked: it runs in that one."""
    with _asking:  # else the first jobs would all look, and each go through every package
        return _first_environment()


@lru_cache(maxsize=1)
def _first_environment() -> dict[str, str]:
    return environment()


def _name_of(path: Path, paper: Paper) -> str:
    """Give a file's name, with the folder of the submission that it lies in."""
    folder = paper.submitted.parent
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name


def _absent(paper: Paper) -> tuple[str, ...]:
    return absent_libraries(paper.course.assignment_folder(paper.assignment))


def _files(folder: Path) -> Sequence[Path]:
    paths = (Path(place, name) for place, _folders, names in os.walk(folder) for name in names)
    files = (path for path in paths if path.is_file() and not path.is_symlink() and not is_aside(path.name))
    return sorted(path for path in files if path.suffix != ".ipynb")


def keep_result(paper: Paper, print_: str, examined: Examined) -> None:
    """Leave a result for nbgrader's pipeline."""
    write_with_verdicts(paper.result, {"fingerprint": print_, **vars(examined)})


def has_result(paper: Paper, print_: str) -> bool:
    """Whether a result of exactly this work waits, from a run that was cut off before it was recorded."""
    try:
        return json.loads(paper.result.read_text(encoding="utf-8"))["fingerprint"] == print_
    except (OSError, ValueError, KeyError):
        return False


def take_result(paper: Paper, print_: str) -> Examined | None:
    """Take a waiting result if it was made from exactly this work; it is gone then."""
    try:
        data = read_with_verdicts(paper.result)
        paper.result.unlink()
    except (OSError, ValueError, KeyError, TypeError):  # none, or one that another version wrote
        return None
    if data.pop("fingerprint") != print_:
        return None
    return Examined(cast(NotebookNode, nbformat.from_dict(data.pop("notebook"))), **data)
