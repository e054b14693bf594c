"""The code that students wrote themselves: cells that are not as they were released, and Python files beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat

from vitrina.messages import _
from vitrina_autograder.code_tokens import docstrings
from vitrina_autograder.course import Course
from vitrina_autograder.intake import UnreadableError, read_submission
from vitrina_autograder.similarity import Comparison, Part, Script, compare

#: More is no student's work, and would cost the class's time.
_MOST_CHARACTERS = 200_000
_EMPTY_LINES = re.compile(r"\n\s*\n")


def compare_class(course: Course, assignment: str, students: Sequence[str]) -> Comparison:
    """Compare the code of a class."""
    given = list(_cell_sources(course.released_notebooks(assignment)))
    given += [path.read_text(encoding="utf-8") for path in sorted((course.release / assignment).rglob("*.py"))]
    textbook = _cell_sources(sorted((course.source / assignment).glob("*.ipynb")))
    explanations = [text for source in given for text in docstrings(source)]
    scripts = [read_script(course, assignment, student, given, explanations) for student in students]
    return compare(scripts, given, textbook)


def _cell_sources(notebooks: Sequence[Path]) -> Iterator[str]:
    cells = (cell for path in notebooks for cell in nbformat.read(path, as_version=4).cells)
    return (cell.source for cell in cells if cell.cell_type == "code")


def read_script(
    course: Course, assignment: str, student: str, given: Sequence[str], explanations: Sequence[str]
) -> Script:
    """Read what a student wrote; what cannot be read is left out, docstrings of the release are cut short.

    Parameters
    ----------
    course, assignment, student
        Whose work.
    given : sequence of str
        Sources of the release: they are nobody's work.
    explanations : sequence of str
        Docstrings of the release.
    """
    known = set(given)
    folder = course.submitted / student / assignment
    parts: list[Part] = []
    room = _MOST_CHARACTERS
    for part in [*_cells(course, assignment, folder), *_files(folder)]:
        if part.source.strip() and part.source not in known and room > 0:
            parts.append(Part(part.name, _tidy(part.source[:room], explanations)))
            room -= len(part.source)
    return Script(student, parts)


def _tidy(source: str, explanations: Sequence[str]) -> str:
    """Cut short what the release explains, and empty lines, over which a lexer's patterns would go again and again."""
    for explanation in explanations:
        source = source.replace(explanation, '"""…"""')
    return _EMPTY_LINES.sub("\n\n", source)


def _cells(course: Course, assignment: str, folder: Path) -> Iterator[Part]:
    for released in course.released_notebooks(assignment):
        try:
            cells = read_submission(folder / released.name).cells
        except UnreadableError:
            continue
        for number, cell in enumerate(cells, start=1):
            if cell.cell_type == "code":
                yield Part(_("cell {number}").format(number=number), cell.source)


def _files(folder: Path) -> Iterator[Part]:
    for path in sorted(folder.rglob("*.py")):
        if path.is_file() and not path.is_symlink():
            with path.open(encoding="utf-8", errors="replace") as file:
                yield Part(path.relative_to(folder).as_posix(), file.read(_MOST_CHARACTERS))
