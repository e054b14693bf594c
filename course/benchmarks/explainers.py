"""How fast the methods of `vitrina.explain` are, beside the peers, in one run.

    make bench-explainers                              everything, on one thread and on two: about ten minutes
    make bench-explainers ARGS="--only lrp --threads 1"  one group of rows (see GROUPS)
    make peers                                         first, to have the rows of captum and zennit too

The unit U is one compiled forward and backward pass from a logit to the inputs: a batch of 1,000 MNIST images through a
small convolutional network; f is its forward pass alone, b the rest. No method that looks at each image once can cost
less than f or U, so a ratio to U says what a method adds. Rounds are interleaved: each runs every row once, a row's
ratio is the median over rounds of its time through that of U in the same round. Ratios are of CPU seconds. The first
call, which compiles, is reported apart. Methods that only ask a model for its scores are measured by the forward passes
that they cannot do without.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parent
BUILD = FOLDER.parents[1] / "build" / "benchmarks"
DOCS = FOLDER.parent / "docs"
GROUPS = ("gradients", "lrp", "search", "deeplift", "shapley")
#: What measures a group, if it is not explainers_ours.py.
SCRIPTS = {"shapley": "explainers_shapley.py"}
#: Who does the same elsewhere, by the beginning of our row's name; LRP's rules have the same names in zennit.
PEERS = {
    "gradient x input": "captum InputXGradient",
    "integrated gradients, 16 steps": "captum IntegratedGradients",
    "DeepLIFT, 1 reference": "captum DeepLift",
}

console = Console(width=max(110, Console().width))


def run(threads: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure in processes of their own, as libraries read the number of threads when they start."""
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    numbers = [str(threads), str(options.rounds), str(options.batch)]
    rows: list[dict[str, Any]] = []
    for group in options.only or GROUPS:
        console.print(f"{group}, {threads} thread(s)", style="dim")
        rows += measured(
            [sys.executable, FOLDER / SCRIPTS.get(group, "explainers_ours.py"), group, *numbers], environment
        )
        if options.peers and group in ("gradients", "lrp", "deeplift"):
            rows += measured([options.peers, FOLDER / "explainers_torch.py", group, *numbers], environment)
    return [row | {"threads": threads} for row in rows]


def measured(command: Sequence[str | Path], environment: dict[str, str]) -> list[dict[str, Any]]:
    """Rows that a measuring process prints as JSON in its last line."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def merged(rows: Sequence[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    """Keep the rows of earlier runs that this one did not measure, so that groups may be run one by one."""
    known = json.loads(path.read_text()) if path.exists() else []
    table = {(row["threads"], row["group"], row["name"]): row for row in [*known, *rows]}
    new = {(row["threads"], row["group"]) for row in rows}
    current = {(row["threads"], row["group"], row["name"]) for row in rows}
    kept = [row for key, row in table.items() if key in current or key[:2] not in new]
    kept.sort(key=_place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1))
    return kept


def _place(row: dict[str, Any]) -> tuple[int, int]:
    return row["threads"], GROUPS.index(row["group"])


def peer_of(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Find the row of another library that does the same."""
    name = PEERS.get(row["name"], row["name"].replace("LRP, ", "zennit, "))
    found = [other for other in rows if other["name"] == name and other["threads"] == row["threads"] and other["peer"]]
    return found[0] if found and not row["peer"] else None


def cells(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """One line of the table as text."""
    met = "" if row["goal"] is None else "yes" if row["reached"] else "**no**"
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    peer = peer_of(row, rows)
    faster = f"{peer['cpu'] / row['cpu']:.1f} x {peer['name'].split(',')[0].split(' ')[0]}" if peer else ""
    cpu, wall = (f"{1000 * row[kind]:.3g}" if row[kind] < 1 else f"{1000 * row[kind]:.0f}" for kind in ("cpu", "wall"))
    return row["name"], cpu, wall, ratio, row["goal_text"], row["shown"], met, faster, f"{row['first']:.1f}"


MARK = "\n## The tables\n"
HEADS = ("method", "CPU ms", "wall ms", "in U", "goal", "reached", "met", "as fast as", "first call s")


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print one table for each number of threads."""
    for threads in sorted({row["threads"] for row in rows}):
        table = Table(*HEADS, box=SIMPLE_HEAD, title=f"{threads} thread(s)")
        for row in rows:
            if row["threads"] == threads:
                table.add_row(*(cell.replace("**", "") for cell in cells(row, rows)))
        console.print(table)


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Write the tables for the docs page."""
    lines: list[str] = []
    for threads in sorted({row["threads"] for row in rows}):
        lines += [f"### {threads} thread{'s' * (threads > 1)}", "", f"| {' | '.join(HEADS)} |"]
        lines += [f"|{' --- |' * len(HEADS)}"]
        lines += [f"| {' | '.join(cells(row, rows))} |" for row in rows if row["threads"] == threads] + [""]
    return "\n".join(lines)


def accuracy(path: Path, anew: bool) -> list[dict[str, Any]]:
    """Errors of Shapley estimates, which no machine changes: measured anew, or as they were last time."""
    if anew:
        console.print("accuracy of Shapley values", style="dim")
        lines = measured([sys.executable, FOLDER / "shapley_accuracy.py"], dict(os.environ))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(lines, indent=1))
    return json.loads(path.read_text()) if path.exists() else []


