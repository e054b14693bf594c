"""Graded exercises whose answer is an automaton or a trained network, for a language drawn for the student's name.

The student never gets the automaton of that language, only labelled words. The examiner finds it by asking about words
(Angluin's L*), which is exact here because all words are tried that could tell two automata of that size apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any, ClassVar

import numpy as np

from vitrina.automata.learning import Path, learn
from vitrina.automata.machines import DFA
from vitrina.automata.minimisation import agreement, equivalent
from vitrina.automata.written import network_of
from vitrina.handed_in import AUTOMATON, KINDS, take_in
from vitrina.handed_in_judging import (
    agreement_row,
    automaton_of,
    minimality_row,
    network_rows,
    spelt,
    wrong_word,
)
from vitrina.judging import Case, Outcome, Reply
from vitrina.membership import LETTERS, Table
from vitrina.messages import _
from vitrina.own_language import MOST_STATES, own_language
from vitrina.recurrent import ElmanCell

Ask = Callable[[Case], Reply]
Answer = Mapping[str, Any]

_AGREEMENT_LENGTH = 12
_EXAMPLE, _FRIEND = "Ada Lovelace", "Blaise Pascal"


@lru_cache(maxsize=256)
def language_of(name: str) -> DFA:
    """Find the minimal automaton of the language that was drawn for a name."""
    own = own_language(name)
    symbols = range(len(LETTERS))
    words = np.array(list(product(symbols, repeat=2 * MOST_STATES - 2)))  # Moore (1956): they tell any two apart
    labels = own.label(words)

    def counterexample(guess: DFA) -> Path | None:
        wrong = guess.outputs[guess.run(words)] != labels
        if not wrong.any():
            return None
        length = int(np.argmax(wrong.any(axis=0)))
        return tuple(LETTERS[symbol] for symbol in words[int(np.argmax(wrong[:, length])), :length])

    def membership(asked: Sequence[Path]) -> list[bool]:
        return [own.belongs(word) for word in asked]

    return learn(membership, counterexample, tuple(LETTERS)).automaton


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """
    What both kinds have in common.

    Attributes
    ----------
    named : str
        The key under which the student's dictionary holds the name.
    """

    id: str
    title: str
    formula: str
    competences: Sequence[str]
    named: str = "drawn for"
    kind: ClassVar[str]

    def examine(self, seed: bytes, ask: Ask) -> list[Outcome]:
        """Take in what was handed in and judge it."""
        return take_in(KINDS[self.kind], self.named, ask, lambda name, thing: self.judge(name, thing, seed))

    def judge(self, name: str, thing: Any, seed: bytes) -> list[Outcome]:
        """Judge it, as handed in for a name."""
        raise NotImplementedError

    def public_cases(self) -> list[Case]:
        """Make the questions for its parts, which give nothing away."""
        return KINDS[self.kind].cases(self.named)

    @property
    def questions(self) -> Sequence[str]:
        """What is judged, for reports."""
        return [row.title for row in KINDS[self.kind].rows]

    @property
    def solution(self) -> Answer:
        """A dictionary that earns everything."""
        return self.answer_for(_EXAMPLE)

    def answer_for(self, name: str) -> Answer:
        """Give a dictionary that earns everything, for a name."""
        raise NotImplementedError


class HandedInAutomaton(HandedIn):
    """
    A graded exercise whose answer is the automaton of the language drawn for the student.

    It is a dictionary such as `{"drawn for": "Ada", "transitions": [[1, 0], [0, 1]], "accepting": [True, False],
    "start": 0}`; without a start the automaton begins in state 0. Half of the points are for exact equivalence, a tenth
    for a minimal automaton, the rest for the share of words of up to 12 symbols on which it is right, counted from what
    an automaton reaches that says the same of all words.
    """

    kind = "automaton"

    def judge(self, name: str, thing: Table, seed: bytes) -> list[Outcome]:
        """Compare an automaton with that of the language."""
        del seed  # nothing is drawn: it is compared on all words
        automaton, language = automaton_of(thing), language_of(name)
        shares = agreement(language, automaton, _AGREEMENT_LENGTH).mean()
        belonging = agreement(
            language, DFA(language.alphabet, np.zeros((1, 2), int), np.array([True])), _AGREEMENT_LENGTH
        ).mean()
        missed = equivalent(language, automaton).counterexample
        every = replace(AUTOMATON.rows[1], status="passed")
        if missed is not None:
            word = [LETTERS.index(str(symbol)) for symbol in missed]
            told = wrong_word(spelt(word), belongs=language.accepts(missed))
            hint = _("Follow this word through your automaton, and through your network: which of the two is wrong?")
            every = replace(AUTOMATON.rows[1], message=told, hint=hint)
        agreed = 1.0 if missed is None else min(float(shares), 1 - 1e-9)
        found = agreement_row(agreed, float(max(belonging, 1 - belonging)))
        return [found, every, minimality_row(automaton)]

    def answer_for(self, name: str) -> Answer:
        """Give the automaton of a name's language."""
        return {self.named: name, **_parts(language_of(name))}

    @property
    def alternatives(self) -> Sequence[Answer]:
        """Other right dictionaries: states in another order, numbers in place of truth values, no start."""
        table = self.solution
        order = np.arange(len(table["accepting"]))[::-1]
        turned = {
            "transitions": order[np.array(table["transitions"])[order]],
            "accepting": np.array(table["accepting"])[order].astype(int),
            "start": order[0],
        }
        without = {key: value for key, value in table.items() if key != "start"}
        return [{**table, **turned}, without]

    @property
    def bugs(self) -> Sequence[Answer]:
        """Wrong ones: accepts the others, everything, reads b for a, starts elsewhere, misses a turn, a friend's."""
        right = self.solution
        rows, ends = np.array(right["transitions"]), np.array(right["accepting"])
        slip = rows.copy()
        slip[1, 0] = (slip[1, 0] + 1) % len(rows)
        doubled = {"transitions": np.concatenate([rows, rows]), "accepting": np.concatenate([ends, ends])}
        return [
            {**right, "accepting": ~ends},
            {**right, "transitions": [[0, 0]], "accepting": [True]},
            {**right, "transitions": rows[:, ::-1]},
            {**right, "start": 1},
            {**right, "transitions": slip},
            {**right, **doubled},
            {**right, "transitions": rows + 1},
            {**right, self.named: _FRIEND},
        ]


