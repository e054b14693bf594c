"""`vitrina grade`: many at once give the same grades, what is unchanged is left alone, a killed run goes on."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from corpus.small_class import ANSWERS, grade, hand_in, outcome
from corpus.toy_course import ASSIGNMENT, DOUBLE, NOTEBOOK, WHY
from vitrina_autograder import grade as grading
from vitrina_autograder.class_report import read_class
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.examiner import ExaminerError, examiner_for
from vitrina_autograder.grade import Grading, feedback_pages, read_grades
from vitrina_autograder.report import show_report
from vitrina_autograder.sandbox import LANDLOCK, SANDBOX, SANDBOX_VARIABLE
from vitrina_autograder.verdicts import load_record

pytestmark = pytest.mark.slow


def test_one_or_four_at_once_twice_the_same(class_of_four: Course):
    grade(class_of_four, jobs=1)
    alone = outcome(class_of_four)
    assert alone["ana"][0].score == 7
    assert alone["bea"][0].score < 7
    assert alone["carl"][0].score == 5
    for jobs in (4, 4):
        assert grade(class_of_four, jobs=jobs, force=True).of("recorded") == sorted(ANSWERS)
        assert outcome(class_of_four) == alone


def test_what_is_unchanged_is_left_alone(class_of_four: Course, solved: dict[str, Any]):
    grade(class_of_four)
    assert grade(class_of_four).of("skipped") == sorted(ANSWERS)
    hand_in(class_of_four, "bea", solved, {})
    steps = grade(class_of_four)
    assert steps.of("examined") == steps.of("recorded") == ["bea"]
    assert read_grades(class_of_four, ASSIGNMENT)["bea"].score == 7


def test_a_changed_exercise_is_graded_again(class_of_four: Course):
    grade(class_of_four)
    exercises = class_of_four.assignment_folder(ASSIGNMENT) / "exercises.py"
    exercises.write_text(exercises.read_text() + "\n# a case more\n")
    assert grade(class_of_four).of("recorded") == sorted(ANSWERS)


def test_scores_and_comments_given_by_hand_survive(class_of_four: Course):
    grade(class_of_four)
    with Gradebook(f"sqlite:///{class_of_four.gradebook}") as gradebook:
        notebook = NOTEBOOK.removesuffix(".ipynb")
        gradebook.find_grade(WHY, notebook, ASSIGNMENT, "ana").manual_score = 1.5
        gradebook.find_comment(WHY, notebook, ASSIGNMENT, "ana").manual_comment = "well said"
        gradebook.db.commit()
    grade(class_of_four, force=True)
    assert read_grades(class_of_four, ASSIGNMENT)["ana"].score == 8.5
    with Gradebook(f"sqlite:///{class_of_four.gradebook}") as gradebook:
        assert gradebook.find_comment(WHY, notebook, ASSIGNMENT, "ana").comment == "well said"


def test_who_handed_nothing_in_is_named_and_stops_nobody(class_of_four: Course, capsys: pytest.CaptureFixture[str]):
    (class_of_four.submitted / "emil" / ASSIGNMENT).mkdir(parents=True)
    grade(class_of_four)
    show_report(read_class(class_of_four, ASSIGNMENT))
    said = capsys.readouterr().out
    assert "no notebook was handed in" in " ".join(said.split())
    assert all(student in said for student in ANSWERS)
    assert len(list(feedback_pages(class_of_four, ASSIGNMENT, "ana"))) == 1


def test_an_examiner_that_fails_once_costs_nothing(
    class_of_four: Course, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_arguments: object, **_more: object) -> None:
        raise ExaminerError("lost")

    monkeypatch.setattr(grading, "examine", fail)
    grade(class_of_four)
    assert read_grades(class_of_four, ASSIGNMENT)["ana"].score == 7
    assert "ana: lost; this submission is examined once more" in caplog.messages
    assert not [said for said in caplog.records if said.exc_info and said.name.startswith("vitrina")]


@pytest.mark.parametrize("kind", [SANDBOX, LANDLOCK])
def test_in_no_sandbox_is_honest_work_taken_for_tampering(
    class_of_four: Course, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setenv(SANDBOX_VARIABLE, kind)
    grade(class_of_four)
    assert read_grades(class_of_four, ASSIGNMENT)["ana"].score == 7
    for student in ANSWERS:
        record = load_record(class_of_four, ASSIGNMENT, student)
        assert record is not None
        assert (record.sandbox, record.alarms, record.remarks) == (kind, [], [])


def test_what_cannot_be_recorded_is_remarked(class_of_four: Course, monkeypatch: pytest.MonkeyPatch):
    def fail(*_arguments: object, **_more: object) -> None:
        raise ExaminerError("the examiner was lost")

    monkeypatch.setattr(grading, "examine", fail)
    monkeypatch.setattr("vitrina_autograder.preprocessors.examine", fail)
    grade(class_of_four)
    record = load_record(class_of_four, ASSIGNMENT, "ana")
    assert record is not None
    assert "could not record" in record.remarks[-1]
    assert record.quarantine.endswith("ExaminerError: the examiner was lost")
    monkeypatch.undo()
    assert grade(class_of_four).of("recorded") == sorted(ANSWERS)  # the next run tries again
    assert read_grades(class_of_four, ASSIGNMENT)["ana"].score == 7


def test_nothing_is_graded_before_a_release(toy: Course):
    shutil.rmtree(toy.release)
    with pytest.raises(CourseError, match="vitrina release"):
        Grading(toy, ASSIGNMENT).run(["ana"])


HOSTILE_TEXT = "[/red] R[s][i] \x1b[2J\x1b]0;gone\x07 [bold]"


def test_the_report_shows_what_students_write_as_it_is(
    class_of_four: Course, solved: dict[str, Any], capsys: pytest.CaptureFixture[str]
):
    long = "García López, María del Carmen_1234567_assignsubmission_file"
    hand_in(class_of_four, "[red]bold", solved, {})
    hand_in(class_of_four, long, solved, {DOUBLE: f"def double(x):\n    raise ValueError({HOSTILE_TEXT!r})"})
    grade(class_of_four)
    show_report(read_class(class_of_four, ASSIGNMENT), Console(width=80))
    said = capsys.readouterr().out
    assert "R[s][i]" in said
    assert "\x1b" not in said
    assert "[red]bold" in said
    assert "rename the folder" in " ".join(said.split())
    (line,) = [line for line in said.splitlines() if line.strip().startswith("García") and "/9" in line]
    assert "4/9" in line


def test_folders_nested_by_thousands_stop_nobody(class_of_four: Course, solved: dict[str, Any]):
    deep = "import os\nfor _ in range(3000):\n    os.mkdir('d'); os.chdir('d')\n"
    hand_in(class_of_four, "ana", solved, {DOUBLE: deep + "def double(x):\n    return 2 * x"})
    grade(class_of_four)
    assert read_grades(class_of_four, ASSIGNMENT)["ana"].score == 7
    own = f"vitrina-{os.getpid()}-*"
    assert [path for path in Path(tempfile.gettempdir()).glob(own) if (path / "work").exists()] == []


def test_a_new_picture_in_an_answer_counts_as_new_work(class_of_four: Course, solved: dict[str, Any]):
    grade(class_of_four)
    for cell in solved["cells"]:
        if cell["id"] == WHY:
            cell["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo="}}
    hand_in(class_of_four, "ana", solved, {})
    assert grade(class_of_four).of("recorded") == ["ana"]


def test_a_result_for_other_work_is_not_used(class_of_four: Course, solved: dict[str, Any]):
    """A result that waits is used only for exactly the work it was made from."""
    forged = class_of_four.build / "examined" / ASSIGNMENT / "bea" / f"{Path(NOTEBOOK).stem}.json"
    forged.parent.mkdir(parents=True)
    notebook = nbformat.reads(json.dumps(solved), as_version=4)
    content = {"fingerprint": "0" * 64, "notebook": notebook, "verdicts": {}, "remarks": [], "seconds": 0.0}
    forged.write_text(json.dumps(content))
    grade(class_of_four)
    assert read_grades(class_of_four, ASSIGNMENT)["bea"].score < 7
    assert not os.path.lexists(forged)


def test_exercises_with_an_error_cost_nobody_anything(class_of_four: Course):
    """It is the instructor's to mend: nobody gets a zero, nobody is quarantined."""
    exercises = class_of_four.assignment_folder(ASSIGNMENT) / "exercises.py"
    exercises.write_text(exercises.read_text() + "\nraise ValueError('not ready')\n")
    with pytest.raises(CourseError, match="does not start"):
        grade(class_of_four)
    assert set(outcome(class_of_four).values()) == {(None, None)}


def test_the_examiner_tells_what_exercises_there_are(toy_course: Course):
    outlines = examiner_for(toy_course.assignment_folder(ASSIGNMENT)).outlines()
    assert list(outlines) == ["double", "square", "quiz"]
    assert outlines["double"].hints == ["That is the square."]
    assert outlines["quiz"].competences == ["theory"]


def test_work_that_lies_in_the_wrong_place_is_named(class_of_four: Course, solved: dict[str, Any]):
    beside, file = class_of_four.submitted / "eva", class_of_four.submitted / "fred"
    beside.mkdir()
    (beside / NOTEBOOK).write_text(json.dumps(solved))
    file.mkdir()
    (file / ASSIGNMENT).write_text(json.dumps(solved))
    grade(class_of_four)
    records = {student: load_record(class_of_four, ASSIGNMENT, student) for student in ("eva", "fred")}
    assert records["eva"] is not None
    assert f"lies beside the folder `{ASSIGNMENT}`" in records["eva"].quarantine
    assert records["fred"] is not None
    assert f"`{ASSIGNMENT}` is a file" in records["fred"].quarantine
    assert read_grades(class_of_four, ASSIGNMENT)["ana"].score == 7
