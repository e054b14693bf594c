"""From percent scripts to the instructor notebooks of nbgrader's source folder.

A build is a pure function of the scripts and the textbook functions they import: two builds are byte-identical, and a
file is written only when its bytes change.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from vitrina_autograder.course import BuildError, Course
from vitrina_autograder.inline import (
    SOLUTIONS,
    InlinedCell,
    defined_names,
    inline_solutions,
    plain_python,
    split_regions,
)
from vitrina_autograder.roles import KINDS, Place, Role, expand_role, place_of, read_role

EXERCISES = "exercises.py"


@dataclass(frozen=True)
class Built:
    """A built notebook and the textbook functions that were written into it."""

    notebook: NotebookNode
    functions: tuple[FunctionType, ...]


def build_notebook(path: Path, *, kernelspec: str = "python3") -> NotebookNode:
    """Build the instructor notebook of one percent script.

    Parameters
    ----------
    path : Path
        The script; a jupytext header is allowed and not kept.
    kernelspec : str
        The name of the kernel that the notebook asks for.

    Raises
    ------
    BuildError
        If the script breaks a rule; the message names file and cell.
    """
    return build_script(path, kernelspec=kernelspec).notebook


def build_script(path: Path, *, kernelspec: str = "python3") -> Built:
    """Build one percent script, and say which functions it asks for (see `build_notebook`)."""
    notebook = _read_script(path)
    functions: list[FunctionType] = []
    names: set[str] = set()
    used: dict[str, int] = {}
    for position, cell in enumerate(notebook.cells, start=1):
        place = place_of(path.name, position, cell)
        role = read_role(cell, place)
        if role and used.setdefault(role.grade_id, position) != position:
            raise place.error(f"cell {used[role.grade_id]} already is {role.kind} {role.id!r}")
        built = _build_cell(cell, role, names, place)
        cell.source = built.source
        functions += built.functions
        if cell.cell_type == "code":
            names |= defined_names(cell.source)
        expand_role(cell, role, position)
    notebook.metadata = _notebook_metadata(kernelspec)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    _validate(notebook, path)
    return Built(notebook, tuple(functions))


def build_assignment(course: Course, name: str, extra_files: Callable[[Path], None] | None = None) -> list[Path]:
    """Build all notebooks of an assignment into nbgrader's source folder.

    Nothing is written if one script cannot be built. Notebooks without a script are removed.

    Parameters
    ----------
    course : Course
        The course.
    name : str
        nbgrader's name of the assignment or its folder's name.
    extra_files : callable, optional
        Called with the source folder after the notebooks are there, to add what else students get.

    Returns
    -------
    list of Path
        The notebooks, in the order of their names.

    Raises
    ------
    CourseError
        If there is no such assignment.
    BuildError
        If a script cannot be built, or two of them ask for the same check.
    """
    name = course.assignment_name(name)
    scripts = notebook_scripts(course, name)
    notebooks = {script.stem: build_notebook(script) for script in scripts}
    _refuse_shared_checks(notebooks)
    folder = course.source / name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {folder / f"{stem}.ipynb": notebook for stem, notebook in notebooks.items()}
    for stale in set(folder.glob("*.ipynb")) - set(wanted):
        stale.unlink()
    for path, notebook in wanted.items():
        write_changed(path, notebook_bytes(notebook))
    if extra_files is not None:
        extra_files(folder)
    return list(wanted)


def notebook_scripts(course: Course, name: str) -> list[Path]:
    """Return the percent scripts of an assignment: all but `exercises.py` and names that begin with `_`.

    Raises
    ------
    BuildError
        If there is none, or a script has no cell marks.
    """
    folder = course.assignment_folder(name)
    scripts = [p for p in sorted(folder.glob("*.py")) if p.name != EXERCISES and not p.name.startswith("_")]
    if not scripts:
        raise BuildError(f"{folder} holds no percent script to build a notebook from")
    return scripts


def notebook_bytes(notebook: NotebookNode) -> bytes:
    """Return the one form in which a notebook is written."""
    return (nbformat.writes(notebook) + "\n").encode()


def write_changed(path: Path, content: bytes) -> bool:
    """Write a file unless it already holds these bytes; return whether it was written."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


def _read_script(path: Path) -> NotebookNode:
    text = path.read_text(encoding="utf-8")
    if not any(line.startswith("# %%") for line in text.split("\n")):
        raise BuildError(f"{path.name} holds no '# %%' cell; begin its name with _ if it is no notebook")
    try:
        return jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # jupytext and nbformat raise many kinds on a broken header
        raise BuildError(f"{path.name} cannot be read as a percent script: {error}") from error


def _build_cell(cell: NotebookNode, role: Role | None, names: set[str], place: Place) -> InlinedCell:
    """Return the cell's final source; what a student must not meet raises here."""
    built = InlinedCell(str(cell.source))
    if role and role.kind == "solution":
        built = inline_solutions(built.source, names, place)
    try:
        _, hidden = split_regions(built.source)
        if cell.cell_type == "code":
            ast.parse(plain_python(built.source))
    except (SyntaxError, ValueError) as error:
        raise place.error(str(error)) from None
    if role and role.kind == "solution" and not hidden:
        raise place.error(f"a solution cell imports its function from {SOLUTIONS} or marks a solution itself")
    if "BEGIN SOLUTION" in built.source and not (role and KINDS[role.kind].solution):
        raise place.error("only solution and answer cells hold a marked solution")
    if SOLUTIONS in built.source:
        raise place.error(f"{SOLUTIONS} is not there for students: only solution cells import from it")
    return built


def _notebook_metadata(kernelspec: str) -> Any:
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": kernelspec}
    return nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})


def _validate(notebook: NotebookNode, path: Path) -> None:
    try:
        nbformat.validate(notebook)
        MetadataValidator().validate_nb(notebook)
    except nbformat.ValidationError as error:
        raise BuildError(f"{path.name} does not make a valid notebook: {error}") from error


def _refuse_shared_checks(notebooks: dict[str, NotebookNode]) -> None:
    """One exercise is scored once: two notebooks of an assignment may not check the same id."""
    first: dict[str, str] = {}
    for stem, notebook in notebooks.items():
        for cell in notebook.cells:
            grade_id = str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
            if grade_id.startswith("check-") and first.setdefault(grade_id, stem) != stem:
                raise BuildError(f"{first[grade_id]}.py and {stem}.py both hold {grade_id}: score it once")
