"""The one line of a graded cell, in practice and in a whole exam over a real socket."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from vitrina import grading
from vitrina.check import check
from vitrina.judging import Case
from vitrina.practice import PRACTICE_FILE, PracticeExercise, write_practice
from vitrina.protocol import EXAMINER_VARIABLE
from vitrina_autograder import exam as exam_module
from vitrina_autograder.exam import Exam
from vitrina_autograder.exercise import Draw, Exercise, PlantedBug, Question, Quiz


def draw_rows(generator):
    return [Draw(f"{size} rows", (generator.standard_normal((size, 3)),), weight=size) for size in (1, 2, 3)]


DOUBLE = Exercise(
    id="double",
    title="Twice the input",
    formula="y = 2 x",
    competences=["algebra"],
    reference=lambda x: 2 * x,
    draw=draw_rows,
    bugs=[PlantedBug("You squared.", lambda x: x**2)],
)
RULES = Quiz(
    id="rules",
    title="Which rule?",
    formula="",
    competences=["lrp"],
    questions=[Question("pixels", ["zB", "epsilon"], "zB"), Question("top", ["zB", "epsilon"], "epsilon")],
)


@pytest.fixture
def exam(monkeypatch):
    monkeypatch.setattr(exam_module, "CALL_SECONDS", 0.3)
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        address = Path(folder) / "examiner"
        monkeypatch.setenv(EXAMINER_VARIABLE, str(address))
        exam = Exam({"double": DOUBLE, "rules": RULES}, "ana", {"double": b"seed", "rules": b"seed"}, address)
        yield exam
        exam.close()


def sat(exam, name, answer, points=6.0):
    """The examiner's verdict on one graded cell; what the student sees holds no points."""
    exam.enter_cell(name, points)
    shown = check(name, answer)
    verdict = exam.leave_cell()
    assert (repr(shown), shown.outcomes, shown.formula) == ("0.0", (), "")
    return verdict, shown.note


def test_a_right_answer_gets_full_points(exam, capsys):
    verdict, note = sat(exam, "double", lambda x: x + x)
    assert (verdict.points, verdict.max_points) == (6.0, 6.0)
    assert [outcome.title for outcome in verdict.outcomes] == ["1 rows", "2 rows", "3 rows"]
    assert "sent to the examiner" in note
    assert capsys.readouterr().out == ""


def test_a_planted_bug_is_recognised_and_nothing_hidden_is_kept(exam):
    verdict, _note = sat(exam, "double", lambda x: x**2)
    assert verdict.points == 0.0
    for outcome in verdict.outcomes:
        assert outcome.hint == "You squared."
        assert outcome.expected is outcome.received is None


def test_each_case_has_its_share_of_the_points(exam):
    verdict, _note = sat(exam, "double", lambda x: 2 * x if len(x) < 3 else x)
    assert verdict.points == 3.0


def test_a_quiz_is_judged(exam):
    assert sat(exam, "rules", {"pixels": "zB", "top": "zB"}, 2.0)[0].points == 1.0


def test_errors_loops_and_exits_are_verdicts(exam):
    def fail(x):
        raise ValueError(f"rows {len(x)}")

    verdict, _note = sat(exam, "double", fail)
    assert verdict.points == 0.0
    assert "ValueError: rows 1" in verdict.outcomes[0].message


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (lambda _x: sys.exit(), "failed", "SystemExit"),
        (lambda _x: {"a": 1}, "failed", "dict"),
        (lambda _x: np.array([object()]), "failed", "an array of object"),
        (lambda x: x * np.nan, "failed", "NaN"),
        (lambda x: x.astype(complex), "failed", "an array of complex128"),
        (lambda _x: np.broadcast_to(0.0, 10**9), "failed", "far more"),
        (lambda _x: "\ud800", "failed", "array of numbers"),
        (lambda _x: None, "failed", "return"),
        (None, "unanswered", "not answered yet"),
    ],
    ids=range(9),
)
def test_whatever_is_returned_has_a_verdict(exam, answer, status, message):
    verdict, _note = sat(exam, "double", answer)
    assert verdict.points == 0.0
    assert {outcome.status for outcome in verdict.outcomes} == {status}
    assert message in verdict.outcomes[0].message


