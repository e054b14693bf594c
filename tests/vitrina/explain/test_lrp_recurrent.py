"""LRP through recurrent layers, worked out in NumPy one sample and one moment at a time."""

import keras
import numpy as np
import pytest

from vitrina.explain import EPSILON_PLUS, LRP_0, epsilon, gamma, gradient_x_input, lrp

layers = keras.layers


def set_precision(precision):
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)


@pytest.fixture(autouse=True, scope="module")
def double_precision():
    set_precision("float64")
    yield
    set_precision("float32")


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def share(parts, bias, relevance, e):
    """Relevance (units,) of z = sum of parts (n, units) + bias, handed down to each row of parts."""
    z = parts.sum(axis=0) + bias
    return (parts / (z + np.where(z >= 0, e, -e)) * relevance).sum(axis=1)


def share_of_two(one, other, relevance, e):
    """Hand the relevance of one + other down to both."""
    z = one + other
    return [part * relevance / (z + np.where(z >= 0, e, -e)) for part in (one, other)]


def candidate_shares(x, h, W, U, bias, relevance, e):
    """Hand the relevance of x W + h U + bias down to x and h."""
    parts = np.concatenate([x[:, None] * W, h[:, None] * U])
    received = share(parts, bias, relevance, e)
    return received[: len(x)], received[len(x) :]


def simple(x, weights, arriving, e, keep):
    W, U, b = weights
    hidden = [np.zeros(len(U))]
    for now in x:
        hidden.append(np.tanh(now @ W + hidden[-1] @ U + b))
    received, R = np.zeros_like(x), np.zeros(len(U))
    for t in reversed(range(len(x))):
        received[t], R = candidate_shares(x[t], hidden[t], W, U, b * keep, R + arriving[t], e)
    return received


def lstm(x, weights, arriving, e, keep):
    W, U, b = weights
    n = len(U)
    h, c, seen = np.zeros(n), np.zeros(n), []
    for now in x:
        i, f, g, o = np.split(now @ W + h @ U + b, 4)
        kept, added = sigmoid(f) * c, sigmoid(i) * np.tanh(g)
        seen.append((h, kept, added))
        c = kept + added
        h = sigmoid(o) * np.tanh(c)
    received, R_h, R_c = np.zeros_like(x), np.zeros(n), np.zeros(n)
    g = slice(2 * n, 3 * n)
    for t in reversed(range(len(x))):
        before, kept, added = seen[t]
        R_c, R_added = share_of_two(kept, added, R_c + R_h + arriving[t], e)
        received[t], R_h = candidate_shares(x[t], before, W[:, g], U[:, g], b[g] * keep, R_added, e)
    return received


def gru(x, weights, arriving, e, keep):
    W, U, b = weights
    n = len(U)
    b, recurrent_b = b if b.ndim == 2 else (b, None)
    h, seen = np.zeros(n), []
    for now in x:
        gates = (now @ W + h @ U + b + (0 if recurrent_b is None else recurrent_b))[: 2 * n]
        z, r = np.split(sigmoid(gates), 2)
        recalled = (
            r * (h @ U[:, 2 * n :] + recurrent_b[2 * n :]) if recurrent_b is not None else (r * h) @ U[:, 2 * n :]
        )
        added = (1 - z) * np.tanh(now @ W[:, 2 * n :] + b[2 * n :] + recalled)
        seen.append((h, r, z * h, added))
        h = z * h + added
    received, R = np.zeros_like(x), np.zeros(n)
    for t in reversed(range(len(x))):
        before, r, kept, added = seen[t]
        R_kept, R_added = share_of_two(kept, added, R + arriving[t], e)
        weights_of_memory = U[:, 2 * n :] * (r if recurrent_b is not None else r[:, None])
        bias = b[2 * n :] + (0 if recurrent_b is None else r * recurrent_b[2 * n :])
        received[t], R = candidate_shares(x[t], before, W[:, 2 * n :], weights_of_memory, bias * keep, R_added, e)
        R = R + R_kept
    return received


CELLS = {
    "simple": (layers.SimpleRNN, {}, simple),
    "lstm": (layers.LSTM, {}, lstm),
    "gru": (layers.GRU, {}, gru),
    "gru, reset before": (layers.GRU, {"reset_after": False}, gru),
}