def written_down(automaton: DFA) -> dict[str, Any]:
    """Write down an automaton as the parameters of a network, named as `vitrina.recurrent.ElmanCell` names them."""
    network = network_of(automaton)
    parts = network.inputs, network.recurrent, network.bias, network.readout, network.offset
    return dict(zip("WUbvc", parts, strict=True))


class HandedInNetwork(HandedIn):
    """
    A graded exercise whose answer is an Elman network trained on the language drawn for the student.

    It is a dictionary of its parameters, `{"drawn for": "Ada", "W": W, "U": U, "b": b, "v": v, "c": c}`, as
    `vitrina.recurrent.ElmanCell` names them. The examiner runs it on words that it draws afresh.
    """

    kind = "network"

    def judge(self, name: str, thing: ElmanCell, seed: bytes) -> list[Outcome]:
        """Run a network on words of the language."""
        drawn = int.from_bytes(hashlib.sha256(seed).digest()[:6])
        return network_rows(thing, own_language(name), seed=1000 + drawn)

    def answer_for(self, name: str) -> Answer:
        """Give a network that was made by hand, not trained, as lists: a notebook can hold them as text."""
        parts = written_down(language_of(name))
        return {self.named: name, **{key: np.asarray(part).tolist() for key, part in parts.items()}}

    @property
    def alternatives(self) -> Sequence[Answer]:
        """Other right dictionaries: as Keras shapes weights, and of single precision."""
        right = self.solution
        arrays = {key: np.asarray(value, "f4") for key, value in right.items() if key != self.named}
        return [{**right, **arrays}, {**right, "v": np.reshape(right["v"], (-1, 1)), "c": np.array([right["c"]])}]

    @property
    def bugs(self) -> Sequence[Answer]:
        """Wrong ones: the other way round, transposed, untrained, always yes, diverged, of a friend's language."""
        right = {key: np.asarray(part) if key != self.named else part for key, part in self.solution.items()}
        untrained = {key: np.zeros_like(value) for key, value in right.items() if key != self.named}
        return [
            {**right, "v": -right["v"], "c": -right["c"]},
            {**right, "U": right["U"].T},
            {**right, "W": right["W"][::-1]},
            {**right, **untrained},
            {**right, "c": 1e3},
            {**right, "b": right["b"] * np.nan},
            {**right, self.named: _FRIEND},
        ]


def _parts(automaton: DFA) -> dict[str, Any]:
    return {
        "transitions": automaton.transitions.tolist(),
        "accepting": automaton.outputs.tolist(),
        "start": automaton.start,
    }
