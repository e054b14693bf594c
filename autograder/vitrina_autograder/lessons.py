"""From percent scripts to the lessons that students get: no output, no answer in sight, no exercise solved.

A lesson may use every method; it must not show how the week's assignment wants it written. So each textbook function
that a student is asked to write is looked for in the code of each lesson, token by token, whatever the names are.
"""

from __future__ import annotations

import ast
import os
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from traitlets.config import Config

from vitrina_autograder.build import build_notebook, build_script, notebook_bytes, notebook_scripts, write_changed
from vitrina_autograder.course import BuildError, Course, CourseError
from vitrina_autograder.inline import body_source, plain_python
from vitrina_autograder.release import answer_lines, leaks_in
from vitrina_autograder.similarity import known_fingerprints

#: A lesson shows a function when it holds this share of the runs of tokens in the function's body.
SHOWN_SHARE = 0.6
HIDDEN_INPUT = "hide-input"
#: A page does not scroll sideways where it is printed: long lines of code go on below.
_WRAPPED = "<style>.jp-InputArea .highlight pre { white-space: pre-wrap; overflow-wrap: anywhere; }</style>"
_LONGEST_RUN = 600  # seconds


@dataclass(frozen=True)
class Page:
    """A lesson that was run to be looked at.

    Attributes
    ----------
    html : Path
        The lesson with its outputs.
    figures : list of Path
        Its figures, in their order.
    seconds : float
        Processor time of the run, start of the kernel included.
    complaints : str
        What was written to standard error.
    """

    html: Path
    figures: list[Path]
    seconds: float
    complaints: str


def lesson_scripts(course: Course, name: str) -> list[Path]:
    """Return the lessons of a week or workshop, given by its short name or its folder's.

    Raises
    ------
    CourseError
        If there are none.
    """
    known = course.lesson_scripts()
    for scripts in known.values():
        if name in (short_name(scripts), scripts[0].parent.name):
            return scripts
    raise CourseError(f"There are no lessons of {name!r}. There are lessons of {', '.join(known) or 'no week'}.")


def build_lesson(script: Path) -> NotebookNode:
    """Build one lesson; the code of its quick questions is folded away, since it tells the answers.

    Raises
    ------
    BuildError
        If the script breaks a rule of notebooks, or asks for graded work.
    """
    notebook = build_notebook(script)
    for position, cell in enumerate(notebook.cells, start=1):
        if "nbgrader" in cell.metadata:
            raise BuildError(f"{script.name}, cell {position}: a lesson holds no graded or locked cell")
        if cell.cell_type == "code" and _asks_quickly(cell.source):
            cell.metadata["jupyter"] = {"source_hidden": True}
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), HIDDEN_INPUT})
    return notebook


def build_lessons(course: Course, name: str) -> list[Path]:
    """Build the lessons of a week or workshop and prove that they show no solution of its assignment.

    Notebooks without a script are removed. Nothing is written if one lesson cannot be built.

    Returns
    -------
    list of Path
        The notebooks, in the order of their numbers.

    Raises
    ------
    CourseError
        If a script breaks a rule or shows what students are asked to write.
    """
    scripts = lesson_scripts(course, name)
    short = short_name(scripts)
    notebooks = {course.lessons / short / f"{script.stem}.ipynb": build_lesson(script) for script in scripts}
    _refuse_shown(course, short, notebooks)
    for stale in set((course.lessons / short).glob("*.ipynb")) - set(notebooks):
        stale.unlink()
    for path, notebook in notebooks.items():
        write_changed(path, notebook_bytes(notebook))
    return list(notebooks)


def short_name(scripts: Sequence[Path]) -> str:
    """Return the name of the week or workshop that some lessons belong to: `week2`, `mnist`."""
    return scripts[0].parent.name.partition("_")[0]


