"""Reading what was submitted, whatever it is, and putting it back into the shape of what was released.

Of a submitted file we take the cells' types and sources, and the marks by which graded cells are recognised; nothing
else in it is believed. Flags, points, ids and locked text come from the release.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from vitrina.messages import _
from vitrina.values import whole_text
from vitrina_autograder.marks import is_answer, is_check, is_locked

#: Where remarks about a submission travel from reading to grading, in the notebook's metadata.
_REMARKS = "vitrina_remarks"
_QUARANTINE = "vitrina_quarantine"

#: A larger file is not read.
MAX_FILE_BYTES = 200 << 20
#: Brackets, braces and commas: more than a notebook of that size has, as each may become an object in our memory.
_MAX_VALUES = 10_000_000
_MAX_CELLS = 5000
_MAX_SOURCE = 1 << 20
_MAX_NAMED = 10
#: The kinds of cells there are, and what each has beside id, metadata and source. nbformat's own makers validate, which
#: would be most of the time of reading a notebook.
_OWN_FIELDS: dict[str, Callable[[], dict[str, Any]]] = {
    "code": lambda: {"execution_count": None, "outputs": []},
    "markdown": dict,
    "raw": dict,
}
_CONFLICT = b"\n<<<<<<< "
_IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif")


class UnreadableError(Exception):
    """A submitted file that is no notebook; the message says why, for the student."""


def read_submission(path: Path) -> NotebookNode:
    """Read a submitted notebook, in whatever encoding and version it was saved.

    Returns
    -------
    NotebookNode
        Version 4, with types, sources, attached pictures, ids and nbgrader's metadata of the cells; no outputs.

    Raises
    ------
    UnreadableError
        When it is not a notebook.
    """
    items = _cells(_parse(path))
    if len(items) > _MAX_CELLS:
        raise UnreadableError(_("it has {count} cells: that is no notebook").format(count=len(items)))
    cells = [cell for item in items if (cell := _cell(item)) is not None]
    long = [number for number, cell in enumerate(cells, start=1) if len(cell.source) > _MAX_SOURCE]
    for number in long:
        cells[number - 1].source = cells[number - 1].source[:_MAX_SOURCE]
    # not new_notebook, which would take the ids from copies of a cell: by them the last copy is found
    whole = nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    notebook = cast(NotebookNode, whole)
    text = _("cell {number} was cut: it has more than {size} million characters")
    add_remarks(notebook, [text.format(number=number, size=_MAX_SOURCE >> 20) for number in long[:_MAX_NAMED]])
    return notebook


def _parse(path: Path) -> dict[str, Any]:
    if path.is_symlink() or not path.is_file():
        raise UnreadableError(_("it is not a file"))
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UnreadableError(_("it is larger than {size} MB").format(size=MAX_FILE_BYTES >> 20))
    data = path.read_bytes()
    if not data.strip():
        raise UnreadableError(_("it is empty"))
    if sum(map(data.count, (b"[", b"{", b","))) > _MAX_VALUES:
        raise UnreadableError(_("it has millions of parts: that is no notebook"))
    try:
        tree = json.loads(_text(data))
    except (ValueError, RecursionError) as error:
        if _CONFLICT in data:
            raise UnreadableError(_("git has left a merge conflict in it (`<<<<<<<`)")) from error
        raise UnreadableError(_("it is not a notebook (JSON): {error}").format(error=error)) from error
    if not isinstance(tree, dict):
        raise UnreadableError(_("it is not a notebook: no cells"))
    return cast(dict[str, Any], tree)


def _text(data: bytes) -> str:
    """Decode bytes as JSON's encodings, else as the one that takes everything."""
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _cells(tree: Mapping[str, Any]) -> list[Any]:
    """Find the cells; version 3 kept them in worksheets and called the source `input`."""
    sheets = [tree] if isinstance(tree.get("cells"), list) else tree.get("worksheets")
    if not isinstance(sheets, list):
        raise UnreadableError(_("it is not a notebook: no cells"))
    found = (cast(dict[str, Any], sheet).get("cells") for sheet in cast(list[Any], sheets) if isinstance(sheet, dict))
    return [cell for cells in found if isinstance(cells, list) for cell in cast(list[Any], cells)]


