"""A language says of every word whether it belongs, and of what is no word or no table what is wrong with it."""

import numpy as np
import pytest
from hypothesis import given

from corpus.machines import dfas, words
from vitrina.membership import TableLanguage, checked_table


@given(dfas(symbols="abc"))
def test_it_says_what_the_automaton_says_however_a_word_is_written(automaton):
    language = TableLanguage(automaton.transitions, automaton.outputs, automaton.start)
    for word in words(4, "abc"):
        numbers = ["abc".index(letter) for letter in word]
        for form in (word, list(word), tuple(numbers), np.array(numbers, int)):
            said = language(form)
            assert type(said) is bool
            assert said == automaton.accepts(word)


@pytest.mark.parametrize("word", ["abx", "A", "a b", [0, 2], [-1], [0.5], [None], [[0]], [{}], ["ab"]], ids=repr)
def test_a_stranger_in_a_word_is_refused(word):
    with pytest.raises(ValueError, match="a word is made of a, b"):
        TableLanguage([[1, 0], [0, 1]], [True, False])(word)


def test_a_caller_cannot_change_the_table_behind_it():
    table = np.array([[1, 0], [0, 1]])
    language = TableLanguage(table, [True, False])
    table[:] = 0
    assert not language("a")


@pytest.mark.parametrize(
    ("transitions", "accepting", "start", "said"),
    [
        ([[1, 0], [0, 3]], [1, 0], 0, "from state 1 `b` leads to 3, but the states are 0 to 1"),
        ([[1, -2], [0, 1]], [1, 0], 0, "from state 0 `b` leads to -1"),
        ([1, 0], [1, 0], 0, r"a row for each state and a column for each symbol; its shape is \(2,\)"),
        ([[1.5, 0]], [1], 0, "`transitions` must be whole numbers"),
        ([["a", "b"]], [1], 0, "`transitions` must be whole numbers"),
        ([[0, 0]], [1, 0], 0, "True or False for each of the 1 states"),
        ([[0, 0]], [7], 0, "True or False for each of the 1 states"),
        ([[0, 0]], ["yes"], 0, "True or False for each of the 1 states"),
        ([[0, 0]], [1], 1, "`start` must be one of the states 0 to 0"),
        ([[0, 0]], [1], [0, 0], "`start` must be one of the states 0 to 0"),
        ([[0, 0]], [1], "0", "`start` must be whole numbers"),
    ],
)
def test_what_is_no_table_is_refused(transitions, accepting, start, said):
    with pytest.raises(ValueError, match=said):
        checked_table(transitions, accepting, start)


def test_a_table_may_hold_numbers_of_any_kind():
    table = checked_table(np.array([[1.0, 0.0], [0.0, 1.0]], "f4"), [0.0, 1.0], np.array([1]))
    assert table.transitions.dtype == np.int64
    assert table.accepting.tolist() == [False, True]
    assert table.start == 1
