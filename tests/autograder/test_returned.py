"""What goes to another machine and what comes back: nothing too much goes, and nothing comes in that is no result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.toy_course import ASSIGNMENT, DOUBLE, NOTEBOOK
from vitrina_autograder.bundle import Task, pack_assignment, pack_task, unpack, unpack_task
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.examination import Paper, Rules, examine, fingerprint, restored, seeds_for
from vitrina_autograder.examiner import ExaminerError
from vitrina_autograder.preprocessors import adopt_notebooks
from vitrina_autograder.remote import describe_worker, examine_task
from vitrina_autograder.returned import ReturnError, StrangerError, read_result
from vitrina_autograder.run import Patience

Answer = dict[str, Any]
RULES = Rules(patience=Patience(cell=17))


@pytest.fixture
def task(toy: Course, solved: dict[str, Any]) -> Task:
    """Ana's wrong solution, with a file beside it and neighbours around it."""
    for student in ("ana", "neighbour"):
        folder = toy.submitted / student / ASSIGNMENT
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "numbers.txt").write_text(f"numbers of {student}")
        (folder / NOTEBOOK).write_text(json.dumps(solved))
    (toy.submitted / "ana" / ASSIGNMENT / os.fsdecode(b"odd\xff name")).write_text("odd")
    (toy.submitted / "ana" / ASSIGNMENT / "link").symlink_to(toy.build / "course_secret")
    for cell in solved["cells"]:
        if cell["id"] == DOUBLE:
            cell["source"] = "def double(x):\n    return x"
    (toy.submitted / "ana" / ASSIGNMENT / NOTEBOOK).write_text(json.dumps(solved))
    adopt_notebooks(toy, ASSIGNMENT, toy.submitted / "ana" / ASSIGNMENT)
    paper = Paper(toy, ASSIGNMENT, "ana", Path(NOTEBOOK).stem)
    notebook = restored(paper)
    return Task(paper, notebook, fingerprint(paper, notebook))


def test_a_task_arrives_as_it_was_sent(task: Task, tmp_path: Path):
    received = unpack_task(pack_task(task, RULES), tmp_path / "there", task.paper.course)
    assert received.task.notebook == task.notebook
    assert received.task.fingerprint == task.fingerprint
    assert received.rules == RULES
    assert received.seeds == seeds_for(task.paper, task.notebook)
    assert sorted(received.seeds) == ["double", "quiz", "square"]
    assert fingerprint(received.task.paper, received.task.notebook) == task.fingerprint  # the files are the same
    assert (received.task.paper.submitted.parent / "data" / "numbers.txt").read_text() == "numbers of ana"


def test_neither_the_secret_nor_another_student_goes_along(task: Task):
    course = task.paper.course
    sent = pack_assignment(course, ASSIGNMENT) + pack_task(task, RULES)
    for secret in (course.secret, course.secret.hex().encode(), b"neighbour", b"course_secret"):
        assert secret not in sent
    other = replace(task, paper=replace(task.paper, student="neighbour"))
    for seed in seeds_for(other.paper, other.notebook).values():
        assert seed.hex().encode() not in sent


def test_an_assignment_is_packed_to_the_same_bytes_whenever_and_wherever(task: Task, tmp_path: Path):
    course = task.paper.course
    packed = pack_assignment(course, ASSIGNMENT)
    unpack(packed, tmp_path / "copy")
    copy = Course(tmp_path / "copy")
    assert pack_assignment(copy, ASSIGNMENT) == packed
    assert not (copy.build / "course_secret").exists()


@pytest.fixture(scope="module")
def mark() -> str:
    return json.loads(describe_worker())["mark"]


def test_another_machine_finds_what_this_one_finds(task: Task, mark: str):
    data = examine_task(mark, pack_assignment(task.paper.course, ASSIGNMENT), pack_task(task, RULES))
    there, here = read_result(data, task), examine(task.paper, restored(task.paper), RULES)
    assert replace(there, seconds=0) == replace(here, seconds=0)
    assert there.verdicts["double"].points < 3
    assert there.remarks == ["`link` cannot be used and was left out"]
    assert there.sandbox


