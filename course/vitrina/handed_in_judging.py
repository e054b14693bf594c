"""Judging automata and networks that were handed in, by what both practice and the examiner look at.

It needs `vitrina.automata`, which is not there while work is graded: the examiner judges, never the student's kernel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.machines import DFA
from vitrina.automata.minimisation import equivalent_states
from vitrina.handed_in import AUTOMATON, NETWORK, NETWORK_TESTS
from vitrina.judging import Outcome
from vitrina.membership import LETTERS, Table
from vitrina.messages import _
from vitrina.own_language import Labels, OwnLanguage, Words
from vitrina.recurrent import ElmanCell

_LONG = 100
_NEARLY = 0.9
_GUESSED = 0.75  # about what a constant answer is right on
_FEW, _MANY = 50, 500  # long and short words that a network reads
_MOST_SHOWN = 40  # symbols of a word


def automaton_of(table: Table) -> DFA:
    """Make an automaton of what was handed in."""
    return DFA(tuple(LETTERS), table.transitions, table.accepting, table.start)


def agreement_row(agreed: float, constant: float, *, example: str = "") -> Outcome:
    """
    Judge by the share of words that an automaton says the truth of.

    Parameters
    ----------
    agreed : float
        That share.
    constant : float
        What the better of two automata reaches that say the same of all words: it earns nothing.
    example : str
        A word on which it is wrong, and what is true of it.
    """
    row = AUTOMATON.rows[0]
    if agreed == 1:
        return replace(row, status="passed")
    share = max(0.0, (agreed - constant) / (1 - constant))
    message = _("right on {agreed} of the words; saying the same of all words is right on {constant}")
    text = message.format(agreed=percent(agreed), constant=percent(constant))
    hint = _("Look at the automaton: which words lead to each state? Does the network agree with your labels?")
    if not share:
        hint = _("A constant answer does as well. Was it read from a network of this very name's language?")
    return replace(row, message=f"{text}; {example}" if example else text, hint=hint, share=share)


def minimality_row(automaton: DFA) -> Outcome:
    """Judge whether all states can be reached, and no two do the same."""
    row = AUTOMATON.rows[2]
    lost = sorted(set(range(len(automaton))) - set(automaton.reachable().tolist()))
    if lost:
        message = _("no word leads to state {state}").format(state=lost[0])
        return replace(row, message=message, hint=_("Leave out what cannot be reached from the start."))
    groups = equivalent_states(automaton).tolist()
    for state, group in enumerate(groups):
        first = groups.index(group)
        if first < state:
            message = _("the states {first} and {state} do the same: no word tells them apart")
            return replace(row, message=message.format(first=first, state=state), hint=_("Minimise the automaton."))
    return replace(row, status="passed")


def network_rows(cell: ElmanCell, language: OwnLanguage, seed: int) -> list[Outcome]:
    """
    Judge a network by what it says after each symbol of words that are drawn for it.

    Parameters
    ----------
    cell : ElmanCell
        The network.
    language : OwnLanguage
        What it should have learnt.
    seed : int
        Draws the words.
    """
    network = ElmanNetwork(tuple(LETTERS), cell.W, cell.U, cell.b, cell.v, cell.c)
    drawn = {
        length: language.draw(_FEW if length > _LONG else _MANY, length, seed=seed + length)
        for length, _wanted in NETWORK_TESTS
    }
    with np.errstate(all="ignore"):  # finite weights may still add up to infinity
        right = {length: _said_rightly(network, words, labels) for length, (words, labels) in drawn.items()}
    return [
        _network_row(row, right[length], share)
        for row, (length, share) in zip(NETWORK.rows, NETWORK_TESTS, strict=True)
    ]


def _said_rightly(network: ElmanNetwork, words: Words, labels: Labels) -> float:
    return float(np.mean(network.accepts(words) == labels[:, 1:]))


def _network_row(row: Outcome, right: float, wanted: float) -> Outcome:
    if right >= wanted:
        return replace(row, status="passed")
    message = _("yours is right on {right} of their beginnings").format(right=percent(right))
    return replace(row, message=message, hint=_network_hint(right, wanted))


def _network_hint(right: float, wanted: float) -> str:
    if right < _GUESSED:
        return _("A constant answer does about as well. Was it trained at all, and on the words of this very name?")
    if wanted == 1 and right > _NEARLY:
        return _("Noise and L1 while it learns make states discrete: what is discrete does not fade on long words.")
    return _("Has the training converged? Train longer, or again from other weights, until it is right on fresh words.")


def percent(share: float) -> str:
    """Write a share so that 100 % means all."""
    return f"{math.floor(1000 * share) / 10:g} %"


def spelt(symbols: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    """Write a word with its letters, a long one shortened, the empty one by its name."""
    letters = "".join(LETTERS[symbol] for symbol in symbols)
    if not letters:
        return _("the empty word")
    return f"`{letters}`" if len(letters) <= _MOST_SHOWN else f"`{letters[:_MOST_SHOWN]}...`"


def wrong_word(word: str, *, belongs: bool) -> str:
    """Say of a word on which an automaton is wrong what is true of it."""
    told = (
        _("{word} belongs to the language, and your automaton rejects it")
        if belongs
        else _("{word} does not belong to the language, and your automaton accepts it")
    )
    return told.format(word=word)
