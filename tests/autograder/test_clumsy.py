"""Clumsy notebooks, graded: what works as it was handed in earns everything, and no point is lost without a word."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode

from corpus.clumsy import (
    BROKEN,
    CHANGED,
    CHANGES,
    CLUMSY,
    EDITORS,
    MUTATED,
    WORKS,
    changed_at,
    is_tampering,
    works_as_handed_in,
)
from corpus.students import CHECKS, FULL, student_id
from corpus.toy_course import ASSIGNMENT, NOTEBOOK
from vitrina_autograder.build import build_assignment
from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.demo import solved
from vitrina_autograder.exercise import load_exercises
from vitrina_autograder.grade import Grade, Grading, read_grades, submitted_students
from vitrina_autograder.intake import read_submission, restore
from vitrina_autograder.materials import write_materials
from vitrina_autograder.release import release_assignment
from vitrina_autograder.verdicts import Record, load_record

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
MAXIMA = dict(zip(("double", "square", "quiz"), FULL, strict=True))


def _is_function(right: Callable[[Any], Any]) -> Callable[[Any], bool]:
    samples = [np.array([1.0, -2.0, 5.0]), np.eye(2)]
    return lambda answer: callable(answer) and all(np.allclose(answer(each), right(each)) for each in samples)


RIGHT: dict[str, Callable[[Any], bool]] = {
    "double": _is_function(lambda x: 2 * x),
    "square": _is_function(lambda x: x * x),
    "quiz": lambda answers: answers == {"one": "yes", "two": "no"},
}
#: For the real notebook, which has more cells.
REAL = {**CLUMSY, **{f"{name} {at}": changed_at(change, at) for name, change in CHANGES.items() for at in (7, 19)}}
#: Without such a line an exercise cannot have been solved.
NEEDED = {"double": "return x + x", "square": "return x * x", "quiz": '"one": "yes"'}


def hand_in_all(course: Course, assignment: str, name: str, files: dict[str, bytes]) -> None:
    for student, data in files.items():
        folder = course.submitted / student_id(student) / assignment
        folder.mkdir(parents=True)
        (folder / name).write_bytes(data)


@pytest.fixture(scope="module")
def files(solved_text: str) -> dict[str, bytes]:
    return {name: save(json.loads(solved_text)) for name, save in CLUMSY.items()}


@pytest.fixture(scope="module")
def graded(toy_course: Course, files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Course:
    shutil.copytree(toy_course.root, root := tmp_path_factory.mktemp("clumsy") / "course")
    course = Course(root)
    with (root / CONFIG_NAME).open("a") as config:
        config.write("\nc.Examination.cell_seconds = 10\n")
    hand_in_all(course, ASSIGNMENT, NOTEBOOK, files)
    Grading(course, ASSIGNMENT, jobs=2).run(submitted_students(course, ASSIGNMENT))
    return course


@pytest.fixture(scope="module")
def grades(graded: Course) -> dict[str, Grade]:
    return read_grades(graded, ASSIGNMENT)


def record_of(course: Course, assignment: str, name: str) -> Record:
    record = load_record(course, assignment, student_id(name))
    assert record is not None
    return record


def silent(record: Record) -> list[str]:
    """Which exercises have a mark that no word explains."""
    if record.quarantine:
        return []
    unsaid = [
        key
        for key, each in record.verdicts.items()
        if each.points < each.max_points
        and not each.note
        and not any(outcome.message for outcome in each.outcomes if outcome.status != "passed")
    ]
    unasked = [key for key, each in record.verdicts.items() if each.points and not each.outcomes]
    return unsaid + unasked


def test_there_are_enough_and_each_is_another(files: dict[str, bytes]):
    assert len(CLUMSY) == len(WORKS) + len(BROKEN) + len(CHANGED) + len(MUTATED) >= 200
    assert len({student_id(name) for name in CLUMSY}) == len(CLUMSY)
    assert len(set(files.values())) >= 200


class TestGrading:
    def test_everybody_is_graded_or_quarantined(self, grades: dict[str, Grade]):
        assert set(grades) == {student_id(name) for name in CLUMSY}

    @pytest.mark.parametrize("name", WORKS)
    def test_what_editors_and_encodings_do_costs_nothing(self, grades: dict[str, Grade], name: str):
        grade = grades[student_id(name)]
        assert tuple(grade.points[check] for check in CHECKS) == FULL

    @pytest.mark.parametrize("name", BROKEN)
    def test_what_is_no_notebook_is_quarantined_with_its_reason(self, graded: Course, name: str):
        record = record_of(graded, ASSIGNMENT, name)
        assert re.search(BROKEN[name][1], record.quarantine)
        assert record.state == "quarantined"
        assert not any(verdict.points for verdict in record.verdicts.values())

    @pytest.mark.parametrize("name", [*CHANGED, *MUTATED])
    def test_marks_are_explained(self, graded: Course, grades: dict[str, Grade], files: dict[str, bytes], name: str):
        record = record_of(graded, ASSIGNMENT, name)
        earned = {key: verdict.points for key, verdict in record.verdicts.items()}
        assert earned.keys() == MAXIMA.keys()
        assert silent(record) == []
        assert record.alarms == []
        for exercise, line in NEEDED.items():  # nothing is given for what is not there
            if line not in _sources(files[name]):
                assert earned[exercise] == 0
        grade = grades[student_id(name)]
        assert {key: grade.points[f"check-{key}"] for key in earned} == earned

    @pytest.mark.parametrize("name", [name for name in [*CHANGED, *MUTATED] if not is_tampering(name)])
    def test_what_works_as_it_was_handed_in_earns_everything(self, graded: Course, files: dict[str, bytes], name: str):
        record = record_of(graded, ASSIGNMENT, name)
        for exercise in works_as_handed_in(files[name], RIGHT):
            assert record.verdicts[exercise].points == MAXIMA[exercise], (record.remarks, record.verdicts[exercise])

    def test_a_lost_cell_is_remarked(self, graded: Course):
        assert (
            "`solution-double` was missing and has been put back" in record_of(graded, ASSIGNMENT, "delete 3").remarks
        )
        assert any("runs before it" in each for each in record_of(graded, ASSIGNMENT, "merge 4").remarks)
        assert any("is there 2 times" in each for each in record_of(graded, ASSIGNMENT, "copy after 3").remarks)


def _sources(data: bytes) -> str:
    cells = [cell for cell in json.loads(data)["cells"] if isinstance(cell, dict)]
    return "\n".join("".join(map(str, cell.get("source") or "")) for cell in cells)


def test_the_oracle_tells_right_from_wrong(solved: dict[str, Any]):
    """The test above would notice: it knows what works, and what does not."""
    assert works_as_handed_in(json.dumps(solved).encode(), RIGHT) == set(RIGHT)
    wrong = json.dumps(solved).replace("x + x", "x + 1").encode()
    assert works_as_handed_in(wrong, RIGHT) == {"square", "quiz"}
    assert works_as_handed_in(CHANGED["delete 1"](solved), RIGHT) == set()


class TestWeek2:
    """The real notebook: all of it restored, a few of it graded."""

    ASSIGNMENT = "week2"
    GRADED = (
        "VS Code", "Colab", "Kaggle", "Deepnote", "Quarto", "jupytext percent", "jupytext Markdown", "PyCharm",
        "schema 4.0", "heavy outputs", "saved as utf-16", "saved as version 3", "delete 19", "split 19", "merge 19",
        "to Markdown 19", "to raw 7", "to end 19", "cut and pasted 7", "merge conflict", "mutation 5",
    )  # fmt: skip

    @pytest.fixture(scope="class")
    def course(self, tmp_path_factory: pytest.TempPathFactory) -> Course:
        course = Course(tmp_path_factory.mktemp("week2"))
        shutil.copytree(ROOT / "assignments", course.assignments, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(ROOT / CONFIG_NAME, course.root / CONFIG_NAME)
        build_assignment(course, self.ASSIGNMENT, write_materials(course, self.ASSIGNMENT))
        release_assignment(course, self.ASSIGNMENT)
        return course

    @pytest.fixture(scope="class")
    def work(self, course: Course) -> dict[str, Any]:
        """The solved notebook as a student's file."""
        (source,) = (course.source / self.ASSIGNMENT).glob("*.ipynb")
        exercises = load_exercises(course.assignment_folder(self.ASSIGNMENT))
        tree = json.loads(nbformat.writes(solved(source, exercises)))
        return {**tree, "cells": [{**cell, "source": "".join(cell["source"])} for cell in tree["cells"]]}

    @pytest.fixture(scope="class")
    def release(self, course: Course) -> NotebookNode:
        return nbformat.read(course.released_notebooks(self.ASSIGNMENT)[0], as_version=4)

    @pytest.mark.parametrize("name", [name for name in REAL if name not in BROKEN and "latin" not in name])
    def test_it_is_restored(self, work: dict[str, Any], release: NotebookNode, tmp_path: Path, name: str):
        (path := tmp_path / "x.ipynb").write_bytes(REAL[name](work))
        notebook = read_submission(path)
        restore(notebook, release)
        nbformat.validate(notebook)
        marks = [(c.metadata.nbgrader, c.cell_type) for c in notebook.cells if "nbgrader" in c.metadata]
        wanted = [(c.metadata.nbgrader, c.cell_type) for c in release.cells if "nbgrader" in c.metadata]
        assert sorted(marks, key=str) == sorted(wanted, key=str)
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        solutions = [c["source"] for c in work["cells"] if "BEGIN SOLUTION" in c["source"] and c["cell_type"] == "code"]
        assert len(solutions) >= 6
        if name in WORKS:
            assert all("".join(each) in code for each in solutions)

    @pytest.fixture(scope="class")
    def marked(self, course: Course, work: dict[str, Any]) -> Course:
        name = course.released_notebooks(self.ASSIGNMENT)[0].name
        hand_in_all(course, self.ASSIGNMENT, name, {each: REAL[each](work) for each in self.GRADED})
        Grading(course, self.ASSIGNMENT, jobs=2).run(submitted_students(course, self.ASSIGNMENT))
        return course

    @pytest.mark.parametrize("name", GRADED)
    def test_it_is_graded(self, marked: Course, name: str):
        record = record_of(marked, self.ASSIGNMENT, name)
        assert silent(record) == []
        assert record.alarms == []
        lost = {key for key, verdict in record.verdicts.items() if verdict.points < verdict.max_points}
        if name in EDITORS or name.startswith("saved"):
            assert lost == set(), [record.verdicts[key].outcomes for key in lost]
        assert bool(record.quarantine) == (name in BROKEN)
