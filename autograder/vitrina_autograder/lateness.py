"""Lateness in nbgrader's gradebook: due times, extensions and penalties are carried there from the course's own files.

A penalty follows from the time a submission came in, its due time, the policy and the points, so it can be worked out
again at any moment without running a notebook: `settle` does, wherever points, due times or extensions may have
changed since. Scores and comments, also those given by hand, are never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc

from vitrina_autograder.course import Course
from vitrina_autograder.deadlines import Deadlines, Ruling, read_deadlines
from vitrina_autograder.folders import TIMESTAMP


class LatePolicy(LateSubmissionPlugin):
    """nbgrader's plug-in for late penalties (`c.AssignLatePenalties.plugin_class`)."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Give the points that lateness costs of the score of one notebook."""
        del total_seconds_late  # the gradebook knows seconds; the policy counts days on the course's clock
        penalties: Any = self.parent  # nbgrader's preprocessor
        submission = penalties.gradebook.find_submission(penalties.assignment_id, student_id)
        return ruling_of(Course.configured(self.config), submission).penalty(score) or None


class CarryDeadlines(NbGraderPreprocessor):
    """Carries a submission's due time into the gradebook that another preprocessor, a base before it, has open."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Leave the notebook as it is."""
        names, gradebook, course = resources["nbgrader"], cast(Any, self).gradebook, Course.configured(self.config)
        _carry(course, read_deadlines(course), gradebook.find_submission(names["assignment"], names["student"]))
        gradebook.db.commit()
        return super().preprocess(nb, resources)


class SettleLateness(NbGraderPreprocessor):
    """Works the penalty out again, in the gradebook that another preprocessor, a base before it, has open.

    Points may have been given by hand since.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Leave the notebook as it is."""
        names, gradebook, course = resources["nbgrader"], cast(Any, self).gradebook, Course.configured(self.config)
        submission = gradebook.find_submission(names["assignment"], names["student"])
        _settle(course, read_deadlines(course), submission)
        gradebook.db.commit()
        return super().preprocess(nb, resources)


def settle(course: Course, assignment: str) -> None:
    """Bring the due times, extensions and penalties of an assignment in the gradebook up to date.

    Parameters
    ----------
    course : Course
        The course.
    assignment : str
        nbgrader's name of the assignment; where the gradebook does not know it yet, nothing happens.
    """
    deadlines = read_deadlines(course)
    if not course.gradebook.exists():
        return
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        try:
            entry: Any = gradebook.find_assignment(assignment)
        except MissingEntry:
            return
        entry.duedate = _in_utc(deadlines.due_of(assignment))
        for submission in entry.submissions:
            _settle(course, deadlines, submission)
        gradebook.db.commit()


def _settle(course: Course, deadlines: Deadlines, submission: Any) -> None:
    _carry(course, deadlines, submission)
    _charge(deadlines.ruling(submission.assignment.name, submission.student.id, submission.timestamp), submission)


def carry_due(assignment: str, student: str, notebooks: list[str]) -> None:
    """Carry the due time of an assignment into the gradebook; nbgrader calls this after it has made the release."""
    del student
    settle(Course.find(Path(notebooks[0]).parent), assignment)


def ruling_of(course: Course, submission: Any) -> Ruling:
    """Rule on a submission of the gradebook."""
    return read_deadlines(course).ruling(submission.assignment.name, submission.student.id, submission.timestamp)


def received(course: Course, assignment: str, student: str) -> datetime | None:
    """Read when a submission came in: from `timestamp.txt` in its folder, which nbgrader or `vitrina collect` wrote.

    The time that a file system keeps of a file is not believed: copying or unpacking changes it.

    Returns
    -------
    datetime or None
        In UTC, without a zone, as nbgrader has it; `None` where nothing is known.
    """
    path = course.submitted / student / assignment / TIMESTAMP
    try:
        return parse_utc(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError, OverflowError):
        return None


def untimed(course: Course, assignment: str, students: Sequence[str]) -> list[str]:
    """List the students of whom nobody knows when their work came in; nobody where there is no due time."""
    if read_deadlines(course).due_of(assignment) is None:
        return []
    return [student for student in students if received(course, assignment, student) is None]


def write_received(folder: Path, moment: datetime) -> None:
    """Write `timestamp.txt` as nbgrader does, in UTC."""
    (folder / TIMESTAMP).write_text(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC", encoding="utf-8")


def _carry(course: Course, deadlines: Deadlines, submission: Any) -> None:
    assignment, student = submission.assignment.name, submission.student.id
    if (course.submitted / student / assignment).is_dir():
        submission.timestamp = received(course, assignment, student)
    due = _in_utc(deadlines.due_of(assignment))
    extended = _in_utc(deadlines.due_of(assignment, student))
    submission.assignment.duedate = due
    extra = extended - due if due and extended else timedelta()
    submission.extension = extra or None


def _charge(ruling: Ruling, submission: Any) -> None:
    for notebook in submission.notebooks:
        notebook.late_submission_penalty = min(ruling.penalty(notebook.score), notebook.score) or None


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
