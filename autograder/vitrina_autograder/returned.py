"""What another machine sends back is looked through before it counts as a result: it may be of any form.

It has to be about the work that was sent, and hold a verdict for every graded cell and no other, with that cell's
points. Only outputs are taken from the notebook in it; cells, marks and text stay those that were sent.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from typing import Any, cast, get_args

import nbformat
from nbformat import NotebookNode

from vitrina.judging import REPLY_STATUSES, Status, Verdict
from vitrina.values import plain_text
from vitrina_autograder.bundle import Task
from vitrina_autograder.course import CourseError
from vitrina_autograder.examination import Examined, sound_notebook
from vitrina_autograder.examiner import ExaminerError
from vitrina_autograder.intake import take_quarantine, take_remarks
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.verdicts import verdict_from_data

_MAX_BYTES = 256 << 20
_MAX_REMARKS = 200
_TEXT_LENGTH = 1000


class ReturnError(Exception):
    """What came back is no result of what was sent; the message says why."""


class StrangerError(Exception):
    """The task met another worker than the one that was meant."""


def read_result(data: object, task: Task) -> Examined:
    """Read what `remote.examine_task` gave for a task.

    Raises
    ------
    ReturnError
        When it is no result of this task.
    StrangerError
        When another worker answers, which examined nothing.
    ExaminerError
        When examining failed there.
    CourseError
        When the assignment's exercises have an error.
    """
    if not isinstance(data, bytes) or len(data) > _MAX_BYTES:
        raise ReturnError(f"it is no text of at most {_MAX_BYTES >> 20} MB")
    try:
        return _read(_answer(json.loads(data)), task)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ReturnError(f"it has not the form of a result ({type(error).__name__}: {error})") from error


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    if "stranger" in answer:
        raise StrangerError
    if "fault" in answer:
        raise CourseError(plain_text(answer["fault"], _TEXT_LENGTH))
    if "failed" in answer:
        raise ExaminerError(plain_text(answer["failed"], _TEXT_LENGTH))
    return answer


def _read(result: dict[str, Any], task: Task) -> Examined:
    if (result["student"], result["fingerprint"]) != (task.paper.student, task.fingerprint):
        raise ReturnError("it is about other work")
    notebook = copy.deepcopy(task.notebook)
    take_remarks(notebook)
    quarantine = take_quarantine(notebook)
    _take_outputs(notebook, result["notebook"]["cells"])
    return Examined(
        notebook=sound_notebook(notebook),
        verdicts=_sound_verdicts(result["verdicts"], notebook),
        remarks=[plain_text(remark, _TEXT_LENGTH) for remark in result["remarks"][:_MAX_REMARKS]],
        seconds=float(result["seconds"]),
        quarantine=quarantine,
        sandbox=plain_text(result["sandbox"], _TEXT_LENGTH),
    )


def _take_outputs(notebook: NotebookNode, cells: Sequence[Any]) -> None:
    for cell, returned in zip(notebook.cells, cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = [cast(NotebookNode, nbformat.from_dict(output)) for output in returned["outputs"]]
            cell.execution_count = returned["execution_count"]


def _sound_verdicts(returned: dict[str, Any], notebook: NotebookNode) -> dict[str, Verdict]:
    graded = {exercise: cell for cell in notebook.cells if (exercise := graded_exercise(cell)) is not None}
    if returned.keys() != graded.keys():
        raise ReturnError("it scores other exercises")
    for exercise, item in returned.items():
        points = float(graded[exercise].metadata.nbgrader.points)
        if item["exercise"] != exercise or item["max_points"] != points:
            raise ReturnError(f"it scores {exercise} with other points")
        if not _has_texts(item, "title", "formula", "note", "picture") or not all(map(_is_sound, item["outcomes"])):
            raise ReturnError(f"its verdict on {exercise} has not the form of one")
    return {exercise: verdict_from_data(item) for exercise, item in returned.items()}


def _is_sound(outcome: dict[str, Any]) -> bool:
    return (
        _has_texts(outcome, "title", "message", "hint")
        and outcome["status"] in get_args(Status)
        and outcome["reply"] in REPLY_STATUSES
        and isinstance(outcome["edge"], bool)
        and isinstance(outcome["weight"], float | int)
        and 0 <= outcome["weight"] < math.inf
        and isinstance(outcome["share"], float | int)
        and 0 <= outcome["share"] <= 1
        and outcome["expected"] is outcome["received"] is None
    )


def _has_texts(item: dict[str, Any], *names: str) -> bool:
    return all(isinstance(item[name], str) for name in names)
