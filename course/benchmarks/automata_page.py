"""Tables and plot of `automata.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.ticker import PercentFormatter
from rich.box import SIMPLE_HEAD
from rich.table import Table

from vitrina.automata import LANGUAGES, ROUTES
from vitrina.automata.weights import TRAININGS

Run = dict[str, Any]
Judged = dict[str, Any]
COLOURS = {"plain": "0.62", "l1": "#e08214", "additive": "#28629c", "multiplicative": "#7fb2d9"}


@dataclass(frozen=True)
class Grid:
    """A table as text."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def final(run: Run) -> Judged:
    """Return what became of a seed in the end: its first network, or the one that was accepted later."""
    return run["final"] or run["single"]


def grids(runs: Sequence[Run]) -> list[Grid]:
    """Make all tables."""
    return [single_runs(runs), restarted(runs), by_language(runs)]


def tables(runs: Sequence[Run]) -> list[Table]:
    """Make the tables for the console."""
    made: list[Table] = []
    for grid in grids(runs):
        table = Table(*grid.heads, box=SIMPLE_HEAD, title=grid.title, title_justify="left")
        for row in grid.rows:
            table.add_row(*row)
        made.append(table)
    return made


def markdown(runs: Sequence[Run]) -> str:
    """Make the tables for the docs page."""
    lines: list[str] = []
    for grid in grids(runs):
        lines += [f"### {grid.title}", "", f"| {' | '.join(grid.heads)} |", f"|{' --- |' * len(grid.heads)}"]
        lines += [f"| {' | '.join(row)} |" for row in grid.rows] + [""]
    return "\n".join(lines)


def single_runs(runs: Sequence[Run]) -> Grid:
    """Count how many single runs give the true automaton, by training and route."""
    heads = ["training", "runs", *ROUTES, "accepted at once"]
    rows: list[list[str]] = []
    for training, some in by_training(runs):
        proved = [share(run["single"]["routes"][route]["equivalent"] for run in some) for route in ROUTES]
        rows.append([training, str(len(some)), *proved, share(run["accepted"] and run["tries"] == 1 for run in some)])
    return Grid("Single runs that give an equivalent automaton, by route", heads, rows)


def restarted(runs: Sequence[Run]) -> Grid:
    """Count the same where a network that fails its acceptance test is replaced."""
    heads = ["training", "seeds", "accepted", *ROUTES, "tries, mean", "most", "1,000 symbols, worst", "10,000, worst"]
    rows: list[list[str]] = []
    for training, some in by_training(runs):
        proved = [share(final(run)["routes"][route]["equivalent"] for run in some) for route in ROUTES]
        tries = [run["tries"] for run in some]
        worst = [f"{min(final(run)['lengths'][length] for run in some):.4f}" for length in ("1000", "10000")]
        counts = [f"{np.mean(tries):.2f}", str(max(tries)), *worst]
        rows.append([training, str(len(some)), share(run["accepted"] for run in some), *proved, *counts])
    return Grid("Restarted until accepted", heads, rows)


def by_language(runs: Sequence[Run]) -> Grid:
    """Say what single runs are like, language by language."""
    heads = ["language", "training", "sign", "snap", "states", "minimal", "saturated", "active", "CPU s for four"]
    heads += ["CPU s to read", "1,000 symbols", "10,000 symbols", "additive noise", "mult. noise", "kick"]
    rows: list[list[str]] = []
    for language in [name for name in LANGUAGES if any(run["language"] == name for run in runs)]:
        for training, some in by_training([run for run in runs if run["language"] == language]):
            singles = [run["single"] for run in some]
            seconds = [np.median([run["seconds"] for run in some]), *[np.median(read_for(singles))]]
            rows.append(
                [
                    *(language, training),
                    *(share(one["routes"][route]["equivalent"] for one in singles) for route in ("sign", "snap")),
                    *(
                        f"{np.median([one['routes']['sign'][key] for one in singles]):g}"
                        for key in ("states", "minimal")
                    ),
                    *(f"{np.nanmean([one[key] for one in singles]):.{digits}f}" for key, digits in _SHOWN),
                    *(f"{value:.2f}" for value in seconds),
                    *(f"{value(singles).mean():.4f}" for value in _RIGHT.values()),
                ]
            )
    return Grid("Single runs, language by language: how many are right, medians and means", heads, rows)


