"""Cases are drawn in the end, whoever the student is: a drawing that never ends would keep the class waiting."""

from pathlib import Path

import numpy as np
import pytest

from vitrina_autograder.exercise import Exercise, exam_seed, load_exercises

ASSIGNMENTS = Path(__file__).parents[2] / "assignments"
FUNCTIONS = [
    exercise
    for path in sorted(ASSIGNMENTS.glob("*/exercises.py"))
    for exercise in load_exercises(path.parent).values()
    if isinstance(exercise, Exercise)
]
STUDENTS = 40
MOST = 20_000  # the longest drawing that was seen needed fewer than 1,000


class Patient:
    """A random generator that is asked so often and no more."""

    def __init__(self, seed: bytes) -> None:
        self.asked = 0
        self._generator = np.random.default_rng(list(seed))

    def __getattr__(self, name):
        self.asked += 1
        assert self.asked < MOST, "this drawing goes on and on"
        return getattr(self._generator, name)


@pytest.mark.parametrize("exercise", [pytest.param(exercise, id=exercise.id) for exercise in FUNCTIONS])
def test_whoever_the_student_is_the_cases_are_drawn_in_the_end(exercise):
    for number in range(STUDENTS):
        assert exercise.draw(Patient(exam_seed(b"secret", f"student {number}", exercise.id)))
