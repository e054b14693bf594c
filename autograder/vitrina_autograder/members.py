"""One student of a class: how the submission stands, results by exercise, competences, what was unusual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from vitrina.judging import Verdict
from vitrina_autograder.course import Course
from vitrina_autograder.exercise import AnyExercise
from vitrina_autograder.grade import Grade, feedback_pages
from vitrina_autograder.marks import check_id, is_check_id
from vitrina_autograder.verdicts import Record, load_record

#: How a student stands, from what counts in the figures to what does not.
Standing = Literal["graded", "partly graded", "blank", "quarantined", "not graded", "absent"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
_COUNTING = ("graded", "partly graded")
_KNOWN = (*_COUNTING, "blank")


@dataclass(frozen=True)
class Result:
    """A student's result on one exercise: the gradebook says how many points, the verdict says why."""

    points: float
    verdict: Verdict

    @property
    def share(self) -> float:
        """Share of the points that was earned."""
        return self.points / self.verdict.max_points if self.verdict.max_points else 0.0

    @property
    def examined(self) -> bool:
        """Whether the examiner could reach the answer."""
        return not self.verdict.note

    @property
    def begun(self) -> bool:
        """Whether there was an answer that the examiner could reach."""
        return self.examined and not self.verdict.unanswered

    @property
    def corrected(self) -> bool:
        """Whether an instructor gave other points than the examiner."""
        return abs(self.points - self.verdict.points) > 1e-9


@dataclass(frozen=True)
class Member:
    """One student of the class.

    Attributes
    ----------
    student : str
        The student's id.
    standing : str
        What became of the submission.
    grade : Grade or None
        The gradebook's points.
    record : Record or None
        The examiner's account.
    results : mapping
        Results by exercise.
    competences : mapping
        Share of points by competence; `None` where nothing that shows it was examined.
    feedback : sequence of Path
        The student's feedback pages.
    """

    student: str
    standing: Standing
    grade: Grade | None
    record: Record | None
    results: Mapping[str, Result]
    competences: Mapping[str, float | None]
    feedback: Sequence[Path]

    @property
    def counts(self) -> bool:
        """Whether the class's figures are made of this student's work too."""
        return self.standing in _COUNTING

    @property
    def score(self) -> float | None:
        """Points by the gradebook; `None` where nothing could be read, unless an instructor gave some all the same."""
        if self.grade is None or (self.standing not in _KNOWN and not self.grade.score):
            return None
        return self.grade.score

    @property
    def share(self) -> float | None:
        """Share of all points of the assignment; `None` where no score is known."""
        most = self.grade.max_score if self.grade else 0.0
        return self.score / most if self.score is not None and most else None

    @property
    def by_hand(self) -> float:
        """Points given by hand to written answers."""
        points = self.grade.points if self.grade else {}
        return sum(value for name, value in points.items() if not is_check_id(name))

    @property
    def alarms(self) -> list[str]:
        """What the sandbox caught the submission at."""
        return list(getattr(self.record, "alarms", []))

    @property
    def unsafe(self) -> bool:
        """Whether it ran without a sandbox."""
        return bool(self.record and self.record.sandbox.startswith("none"))

    @property
    def unreached(self) -> list[str]:
        """Exercises that the examiner could not reach, and why."""
        verdicts = self.record.verdicts.values() if self.record else []
        return [f"{verdict.title}: {verdict.note}" for verdict in verdicts if verdict.note]

    @property
    def stopped(self) -> list[str]:
        """Exercises whose function stopped, ran out of time or gave nothing readable, and so earned nothing."""
        verdicts = self.record.verdicts.values() if self.record else []
        return [f"{verdict.title}: {reason}" for verdict in verdicts if (reason := _why_stopped(verdict))]

    @property
    def remarks(self) -> list[str]:
        """Everything unusual about the submission."""
        return [*(self.record.remarks if self.record else []), *self.unreached, *self.stopped]


def read_member(
    course: Course, assignment: str, student: str, grade: Grade | None, exercises: Mapping[str, AnyExercise]
) -> Member:
    """Read what is known of a student who has a folder among the submissions."""
    record = _readable_record(course, assignment, student)
    return make_member(student, grade, record, exercises, list(feedback_pages(course, assignment, student)))


def make_member(
    student: str,
    grade: Grade | None,
    record: Record | None,
    exercises: Mapping[str, AnyExercise],
    feedback: Sequence[Path],
) -> Member:
    """Put together what gradebook and examiner know of a student; for the parameters see `Member`."""
    results = _results(record, grade) if record else {}
    return Member(
        student=student,
        standing=_standing(record),
        grade=grade,
        record=record,
        results=results,
        competences={name: competence_share(name, results, exercises) for name in competence_names(exercises)},
        feedback=feedback,
    )


def absent_member(student: str, exercises: Mapping[str, AnyExercise]) -> Member:
    """Make the entry of a student of the course who has no folder among the submissions."""
    return Member(student, "absent", None, None, {}, dict.fromkeys(competence_names(exercises)), [])


def _readable_record(course: Course, assignment: str, student: str) -> Record | None:
    """Load a record; one that is damaged, or that another version wrote, counts as none until it is graded again."""
    try:
        return load_record(course, assignment, student)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _results(record: Record, grade: Grade | None) -> dict[str, Result]:
    """Put points beside verdicts; where nothing could be read, nothing is known, which is not zero."""
    known = {key: verdict for key, verdict in record.verdicts.items() if not (record.quarantine and verdict.unanswered)}
    given = grade.points if grade else {}
    return {key: Result(given.get(check_id(key), verdict.points), verdict) for key, verdict in known.items()}


def _standing(record: Record | None) -> Standing:
    if record is None:
        return "not graded"
    if record.state == "graded" and all(verdict.unanswered for verdict in record.verdicts.values()):
        return "blank"
    return record.state


def competence_names(exercises: Mapping[str, AnyExercise]) -> list[str]:
    """List the competences that exercises show, sorted."""
    return sorted({name for exercise in exercises.values() for name in exercise.competences})


def competence_share(name: str, results: Mapping[str, Result], exercises: Mapping[str, AnyExercise]) -> float | None:
    """Share of the points of the exercises that show a competence; `None` where none was examined."""
    shown = [result for key, result in results.items() if key in exercises and name in exercises[key].competences]
    known = [result for result in shown if result.examined]
    total = sum(result.verdict.max_points for result in known)
    return sum(result.points for result in known) / total if total else None


def _why_stopped(verdict: Verdict) -> str:
    first = verdict.outcomes[0] if verdict.outcomes else None
    lost = first and first.status == "failed" and first.reply != "answered" and not verdict.points
    return first.message if first and lost else ""
