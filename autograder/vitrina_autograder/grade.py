"""Grading a class: examine many submissions at once, record them one after the other, write feedback.

Only nbgrader touches the gradebook. A submission always ends as graded, or with a remark that says why not; it never
stops the others.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from vitrina.messages import _
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.examination import Paper, examine, fingerprint, has_result, keep_result, restored
from vitrina_autograder.job import remove_tree, sweep_jobs
from vitrina_autograder.preprocessors import Examination, adopt_notebooks
from vitrina_autograder.release import load_config, nbgrader_api
from vitrina_autograder.sandbox import sandbox_name
from vitrina_autograder.verdicts import Record, load_record, save_record

_log = logging.getLogger(__name__)

#: What nbgrader takes for a pattern, or cannot match.
_UNUSABLE = re.compile(r"[*?\[\]\r\n]")

#: The line of a stack trace that says what was wrong.
_ERROR_LINE = re.compile(r"^[\w.]*(?:Error|Exception)\b.*", re.MULTILINE)
_REASON_LENGTH = 300

#: Called with a student and what was just done: "examined", "recorded" or "skipped".
Progress = Callable[[str, str], None]


@dataclass(frozen=True)
class Grading:
    """One run over a class.

    Attributes
    ----------
    course : Course
        The course.
    assignment : str
        nbgrader's name of the assignment.
    jobs : int
        How many submissions are examined at once.
    force : bool
        Whether to grade again what has not changed.
    progress : callable
        Told of every step.
    """

    course: Course
    assignment: str
    jobs: int = 2
    force: bool = False
    progress: Progress = lambda _student, _step: None

    def run(self, students: Sequence[str]) -> None:
        """Grade the given students.

        Raises
        ------
        CourseError
            When nothing was released, or there is no sandbox.
        """
        if not self.course.released_notebooks(self.assignment):
            raise CourseError(f"{self.assignment} is not released: run `vitrina release {self.assignment}` first")
        sandbox_name()
        sweep_jobs()
        pending = [student for student in students if self._is_due(student)]
        self._examine(pending)
        for student in pending:
            self._record(student)
            self.progress(student, "recorded")

    def _papers(self, student: str) -> list[Paper]:
        released = self.course.released_notebooks(self.assignment)
        return [Paper(self.course, self.assignment, student, path.stem) for path in released]

    def _is_due(self, student: str) -> bool:
        try:
            return self._has_changed(student)
        except Exception:  # recording will meet the same, and remark it
            _log.exception("%s: cannot be looked through", student)
            return True

    def _has_changed(self, student: str) -> bool:
        if _UNUSABLE.search(student):
            self._note(student, _("nbgrader cannot work with a name like this: rename the folder and grade again"))
            return False
        folder = self.course.submitted / student / self.assignment
        adopt_notebooks(self.course, self.assignment, folder)
        if not any(paper.submitted.exists() for paper in self._papers(student)):
            self._note(student, _("no notebook was handed in"))
            return False
        record = load_record(self.course, self.assignment, student)
        graded = (self.course.autograded / student / self.assignment).is_dir()
        if self.force or not graded or record is None or not record.recorded:
            return True
        if record.fingerprints != self._fingerprints(student):
            return True
        self.progress(student, "skipped")
        return False

    def _fingerprints(self, student: str) -> dict[str, str]:
        return {paper.notebook: fingerprint(paper, restored(paper)) for paper in self._papers(student)}

    def _note(self, student: str, remark: str) -> None:
        """Remark why a submission is not graded at all."""
        save_record(self.course, Record(student, self.assignment, remarks=[remark], quarantine=remark))
        self.progress(student, "skipped")

    def _examine(self, students: Sequence[str]) -> None:
        """Examine at once as many submissions as there are jobs; results wait for nbgrader's pipeline."""
        rules = Examination(config=load_config(self.course)).rules
        papers = [paper for student in students for paper in self._papers(student) if paper.submitted.exists()]

        def work(paper: Paper) -> None:
            try:
                notebook = restored(paper)
                print_ = fingerprint(paper, notebook)
                if self.force or not has_result(paper, print_):
                    keep_result(paper, print_, examine(paper, notebook, rules))
            except CourseError:
                raise
            except Exception:  # recording tries once more, and remarks what fails again
                _log.exception("%s: examining failed", paper.student)

        with ThreadPoolExecutor(self.jobs) as pool:
            waiting = {pool.submit(work, paper): paper for paper in papers}
            try:
                for future in as_completed(waiting):
                    future.result()
                    self.progress(waiting[future].student, "examined")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _record(self, student: str) -> None:
        """Let nbgrader record a submission whose result waits; what it cannot record is remarked, not raised."""
        api = nbgrader_api(self.course)
        outcome = api.autograde(self.assignment, student, force=True)
        if outcome["success"]:
            outcome = api.generate_feedback(self.assignment, student, force=True)
        self._note_outcome(student, outcome)
        remove_tree(self.course.build / "examined" / self.assignment / student)

    def _note_outcome(self, student: str, outcome: dict[str, Any]) -> None:
        record = load_record(self.course, self.assignment, student) or Record(student, self.assignment)
        record.recorded = bool(outcome["success"])
        if not record.recorded:
            log = str(outcome.get("log") or outcome.get("error") or "")
            errors = _ERROR_LINE.findall(log) or [line for line in log.splitlines() if line.strip()] or ["?"]
            record.quarantine = _("nbgrader could not record this: {reason}").format(reason=errors[-1][:_REASON_LENGTH])
            record.remarks.append(record.quarantine)
        save_record(self.course, record)


def submitted_students(course: Course, assignment: str) -> list[str]:
    """List who handed something in for an assignment, or has a folder for it."""
    return sorted(path.parent.name for path in course.submitted.glob(f"*/{assignment}") if path.is_dir())


@dataclass(frozen=True)
class Grade:
    """One student's grade: points of every graded cell by nbgrader's id, and what is left to do by hand."""

    student: str
    score: float
    max_score: float
    points: dict[str, float]
    by_hand: int


def read_grades(course: Course, assignment: str) -> dict[str, Grade]:
    """Read the grades of an assignment from nbgrader's gradebook."""
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        try:
            submissions = gradebook.find_assignment(assignment).submissions
        except MissingEntry as error:
            raise CourseError(f"the gradebook knows no {assignment}: release it first") from error
        return {submission.student.id: _grade(submission) for submission in submissions}


def enrolled_students(course: Course) -> list[str]:
    """List everyone whom the gradebook knows, whether or not they handed anything in."""
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        return sorted(str(student.id) for student in gradebook.students)


def _grade(submission: Any) -> Grade:
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    return Grade(
        student=submission.student.id,
        score=float(submission.score),
        max_score=float(submission.max_score),
        points={grade.name: float(grade.score or 0) for grade in grades},
        by_hand=sum(bool(grade.needs_manual_grade) for grade in grades),
    )


def feedback_pages(course: Course, assignment: str, student: str) -> Iterator[Path]:
    """Find the feedback pages of a submission."""
    yield from sorted((course.feedback / student / assignment).glob("*.html"))