def accuracy_cells(line: dict[str, Any]) -> list[str]:
    """One line of the table of errors as text: ours first, shap's second; the goal is a share of shap's."""
    budget, mine, theirs, *others = line.values()
    goal, share = 0.9 if budget >= 512 else 1.0, mine / theirs
    errors = [f"{error:.4f}" for error in (mine, theirs, *others)]
    return [str(budget), *errors, f"{share:.2f}", f"<= {goal:g}", "yes" if share <= goal else "**no**"]


def accuracy_table(lines: Sequence[dict[str, Any]]) -> tuple[str, Table | str]:
    """The table of errors for the docs page and for the console."""
    heads = [*lines[0], "ours / shap", "goal", "met"]
    table = Table(*heads, box=SIMPLE_HEAD, title="relative error of Shapley values")
    text = ["### Relative error of Shapley values", "", f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for cells_of_line in map(accuracy_cells, lines):
        table.add_row(*(cell.replace("**", "") for cell in cells_of_line))
        text.append(f"| {' | '.join(cells_of_line)} |")
    return "\n".join(text), table


def document(tables: str, page: Path) -> None:
    """Put the tables into the docs page, at its end."""
    text, _, _ = page.read_text().partition(MARK)
    page.write_text(f"{text}{MARK}\n{tables.rstrip()}\n")


def draw(rows: Sequence[dict[str, Any]], *paths: Path) -> None:
    """Draw each method's cost in U beside its goal."""
    mpl.use("agg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "vitrina"}  # small, and equal for equal numbers
    import matplotlib.pyplot as plt

    threads = min(row["threads"] for row in rows)
    here = [row for row in rows if row["threads"] == threads]
    unit = {row["group"]: row["cpu"] for row in here if row["name"] == "U"}
    bare = ("U", "f", "U, torch", "f, torch", "gradient x input, against the loop")
    drawn = [row for row in here if row["name"] not in bare and row["group"] in unit]
    figure, axes = plt.subplots(figsize=(9, 1 + 0.28 * len(drawn)), layout="constrained")
    colours = ["0.7" if row["peer"] else "#28629c" for row in drawn]
    costs = [row["cpu"] / unit[row["group"]] for row in drawn]
    bars = axes.barh([row["name"] for row in drawn], costs, color=colours)
    axes.bar_label(bars, fmt="%.3g", padding=6, fontsize=8, bbox={"fc": "white", "ec": "none", "pad": 0.5}, zorder=3)
    for place, row in enumerate(drawn):
        if row["goal"] is not None and row["goal_in_u"]:
            axes.plot([row["goal"]] * 2, [place - 0.42, place + 0.42], color="#c8501e", lw=2)
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.01)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("CPU time in U")
    axes.set_title(f"blue: ours, grey: peers, line: goal; threads: {threads}", fontsize=9, loc="left")
    for path in paths:
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
        console.print(f"plot: {os.path.relpath(path)}")


def main() -> None:
    """Read the options, run, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="make bench-explainers"
    )
    parser.add_argument("--threads", type=int, action="append", help="of each process; may be repeated")
    parser.add_argument("--only", action="append", choices=GROUPS, help="a group of rows; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, help="how often everything is run")
    parser.add_argument("--batch", type=int, default=1000, help="images in a batch")
    parser.add_argument("--peers", default=os.environ.get("VITRINA_PEERS"), help="a Python with torch, captum, zennit")
    parser.add_argument("--docs", action="store_true", help="put tables and plot into course/docs")
    options = parser.parse_args()
    rows = [row for threads in options.threads or [1, 2] for row in run(threads, options)]
    rows = merged(rows, BUILD / "explainers.json")
    show(rows)
    errors = accuracy(BUILD / "shapley_accuracy.json", "shapley" in (options.only or GROUPS))
    text, table = accuracy_table(errors) if errors else ("", "")
    console.print(table)
    draw(rows, BUILD / "explainers.png", *([DOCS / "speed.svg"] if options.docs else []))
    if options.docs:
        document(f"{markdown(rows)}\n{text}", DOCS / "speed.md")


if __name__ == "__main__":
    main()
