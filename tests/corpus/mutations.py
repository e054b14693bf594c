"""What editors, converters, merges and people do to the cells of a notebook; every mutation is fixed by its seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]
Mutation = Callable[[random.Random, list[Cell]], None]

_FLAGS = ("grade", "solution", "locked", "task")
_WRONG: list[Any] = [None, True, False, -1, 0, 1e308, "3", "", [], {}, [1], {"a": 1}]


def marked(cells: list[Cell]) -> list[Cell]:
    """Pick the cells with marks of nbgrader's."""
    return [cell for cell in cells if isinstance(cell["metadata"].get("nbgrader"), dict)]


def _marks(cell: Cell) -> dict[str, Any]:
    if cell not in marked([cell]):
        cell["metadata"]["nbgrader"] = {}
    return cell["metadata"]["nbgrader"]


def _any_marked(rng: random.Random, cells: list[Cell]) -> Cell:
    return rng.choice(marked(cells) or cells)


def duplicate(rng: random.Random, cells: list[Cell]) -> None:
    cell = copy.deepcopy(_any_marked(rng, cells))
    cells.insert(rng.randrange(len(cells) + 1), cell)


def duplicate_all(_rng: random.Random, cells: list[Cell]) -> None:
    cells += copy.deepcopy(cells)


def duplicate_and_change(rng: random.Random, cells: list[Cell]) -> None:
    cell = copy.deepcopy(_any_marked(rng, cells))
    cell["source"] = str(cell["source"]) + "\n# changed"
    cells.insert(rng.randrange(len(cells) + 1), cell)


def delete(rng: random.Random, cells: list[Cell]) -> None:
    cells.remove(_any_marked(rng, cells))


def delete_most(rng: random.Random, cells: list[Cell]) -> None:
    cells[:] = [cell for cell in cells if rng.random() < 0.3]


def delete_all(_rng: random.Random, cells: list[Cell]) -> None:
    cells.clear()


def flip_flags(rng: random.Random, cells: list[Cell]) -> None:
    marks = _marks(_any_marked(rng, cells))
    for flag in rng.sample(_FLAGS, rng.randint(1, 4)):
        marks[flag] = not marks.get(flag)


def change_points(rng: random.Random, cells: list[Cell]) -> None:
    _marks(_any_marked(rng, cells))["points"] = rng.choice([*_WRONG, 1000])


def change_schema(rng: random.Random, cells: list[Cell]) -> None:
    for cell in marked(cells):
        cell["metadata"]["nbgrader"]["schema_version"] = rng.choice([*_WRONG, 1, 2, 99])


def change_checksum(rng: random.Random, cells: list[Cell]) -> None:
    _marks(_any_marked(rng, cells))["checksum"] = rng.choice(_WRONG)


def change_grade_id(rng: random.Random, cells: list[Cell]) -> None:
    marks = _marks(_any_marked(rng, cells))
    marks["grade_id"] = rng.choice([*_WRONG, "check-other", "x" * 100_000])


def swap_grade_ids(rng: random.Random, cells: list[Cell]) -> None:
    one, two = _any_marked(rng, cells)["metadata"], _any_marked(rng, cells)["metadata"]
    one["nbgrader"], two["nbgrader"] = two.get("nbgrader", {}), one.get("nbgrader", {})


def wrong_marks(rng: random.Random, cells: list[Cell]) -> None:
    _any_marked(rng, cells)["metadata"]["nbgrader"] = rng.choice(_WRONG)


def strip_metadata(_rng: random.Random, cells: list[Cell]) -> None:
    for cell in cells:
        cell["metadata"] = {}


def strip_metadata_and_ids(_rng: random.Random, cells: list[Cell]) -> None:
    for cell in cells:
        cell["metadata"] = {}
        cell.pop("id", None)


def lose_ids(_rng: random.Random, cells: list[Cell]) -> None:
    for cell in cells:
        cell.pop("id", None)


def same_id(_rng: random.Random, cells: list[Cell]) -> None:
    for cell in cells:
        cell["id"] = "same"


def wrong_id(rng: random.Random, cells: list[Cell]) -> None:
    rng.choice(cells)["id"] = rng.choice([*_WRONG, "a b", "é", "x" * 5000])


