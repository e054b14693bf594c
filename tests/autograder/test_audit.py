"""The audit log: it grows, it holds what is needed to explain a grade, and it shows when somebody changed it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from corpus.toy_course import ASSIGNMENT, NOTEBOOK, WHY
from vitrina_autograder.audit import audit_path, hash_files, last_hash, note_by_hand, note_event, note_run, read_log
from vitrina_autograder.course import Course
from vitrina_autograder.exercise import exam_seed
from vitrina_autograder.grade import Grading, read_grades, submitted_students


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


def lines(course: Course) -> list[bytes]:
    return audit_path(course).read_bytes().splitlines()


def troubles(course: Course) -> list[int]:
    return [entry.number for entry in read_log(course) if entry.trouble]


def fill(course: Course, count: int = 5) -> None:
    for number in range(count):
        note_event(course, "extension", assignment="week9", student=f"student {number}\n\u2028ñ")


def test_each_line_is_an_object_that_says_who_and_when(course: Course):
    fill(course)
    assert len(lines(course)) == 5
    for number, line in enumerate(lines(course)):
        entry = json.loads(line)
        assert entry["student"] == f"student {number}\n\u2028ñ"
        assert "@" in entry["who"]
        when = datetime.fromisoformat(entry["time"])
        assert when.tzinfo is not None
        assert abs(datetime.now(UTC) - when) < timedelta(minutes=10)
    assert troubles(course) == []


@pytest.mark.parametrize("change", ["edited", "removed", "moved", "inserted"])
def test_a_changed_log_shows_where(course: Course, change: str):
    fill(course)
    old = lines(course)
    changed = {
        "edited": [old[0], old[1].replace(b"student 1", b"student 9"), *old[2:]],
        "removed": [old[0], *old[2:]],
        "moved": [old[0], old[2], old[1], *old[3:]],
        "inserted": [*old[:2], old[0], *old[2:]],
    }[change]
    audit_path(course).write_bytes(b"\n".join(changed) + b"\n")
    assert troubles(course)
    assert troubles(course)[0] in (2, 3)


def test_a_log_cut_short_has_another_last_hash(course: Course):
    fill(course)
    before = last_hash(course)
    audit_path(course).write_bytes(b"\n".join(lines(course)[:-1]) + b"\n")
    assert troubles(course) == []
    assert last_hash(course) != before


@pytest.mark.parametrize("left", [1, 10, 100])
def test_a_line_that_a_crash_cut_off_costs_only_itself(course: Course, left: int):
    fill(course)
    data = audit_path(course).read_bytes()
    audit_path(course).write_bytes(data + b'{"time": "2026-12-01T20:00", "event": "grad"' * 5)
    audit_path(course).write_bytes(audit_path(course).read_bytes()[: len(data) + left])
    assert [entry.trouble for entry in read_log(course) if entry.trouble] == ["this line was cut off or overwritten"]
    fill(course, 2)
    assert troubles(course) == [6]
    assert len(list(read_log(course))) == 8
    assert audit_path(course).read_bytes().startswith(data)


def test_a_very_long_line_is_chained_too(course: Course):
    note_event(course, "collected", left_out=["x" * 300_000])
    fill(course, 1)
    note_event(course, "collected", left_out=["y" * 70_000])
    fill(course, 1)
    assert troubles(course) == []


def test_two_processes_write_one_chain(course: Course):
    program = (
        "import sys; from pathlib import Path; from vitrina_autograder.audit import note_event; "
        "from vitrina_autograder.course import Course; "
        "[note_event(Course(Path(sys.argv[1])), 'extension', number=n) for n in range(40)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(course.root)]) for _ in range(3)]
    assert [writer.wait(timeout=300) for writer in writers] == [0, 0, 0]
    assert len(lines(course)) == 120
    assert troubles(course) == []


def events(course: Course, event: str) -> list[dict[str, Any]]:
    return [dict(entry.data) for entry in read_log(course) if entry.data.get("event") == event]


@pytest.mark.slow
def test_a_grading_can_be_explained_afterwards(toy: Course, solved: dict[str, Any]):
    for student, text in {"ana": json.dumps(solved), "zoe": "no notebook"}.items():
        folder = toy.submitted / student / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / NOTEBOOK).write_text(text, encoding="utf-8")
    students = submitted_students(toy, ASSIGNMENT)
    Grading(toy, ASSIGNMENT).run(students)
    note_run(toy, ASSIGNMENT, students)
    (ana,) = events(toy, "graded")
    assert ana["student"] == "ana"
    assert sum(ana["points"].values()) == read_grades(toy, ASSIGNMENT)["ana"].score == 7
    assert ana["submitted"] == {NOTEBOOK: hash_files([toy.submitted / "ana" / ASSIGNMENT / NOTEBOOK])}
    assert ana["sandbox"]
    assert all(ana[key] for key in ("release", "exercises", "reference", "fingerprints", "seconds", "seeds"))
    text = audit_path(toy).read_text(encoding="utf-8")
    seed = exam_seed(toy.secret, "ana", "double")
    assert seed.hex() not in text
    assert toy.secret.hex() not in text
    (zoe,) = events(toy, "not graded")
    assert "not a notebook" in zoe["reason"]
    (end,) = events(toy, "grading ended")
    assert end["states"] == {"graded": 1, "quarantined": 1}
    assert list(end["quarantined"]) == ["zoe"]

    note_by_hand(toy, ASSIGNMENT)
    assert events(toy, "by hand") == []
    with Gradebook(f"sqlite:///{toy.gradebook}") as gradebook:
        name = NOTEBOOK.removesuffix(".ipynb")
        gradebook.find_grade(WHY, name, ASSIGNMENT, "ana").manual_score = 1.5
        gradebook.find_comment(WHY, name, ASSIGNMENT, "ana").manual_comment = "A private word."
        gradebook.db.commit()
    note_by_hand(toy, ASSIGNMENT)
    note_by_hand(toy, ASSIGNMENT)
    (change,) = events(toy, "by hand")
    assert change["points"] == {WHY: 1.5}
    assert list(change["comments"]) == [WHY]
    assert "private" not in audit_path(toy).read_text(encoding="utf-8")
    assert troubles(toy) == []
