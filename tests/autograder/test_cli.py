"""The command `vitrina`, as an instructor types it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vitrina_autograder.cgroup import Groups
from vitrina_autograder.cli import app
from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.grade import read_grades
from vitrina_autograder.verdicts import load_record

ROOT = Path(__file__).parents[2]
COMMANDS = ("build", "release", "lessons", "grade", "report", "demo", "doctor")


def vitrina(*arguments: str, cwd: Path | None = None) -> tuple[int, str]:
    """Run a command in this process, in a folder."""
    before = Path.cwd()
    os.chdir(cwd or before)
    try:
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    finally:
        os.chdir(before)
    return result.exit_code, result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(command):
    code, said = vitrina(command, "--help")
    assert code == 0
    assert len(said.split()) > 20


@pytest.mark.parametrize(
    "arguments", [("build",), ("release",), ("lessons",), ("grade", "week2"), ("report", "week2"), ("demo",)]
)
def test_outside_a_course_it_says_what_to_do(arguments, tmp_path):
    code, said = vitrina(*arguments, cwd=tmp_path)
    assert code == 1
    assert "is not inside a course" in " ".join(said.split())
    assert "Traceback" not in said


def test_unknown_assignment_names_the_known_ones():
    code, said = vitrina("build", "week77", cwd=ROOT)
    assert code == 1
    assert "week2" in said


def test_nobody_handed_in(tmp_path):
    course = copy_course(tmp_path)
    code, said = vitrina("grade", "week2", cwd=course.root)
    assert code == 1
    assert "nobody handed in week2" in " ".join(said.split())


def test_grading_before_a_release_says_what_to_do(tmp_path):
    course = copy_course(tmp_path)
    (course.submitted / "ana" / "week2").mkdir(parents=True)
    code, said = vitrina("grade", "week2", cwd=course.root)
    assert code == 1
    assert "vitrina release week2" in " ".join(said.split())


def test_doctor_finds_this_machine_well():
    code, said = vitrina("doctor", cwd=ROOT)
    assert code == 0, said
    assert "bubblewrap" in said
    assert "5000 MNIST digits" in " ".join(said.split())


def test_doctor_says_what_to_do_where_the_sandbox_fails(monkeypatch):
    monkeypatch.setattr("vitrina_autograder.doctor.sandbox_problem", lambda: "no user namespaces")
    code, said = vitrina("doctor", cwd=ROOT)
    assert code == 1
    assert "no user namespaces" in said
    assert "apt install bubblewrap" in " ".join(said.split())


def test_doctor_says_nothing_else():
    """No word of TensorFlow's, whatever the environment says about its notices."""
    command = [Path(sys.executable).with_name("vitrina"), "doctor"]
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=quiet)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].startswith("✓ Python")


def test_doctor_says_what_is_weaker_without_bubblewrap(monkeypatch):
    monkeypatch.setenv("VITRINA_SANDBOX", "landlock")
    code, said = vitrina("doctor", cwd=ROOT)
    assert code == 0, said
    assert "Landlock with seccomp, weaker than bubblewrap" in " ".join(said.split())


@pytest.mark.parametrize(("groups", "expected"), [(Groups(2, ()), "version 2"), (None, "only the address space")])
def test_doctor_says_what_limits_memory(monkeypatch, groups, expected):
    monkeypatch.setattr("vitrina_autograder.doctor.control_groups", lambda: groups)
    code, said = vitrina("doctor", cwd=ROOT)
    assert code == 0, said
    assert expected in " ".join(said.split())


def copy_course(folder: Path) -> Course:
    """The real course's sources in a folder of their own."""
    shutil.copytree(ROOT / "assignments", folder / "assignments", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (CONFIG_NAME, "constraints.txt"):
        shutil.copyfile(ROOT / name, folder / name)
    return Course(folder)


EXPECTED = {
    "ana-right": 54.0,
    "blas-right-another-way": 54.0,
    "gala-endless-loop": 53.0,
    "hugo-exit": 53.0,
    "ines-copied-cells": 54.0,
    "juan-edited-check": 53.0,
    "lola-blank": 0.0,
    "mario-corrupt-file": 0.0,
}
LESS = ("carla-wrong-sign", "dario-wrong-shape", "elena-changes-inputs", "felix-exception")
REMARKS = {
    "hugo-exit": "cost the kernel",
    "ines-copied-cells": "is there 2 times",
    "juan-edited-check": "was changed and has been restored",
    "mario-corrupt-file": "could not be read",
}


@pytest.mark.slow
def test_the_demo_grades_its_class(tmp_path):
    """As `make demo` does it, in a process of its own."""
    course = copy_course(tmp_path)
    command = [str(Path(sys.executable).parent / "vitrina"), "demo"]
    run = subprocess.run(
        command, cwd=course.root, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"}
    )
    assert run.returncode == 0, run.stderr
    demo = Course(course.build / "demo")
    grades = read_grades(demo, "week2")
    assert {student: grades[student].score for student in EXPECTED} == EXPECTED
    assert all(10 < grades[student].score < 54 for student in LESS)
    for student, remark in REMARKS.items():
        record = load_record(demo, "week2", student)
        assert record is not None
        assert any(remark in text for text in record.remarks), record.remarks
        assert record.sandbox == "bubblewrap"
    assert "12 submissions" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    pages = sorted((demo.feedback).glob("*/week2/*.html"))
    assert len(pages) == 12
    assert all(page.name in run.stdout for page in pages)
    assert "unusually similar code" in run.stdout  # Ines has it from Blas
    check_class_report(demo)


def check_class_report(demo: Course) -> None:
    """The page was written after grading; tables and terminal report come from the same records."""
    page = demo.build / "reports" / "week2.html"
    html = page.read_text(encoding="utf-8")
    assert html.count('<tbody id="student-') == 12
    for link in re.findall(r'<a href="(\.\./[^"]+)">', html):
        assert (page.parent / link).is_file()
    code, said = vitrina("report", "week2", "--html", "--excel", "--to", "elsewhere", cwd=demo.root)
    assert code == 0, said
    written = sorted(path.name for path in (demo.root / "elsewhere").iterdir())
    assert written == ["week2-exercises.csv", "week2.csv", "week2.html"]
    assert all(name in said for name in written)
    assert (demo.root / "elsewhere" / "week2.csv").read_text(encoding="utf-8-sig").count("graded,") == 10
    code, said = vitrina("report", "week2", cwd=demo.root)
    assert code == 0
    assert "Things to look at" in said
