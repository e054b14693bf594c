"""Hidden states get names, equal ones alike, whatever code they are hidden in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info, threadpool_limits

from corpus.machines import watched
from vitrina.automata import LANGUAGES, TOMITA, by_clusters, by_rounding, by_sign, discretising, equivalent, observe

AB = ("a", "b")


def hidden_in(states, units=6, noise=0.05, seed=0):
    """Activations near a corner for each state, as saturated units give."""
    generator = np.random.default_rng(seed)
    corners = np.array(np.meshgrid(*[[-1, 1]] * units)).reshape(units, -1).T
    chosen = corners[generator.permutation(len(corners))[: states.max() + 1]]
    return chosen[states] * (1 - np.abs(noise * generator.standard_normal((*states.shape, units))))


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


@given(
    rows=st.lists(st.lists(st.integers(-3, 9), min_size=4, max_size=4), min_size=1, max_size=30),
    repeats=st.sampled_from([1, 30]),
)
def test_states_are_numbered_in_the_order_of_their_codes(rows, repeats):
    """However many units there are: 120 of them do not fit into one number."""
    codes = np.tile(rows, repeats)
    assert np.array_equal(
        discretising._named(codes, np.ones_like(codes), 0), np.unique(codes, axis=0, return_inverse=True)[1]
    )


def test_clusters_see_a_state_that_was_met_once():
    """Among thousands of others, all different."""
    generator = np.random.default_rng(0)
    hidden = generator.uniform(0.5, 1, size=(1, 30_000, 2))
    hidden[0, 1234] = -1
    named = by_clusters(hidden, 5, seed=0)[0]
    assert np.flatnonzero(named == named[1234]).tolist() == [1234]


def test_states_a_hundredth_apart_are_one_to_clusters():
    hidden = np.array([[[0.5], [0.501], [0.7], [0.7004]]])
    named = by_clusters(hidden, 4, seed=0)[0].tolist()
    assert named == [0, 0, 1, 1]


def test_clusters_are_fitted_on_one_thread(monkeypatch):
    """Several wait for each other: on a busy machine that took 40 times as long."""
    used = list[int]()

    class Watched(KMeans):
        def fit(self, points):
            used.extend(pool["num_threads"] for pool in threadpool_info())
            return super().fit(points)

    monkeypatch.setattr("sklearn.cluster.KMeans", Watched)
    with threadpool_limits(2):
        by_clusters(np.random.default_rng(0).uniform(-1, 1, (50, 3)), 4, seed=0)
    assert set(used) == {1}


def test_a_silent_unit_does_not_split_states():
    states, *_ = watched(TOMITA[5].automaton)
    hidden = hidden_in(states)
    murmur = 1e-3 * np.random.default_rng(1).standard_normal((*states.shape, 1))
    both = np.concatenate([hidden, murmur], axis=-1)
    assert len(np.unique(by_sign(both))) == 2 * len(np.unique(states))
    assert len(np.unique(by_sign(both, silent=0.1))) == len(np.unique(states))


def test_bad_activations_are_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        by_sign([[np.nan, 1.0]])
    with pytest.raises(ValueError, match=r"\(\.\.\., units\)"):
        by_rounding(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="clusters must be 1 or more"):
        by_clusters(np.zeros((4, 2)), 0, seed=0)
    assert by_clusters(np.zeros((4, 2)), 3, seed=0).tolist() == [0, 0, 0, 0]
