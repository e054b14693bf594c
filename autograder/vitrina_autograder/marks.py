"""Reading nbgrader's marks on a cell: what is graded, answered by hand or locked."""

from __future__ import annotations

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

__all__ = ["check_id", "graded_exercise", "is_answer", "is_check", "is_check_id", "is_locked"]

_CHECK = "check-"


def check_id(exercise: str) -> str:
    """Give nbgrader's id of the cell in which the examiner grades an exercise."""
    return f"{_CHECK}{exercise}"


def is_check_id(grade_id: str) -> bool:
    """Whether nbgrader's id is that of a cell that the examiner grades."""
    return grade_id.startswith(_CHECK)


def is_check(cell: NotebookNode) -> bool:
    """Whether the cell is graded by the examiner."""
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def is_answer(cell: NotebookNode) -> bool:
    """Whether the cell holds an answer that is graded by hand."""
    return bool(is_grade(cell) and is_solution(cell))


def graded_exercise(cell: NotebookNode) -> str | None:
    """Give the exercise that the examiner grades in this cell."""
    return str(cell.metadata.nbgrader.grade_id).removeprefix(_CHECK) if is_check(cell) else None
