"""Noticing in a submission what does the work for a student: the kit's own source, and libraries that are withheld."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from nbformat import NotebookNode

from vitrina.messages import _
from vitrina_autograder.sandbox import WITHHELD_PARTS, package_folder

_SHORTEST = 25  # characters: shorter lines occur by chance
_FEWEST = 6


def kit_copies(notebook: NotebookNode, release: NotebookNode, files: Iterable[Path]) -> list[str]:
    """Remark on lines of the kit's methods in a submission.

    Parameters
    ----------
    notebook : NotebookNode
        The submission.
    release : NotebookNode
        What it started from: lines that stand there are no copies.
    files : iterable of Path
        The files handed in beside it; Python files are searched.
    """
    own = _lines(cell.source for cell in notebook.cells if cell.cell_type == "code")
    own |= _lines(path.read_text(encoding="utf-8", errors="replace") for path in files if path.suffix == ".py")
    own -= _lines(cell.source for cell in release.cells)
    kit = package_folder("vitrina")
    found = {path: len(own & lines) for path, lines in _withheld_lines(kit).items()}
    text = _("holds {count} lines of the kit's own `{name}`")
    return [
        text.format(count=count, name=path.relative_to(kit).as_posix())
        for path, count in found.items()
        if count >= _FEWEST
    ]


@lru_cache(maxsize=1)
def _withheld_lines(kit: Path) -> dict[Path, set[str]]:
    """Read what is compared with every submission, once."""
    sources = [path for part in WITHHELD_PARTS for path in sorted((kit / part).rglob("*.py"))]
    return {path: _lines([path.read_text(encoding="utf-8")]) for path in sources}


def library_copies(folder: Path, files: Iterable[Path], absent: Iterable[str]) -> list[str]:
    """Remark on libraries that are not there while an assignment is graded, and were handed in with it.

    Parameters
    ----------
    folder : Path
        The submission's.
    files : iterable of Path
        The files handed in beside the notebook; a folder, a module and a wheel are found by their names.
    absent : iterable of str
        Names of the libraries.
    """
    parts = {part.lower() for path in files for part in path.relative_to(folder).parts}
    beginnings = {re.split(r"[-.]", part)[0] for part in parts}
    text = _("brings a copy of its own of `{name}`, which is not there while this is graded")
    return [text.format(name=name) for name in absent if name.lower() in beginnings]


def _lines(texts: Iterable[str]) -> set[str]:
    stripped = (line.strip() for text in texts for line in text.splitlines())
    return {line for line in stripped if len(line) >= _SHORTEST}
