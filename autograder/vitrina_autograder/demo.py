"""A made-up class of twelve, to see the pipeline at work: each student shows one thing that happens in real classes.

The class lives in a course of its own below `build/`, so that it never mixes with real students.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.exercise import AnyExercise, Exercise, load_exercises
from vitrina_autograder.marks import graded_exercise

ASSIGNMENT = "week2"

_OTHER_WAY = {
    "saliency": """def saliency(model, inputs, target):
    rows = []
    for row in np.asarray(inputs, dtype=model.compute_dtype):
        pixel = tf.Variable(row[None])
        with tf.GradientTape() as tape:
            output = model(pixel)[0, target]
        rows.append(abs(tape.gradient(output, pixel).numpy()[0]))
    return rows
""",
    "lrp-0": """def lrp_0(activations, weights, bias, relevance):
    contributions = np.einsum("bi,ij->bij", activations, weights)
    z = contributions.sum(axis=1) + bias
    shares = contributions / np.where(np.abs(z) < 1e-9, 1e-9, z)[:, None, :]
    return (shares * np.asarray(relevance)[:, None, :]).sum(axis=2)
""",
    "relative-difference": """def relative_difference(attributions, others):
    gap = np.abs(np.subtract(attributions, others)).max()
    return float(gap / np.abs(others).max())
""",
}

#: Blas' own words in other words, as they look after a copyist has been over them.
_DISGUISE = {
    **{"inputs": "X", "target": "k", "rows": "out", "row": "sample", "pixel": "v", "tape": "t", "output": "score"},
    **{"activations": "a", "weights": "W", "bias": "b", "relevance": "R", "contributions": "parts", "shares": "p"},
    **{"z": "total", "attributions": "first", "others": "second", "gap": "d"},
}


@dataclass(frozen=True)
class Classmate:
    """One made-up student: a name that says what to expect, and how the right notebook is changed."""

    name: str
    change: Callable[[NotebookNode], None]


def _right(_notebook: NotebookNode) -> None:
    """Hand the solved notebook in as it is."""


def _other_way(notebook: NotebookNode) -> None:
    for exercise, source in _OTHER_WAY.items():
        _solution(notebook, exercise).source = source


def _disguised_copy(notebook: NotebookNode) -> None:
    """Hand in the other way with every name changed, and some cells of the notebook twice."""
    names = re.compile(r"(?<![.\w])(" + "|".join(_DISGUISE) + r")\b")
    for exercise, source in _OTHER_WAY.items():
        _solution(notebook, exercise).source = names.sub(lambda name: _DISGUISE[name[0]], source)
    _copied(notebook)


def _wrapped(body: str, *exercises: str) -> Callable[[NotebookNode], None]:
    """Change what the functions of some exercises return; `right(*inputs)` is the right answer."""

    def change(notebook: NotebookNode) -> None:
        for exercise in exercises:
            name = _function(notebook, exercise)
            _solution(notebook, exercise).source += f"\n\ndef {name}(*inputs, right={name}):\n    {body}\n"

    return change


def _copied(notebook: NotebookNode) -> None:
    graded = [cell for cell in notebook.cells if graded_exercise(cell) in ("saliency", "lrp-0")]
    copies = [cast(NotebookNode, nbformat.from_dict(cell)) for cell in graded]
    for number, cell in enumerate(copies):
        cell.id = f"pasted-{number}"
    notebook.cells += copies


def _edited(notebook: NotebookNode) -> None:
    _wrapped("return 0 * right(*inputs)", "saliency")(notebook)
    for cell in notebook.cells:
        if graded_exercise(cell) == "saliency":
            cell.source = "100.0"
            cell.metadata.nbgrader.points = 100


CLASS = (
    Classmate("ana-right", _right),
    Classmate("blas-right-another-way", _other_way),
    Classmate("carla-wrong-sign", _wrapped("return -right(*inputs)", "gradient-x-input", "lrp-0", "lrp-network")),
    Classmate("dario-wrong-shape", _wrapped("return right(*inputs)[0]", "saliency", "lrp-epsilon", "lrp-gamma")),
    Classmate("elena-changes-inputs", _wrapped("inputs[0][...] *= 1.5; return right(*inputs)", "lrp-0", "lrp-zb")),
    Classmate("felix-exception", _wrapped("return right(*inputs[:-1])", "lrp-gamma", "lrp-network")),
    Classmate("gala-endless-loop", _wrapped("\n    while True: pass", "saliency")),
    Classmate("hugo-exit", _wrapped("import os; os._exit(1)", "saliency")),
    Classmate("ines-copied-cells", _disguised_copy),
    Classmate("juan-edited-check", _edited),
)
_BLANK, _CORRUPT = "lola-blank", "mario-corrupt-file"


def demo_course(course: Course) -> Course:
    """Make the demo's own course from the real one's sources."""
    demo = Course(course.build / "demo")
    shutil.rmtree(demo.root, ignore_errors=True)
    shutil.copytree(course.assignments, demo.assignments)
    shutil.copyfile(course.root / CONFIG_NAME, demo.root / CONFIG_NAME)
    if (course.build / "materials").is_dir():
        shutil.copytree(course.build / "materials", demo.build / "materials")
    return demo


def hand_in(course: Course) -> list[str]:
    """Write the class's submissions; give the students' names."""
    (source,) = sorted((course.source / ASSIGNMENT).glob("*.ipynb"))
    exercises = load_exercises(course.assignment_folder(ASSIGNMENT))
    for classmate in CLASS:
        notebook = solved(source, exercises)
        classmate.change(notebook)
        _submit(course, classmate.name, source.name, nbformat.writes(notebook))
    blank = course.release / ASSIGNMENT / source.name
    _submit(course, _BLANK, source.name, blank.read_text(encoding="utf-8"))
    _submit(course, _CORRUPT, source.name, blank.read_text(encoding="utf-8")[:4000])
    return sorted([*(classmate.name for classmate in CLASS), _BLANK, _CORRUPT])


def solved(source: Path, exercises: Mapping[str, AnyExercise]) -> NotebookNode:
    """Make the solved notebook: the built source, with its quizzes and finds filled in."""
    notebook = cast(NotebookNode, nbformat.read(source, as_version=4))
    for exercise in exercises.values():
        if not isinstance(exercise, Exercise):
            check = _by_id(notebook)[f"check-{exercise.id}"]
            position = next(index for index, cell in enumerate(notebook.cells) if cell is check)
            notebook.cells.insert(
                position, new_code_cell(f"{_function(notebook, exercise.id)} = {exercise.solution!r}")
            )
    return notebook


def _submit(course: Course, student: str, name: str, text: str) -> None:
    folder = course.submitted / student / ASSIGNMENT
    folder.mkdir(parents=True)
    Path(folder / name).write_text(text, encoding="utf-8")


def _solution(notebook: NotebookNode, exercise: str) -> NotebookNode:
    return _by_id(notebook)[f"solution-{exercise}"]


def _by_id(notebook: NotebookNode) -> Mapping[str, NotebookNode]:
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


def _function(notebook: NotebookNode, exercise: str) -> str:
    """Read the function's name from the check cell: `check("lrp-0", lrp_0)`."""
    call = ast.parse(_by_id(notebook)[f"check-{exercise}"].source, mode="eval").body
    return ast.unparse(cast(ast.Call, call).args[1])