def _cell(item: object) -> NotebookNode | None:
    if not isinstance(item, dict):
        return None
    fields = cast(dict[str, Any], item)
    kind = fields.get("cell_type")
    if not isinstance(kind, str) or kind not in _OWN_FIELDS:
        return None
    cell = NotebookNode(
        cell_type=kind,
        id=_plain_id(fields.get("id"), uuid4().hex[:8]),
        metadata=NotebookNode(),
        source=_source(fields.get("source", fields.get("input", ""))),
        **_OWN_FIELDS[kind](),
    )
    metadata = fields.get("metadata")
    marks = cast(dict[str, Any], metadata).get("nbgrader") if isinstance(metadata, dict) else None
    mark = cast(dict[str, Any], marks).get("grade_id") if isinstance(marks, dict) else None
    if isinstance(mark, str):
        cell.metadata["nbgrader"] = {"grade_id": mark}
    attachments = _pictures(fields.get("attachments"))
    if attachments and cell.cell_type == "markdown":
        cell["attachments"] = attachments
    return cell


def _source(value: object) -> str:
    lines = cast(list[object], value) if isinstance(value, list) else [value]
    text = "".join(line for line in lines if isinstance(line, str))
    return whole_text(text).replace("\r\n", "\n")


def _plain_id(value: object, default: str) -> str:
    known = isinstance(value, str) and 0 < len(value) <= 64 and value.replace("-", "").replace("_", "").isalnum()
    return cast(str, value) if known and cast(str, value).isascii() else default


def _pictures(attachments: object) -> dict[str, dict[str, str]]:
    """Keep attached pictures, which a written answer may have."""
    if not isinstance(attachments, dict):
        return {}
    kept: dict[str, dict[str, str]] = {}
    for name, bundle in cast(dict[str, Any], attachments).items():
        if isinstance(bundle, dict):
            pictures = cast(dict[str, Any], bundle).items()
            known = ((kind, data) for kind, data in pictures if kind in _IMAGE_TYPES and isinstance(data, str))
            kept[whole_text(name)] = {kind: whole_text(data) for kind, data in known}
    return kept


def add_remarks(notebook: NotebookNode, remarks: Iterable[str]) -> None:
    """Note in a notebook what was unusual about its submission."""
    notebook.metadata[_REMARKS] = [*notebook.metadata.get(_REMARKS, []), *remarks]


def take_remarks(notebook: NotebookNode) -> list[str]:
    """Take the remarks out of a notebook."""
    return list(notebook.metadata.pop(_REMARKS, []))


def quarantine(notebook: NotebookNode, reason: str) -> None:
    """Note in a notebook that it only stands for a file that could not be read."""
    notebook.metadata[_QUARANTINE] = reason


def take_quarantine(notebook: NotebookNode) -> str:
    """Take that note out of a notebook; empty where there is none."""
    return str(notebook.metadata.pop(_QUARANTINE, ""))


def blank_submission(release: Path, reason: str) -> NotebookNode:
    """Give the released notebook in place of a file that cannot be read, with the reason on top."""
    notebook = cast(NotebookNode, nbformat.read(release, as_version=4))
    remark = _("the submitted file could not be read: {reason}").format(reason=reason)
    add_remarks(notebook, [remark])
    notebook.cells.insert(0, new_markdown_cell(f"**{remark[0].upper()}{remark[1:]}.**", id="remark"))
    return notebook


@dataclass(frozen=True)
class _Found:
    """A submitted cell that stands for a released one; `certain` where it carries the released cell's mark."""

    index: int
    certain: bool


def restore(notebook: NotebookNode, release: NotebookNode) -> list[str]:
    """Put the released cells of a submission back into shape, in place.

    Every marked cell of the release (graded, solution or locked) is found again by its nbgrader id, its cell id or,
    for a `check(...)`, its text; it gets the released metadata and, if locked, the released text. Of copies the last
    one counts, of a written answer the last one that says something. Missing cells are put back. Code that was
    written into a locked cell, or merged with it, is kept in a cell of its own. All other cells lose whatever nbgrader
    metadata they claim to have.

    Returns
    -------
    list of str
        Remarks: what was unusual.
    """
    templates = {cell.metadata.nbgrader.grade_id: cell for cell in release.cells if "nbgrader" in cell.metadata}
    found = _find(notebook.cells, templates)
    remarks: list[str] = []
    chosen = {key: _choose(key, templates[key], matches, notebook.cells, remarks) for key, matches in found.items()}
    cells = list(notebook.cells)
    for cell in cells:
        cell.metadata.pop("nbgrader", None)
        cell.metadata.pop("tags", None)
    shaped = {index: _reshaped(cells[index], templates[key], remarks) for key, index in chosen.items()}
    cells = [part for index, cell in enumerate(cells) for part in shaped.get(index, [cell])]
    first = next((index for index, cell in enumerate(release.cells) if "nbgrader" in cell.metadata), 0)
    _put_back(cells, templates, {key: shaped[index] for key, index in chosen.items()}, first, remarks)
    notebook.cells = cells
    _renew_ids(notebook.cells)
    earlier = take_remarks(notebook)
    notebook.metadata = cast(NotebookNode, nbformat.from_dict(release.metadata))
    add_remarks(notebook, [*earlier, *remarks])
    return remarks