def randomised(model, seed=0):
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(generator.standard_normal(weight.shape) * 0.7)
    return model


def draw(model, length=5, batch=3):
    return np.random.default_rng(1).standard_normal((batch, length, model.input_shape[-1]))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "sequences"])
def test_every_cell_by_hand(name, sequences, assert_close):
    kind, options, by_hand = CELLS[name]
    layer = kind(4, return_sequences=sequences, **options)
    head = [layers.Flatten()] if sequences else []
    model = randomised(keras.Sequential([keras.Input((5, 2)), layer, *head, layers.Dense(2)]))
    inputs, (W, b) = draw(model), model.layers[-1].get_weights()
    hidden = np.asarray(layer(inputs)).reshape(3, -1)
    targets = np.array([[0, 1], [1, 0], [1, 1]])
    for rule, bias in [(LRP_0, "keep"), (epsilon(0.05), "keep"), (epsilon(0.01), "ignore")]:
        relevance = lrp(model, inputs, targets, rules=rule, bias=bias)
        for sample, column in np.ndindex(targets.shape):
            target, keep = targets[sample, column], bias == "keep"
            logit = np.asarray(model(inputs))[sample, target]
            received = share(hidden[sample][:, None] * W[:, [target]], b[target] * keep, logit, rule.epsilon)
            arriving = np.zeros((5, 4))
            arriving[slice(None) if sequences else -1] = received.reshape(-1, 4)
            expected = by_hand(inputs[sample], layer.get_weights(), arriving, rule.epsilon, keep)
            assert_close(relevance[sample, column], expected, 1e-8)


def test_backwards_and_both_ways(assert_close):
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True))
    model = randomised(keras.Sequential([keras.Input((5, 2)), both, layers.Flatten(), layers.Dense(2)]))
    ways = both.forward_layer, both.backward_layer
    source = keras.Input((5, 2))
    turned = keras.ops.flip(ways[1](source), axis=1)
    apart = keras.Model(source, model.layers[-1](layers.Flatten()(layers.Concatenate()([ways[0](source), turned]))))
    inputs = draw(model)
    np.testing.assert_allclose(model(inputs), apart(inputs))
    assert_close(lrp(model, inputs, 1, rules=epsilon(0.01)), lrp(apart, inputs, 1, rules=epsilon(0.01)), 1e-10)
    mirrored = layers.LSTM(3)
    backwards = layers.LSTM(3, go_backwards=True)
    model, twin = (keras.Sequential([keras.Input((5, 2)), way, layers.Dense(2)]) for way in (backwards, mirrored))
    twin.set_weights(randomised(model).get_weights())
    expected = lrp(twin, inputs[:, ::-1], 0, rules=epsilon(0.01))[:, ::-1]
    assert_close(lrp(model, inputs, 0, rules=epsilon(0.01)), expected, 1e-10)


def test_a_linear_rnn_is_gradient_x_input_and_a_gated_one_is_not(assert_close):
    model = keras.Sequential([keras.Input((None, 2)), layers.SimpleRNN(4, activation="relu"), layers.Dense(2)])
    inputs = draw(randomised(model, seed=3), length=6)
    assert_close(lrp(model, inputs, 0), gradient_x_input(model, inputs, 0), 1e-7)
    gated = randomised(keras.Sequential([keras.Input((None, 2)), layers.GRU(4), layers.Dense(2)]))
    with pytest.raises(AssertionError):
        assert_close(lrp(gated, inputs, 0), gradient_x_input(gated, inputs, 0), 1e-2)


def test_two_recurrent_layers_and_a_composite(assert_close):
    source = keras.Input((None, 2))
    x = layers.Conv1D(3, 2, activation="relu", name="letters")(source)
    x = layers.GRU(3)(layers.LSTM(4, return_sequences=True)(x))
    model = randomised(keras.Model(source, layers.Dense(2)(x)))
    inputs = draw(model, length=7)
    by_name = {"letters": EPSILON_PLUS.convolution} | {layer.name: EPSILON_PLUS.dense for layer in model.layers[2:]}
    assert_close(lrp(model, inputs, 1, rules=EPSILON_PLUS), lrp(model, inputs, 1, rules=by_name), 1e-12)
    with pytest.raises(ValueError, match="not by gamma"):
        lrp(model, inputs, 1, rules=gamma())
