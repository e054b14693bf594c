"""What a class did, in numbers: the one model that the terminal report, the page and the tables show.

Only students whose work was examined enter a mean, a correlation or a histogram. Who handed nothing in, whose file
could not be read and who wrote nothing are counted apart: a zero that stands for "unknown" would pull all figures down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import nbformat
import numpy as np

from vitrina_autograder.course import Course
from vitrina_autograder.exercise import AnyExercise, load_exercises
from vitrina_autograder.grade import enrolled_students, read_grades, submitted_students
from vitrina_autograder.items import Item, analyse_items, share_matrix
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.members import STANDINGS, Member, Standing, absent_member, competence_names, read_member
from vitrina_autograder.psychometrics import Statistic, cronbach_alpha


@dataclass(frozen=True)
class ClassAnalysis:
    """Everything that is known of a class and an assignment."""

    assignment: str
    exercises: Mapping[str, AnyExercise]
    members: Sequence[Member]
    items: Sequence[Item]
    alpha: Statistic

    @cached_property
    def counted(self) -> list[Member]:
        """The students of whom the figures are made."""
        return [member for member in self.members if member.counts]

    @cached_property
    def standings(self) -> dict[Standing, int]:
        """How many students stand how; standings that nobody has are left out."""
        found = Counter(member.standing for member in self.members)
        return {standing: found[standing] for standing in STANDINGS if found[standing]}

    @cached_property
    def shares(self) -> list[float]:
        """The share of all points of everyone who counts."""
        return [member.share for member in self.counted if member.share is not None]

    @cached_property
    def competences(self) -> dict[str, float | None]:
        """The class's profile: the mean share of those who count."""
        return {
            name: _mean([member.competences[name] for member in self.counted])
            for name in competence_names(self.exercises)
        }

    @property
    def median_seconds(self) -> float | None:
        """The median wall time of a submission's run."""
        seconds = [member.record.seconds for member in self.counted if member.record and member.record.seconds]
        return median(seconds) if seconds else None


def analyse(course: Course, assignment: str) -> ClassAnalysis:
    """Read what is known of a class: everyone with a folder among the submissions or a place in the gradebook.

    Raises
    ------
    CourseError
        When the assignment was never released.
    """
    grades = read_grades(course, assignment)
    exercises = load_exercises(course.assignment_folder(assignment))
    submitted = submitted_students(course, assignment)
    absent = sorted(set(enrolled_students(course)) - set(submitted))
    members = [read_member(course, assignment, student, grades.get(student), exercises) for student in submitted]
    members += [absent_member(student, exercises) for student in absent]
    return summarise(assignment, exercises, members, exercise_points(course, assignment))


def exercise_points(course: Course, assignment: str) -> dict[str, float]:
    """Read from the released notebooks what each exercise is worth."""
    cells = [cell for path in course.released_notebooks(assignment) for cell in nbformat.read(path, as_version=4).cells]
    return {key: float(cell.metadata.nbgrader.points) for cell in cells if (key := graded_exercise(cell)) is not None}


def summarise(
    assignment: str, exercises: Mapping[str, AnyExercise], members: Sequence[Member], points: Mapping[str, float]
) -> ClassAnalysis:
    """Make the class's figures of its members' results.

    Parameters
    ----------
    assignment : str
        nbgrader's name of it.
    exercises : mapping
        The exercises by id, in the order of the columns.
    members : sequence of Member
        The class.
    points : mapping
        What each exercise is worth.
    """
    asked = {key: exercise for key, exercise in exercises.items() if key in points}
    counted = [member for member in members if member.counts]
    weights = np.array([points[key] for key in asked], dtype=float)
    alpha = cronbach_alpha(share_matrix(counted, list(asked.values())), weights)
    return ClassAnalysis(assignment, asked, members, analyse_items(counted, list(asked.values()), weights), alpha)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