def test_a_worker_says_why_there_is_no_result(task: Task, mark: str):
    course = task.paper.course
    with pytest.raises(StrangerError):
        read_result(examine_task("somebody else's", b"", b""), task)
    with pytest.raises(ExaminerError, match="ReadError"):
        read_result(examine_task(mark, b"no bundle", b""), task)
    exercises = course.assignment_folder(ASSIGNMENT) / "exercises.py"
    exercises.unlink()
    with pytest.raises((CourseError, ExaminerError)):
        read_result(examine_task(mark, pack_assignment(course, ASSIGNMENT), pack_task(task, RULES)), task)


def _set(*path: str | int, to: Any) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        place: Any = answer
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


VERDICT = ("verdicts", "double")
CASE = (*VERDICT, "outcomes", 0)
FORGED: dict[str, Callable[[Answer], Any]] = {
    "another student": _set("student", to="ben"),
    "other work": _set("fingerprint", to="0" * 64),
    "no verdict": lambda answer: answer["verdicts"].pop("double"),
    "a verdict more": lambda answer: answer["verdicts"].update(more=answer["verdicts"]["double"]),
    "another exercise's verdict": _set(*VERDICT, "exercise", to="square"),
    "more points": _set(*VERDICT, "max_points", to=300.0),
    "points as text": _set(*VERDICT, "max_points", to="3"),
    "no points": _set(*VERDICT, "max_points", to=float("nan")),
    "a weight below zero": _set(*CASE, "weight", to=-1.0),
    "a weight without end": _set(*CASE, "weight", to=float("inf")),
    "a weight that is no number": _set(*CASE, "weight", to=[1]),
    "an unknown status": _set(*CASE, "status", to="excellent"),
    "an unknown reply": _set(*CASE, "reply", to="sung"),
    "a message that is no text": _set(*CASE, "message", to={"html": "<script>"}),
    "a share above one": _set(*CASE, "share", to=1.5),
    "a share that is no number": _set(*CASE, "share", to=None),
    "a note that is no text": _set(*VERDICT, "note", to=7),
    "a picture that is no text": _set(*VERDICT, "picture", to=[]),
    "a field more": _set(*VERDICT, "bonus", to=7),
    "an array": _set(*CASE, "expected", to=[1.0]),
    "no outcomes": _set(*VERDICT, "outcomes", to=None),
    "a cell less": lambda answer: answer["notebook"]["cells"].pop(),
    "no notebook": lambda answer: answer.pop("notebook"),
    "no seconds": _set("seconds", to="soon"),
    "remarks that are none": _set("remarks", to=7),
}


@pytest.fixture(scope="module")
def returned() -> dict[str, bytes]:
    return {}


@pytest.fixture
def result(task: Task, mark: str, returned: dict[str, bytes]) -> bytes:
    """A true result, made once: the work and the course are the same in every test."""
    if not returned:
        returned["data"] = examine_task(mark, pack_assignment(task.paper.course, ASSIGNMENT), pack_task(task, RULES))
    return returned["data"]


@pytest.mark.parametrize("name", FORGED)
def test_what_is_no_result_is_refused(name: str, task: Task, result: bytes):
    answer = json.loads(result)
    read_result(json.dumps(answer).encode(), task)
    FORGED[name](answer)
    with pytest.raises(ReturnError):
        read_result(json.dumps(answer).encode(), task)


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"\xff", b"null", b"[" * 100_000, "text", None, 7])
def test_what_is_not_even_json_is_refused(data: object, task: Task):
    with pytest.raises(ReturnError):
        read_result(data, task)


def test_only_outputs_are_taken_from_a_notebook_that_comes_back(task: Task, result: bytes):
    answer = json.loads(result)
    for cell in answer["notebook"]["cells"]:
        cell["source"], cell["metadata"] = "3.0", {"nbgrader": {"points": 300}}
    answer["notebook"]["cells"][1]["outputs"] = [{"output_type": "unheard of"}]
    answer["quarantine"] = "never mind"
    answer["remarks"] = ["\x1b[2J" + "x" * 10_000] * 10_000
    examined = read_result(json.dumps(answer).encode(), task)
    assert [(cell.source, cell.metadata) for cell in examined.notebook.cells] == [
        (cell.source, cell.metadata) for cell in task.notebook.cells
    ]
    assert examined.notebook.cells[1].outputs == []
    assert examined.quarantine == ""
    assert "\x1b" not in examined.remarks[0]
    assert sum(map(len, examined.remarks)) < 1_000_000
