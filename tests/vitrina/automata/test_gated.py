"""Gated networks compute what Keras' layers compute, and offer what Elman networks offer."""

from dataclasses import replace

import numpy as np
import pytest

from vitrina.automata import TOMITA, equivalent
from vitrina.automata.elman import extract
from vitrina.automata.gated import GATED_RECIPE, GatedNetwork, gated_layer, train_gated
from vitrina.automata.samples import training_words


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_states_are_those_of_keras(cell):
    layer = gated_layer(cell, 5)
    words = np.random.default_rng(0).integers(3, size=(4, 9))
    layer.build((None, 9, 3))
    generator = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(generator.standard_normal(weight.shape))
    inputs, recurrent, bias = (np.asarray(weight, float) for weight in layer.weights)
    network = GatedNetwork(cell, ("a", "b", "c"), inputs, recurrent, bias, generator.standard_normal(5), 0.25)
    hidden = network.states(words)
    assert hidden.shape == (4, 10, 10 if cell == "lstm" else 5)
    assert not hidden[:, 0].any()
    said = np.asarray(layer(np.eye(3, dtype=np.float32)[words]))
    assert np.allclose(hidden[:, 1:, :5], said, atol=1e-5)
    assert np.allclose(network.logits(hidden[:, 1:]), said @ network.readout + 0.25, atol=1e-5)


@pytest.fixture(scope="module")
def trained():
    return train_gated(TOMITA[1].automaton, "gru", replace(GATED_RECIPE, units=4, steps=300, length=8), seed=0)


def test_a_gated_network_learns_a_language_and_is_read_as_its_automaton(trained):
    automaton = TOMITA[1].automaton
    words = training_words(automaton, 200, 30, seed=1)
    assert trained.accuracy(automaton, words) == 1
    assert equivalent(extract(trained, words, empty=True).automaton, automaton)


def test_the_same_seed_gives_the_same_network(trained):
    again = train_gated(TOMITA[1].automaton, "gru", replace(GATED_RECIPE, units=4, steps=300, length=8), seed=0)
    assert np.array_equal(again.recurrent, trained.recurrent)


def test_an_lstm_begins_by_keeping_what_it_has():
    """Its forget gates are open, as Keras opens them: the second quarter of the bias."""
    untrained = train_gated(TOMITA[1].automaton, "lstm", replace(GATED_RECIPE, units=3, steps=0), seed=0)
    assert untrained.bias.reshape(4, 3).tolist() == [[0] * 3, [1] * 3, [0] * 3, [0] * 3]


def test_a_price_is_paid_for_weights_and_not_for_biases():
    """With weights too dear to have, the readout's bias still learns how often the answer is yes."""
    automaton = TOMITA[4].automaton
    dear = replace(GATED_RECIPE, units=4, steps=600, length=8, l1=0.1)
    network = train_gated(automaton, "gru", dear, seed=0)
    assert np.abs(network.readout).sum() < 0.05
    yes = automaton.outputs[automaton.run(training_words(automaton, 2000, 8, seed=5))[:, 1:]].mean()
    assert network.offset == pytest.approx(np.log(yes / (1 - yes)), abs=0.3)
    assert abs(network.offset) > 0.5


def test_what_makes_no_sense_is_refused(trained):
    with pytest.raises(ValueError, match="compared without"):
        trained.states(np.zeros((1, 3), int), noise=0.5)
    with pytest.raises(ValueError, match="noise=0"):
        train_gated(TOMITA[1].automaton, "gru", replace(GATED_RECIPE, noise=0.5), seed=0)
    with pytest.raises(ValueError, match="'lstm' or 'gru', got 'rnn'"):
        train_gated(TOMITA[1].automaton, "rnn", seed=0)
