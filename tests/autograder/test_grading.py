"""A whole class through plain nbgrader with the course's own configuration: everybody earns what is theirs."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.server_extensions.formgrader import handlers

from corpus.students import CHECKS, CLASS, DISHONEST, student_id
from corpus.toy_course import ASSIGNMENT, CASE_VALUE, NOTEBOOK, POINTS, SOLUTION_LINE, WHY
from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.release import load_config, nbgrader_api
from vitrina_autograder.sandbox import SANDBOX, SANDBOX_VARIABLE, UNSAFE_VARIABLE
from vitrina_autograder.verdicts import Record, load_record

pytestmark = pytest.mark.slow
MISSING = "handed-in-nothing"
KNOWN = "right"
PAGES = ["right", "wrong", "exception", "prints", "scripts", "links beside", "corrupt"]
Scores = dict[str, Any]


@dataclass(frozen=True)
class GradedClass:
    course: Course
    result: dict[str, Any]
    grown: int  # bytes that our own memory grew by at most


def open_gradebook(course: Course) -> Gradebook:
    return Gradebook(f"sqlite:///{course.gradebook}")


def scores(course: Course, name: str, kind: str = "auto_score") -> Scores:
    with open_gradebook(course) as gradebook:
        submission = gradebook.find_submission(ASSIGNMENT, student_id(name))
        return {grade.name: getattr(grade, kind) for notebook in submission.notebooks for grade in notebook.grades}


def record_of(course: Course, name: str) -> Record:
    record = load_record(course, ASSIGNMENT, student_id(name))
    assert record is not None
    return record


def verdicts(course: Course, name: str) -> dict[str, Any]:
    record = record_of(course, name)
    return {key: asdict(verdict) for key, verdict in record.verdicts.items()} | {"remarks": record.remarks}


def copy_course(original: Course, root: Path) -> Course:
    shutil.copytree(original.root, root)
    with (root / CONFIG_NAME).open("a") as config:
        config.write("\nc.Examination.cell_seconds = 8\n")
    return Course(root)


def hand_in(course: Course, name: str, solved_text: str) -> None:
    folder = course.submitted / student_id(name) / ASSIGNMENT
    folder.mkdir(parents=True)
    CLASS[name].write(json.loads(solved_text), folder)


@pytest.fixture(scope="module")
def graded(toy_course: Course, solved_text: str, tmp_path_factory: pytest.TempPathFactory) -> GradedClass:
    course = copy_course(toy_course, tmp_path_factory.mktemp("class") / "course")
    for name in CLASS:
        hand_in(course, name, solved_text)
    nothing = course.submitted / MISSING / ASSIGNMENT
    nothing.mkdir(parents=True)
    (nothing / "notes.txt").write_text("I forgot it")
    with open_gradebook(course) as gradebook:
        gradebook.add_student(KNOWN)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = nbgrader_api(course).autograde(ASSIGNMENT, "*")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return GradedClass(course, result, grown << 10)


class TestScores:
    def test_nobody_stops_the_class(self, graded: GradedClass):
        assert graded.result["success"], graded.result
        with open_gradebook(graded.course) as gradebook:
            found = {submission.student.id for submission in gradebook.assignment_submissions(ASSIGNMENT)}
        assert found == {student_id(name) for name in CLASS}

    @pytest.mark.parametrize("name", CLASS)
    def test_everybody_earns_what_is_theirs(self, graded: GradedClass, name: str):
        expected = dict(zip(CHECKS, CLASS[name].points, strict=True))
        found = scores(graded.course, name)
        assert {key: found[key] for key in CHECKS} == expected
        record = record_of(graded.course, name)
        assert {f"check-{key}": verdict.points for key, verdict in record.verdicts.items()} == expected
        assert record.sandbox == SANDBOX

    @pytest.mark.parametrize("name", [name for name, student in CLASS.items() if student.says])
    def test_what_was_unusual_is_said(self, graded: GradedClass, name: str):
        text = json.dumps(verdicts(graded.course, name), default=str, ensure_ascii=False)
        assert re.search(CLASS[name].says, text), text

    def test_who_is_as_expected_gets_no_remark(self, graded: GradedClass):
        for name in ("right", "alternative", "partly", "wrong", "warns"):
            assert record_of(graded.course, name).remarks == []

    def test_totals_and_maxima_are_right(self, graded: GradedClass):
        with open_gradebook(graded.course) as gradebook:
            for name, student in CLASS.items():
                submission = gradebook.find_submission(ASSIGNMENT, student_id(name))
                assert submission.max_score == sum(POINTS.values())
                assert submission.score == pytest.approx(sum(student.points))
                assert [grade.max_score for n in submission.notebooks for grade in n.grades] == [3, 2, 2, 2]

    def test_written_answers_wait_for_a_person(self, graded: GradedClass):
        assert scores(graded.course, "right", "needs_manual_grade")[WHY]
        assert scores(graded.course, "answer made a check", "needs_manual_grade")[WHY]
        assert not scores(graded.course, "corrupt", "needs_manual_grade")[WHY]
        assert scores(graded.course, "corrupt")[WHY] == 0

    def test_output_fills_the_disk_and_memory_of_the_grader_no_further(self, graded: GradedClass):
        assert graded.grown < 400 << 20
        assert max(path.stat().st_size for path in graded.course.autograded.rglob("*.ipynb")) < 6 << 20

    @pytest.mark.parametrize("name", ["steals", *list(DISHONEST)[:5]])
    def test_nothing_of_ours_is_in_what_the_kernel_printed(self, graded: GradedClass, name: str):
        path = graded.course.autograded / student_id(name) / ASSIGNMENT / NOTEBOOK
        outputs = json.dumps([c.get("outputs") for c in nbformat.read(path, as_version=4).cells])
        assert "found" not in outputs
        assert SOLUTION_LINE not in outputs

    def test_links_lead_nowhere(self, graded: GradedClass):
        secret = graded.course.secret
        files = [path for path in graded.course.autograded.rglob("*") if path.is_file()]
        assert not [path for path in files if secret in path.read_bytes()]


@pytest.fixture(scope="module")
def regraded(graded: GradedClass) -> dict[str, dict[str, Any]]:
    """Grade by hand, then everything of some students again by nbgrader's own command."""
    with open_gradebook(graded.course) as gradebook:
        notebook = gradebook.find_submission_notebook("toy", ASSIGNMENT, "right")
        grades = {grade.name: grade for grade in notebook.grades}
        grades[WHY].manual_score, grades["check-square"].manual_score = 1.5, 1.0
        grades[WHY].needs_manual_grade = False
        gradebook.find_comment(WHY, "toy", ASSIGNMENT, "right").manual_comment = "Well said."
        gradebook.db.commit()
    before = {name: verdicts(graded.course, name) for name in CLASS}
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, "--force", "--student=r*"]
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=graded.course.root,
        env={**os.environ, "PATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    api = nbgrader_api(graded.course)
    for name in ("partly", "forged client"):
        assert api.autograde(ASSIGNMENT, student_id(name))["success"]
    return before


class TestRegrading:
    def test_the_second_time_gives_the_same_verdicts(self, graded: GradedClass, regraded: dict[str, dict[str, Any]]):
        assert {name: verdicts(graded.course, name) for name in CLASS} == regraded
        for name in CLASS:
            found = scores(graded.course, name)
            assert tuple(found[key] for key in CHECKS) == CLASS[name].points

    @pytest.mark.usefixtures("regraded")
    def test_what_a_person_gave_stays(self, graded: GradedClass):
        assert scores(graded.course, "right", "manual_score") == {
            "check-double": None, "check-square": 1.0, "check-quiz": None, WHY: 1.5,
        }  # fmt: skip
        with open_gradebook(graded.course) as gradebook:
            assert gradebook.find_submission(ASSIGNMENT, "right").score == 3 + 1 + 2 + 1.5
            assert gradebook.find_comment(WHY, "toy", ASSIGNMENT, "right").comment == "Well said."


class _Dangers(HTMLParser):
    """Collects what of a page would run: scripts, handlers, addresses of scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        for name, value in attrs:
            if name.startswith("on") or "javascript:" in (value or "").lower():
                self.found.append(f"<{tag} {name}={value}>")
        if tag in ("iframe", "object", "embed", "foreignobject"):
            self.found.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script and "alert(" in data:
            self.found.append(data)


def dangers(html: str) -> list[str]:
    parser = _Dangers()
    parser.feed(html)
    return [danger for danger in parser.found if "alert(" in danger or danger.startswith(("<iframe", "<obj", "<embed"))]


def feedback(graded: GradedClass, name: str) -> str:
    done = nbgrader_api(graded.course).generate_feedback(ASSIGNMENT, student_id(name))
    assert done["success"], done
    return (graded.course.feedback / student_id(name) / ASSIGNMENT / "toy.html").read_text(encoding="utf-8")


def formgrader(graded: GradedClass, name: str) -> str:
    """Render what formgrader shows, as its `SubmissionHandler` does."""
    config = load_config(graded.course)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    path = graded.course.autograded / student_id(name) / ASSIGNMENT / NOTEBOOK
    resources = {
        "assignment_id": ASSIGNMENT, "notebook_id": "toy", "submission_id": "1", "index": 0, "total": 1, "base_url": "",
        "student": student_id(name), "last_name": "", "first_name": "", "notebook_path": str(path),
    }  # fmt: skip
    return HTMLExporter(config=config).from_filename(str(path), resources=resources)[0]


@pytest.fixture(scope="module", params=[feedback, formgrader], ids=["feedback", "formgrader"])
def pages(request: pytest.FixtureRequest, graded: GradedClass) -> dict[str, str]:
    render: Callable[[GradedClass, str], str] = request.param
    return {name: render(graded, name) for name in PAGES}


class TestPages:
    def test_nothing_of_a_students_runs_there(self, pages: dict[str, str]):
        assert dangers('<script>alert(1)</script><b onclick="alert(2)">')  # they would be noticed
        assert {name: dangers(page) for name, page in pages.items() if dangers(page)} == {}
        assert "hello" in pages["scripts"]  # the harmless part is shown

    def test_no_hidden_value_and_no_solution_is_there(self, pages: dict[str, str]):
        for page in pages.values():
            assert CASE_VALUE not in page
            assert SOLUTION_LINE not in page
            assert "reference=" not in page

    def test_the_panels_are_there(self, pages: dict[str, str]):
        assert pages["right"].count("3 of 3 points") == 1
        assert "That is the square." in pages["wrong"]
        assert "ZeroDivisionError" in pages["exception"]
        assert "The submitted file could not be read" in pages["corrupt"]
        assert "border-left: 4px solid" in pages["right"]  # cleaning keeps the style


def test_feedback_carries_no_file_that_a_link_led_to(graded: GradedClass):
    feedback(graded, "links beside")
    folder = graded.course.feedback / student_id("links beside")
    assert not [path for path in folder.rglob("*") if path.is_file() and graded.course.secret in path.read_bytes()]


class TestWithoutSandbox:
    @pytest.fixture(autouse=True)
    def _no_sandbox(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(UNSAFE_VARIABLE, raising=False)
        monkeypatch.setenv(SANDBOX_VARIABLE, "none")

    @pytest.fixture
    def course(self, toy: Course, solved_text: str) -> Course:
        hand_in(toy, "right", solved_text)
        return toy

    def test_nothing_is_graded_and_the_reason_is_said(self, course: Course):
        result = nbgrader_api(course).autograde(ASSIGNMENT, "right")
        assert not result["success"]
        assert "there is no sandbox to run it in: VITRINA_SANDBOX says so" in result["log"]
        assert load_record(course, ASSIGNMENT, "right") is None

    def test_whoever_does_without_finds_it_recorded(self, course: Course, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv(UNSAFE_VARIABLE, "1")
        assert nbgrader_api(course).autograde(ASSIGNMENT, "right")["success"]
        record = record_of(course, "right")
        assert record.sandbox.startswith("none (VITRINA_SANDBOX says so")
        assert [verdict.points for verdict in record.verdicts.values()] == [3, 2, 2]
