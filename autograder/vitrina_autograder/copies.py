"""Noticing the kit's own source in a submission: students have it, and are asked to write the methods themselves."""

from __future__ import annotations

from collections.abc import Iterable
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
    sources = [path for part in WITHHELD_PARTS for path in sorted((kit / part).rglob("*.py"))]
    found = {path: len(own & _lines([path.read_text(encoding="utf-8")])) for path in sources}
    text = _("holds {count} lines of the kit's own `{name}`")
    return [
        text.format(count=count, name=path.relative_to(kit).as_posix())
        for path, count in found.items()
        if count >= _FEWEST
    ]


def _lines(texts: Iterable[str]) -> set[str]:
    stripped = (line.strip() for text in texts for line in text.splitlines())
    return {line for line in stripped if len(line) >= _SHORTEST}
