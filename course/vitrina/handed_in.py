"""Automata and networks that are handed in as data: what belongs to one, and what is said where a part is wrong.

An answer is a dictionary. Its parts are asked for one after the other, as the questions of a quiz are, so that nothing
but arrays and text comes from a student's process. One of them is the name for which the language was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import numpy as np

from vitrina.judging import Case, Outcome, Reply
from vitrina.membership import Table, checked_table
from vitrina.messages import _
from vitrina.recurrent import ElmanCell
from vitrina.values import QUESTION

Ask = Callable[[Case], Reply]
Thing = TypeVar("Thing")
#: Judges what was handed in, for a name: an outcome for each row of its kind.
Judge = Callable[[str, Thing], Sequence[Outcome]]

MOST_STATES = 50
MOST_UNITS = 256
_SYMBOLS = 2


class PartError(ValueError):
    """A part that cannot be used: why, and what helps."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Kind(Generic[Thing]):
    """
    A kind of thing that is handed in.

    Attributes
    ----------
    parts : sequence of str
        Keys of the dictionary, besides the one for the name.
    rows : sequence of Outcome
        What is judged, as it stands where nothing is right.
    build : callable
        Makes the thing of its parts; a `ValueError` says what is wrong with them.
    defaults : mapping
        What parts are that may be missing.
    shape : str
        What the dictionary looks like, for whoever hands in something else.
    """

    parts: Sequence[str]
    rows: Sequence[Outcome]
    build: Callable[[Mapping[str, Any]], Thing]
    shape: str
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def cases(self, named: str) -> list[Case]:
        """Make one question for the name and one for each part."""
        return [Case(key, {QUESTION: key}, by_itself=True) for key in (named, *self.parts)]


def take_in(kind: Kind[Thing], named: str, ask: Ask, judge: Judge[Thing]) -> list[Outcome]:
    """
    Ask for the parts of what was handed in, and have it judged.

    Parameters
    ----------
    kind : Kind
        What it is to be.
    named : str
        The key that holds the name.
    ask : callable
        Gets the reply to a question; nothing in it is trusted.
    judge : callable
        Takes the name and the thing, and returns an outcome for each of the kind's rows.

    Returns
    -------
    list of Outcome
        One for each row: all unanswered where nothing was handed in, all failed where a part is wrong.
    """
    replies = _replies(kind.cases(named), ask)
    parts = [replies[part] for part in kind.parts if part not in kind.defaults]
    if all(reply.status == "unanswered" and not reply.error for reply in parts):
        return [
            replace(row, status="unanswered", message=_("not answered yet"), reply="unanswered") for row in kind.rows
        ]
    try:
        values = {part: _value(kind, part, replies[part]) for part in kind.parts}
        name = _name(named, replies[named])
        return list(judge(name, kind.build(values)))
    except ValueError as error:
        hint = error.hint if isinstance(error, PartError) else ""
        first, *others = kind.rows
        return [
            replace(first, message=str(error), hint=hint),
            *(replace(row, message=_("not tried")) for row in others),
        ]


def _replies(cases: Sequence[Case], ask: Ask) -> dict[str, Reply]:
    """Ask until one question takes too long: the others would only do so too."""
    replies: dict[str, Reply] = {}
    for case in cases:
        late = next((reply for reply in replies.values() if reply.status == "timed out"), None)
        replies[case.title] = late or ask(case)
    return replies


def _name(named: str, reply: Reply) -> str:
    if reply.status == "raised":
        raise PartError(reply.error)
    if reply.status == "answered" and isinstance(reply.value, str) and reply.value.strip():
        return reply.value
    message = _("`{key}` must be your name, for which the language was drawn")
    raise PartError(message.format(key=named), _("Is it the name that you gave `own_language`, as a text?"))


def _value(kind: Kind[Any], part: str, reply: Reply) -> Any:
    if reply.status == "unanswered":
        if part in kind.defaults:
            return kind.defaults[part]
        raise PartError(_("`{key}` is missing").format(key=part), kind.shape)
    if reply.status in ("raised", "timed out"):
        raise PartError(reply.error, kind.shape)
    if not isinstance(reply.value, np.ndarray):
        message = _("`{key}` is no array of numbers: it may hold no text, no `None` and no rows of different lengths")
        raise PartError(message.format(key=part), kind.shape)
    return reply.value


def _table(parts: Mapping[str, Any]) -> Table:
    """Make the table of an automaton over a and b."""
    transitions, hint = np.asarray(parts["transitions"]), AUTOMATON.shape
    if transitions.ndim != 2 or transitions.shape[1] != _SYMBOLS or not len(transitions):
        message = _("`transitions` needs a row for each state and two columns, for a and b; its shape is {shape}")
        raise PartError(message.format(shape=transitions.shape), hint)
    if len(transitions) > MOST_STATES:
        message = _("{states} states are too many: your language needs only a few, and {most} are looked at")
        hint = _("Minimise the automaton that you read from the network, before you hand it in.")
        raise PartError(message.format(states=len(transitions), most=MOST_STATES), hint)
    try:
        return checked_table(transitions, parts["accepting"], parts["start"])
    except ValueError as error:
        raise PartError(str(error), hint) from error


def _cell(parts: Mapping[str, Any]) -> ElmanCell:
    """Make a network that reads a and b."""
    first = np.asarray(parts["W"])
    if first.ndim != 2 or first.shape[0] != _SYMBOLS or not first.shape[1]:
        message = _("`W` needs two rows, for a and b, and a column for each unit; its shape is {shape}")
        raise PartError(message.format(shape=first.shape), NETWORK.shape)
    if first.shape[1] > MOST_UNITS:
        message = _("{units} units are too many: at most {most} are run")
        raise PartError(message.format(units=first.shape[1], most=MOST_UNITS))
    try:
        return ElmanCell(**parts)
    except ValueError as error:
        raise PartError(str(error), NETWORK.shape) from error


#: Of what an automaton earns: being right on all words, on how many, and having no state too many.
AUTOMATON = Kind(
    parts=("transitions", "accepting", "start"),
    rows=(
        Outcome(_("agrees with your language"), "failed", 4.0),
        Outcome(_("is right on every word"), "failed", 5.0),
        Outcome(_("has no state too many"), "failed", 1.0, edge=True),
    ),
    build=_table,
    shape=_(
        "`transitions` is a list of rows, one for each state: where `a` leads and where `b` leads. `accepting` is a "
        "list of True and False, one for each state. States are numbers from 0."
    ),
    defaults=MappingProxyType({"start": 0}),
)


def _test_title(length: int, share: float) -> str:
    title = _("words of {length} symbols, at least {share:.0f} % right")
    if share == 1:
        title = _("words of {length} symbols, all right")
    return title.format(length=length, share=100 * share)


#: Word lengths on which a network is run, and the share of the beginnings of words on which it has to be right.
NETWORK_TESTS = ((12, 0.9), (12, 0.99), (200, 0.99), (200, 1.0))

NETWORK = Kind(
    parts=("W", "U", "b", "v", "c"),
    rows=tuple(Outcome(_test_title(length, share), "failed", 1.0) for length, share in NETWORK_TESTS),
    build=_cell,
    shape=_(
        "An Elman network of n units: `W` has the shape (2, n), `U` (n, n), `b` (n,), `v` (n,), and `c` is a number."
    ),
)

KINDS: Mapping[str, Kind[Any]] = MappingProxyType({"automaton": AUTOMATON, "network": NETWORK})
