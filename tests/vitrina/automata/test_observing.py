"""A machine that is watched long enough is read off exactly, through whatever code its states are hidden in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.machines import dfas, watched
from vitrina.automata import TOMITA, equivalent, observe

AB = ("a", "b")


@given(machine=dfas(), seed=st.integers(0, 99))
def test_what_is_watched_is_read_off(machine, seed):
    observation = observe(*watched(machine, seed=seed), machine.alphabet)
    assert observation.determinism == observation.agreement == 1
    assert len(observation.unseen) == 0
    assert equivalent(observation.automaton(), machine)


def test_what_is_not_deterministic_is_measured():
    states, words, said = (
        np.array([[0, 1], [0, 1], [0, 2], [0, 2]]),
        np.zeros((4, 1), int),
        np.zeros((4, 3), bool)[:, :2],
    )
    observation = observe(states, words, said, ("a",))
    assert observation.determinism == 0.5
    said = np.array([[1, 0], [1, 0], [0, 0], [1, 1]], bool)
    assert observe(states, words, said, ("a",)).agreement == 6 / 8


def test_the_majority_decides():
    states, words, said = watched(TOMITA[6].automaton)
    generator = np.random.default_rng(0)
    wrong = generator.random(said.shape) < 0.1
    assert equivalent(observe(states, words, said ^ wrong, AB).automaton(), TOMITA[6].automaton)


def test_what_was_never_met_is_refused_or_filled():
    states, words, said = np.array([[0, 1, 1]]), np.array([[0, 1]]), np.array([[True, True, True]])
    observation = observe(states, words, said, AB)
    assert observation.unseen.tolist() == [[0, 1], [1, 0]]
    with pytest.raises(ValueError, match=r"state 0 never read 'b' \(2 pairs were never met\)"):
        observation.automaton()
    trapped, staying = observation.automaton(missing="trap"), observation.automaton(missing="stay")
    assert [trapped.accepts(word) for word in ("", "a", "ab", "b", "aa", "ba")] == [True] * 3 + [False] * 3
    assert all(staying.accepts(word) for word in ("", "a", "ab", "b", "aa", "ba"))


def test_states_that_only_strays_reach_do_not_count():
    """A move that happened once where another is usual leads to a state that the machine never enters."""
    states, words, said = watched(TOMITA[1].automaton)
    states[0, -1] = 2
    observation = observe(states, words, said, AB)
    assert observation.determinism < 1
    assert len(observation.unseen) == 0
    assert equivalent(observation.automaton(), TOMITA[1].automaton)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3)), AB), "must agree"),
        ((np.zeros((0, 3)), np.zeros((0, 2)), np.zeros((0, 3)), AB), "must agree"),
        ((np.zeros((1, 2)), np.full((1, 1), 2), np.zeros((1, 2)), AB), "from 0 to 1"),
        ((np.zeros((1, 2)), np.zeros((1, 1)), np.zeros((1, 1)), AB), "shape of the states"),
        ((np.zeros((1, 2)), np.zeros((1, 1)), np.zeros((1, 2)), ()), "alphabet is empty"),
        ((np.array([[0, 1], [1, 1]]), np.zeros((2, 1)), np.zeros((2, 2)), AB), "begin in different states"),
    ],
)
def test_bad_observations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        observe(*arguments)


def test_the_automaton_knows_what_its_states_were_called():
    """States renamed at random: each state of the automaton leads, by its origin, where the table says."""
    states, words, said = watched(TOMITA[3].automaton)
    names = np.array([4, 0, 6, 2, 5])
    names[TOMITA[3].automaton.start], names[1] = 0, 4  # the start is named before its word is read
    observation = observe(names[states], words, said, AB)
    automaton, origins = observation.automaton(missing="stay"), observation.origins(missing="stay")
    assert len(origins) == len(automaton) == 5
    assert np.array_equal(origins[automaton.transitions], observation.moves.argmax(axis=2)[origins])
    assert np.array_equal(origins[automaton.run(words)], names[states])
    trapped = observe([[0, 1, 1]], [[0, 1]], [[True, True, True]], AB)
    assert trapped.origins(missing="trap").tolist() == [0, 1, 2]
