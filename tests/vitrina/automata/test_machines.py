"""Machines do what their tables say; a table that says nothing sensible is refused."""

import numpy as np
import pytest
from hypothesis import given

from corpus.machines import dfas, mealy_machines, moore_machines, words
from vitrina.automata import DFA, LANGUAGES, PARITY, MealyMachine, MooreMachine, adder


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_each_language_s_automaton_accepts_what_its_definition_says(language):
    for word in words(11):
        assert language.automaton.accepts(word) == language.contains(word), word


@pytest.mark.parametrize("base", [2, 3, 4, 10])
def test_the_adder_adds(base):
    generator = np.random.default_rng(base)
    for first, second in generator.integers(0, base**6, size=(50, 2)).tolist():
        digits = [(first // base**place % base, second // base**place % base) for place in range(7)]
        total = sum(int(digit) * base**place for place, digit in enumerate(adder(base).transduce(digits)))
        assert total == first + second


@given(machine=dfas())
def test_many_words_at_once_are_followed_like_one_by_one(machine):
    batch = np.array([machine.encode(word) for word in words(4) if len(word) == 4])
    together = machine.run(batch)
    assert together.shape == (16, 5)
    for word, states in zip(batch, together, strict=True):
        assert machine.run(word).tolist() == states.tolist()


@given(machine=moore_machines())
def test_a_mealy_machine_says_on_the_way_what_a_moore_machine_says_on_arrival(machine):
    mealy = machine.mealy()
    assert isinstance(mealy, MealyMachine)
    for word in words(5):
        assert mealy.transduce(word).tolist() == machine.transduce(word)[1:].tolist()


@given(machine=mealy_machines())
def test_and_the_other_way_round(machine):
    moore = machine.moore(first=7)
    assert isinstance(moore, MooreMachine)
    for word in words(5):
        assert moore.transduce(word).tolist() == [7, *machine.transduce(word).tolist()]


def test_a_moore_adder_must_remember_the_digit_too():
    assert [len(adder(base)) for base in (2, 10)] == [2, 2]
    assert [len(adder(base).moore(first=-1).canonical()) for base in (2, 10)] == [5, 21]


@given(machine=dfas())
def test_the_complement_accepts_all_other_words(machine):
    assert all((~machine).accepts(word) != machine.accepts(word) for word in words(5))


@given(machine=dfas())
def test_the_canonical_form_does_not_depend_on_the_names_of_states(machine):
    order = np.random.default_rng(len(machine)).permutation(len(machine))
    table, accepting = np.empty_like(machine.transitions), np.empty_like(machine.outputs)
    table[order], accepting[order] = order[machine.transitions], machine.outputs
    renamed = DFA(machine.alphabet, table, accepting, int(order[machine.start]))
    mine, other = machine.canonical(), renamed.canonical()
    assert mine.transitions.tolist() == other.transitions.tolist()
    assert mine.outputs.tolist() == other.outputs.tolist()
    assert mine.start == 0
    assert len(mine) == len(machine.reachable())
    assert all(mine.accepts(word) == machine.accepts(word) for word in words(5))


def test_a_table_with_names_makes_an_automaton():
    table = {"even": {"a": "odd", "b": "even"}, "odd": {"a": "even", "b": "odd"}}
    automaton = DFA.from_table(table, accepting=["even"], start="even")
    assert automaton.alphabet == ("a", "b")
    assert all(automaton.accepts(word) == PARITY.contains(word) for word in words(6))


def test_what_is_missing_leads_to_a_trap_if_so_wished():
    table = {"before": {"a": "before", "b": "after"}, "after": {"b": "after"}}
    automaton = DFA.from_table(table, accepting=["before", "after"], start="before", missing="trap")
    assert all(automaton.accepts(word) == ("ba" not in word) for word in words(6))
    with pytest.raises(ValueError, match=r"state 'after' has no transition for 'a' \(1 missing in all\)"):
        DFA.from_table(table, accepting=["before"], start="before")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), np.zeros((1, 0)), [True]), "alphabet is empty"),
        ((("a", "a"), [[0, 0]], [True]), "repeats a symbol"),
        ((("a",), np.zeros((0, 1)), []), "need a row per state"),
        ((("a",), [[0, 0]], [True]), "1 columns, got the shape"),
        ((("a", "b"), [[0, 1]], [True]), "'b' leads to state 1, but there are only the states 0 to 0"),
        ((("a", "b"), [[-1, 0]], [True]), "'a' leads to state -1"),
        ((("a",), [[0.5]], [True]), "whole numbers"),
        ((("a", "b"), [[0, None]], [True]), "none may be missing"),
        ((("a", "b"), [[0, np.nan]], [True]), "none may be missing"),
        ((("a", "b"), [[0, 0], [0]], [True, False]), "none may be missing"),
        ((("a",), {0: {"a": 0}}, [True]), "from_table"),
        ((("a",), [[0]], [True, False]), "outputs must have the shape"),
        ((("a",), [[0]], [True], 3), "start must be one of the states 0 to 0, got 3"),
    ],
)
def test_a_table_that_says_nothing_sensible_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        DFA(*arguments)


@pytest.mark.parametrize("words", [[[2]], [[-1]], [[0.5]], [["a"]], [[0], [0, 1]], None, [[np.nan]], "ab"])
def test_words_that_are_no_numbers_of_symbols_are_refused(words):
    with pytest.raises(ValueError, match="words must be numbers from 0 to 1, one for each symbol"):
        PARITY.automaton.run(words)


@pytest.mark.parametrize(
    "words", [[[0, 1]], [[0.0, 1.0]], [[False, True]], np.zeros((2, 0)), np.array([[0, 1]], np.uint8)]
)
def test_words_may_be_numbers_of_any_type(words):
    read = PARITY.automaton.run(words)
    assert read.dtype == np.int64
    assert np.array_equal(read, PARITY.automaton.run(np.array(words, int)))


def test_other_bad_input_is_refused():
    with pytest.raises(ValueError, match="'c' is not in the alphabet 'a', 'b'"):
        PARITY.automaton.accepts("abc")
    with pytest.raises(ValueError, match="no row of the table"):
        DFA.from_table({"x": {"a": "y"}}, accepting=[], start="x")
    with pytest.raises(ValueError, match="alphabet is empty"):
        DFA.from_table({"x": {}}, accepting=[], start="x")
    with pytest.raises(ValueError, match="base must be 2 or more"):
        adder(1)
