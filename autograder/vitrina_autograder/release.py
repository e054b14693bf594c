"""From built notebooks to what students get, and the proof that no solution is in it.

nbgrader makes the release; afterwards every file of it is searched. The rule, in full:

- *Secret* is each line that nbgrader has to take out (solution, hidden-test and mark-scheme regions, and the whole of
  a solution or answer cell without a region) and each body line of a textbook function, with and without its comment.
  They come from the percent scripts, built afresh, and from the notebooks in `source/`: marks lost there are noticed.
- Lines are compared with runs of white space made one space. A secret line tells something if it has at least four
  characters and two words (`return x` has, `else:` and an argument on a line of its own, `inputs,`, have not).
- A secret line *stands in* a text where it appears without being part of longer names, so `x = 1` does not stand in
  `max = 10`.
- A secret line is no secret if it stands in what the author wrote outside the regions of the same scripts, or in
  nbgrader's own stub: students are meant to see that text.
- Every other secret line that stands in a file of the release is a leak. JSON (notebooks with outputs included) is
  searched string by string, zip archives (`.npz`, `.keras`) member by member, other files as text; in binary files
  only lines of at least twelve characters count, since shorter ones occur by chance.
- Python files, compiled ones too, are never released.
"""

import io
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import ClearSolutions
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from vitrina_autograder.build import build_script, notebook_scripts
from vitrina_autograder.course import CONFIG_NAME, Course, CourseError
from vitrina_autograder.inline import solution_lines, split_regions, without_comments

SHORTEST_LINE = 4  # characters that are not white space
SHORTEST_IN_BINARY = 12
LOG_TAIL = 15  # lines


@dataclass(frozen=True)
class _Lines:
    """The author's lines: those a student must not meet, and those a student is given."""

    secret: set[str]
    public: set[str]


def nbgrader_api(course: Course) -> NbGraderAPI:
    """Return nbgrader's own interface, configured by the course's `nbgrader_config.py`.

    Raises
    ------
    CourseError
        If the configuration cannot be read or does not keep nbgrader's files in `build/`.
    """
    _put_alembic_on_path()
    api = NbGraderAPI(config=load_config(course))
    coursedir: Any = api.coursedir
    if Path(coursedir.root).resolve() != course.build.resolve():
        raise CourseError(
            f"{course.root / CONFIG_NAME} must set c.CourseDirectory.root to {course.build} on the `c` that "
            "get_config() gives without an import (an imported get_config returns an empty configuration)."
        )
    return api


def release_assignment(course: Course, name: str) -> Path:
    """Make the students' version of a built assignment and search it for solutions.

    A release that was there before is replaced.

    Returns
    -------
    Path
        The release folder.

    Raises
    ------
    CourseError
        If nbgrader fails, or a solution is found in the release, which then is deleted.
    """
    name = course.assignment_name(name)
    if not any((course.source / name).glob("*.ipynb")):
        raise CourseError(f"{course.source / name} holds no notebook yet: build {name} first")
    result = nbgrader_api(course).generate_assignment(name, force=True)
    if not result["success"]:
        log = str(result.get("log") or result.get("error")).strip().splitlines()
        tail = "\n".join(log[-LOG_TAIL:])
        raise CourseError(f"nbgrader could not make the release of {name}:\n{tail}")
    folder = course.release / name
    leaks = find_leaks(course, name)
    if leaks:
        shutil.rmtree(folder)
        raise CourseError(
            f"The release of {name} held what students must not see and was deleted:\n" + "\n".join(leaks)
        )
    return folder


def find_leaks(course: Course, name: str) -> list[str]:
    """Return one line for each solution line or Python file in an assignment's release (see the module's rule).

    Returns
    -------
    list of str
        `FILE: LINE`, sorted; empty for a clean release.
    """
    name = course.assignment_name(name)
    secret = _secret_lines(course, _author_lines(course, name))
    folder = course.release / name
    leaks: set[str] = set()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        leaks |= set(leaks_in(str(path.relative_to(folder)), path.read_bytes(), secret))
    return sorted(leaks)


