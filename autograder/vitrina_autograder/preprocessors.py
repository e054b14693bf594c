"""Where nbgrader's pipeline meets ours: each class or function here is named in `nbgrader_config.py`.

Reading (`SubmissionExporter`), restoring (`RestoreCells`) and examining (`Examination`) replace what nbgrader does with
a submission; everything else, from the gradebook to feedback, stays nbgrader's.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

from vitrina.judging import Verdict
from vitrina.messages import _
from vitrina.panel import html_panel
from vitrina_autograder.course import Course
from vitrina_autograder.examiner import examiner_for
from vitrina_autograder.intake import REMARKS, UnreadableError, blank_submission, read_submission, restore
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.run import NotebookRun, Patience
from vitrina_autograder.sandbox import Job, Limits, make_job, sandbox_name
from vitrina_autograder.verdicts import Record, load_record, save_record


class SubmissionExporter(NotebookExporter):
    """Reads submissions leniently: a file that is no notebook becomes a blank one with the reason on top."""

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> Any:
        """Read and process one file; what a student submitted never raises here."""
        path = Path(filename)
        names = resources["nbgrader"]
        course = _course(self.config)
        if not path.is_relative_to(course.submitted):
            return super().from_filename(filename, resources, **kw)
        try:
            notebook = read_submission(path)
        except UnreadableError as error:
            notebook = blank_submission(_released(course, names), str(error))
        resources.setdefault("metadata", {})["path"] = str(path.parent)
        resources["metadata"]["name"] = path.stem
        return self.from_notebook_node(notebook, resources, **kw)


class RestoreCells(NbGraderPreprocessor):
    """Gives a submission the released cells' flags, points, ids and locked text."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Restore one notebook."""
        names = resources["nbgrader"]
        course = _course(self.config)
        release = cast(NotebookNode, nbformat.read(_released(course, names), as_version=4))
        for remark in [*_renamed(course, names), *restore(nb, release)]:
            self.log.warning("%s: %s", names["student"], remark)
        nb.metadata[REMARKS] = [*_renamed(course, names), *nb.metadata[REMARKS]]
        return nb, resources


class Examination(NbGraderPreprocessor):
    """Runs a submission in the sandbox under the examiner's eyes and writes the verdicts into the graded cells."""

    cell_seconds = Integer(Patience.cell, help="Seconds of wall time for one cell.").tag(config=True)
    notebook_seconds = Integer(Patience.notebook, help="Seconds of wall time for a notebook.").tag(config=True)
    cpu_seconds = Integer(Limits.cpu_seconds, help="Seconds of CPU time for a notebook.").tag(config=True)
    memory_gigabytes = Integer(Limits.memory_bytes >> 30, help="Address space of a kernel.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Examine one notebook; a graded cell without a verdict earns nothing, and its panel says why."""
        names = resources["nbgrader"]
        course = _course(self.config)
        start = time.monotonic()
        with make_job(Path(resources["metadata"]["path"])) as job:
            run = self._run(nb, job, course, names)
        for cell in nb.cells:
            exercise = graded_exercise(cell)
            if exercise is not None:
                _write_verdict(cell, run.verdicts.setdefault(exercise, _missing(cell, exercise)))
        remarks = [*nb.metadata.pop(REMARKS, []), *run.remarks]
        _record(course, names, run.verdicts, remarks, time.monotonic() - start)
        return _without_surrogates(nb), resources

    def _run(self, nb: NotebookNode, job: Job, course: Course, names: dict[str, str]) -> NotebookRun:
        examiner = examiner_for(course, course.assignment_folder(names["assignment"]))
        examiner.open_exam(names["student"], job.examiner_address)
        limits = Limits(cpu_seconds=self.cpu_seconds, memory_bytes=self.memory_gigabytes << 30)
        run = NotebookRun(nb, job, examiner, limits, Patience(self.cell_seconds, self.notebook_seconds))
        try:
            run.execute()
        finally:
            examiner.close_exam()
        return run


def adopt_renamed(assignment: str, student: str, notebooks: list[str]) -> None:
    """Accept a notebook under another name: copy it to the name it was released under.

    nbgrader calls this before it converts a submission; `notebooks` is its list of files, changed in place.
    """
    del student
    if not notebooks:
        return
    folder = Path(notebooks[0]).parent
    course = Course.find(folder)
    released = sorted((course.release / assignment).glob("*.ipynb"))
    unknown = [path for path in map(Path, notebooks) if path.name not in {file.name for file in released}]
    for wanted in released:
        if not (folder / wanted.name).exists() and unknown:
            original = max(unknown, key=lambda path: _likeness(path, wanted))
            unknown.remove(original)
            shutil.copyfile(original, folder / wanted.name)
            notebooks[:] = [str(folder / wanted.name), *(name for name in notebooks if Path(name) != original)]


def _likeness(path: Path, release: Path) -> int:
    """Count the graded cells of a release whose ids occur in a submitted file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    cells = cast(NotebookNode, nbformat.read(release, as_version=4)).cells
    return sum(cell.metadata.nbgrader.grade_id in text for cell in cells if "nbgrader" in cell.metadata)


def _renamed(course: Course, names: dict[str, str]) -> list[str]:
    """Say that a notebook was submitted under another name, of which `adopt_renamed` made a copy."""
    folder = course.submitted / names["student"] / names["assignment"]
    adopted = folder / f"{names['notebook']}.ipynb"
    originals = [path for path in sorted(folder.glob("*.ipynb")) if path != adopted]
    same = [path.name for path in originals if path.read_bytes() == adopted.read_bytes()]
    return [_("submitted as `{name}`").format(name=name) for name in same]


def _course(config: Any) -> Course:
    return Course(Path(config.CourseDirectory.root).parent)


def _released(course: Course, names: dict[str, str]) -> Path:
    return course.release / names["assignment"] / f"{names['notebook']}.ipynb"


def _missing(cell: NotebookNode, exercise: str) -> Verdict:
    """Make the verdict of a graded cell that got none: zero, with the reason as far as it is known."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    note = _("no answer reached the examiner")
    if errors:
        note += f": {errors[0].ename}: {errors[0].evalue}"[:400]
    return Verdict(exercise, exercise, float(cell.metadata.nbgrader.points), note=note)


def _write_verdict(cell: NotebookNode, verdict: Verdict) -> None:
    """Replace what the kernel showed by the verdict; its plain text is what nbgrader reads as the score."""
    data = {"text/plain": repr(verdict), "text/html": html_panel(verdict)}
    cell.outputs = [new_output("execute_result", data, execution_count=cell.execution_count)]


def _record(
    course: Course, names: dict[str, str], verdicts: dict[str, Verdict], remarks: Sequence[str], seconds: float
) -> None:
    """Save the verdicts of a notebook beside those of the assignment's other notebooks."""
    record = Record(names["student"], names["assignment"])
    released = len(list((course.release / names["assignment"]).glob("*.ipynb")))
    earlier = load_record(course, names["assignment"], names["student"]) if released > 1 else None
    if earlier is not None:
        record.verdicts |= earlier.verdicts
    record.verdicts |= verdicts
    record.remarks = list(remarks)
    record.sandbox = sandbox_name()
    record.seconds = round(seconds, 2)
    save_record(course, record)


def _without_surrogates(nb: NotebookNode) -> NotebookNode:
    """Replace half characters, which cannot be written to a file."""
    text = nbformat.writes(nb, version=nbformat.NO_CONVERT, ensure_ascii=False)
    return cast(NotebookNode, nbformat.reads(text.encode("utf-8", "replace").decode("utf-8"), as_version=4))
