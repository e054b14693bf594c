"""Keras trainers: one trace for all runs, the NumPy trainer's recipe and acceptance test, automata that are right."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vitrina.automata import LANGUAGES, TOMITA, equivalent, keras_training
from vitrina.automata.elman import extract
from vitrina.automata.keras_networks import elman_model, model_parts, to_network
from vitrina.automata.keras_training import NoiseRamp, fit, hidden_over_time, train, train_until_accepted
from vitrina.automata.machines import DFA
from vitrina.automata.training import Recipe, training_words

SMALL = Recipe(units=4, length=5, words=64, batch=16, steps=120, kind="multiplicative")


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in ("inputs", "recurrent", "bias", "readout"))


def test_one_trace_serves_all_languages_and_restarts():
    keras_training._trainer.cache_clear()
    first = train(TOMITA[1].automaton, SMALL, restarts=2, seed=3)
    train(TOMITA[5].automaton, SMALL, seed=4)
    again = train(TOMITA[1].automaton, SMALL, restarts=2, seed=3)
    assert keras_training._trainer(2, SMALL).training.traces == 1
    assert all(same(one, other) for one, other in zip(first, again, strict=True)), "nothing is left of other runs"
    assert not same(*first)
    assert not same(first[0], train(TOMITA[1].automaton, SMALL, seed=5)[0])


def adam_by_hand(automaton: DFA, how: Recipe, seed: int) -> list[Any]:
    """The recipe in so many words, one update after the other: Adam of Kingma and Ba (2015), Algorithm 1."""
    model = elman_model(2, how.units, kind=how.kind, l1=how.l1, seed=seed, length=how.length)
    cell, readout = model_parts(model)
    words = training_words(automaton, how.words, how.length, seed=seed)
    labels = automaton.outputs[automaton.run(words)[:, 1:]].astype(np.float32)
    moments = [[np.zeros(v.shape), np.zeros(v.shape)] for v in model.trainable_variables]
    for step in range(how.steps):
        rows = tf.random.stateless_uniform([how.batch], [seed, step], 0, how.words, tf.int32).numpy()
        drawn = tf.random.stateless_normal([how.length, how.batch, how.units], [seed, step])
        noise = how.noise * min(1, step / (how.ramp * how.steps)) * drawn
        weights = [v for v in model.trainable_variables if v is not cell.bias and v is not readout.bias]
        with tf.GradientTape() as tape:
            hidden = hidden_over_time(cell, tf.constant(words[rows].T), noise, tf.zeros_like(drawn[0]))
            chances = tf.sigmoid(readout(hidden)[..., 0])
            right = tf.where(labels[rows].T > 0.5, chances, 1 - chances)
            loss = -tf.reduce_mean(tf.math.log(right)) + how.l1 * sum(tf.reduce_sum(tf.abs(w)) for w in weights)
        gradients = [g.numpy().astype(float) for g in tape.gradient(loss, model.trainable_variables)]
        norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
        rate = how.rate * (0.05 + 0.95 * (1 + np.cos(np.pi * step / how.steps)) / 2)
        for variable, gradient, pair in zip(model.trainable_variables, gradients, moments, strict=True):
            shortened = gradient * min(1, how.clip / norm)
            pair[0] = 0.9 * pair[0] + 0.1 * shortened
            pair[1] = 0.999 * pair[1] + 0.001 * shortened**2
            mean, square = pair[0] / (1 - 0.9 ** (step + 1)), pair[1] / (1 - 0.999 ** (step + 1))
            variable.assign_sub(rate * mean / (np.sqrt(square) + 1e-8))
    return [v.numpy() for v in model.trainable_variables]


@pytest.mark.parametrize("change", [{}, {"kind": "additive", "l1": 0.0, "clip": 0.02}])
def test_the_graph_does_what_the_recipe_says(change):
    how = replace(SMALL, steps=9, **change)
    seed = int(np.random.default_rng(7).integers(2**31, size=1)[0])
    expected = adam_by_hand(TOMITA[4].automaton, how, seed)
    network = train(TOMITA[4].automaton, how, seed=7)[0]
    found = (network.inputs, network.recurrent, network.bias, network.readout[:, np.newaxis], [network.offset])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)  # float32, and Adam divides by what is almost nothing


def test_noise_grows_and_stays():
    model: Any = elman_model(2, 3, seed=0)
    cell, seen = model_parts(model)[0], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
            seen.append(float(cell.strength))

    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    words = np.zeros((12, 4), int)
    model.fit(words, words, batch_size=2, callbacks=[NoiseRamp(0.6, 4), Watch()], verbose=0)
    assert seen == pytest.approx([0, 0.15, 0.3, 0.45, 0.6, 0.6])
    at = [float(keras_training.noise_at(replace(SMALL, noise=0.6, steps=8), tf.constant(float(s)))) for s in range(6)]
    assert at == pytest.approx(seen)


def test_fit_learns_an_easy_language():
    model = fit(TOMITA[1].automaton, replace(SMALL, steps=150), seed=1)
    network = to_network(model, ("a", "b"))
    assert network.accuracy(TOMITA[1].automaton, training_words(TOMITA[1].automaton, 50, 30, seed=2)) > 0.98
    assert float(model_parts(model)[0].strength) == pytest.approx(SMALL.noise)


def test_what_is_not_learnt_is_not_accepted():
    never = train_until_accepted(TOMITA[5].automaton, replace(SMALL, steps=2), rounds=3, seed=0)
    assert not never.accepted
    assert never.tries == 3
    accepted = train_until_accepted(TOMITA[1].automaton, replace(SMALL, steps=300), seed=0)
    assert accepted.accepted


@pytest.mark.parametrize(
    ("change", "message"),
    [({"units": 0}, "units"), ({"steps": -1}, "steps"), ({"rate": 0.0}, "rate"), ({"kind": "pink"}, "pink")],
)
def test_bad_recipes_are_refused(change, message):
    for trainer in (train, fit):
        with pytest.raises(ValueError, match=message):
            trainer(TOMITA[1].automaton, replace(SMALL, **change), seed=0)
    with pytest.raises(ValueError, match="restarts"):
        train(TOMITA[1].automaton, SMALL, restarts=0, seed=0)
    with pytest.raises(ValueError, match="noise"):
        NoiseRamp(-1, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Tomita 3", "Tomita 6"])
def test_what_keras_learnt_is_the_language(name):
    language = LANGUAGES[name]
    trained = train_until_accepted(language.automaton, seed=0)
    assert trained.accepted
    words = training_words(language.automaton, 400, 50, seed=1)
    found = extract(trained.network, words, empty=language.contains(""))
    assert equivalent(found.automaton, language.automaton)
