"""Automata that are given as tables of numbers: drawn where `vitrina.automata` is there, else written as text."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from vitrina.membership import Table, checked_table


def show_table(transitions: npt.ArrayLike, accepting: npt.ArrayLike, *, title: str = "") -> None:
    """
    Show an automaton in a notebook.

    While work is graded `vitrina.automata`, which draws, is not there; then the table is printed.

    Parameters
    ----------
    transitions : array of ints, shape (states, symbols)
        The next state; the columns are for a, b, ... and the start is state 0.
    accepting : array of bools, shape (states,)
        Which states accept.
    title
        Written above.

    Raises
    ------
    ValueError
        If that is no such table, or it has more than 40 states.
    """
    table = checked_table(transitions, accepting)
    figure = _figure(table, title)
    if figure is None:
        print(as_text(table, title))
    else:
        from IPython.display import display

        display(figure)


def as_text(table: Table, title: str = "") -> str:
    """Write an automaton as lines of text: a row for each state, * where it accepts."""
    head = "state " + "".join(f"{letter:>4}" for letter in _letters(table))
    rows = [
        f"{'*' if accepts else ' '}{state:4} " + "".join(f"{target:4}" for target in targets)
        for state, (targets, accepts) in enumerate(zip(table.transitions.tolist(), table.accepting, strict=True))
    ]
    return "\n".join([title, head, *rows] if title else [head, *rows])


def _letters(table: Table) -> list[str]:
    return [chr(ord("a") + number) for number in range(table.transitions.shape[1])]


def _figure(table: Table, title: str) -> Any:
    try:
        from vitrina.automata import DFA
        from vitrina.automata_plots import draw_machine
    except ImportError:
        return None
    return draw_machine(DFA(tuple(_letters(table)), table.transitions, table.accepting, table.start), title=title)
