"""Graded exercises whose answer is a dictionary: choices, choices about data of one's own, and examples to be found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vitrina.judging import Case, Outcome, Reply, examine
from vitrina.messages import _
from vitrina.values import QUESTION

Ask = Callable[[Case], Reply]


@dataclass(frozen=True)
class Question:
    """One question of a quiz: its text, the allowed answers and the right one."""

    key: str
    options: Sequence[str]
    right: str


@dataclass(frozen=True, kw_only=True)
class Quiz:
    """A graded exercise whose answer is a choice for each question, given as a dictionary.

    Practice only tells whether an answer is allowed: the right ones stay with the examiner.
    """

    id: str
    title: str
    formula: str
    competences: Sequence[str]
    questions: Sequence[Question]

    @property
    def solution(self) -> Mapping[str, Any]:
        """The dictionary that earns everything."""
        return {question.key: question.right for question in self.questions}

    def examine(self, seed: bytes, ask: Ask) -> list[Outcome]:
        """Put the questions to a student's answers."""
        return examine(self.cases(seed), ask, reveal=False)

    def cases(self, seed: bytes) -> list[Case]:
        """Make one case a question (the same for every seed)."""
        del seed
        return [_choice(question, question.right) for question in self.questions]

    def public_cases(self) -> list[Case]:
        """Make the questions without their answers."""
        return [_choice(question, None) for question in self.questions]


@dataclass(frozen=True, kw_only=True)
class DrawnQuiz:
    """A quiz about data drawn for a name: the student looks at a figure of their own, and says whose it is.

    Attributes
    ----------
    named : str
        The key under which the student's dictionary holds the name.
    ask : callable
        Gives the questions for a name: their keys and options are the same for all.
    """

    id: str
    title: str
    formula: str
    competences: Sequence[str]
    named: str
    ask: Callable[[str], Sequence[Question]]

    @property
    def questions(self) -> Sequence[Question]:
        """The questions, as somebody without a name would be asked."""
        return self.ask("")

    @property
    def solution(self) -> Mapping[str, Any]:
        """A dictionary that earns everything."""
        name = "Ada Lovelace"
        return {self.named: name} | {question.key: question.right for question in self.ask(name)}

    def examine(self, seed: bytes, ask: Ask) -> list[Outcome]:
        """Ask for the name, and then put the questions about its data."""
        del seed
        reply = ask(Case(self.named, {QUESTION: self.named}))
        if reply.status == "unanswered":
            answered = examine(self.public_cases(), ask, reveal=False)
            if all(outcome.status == "unanswered" for outcome in answered):
                return answered
        if not isinstance(reply.value, str) or not reply.value.strip():
            reason = _("the answers do not say whose figure they are about: `{key}` must be a name")
            return [Outcome(question.key, "failed", 1.0, reason.format(key=self.named)) for question in self.questions]
        cases = [_choice(question, question.right) for question in self.ask(reply.value)]
        return examine(cases, ask, reveal=False)

    def public_cases(self) -> list[Case]:
        """Make the questions without their answers."""
        return [_choice(question, None) for question in self.questions]


@dataclass(frozen=True)
class Find:
    """One thing to find: its key, the property that it must have, and one that has it."""

    key: str
    property: str
    example: Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Hunt:
    """A graded exercise whose answers are examples that the student finds: whatever has the property is right.

    Attributes
    ----------
    finds : sequence of Find
        What the student's dictionary holds: arrays by key.
    alternatives : sequence of mapping
        Other right dictionaries.
    bugs : sequence of mapping
        Wrong ones: each must lose points.
    """

    id: str
    title: str
    formula: str
    competences: Sequence[str]
    finds: Sequence[Find]
    alternatives: Sequence[Mapping[str, Any]] = ()
    bugs: Sequence[Mapping[str, Any]] = ()

    @property
    def solution(self) -> Mapping[str, Any]:
        """A dictionary that earns everything."""
        return {find.key: find.example for find in self.finds}

    def examine(self, seed: bytes, ask: Ask) -> list[Outcome]:
        """Look at a student's finds."""
        del seed
        return examine(self.public_cases(), ask, reveal=False)

    def public_cases(self) -> list[Case]:
        """Make one case a find; a property gives nothing away."""
        return [Case(find.key, {QUESTION: find.key}, properties=[find.property], by_itself=True) for find in self.finds]


def _choice(question: Question, right: str | None) -> Case:
    return Case(question.key, {QUESTION: question.key}, right, options=question.options)