def test_an_endless_loop_costs_its_time_once(exam):
    def spin(_x):
        while True:
            pass

    verdict, _note = sat(exam, "double", spin)
    assert [outcome.message for outcome in verdict.outcomes][1:] == ["not tried", "not tried"]
    assert "does a loop never end?" in verdict.outcomes[0].message


def test_a_cell_is_scored_only_where_it_stands_and_once(exam):
    exam.enter_cell("double", 6.0)
    check("double", lambda x: x)
    assert "not scored here" in check("double", lambda x: 2 * x).note
    assert "not scored here" in check("rules", {"pixels": "zB"}).note
    assert exam.leave_cell().points == 0.0
    assert "not scored here" in check("double", lambda x: 2 * x).note
    assert exam.leave_cell() is None
    exam.enter_cell("double", 6.0)
    assert "not scored here" in check("double", lambda x: 2 * x).note
    assert exam.leave_cell().points == 0.0
    assert sat(exam, "rules", {"pixels": "zB", "top": "epsilon"})[0].points == 6.0


def test_a_cell_that_asks_for_nothing_has_no_verdict(exam):
    exam.enter_cell("double", 6.0)
    assert exam.leave_cell() is None


def test_a_student_who_unsets_the_address_only_practises(exam, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    exam.enter_cell("double", 6.0)
    monkeypatch.delenv(EXAMINER_VARIABLE)
    assert check("double", lambda x: 2 * x).points == 0.0
    assert exam.leave_cell() is None


def test_an_examiner_that_is_not_there_is_a_note(monkeypatch, tmp_path):
    monkeypatch.setenv(EXAMINER_VARIABLE, str(tmp_path / "none"))
    shown = check("double", lambda x: 2 * x)
    assert "cannot be reached" in shown.note
    assert shown.points == 0.0


def test_an_examiner_that_is_silent_or_talks_nonsense_is_a_note(monkeypatch):
    monkeypatch.setattr(grading, "_CONNECT_SECONDS", 0.1)
    for noise in (b"", b"\0" * 8, b"nonsense" * 9):
        with tempfile.TemporaryDirectory() as folder, grading.socket.socket(grading.socket.AF_UNIX) as listener:
            listener.bind(f"{folder}/s")
            listener.listen()
            monkeypatch.setenv(EXAMINER_VARIABLE, f"{folder}/s")
            threading.Thread(target=lambda listener=listener, noise=noise: _answer(listener, noise)).start()
            assert "cannot be reached" in check("double", abs).note


def _answer(listener, noise):
    connection, _peer = listener.accept()
    with connection:
        connection.sendall(noise)
        connection.settimeout(0.3)
        try:
            while connection.recv(1 << 16):
                pass
        except OSError:
            pass


@pytest.fixture
def practice(tmp_path, monkeypatch):
    cases = [Case("one", {"x": np.ones(2)}, 2 * np.ones(2))]
    write_practice(tmp_path / PRACTICE_FILE, [PracticeExercise("double", "Twice", 3.0, "y = 2 x", cases)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(EXAMINER_VARIABLE, raising=False)
    return tmp_path


def test_without_an_examiner_the_public_cases_are_checked(practice, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert check("double", lambda x: 2 * x).points == 3.0
    assert "3 of 3 points" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    assert check("double", lambda x: x).points == 0.0
    assert capsys.readouterr() == ("", "")
    assert (practice / PRACTICE_FILE).exists()


def test_checking_needs_neither_tensorflow_nor_the_autograder(practice):
    """A practice check starts at once, and a student's machine has no autograder."""
    code = (
        "import sys, vitrina; vitrina.check('double', lambda x: 2 * x);"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'vitrina_autograder', 'vitrina_solutions'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=practice, env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"
    assert run.stderr == ""
