"""Finding the students in a download: how Moodle and Canvas name folders and files, and plain folders of notebooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: `María García_1234567_assignsubmission_file/`, or the same in front of a file's name.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.+)?)?")
#: `garciamaria_LATE_12345_678901_notebook.ipynb`; an anonymous assignment has `anon_Ab3xY` and no number of the user.
_CANVAS = re.compile(r"(?P<name>[^\W_]+)(?P<late>_LATE)?_(?P<number>\d+)_\d+_(?P<file>.+)", re.IGNORECASE)
_CANVAS_ANONYMOUS = re.compile(r"(?P<name>anon_[A-Za-z0-9]{4,6})(?P<late>_LATE)?_\d+_(?P<file>.+)")


@dataclass
class Handed:
    """What one student handed in.

    Attributes
    ----------
    name, number : str
        The student's name, and the platform's number for the student or participation; empty where there is none.
    folder : str
        How Moodle calls the student's folder; feedback is uploaded under the same name.
    files : dict
        Where each file lies, by its path below the student's folder.
    late : bool
        Whether the platform marked it late.
    """

    name: str
    number: str = ""
    folder: str = ""
    files: dict[str, Path] = field(default_factory=dict[str, Path])
    late: bool = False


def find_students(root: Path) -> tuple[list[Handed], list[str]]:
    """Sort the files of a download by student.

    Returns
    -------
    tuple
        The students, in the order of their names, and the files of which nobody knows whose they are.
    """
    found: dict[tuple[str, str], Handed] = {}
    nobodys: list[str] = []
    root = _unwrapped(root)
    for path in _files(root):
        relative = path.relative_to(root)
        handed, name = _whose(relative)
        hidden = any(part.startswith(".") for part in relative.parts)
        if handed is None:
            nobodys += [] if hidden else [str(relative)]
        elif name and not relative.parts[0].startswith("."):
            known = found.setdefault((handed.name, handed.number), handed)
            known.late |= handed.late
            if not hidden:  # who handed in nothing else is a student all the same, of whom there is no notebook
                known.files[name] = path
    return sorted(found.values(), key=lambda handed: (handed.name, handed.number)), nobodys


def _whose(relative: Path) -> tuple[Handed | None, str]:
    """Say who handed a file in, and what it is called below that student's folder (empty: not a file to grade)."""
    first, rest = relative.parts[0], "/".join(relative.parts[1:])
    if moodle := _MOODLE.fullmatch(first):
        folder = f"{moodle['name']}_{moodle['number']}_assignsubmission_file"
        name = rest or (moodle["file"] or "")
        return Handed(moodle["name"], moodle["number"], folder), name if moodle["kind"] == "file" else ""
    if rest:
        return Handed(first), rest
    if canvas := _CANVAS.fullmatch(first):
        return Handed(canvas["name"], canvas["number"], late=bool(canvas["late"])), canvas["file"]
    if canvas := _CANVAS_ANONYMOUS.fullmatch(first):
        return Handed(canvas["name"], late=bool(canvas["late"])), canvas["file"]
    return (Handed(relative.stem), first) if relative.suffix == ".ipynb" else (None, "")


def _unwrapped(root: Path) -> Path:
    """Step into a folder that only wraps the download."""
    while True:
        entries = [path for path in root.iterdir() if not path.name.startswith(".")]
        if len(entries) != 1 or not entries[0].is_dir() or _MOODLE.fullmatch(entries[0].name):
            return root
        inner = [path for path in entries[0].iterdir() if not path.name.startswith(".")]
        if any(path.is_file() and not _is_platforms(path.name) for path in inner) or not inner:
            return root
        root = entries[0]


def _is_platforms(name: str) -> bool:
    return any(pattern.fullmatch(name) for pattern in (_MOODLE, _CANVAS, _CANVAS_ANONYMOUS))


def _files(root: Path) -> Iterator[Path]:
    """Find the plain files below a folder: no links."""
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())
