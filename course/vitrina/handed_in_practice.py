"""What practice says of an automaton or a network: only what the words show that the student was given anyway."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from vitrina.automata.machines import DFA
from vitrina.handed_in import AUTOMATON, KINDS, Ask, take_in
from vitrina.handed_in_judging import (
    agreement_row,
    automaton_of,
    minimality_row,
    network_rows,
    spelt,
    wrong_word,
)
from vitrina.judging import Outcome
from vitrina.membership import Table
from vitrina.messages import _
from vitrina.own_language import own_language
from vitrina.recurrent import ElmanCell

_MOST_DRAWN = 12
_DOTS_PER_INCH = 80


def practise_kind(kind: str, named: str, ask: Ask) -> tuple[list[Outcome], str]:
    """
    Check what was handed in, as far as practice may.

    Parameters
    ----------
    kind : str
        A key of `vitrina.handed_in.KINDS`.
    named : str
        The key that holds the name.
    ask : callable
        Gets the reply to a question.

    Returns
    -------
    outcomes : list of Outcome
    picture : str
        What was handed in, as a PNG file in base 64; empty where there is nothing to draw.
    """
    pictures: list[str] = []

    def judge(name: str, thing: Any) -> list[Outcome]:
        if isinstance(thing, Table):
            pictures.append(_picture(automaton_of(thing)))
        return _JUDGES[kind](name, thing)

    outcomes = take_in(KINDS[kind], named, ask, judge)
    return outcomes, "".join(pictures)


def _practise_automaton(name: str, table: Table) -> list[Outcome]:
    automaton, own = automaton_of(table), own_language(name)
    words, labels = own.words, own.labels
    right = automaton.outputs[automaton.run(words)] == labels
    agreed, belonging = float(right.mean()), float(labels.mean())
    example = ""
    if agreed < 1:
        length = int(np.argmin(right.all(axis=0)))
        word = int(np.argmin(right[:, length]))
        example = wrong_word(spelt(words[word, :length]), belongs=bool(labels[word, length]))
    found = agreement_row(agreed, max(belonging, 1 - belonging), example=example)
    recorded = _("recorded; it is judged when your work is graded")
    every = replace(AUTOMATON.rows[1], status="recorded", message=recorded)
    if agreed < 1:
        missed = _("not on all of the words that you were given; when your work is graded, all words count")
        every = replace(AUTOMATON.rows[1], message=missed)
    return [found, every, minimality_row(automaton)]


def _practise_network(name: str, cell: ElmanCell) -> list[Outcome]:
    return network_rows(cell, own_language(name), seed=0)


_JUDGES: Mapping[str, Callable[[str, Any], list[Outcome]]] = MappingProxyType(
    {"automaton": _practise_automaton, "network": _practise_network}
)


def _picture(automaton: DFA) -> str:
    """Draw an automaton that is small enough to look at."""
    if len(automaton) > _MOST_DRAWN:
        return ""
    from vitrina.automata_plots import draw_machine

    file = io.BytesIO()
    draw_machine(automaton).savefig(
        file, format="png", dpi=_DOTS_PER_INCH, bbox_inches="tight", metadata={"Software": None}
    )
    return base64.b64encode(file.getvalue()).decode()
