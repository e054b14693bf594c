"""The languages of the course, each told twice: by a definition of its words, and by its minimal automaton."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from vitrina.automata.machines import DFA, MealyMachine


@dataclass(frozen=True)
class Language:
    """
    A regular language over a and b.

    Attributes
    ----------
    name
        As in the literature.
    meaning
        Which words belong, in words.
    contains : callable
        The definition: whether a word belongs.
    automaton : DFA
        The minimal one.
    """

    name: str
    meaning: str
    contains: Callable[[str], bool]
    automaton: DFA


def _language(name: str, meaning: str, contains: Callable[[str], bool], rows: str, accepting: str) -> Language:
    """Make a language; a row of its automaton is where a and b lead."""
    table = np.array([[int(state) for state in row] for row in rows.split()])
    accepted = np.isin(np.arange(len(table)), [int(state) for state in accepting])
    return Language(name, meaning, contains, DFA(("a", "b"), table, accepted))


def _matches(pattern: str) -> Callable[[str], bool]:
    expression = re.compile(pattern)
    return lambda word: expression.fullmatch(word) is not None


def _lacks(pattern: str) -> Callable[[str], bool]:
    expression = re.compile(pattern)
    return lambda word: expression.search(word) is None


def _counts(rule: Callable[[int, int], bool]) -> Callable[[str], bool]:
    return lambda word: rule(word.count("a"), word.count("b"))


#: Tomita (1982), "Dynamic construction of finite automata from examples using hill-climbing", with a for 1 and b for 0.
TOMITA: Mapping[int, Language] = {
    1: _language("Tomita 1", "only a", _matches("a*"), "01 11", "0"),
    2: _language("Tomita 2", "ab, over and over", _matches("(ab)*"), "12 20 22", "0"),
    3: _language(
        "Tomita 3",
        "no run of a of odd length is followed by a run of b of odd length",
        _lacks("(?<!a)a(aa)*b(bb)*(?!b)"),
        "10 02 43 12 44",
        "013",
    ),
    4: _language("Tomita 4", "nowhere bbb", _lacks("bbb"), "01 02 03 33", "012"),
    5: _language(
        "Tomita 5",
        "an even number of a and an even number of b",
        _counts(lambda a, b: a % 2 == 0 and b % 2 == 0),
        "12 03 30 21",
        "0",
    ),
    6: _language(
        "Tomita 6",
        "the number of a minus that of b is a multiple of 3",
        _counts(lambda a, b: (a - b) % 3 == 0),
        "12 20 01",
        "0",
    ),
    7: _language("Tomita 7", "at most b, then a, then b, then a", _matches("b*a*b*a*"), "10 12 32 34 44", "0123"),
}
PARITY = _language("parity", "an even number of a", _counts(lambda a, _: a % 2 == 0), "10 01", "0")
#: Begins with b and ends with a.
B_TO_A = _language("b(a|b)*a", "begins with b and ends with a", _matches("b[ab]*a"), "31 21 21 33", "2")
LANGUAGES: Mapping[str, Language] = {language.name: language for language in (*TOMITA.values(), PARITY, B_TO_A)}


def adder(base: int) -> MealyMachine:
    """
    Return the Mealy machine that adds two numbers, digit by digit from the last.

    Parameters
    ----------
    base
        2 or more.

    Returns
    -------
    MealyMachine
        A symbol is a pair of digits, the output the digit of the sum; the states are the carry, 0 and 1.

    Raises
    ------
    ValueError
        If the base is below 2.

    Examples
    --------
    >>> adder(10).transduce([(7, 5), (1, 2), (0, 0)])  # 17 + 25 = 042, the last digit first
    array([2, 4, 0])
    """
    if base < 2:
        raise ValueError(f"a base must be 2 or more, got {base}")
    digits = list(product(range(base), repeat=2))
    sums = np.array([[first + second + carry for first, second in digits] for carry in (0, 1)])
    return MealyMachine(tuple(digits), sums // base, sums % base)
