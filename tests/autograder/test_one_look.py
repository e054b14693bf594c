"""With one look at the gradebook nbgrader's preprocessors do what they do of their own accord."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader import preprocessors as nbgraders
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry
from sqlalchemy import event
from sqlalchemy.engine import Engine

from corpus.toy_course import ASSIGNMENT, NOTEBOOK, SQUARE, WHY
from vitrina_autograder import one_look
from vitrina_autograder.course import Course
from vitrina_autograder.grade import Grading
from vitrina_autograder.release import load_config

pytestmark = pytest.mark.slow
NAME = NOTEBOOK.removesuffix(".ipynb")
STUDENT = "bea"


@pytest.fixture
def course(class_of_four: Course) -> Course:
    """Graded; an answer was looked at by hand, and the gradebook has forgotten a comment that nbgrader makes."""
    Grading(class_of_four, ASSIGNMENT).run([STUDENT])
    with Gradebook(url(class_of_four)) as gradebook:
        grade: Any = gradebook.find_grade(WHY, NAME, ASSIGNMENT, STUDENT)
        comment: Any = gradebook.find_comment(WHY, NAME, ASSIGNMENT, STUDENT)
        grade.manual_score, comment.manual_comment = 1.5, "well said"
        for row in (*gradebook.db.query(Grade), *gradebook.db.query(Comment)):
            setattr(row, "auto_score" if isinstance(row, Grade) else "auto_comment", None)
        gradebook.db.commit()
    return class_of_four


def url(course: Course) -> str:
    return f"sqlite:///{course.gradebook}"


def rows(course: Course) -> list[tuple[Any, ...]]:
    with Gradebook(url(course)) as gradebook:
        notebook = gradebook.find_submission_notebook(NAME, ASSIGNMENT, STUDENT)
        grades = [(g.name, g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades]
        return sorted([*grades, *((c.name, c.auto_comment, c.manual_comment) for c in notebook.comments)], key=repr)


def run(kind: Any, course: Course, notebook: NotebookNode) -> tuple[NotebookNode, dict[str, Any]]:
    names = {"notebook": NAME, "assignment": ASSIGNMENT, "student": STUDENT, "db_url": url(course)}
    config = load_config(course)
    return kind(config=config).preprocess(copy.deepcopy(notebook), {"nbgrader": names})


def autograded(course: Course) -> NotebookNode:
    return nbformat.read(course.build / "autograded" / STUDENT / ASSIGNMENT / NOTEBOOK, as_version=4)


def damaged(course: Course) -> NotebookNode:
    """Give a notebook whose marks are not those of the release."""
    notebook = autograded(course)
    for cell in notebook.cells:
        if marks := cell.metadata.get("nbgrader"):
            marks.update(points=99, checksum="none", locked=not marks.get("locked"))
            cell.source += "\n# and more" if cell.cell_type == "code" and not marks.get("solution") else ""
    notebook.cells[-1].metadata["nbgrader"] = {"grade_id": "no-such-cell", "grade": False}
    return notebook


@pytest.mark.parametrize("name", ["SaveAutoGrades", "GetGrades"])
def test_grades_and_comments_are_those_of_nbgrader(course: Course, tmp_path: Path, name: str):
    theirs = Course(Path(shutil.copytree(course.root, tmp_path / "theirs")))
    before = rows(course)
    notebook, resources = run(getattr(one_look, name), course, autograded(course))
    expected, expected_resources = run(getattr(nbgraders, name), theirs, autograded(course))
    assert notebook == expected
    assert resources["nbgrader"].keys() == expected_resources["nbgrader"].keys()
    assert {**resources["nbgrader"], "db_url": ""} == {**expected_resources["nbgrader"], "db_url": ""}
    assert rows(course) == rows(theirs)
    assert (rows(course) == before) == (name == "GetGrades")


def test_marks_are_put_back_as_nbgrader_does(course: Course):
    wrong = damaged(course)
    expected, _resources = run(nbgraders.OverwriteCells, course, wrong)
    assert run(one_look.OverwriteCells, course, wrong)[0] == expected != wrong


@pytest.fixture
def statements() -> Iterator[list[str]]:
    said: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    yield said
    event.remove(Engine, "before_cursor_execute", listen)


@pytest.mark.parametrize("name", ["OverwriteCells", "SaveAutoGrades", "GetGrades"])
def test_more_cells_are_no_more_statements(course: Course, statements: list[str], name: str):
    """Of statements that read or write cells, grades and comments."""
    notebook = autograded(course)

    def count(cells: int) -> int:
        kept = copy.deepcopy(notebook)
        marked = [cell for cell in kept.cells if "nbgrader" in cell.metadata]
        kept.cells = marked[:cells]
        statements.clear()
        run(getattr(one_look, name), course, kept)
        return sum(statement.startswith(("SELECT", "UPDATE")) for statement in statements)

    assert count(100) <= count(4) + 2  # another kind of cell may be read, once


def test_what_is_not_there_is_said_by_nbgrader(course: Course):
    with Gradebook(url(course)) as gradebook:
        look = one_look.OneLook(gradebook, {"notebook": NAME, "assignment": ASSIGNMENT, "student": STUDENT})
        assert look.find_source_cell(SQUARE, NAME, ASSIGNMENT).name == SQUARE
        for missing in (look.find_grade, look.find_comment):
            with pytest.raises(MissingEntry, match="nowhere"):
                missing("nowhere", NAME, ASSIGNMENT, STUDENT)
        for missing in (look.find_source_cell, look.find_graded_cell):
            with pytest.raises(MissingEntry, match="nowhere"):
                missing("nowhere", NAME, ASSIGNMENT)
