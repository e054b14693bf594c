"""Reading nbgrader's marks on a cell: what is graded, answered by hand or locked."""

from __future__ import annotations

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

__all__ = ["graded_exercise", "is_answer", "is_check", "is_locked"]

_CHECK = "check-"


def is_check(cell: NotebookNode) -> bool:
    """Whether the cell is graded by the examiner."""
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def is_answer(cell: NotebookNode) -> bool:
    """Whether the cell holds an answer that is graded by hand."""
    return bool(is_grade(cell) and is_solution(cell))


def graded_exercise(cell: NotebookNode) -> str | None:
    """Give the exercise that the examiner grades in this cell."""
    return str(cell.metadata.nbgrader.grade_id).removeprefix(_CHECK) if is_check(cell) else None
