"""A class of four on the toy course: how it hands in, is graded, and what a grading decides."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus.toy_course import ASSIGNMENT, DOUBLE, NOTEBOOK, SQUARE
from vitrina_autograder.course import Course
from vitrina_autograder.grade import Grading, read_grades, submitted_students
from vitrina_autograder.verdicts import load_record

ANSWERS: dict[str, dict[str, str]] = {
    "ana": {},
    "bea": {DOUBLE: "def double(x):\n    return x ** 2"},
    "carl": {SQUARE: "def square(x):\n    return x / 0"},
    "dora": {DOUBLE: "def double(x):\n    raise NotImplementedError"},
}


def hand_in(course: Course, student: str, solved: dict[str, Any], answers: dict[str, str]) -> Path:
    notebook = json.loads(json.dumps(solved))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    path = course.submitted / student / ASSIGNMENT / NOTEBOOK
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


class Steps(list[tuple[str, str]]):
    """Notes the progress of a run."""

    def __call__(self, student: str, step: str) -> None:
        self.append((student, step))

    def of(self, step: str) -> list[str]:
        return sorted(student for student, done in self if done == step)


def grade(course: Course, **options: Any) -> Steps:
    steps = Steps()
    Grading(course, ASSIGNMENT, progress=steps, **options).run(submitted_students(course, ASSIGNMENT))
    return steps


def outcome(course: Course) -> dict[str, Any]:
    """Everything that a grading decides."""
    grades = read_grades(course, ASSIGNMENT)
    records = {student: load_record(course, ASSIGNMENT, student) for student in submitted_students(course, ASSIGNMENT)}
    return {
        student: (grades.get(student), replace(record, seconds=0.0) if record else None)
        for student, record in records.items()
    }