def read_for(singles: Sequence[Judged]) -> list[float]:
    """How long reading by signs took, with the proof."""
    return [one["routes"]["sign"]["seconds"] for one in singles]


def _values(*keys: str) -> Callable[[Sequence[Judged]], npt.NDArray[np.float64]]:
    def values(judged: Sequence[Judged]) -> npt.NDArray[np.float64]:
        found: list[Any] = list(judged)
        for key in keys:
            found = [one[key] for one in found]
        return np.array(found, float)

    return values


_SHOWN = (("saturation", 2), ("active", 1))
#: What a network does right, by what it is put to.
_RIGHT = {
    "accuracy, 1,000 symbols": _values("lengths", "1000"),
    "accuracy, 10,000 symbols": _values("lengths", "10000"),
    "accuracy, additive noise 0.5": _values("noise", "additive"),
    "accuracy, multiplicative noise 0.5": _values("noise", "multiplicative"),
    "restored after a kick of 0.5": _values("kick"),
}
_DRAWN = ("accuracy, 10,000 symbols", "accuracy, additive noise 0.5", "restored after a kick of 0.5")


def by_training(runs: Sequence[Run]) -> Iterable[tuple[str, list[Run]]]:
    """Group runs by how the network was trained."""
    for training in TRAININGS:
        some = [run for run in runs if run["training"] == training]
        if some:
            yield training, some


def share(answers: Iterable[bool]) -> str:
    """How many are true, of how many."""
    counted = list(answers)
    return f"{sum(counted)}/{len(counted)}"


def draw(runs: Sequence[Run], *paths: Path) -> Path:
    """Draw success by route, and what single runs withstand; return the first path."""
    mpl.use("agg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "vitrina"}  # small, and equal for equal numbers
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(13, 4.2), layout="constrained", width_ratios=[1.5, 1, 1, 1])
    _draw_routes(axes[0], runs)
    for place, name in zip(axes[1:], _DRAWN, strict=True):
        _draw_values(place, runs, name)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    return paths[0]


def _draw_routes(axes: Any, runs: Sequence[Run]) -> None:
    """Bars: how many of the single runs give the true automaton, by route."""
    groups = list(by_training(runs))
    for row, (training, some) in enumerate(groups):
        shares = [np.mean([run["single"]["routes"][route]["equivalent"] for run in some]) for route in ROUTES]
        heights = np.arange(len(ROUTES)) + 0.8 * ((row + 0.5) / len(groups) - 0.5)
        axes.barh(heights, shares, 0.8 / len(groups), color=COLOURS[training], label=training)
    axes.set_yticks(range(len(ROUTES)), list(ROUTES))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_title("single runs read as the true automaton", fontsize=10, loc="left")
    axes.legend(frameon=False, fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.4, -0.08))
    axes.spines[["top", "right"]].set_visible(False)


def _draw_values(axes: Any, runs: Sequence[Run], name: str) -> None:
    """Dots: each single run, and their mean."""
    groups = list(by_training(runs))
    for place, (training, some) in enumerate(groups):
        values = _RIGHT[name]([run["single"] for run in some])
        beside = np.linspace(-0.32, 0.32, len(values))[np.random.default_rng(0).permutation(len(values))]
        axes.scatter(place + beside, values, s=9, color=COLOURS[training], alpha=0.7, linewidths=0)
        axes.plot([place - 0.38, place + 0.38], [values.mean()] * 2, color="#22303f", lw=1.5)
    axes.set_xticks(range(len(groups)), [training for training, _ in groups], rotation=20, fontsize=8)
    axes.set_ylim(None, 1.02)
    axes.set_title(name, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
