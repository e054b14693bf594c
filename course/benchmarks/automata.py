"""How often networks become automata, and what noise buys: every language, four ways of training, many seeds.

    make bench-automata                          four seeds of four languages: a few minutes
    make bench-automata ARGS="--full"            twenty seeds of eight languages: about fifteen minutes of processor
    make bench-automata ARGS="--seeds 8 --languages parity 'Tomita 7'"

Each seed trains a network (a *single run*) and, if it makes a mistake in its acceptance test (400 fresh words three
times as long as those it was trained on), another one, until one is accepted. The first and the accepted one are read
by every route of `vitrina.automata.routes`, compared with the true minimal automaton exactly, and disturbed. What was
measured is kept in build/benchmarks/automata.json, so that a run that is stopped goes on where it was; two at a time
with different languages get along.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automata_page import draw, markdown, tables
from automata_runs import BATCH, measure
from rich.console import Console

from vitrina.automata import PARITY, TOMITA
from vitrina.automata.weights import TRAININGS, Training

BUILD = Path(__file__).parents[2] / "build" / "benchmarks"
DOCS = Path(__file__).parents[1] / "docs"
MARK = "\n## The tables\n"
LANGUAGES = (*(language.name for language in TOMITA.values()), PARITY.name)
#: By themselves: one that is easy, one with a trap where twins without noise go wrong, two that count.
FEW = ("Tomita 3", "Tomita 5", "Tomita 7", "parity")
Run = dict[str, Any]

console = Console(width=max(150, Console().width))


def stored(path: Path) -> list[Run]:
    """Runs of earlier calls."""
    return json.loads(path.read_text()) if path.exists() else []


def keep(runs: Sequence[Run], path: Path) -> None:
    """Add runs to those that are stored, in the place of the same runs there."""
    table = {identity(run): run for run in [*stored(path), *runs]}
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps([table[key] for key in sorted(table)]))
    fresh.replace(path)


def identity(run: Run) -> tuple[str, str, int]:
    """Tell runs apart."""
    return run["language"], run["training"], run["seed"]


def run_all(languages: Sequence[str], trainings: Sequence[Training], seeds: int, path: Path) -> list[Run]:
    """Measure what is not stored yet, and return all that was asked for."""
    known = {identity(run) for run in stored(path)}
    for batch in range(-(-seeds // BATCH)):
        for language in languages:
            for training in trainings:
                wanted = {(language, training, BATCH * batch + place) for place in range(BATCH)}
                if not wanted <= known:
                    console.print(f"{language}, {training}, from seed {BATCH * batch}", style="dim")
                    keep(measure(language, training, batch), path)
    return [
        run
        for run in stored(path)
        if run["language"] in languages and run["training"] in trainings and run["seed"] < seeds
    ]


def document(runs: Sequence[Run], page: Path) -> None:
    """Put the tables into the docs page, at its end."""
    text, _, _ = page.read_text().partition(MARK)
    page.write_text(f"{text}{MARK}\n{markdown(runs).rstrip()}\n")


def main() -> None:
    """Read the options, run, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="make bench-automata"
    )
    parser.add_argument("--seeds", type=int, default=BATCH, help="how many, trained four at a time")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=FEW, metavar="NAME")
    parser.add_argument("--trainings", nargs="+", choices=list(TRAININGS), default=list(TRAININGS), metavar="NAME")
    parser.add_argument("--full", action="store_true", help="twenty seeds of all eight languages")
    parser.add_argument("--anew", action="store_true", help="forget what was measured before")
    parser.add_argument("--docs", action="store_true", help="put tables and plot into course/docs")
    options = parser.parse_args()
    if options.full:
        options.seeds, options.languages = 20, LANGUAGES
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    path = BUILD / "automata.json"
    if options.anew:
        path.unlink(missing_ok=True)
    runs = run_all(options.languages, options.trainings, options.seeds, path)
    for table in tables(runs):
        console.print(table)
    drawn = draw(runs, BUILD / "automata.png", *([DOCS / "automata.svg"] if options.docs else []))
    console.print(f"plot: {os.path.relpath(drawn)}")
    if options.docs:
        document(runs, DOCS / "automata.md")


if __name__ == "__main__":
    main()
