"""Gradients are right, networks learn the languages, and what is read from them is the true automaton."""

from dataclasses import replace

import numpy as np
import pytest

from vitrina.automata import LANGUAGES, TOMITA, equivalent, training
from vitrina.automata.elman import ElmanNetwork, extract, saturation
from vitrina.automata.training import Recipe, train, training_words, validated

SMALL = Recipe(units=3, length=5, words=40, batch=7, steps=1)


def loss(weights, words, labels, noise, kind):
    """The mean cross-entropy, one network and one word at a time."""
    total = 0.0
    for restart in range(words.shape[0]):
        for row in range(words.shape[1]):
            hidden = np.zeros(weights["bias"].shape[1])
            for time, symbol in enumerate(words[restart, row]):
                disturbance = noise[time, restart, row] * (hidden if kind == "multiplicative" else 1)
                drive = weights["inputs"][restart, symbol] + hidden @ weights["recurrent"][restart]
                hidden = np.tanh(drive + weights["bias"][restart] + disturbance)
                logit = hidden @ weights["readout"][restart] + weights["offset"][restart]
                total += np.log1p(np.exp(-logit if labels[restart, row, time] else logit))
    return total / words[0].size


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_back_propagation_through_time_is_the_gradient(kind):
    generator = np.random.default_rng(0)
    weights = training._first_weights(2, 3, 2, generator)
    weights["bias"] += 0.3
    words = generator.integers(2, size=(2, 4, 5))
    labels = generator.random((2, 4, 5)) < 0.5
    noise = generator.standard_normal((5, 2, 4, 3))
    gradients = training._gradients(weights, words, labels.astype(float), noise, kind)
    for name, gradient in gradients.items():
        for place in np.ndindex(gradient.shape):
            kept, values = weights[name][place], []
            for shift in (1e-5, -1e-5):
                weights[name][place] = kept + shift
                values.append(loss(weights, words, labels, noise, kind))
            weights[name][place] = kept
            assert gradient[place] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-8), (name, place)


@pytest.fixture(scope="module")
def networks():
    """Two networks each of two languages, one of which has a trap and the other counts."""
    languages = TOMITA[2], TOMITA[6]
    return {language.name: (language, train(language.automaton, restarts=2, seed=1)) for language in languages}


def watched(automaton):
    return np.concatenate([training_words(automaton, 200, 50, seed=1), training_words(automaton, 200, 50, seed=2)])


@pytest.mark.parametrize("name", ["Tomita 2", "Tomita 6"])
def test_a_trained_network_is_its_automaton(networks, name):
    language, trained = networks[name]
    for network in trained:
        assert network.accuracy(language.automaton, training_words(language.automaton, 20, 1000, seed=3)) > 0.999
        found = extract(network, watched(language.automaton), empty=language.contains(""))
        assert equivalent(found.automaton, language.automaton)
        assert found.states >= len(language.automaton)
        assert 0.4 < saturation(network.states(watched(language.automaton))[:, 1:]) <= 1


@pytest.mark.parametrize("name", ["Tomita 2", "Tomita 6"])
def test_the_acceptance_test_knows_good_from_bad(networks, name):
    language, trained = networks[name]

    def contains(words):
        return language.automaton.outputs[language.automaton.run(words)[:, 1:]]

    assert all(validated(network, contains, seed=5) for network in trained)
    assert not validated(replace(trained[0], offset=trained[0].offset + 30), contains, seed=5)


def test_the_same_seed_gives_the_same_networks():
    automaton = TOMITA[1].automaton
    one, other, third = (train(automaton, replace(SMALL, steps=20), restarts=2, seed=seed)[1] for seed in (3, 3, 4))
    assert np.array_equal(one.recurrent, other.recurrent)
    assert not np.array_equal(one.recurrent, third.recurrent)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_training_words_show_both_sides(language):
    words = training_words(language.automaton, 400, 12, seed=0)
    assert words.shape == (400, 12)
    assert words.min() == 0
    assert words.max() == 1
    last = language.automaton.outputs[language.automaton.run(words)[:, 1:]]
    assert 0.1 < last.mean() < 0.9


def test_noise_disturbs_as_its_kind_says():
    network = ElmanNetwork(("a",), np.zeros((1, 2)), np.zeros((2, 2)), np.array([0.5, 0.0]), np.ones(2), 0.0)
    words = np.zeros((2000, 1), int)
    still = network.states(words)
    assert np.allclose(still[:, 1], np.tanh([0.5, 0.0]))
    added = np.arctanh(network.states(words, noise=0.3)[:, 1]) - [0.5, 0.0]
    assert added.std(axis=0) == pytest.approx([0.3, 0.3], rel=0.1)
    # at the start all units are 0, and nothing is multiplied
    assert np.array_equal(network.states(words, noise=0.3, kind="multiplicative"), still)
    second = np.arctanh(network.states(np.zeros((2000, 2), int), noise=0.3, kind="multiplicative")[:, 2]) - [0.5, 0.0]
    assert second.std(axis=0) == pytest.approx([0.3 * np.tanh(0.5), 0.0], rel=0.1)


def test_a_network_that_learnt_nothing_gives_a_machine_of_one_state():
    language = TOMITA[5]
    silent = train(language.automaton, replace(SMALL, steps=0), restarts=1, seed=0)[0]
    silent = replace(silent, readout=np.zeros(3), offset=-1.0)
    found = extract(silent, watched(language.automaton), empty=False)
    assert len(found.automaton) == 1
    assert not equivalent(found.automaton, language.automaton)


def test_saturation_leaves_silent_units_out():
    assert saturation([[0.99, 0.01], [-0.5, 0.0]]) == 0.5
    assert np.isnan(saturation(np.zeros((3, 2))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 0}, "units must be at least 1"),
        ({"steps": -1}, "steps must be at least 0"),
        ({"noise": -1.0}, "must not be negative"),
        ({"rate": 0.0}, "rate and clip must be above 0"),
        ({"kind": "loud"}, "'additive' or 'multiplicative', got 'loud'"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        train(TOMITA[1].automaton, replace(SMALL, **change), seed=0)


def test_a_network_that_diverged_is_refused():
    broken = ElmanNetwork(("a",), np.full((1, 2), np.nan), np.eye(2), np.zeros(2), np.ones(2), 0.0)
    with pytest.raises(ValueError, match="NaN or infinite: has the training diverged"):
        extract(broken, np.zeros((2, 3), int), empty=True)
