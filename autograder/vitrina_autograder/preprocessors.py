"""Where nbgrader's pipeline meets ours: what is named in `nbgrader_config.py`.

Reading a submission (`SubmissionExporter`) and running it (`Examination`) are ours; everything else, from the gradebook
to feedback, stays nbgrader's.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Integer

from vitrina.judging import Verdict
from vitrina.panel import html_panel
from vitrina_autograder.audit import note_graded
from vitrina_autograder.course import Course
from vitrina_autograder.examination import Examined, Paper, Rules, examine, fingerprint, restored, take_result
from vitrina_autograder.folders import notebooks_in, set_aside
from vitrina_autograder.job import Limits
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.run import Patience
from vitrina_autograder.verdicts import Record, load_record, save_record


class SubmissionExporter(NotebookExporter):
    """Reads submissions leniently, and puts them into the shape of the release before anything else looks at them."""

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> Any:
        """Read and process one file; what a student submitted never raises here."""
        paper = _paper(self.config, resources)
        if Path(filename).resolve() != paper.submitted.resolve():
            return super().from_filename(filename, resources, **kw)
        resources.setdefault("metadata", {})["name"] = paper.notebook
        return self.from_notebook_node(restored(paper), resources, **kw)


class Examination(NbGraderPreprocessor):
    """Runs a submission in the sandbox under the examiner's eyes and writes the verdicts into the graded cells."""

    cell_seconds = Integer(Patience.cell, help="Seconds of wall time for a cell that is not graded.").tag(config=True)
    graded_seconds = Integer(Patience.graded, help="Seconds of wall time for a graded cell.").tag(config=True)
    notebook_seconds = Integer(Patience.notebook, help="Seconds of wall time for a notebook.").tag(config=True)
    cpu_seconds = Integer(Limits.cpu_seconds, help="Seconds of CPU time for a notebook.").tag(config=True)
    memory_gigabytes = Integer(Limits.memory_bytes >> 30, help="Address space of a kernel.").tag(config=True)
    resident_gigabytes = Float(Limits.resident_bytes / 2**30, help="Memory a kernel may really use.").tag(config=True)

    @property
    def rules(self) -> Rules:
        """What this configuration allows a submission."""
        resident = round(self.resident_gigabytes * 2**30)
        limits = Limits(self.cpu_seconds, self.memory_gigabytes << 30, resident)
        return Rules(limits, Patience(self.cell_seconds, self.graded_seconds, self.notebook_seconds))

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Examine one notebook, unless a result waits for it already, and record the verdicts."""
        paper = _paper(self.config, resources)
        print_ = fingerprint(paper, nb)
        examined = take_result(paper, print_) or examine(paper, nb, self.rules)
        for cell in examined.notebook.cells:
            exercise = graded_exercise(cell)
            if exercise is not None:
                _write_verdict(cell, examined.verdicts[exercise])
        for remark in [*examined.remarks, *examined.alarms]:
            self.log.warning("%s: %s", paper.student, remark)
        _record(paper, print_, examined)
        return examined.notebook, resources


def adopt_renamed(assignment: str, student: str, notebooks: list[str]) -> None:
    """Accept a notebook under another name: copy it to the name it was released under.

    nbgrader calls this before it converts a submission; `notebooks` is its list of files, changed in place.
    """
    del student
    folder = Path(notebooks[0]).parent
    adopted = adopt_notebooks(Course.find(folder), assignment, folder)
    for original, copy in adopted.items():
        notebooks[:] = [str(copy), *(name for name in notebooks if Path(name).name != original.name)]


def adopt_notebooks(course: Course, assignment: str, folder: Path) -> dict[Path, Path]:
    """Copy the notebooks of a submission that have another name to the names they were released under.

    What nbgrader cannot take from the folder is set aside first (see `set_aside`).

    Returns
    -------
    dict of Path to Path
        What was copied: the student's file and its copy.
    """
    set_aside(folder, course.release / assignment)
    released = course.released_notebooks(assignment)
    names = {path.name for path in released}
    unknown = [path for path in notebooks_in(folder) if path.parent != folder or path.name not in names]
    adopted: dict[Path, Path] = {}
    for wanted in released:
        if unknown and not os.path.lexists(folder / wanted.name):  # a copy over a dangling link would follow it
            original = max(unknown, key=lambda path: (_likeness(path, wanted), path.parent == folder))
            unknown.remove(original)
            adopted[original] = Path(shutil.copyfile(original, folder / wanted.name))
    return adopted


def _likeness(path: Path, release: Path) -> int:
    """Count the graded cells of a release whose ids occur in a submitted file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    cells = cast(NotebookNode, nbformat.read(release, as_version=4)).cells
    return sum(cell.metadata.nbgrader.grade_id in text for cell in cells if "nbgrader" in cell.metadata)


def _paper(config: Any, resources: Any) -> Paper:
    names = resources["nbgrader"]
    course = Course.configured(config)
    return Paper(course, names["assignment"], names["student"], names["notebook"])


def _write_verdict(cell: NotebookNode, verdict: Verdict) -> None:
    """Replace what the kernel showed by the verdict; its plain text is what nbgrader reads as the score."""
    data = {"text/plain": repr(verdict), "text/html": html_panel(verdict)}
    count = cell.execution_count
    # not new_output, which would validate it alone; the whole notebook is validated before it is written
    cell.outputs = [
        NotebookNode(output_type="execute_result", metadata=NotebookNode(), data=data, execution_count=count)
    ]


def _record(paper: Paper, print_: str, examined: Examined) -> None:
    """Save what is known of a notebook beside what is known of the assignment's other notebooks."""
    record = Record(paper.student, paper.assignment)
    released = [path.stem for path in paper.course.released_notebooks(paper.assignment)]
    earlier = load_record(paper.course, paper.assignment, paper.student) if len(released) > 1 else None
    earlier = earlier or Record(paper.student, paper.assignment)
    record.verdicts = {**earlier.verdicts, **examined.verdicts}
    record.fingerprints = {**earlier.fingerprints, paper.notebook: print_}
    record.remarks, record.alarms, record.sandbox = [*examined.remarks], [*examined.alarms], examined.sandbox
    record.seconds, record.quarantine = examined.seconds, examined.quarantine
    handed_in = (name for name in released if replace(paper, notebook=name).submitted.exists())
    if paper.notebook != next(handed_in, paper.notebook):  # the first one begins anew: all are graded after each other
        _add_earlier(record, earlier)
    save_record(paper.course, record)
    note_graded(paper.course, record, [paper.submitted])


def _add_earlier(record: Record, earlier: Record) -> None:
    """Add what was said of the notebooks before; where something could be graded, a reason why not is a remark."""
    reasons = [record.quarantine, earlier.quarantine]
    remarks = [*earlier.remarks, *record.remarks, *([] if all(reasons) else filter(None, reasons))]
    record.remarks = list(dict.fromkeys(remarks))
    record.alarms = list(dict.fromkeys([*earlier.alarms, *record.alarms]))
    record.seconds = round(earlier.seconds + record.seconds, 2)
    record.quarantine = earlier.quarantine if all(reasons) else ""
