"""Libraries that an assignment names are not there while it is graded, however a submission goes about it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from vitrina_autograder.client import Client
from vitrina_autograder.course import CourseError
from vitrina_autograder.job import Limits, make_job
from vitrina_autograder.kernel import SandboxedKernelManager
from vitrina_autograder.preload import absent_libraries
from vitrina_autograder.sandbox import LANDLOCK, SANDBOX, SANDBOX_VARIABLE, sandboxed, trial_problem
from vitrina_autograder.warm import WarmKernel, forget_parents

ABSENT = ("shap", "lime", "six", "no_such_library")  # packages, a single module, and one that is not installed
MODULES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "six", "lime.lime_base")
Run = Callable[[str], Any]

_ATTEMPT = """
import importlib, importlib.util, json, sys
def attempt(action):
    try:
        return repr(action())
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
"""


def cold(script: str, limits: Limits) -> str:
    with make_job() as job:
        command = sandboxed([sys.executable, "-c", script], job, limits)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def warm(script: str, limits: Limits) -> str:
    cell = new_code_cell(script)
    with make_job() as job:
        manager = SandboxedKernelManager(job, limits, modules=MODULES)
        client = Client(new_notebook(cells=[cell]), manager, output_bytes=1 << 20)
        with client.setup_kernel(cleanup_kc=True):
            provisioner: Any = manager.provisioner
            assert isinstance(provisioner.process, WarmKernel)
            client.run(cell, 0, limit=60)
    assert [output.name for output in cell.outputs if output.output_type == "stream"][-1] == "stdout", cell.outputs
    return cell.outputs[-1].text


@pytest.fixture(scope="module", params=[SANDBOX, LANDLOCK])
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    if problem := trial_problem(request.param):
        pytest.skip(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SANDBOX_VARIABLE, request.param)
        yield request.param
    forget_parents()


@pytest.fixture(params=[cold, warm])
def run(kind: str, request: pytest.FixtureRequest) -> Run:
    """Try some actions inside, with and without the libraries."""
    del kind

    def tried(actions: str, *, absent: tuple[str, ...] = ABSENT) -> Any:
        script = f"{_ATTEMPT}\nprint(json.dumps([attempt(lambda: eval(a)) for a in {actions!r}.splitlines()]))"
        return json.loads(request.param(script, Limits(absent=absent)).splitlines()[-1])

    return tried


IMPORTS = """__import__("shap")
__import__("lime")
__import__("six")
importlib.import_module("shap.explainers")
importlib.import_module("lime.lime_tabular")"""

OTHERS = """__import__("lime")
__import__("six")
importlib.import_module("lime.lime_tabular")"""


def test_an_import_says_clearly_what_is_missing(run: Run):
    said = run(IMPORTS)
    for name, answer in zip(["shap", "lime", "six", "shap", "lime"], said, strict=True):
        assert answer == f"ImportError: {name} is not there while your work is graded: write the method yourself"


def test_what_is_not_named_is_there(run: Run):
    assert all(answer.startswith("<module") for answer in run(OTHERS, absent=("shap",)))


def test_a_library_that_is_not_installed_is_missing_as_everywhere(run: Run):
    (answer,) = run('__import__("no_such_library")')
    assert answer.startswith("ModuleNotFoundError")


def test_its_files_cannot_be_read_by_any_other_way(run: Run):
    folder = Path(str(importlib.import_module("lime").__file__)).parent
    module = str(importlib.import_module("six").__file__)
    answers = run(
        f"""open({str(folder / "lime_base.py")!r}).read()
[part for part in __import__("os").walk({str(folder)!r}) for name in part[2] if open(part[0] + "/" + name).read(999999)]
open({module!r}).read()
importlib.util.spec_from_file_location("x", {str(folder / "lime_base.py")!r}).loader.load_module()
importlib.reload(sys.modules["six"])
[name for name in sys.modules if name.partition(".")[0] in {ABSENT!r}]"""
    )
    for answer in answers[:5]:
        assert "class" not in answer or "Error" in answer
        assert "LimeBase" not in answer
        assert "PY3" not in answer
    assert answers[5] == "[]"


def test_they_are_read_from_the_exercises_without_running_them(tmp_path: Path):
    file = tmp_path / "exercises.py"
    assert absent_libraries(tmp_path) == ()
    file.write_text("raise SystemExit\n")
    assert absent_libraries(tmp_path) == ()
    file.write_text('ABSENT = ["shap", "lime"]\nraise SystemExit(3)')
    assert absent_libraries(tmp_path) == ("shap", "lime")


@pytest.mark.parametrize("line", ["ABSENT = NAMES", "ABSENT = 'shap'", "ABSENT = ['../shap']", "ABSENT = [1]"])
def test_a_list_that_cannot_be_read_is_an_error_of_the_course(tmp_path: Path, line: str):
    (tmp_path / "exercises.py").write_text(line)
    with pytest.raises(CourseError, match="ABSENT must be a list"):
        absent_libraries(tmp_path)


@pytest.mark.parametrize(
    ("week", "absent"), [("week1_generic", ("shap", "lime")), ("week2_neural", ("shap",)), ("week3_rnn", ())]
)
def test_each_week_names_what_answers_its_exercises(week: str, absent: tuple[str, ...]):
    assert absent_libraries(Path(__file__).parents[2] / "assignments" / week) == absent