def asked_functions(course: Course, name: str) -> tuple[FunctionType, ...]:
    """Return the textbook functions that an assignment asks for."""
    return tuple(function for s in notebook_scripts(course, name) for function in build_script(s).functions)


def shown_functions(notebook: NotebookNode, functions: Iterable[FunctionType]) -> list[str]:
    """Return the names of the functions whose bodies stand in a notebook's code, whatever they call things."""
    code = "\n".join(plain_python(cell.source) for cell in notebook.cells if cell.cell_type == "code")
    there = _fingerprints(code)
    shown: list[str] = []
    for function in functions:
        body = _fingerprints(body_source(function))  # empty where the body is too short to be told from chance
        if body and len(body & there) >= SHOWN_SHARE * len(body):
            shown.append(function.__name__)
    return shown


def render_lesson(notebook: Path, folder: Path) -> Page:
    """Run a built lesson in a kernel of its own, and write it with its figures into a folder.

    Raises
    ------
    CourseError
        If a cell fails.
    """
    tree = nbformat.read(notebook, as_version=4)
    before = _children_seconds()
    try:
        NotebookClient(
            tree,
            timeout=_LONGEST_RUN,
            resources={"metadata": {"path": str(notebook.parent)}},
            extra_arguments=["--log-level=ERROR", "--HistoryManager.enabled=False"],
        ).execute()
    except CellExecutionError as error:
        raise CourseError(f"{notebook.name} stops with an error:\n{error}") from error
    seconds = _children_seconds() - before
    config = Config({"TagRemovePreprocessor": {"enabled": True, "remove_input_tags": {HIDDEN_INPUT}}})
    page = folder / f"{notebook.stem}.html"
    html = HTMLExporter(config=config).from_notebook_node(tree)[0]
    write_changed(page, html.replace("</head>", f"{_WRAPPED}</head>", 1).encode())
    return Page(page, _write_figures(tree, page), seconds, _complaints(tree))


def _refuse_shown(course: Course, name: str, notebooks: Mapping[Path, NotebookNode]) -> None:
    """Look for the week's solutions: functions by their tokens, answers in words and mark schemes by their lines."""
    if name not in course.assignment_names():
        return
    functions, answers = asked_functions(course, name), answer_lines(course, name)
    shown: list[str] = []
    for path, notebook in notebooks.items():
        shown += [f"{path.stem}: the body of {function}" for function in shown_functions(notebook, functions)]
        shown += sorted(leaks_in(path.stem, notebook_bytes(notebook), answers))
    if shown:
        raise CourseError("Lessons show what students must find themselves:\n" + "\n".join(shown))


def _fingerprints(source: str) -> set[int]:
    """Fingerprint some code as Python itself would write it: brackets that do nothing make no difference."""
    return known_fingerprints([ast.unparse(ast.parse(source))])


def _asks_quickly(source: str) -> bool:
    """Whether a cell does nothing but ask a quick question."""
    match ast.parse(plain_python(source)).body:
        case [ast.Expr(ast.Call(ast.Name("quick")))]:
            return True
        case _:
            return False


def _children_seconds() -> float:
    used = os.times()
    return used.children_user + used.children_system


def _outputs(tree: Any) -> list[Mapping[str, Any]]:
    return [output for cell in tree.cells for output in cell.get("outputs", [])]


def _write_figures(tree: Any, page: Path) -> list[Path]:
    for stale in page.parent.glob(f"{page.stem}-*.png"):
        stale.unlink()
    pictures = [out["data"]["image/png"] for out in _outputs(tree) if "image/png" in out.get("data", {})]
    paths = [page.with_name(f"{page.stem}-{number}.png") for number, _ in enumerate(pictures, start=1)]
    for path, picture in zip(paths, pictures, strict=True):
        path.write_bytes(b64decode(picture))
    return paths


def _complaints(tree: Any) -> str:
    return "".join(str(out["text"]) for out in _outputs(tree) if out.get("name") == "stderr")
