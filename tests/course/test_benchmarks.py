"""The benchmark of the explanation methods measures what it says; how fast they are is not a test."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "course" / "benchmarks"


def load(name):
    specification = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def lines(monkeypatch):
    """Rows that take set times, by name: 10 for U, 4 for f."""
    timing = load("timing")
    clock = [0.0]
    monkeypatch.setattr(timing.time, "process_time", lambda: clock[0])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: 2 * clock[0])

    def spending(seconds):
        def call():
            clock[0] += seconds
            return 7

        return call

    def measure(*rows):
        units = [timing.Row("U", spending(10)), timing.Row("f", spending(4))]
        made = [timing.Row(name, spending(seconds), **options) for name, seconds, options in rows]
        return {line["name"]: line for line in timing.measure([*units, *made], 3, "group")}

    return measure


def test_goals_are_in_passes_or_against_another_row_or_calls(lines):
    got = lines(
        ("one pass", 11.5, {"forwards": 1.1, "backwards": 1.1}),
        ("ten classes", 70, {"forwards": 1.15, "backwards": 11.5}),
        ("loop", 20, {"share": 0.01, "peer": True}),
        ("batched", 12, {"slower": ("loop", 100)}),
        ("search", 1, {"at_most": 7}),
    )
    assert (got["one pass"]["ratio"], got["one pass"]["goal"], got["one pass"]["reached"]) == (1.15, 1.1, False)
    assert got["ten classes"]["goal"] == pytest.approx(1.15 * 0.4 + 11.5 * 0.6)
    assert got["ten classes"]["reached"]
    assert got["loop"]["cpu"] == 2000
    assert got["loop"]["wall"] == 4000
    assert got["batched"]["shown"] == "167 x"
    assert got["batched"]["reached"]
    assert (got["search"]["shown"], got["search"]["reached"]) == ("7 calls", True)
    assert got["U"]["first"] == 20  # the first call is apart, by the clock on the wall


@pytest.mark.slow
@pytest.mark.parametrize("group", ["gradients", "deeplift", "lime", "trees"])
def test_the_rows_can_be_run(group):
    script = load("explainers").SCRIPTS.get(group, "explainers_ours.py")
    command = [sys.executable, FOLDER / script, group, "1", "1", "8"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])
    assert {row["group"] for row in rows} == {group}
    assert all(row["cpu"] > 0 for row in rows)
    assert any(row["peer"] for row in rows)
    assert any(row["goal_text"] for row in rows)
