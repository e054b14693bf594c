"""Short cell roles and what they mean to nbgrader.

An author writes `# %% check="lrp_0" points=3`; nbgrader wants five flags, an id and a schema version that must agree
with each other. The table below is the only place that knows both, so contradictory metadata cannot be written.
"""

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode, from_dict

from vitrina_autograder.course import BuildError

SCHEMA_VERSION = 3
LONGEST_CELL_ID = 64  # nbformat's limit


@dataclass(frozen=True)
class Kind:
    """What one role sets in nbgrader's cell metadata, and the cell types that may have it."""

    cell_types: tuple[str, ...]
    grade: bool = False
    solution: bool = False
    locked: bool = False
    task: bool = False

    @property
    def scored(self) -> bool:
        """Whether the role carries points."""
        return self.grade or self.task


KINDS: Mapping[str, Kind] = {
    "solution": Kind(("code",), solution=True),
    "check": Kind(("code",), grade=True, locked=True),
    "answer": Kind(("markdown",), grade=True, solution=True),
    "readonly": Kind(("code", "markdown"), locked=True),
    "task": Kind(("markdown",), task=True, locked=True),
}
# What jupytext itself adds says nothing to a student's notebook.
JUPYTEXT_KEYS = {"lines_to_next_cell", "cell_marker", "title"}
PLAIN_KEYS = {"tags", "slideshow", "jupyter"}


@dataclass(frozen=True)
class Place:
    """A cell of a script, for messages.

    Parameters
    ----------
    script : str
        The file's name.
    position : int
        The cell's number, counted from 1.
    header : str
        The cell's own keys, as the author wrote them.
    """

    script: str
    position: int
    header: str = ""

    def error(self, message: str) -> BuildError:
        """Return an error that names this cell."""
        return BuildError(f"{self.script}, cell {self.position}{self.header}: {message}")


@dataclass(frozen=True)
class Role:
    """The role of one cell: its kind (a key of `KINDS`), its id, and its points where it is scored."""

    kind: str
    id: str
    points: int | float | None = None

    @property
    def grade_id(self) -> str:
        """The id nbgrader knows the cell by."""
        return f"{self.kind}-{self.id}"

    def metadata(self, tags: list[str]) -> dict[str, Any]:
        """Return the cell metadata for nbgrader and JupyterLab; `tags` are the author's own."""
        kind = KINDS[self.kind]
        nbgrader: dict[str, Any] = {
            "grade": kind.grade,
            "grade_id": self.grade_id,
            "locked": kind.locked,
            "schema_version": SCHEMA_VERSION,
            "solution": kind.solution,
            "task": kind.task,
        }
        metadata: dict[str, Any] = {"nbgrader": nbgrader}
        if kind.scored:
            nbgrader["points"] = self.points
        if kind.locked:
            metadata |= {"deletable": False, "editable": False}
        if self.kind == "check":  # Run All has to go on after a failed check
            tags = sorted({*tags, "raises-exception"})
        return metadata | ({"tags": tags} if tags else {})


def place_of(script: str, position: int, cell: NotebookNode) -> Place:
    """Return the place of a cell as jupytext read it, before its roles are expanded."""
    keys = ", ".join(f'{key}="{cell.metadata[key]}"' for key in KINDS if key in cell.metadata)
    return Place(script, position, f" ({keys})" if keys else "")


def read_role(cell: NotebookNode, place: Place) -> Role | None:
    """Return the role that a cell's keys ask for, None for a plain cell.

    Raises
    ------
    BuildError
        If the keys contradict each other, the cell's type or its content, or are not known.
    """
    keys: dict[str, Any] = {key: value for key, value in cell.metadata.items() if key not in JUPYTEXT_KEYS}
    kinds = [kind for kind in KINDS if kind in keys]
    if cell.metadata.get("title") in KINDS:  # what jupytext makes of a bare word
        raise place.error(f'{cell.metadata["title"]}="..." needs an id of letters, digits, - and _')
    _refuse_unknown_keys(keys, place)
    if len(kinds) > 1:
        raise place.error(f"one cell has one role, not {' and '.join(kinds)}")
    if not kinds:
        if "points" in keys:
            raise place.error(f"points need a role: {', '.join(k for k in KINDS if KINDS[k].scored)}")
        return None
    (kind,) = kinds
    if cell.cell_type not in KINDS[kind].cell_types:
        raise place.error(f"{kind} belongs on a {' or '.join(KINDS[kind].cell_types)} cell, not {cell.cell_type}")
    role = Role(kind, _read_id(kind, keys[kind], place), _read_points(kind, keys, place))
    if kind == "check" and not _is_check_line(cell.source, role.id):
        raise place.error(f'a check cell is exactly one line: check("{role.id}", ...)')
    return role


def expand_role(cell: NotebookNode, role: Role | None, position: int) -> None:
    """Replace a cell's short keys by the full metadata, and give it an id that is the same in every build."""
    plain = {key: cell.metadata[key] for key in sorted(PLAIN_KEYS & set(cell.metadata))}
    full = role.metadata(list(plain.get("tags", []))) if role else {}
    cell.metadata = from_dict(plain | full)
    cell.id = role.grade_id if role else f"cell-{position}"


def _refuse_unknown_keys(keys: Mapping[str, Any], place: Place) -> None:
    if "nbgrader" in keys:
        raise place.error(f"write a short role ({', '.join(KINDS)}) instead of nbgrader metadata")
    if text := keys.get("incorrectly_encoded_metadata"):
        raise place.error(f'cannot read {text!r}: keys are written key="text" or key=number')
    unknown = sorted(set(keys) - set(KINDS) - PLAIN_KEYS - {"points"})
    if unknown:
        raise place.error(f"unknown key {', '.join(unknown)}; roles are {', '.join(KINDS)}")


def _read_id(kind: str, value: object, place: Place) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value):
        raise place.error(f'{kind}="..." needs an id of letters, digits, - and _')
    if len(f"{kind}-{value}") > LONGEST_CELL_ID:
        raise place.error(f"the id is too long: {kind}-{value} has more than {LONGEST_CELL_ID} characters")
    return value


def _read_points(kind: str, keys: Mapping[str, Any], place: Place) -> int | float | None:
    if not KINDS[kind].scored:
        if "points" in keys:
            raise place.error(f"a {kind} cell has no points; they stand on the check")
        return None
    points = keys.get("points")
    if isinstance(points, bool) or not isinstance(points, int | float):
        raise place.error(f"a {kind} cell needs points=NUMBER")
    if not (math.isfinite(points) and points > 0):
        raise place.error(f"points must be above zero, not {points}")
    return points


def _is_check_line(source: str, exercise: str) -> bool:
    if len(source.strip().splitlines()) != 1:
        return False
    try:
        statements = ast.parse(source.strip()).body
    except SyntaxError:
        return False
    match statements:
        case [ast.Expr(ast.Call(ast.Name("check"), [ast.Constant(name), *_]))]:
            return name == exercise
        case _:
            return False
