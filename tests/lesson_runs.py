"""What it takes for a lesson to run: to its end, as a script, and without a complaint."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from vitrina_autograder.course import Course

SCRIPTS = Course(Path(__file__).parents[1]).lesson_scripts()
_PATIENCE = 540  # seconds: how fast it is gets measured and reported, not asserted


@dataclass
class Run:
    """What a lesson said as a script."""

    code: int
    out: str
    err: str
    seconds: float


def _ran(script: Path, folder: Path) -> Run:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment["MPLBACKEND"] = "agg"
    before = os.times()
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
        timeout=_PATIENCE,
    )
    after = os.times()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return Run(done.returncode, done.stdout, done.stderr, used)


@pytest.mark.slow
class LessonRuns:
    """The lessons of a week or workshop, by its short name: each run once for all tests, in a process of its own."""

    week: ClassVar[str]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        scripts = SCRIPTS[self.week]
        metafunc.parametrize("run", scripts, ids=[script.stem for script in scripts], indirect=True, scope="class")

    @pytest.fixture(scope="class")
    @staticmethod
    def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
        return _ran(request.param, tmp_path_factory.mktemp("elsewhere"))

    def test_it_ends_and_complains_about_nothing(self, run, record_property):
        record_property("cpu_seconds", round(run.seconds, 1))
        print(f"{run.seconds:.0f} s of processor time")  # shown by -rP
        assert run.code == 0, run.err
        assert run.err == ""

    def test_it_asks_quick_questions(self, run):
        assert 2 <= run.out.count("Quick question: ") <= 5