def answer_lines(course: Course, name: str) -> set[str]:
    """Return the secret lines of an assignment's prose: model answers and mark schemes."""
    built = [build_script(script).notebook for script in notebook_scripts(course, course.assignment_name(name))]
    for notebook in built:
        notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    lines = [_split_notebook(notebook) for notebook in built]
    secret = {line for one in lines for line in map(_normalise, one.secret) if _tells(line)}
    return _secret_lines(course, _Lines(secret, set[str]().union(*(one.public for one in lines))))


def _secret_lines(course: Course, lines: _Lines) -> set[str]:
    """Leave out what the author shows to students anyway."""
    public = _normalise("\n".join(lines.public)) + "\n" + _normalise(_stub(course))
    return {line for line in lines.secret if not _stands_in(line, public)}


def _put_alembic_on_path() -> None:
    """Let nbgrader find `alembic`, which it runs by name when it makes its database; it lies beside this Python."""
    if shutil.which("alembic") is None:
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def load_config(course: Course) -> Config:
    """Load the course's `nbgrader_config.py`; an error in it is a `CourseError`."""
    try:
        return PyFileConfigLoader(CONFIG_NAME, path=str(course.root)).load_config()
    except Exception as error:  # the file is the instructor's code: anything may come
        raise CourseError(f"{course.root / CONFIG_NAME} cannot be read: {error!r}") from error


def _stub(course: Course) -> str:
    clear = ClearSolutions(config=load_config(course))
    return f"{clear.code_stub['python']}\n{clear.text_stub}"


def _author_lines(course: Course, name: str) -> _Lines:
    built = [build_script(script) for script in notebook_scripts(course, name)]
    bodies = {line for one in built for function in one.functions for line in solution_lines(function)}
    fresh = [_split_notebook(one.notebook) for one in built]
    stored = [_split_stored(path) for path in (course.source / name).glob("*.ipynb")]
    raw = bodies.union(*(lines.secret for lines in [*fresh, *stored]))
    secret = {line for line in map(_normalise, raw) if _tells(line)}
    return _Lines(secret, set[str]().union(*(lines.public for lines in fresh)))


def _split_notebook(notebook: NotebookNode) -> _Lines:
    secret: set[str] = set()
    public: set[str] = set()
    for cell in notebook.cells:
        outside, inside = split_regions(cell.source)
        if cell.metadata.get("nbgrader", {}).get("solution") and "BEGIN SOLUTION" not in cell.source:
            outside, inside = [], [*outside, *inside]  # nbgrader replaces the whole cell
        secret |= {*inside, *without_comments("\n".join(inside))}
        public |= {*outside, *_json_strings(cell | {"source": ""})}
    return _Lines(secret, public)


def _split_stored(path: Path) -> _Lines:
    try:
        return _split_notebook(nbformat.read(path, as_version=4))
    except ValueError as error:
        raise CourseError(f"{path}: {error}. Build the assignment again.") from error


def _normalise(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))


def _tells(line: str) -> bool:
    return len(line.replace(" ", "")) >= SHORTEST_LINE and re.search(r"\w\W+\w", line) is not None


def _stands_in(line: str, text: str) -> bool:
    before, after = (r"(?<!\w)" if re.match(r"\w", line) else ""), (r"(?!\w)" if re.search(r"\w$", line) else "")
    return line in text and re.search(before + re.escape(line) + after, text) is not None


def leaks_in(name: str, content: bytes, secret: set[str]) -> Iterator[str]:
    """Yield a line if a file is Python, and one for each secret line that stands in it (see the module's rule)."""
    if Path(name).suffix in {".py", ".pyc", ".pyo", ".pyi"}:
        yield f"{name}: Python files are never released"
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from leaks_in(f"{name}/{member}", archive.read(member), secret)
        return
    try:
        text, binary = "\n".join(_strings_of(content.decode("utf-8"))), False
    except UnicodeDecodeError:
        text, binary = content.decode("utf-8", errors="replace"), True
    text = _normalise(text)
    for line in secret:
        if (not binary or len(line) >= SHORTEST_IN_BINARY) and _stands_in(line, text):
            yield f"{name}: {line}"


def _strings_of(text: str) -> Iterator[str]:
    """Yield a text and, if it is JSON, all strings of it: escaped quotes would hide a line."""
    yield text
    try:
        yield from _json_strings(json.loads(text))
    except ValueError:
        return


def _json_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _json_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _json_strings(inner)
