"""Clumsy notebooks: what one change, one editor or one way of saving makes of honest work; always the same ones.

`WORKS` names those in which nothing is lost that a grader needs; of the others `works_as_handed_in` says what a student
could rightly expect.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jupytext
import nbformat

from corpus.mutations import SINGLE, mutate
from corpus.odd_files import READABLE

Notebook = dict[str, Any]
Cell = dict[str, Any]
Saved = Callable[[Notebook], bytes]

#: Changes of marks that no editor makes: they may cost points, but never without a word.
_TAMPERING = {"swap_grade_ids", "change_grade_id", "wrong_marks", "same_id", "wrong_id", "wrong_source", "edit_locked"}


def _save(notebook: Notebook, **options: Any) -> bytes:
    return json.dumps(notebook, **options).encode()


# ---- one change to one cell


def _copy_after(cells: list[Cell], at: int) -> None:
    cells.insert(at + 1, copy.deepcopy(cells[at]))


def _copy_to_end(cells: list[Cell], at: int) -> None:
    cells.append(copy.deepcopy(cells[at]))


def _delete(cells: list[Cell], at: int) -> None:
    del cells[at]


def _to_markdown(cells: list[Cell], at: int) -> None:
    cells[at]["cell_type"] = "markdown"


def _to_raw(cells: list[Cell], at: int) -> None:
    cells[at]["cell_type"] = "raw"


def _to_front(cells: list[Cell], at: int) -> None:
    cells.insert(0, cells.pop(at))


def _to_end(cells: list[Cell], at: int) -> None:
    cells.append(cells.pop(at))


def _one_down(cells: list[Cell], at: int) -> None:
    cells.insert(min(at + 1, len(cells)), cells.pop(at))


def _split(cells: list[Cell], at: int) -> None:
    """Cut after the first line; editors give both halves the marks, and the second one an id of its own."""
    first, _, rest = str(cells[at]["source"]).partition("\n")
    cells.insert(at + 1, {**copy.deepcopy(cells[at]), "source": rest, "id": f"half-{at}"})
    cells[at]["source"] = first


def _merge(cells: list[Cell], at: int) -> None:
    if at + 1 < len(cells):
        cells[at]["source"] = f"{cells[at]['source']}\n\n{cells.pop(at + 1)['source']}"


def _emptied(cells: list[Cell], at: int) -> None:
    cells[at]["source"] = ""


def _cut_and_pasted(cells: list[Cell], at: int) -> None:
    """Put into a new cell, which has none of the marks."""
    cells[at] |= {"metadata": {}, "id": f"new-{at}"}


def _typed_above(cells: list[Cell], at: int) -> None:
    cells[at]["source"] = f"# my own remark\nmine = 3\n{cells[at]['source']}"


CHANGES: dict[str, Callable[[list[Cell], int], None]] = {
    "copy after": _copy_after, "copy to end": _copy_to_end, "delete": _delete, "to Markdown": _to_markdown,
    "to raw": _to_raw, "to front": _to_front, "to end": _to_end, "one down": _one_down, "split": _split,
    "merge": _merge, "emptied": _emptied, "cut and pasted": _cut_and_pasted, "typed above": _typed_above,
}  # fmt: skip


def changed_at(change: Callable[[list[Cell], int], None], at: int) -> Saved:
    def save(notebook: Notebook) -> bytes:
        tree = copy.deepcopy(notebook)
        change(tree["cells"], at % len(tree["cells"]))
        return _save(tree)

    return save


# ---- what editors and converters make of it


def _each(change: Callable[[Cell], Any], **top: Any) -> Saved:
    def save(notebook: Notebook) -> bytes:
        tree = copy.deepcopy(notebook) | copy.deepcopy(top)
        for cell in tree["cells"]:
            change(cell)
        return _save(tree, indent=1)

    return save


def _vs_code(cell: Cell) -> None:
    cell["metadata"]["vscode"] = {"languageId": "python"}
    cell["source"] = cell["source"].splitlines(keepends=True)


def _colab(cell: Cell) -> None:
    cell["metadata"] |= {"id": cell.pop("id"), "colab": {"base_uri": "x", "height": 34}, "outputId": "1-2"}


def _without_marks(**metadata: Any) -> Callable[[Cell], None]:
    """An editor that writes metadata of its own, and keeps neither ids nor those of others."""

    def change(cell: Cell) -> None:
        cell["metadata"] = dict(metadata)
        cell.pop("id")

    return change


def _lab(cell: Cell) -> None:
    cell["metadata"] |= {"collapsed": True, "trusted": True, "tags": ["mine"], "jupyter": {"source_hidden": True}}
    cell["metadata"] |= {"slideshow": {"slide_type": "skip"}, "editable": True, "scrolled": "auto"}


def _pycharm(cell: Cell) -> None:
    cell["metadata"]["ExecuteTime"] = {"start_time": "2026-01-01T10:00:00", "end_time": "2026-01-01T10:00:01"}
    if cell["cell_type"] == "code":
        cell["execution_count"] = None


def _no_id(cell: Cell) -> None:
    cell.pop("id")


def _heavy(cell: Cell) -> None:
    if cell["cell_type"] == "code":
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * (1 << 20)}] * 2


def _pictures(cell: Cell) -> None:
    cell["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo=" * 50_000}}
    cell["outputs"] = [{"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}, "metadata": {}}]


def _quarto(notebook: Notebook) -> bytes:
    tree = copy.deepcopy(notebook)
    for number, cell in enumerate(tree["cells"]):
        cell["metadata"] = {}
        cell.pop("id")
        if cell["cell_type"] == "code":
            cell["source"] = f"#| label: cell-{number}\n#| echo: true\n{cell['source']}"
    front = {"cell_type": "raw", "metadata": {}, "source": "---\ntitle: mine\nformat: html\n---"}
    return _save({**tree, "cells": [front, *tree["cells"]]})


def _marimo(notebook: Notebook) -> bytes:
    """As marimo exports it: text is code too, no ids, no metadata but its own."""
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": "import marimo as mo"}]
    for cell in notebook["cells"]:
        text = cell["source"] if cell["cell_type"] == "code" else f'mo.md(r"""\n{cell["source"]}\n""")'
        config = {"marimo": {"config": {"hide_code": True}, "name": "_"}}
        cells.append({"cell_type": "code", "metadata": config, "outputs": [], "source": text})
    return _save({**notebook, "cells": cells})


def _papermill(notebook: Notebook) -> bytes:
    injected = {"cell_type": "code", "id": "p", "metadata": {"tags": ["injected-parameters"]}, "source": "a = 1"}
    return _save({**notebook, "cells": [injected, *notebook["cells"]], "metadata": {"papermill": {"version": "2"}}})


def _jupytext(form: str) -> Saved:
    def save(notebook: Notebook) -> bytes:
        text = jupytext.writes(nbformat.reads(json.dumps(notebook), as_version=4), form)
        return nbformat.writes(jupytext.reads(text, form)).encode()

    return save


def _top(**fields: Any) -> Saved:
    return lambda notebook: _save({**notebook, **fields})


EDITORS: dict[str, Saved] = {
    "VS Code": _each(_vs_code, nbformat_minor=2),
    "Colab": _each(_colab, nbformat_minor=0, metadata={"colab": {"provenance": []}, "accelerator": "GPU"}),
    "Kaggle": _each(_without_marks(_uuid="a", _cell_guid="b", trusted=True), metadata={"kaggle": {"dataSources": []}}),
    "Deepnote": _each(_without_marks(cell_id="a", deepnote_cell_type="code", source_hash="b"), deepnote={}),
    "Databricks": _each(_without_marks(**{"application/vnd.databricks.v1+cell": {"title": "", "nuid": "a"}})),
    "Datalore": _each(_without_marks(datalore={"node_id": "a", "type": "CODE", "hide_input_from_viewers": False})),
    "CoCalc": _each(_without_marks(collapsed=False), metadata={"cocalc": {"last_runtime_state": {"state": "init"}}}),
    "JupyterLab": _each(_lab),
    "PyCharm": _each(_pycharm),
    "nbstripout": _each(_no_id, metadata={}),
    "papermill": _papermill,
    "Quarto": _quarto,
    "marimo": _marimo,
    "jupytext percent": _jupytext("py:percent"),
    "jupytext light": _jupytext("py:light"),
    "jupytext Markdown": _jupytext("md"),
    "kernel of R": _top(metadata={"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}),
    "kernel of Julia": _top(metadata={"kernelspec": {"name": "julia-1.9"}, "language_info": {"name": "julia"}}),
    "own environment": _top(metadata={"kernelspec": {"name": "myenv", "display_name": "Python (myenv)"}}),
    "schema 4.0": _each(_no_id, nbformat_minor=0),
    "schema 4.4": _each(_no_id, nbformat_minor=4),
    "schema as text": _top(nbformat="four", nbformat_minor=None),
    "heavy outputs": _each(_heavy),
    "pictures": _each(_pictures),
    "NaN": _each(lambda cell: cell["metadata"].update(score=float("nan"), inf=float("inf"))),
    "widget states": _top(
        metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"a": "x" * 10**6}}}}
    ),
}
BROKEN: dict[str, tuple[Saved, str]] = {
    "trailing comma": (lambda notebook: _save(notebook)[:-1] + b",}", "JSON"),
    "merge conflict": (
        lambda notebook: _save(notebook, indent=1).replace(b'"cells"', b'\n<<<<<<< HEAD\n"cells"\n=======\n"x"', 1),
        "merge conflict",
    ),
    "cut in the middle": (lambda notebook: _save(notebook)[:400], "JSON"),
    "saved as Python": (lambda notebook: "\n".join(c["source"] for c in notebook["cells"]).encode(), "JSON"),
    "saved as a page": (lambda _notebook: b"<!DOCTYPE html><html><body>Notebook</body></html>", "JSON"),
    "renamed zip": (lambda _notebook: b"PK\x03\x04" + bytes(range(256)), "JSON"),
    "JSON of something else": (lambda _notebook: b'{"name": "x", "version": 1}', "no cells"),
    "text of an error": (lambda _notebook: b"404: Not Found", "JSON"),
}

#: Nothing is lost: these earn everything.
WORKS: dict[str, Saved] = {**{f"saved as {name}": save for name, save in READABLE.items()}, **EDITORS}


def _random(seed: int) -> Saved:
    return lambda notebook: _save(mutate(notebook, seed))


_CELLS = 10
CHANGED: dict[str, Saved] = {
    f"{name} {at}": changed_at(change, at) for name, change in CHANGES.items() for at in range(_CELLS)
}
MUTATED: dict[str, Saved] = {f"mutation {seed}": _random(seed) for seed in range(60)}
CLUMSY: dict[str, Saved] = {
    **WORKS, **{name: save for name, (save, _reason) in BROKEN.items()}, **CHANGED, **MUTATED,
}  # fmt: skip


def is_tampering(name: str) -> bool:
    """Whether it changes marks as no editor does, or may do so."""
    kind, _, number = name.partition(" ")
    return kind == "mutation" and (int(number) >= len(SINGLE) or SINGLE[int(number)].__name__ in _TAMPERING)


def works_as_handed_in(data: bytes, right: dict[str, Callable[[Any], bool]]) -> set[str]:
    """Say which exercises were right when their `check(...)` was run, cell by cell, in the file as it is.

    Parameters
    ----------
    data : bytes
        The file.
    right : dict
        For every exercise how to tell whether what is given to its check is right.
    """
    last: dict[str, bool] = {}

    def check(exercise: str, answer: Any) -> None:
        last[exercise] = right[exercise](answer)

    names: dict[str, Any] = {}
    for cell in json.loads(data)["cells"]:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            _run("".join(cell.get("source") or ""), names, check)
    return {exercise for exercise, passed in last.items() if passed}


def _run(source: str, names: dict[str, Any], check: Callable[[str, Any], None]) -> None:
    if "from vitrina import check" in source:
        names["check"] = check
        source = source.replace("from vitrina import check", "")
    try:
        exec(compile(source, "cell", "exec"), names)
    except (Exception, SystemExit):  # as in a notebook, the next cell goes on
        return
