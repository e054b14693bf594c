"""What a grading depends on besides course and submission."""

import shutil
import sys
from pathlib import Path

import numpy
import pytest

import vitrina_solutions
from vitrina_autograder.environment import differences, environment


def test_versions_that_grade_and_those_a_submission_may_import_are_told():
    found = environment()
    assert found["numpy"] == numpy.__version__
    assert found["Python"] == ".".join(map(str, sys.version_info[:3]))
    for package in ("tensorflow", "keras", "nbgrader", "nbclient", "ipykernel", "matplotlib", "scipy", "lime"):
        assert found[package][0].isdigit()
    assert environment() == found


def test_tools_that_grade_nothing_are_not_asked_for():
    assert not {"pytest", "ruff", "dask", "distributed"} & environment().keys()


def test_a_changed_source_is_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = environment()
    copy = shutil.copytree(Path(vitrina_solutions.__file__).parent, tmp_path / "vitrina_solutions")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "vitrina_solutions")
    assert environment() == before
    with (copy / "lrp.py").open("a") as file:
        file.write("# changed\n")
    (difference,) = differences(before, environment())
    assert difference.startswith("source of vitrina_solutions is ")


def test_differences_are_named_from_here():
    ours, theirs = {"numpy": "2", "lime": "1", "same": "1"}, {"numpy": "1", "mne": "3", "same": "1"}
    assert differences(ours, theirs) == ["numpy is 1, here 2", "lime is missing, here 1", "mne is 3, here missing"]
