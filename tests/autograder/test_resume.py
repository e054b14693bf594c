"""A run that ends in the middle, by `kill -9` or Ctrl-C, loses nothing; any number of jobs gives the same grades."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.preprocessors import SaveAutoGrades

from corpus.small_class import ANSWERS, grade, hand_in, outcome
from corpus.toy_course import ASSIGNMENT, DOUBLE
from vitrina_autograder import grade as grading
from vitrina_autograder.course import Course
from vitrina_autograder.verdicts import load_record

pytestmark = pytest.mark.slow

FACTOR = 3  # so many of each of the four students
LOOP = "def double(x):\n    while True:\n        pass"


@pytest.fixture
def bigger_class(toy: Course, solved: dict[str, Any]) -> Course:
    for number in range(FACTOR):
        for student, answers in ANSWERS.items():
            hand_in(toy, f"{student}-{number}", solved, answers)
    return toy


@pytest.fixture
def load() -> Generator[None]:
    """Keep the machine busy with more work than it has processors for."""
    others = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(2 * (os.cpu_count() or 1))]
    for other in others:
        other.start()
    yield
    for other in others:
        other.kill()


def _spin() -> None:
    while True:
        pass


def start(course: Course, *options: str) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).parent / "vitrina"), "grade", ASSIGNMENT, *options]
    return subprocess.Popen(command, cwd=course.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def recorded(course: Course) -> set[str]:
    names = [path.stem for path in (course.verdicts / ASSIGNMENT).glob("*.json")]
    return {name for name in names if (record := load_record(course, ASSIGNMENT, name)) and record.recorded}


def wait_until(ready: Callable[[], bool], run: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not ready() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert run.poll() is None, run.stdout.read() if run.stdout else ""
    assert ready()


def examined(course: Course, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grade; give whose work was examined."""
    students: list[str] = []
    whole = grading.examine

    def examine(paper: Any, *rest: Any) -> Any:
        students.append(paper.student)
        return whole(paper, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(grading, "examine", examine)
        grade(course)
    return students


def test_killed_runs_go_on_where_they_stopped(bigger_class: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(bigger_class.root, tmp_path / "undisturbed")
    undisturbed = Course(tmp_path / "undisturbed")
    for enough in (1, 4, 7):
        run = start(bigger_class, "--jobs", "2")
        wait_until(lambda: len(recorded(bigger_class)) >= enough, run)  # noqa: B023 (called at once)
        run.kill()
        run.wait()
    done = recorded(bigger_class)
    assert not set(examined(bigger_class, monkeypatch)) & done
    assert examined(bigger_class, monkeypatch) == []
    grade(undisturbed)
    assert outcome(bigger_class) == outcome(undisturbed)
    leftovers = [path for path in Path(tempfile.gettempdir()).glob(f"vitrina-{run.pid}-*") if path.is_dir()]
    assert leftovers == []


def test_ctrl_c_ends_soon_and_the_next_run_goes_on(bigger_class: Course, solved: dict[str, Any]):
    hand_in(bigger_class, "zoe", solved, {DOUBLE: f"{LOOP}\ndouble(3)"})
    run = start(bigger_class, "--jobs", "1", "--student", "ana-0", "--student", "zoe")
    wait_until(lambda: recorded(bigger_class) == {"ana-0"}, run)
    run.send_signal(signal.SIGINT)
    said, _none = run.communicate(timeout=60)
    assert run.returncode == 130
    assert b"Traceback" not in said
    assert b"goes on" in said
    assert recorded(bigger_class) == {"ana-0"}
    hand_in(bigger_class, "zoe", solved, {})
    assert grade(bigger_class).of("skipped") == ["ana-0"]


def test_ctrl_c_while_nbgrader_records_is_no_fault_of_the_student(
    class_of_four: Course, monkeypatch: pytest.MonkeyPatch
):
    save = SaveAutoGrades.preprocess

    def press(self: SaveAutoGrades, *arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return save(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(SaveAutoGrades, "preprocess", press)
        with pytest.raises(KeyboardInterrupt):
            grade(class_of_four, jobs=1)
    assert recorded(class_of_four) == {"ana"}
    assert grade(class_of_four).of("recorded") == ["bea", "carl", "dora"]


def test_a_submission_half_recorded_is_recorded_again(class_of_four: Course):
    """The end comes between the record of the verdicts and the gradebook."""
    script = (
        "import os\nfrom nbgrader.preprocessors import SaveAutoGrades\nfrom vitrina_autograder.cli import app\n"
        f"SaveAutoGrades.preprocess = lambda *_: os._exit(9)\napp(['grade', {ASSIGNMENT!r}])"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=class_of_four.root, check=False).returncode == 9
    assert len(list((class_of_four.verdicts / ASSIGNMENT).glob("*.json"))) == 1
    assert recorded(class_of_four) == set()
    assert grade(class_of_four).of("recorded") == sorted(ANSWERS)
    assert outcome(class_of_four)["ana"][0].score == 7


def test_a_gradebook_that_was_lost_is_filled_again(class_of_four: Course, tmp_path: Path):
    fresh = shutil.copyfile(class_of_four.gradebook, tmp_path / "gradebook.db")
    grade(class_of_four)
    before = outcome(class_of_four)
    shutil.copyfile(fresh, class_of_four.gradebook)
    assert grade(class_of_four).of("recorded") == sorted(ANSWERS)
    assert outcome(class_of_four) == before


@pytest.mark.usefixtures("load")
def test_one_or_four_or_sixteen_at_once_twice_the_same_under_load(bigger_class: Course):
    threads = threading.active_count()
    grade(bigger_class, jobs=1)
    alone = outcome(bigger_class)
    assert {student: grade.score for student, (grade, _record) in alone.items()} == {
        f"{student}-{number}": score
        for number in range(FACTOR)
        for student, score in {"ana": 7.0, "bea": 4.75, "carl": 5.0, "dora": 4.0}.items()
    }
    for jobs in (4, 16, 4, 16):
        assert grade(bigger_class, jobs=jobs, force=True).of("recorded") == sorted(alone)
        assert outcome(bigger_class) == alone
    assert threading.active_count() < threads + 4  # none of a pool's stays
