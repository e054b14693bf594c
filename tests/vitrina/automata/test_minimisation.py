"""The minimal machine is the smallest, does the same, and is the same for all that do the same."""

import numpy as np
import pytest
from hypothesis import given

from corpus.machines import dfas, last_outputs, mealy_machines, moore_machines, words
from vitrina.automata import (
    DFA,
    LANGUAGES,
    TOMITA,
    MealyMachine,
    adder,
    agreement,
    equivalent,
    equivalent_states,
    minimise,
)

#: Myhill and Nerode: words with different futures need different states.
ENDINGS = words(6)


def futures(machine):
    """How many different futures the words of a machine have, by trying."""
    return len({tuple(machine.accepts(word + ending) for ending in ENDINGS) for word in words(6)})


@given(machine=dfas(most_states=6))
def test_a_minimal_automaton_has_one_state_for_each_future(machine):
    assert len(minimise(machine)) == futures(machine)


@given(machine=moore_machines())
def test_a_moore_machine_is_unchanged_by_minimising(machine):
    smaller = minimise(machine)
    assert len(smaller) <= len(machine.reachable())
    assert last_outputs(smaller, 6) == last_outputs(machine, 6)
    assert equivalent(smaller, machine)


@given(machine=mealy_machines())
def test_a_mealy_machine_is_unchanged_by_minimising(machine):
    smaller = minimise(machine)
    assert last_outputs(smaller, 6) == last_outputs(machine, 6)
    assert equivalent(smaller, machine)
    assert len(minimise(smaller)) == len(smaller)


@given(machine=dfas(), other=dfas())
def test_two_automata_are_equivalent_if_no_word_tells_them_apart(machine, other):
    apart = [word for word in words(9) if machine.accepts(word) != other.accepts(word)]
    verdict = equivalent(machine, other)
    assert bool(verdict) == (not apart)
    if apart:  # the shortest, and of those the first in the alphabet
        assert "".join(verdict.counterexample) == apart[0]
        assert minimise(machine).transitions.tolist() != minimise(other).transitions.tolist() or (
            minimise(machine).outputs.tolist() != minimise(other).outputs.tolist()
        )
    else:
        assert minimise(machine).transitions.tolist() == minimise(other).transitions.tolist()
        assert minimise(machine).outputs.tolist() == minimise(other).outputs.tolist()


@given(machine=mealy_machines(), other=mealy_machines())
def test_two_mealy_machines_are_compared_by_what_they_say(machine, other):
    apart = [word for word in words(7) if word and machine.transduce(word)[-1] != other.transduce(word)[-1]]
    verdict = equivalent(machine, other)
    assert bool(verdict) == (not apart)
    if apart:
        assert "".join(verdict.counterexample) == apart[0]


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_the_languages_automata_are_minimal_and_differ(language):
    assert len(minimise(language.automaton)) == len(language.automaton)
    alike = [other.name for other in LANGUAGES.values() if equivalent(other.automaton, language.automaton)]
    assert alike == [language.name]


def test_rows_that_point_at_each_other_are_merged():
    """Merging equal rows until none are left, as is often done, would keep all four states."""
    circle = DFA(("a",), [[1], [2], [3], [0]], [True] * 4)
    assert len(minimise(circle)) == 1


def test_a_moore_adder_is_minimal_with_its_digits():
    assert len(minimise(adder(4).moore(first=0))) == 8


@given(machine=dfas(), other=dfas())
def test_agreement_counts_words(machine, other):
    shares = agreement(machine, other, 5)
    for length, share in enumerate(shares):
        same = [machine.accepts(word) == other.accepts(word) for word in words(5) if len(word) == length]
        assert share == pytest.approx(np.mean(same))


@given(machine=dfas())
def test_the_order_of_the_symbols_does_not_matter(machine):
    turned = DFA(("b", "a"), machine.transitions[:, ::-1], machine.outputs, machine.start)
    assert equivalent(machine, turned)
    assert agreement(machine, turned, 4).tolist() == pytest.approx([1.0] * 5)


def test_large_machines_are_minimised_too():
    """A chain parts one state at a time: in rounds over all states that takes minutes."""
    states = 30_000
    long = DFA(("a",), [[min(state + 1, states - 1)] for state in range(states)], np.arange(states) == states - 1)
    assert len(minimise(long)) == states
    multiples = DFA(("a",), [[(state + 1) % states] for state in range(states)], np.arange(states) % 3 == 0)
    assert len(minimise(multiples)) == 3


def test_machines_that_cannot_be_compared_are_refused():
    one, two = TOMITA[1].automaton, DFA(("a", "c"), [[0, 0]], [True])
    with pytest.raises(ValueError, match="alphabets differ"):
        equivalent(one, two)
    with pytest.raises(ValueError, match="speak at different times"):
        equivalent(one, one.mealy())
    with pytest.raises(ValueError, match="length must be 0 or more"):
        agreement(one, one, -1)


def test_states_that_no_word_tells_apart_share_a_number():
    twins = DFA(("a", "b"), [[1, 2], [3, 3], [3, 3], [3, 3]], [False, True, True, False])
    groups = equivalent_states(twins)
    assert groups[1] == groups[2]
    assert groups.tolist() == [0, 1, 1, 2]


@given(machine=mealy_machines())
def test_states_share_a_number_if_they_say_the_same_on_all_words(machine):
    groups = equivalent_states(machine)
    starts = [MealyMachine(machine.alphabet, machine.transitions, machine.outputs, s) for s in range(len(machine))]
    said = [last_outputs(each, 6) for each in starts]
    assert [[mine == other for other in said] for mine in said] == (groups[:, None] == groups).tolist()
    assert list(dict.fromkeys(groups.tolist())) == list(range(groups.max() + 1))