def retype(rng: random.Random, cells: list[Cell]) -> None:
    _any_marked(rng, cells)["cell_type"] = rng.choice(["markdown", "raw", "code", "heading", None])


def retype_all(rng: random.Random, cells: list[Cell]) -> None:
    for cell in cells:
        cell["cell_type"] = rng.choice(["markdown", "raw", "code"])


def shuffle(rng: random.Random, cells: list[Cell]) -> None:
    rng.shuffle(cells)


def turn_round(_rng: random.Random, cells: list[Cell]) -> None:
    cells.reverse()


def split(rng: random.Random, cells: list[Cell]) -> None:
    """Cut a cell in two; editors give both halves its marks."""
    cell = _any_marked(rng, cells)
    lines = str(cell["source"]).splitlines(keepends=True)
    position = rng.randrange(len(lines) + 1)
    second = {**copy.deepcopy(cell), "source": "".join(lines[position:])}
    cell["source"] = "".join(lines[:position])
    cells.insert(cells.index(cell) + 1, second)


def merge(rng: random.Random, cells: list[Cell]) -> None:
    if len(cells) > 1:
        index = rng.randrange(len(cells) - 1)
        after = cells.pop(index + 1)
        cells[index]["source"] = f"{cells[index]['source']}\n{after['source']}"


def edit_locked(rng: random.Random, cells: list[Cell]) -> None:
    locked = [cell for cell in marked(cells) if cell["metadata"]["nbgrader"].get("locked")]
    rng.choice(locked or cells)["source"] = rng.choice(["", "3.0", "check = print", "exit()", "%%html\n<script>"])


def wrong_source(rng: random.Random, cells: list[Cell]) -> None:
    _any_marked(rng, cells)["source"] = rng.choice([*_WRONG, ["a", None, 3], "\ud800", "\r\n\r", "\0", "%%bash\nls"])


def lose_source(rng: random.Random, cells: list[Cell]) -> None:
    _any_marked(rng, cells).pop("source", None)


def stray_cells(rng: random.Random, cells: list[Cell]) -> None:
    for _ in range(5):
        stray: Any = rng.choice([None, 3, [], {}, {"cell_type": "code"}, {"cell_type": "markdown", "source": "hi"}])
        cells.insert(rng.randrange(len(cells) + 1), stray)


def claim_marks(rng: random.Random, cells: list[Cell]) -> None:
    """A cell of the student's own that claims to be graded."""
    marks = {"grade": True, "solution": False, "locked": True, "points": 50, "grade_id": "own", "schema_version": 3}
    own = {"cell_type": "code", "id": "own", "source": "100", "outputs": [], "metadata": {"nbgrader": marks}}
    cells.insert(rng.randrange(len(cells) + 1), own)


def attach(_rng: random.Random, cells: list[Cell]) -> None:
    for cell in cells:
        cell["attachments"] = {"a.png": {"image/png": "aGk=", "text/html": "<script>"}, "b": 3}


SINGLE: list[Mutation] = [
    duplicate, duplicate_all, duplicate_and_change, delete, delete_most, delete_all, flip_flags, change_points,
    change_schema, change_checksum, change_grade_id, swap_grade_ids, wrong_marks, strip_metadata,
    strip_metadata_and_ids, lose_ids, same_id, wrong_id, retype, retype_all, shuffle, turn_round, split, merge,
    edit_locked, wrong_source, lose_source, stray_cells, claim_marks, attach,
]  # fmt: skip
SEEDS = range(150)


def mutate(notebook: Notebook, seed: int) -> Notebook:
    """Change a copy of a notebook: the first seeds by one mutation each, the others by up to four."""
    rng = random.Random(seed)
    chosen = [SINGLE[seed]] if seed < len(SINGLE) else rng.choices(SINGLE, k=rng.randint(1, 4))
    changed = copy.deepcopy(notebook)
    cells: list[Any] = changed["cells"]
    for mutation in chosen:
        usable = [cell for cell in cells if isinstance(cell, dict) and {"source", "metadata"} <= cell.keys()]
        strays = [cell for cell in cells if not any(cell is one for one in usable)]
        if not usable:
            break
        mutation(rng, usable)
        cells[:] = [*strays, *usable]
    return changed
