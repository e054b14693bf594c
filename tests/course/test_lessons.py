"""Every lesson runs to its end without a complaint, has its parts, and shows no solution."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

import jupytext
import pytest

import vitrina_solutions
from vitrina_autograder.course import Course
from vitrina_autograder.lessons import build_lesson, shown_functions

ROOT = Path(__file__).parents[2]
LESSONS = [script for scripts in Course(ROOT).lesson_scripts().values() for script in scripts]
TEXTBOOK = [getattr(vitrina_solutions, name) for name in vitrina_solutions.__all__]
_PATIENCE = 540  # seconds: how fast it is gets measured and reported, not asserted

each_lesson = pytest.mark.parametrize("script", LESSONS, ids=lambda script: f"{script.parent.name}/{script.stem}")


@dataclass
class Run:
    """What a lesson said as a script."""

    code: int
    out: str
    err: str
    seconds: float


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory):
    """Run a lesson in a fresh process, once for all tests."""
    runs: dict[Path, Run] = {}
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}

    def run(script: Path) -> Run:
        if script not in runs:
            before = os.times()
            command = [sys.executable, str(script)]
            environment["MPLBACKEND"] = "agg"
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=_PATIENCE
            )
            after = os.times()
            used = after.children_user - before.children_user + after.children_system - before.children_system
            runs[script] = Run(done.returncode, done.stdout, done.stderr, used)
        return runs[script]

    return run


@pytest.mark.slow
@each_lesson
def test_a_lesson_runs_to_its_end_and_complains_about_nothing(script, ran, record_property):
    run = ran(script)
    record_property("cpu_seconds", round(run.seconds, 1))
    print(f"{script.name}: {run.seconds:.0f} s of processor time")  # shown by -rP
    assert run.code == 0, run.err
    assert run.err == ""


@pytest.mark.slow
@each_lesson
def test_a_lesson_asks_quick_questions(script, ran):
    assert 2 <= ran(script).out.count("Quick question: ") <= 5


def prose(script: Path) -> list[str]:
    cells = jupytext.read(script, fmt="py:percent").cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def headings(script: Path) -> list[str]:
    return re.findall(r"^#+ (.*)", "\n".join(prose(script)), flags=re.MULTILINE)


@each_lesson
def test_a_lesson_has_its_parts(script):
    texts = prose(script)
    assert re.match(r"# \S", texts[0])
    assert "you will be able to" in " ".join(texts[0].split())
    assert any("$$" in text for text in texts), "no formula"
    assert "What goes wrong in practice" in headings(script)
    assert headings(script)[-1] == "References"
    sources = re.findall(r"^- .*?(?=^- |\Z)", texts[-1].split("References\n")[1], flags=re.MULTILINE | re.DOTALL)
    assert len(sources) >= 2
    assert all(re.search(r"\(\d{4}\)", source) for source in sources), "each reference has its year"


@each_lesson
def test_a_lesson_builds_and_shows_no_solution(script):
    assert shown_functions(build_lesson(script), TEXTBOOK) == []


def test_long_bodies_of_the_textbook_would_be_found():
    """All but the shortest functions are long enough to be looked for."""
    from nbformat.v4 import new_code_cell, new_notebook

    from vitrina_autograder.inline import body_source

    def found(function: FunctionType) -> bool:
        return shown_functions(new_notebook(cells=[new_code_cell(body_source(function))]), [function]) != []

    overlooked = [function.__name__ for function in TEXTBOOK if not found(function)]
    assert len(overlooked) <= len(TEXTBOOK) // 5, overlooked
