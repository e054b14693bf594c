"""Where a submission stands by the gradebook, and whose feedback page was written before it came to stand there."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import BaseCell, Comment, Grade, Gradebook, MissingEntry, SubmittedNotebook
from sqlalchemy.orm import object_session

from vitrina_autograder.course import Course
from vitrina_autograder.deadlines import Deadlines, read_deadlines
from vitrina_autograder.lateness import settle
from vitrina_autograder.release import nbgrader_api

#: Names the state of the gradebook that a page was written from.
_STATE = re.compile(r'<meta name="vitrina-state" content="(\w+)">')
_STATE_WITHIN = 500


@dataclass(frozen=True)
class Standing:
    """What the gradebook says of a submission.

    Attributes
    ----------
    state : str
        Changes with anything that the page shows of it.
    late : str
        The sentence about lateness; empty where the work was on time.
    waiting : frozenset of str
        Graded cells that the instructor has still to look at.
    """

    score: float
    max_score: float
    penalty: float
    late: str
    state: str
    waiting: frozenset[str]

    @property
    def total(self) -> float:
        """Points after the penalty."""
        return round(max(0.0, self.score - self.penalty), 2)


def standing_of(deadlines: Deadlines, submission: Any) -> Standing:
    """Read from the gradebook what a page shows of it."""
    grades = _of_cells(submission, Grade, Grade.score, Grade.max_score, Grade.needs_manual_grade)
    comments = _of_cells(submission, Comment, Comment.comment)
    penalty = float(submission.late_submission_penalty or 0)
    ruling = deadlines.ruling(submission.assignment.name, submission.student.id, submission.timestamp)
    late = ruling.sentence(penalty)
    points = sorted([name, score, most, bool(by_hand)] for name, score, most, by_hand in grades)
    said = sorted([name, comment or ""] for name, comment in comments)
    return Standing(
        score=float(submission.score),
        max_score=float(submission.max_score),
        penalty=penalty,
        late=late,
        state=hashlib.sha256(json.dumps([points, said, penalty, late]).encode()).hexdigest()[:16],
        waiting=frozenset(name for name, _score, _most, by_hand in grades if by_hand),
    )


def _of_cells(submission: Any, kind: Any, *columns: Any) -> Sequence[Any]:
    """Read with one statement what there is of a kind for each cell, after the cell's name."""
    session: Any = object_session(submission)
    rows = session.query(BaseCell.name, *columns).join(kind.cell).join(kind.notebook)
    return rows.filter(SubmittedNotebook.assignment_id == submission.id).all()


def stale_feedback(course: Course, assignment: str) -> list[str]:
    """List the students whose pages were written before their points, comments or penalty became what they are."""
    deadlines = read_deadlines(course)
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        try:
            submissions = gradebook.find_assignment(assignment).submissions
        except MissingEntry:
            return []
        return sorted(
            submission.student.id
            for submission in submissions
            if any(
                state != standing_of(deadlines, submission).state
                for state in _page_states(course.feedback / submission.student.id / assignment)
            )
        )


def refresh_feedback(course: Course, assignment: str) -> list[str]:
    """Settle lateness, write the pages again that say something else than the gradebook, and list their students."""
    settle(course, assignment)
    stale = stale_feedback(course, assignment)
    for student in stale:
        nbgrader_api(course).generate_feedback(assignment, student, force=True)
    return stale


def _page_states(folder: Path) -> Iterator[str]:
    for path in folder.glob("*.html"):
        with path.open(encoding="utf-8", errors="replace") as file:
            found = _STATE.search(file.read(_STATE_WITHIN))
        yield found[1] if found else ""
