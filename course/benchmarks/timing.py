"""Rows of a benchmark, timed in interleaved rounds. It imports no library, so that each peer's Python can run it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

_LOOK = 0.005  # seconds


@dataclass
class Row:
    """
    One thing to time.

    Attributes
    ----------
    name
        As the table shows it.
    call
        What is timed.
    forwards, backwards
        The goal, if there is one, in forward passes f and backward passes b.
    slower
        Name of the row that this one should beat, and how many times.
    within
        Name of the row that this one is to be measured by, and how many times its cost it may have.
    at_most
        The goal, if `call` returns a number: of calls of a model.
    share
        The part of the batch that `call` takes: what is slow is timed on fewer images.
    peer
        Whether it is another library, or a way of doing it that is not ours.
    unit
        Name of the row that times are divided by.
    """

    name: str
    call: Callable[[], object]
    forwards: float = 0.0
    backwards: float = 0.0
    slower: tuple[str, float] | None = None
    within: tuple[str, float] | None = None
    at_most: float | None = None
    share: float = 1.0
    peer: bool = False
    unit: str = "U"
    first: float = 0.0
    returned: object = None
    cpu: list[float] = field(default_factory=lambda: [])
    wall: list[float] = field(default_factory=lambda: [])

    def time(self) -> None:
        """Run once, after the threads of what ran before have stopped turning: they would count here."""
        _settle()
        wall, cpu = time.perf_counter(), time.process_time()
        self.returned = self.call()
        self.cpu.append((time.process_time() - cpu) / self.share)
        self.wall.append((time.perf_counter() - wall) / self.share)


def measure(rows: Sequence[Row], rounds: int, group: str) -> list[dict[str, Any]]:
    """
    Time rows in interleaved rounds, after a first call that is reported apart.

    Parameters
    ----------
    rows
        Among them U and f, where ratios are wanted.
    rounds
        How many.
    group
        What the rows are about.

    Returns
    -------
    list of dict
        Plain data: a line of the table each.
    """
    for row in rows:
        row.time()
        row.first = row.wall.pop() * row.share
        row.cpu.clear()
    for _ in range(rounds):
        for row in rows:
            row.time()
    named = {row.name: row for row in rows}
    return [_line(row, named) | {"group": group} for row in rows]


def _settle() -> None:
    """Wait until nothing in this process computes: threads of BLAS and TensorFlow look for more work for a while."""
    idle = False
    while not idle:
        cpu = time.process_time()
        time.sleep(_LOOK)
        idle = time.process_time() - cpu < _LOOK / 10


def _line(row: Row, named: dict[str, Row]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "name": row.name,
        "cpu": median(row.cpu),
        "wall": median(row.wall),
        "first": row.first,
        "peer": row.peer,
        "ratio": _ratio(row, named[row.unit]) if row.unit in named else None,
        **{"goal": None, "goal_text": "", "goal_in_u": False, "reached": False, "shown": ""},
    }
    if row.at_most is not None:
        count = int(str(row.returned))
        goal = {"goal": row.at_most, "goal_text": f"<= {row.at_most:g} calls", "shown": f"{count} calls"}
        return line | goal | {"reached": count <= row.at_most}
    if row.slower:
        other, factor = row.slower
        reached = _ratio(named[other], row)
        text = f"{factor:g} x as fast as {other}"
        return line | {"goal": factor, "goal_text": text, "shown": f"{reached:.3g} x", "reached": reached >= factor}
    if row.within:
        other, factor = row.within
        reached = _ratio(row, named[other])
        text = f"<= {factor:g} x {other}"
        return line | {"goal": factor, "goal_text": text, "shown": f"{reached:.3g} x", "reached": reached <= factor}
    if row.forwards or row.backwards:
        whole, forward = named["U"], named["f"]
        shares = [f / u for f, u in zip(forward.cpu, whole.cpu, strict=True)]
        goal = row.forwards * median(shares) + row.backwards * (1 - median(shares))
        reached = line["ratio"]
        text = f"<= {goal:.2f} U"
        return line | {
            **{"goal": goal, "goal_text": text, "goal_in_u": True},
            **{"shown": f"{reached:.2f} U", "reached": reached <= goal},
        }
    return line


def _ratio(row: Row, other: Row) -> float:
    return median(mine / theirs for mine, theirs in zip(row.cpu, other.cpu, strict=True))
