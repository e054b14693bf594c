"""The papers' setting: streams whose `$` is a reset, truncated back-propagation, shocks when learning stalls."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vitrina.automata import DFA, TOMITA, equivalent, keras_streams, stream
from vitrina.automata.keras_streams import StreamRecipe, extract_after_reset, train_on_stream, with_reset

SMALL = StreamRecipe(units=3, symbols=203, places=2, first=0.5, chunk=5, updates=100)


def test_a_reset_leads_back_to_the_start():
    machine = with_reset(TOMITA[3].automaton)
    drawn = stream(TOMITA[3].automaton, 500, seed=1)
    assert machine.alphabet == ("a", "b", "$")
    assert np.array_equal(machine.transduce(drawn.text)[1:], drawn.labels)
    assert machine.accepts("ab$aa")
    assert not machine.accepts("aa$ab")


def updates_by_hand(automaton: DFA, how: StreamRecipe, seed: int) -> list[Any]:
    """The papers' training in so many words, chunk after chunk."""
    import tensorflow as tf

    from vitrina.automata.keras_networks import elman_model, model_parts, shock

    model = elman_model(3, how.units, noise=how.noise, kind=how.kind, l1=how.l1, seed=seed)
    cell, readout = model_parts(model)
    for variable in model.trainable_variables:
        variable.assign(0 * variable)
    shock(model, how.first, seed=seed)
    drawn = stream(automaton, 200, reset=how.reset, seed=seed)
    numbers = ["ab$".index(symbol) for symbol in drawn.text]
    state, variables = tf.zeros((2, how.units)), model.trainable_variables
    for update in range(keras_streams._UPDATES):
        noise = tf.random.stateless_normal([how.chunk, 2, how.units], [seed, update]) * how.noise
        with tf.GradientTape() as tape:
            loss, hidden = tf.constant(0.0), state
            for time in range(how.chunk):
                places = [half + (update * how.chunk + time) % 100 for half in (0, 100)]
                rows = tf.stack([cell.inputs[numbers[place]] for place in places])
                hidden = tf.tanh(rows + hidden @ cell.recurrent + cell.bias + noise[time] * hidden)
                for place, logit in zip(places, readout(hidden)[:, 0], strict=True):
                    loss += tf.math.softplus(-logit if drawn.labels[place] else logit)
            for weights in (cell.inputs, cell.recurrent, readout.kernel):
                loss += how.l1 * tf.reduce_sum(tf.abs(weights))
        state = hidden
        for index, gradient in enumerate(tape.gradient(loss, variables)):
            clipped = np.clip(gradient, -how.clip, how.clip)
            variables[index].assign_sub(how.rate * clipped)
    return [v.numpy() for v in variables]


def test_it_trains_as_the_papers_do(monkeypatch):
    monkeypatch.setattr(keras_streams, "_UPDATES", 30)  # longer than the stream: it begins again
    how = replace(SMALL, updates=30, clip=0.5, l1=0.01)
    keras_streams._trainer.cache_clear()
    network = train_on_stream(TOMITA[4].automaton, how, seed=5).network
    expected = updates_by_hand(TOMITA[4].automaton, how, 5)
    found = (network.inputs, network.recurrent, network.bias, network.readout[:, np.newaxis], [network.offset])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    keras_streams._trainer.cache_clear()


def test_shocks_come_when_learning_stalls_and_one_trace_serves_all():
    how = replace(SMALL, updates=600, patience=200, rate=1e-9)
    stalled = train_on_stream(TOMITA[5].automaton, how, seed=1)
    assert stalled.shocks == (300, 600), "the loss is first looked at after 100 updates"
    assert stalled.losses.shape == (6,)
    other = train_on_stream(TOMITA[6].automaton, how, seed=1)
    again = train_on_stream(TOMITA[5].automaton, how, seed=1)
    assert keras_streams._trainer(3, how).training.traces == 1
    assert np.array_equal(stalled.network.recurrent, again.network.recurrent)
    assert not np.array_equal(stalled.losses, other.losses)
    assert train_on_stream(TOMITA[5].automaton, replace(how, shock=0.0), seed=1).shocks == ()


def test_what_is_learnt_ends_the_training():
    done = train_on_stream(TOMITA[1].automaton, replace(SMALL, learnt=1e9, updates=500), seed=0)
    assert done.losses.shape == (1,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 0}, "units must be at least 1"),
        ({"updates": 0}, "updates must be at least 1"),
        ({"places": 0}, "places must be at least 1"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"symbols": 4}, "need a stream of 10, got 4"),
        ({"noise": -0.1}, "must not be negative"),
        ({"clip": 0.0}, "must be above 0"),
        ({"clip_by": "weight"}, "'value' or 'norm'"),
        ({"reset": 0.0}, "reset must be a probability"),
        ({"kind": "pink"}, "pink"),
    ],
)
def test_bad_recipes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        train_on_stream(TOMITA[1].automaton, replace(SMALL, **change), seed=0)


def test_a_language_must_not_use_the_reset():
    money = DFA(("a", "$"), np.zeros((1, 2), int), np.array([True]))
    with pytest.raises(ValueError, match="no symbol of a language"):
        with_reset(money)


@pytest.mark.slow
def test_a_network_trained_on_a_stream_is_its_automaton():
    language = TOMITA[4]
    machine = with_reset(language.automaton)
    network = train_on_stream(language.automaton, seed=0).network
    read = machine.encode(stream(language.automaton, 20_000, seed=9).text).reshape(1, -1)
    assert network.accuracy(machine, read) > 0.999
    found = extract_after_reset(network, read)
    assert equivalent(found.automaton, machine)
