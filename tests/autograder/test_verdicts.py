"""The ledger: what is saved is what is loaded, no hidden number lies in it, and no reader sees half of it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.judging import Outcome, Verdict
from vitrina.protocol import receive, send
from vitrina_autograder.course import Course
from vitrina_autograder.verdicts import (
    Record,
    load_record,
    record_path,
    save_record,
    verdict_from_data,
    verdict_to_data,
)

TEXTS = st.text(st.characters(), max_size=8)
OUTCOMES = st.builds(
    Outcome, TEXTS, st.sampled_from(["passed", "failed", "unanswered", "recorded"]), st.floats(0, 9), TEXTS, TEXTS
)
VERDICTS = st.builds(Verdict, TEXTS, TEXTS, st.floats(0, 9), TEXTS, st.lists(OUTCOMES, max_size=3), TEXTS)
SECRET = np.array([0.123456789, 9.87654321])


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


def record(**fields) -> Record:
    outcome = Outcome("case", "failed", 1.0, "wrong", "hint", expected=SECRET, received=SECRET + 1)
    verdict = Verdict("double", "Twice", 3.0, "y = 2 x", [outcome, Outcome("b", "passed", 2.0)], "note é ✓")
    return Record("ana.maria", "week1", {"double": verdict}, **fields)


@given(VERDICTS)
def test_a_verdict_comes_back_as_it_was(verdict):
    data = json.loads(json.dumps(verdict_to_data(verdict)))
    assert verdict_from_data(data) == verdict
    assert verdict_from_data(data).points == verdict.points


def test_a_verdict_travels_between_examiner_and_executor():
    import socket

    left, right = socket.socketpair()
    verdict = record().verdicts["double"]
    with left, right:
        send(left, {"verdict": verdict_to_data(verdict)})
        back = verdict_from_data(receive(right)["verdict"])
    assert (back.points, back.note, back.outcomes[0].hint) == (2.0, "note é ✓", "hint")


def test_a_record_comes_back_without_its_arrays(course):
    kept = record(remarks=["cell 3 was restored"], sandbox="bubblewrap", seconds=1.5)
    save_record(course, kept)
    back = load_record(course, "week1", "ana.maria")
    bare = dataclasses.replace(kept.verdicts["double"].outcomes[0], expected=None, received=None)
    verdict = dataclasses.replace(kept.verdicts["double"], outcomes=[bare, kept.verdicts["double"].outcomes[1]])
    assert back == dataclasses.replace(kept, verdicts={"double": verdict})


def test_no_array_lies_on_disk(course):
    save_record(course, record())
    text = record_path(course, "week1", "ana.maria").read_text()
    assert "123456" not in text
    assert "87654" not in text


def test_each_student_and_assignment_has_a_file(course):
    students = ["ana", "ana.maria", "ana.juan", "ben"]
    for student in students:
        save_record(course, dataclasses.replace(record(), student=student))
    save_record(course, dataclasses.replace(record(), assignment="week2"))
    assert [load_record(course, "week1", student).student for student in students] == students
    assert {path.name for path in (course.verdicts / "week1").iterdir()} == {f"{student}.json" for student in students}
    assert load_record(course, "week2", "ana.maria").assignment == "week2"
    assert load_record(course, "week2", "ben") is None


def test_a_reader_never_sees_half_a_record(course, monkeypatch):
    """A crash anywhere while writing leaves the earlier record as it was."""
    save_record(course, record(sandbox="first"))
    writes = Path.write_text

    def crash(self, data, **options):
        writes(self, data[: len(data) // 2], **options)
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", crash)
    with pytest.raises(OSError, match="disk full"):
        save_record(course, record(sandbox="second"))
    monkeypatch.undo()
    assert load_record(course, "week1", "ana.maria").sandbox == "first"
    save_record(course, record(sandbox="third"))
    assert load_record(course, "week1", "ana.maria").sandbox == "third"


def test_hostile_text_in_a_message_is_only_text(course):
    outcome = Outcome("c", "failed", 1.0, '"}, "points": 99, "\ud800\0<script>')
    save_record(course, Record("ana", "week1", {"e": Verdict("e", "E", 1.0, outcomes=[outcome])}))
    assert load_record(course, "week1", "ana").verdicts["e"].outcomes == [outcome]
