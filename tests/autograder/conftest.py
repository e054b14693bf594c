"""A tiny course, built and released once; tests get copies of it and of its solved notebook."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from corpus.small_class import ANSWERS, hand_in
from corpus.toy_course import ASSIGNMENT, DOUBLE, NOTEBOOK, QUIZ, SQUARE, WHY, write_course
from vitrina_autograder.course import Course

SOLVED = {
    DOUBLE: 'def double(x):\n    """Double."""\n    return x + x\n',
    SQUARE: "def square(x):\n    return x * x",
    QUIZ: 'answers = {"one": "yes", "two": "no"}',
    WHY: "Because I say so.",
}


@pytest.fixture(scope="session")
def toy_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The released course; read only."""
    return write_course(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def toy(toy_course: Course, tmp_path: Path) -> Course:
    """A copy of the course to spoil."""
    shutil.copytree(toy_course.root, tmp_path / "course")
    return Course(tmp_path / "course")


@pytest.fixture
def release(toy_course: Course) -> NotebookNode:
    """The released notebook."""
    return nbformat.read(toy_course.release / ASSIGNMENT / NOTEBOOK, as_version=4)


@pytest.fixture(scope="session")
def solved_text(toy_course: Course) -> str:
    tree = json.loads((toy_course.release / ASSIGNMENT / NOTEBOOK).read_text(encoding="utf-8"))
    for cell in tree["cells"]:
        cell["source"] = SOLVED.get(cell["id"], "".join(cell["source"]))
    return json.dumps(tree)


@pytest.fixture
def solved(solved_text: str) -> dict[str, Any]:
    """The notebook of a student who did everything right, as plain JSON; changing it changes no other."""
    return json.loads(solved_text)


@pytest.fixture
def class_of_four(toy: Course, solved: dict[str, Any]) -> Course:
    for student, answers in ANSWERS.items():
        hand_in(toy, student, solved, answers)
    return toy
