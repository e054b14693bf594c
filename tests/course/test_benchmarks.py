"""The benchmarks measure what they say; how fast things are is not a test."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
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


@pytest.fixture(scope="module")
def automata():
    """The benchmark of week 3 and its modules."""
    runs, page = load("automata_runs"), load("automata_page")
    return load("automata"), runs, page


def judged(**changes):
    """What is known of one network: right by every route but the one named wrong."""
    wrong = changes.pop("wrong", "")
    names = ("sign", "rounding", "clusters", "chosen clusters", "questions", "snap")
    route = {"states": 9, "minimal": 2, "determinism": 1.0, "seconds": 0.01}
    return {
        "routes": {name: route | {"equivalent": name != wrong} for name in names},
        "active": 5,
        "saturation": 0.8,
        "returns": {"share": 1.0, "median": 2.0, "longest": 5.0},
        "kick": 0.9,
        "noise": {"additive": 0.7, "multiplicative": 0.6},
        "lengths": {"1000": 0.99, "10000": 0.98},
    } | changes


def made_up(language, training, seed, **changes):
    run = {"language": language, "training": training, "seed": seed, "tries": 1, "accepted": True, "seconds": 2.0}
    return run | {"single": judged(), "final": None} | changes


def test_the_tables_count_single_runs_and_restarted_ones_apart(automata):
    page = automata[2]
    failed = judged(wrong="snap", lengths={"1000": 0.5, "10000": 0.25})
    runs = [
        made_up("parity", "plain", 0),
        made_up("parity", "plain", 1, tries=3, single=failed, final=judged(wrong="clusters")),
        made_up("Tomita 1", "additive", 0, tries=8, accepted=False, single=failed),
    ]
    single, restarted, languages = page.grids(runs)
    columns = dict(zip(single.heads, zip(*single.rows, strict=True), strict=True))
    assert columns["training"] == ("plain", "additive")
    assert columns["snap"] == ("1/2", "0/1")
    assert columns["clusters"] == ("2/2", "1/1")
    assert columns["accepted at once"] == ("1/2", "0/1")
    columns = dict(zip(restarted.heads, zip(*restarted.rows, strict=True), strict=True))
    assert columns["accepted"] == ("2/2", "0/1")
    assert columns["snap"] == ("2/2", "0/1")
    assert columns["clusters"] == ("1/2", "1/1")
    assert (columns["tries, mean"], columns["most"]) == (("2.00", "8.00"), ("3", "8"))
    assert columns["1,000 symbols, worst"] == ("0.9900", "0.5000")
    assert [row[:4] for row in languages.rows] == [
        ["Tomita 1", "additive", "1/1", "0/1"],
        ["parity", "plain", "2/2", "1/2"],
    ]
    assert "0.7450" in languages.rows[1]  # the mean over single runs of 1,000 symbols
    assert all(len(row) == len(grid.heads) for grid in (single, restarted, languages) for row in grid.rows)


def test_a_run_that_was_stopped_goes_on(automata, tmp_path, monkeypatch):
    benchmark = automata[0]
    path, asked = tmp_path / "deep" / "automata.json", []

    def measure(language, training, batch):
        asked.append((language, training, batch))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return [made_up(language, training, 4 * batch + place) for place in range(4)]

    monkeypatch.setattr(benchmark, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        benchmark.run_all(["parity", "Tomita 1"], ["plain", "l1"], 6, path)
    assert len(benchmark.stored(path)) == 8
    runs = benchmark.run_all(["parity", "Tomita 1"], ["plain", "l1"], 6, path)
    assert len(runs) == 24  # six seeds of eight
    assert len(asked) == len(set(asked)) + 1 == 9  # only what was stopped was asked for twice
    assert {run["seed"] for run in runs} == set(range(6))


def test_the_page_keeps_its_text_and_gets_tables_and_plot(automata, tmp_path):
    benchmark, _, page = automata
    (tmp_path / "page.md").write_text(f"# Title\n\nText.\n{benchmark.MARK}\nold tables\n")
    runs = [made_up("parity", training, seed) for training in ("plain", "additive") for seed in range(2)]
    benchmark.document(runs, tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert text.startswith("# Title\n\nText.\n")
    assert "old tables" not in text
    assert "| additive | 2 | 2/2 |" in text
    drawn = page.draw(runs, tmp_path / "new" / "plot.svg", tmp_path / "plot.png")
    assert drawn.read_text().count("single runs read as the true automaton") == 1
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_networks_are_replaced_until_they_are_accepted(automata, monkeypatch):
    runs = automata[1]
    small = replace(runs.TRAININGS["additive"], units=3, length=5, words=40, batch=8, steps=150)
    monkeypatch.setattr(runs, "TRAININGS", {"additive": small})
    monkeypatch.setattr(runs, "MOST_TRIES", 2)
    monkeypatch.setattr(runs, "judge", lambda language, network, seed: (language.name, seed))  # noqa: ARG005
    mistakes = iter([0, 0.1, 0.2, 0, 0, 0.3])  # four first networks, then two for those that failed
    monkeypatch.setattr(runs, "share_of_mistakes", lambda *_, **__: next(mistakes))
    found = runs.measure("parity", "additive", 2)
    assert [run["seed"] for run in found] == [8, 9, 10, 11]
    assert [(run["tries"], run["accepted"]) for run in found] == [(1, True), (2, True), (2, False), (1, True)]
    assert [run["final"] for run in found] == [None, ("parity", 9), None, None]
    assert all(run["single"] == ("parity", run["seed"]) and run["seconds"] > 0 for run in found)


@pytest.mark.slow
def test_a_network_is_judged_in_full(automata):
    from vitrina.automata import PARITY
    from vitrina.automata.written import network_of

    found = automata[1].judge(PARITY, network_of(PARITY.automaton), 0)
    assert found.keys() == judged().keys()
    assert found["routes"].keys() == judged()["routes"].keys()
    assert all(route["equivalent"] for route in found["routes"].values())
    assert found["lengths"] == {"1000": 1.0, "10000": 1.0}
    assert json.loads(json.dumps(found)) == found
