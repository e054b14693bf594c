"""The Keras network computes what the NumPy network does, and its noise, L1 and shock are what they are said to be."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.keras_networks import (
    NoisyElmanCell,
    OneHot,
    elman_model,
    model_parts,
    shock,
    to_keras,
    to_network,
)
from vitrina.automata.keras_training import hidden_over_time

KINDS: Any = ["additive", "multiplicative"]
WORDS = np.random.default_rng(0).integers(2, size=(7, 6))
LABELS = np.random.default_rng(1).random(WORDS.shape) < 0.5
NOISE = np.random.default_rng(2).standard_normal((*WORDS.T.shape, 3))


def network(units: int = 3, symbols: int = 2) -> ElmanNetwork:
    draw = np.random.default_rng(3).standard_normal
    return ElmanNetwork(
        tuple("abc"[:symbols]), draw((symbols, units)), draw((units, units)), draw(units), draw(units), 0.3
    )


class Loaded:
    """Dice that fall as was agreed: gives the noise of one time after the other."""

    def __init__(self, noise: Any) -> None:
        self.left = iter(noise)

    def standard_normal(self, shape: Any) -> Any:
        values = next(self.left)
        assert values.shape == tuple(shape)
        return values


def loss_in_numpy(net: ElmanNetwork, kind: Any, strength: float = 0.75) -> float:
    dice: Any = Loaded(NOISE)
    hidden, total = np.zeros((len(WORDS), len(net.bias))), 0.0
    for time in range(WORDS.shape[1]):
        hidden = net.step(hidden, WORDS[:, time], strength, kind, dice)
        signs = np.where(LABELS[:, time], -1, 1)
        total += np.log1p(np.exp(signs * net.logits(hidden))).sum()
    return total / WORDS.size


def loss_in_keras(model: Any, monkeypatch: Any) -> Any:
    dice = Loaded(NOISE)
    monkeypatch.setattr(keras.random, "normal", lambda shape, **_: tf.constant(dice.standard_normal(shape)))
    logits = model(WORDS, training=True)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(LABELS.astype(float), logits))


@pytest.mark.parametrize("kind", KINDS)
def test_forward_and_gradient_are_those_of_numpy(kind, monkeypatch):
    net = network()
    model = to_keras(net, noise=0.75, kind=kind, length=WORDS.shape[1], dtype="float64")
    with tf.GradientTape() as tape:
        loss = loss_in_keras(model, monkeypatch)
    assert float(loss) == pytest.approx(loss_in_numpy(net, kind), abs=1e-12)
    cell, readout = model_parts(model)
    variables = {"inputs": cell.inputs, "recurrent": cell.recurrent, "bias": cell.bias, "readout": readout.kernel}
    gradients = tape.gradient(loss, list(variables.values()))
    for name, gradient in zip(variables, gradients, strict=True):
        weights = getattr(net, name)
        for place in np.ndindex(weights.shape):
            kept, values = weights[place], []
            for shift in (1e-5, -1e-5):
                weights[place] = kept + shift
                values.append(loss_in_numpy(net, kind))
            weights[place] = kept
            found = np.reshape(gradient, weights.shape)[place]
            assert found == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-9), (name, place)


@pytest.mark.parametrize("kind", KINDS)
def test_time_at_once_is_time_step_by_step(kind):
    net = network()
    cell = model_parts(to_keras(net, kind=kind, dtype="float64"))[0]
    first = np.random.default_rng(4).uniform(-1, 1, (len(WORDS), 3))
    found = hidden_over_time(cell, tf.constant(WORDS.T), tf.constant(NOISE), tf.constant(first))
    dice: Any = Loaded(NOISE)
    for time, hidden in enumerate(found.numpy()):
        first = net.step(first, WORDS[:, time], 1.0, kind, dice)
        np.testing.assert_allclose(hidden, first, atol=1e-13)


@pytest.mark.parametrize("options", [{}, {"length": 6}, {"one_hot": True}, {"one_hot": True, "length": 6}])
def test_there_and_back_again(options):
    net = network()
    model = to_keras(net, dtype="float64", noise=0.5, l1=0.1, **options)
    read = np.eye(2)[WORDS] if options.get("one_hot") else WORDS
    logits = net.logits(net.states(WORDS)[:, 1:])
    assert model.output_shape[0] is None
    np.testing.assert_allclose(model(read), logits, atol=1e-13)  # and no noise when it is used
    np.testing.assert_allclose(model.predict(read, verbose=0), logits, atol=1e-13)
    back = to_network(model, net.alphabet)
    for name in ("alphabet", "inputs", "recurrent", "bias", "readout", "offset"):
        assert np.array_equal(getattr(back, name), getattr(net, name)), name
    model.set_weights([0 * weights for weights in model.get_weights()])
    assert back.recurrent.any(), "the network must not share the model's memory"


def test_a_stored_model_is_the_same_model(tmp_path):
    model = to_keras(network(), noise=0.5, kind="additive", l1=0.25)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    cell = model_parts(again)[0]
    assert (cell.units, cell.kind, cell.l1, float(cell.strength)) == (3, "additive", 0.25, 0.5)
    np.testing.assert_array_equal(again(WORDS), model(WORDS))
    assert float(sum(again.losses)) == pytest.approx(float(sum(model.losses)))


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_as_strong_as_its_kind_says(kind):
    """A unit that holds 0.6, one that holds -0.2 and one that holds 0, each for itself: nothing else can move them."""
    held = np.array([0.6, -0.2, 0.0])
    net = ElmanNetwork(("a",), np.zeros((1, 3)), np.zeros((3, 3)), np.arctanh(held), np.ones(3), 0.0)
    cell = model_parts(to_keras(net, noise=0.0, kind=kind, dtype="float64"))[0]
    cell.strength.assign(0.4)
    run = keras.layers.RNN(cell, return_sequences=True, dtype="float64")
    noise = np.arctanh(run(np.ones((20_000, 3, 1)), training=True)) - np.arctanh(held)
    last = np.tanh(np.arctanh(held) + noise)[:, :-1]
    assert np.abs(np.arctanh(run(np.ones((3, 3, 1)))) - np.arctanh(held)).max() < 1e-12
    if kind == "multiplicative":
        assert np.abs(noise[:, 0]).max() < 1e-12, "all units are 0 at the start, and nothing is multiplied"
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = np.where(last, noise[:, 1:] / last, np.nan)
        assert np.abs(noise[:, 1:, 2]).max() < 1e-12, "a unit at 0 is not disturbed"
        drawn = drawn[..., :2]
    else:
        drawn = noise
    flat = drawn.reshape(len(drawn), -1)
    assert flat.mean(axis=0) == pytest.approx(0, abs=0.02)
    assert flat.std(axis=0) == pytest.approx(0.4, rel=0.03)
    # fresh for each sequence, step and unit
    assert np.abs(np.corrcoef(flat.T) - np.eye(flat.shape[1])).max() < 0.04
    assert np.abs(np.corrcoef(flat[1:, 0], flat[:-1, 0])[0, 1]) < 0.04


def test_l1_is_on_weights_and_not_on_biases():
    net = network()
    model = to_keras(net, l1=0.01)
    sizes = sum(np.abs(weights).sum() for weights in (net.inputs, net.recurrent, net.readout))
    assert float(sum(model.losses)) == pytest.approx(0.01 * sizes)
    assert not to_keras(net).losses


def test_a_shock_disturbs_weights_and_nothing_else():
    net = network(units=40)
    model, same = to_keras(net, noise=0.3), to_keras(net)
    shock(model, 0.5, seed=1)
    shock(same, 0.5, seed=1)
    after = to_network(model, net.alphabet)
    changes = np.concatenate(
        [(getattr(after, name) - getattr(net, name)).ravel() for name in ("inputs", "recurrent", "readout")]
    )
    assert changes.std() == pytest.approx(0.5, rel=0.06)
    assert changes.mean() == pytest.approx(0, abs=0.05)
    assert np.abs(changes).min() > 0
    assert np.allclose(after.bias, net.bias)
    assert after.offset == pytest.approx(net.offset)
    assert float(model_parts(model)[0].strength) == pytest.approx(0.3)
    assert np.array_equal(after.recurrent, to_network(same, net.alphabet).recurrent)
    before = model.get_weights()
    shock(model, 0.0, seed=2)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_gradients_reach_the_symbols():
    model = to_keras(network(), one_hot=True)
    read = tf.constant(np.eye(2)[WORDS], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(read)
        logit = model(read)[:, 2]
    gradient = tape.gradient(logit, read).numpy()
    assert np.abs(gradient[:, :3]).min() > 0
    assert not gradient[:, 3:].any(), "what comes later changes nothing"


def test_first_weights_follow_the_seed():
    one, same, other = (elman_model(2, 5, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.allclose(one[0], other[0])
    assert np.allclose(one[1] @ one[1].T, np.eye(5), atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: elman_model(0, 3, seed=0), "at least one symbol"),
        (lambda: elman_model(2, 0, seed=0), "at least one hidden unit"),
        (lambda: elman_model(2, 3, noise=-1, seed=0), "must not be negative"),
        (lambda: elman_model(2, 3, l1=float("nan"), seed=0), "must not be negative"),
        (lambda: NoisyElmanCell(3, kind="pink"), "'additive' or 'multiplicative'"),
        (lambda: to_network(elman_model(2, 3, seed=0), ("a", "b", "c")), "reads 2 symbols, the alphabet has 3"),
        (lambda: shock(elman_model(2, 3, seed=0), -0.5, seed=0), "must not be negative"),
        (lambda: model_parts(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])), "see elman_model"),
        (lambda: model_parts(keras.Sequential([keras.Input((3, 2)), keras.layers.SimpleRNN(4)])), "see elman_model"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_hot_rows():
    rows = OneHot(3)(np.array([[0, 2]]))
    assert rows.numpy().tolist() == [[[1, 0, 0], [0, 0, 1]]]
