"""What lies beside a released notebook: the public cases of its exercises and the files it loads."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import nbformat
from nbformat import NotebookNode

import vitrina.convolutional
import vitrina.models
import vitrina_datasets
from vitrina.practice import PRACTICE_FILE, write_practice
from vitrina_autograder.course import BuildError, Course
from vitrina_autograder.exercise import AnyExercise, load_exercises, load_materials, practice_exercise
from vitrina_autograder.marks import graded_exercise

Writer = Callable[[Path], None]


def write_materials(course: Course, name: str) -> Callable[[Path], None]:
    """Give the function that writes an assignment's materials into a folder of built notebooks.

    Raises
    ------
    BuildError
        When notebooks and `exercises.py` disagree on which exercises there are.
    """
    sources = course.assignment_folder(name)

    def write(folder: Path) -> None:
        exercises = load_exercises(sources)
        points = _points(folder)
        _refuse_strangers(exercises, points)
        practice = [practice_exercise(exercises[exercise], points[exercise]) for exercise in points]
        write_practice(folder / PRACTICE_FILE, practice)
        for file_name, writer in load_materials(sources).items():
            shutil.copyfile(_made(course, sources, file_name, writer), folder / file_name)

    return write


def _points(folder: Path) -> dict[str, float]:
    """Read the points of every exercise from the built notebooks, in their order."""
    points: dict[str, float] = {}
    for path in sorted(folder.glob("*.ipynb")):
        for cell in cast(NotebookNode, nbformat.read(path, as_version=4)).cells:
            exercise = graded_exercise(cell)
            if exercise is not None:
                points[exercise] = float(cell.metadata.nbgrader.points)
    return points


def _refuse_strangers(exercises: Mapping[str, AnyExercise], points: Mapping[str, float]) -> None:
    undeclared = sorted(points.keys() - exercises.keys())
    unasked = sorted(exercises.keys() - points.keys())
    if undeclared:
        raise BuildError(f"exercises.py does not declare what notebooks check: {', '.join(undeclared)}")
    if unasked:
        raise BuildError(f"no notebook checks what exercises.py declares: {', '.join(unasked)}")


def _made(course: Course, sources: Path, name: str, writer: Writer) -> Path:
    """Make a file, or take it as it was made last time by the same recipe."""
    path = course.build / "materials" / f"{_recipe(sources)}-{name}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"draft-{name}")
        writer(draft)
        draft.replace(path)
    return path


def _recipe(sources: Path) -> str:
    """Identify what a material is made by: the assignment's declarations, the models and the data sets."""
    declarations = [sources / "exercises.py", *sorted(sources.glob("_*.py"))]
    models = [Path(str(module.__file__)) for module in (vitrina.models, vitrina.convolutional)]
    data_sets = sorted(Path(vitrina_datasets.__file__).parent.glob("*.py"))
    recipe = hashlib.sha256()
    for path in [*declarations, *models, *data_sets]:
        recipe.update(path.read_bytes())
    return recipe.hexdigest()[:12]
