"""Dual networks compute what the paper says, are trained as it says, and are adders."""

from dataclasses import fields, replace

import numpy as np
import pytest

from vitrina.automata import adder, sequence_training, transducer_training
from vitrina.automata.addition import adder_with_reset, number_pairs, written_adder
from vitrina.automata.dual import DualNetwork, ElmanTransducer
from vitrina.automata.transducer_training import (
    TransducerRecipe,
    symbol_features,
    train_transducer,
    train_transducer_until_accepted,
)

SMALL = TransducerRecipe(units=3, processing=4, length=5, words=40, batch=7, steps=10)


def by_hand(weights, features, noise, how):
    """Logits, one word and one symbol at a time."""
    said = np.empty((*features.shape[:2], len(weights["offset"])))
    for row, word in enumerate(features):
        after = np.zeros(how.units)
        for time, symbol in enumerate(word):
            before = after
            disturbance = noise[time, row] * (before if how.kind == "multiplicative" else 1)
            drive = symbol @ weights["inputs"] + before @ weights["recurrent"] + weights["bias"]
            after = top = np.tanh(drive + disturbance)
            if how.processing:
                seen = before if how.sees == "before" else after
                top = np.tanh(symbol @ weights["drive"] + seen @ weights["recall"] + weights["threshold"])
            said[row, time] = top @ weights["readout"] + weights["offset"]
    return said


HOWS = [
    SMALL,
    replace(SMALL, sees="after", kind="multiplicative"),
    replace(SMALL, processing=0),
    replace(SMALL, processing=0, kind="multiplicative"),
]


@pytest.mark.parametrize("how", HOWS, ids=lambda how: f"{how.processing} {how.sees} {how.kind}")
def test_training_and_network_compute_the_same(how):
    generator = np.random.default_rng(0)
    alphabet = adder_with_reset(3).alphabet
    features = symbol_features(alphabet)
    weights = transducer_training._first_weights(features.shape[1], 3, how, generator)
    weights = {name: value + 0.3 * generator.standard_normal(value.shape) for name, value in weights.items()}
    words = generator.integers(len(alphabet), size=(how.batch, how.length))
    noise = generator.standard_normal((how.length, how.batch, how.units))
    single = {name: value.astype(np.float32) for name, value in weights.items()}
    given = features[words].astype(np.float32)
    traced = transducer_training._forward(single, given, noise.astype(np.float32), how)
    assert np.allclose(traced, by_hand(weights, features[words], noise, how), atol=1e-5)
    network = transducer_training._network(alphabet, (0, 1, 2), features, weights, how)
    still = by_hand(weights, features[words], np.zeros_like(noise), how)
    assert np.allclose(network.spoken(words), still, atol=1e-12)
    assert np.array_equal(network.says(words), still.argmax(axis=2))
    word = [alphabet[symbol] for symbol in words[0]]
    assert np.array_equal(network.transduce(word), still[0].argmax(axis=1))
    assert not np.allclose(network.spoken(words, noise=1.0, kind=how.kind, seed=1), still, atol=0.1)


def test_a_pair_of_digits_is_seen_as_two_digits():
    features = symbol_features(adder_with_reset(3).alphabet)
    assert features.shape == (10, 7)
    assert features[:9].sum(axis=1).tolist() == [2.0] * 9
    assert features[-1].tolist() == [0.0] * 6 + [1.0]
    # each digit, in each place, is in a third of the pairs
    assert features[:9, :6].sum(axis=0).tolist() == [3.0] * 6
    assert symbol_features(("a", "b")).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("prices", "small", "large"),
    [
        ({"l1": 0.3}, ("inputs", "recurrent", "recall"), ("drive", "readout")),
        ({"l1": 0.0, "l1_processing": 0.3}, ("drive", "readout"), ("inputs", "recurrent", "recall")),
    ],
)
def test_l1_is_split_between_memory_and_processing(prices, small, large):
    network = train_transducer(adder(2), replace(SMALL, steps=300, **prices), seed=0)
    assert all(np.abs(getattr(network, name)).mean() < 0.02 for name in small)
    assert all(np.abs(getattr(network, name)).mean() > 0.1 for name in large)


def test_the_same_seed_gives_the_same_network():
    one, other, third = (train_transducer(adder(2), SMALL, seed=seed) for seed in (3, 3, 4))
    for field in fields(DualNetwork):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name))
    assert not np.array_equal(one.recurrent, third.recurrent)


def test_a_plain_network_has_no_processing():
    network = train_transducer(adder(2), replace(SMALL, processing=0), seed=0)
    assert isinstance(network, ElmanTransducer)
    assert network.logits(np.zeros((2, 3, 3))).shape == (2, 3, 2)


def test_a_network_that_makes_mistakes_is_not_accepted():
    never = train_transducer_until_accepted(adder(2), SMALL, tries=2, seed=0)
    assert not never.accepted
    assert never.tries == 2


def test_if_none_is_accepted_the_best_is_kept():
    """The first tries of many are the tries of few, so the best of more is no worse; here the second is the best."""
    words = number_pairs(2, 400, 3 * SMALL.length, seed=1)

    def kept(tries):
        chosen = train_transducer_until_accepted(adder(2), replace(SMALL, steps=100), tries=tries, seed=2)
        return chosen.network.accuracy(adder(2), words)

    first, second, fourth = kept(1), kept(2), kept(4)
    assert second > first + 0.1
    assert fourth == second


def test_accuracy_is_the_share_of_right_digits():
    words = number_pairs(4, 50, 20, seed=0)
    network = written_adder(4)
    assert network.accuracy(adder(4), words) == 1
    deaf = replace(network, recall=0 * network.recall)  # never hears of a carry
    digits = np.array(adder(4).alphabet)[words].sum(axis=2) % 4
    right = adder(4).outputs[adder(4).run(words)[:, :-1], words]
    assert deaf.accuracy(adder(4), words) == np.mean(digits == right)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 0}, "units must be at least 1"),
        ({"processing": -1}, "processing must not be negative"),
        ({"l1_processing": -1.0}, "l1_processing must not be negative"),
        ({"rate": 0.0}, "rate and clip must be above 0"),
        ({"kind": "loud"}, "kind of noise is 'additive' or 'multiplicative', got 'loud'"),
        ({"sees": "double"}, "sees is 'before' or 'after', got 'double'"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        train_transducer(adder(2), replace(SMALL, **change), seed=0)
    with pytest.raises(ValueError, match="tries must be at least 1"):
        train_transducer_until_accepted(adder(2), SMALL, tries=0, seed=0)


def test_noise_grows_and_the_rate_of_learning_falls():
    noise, rate = sequence_training._schedule(TransducerRecipe(steps=101, noise=2.0, ramp=0.5, rate=0.1)).T
    assert noise[[0, 25]] == pytest.approx([0, 2 * 25 / 50.5])
    assert noise[51:].tolist() == [2.0] * 50
    assert rate[0] == pytest.approx(0.1)
    assert rate[-1] == pytest.approx(0.005, rel=0.01)
    assert np.all(np.diff(rate) < 0)


def test_there_is_noise_while_it_learns():
    still, noisy = (train_transducer(adder(2), replace(SMALL, noise=noise, ramp=0.0), seed=0) for noise in (0.0, 5.0))
    assert np.abs(still.recurrent - noisy.recurrent).max() > 0.01
