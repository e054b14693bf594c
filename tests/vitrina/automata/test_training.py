"""Gradients are right, networks learn the languages, and what is read from them is the true automaton."""

from dataclasses import replace

import numpy as np
import pytest

from vitrina.automata import LANGUAGES, TOMITA, equivalent, training
from vitrina.automata.accepting import train_until_accepted
from vitrina.automata.elman import ElmanNetwork, extract, saturation, shocked
from vitrina.automata.samples import training_words
from vitrina.automata.training import Recipe, train

SMALL = Recipe(units=3, length=5, words=40, batch=7, steps=1)


PARTS = ("inputs", "recurrent", "bias", "readout", "offset")


def loss(weights, words, labels, noise, kind):
    """The mean cross-entropy, one network and one word at a time."""
    total = 0.0
    for restart in range(words.shape[0]):
        for row in range(words.shape[1]):
            hidden = np.zeros(weights.bias.shape[1])
            for time, symbol in enumerate(words[restart, row]):
                disturbance = noise[restart, time, row] * (hidden if kind == "multiplicative" else 1)
                drive = weights.inputs[restart, symbol] + hidden @ weights.recurrent[restart]
                hidden = np.tanh(drive + weights.bias[restart] + disturbance)
                logit = hidden @ weights.readout[restart] + weights.offset[restart, 0]
                total += np.log1p(np.exp(-logit if labels[restart, row, time] else logit))
    return total / words[0].size


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_back_propagation_through_time_is_the_gradient(kind, monkeypatch):
    monkeypatch.setattr(training, "_PRECISION", np.float64)
    generator = np.random.default_rng(0)
    weights = training._first_weights(2, 3, 2, generator)
    weights.bias[...] = 0.3
    words = generator.integers(2, size=(2, 4, 5))
    labels = generator.random((2, 4, 5)) < 0.5
    noise = generator.standard_normal((2, 5, 4, 3))
    gradients = training._gradients(weights, training._one_hot(words, 2), labels.astype(float), noise, kind)
    for name in PARTS:
        values, gradient = getattr(weights, name), getattr(gradients, name)
        for place in np.ndindex(gradient.shape):
            kept, losses = values[place], []
            for shift in (1e-5, -1e-5):
                values[place] = kept + shift
                losses.append(loss(weights, words, labels, noise, kind))
            values[place] = kept
            assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=1e-8), (name, place)


def test_views_of_the_weights_are_all_of_them():
    weights = training._first_weights(3, 4, 2, np.random.default_rng(0))
    assert weights.flat.dtype == np.float32
    assert sum(getattr(weights, name).size for name in PARTS) == weights.flat.size
    for name in PARTS:
        getattr(weights, name)[...] = 7
    assert (weights.flat == 7).all()
    pulled = training._Weights(weights.pulled, 3, 4)
    assert [getattr(pulled, name).mean() for name in PARTS] == [1, 1, 0, 1, 0]


def test_only_what_is_too_long_is_shortened():
    gradient = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    training._shorten(gradient, 1.0)
    assert gradient == pytest.approx(np.array([[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]]))


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


def test_a_network_that_makes_mistakes_is_not_accepted():
    never = train_until_accepted(TOMITA[5].automaton, SMALL, restarts=2, rounds=3, seed=0)
    assert not never.accepted
    assert never.tries == 6
    accepted = train_until_accepted(TOMITA[1].automaton, replace(SMALL, steps=400, batch=32), restarts=2, seed=0)
    assert accepted.accepted
    assert accepted.network.accuracy(TOMITA[1].automaton, training_words(TOMITA[1].automaton, 99, 15, seed=9)) == 1


def test_l1_pulls_weights_to_0_and_leaves_biases():
    """So strongly that nothing else counts, only the bias of the output has something to say."""
    how = replace(SMALL, steps=400, batch=32, l1=0.3, noise=0.0)
    pulled = train(TOMITA[5].automaton, how, restarts=1, seed=0)[0]
    assert max(np.abs(part).max() for part in (pulled.inputs, pulled.recurrent, pulled.readout)) < 0.05
    assert pulled.offset < -0.3  # most words do not belong
    free = train(TOMITA[5].automaton, replace(how, l1=0.0), restarts=1, seed=0)[0]
    assert np.abs(free.recurrent).max() > 0.5


def test_the_same_seed_gives_the_same_networks():
    automaton = TOMITA[1].automaton
    one, other, third = (train(automaton, replace(SMALL, steps=20), restarts=2, seed=seed)[1] for seed in (3, 3, 4))
    assert np.array_equal(one.recurrent, other.recurrent)
    assert not np.array_equal(one.recurrent, third.recurrent)


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


def test_training_goes_on_from_given_networks():
    """No step leaves them as they are; steps at the end of learning leave what was learnt, and shrink what L1 pulls."""
    automaton = LANGUAGES["b(a|b)*a"].automaton
    recipe = replace(SMALL, units=4, steps=600, length=8, words=400)
    first = train(automaton, recipe, restarts=2, seed=0)
    same = train(automaton, replace(recipe, steps=0), restarts=2, seed=5, first=first)
    for network, copy in zip(first, same, strict=True):
        for part in PARTS:
            np.testing.assert_array_equal(getattr(copy, part), np.float32(getattr(network, part)))
    words = training_words(automaton, 50, 8, seed=3)
    onwards = train(automaton, replace(recipe, steps=200, rate=1e-3, noise=0.0), restarts=2, seed=5, first=first)
    fresh = train(automaton, replace(recipe, steps=200, rate=1e-3, noise=0.0), restarts=2, seed=5)
    for before, after, other in zip(first, onwards, fresh, strict=True):
        assert after.accuracy(automaton, words) >= before.accuracy(automaton, words) - 0.02
        assert after.accuracy(automaton, words) > other.accuracy(automaton, words)


def test_training_goes_on_from_networks_of_its_kind_only():
    automaton = TOMITA[1].automaton
    networks = train(automaton, SMALL, restarts=2, seed=0)
    for first, recipe in ((networks[:1], SMALL), ([], SMALL), (networks, replace(SMALL, units=4))):
        with pytest.raises(ValueError, match="training goes on from 2 networks"):
            train(automaton, recipe, restarts=2, seed=0, first=first)
    with pytest.raises(ValueError, match=r"got 2: .*'x'"):
        train(automaton, SMALL, restarts=2, seed=0, first=[replace(each, alphabet=("x", "y")) for each in networks])


def test_a_shock_moves_weights_by_its_strength_and_leaves_biases():
    network = ElmanNetwork(("a", "b"), *(np.zeros(shape) for shape in ((2, 60), (60, 60), 60, 60)), 0.25)
    moved = shocked(network, 0.5, seed=1)
    for part in ("inputs", "recurrent", "readout"):
        assert getattr(moved, part).std() == pytest.approx(0.5, rel=0.25)
        assert not getattr(network, part).any()
    assert moved.recurrent.std() == pytest.approx(0.5, rel=0.03)
    assert not moved.bias.any()
    assert moved.offset == 0.25
    np.testing.assert_array_equal(moved.inputs, shocked(network, 0.5, seed=1).inputs)
    assert np.any(moved.inputs != shocked(network, 0.5, seed=2).inputs)
    np.testing.assert_array_equal(shocked(moved, 0.0, seed=1).inputs, moved.inputs)
    for strength in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="must not be negative"):
            shocked(network, strength, seed=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 0}, "units must be at least 1"),
        ({"steps": -1}, "steps must not be negative"),
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