def _find(cells: Sequence[NotebookNode], templates: Mapping[str, NotebookNode]) -> dict[str, list[_Found]]:
    by_id = {template.id: key for key, template in templates.items()}
    by_text = {_squeezed(template.source): key for key, template in templates.items() if is_check(template)}
    found: dict[str, list[_Found]] = {}
    for index, cell in enumerate(cells):
        mark = cell.metadata.get("nbgrader", {}).get("grade_id")
        key = mark if mark in templates else by_id.get(cell.id)
        certain = key is not None
        key = key or by_text.get(_squeezed(cell.source))
        if key is not None:
            found.setdefault(key, []).append(_Found(index, certain))
    return found


def _squeezed(source: str) -> str:
    """Leave out what some editors add to a cell: comments in lines of their own, and white space."""
    lines = (line.strip() for line in source.splitlines())
    return "".join("".join(line.split()) for line in lines if not line.startswith("#"))


def _choose(
    key: str,
    template: NotebookNode,
    matches: Sequence[_Found],
    cells: Sequence[NotebookNode],
    remarks: list[str],
) -> int:
    certain = [match for match in matches if match.certain] or list(matches)
    if len(certain) > 1:
        text = _("`{name}` is there {count} times; the last one counts")
        remarks.append(text.format(name=key, count=len(certain)))
    if is_answer(template):
        written = [match for match in certain if cells[match.index].source.strip() not in ("", template.source.strip())]
        certain = written or certain
    return certain[-1].index


def _reshaped(cell: NotebookNode, template: NotebookNode, remarks: list[str]) -> list[NotebookNode]:
    """Make a cell of the released one with the student's text, unless that is locked; code added to it stays before."""
    shaped = cast(NotebookNode, nbformat.from_dict(template))
    if not is_locked(template):
        shaped.source = cell.source
        if "attachments" in cell and shaped.cell_type == "markdown":
            shaped["attachments"] = cell["attachments"]
        return [shaped]
    if cell.source == template.source and cell.cell_type == template.cell_type:
        return [shaped]
    text, kept = _("`{name}` was changed and has been restored"), list[NotebookNode]()
    if cell.cell_type == template.cell_type == "code" and _has_more(cell, template):
        text = _("`{name}` was changed and has been restored; the code that was added to it runs before it")
        kept = [cell]
    remarks.append(text.format(name=template.metadata.nbgrader.grade_id))
    return [*kept, shaped]


def _has_more(cell: NotebookNode, template: NotebookNode) -> bool:
    """Whether all of the released text is there, and more."""
    own, released = _squeezed(cell.source), _squeezed(template.source)
    return released in own and released != own


def _put_back(
    cells: list[NotebookNode],
    templates: Mapping[str, NotebookNode],
    present: Mapping[str, Sequence[NotebookNode]],
    first: int,
    remarks: list[str],
) -> None:
    """Insert missing cells after the marked cell before them; the first one where it is in the release.

    A cell that was merged with the one before it is missing too: what is put back for it must not run after it. A
    check whose solution is not recognised either comes last, as nobody knows which cell holds the student's own.
    """
    position, solution_lost = first, False
    for key, template in templates.items():
        there = present.get(key)
        if there is not None:
            position = _position(cells, there[0]) + (len(there) == 1)
        else:
            last = solution_lost and is_check(template)
            cells.insert(len(cells) if last else position, cast(NotebookNode, nbformat.from_dict(template)))
            remarks.append(_("`{name}` was missing and has been put back").format(name=key))
            position += not last
        solution_lost = there is None


def _position(cells: Sequence[NotebookNode], wanted: NotebookNode) -> int:
    return next(index for index, cell in enumerate(cells) if cell is wanted)


def _renew_ids(cells: Sequence[NotebookNode]) -> None:
    """Give plain cells that have the id of another cell, or of a released one, an id of their own."""
    seen = {cell.id for cell in cells if "nbgrader" in cell.metadata}
    taken = {cell.id for cell in cells}
    names = (name for number in count(1) if (name := f"copy-{number}") not in taken)
    for cell in cells:
        if "nbgrader" not in cell.metadata:
            cell.id = next(names) if cell.id in seen else cell.id
            seen.add(cell.id)
