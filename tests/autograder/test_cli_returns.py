"""The commands around grading, as an instructor types them."""

from __future__ import annotations

import csv
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from corpus.toy_course import ASSIGNMENT, NOTEBOOK
from vitrina_autograder.audit import audit_path
from vitrina_autograder.cli import app
from vitrina_autograder.course import Course
from vitrina_autograder.deadlines import FILE_NAME
from vitrina_autograder.grade import read_grades
from vitrina_autograder.identities import read_identities


def vitrina(course: Course | Path, *arguments: str) -> tuple[int, str]:
    """Run a command in a course's folder; what it says comes back in one line."""
    before = Path.cwd()
    os.chdir(course.root if isinstance(course, Course) else course)
    try:
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    finally:
        os.chdir(before)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize("command", ["collect", "extend", "export", "audit"])
def test_help_teaches(command: str):
    code, said = vitrina(Path.cwd(), command, "--help")
    assert code == 0
    assert len(said.split()) > 40


@pytest.mark.parametrize(
    "arguments", [("collect", "week9", "x.zip"), ("extend", "week9"), ("export", "week9", "--moodle"), ("audit",)]
)
def test_outside_a_course_it_says_what_to_do(arguments: tuple[str, ...], tmp_path: Path):
    code, said = vitrina(tmp_path, *arguments)
    assert code == 1
    assert "is not inside a course" in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("extend", ASSIGNMENT, "ana"), "--days 2"),
        (("extend", ASSIGNMENT, "ana", "--days", "2", "--until", "2026-12-03"), "--days 2"),
        (("extend", ASSIGNMENT, "ana", "--remove"), "no extension"),
        (("extend", ASSIGNMENT, "ana", "--until", "soon"), "2026-12-01T23:59"),
        (("export", ASSIGNMENT), "--moodle or --canvas"),
        (("export", ASSIGNMENT, "--moodle", "--canvas"), "--moodle or --canvas"),
        (("export", ASSIGNMENT, "--moodle", "--roster", "no.csv"), "cannot be read"),
        (("collect", ASSIGNMENT, "no.zip"), "there is no"),
        (("collect", ASSIGNMENT, ".", "--received", "soon"), "2026-12-01T20:00"),
        (("collect", ASSIGNMENT, ".", "--received", "2026-12-01", "--file-times"), "either"),
        (("audit", "week77"), "no assignment"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(toy: Course, arguments: tuple[str, ...], complaint: str):
    (toy.assignments / FILE_NAME).write_text('[due]\nweek9 = "2026-12-01 23:59"\n')
    code, said = vitrina(toy, *arguments)
    assert code == 1
    assert complaint in said


def test_a_mistake_in_the_due_times_stops_grading_before_anything_runs(toy: Course):
    (toy.assignments / FILE_NAME).write_text("[due]\nweek9 = tomorrow\n")
    (toy.submitted / "ana" / ASSIGNMENT).mkdir(parents=True)
    code, said = vitrina(toy, "grade", ASSIGNMENT)
    assert code == 1
    assert "deadlines.toml" in said
    assert not toy.verdicts.exists()


@pytest.mark.slow
def test_a_weeks_round_without_names(toy: Course, solved: dict[str, Any], tmp_path: Path):
    """Collect, grade, give more time, grade again, hand the grades back, look at the log."""
    (toy.assignments / FILE_NAME).write_text('[due]\nweek9 = "2026-12-01 23:59"\n')
    for name in ("Ana García_11_assignsubmission_file", "Bea Ruiz_12_assignsubmission_file"):
        (tmp_path / "all" / name).mkdir(parents=True)
        (tmp_path / "all" / name / NOTEBOOK).write_text(json.dumps(solved), encoding="utf-8")
    late = ("--received", "2026-12-03T12:00")
    code, said = vitrina(toy, "collect", ASSIGNMENT, str(tmp_path / "all"), "--anonymous", *late)
    assert code == 0, said
    assert "2 new" in said
    code, said = vitrina(toy, "grade", ASSIGNMENT)
    assert code == 0, said
    assert "García" not in said
    assert "taken as on time" not in said
    one, two = sorted(read_grades(toy, ASSIGNMENT))
    assert one in said
    assert "5.6/9" in said
    code, said = vitrina(toy, "extend", ASSIGNMENT, one, "--days", "2", "--reason", "ill")
    assert "due 2026-12-03 23:59 CET" in said
    assert "ill" in vitrina(toy, "extend", ASSIGNMENT)[1]
    vitrina(toy, "grade", ASSIGNMENT)
    assert {student: grade.total for student, grade in read_grades(toy, ASSIGNMENT).items()} == {one: 7, two: 5.6}
    code, said = vitrina(toy, "export", ASSIGNMENT, "grades.csv", "--moodle", "--partial")
    assert code == 0, said
    assert "students who still have answers to grade by hand (2)" in said
    with (toy.root / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row[0]: row[3] for row in csv.reader(file)}
    assert sorted(rows) == ["Ana García", "Bea Ruiz", "Full name"]
    assert {rows["Ana García"], rows["Bea Ruiz"]} == {"7", "5.6"}
    code, said = vitrina(toy, "audit", "--all")
    assert code == 0
    for event in ("collected", "grading began", "graded", "grading ended", "extension", "exported"):
        assert event in said
    assert "chain unbroken" in said
    code, said = vitrina(toy, "audit", ASSIGNMENT, "--student", one)
    assert f"graded {ASSIGNMENT} {one}" in said
    assert f"{ASSIGNMENT} {two}" not in said
    for folder in toy.submitted.glob(f"*/{ASSIGNMENT}"):
        (folder / "timestamp.txt").unlink()
    assert "taken as on time (2)" in vitrina(toy, "grade", ASSIGNMENT)[1]
    path = audit_path(toy)
    path.write_bytes(path.read_bytes().replace(b'"reason": "ill"', b'"reason": "???"'))
    code, said = vitrina(toy, "audit")
    assert code == 1
    assert "cannot be trusted" in said


def test_names_that_students_gave_do_nothing_in_a_terminal(toy: Course, tmp_path: Path):
    evil = "\x1b]0;owned\x07\u202e"
    folder = tmp_path / "all" / f"ana{evil}"
    folder.mkdir(parents=True)
    (folder / NOTEBOOK).write_text("{}")
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr(f"../{evil}", "x")
    (folder / NOTEBOOK).rename(folder / "toy.txt")
    outputs = [vitrina(toy, "collect", ASSIGNMENT, str(tmp_path / "all"))[1], vitrina(toy, "audit")[1]]
    outputs.append(vitrina(toy, "extend", ASSIGNMENT, f"ana{evil}", "--days", "2")[1])
    outputs.append(vitrina(toy, "extend", ASSIGNMENT)[1])
    assert "leads out" in outputs[0]
    for said in outputs:
        assert "owned" in said or "due" in said
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said)


def test_a_folder_whose_name_is_no_text_is_collected(toy: Course, tmp_path: Path):
    folder = tmp_path / "all" / "a\udcff"
    folder.mkdir(parents=True)
    (folder / NOTEBOOK).write_text("{}")
    assert vitrina(toy, "collect", ASSIGNMENT, str(tmp_path / "all"))[0] == 0
    assert [path.name for path in toy.submitted.glob("a*")] == ["a\udcff"]
    assert set(read_identities(toy)) == {"a\udcff"}
