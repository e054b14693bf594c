"""A machine that is watched long enough is read off exactly, through whatever code its states are hidden in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.machines import dfas
from vitrina.automata import LANGUAGES, TOMITA, by_clusters, by_rounding, by_sign, equivalent, observe

AB = ("a", "b")


def watched(machine, *, count=300, length=40, seed=0):
    """States, words and outputs of a machine that reads random words."""
    words = np.random.default_rng(seed).integers(len(machine.alphabet), size=(count, length))
    states = machine.run(words)
    return states, words, machine.outputs[states]


def hidden_in(states, units=6, noise=0.05, seed=0):
    """Activations near a corner for each state, as saturated units give."""
    generator = np.random.default_rng(seed)
    corners = np.array(np.meshgrid(*[[-1, 1]] * units)).reshape(units, -1).T
    chosen = corners[generator.permutation(len(corners))[: states.max() + 1]]
    return chosen[states] * (1 - np.abs(noise * generator.standard_normal((*states.shape, units))))


@given(machine=dfas(), seed=st.integers(0, 99))
def test_what_is_watched_is_read_off(machine, seed):
    observation = observe(*watched(machine, seed=seed), machine.alphabet)
    assert observation.determinism == observation.agreement == 1
    assert len(observation.unseen) == 0
    assert equivalent(observation.automaton(), machine)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("name_states", [by_sign, by_rounding])
def test_hidden_states_are_named_as_they_are(language, name_states):
    states, words, said = watched(language.automaton)
    named = name_states(hidden_in(states))
    assert named.shape == states.shape
    assert len(np.unique(named)) == len(np.unique(states))
    assert equivalent(observe(named, words, said, AB).automaton(), language.automaton)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_more_clusters_than_states_do_no_harm(language):
    states, words, said = watched(language.automaton)
    hidden = hidden_in(states)
    hidden[:, 0] = hidden[0, 0]  # as in a network, where all words begin alike
    named = by_clusters(hidden, 8, seed=0)
    assert len(np.unique(named)) == 8
    assert equivalent(observe(named, words, said, AB).automaton(), language.automaton)


def test_a_silent_unit_does_not_split_states():
    states, *_ = watched(TOMITA[5].automaton)
    hidden = hidden_in(states)
    murmur = 1e-3 * np.random.default_rng(1).standard_normal((*states.shape, 1))
    both = np.concatenate([hidden, murmur], axis=-1)
    assert len(np.unique(by_sign(both))) == 2 * len(np.unique(states))
    assert len(np.unique(by_sign(both, silent=0.1))) == len(np.unique(states))


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
        ((np.zeros((1, 2)), np.zeros((1, 1)), np.zeros((1, 2)), ()), "alphabet is empty"),
        ((np.array([[0, 1], [1, 1]]), np.zeros((2, 1)), np.zeros((2, 2)), AB), "begin in different states"),
    ],
)
def test_bad_observations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        observe(*arguments)


def test_bad_activations_are_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        by_sign([[np.nan, 1.0]])
    with pytest.raises(ValueError, match=r"\(\.\.\., units\)"):
        by_rounding(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="clusters must be 1 or more"):
        by_clusters(np.zeros((4, 2)), 0, seed=0)
    assert by_clusters(np.zeros((4, 2)), 3, seed=0).tolist() == [0, 0, 0, 0]
