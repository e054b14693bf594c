"""Every graded notebook builds to the same bytes, releases without a solution, and practises as students will."""

import contextlib
import io
import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade
from nbgrader.validator import Validator

from vitrina_autograder.build import build_assignment
from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.demo import solved
from vitrina_autograder.exercise import load_exercises
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.materials import write_materials
from vitrina_autograder.release import find_leaks, release_assignment

ROOT = Path(__file__).parents[2]
NAMES = Course(ROOT).assignment_names()

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=NAMES)
def course(request, tmp_path_factory) -> tuple[Course, str]:
    """A course of its own with one assignment released."""
    course = Course(tmp_path_factory.mktemp("course"))
    shutil.copytree(ROOT / "assignments", course.assignments, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / CONFIG_NAME, course.root / CONFIG_NAME)
    build_assignment(course, request.param, write_materials(course, request.param))
    release_assignment(course, request.param)
    return course, request.param


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_two_builds_are_the_same_bytes(course):
    course, name = course
    first = files(course.source / name)
    shutil.rmtree(course.source / name)
    shutil.rmtree(course.build / "materials")
    build_assignment(course, name, write_materials(course, name))
    assert files(course.source / name) == first


def test_the_release_holds_no_line_of_a_solution(course):
    course, name = course
    assert find_leaks(course, name) == []
    (notebook,) = (course.release / name).glob("*.ipynb")
    assert "NotImplementedError" in notebook.read_text()
    assert "BEGIN SOLUTION" not in notebook.read_text()


def test_a_solution_in_the_release_would_be_found(course):
    course, name = course
    source = nbformat.read(next((course.source / name).glob("*.ipynb")), as_version=4)
    body = next(cell.source for cell in source.cells if "BEGIN SOLUTION" in cell.source)
    planted = course.release / name / "notes.txt"
    planted.write_text(body.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0])
    try:
        assert find_leaks(course, name)
    finally:
        planted.unlink()


def test_practice_answers_of_quizzes_are_not_released(course):
    course, name = course
    import zipfile

    with zipfile.ZipFile(course.release / name / "practice.zip") as archive:
        exercises = json.loads(archive.read("exercises.json"))["exercises"]
    cases = [case for exercise in exercises for case in exercise["cases"]]
    assert all(case["expected"] is None for case in cases if case["options"])


def run(notebook, folder: Path):
    Execute(timeout=120).preprocess(notebook, {"metadata": {"path": str(folder)}})
    return notebook


def errors(notebook) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.ename for output in outputs if output.output_type == "error"] + [
        output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"
    ]


def test_a_blank_notebook_runs_to_its_end_and_says_not_answered(course):
    course, name = course
    notebook = run(nbformat.read(next((course.release / name).glob("*.ipynb")), as_version=4), course.release / name)
    assert errors(notebook) == []
    graded = [cell for cell in notebook.cells if graded_exercise(cell)]
    assert all("not answered yet" in cell.outputs[0].data["text/html"] for cell in graded)
    assert [determine_grade(cell)[0] for cell in graded] == [0.0] * len(graded)


def test_validate_understands_right_and_unfinished_work(course, tmp_path):
    course, name = course
    shutil.copytree(course.release / name, tmp_path / name)
    (source,) = (course.source / name).glob("*.ipynb")
    notebook = tmp_path / name / source.name
    assert "VALIDATION FAILED" in validate(notebook)
    nbformat.write(solved(source, load_exercises(course.assignment_folder(name))), notebook)
    assert "Success" in validate(notebook)


def validate(path: Path) -> str:
    said = io.StringIO()
    validator = Validator()
    validator.stream = said
    with contextlib.redirect_stderr(io.StringIO()):
        validator.validate_and_print(str(path))
    return " ".join(said.getvalue().split())
