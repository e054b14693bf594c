"""Lateness from the instructor's file to nbgrader's gradebook and the student's page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nbgrader.api import Gradebook

from corpus.toy_course import ASSIGNMENT, NOTEBOOK, WHY
from vitrina_autograder.course import Course
from vitrina_autograder.deadlines import FILE_NAME, grant, revoke
from vitrina_autograder.folders import TIMESTAMP
from vitrina_autograder.grade import Grading, feedback_pages, read_grades
from vitrina_autograder.lateness import received, settle, write_received
from vitrina_autograder.release import nbgrader_api, release_assignment
from vitrina_autograder.standing import refresh_feedback, stale_feedback
from vitrina_autograder.verdicts import load_record

pytestmark = pytest.mark.slow

DUE = datetime(2026, 12, 1, 22, 59, tzinfo=UTC)
LATE = {"ana": timedelta(0), "bea": timedelta(days=1, hours=3), "carl": None}


def declare(course: Course, when: str = "2026-12-01 23:59", per_day: float = 0.1) -> None:
    text = f'[late]\nper_day = {per_day}\n[due]\nweek9 = "{when}"\n'
    (course.assignments / FILE_NAME).write_text(text, encoding="utf-8")


@pytest.fixture
def course(toy: Course, solved: dict[str, Any]) -> Course:
    """Three right submissions: in time, two days begun late, and at a time nobody knows."""
    for student, late in LATE.items():
        folder = toy.submitted / student / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / NOTEBOOK).write_text(json.dumps(solved), encoding="utf-8")
        if late is not None:
            write_received(folder, DUE + late)
    declare(toy)
    return toy


def totals(course: Course) -> dict[str, float]:
    return {student: grade.total for student, grade in read_grades(course, ASSIGNMENT).items()}


def page(course: Course, student: str) -> str:
    (path,) = feedback_pages(course, ASSIGNMENT, student)
    return path.read_text(encoding="utf-8")


def give_by_hand(course: Course, student: str, points: float, comment: str) -> None:
    notebook = NOTEBOOK.removesuffix(".ipynb")
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        grade = gradebook.find_grade(WHY, notebook, ASSIGNMENT, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.find_comment(WHY, notebook, ASSIGNMENT, student).manual_comment = comment
        gradebook.db.commit()


def test_from_late_to_extended_to_forgiven(course: Course):
    Grading(course, ASSIGNMENT).run(sorted(LATE))
    assert totals(course) == {"ana": 7, "bea": 5.6, "carl": 7}
    assert "2 days late: −20 % (1.4 points)" in page(course, "bea")
    assert "hen it was handed in is not known: taken as on time" in page(course, "carl")
    assert "late" not in page(course, "ana").split("</header>")[0].split("<header>")[1]
    runs = {student: record(course, student) for student in LATE}

    give_by_hand(course, "bea", 2, "well said")
    assert refresh_feedback(course, ASSIGNMENT) == ["bea"]
    assert totals(course)["bea"] == 7.2  # a share of all that was earned
    assert "well said" in page(course, "bea")
    assert "(1.8 points)" in page(course, "bea")

    grant(course, ASSIGNMENT, "bea", days=1)
    assert refresh_feedback(course, ASSIGNMENT) == ["bea"]
    assert totals(course)["bea"] == 8.1
    declare(course, "2026-12-05 23:59")
    revoke(course, ASSIGNMENT, "bea")
    assert refresh_feedback(course, ASSIGNMENT) == ["bea"]
    assert totals(course)["bea"] == 9
    assert stale_feedback(course, ASSIGNMENT) == []
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        grade = gradebook.find_grade(WHY, NOTEBOOK.removesuffix(".ipynb"), ASSIGNMENT, "bea")
        assert (grade.manual_score, grade.needs_manual_grade) == (2, False)
    assert {student: record(course, student) for student in LATE} == runs  # no notebook ran again


def record(course: Course, student: str) -> Any:
    found = load_record(course, ASSIGNMENT, student)
    assert found is not None
    return found.fingerprints, found.seconds


def test_plain_nbgrader_gives_the_same_penalty(course: Course):
    outcome = nbgrader_api(course).autograde(ASSIGNMENT, "bea", force=True)
    assert outcome["success"], outcome
    assert totals(course)["bea"] == 5.6


def test_formgrader_shows_the_due_time_and_a_students_extension(course: Course):
    release_assignment(course, ASSIGNMENT)
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        assert gradebook.find_assignment(ASSIGNMENT).duedate == DUE.replace(tzinfo=None)
        gradebook.update_or_create_submission(ASSIGNMENT, gradebook.update_or_create_student("bea").id)
    grant(course, ASSIGNMENT, "bea", days=1)
    settle(course, ASSIGNMENT)
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        submission = gradebook.find_submission(ASSIGNMENT, "bea")
        assert submission.extension == timedelta(days=1)
        assert submission.total_seconds_late == timedelta(hours=3).total_seconds()


def test_no_penalty_takes_more_than_there_is(course: Course):
    declare(course, per_day=1)
    (course.submitted / "bea" / ASSIGNMENT / NOTEBOOK).write_text("no notebook", encoding="utf-8")
    Grading(course, ASSIGNMENT).run(["bea"])
    assert totals(course) == {"bea": 0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01 23:59:00 Europe/Madrid", datetime(2026, 12, 1, 22, 59)),
        ("2026-12-01 22:59:00.000000 UTC", datetime(2026, 12, 1, 22, 59)),
        ("", None),
        ("yesterday evening", None),
    ],
)
def test_when_it_came_in_is_read_from_the_folder_alone(toy: Course, text: str, expected: datetime | None):
    folder = toy.submitted / "ana" / ASSIGNMENT
    folder.mkdir(parents=True)
    assert received(toy, ASSIGNMENT, "ana") is None
    (folder / TIMESTAMP).write_text(text, encoding="utf-8")
    assert received(toy, ASSIGNMENT, "ana") == expected
