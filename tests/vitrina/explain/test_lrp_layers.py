"""Every rule of every layer, and what is true of whole networks, with LRP worked out by hand beside it."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrina.explain import (
    EPSILON_ALPHA2_BETA1,
    EPSILON_ALPHA2_BETA1_FLAT,
    EPSILON_GAMMA_BOX,
    EPSILON_PLUS,
    EPSILON_PLUS_FLAT,
    LRP_0,
    alpha_beta,
    epsilon,
    flat,
    gamma,
    gradient_x_input,
    lrp,
    w_square,
    z_box,
    z_plus,
)

layers = keras.layers
RULES = [LRP_0, epsilon(0.3), gamma(0.4), alpha_beta(2, 1), z_plus(), z_box(-3, 2), w_square(), flat()]
LAYERS = {
    "dense": (lambda: layers.Dense(3), (4,)),
    "dense without bias": (lambda: layers.Dense(3, use_bias=False), (4,)),
    "dense on a sequence": (lambda: layers.Dense(3), (3, 2)),
    "conv1d causal": (lambda: layers.Conv1D(2, 3, padding="causal", dilation_rate=2), (6, 2)),
    "conv1d same": (lambda: layers.Conv1D(2, 3, strides=2, padding="same"), (5, 2)),
    "conv2d": (lambda: layers.Conv2D(3, (2, 3)), (4, 4, 2)),
    "conv2d same strides": (lambda: layers.Conv2D(2, 3, strides=2, padding="same"), (5, 4, 2)),
    "conv2d dilated": (lambda: layers.Conv2D(2, 2, dilation_rate=2, padding="same"), (4, 4, 1)),
    "conv2d groups": (lambda: layers.Conv2D(4, 2, groups=2), (3, 3, 4)),
    "depthwise1d": (lambda: layers.DepthwiseConv1D(2, depth_multiplier=2, padding="same"), (4, 2)),
    "depthwise2d": (lambda: layers.DepthwiseConv2D(2, strides=2, depth_multiplier=2), (4, 4, 2)),
    "depthwise2d dilated": (lambda: layers.DepthwiseConv2D(2, dilation_rate=2), (4, 4, 2)),
}


def plus(values):
    return np.maximum(values, 0)


def minus(values):
    return np.minimum(values, 0)


def shares(contributions, bias, relevance, stabiliser):
    """What each input gets of one unit's relevance, from its contributions (inputs,) to that unit."""
    z = contributions.sum() + bias
    return contributions / (z + (stabiliser if z >= 0 else -stabiliser)) * relevance


def unit(rule, x, w, seen, b, relevance, keep=True):
    """One unit: inputs x, weights w (0 where it sees nothing: `seen` False), bias b, its relevance."""
    e, z = rule.epsilon, x @ w + b
    b = b if keep else 0.0
    for_it, against = plus(w) * plus(x) + minus(w) * minus(x), minus(w) * plus(x) + plus(w) * minus(x)
    if rule.kind == "epsilon":
        return shares(x * w, b, relevance, e)
    if rule.kind == "gamma":
        favoured, b_favoured = (for_it, plus(b)) if z >= 0 else (against, minus(b))
        return shares(x * w + rule.gamma * favoured, b + rule.gamma * b_favoured, relevance, e)
    if rule.kind in ("alpha_beta", "z_plus"):
        return shares(for_it, plus(b), rule.alpha * relevance, e) - shares(against, minus(b), rule.beta * relevance, e)
    if rule.kind == "z_box":
        return shares(x * w - np.array(rule.low) * plus(w) - np.array(rule.high) * minus(w), 0.0, relevance, e)
    return shares(w**2, b**2, relevance, e) if rule.kind == "w_square" else shares(seen * 1.0, 0.0, relevance, e)


def linear(rule, x, W, seen, b, relevance, keep=True):
    """One linear layer: x (batch, n), W and seen (n, m), b (m,), relevance (batch, m)."""
    result = np.zeros_like(x)
    for sample, k in np.ndindex(relevance.shape):
        if relevance[sample, k]:
            result[sample] += unit(rule, x[sample], W[:, k], seen[:, k], b[k], relevance[sample, k], keep)
    return result


def matrix_of(layer, shape):
    """A linear layer as a matrix (inputs, outputs), where it has weights at all, and its bias: from unit vectors."""
    size = int(np.prod(shape))
    basis = np.eye(size).reshape(size, *shape)
    bias = np.asarray(layer(np.zeros((1, *shape)))).ravel()
    W = np.asarray(layer(basis)).reshape(size, -1) - bias
    kept = layer.get_weights()
    layer.set_weights([np.ones_like(weight) for weight in kept])
    ones = np.asarray(layer(basis)).reshape(size, -1) - np.asarray(layer(np.zeros((1, *shape)))).ravel()
    layer.set_weights(kept)
    return W, ones > 0.5, bias


def set_precision(precision):
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)


@pytest.fixture(autouse=True, scope="module")
def double_precision():
    set_precision("float64")
    yield
    set_precision("float32")


def randomised(model, seed=0, spread=1.0):
    """Give every weight of a model a random value: positive where a variance is meant, biases too."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        drawn = generator.standard_normal(weight.shape) * spread
        weight.assign(np.abs(drawn) + 0.5 if "variance" in weight.path else drawn)
    return model


def draw(model, seed=1, batch=2):
    return np.random.default_rng(seed).standard_normal((batch, *model.input_shape[1:]))


@pytest.mark.parametrize("name", LAYERS)
def test_every_rule_of_every_layer_by_hand(name, assert_close):
    make, shape = LAYERS[name]
    layer = make()
    model = randomised(keras.Sequential([keras.Input(shape), layer, layers.Flatten()]))
    inputs, (W, seen, b) = draw(model), matrix_of(layer, shape)
    targets = np.array([[0, W.shape[1] - 1], [1, 0]])
    logits = np.asarray(model(inputs))
    for rule in RULES:
        for bias in ("keep", "ignore") if b.any() else ("keep",):
            relevance = lrp(model, inputs, targets, rules=rule, bias=bias)
            for column in range(2):
                seed = np.eye(W.shape[1])[targets[:, column]] * logits
                expected = linear(rule, inputs.reshape(2, -1), W, seen, b, seed, bias == "keep")
                assert_close(relevance[:, column].reshape(2, -1), expected, 1e-9)


@pytest.mark.parametrize("rule", RULES[:5], ids=lambda rule: rule.kind)
def test_what_is_known_about_signs_changes_nothing(rule, assert_close):
    """Between two ReLUs the fast form leaves parts out that must be 0; by hand nothing is left out."""
    first, second, last = layers.Conv2D(3, 2, activation="relu"), layers.Conv2D(3, 2), layers.Dense(2)
    model = randomised(
        keras.Sequential([keras.Input((4, 4, 1)), first, second, layers.ReLU(), layers.Flatten(), last]), seed=3
    )
    inputs = draw(model, batch=4)
    between = np.asarray(first(inputs))
    hidden = np.asarray(second(between)).reshape(4, -1)
    (W, b), second_matrix = last.get_weights(), matrix_of(second, between.shape[1:])
    seed = np.eye(2)[[1] * 4] * np.asarray(model(inputs))
    relevance = linear(rule, np.maximum(hidden, 0), W, np.ones_like(W) > 0, b, seed)
    relevance = linear(rule, between.reshape(4, -1), *second_matrix, relevance)
    first.activation = keras.activations.linear
    expected = linear(rule, inputs.reshape(4, -1), *matrix_of(first, (4, 4, 1)), relevance)
    first.activation = keras.activations.relu
    assert_close(lrp(model, inputs, 1, rules=rule).reshape(4, -1), expected, 1e-8)


def residual(source):
    x = layers.Conv2D(3, 3, padding="same", activation="relu")(source)
    y = layers.BatchNormalization()(layers.Conv2D(3, 3, padding="same", use_bias=False)(x))
    return layers.ReLU()(layers.Add()([x, y]))


def branches(source):
    left = layers.Conv2D(2, 3, activation="relu")(source)
    right = layers.Conv2D(2, 1, activation="leaky_relu")(layers.Cropping2D(1)(source))
    joined = layers.Concatenate()([left, right, left])
    return keras.ops.relu(joined + joined) + layers.Average()([joined, joined])


def separable(source):
    return layers.BatchNormalization()(layers.SeparableConv2D(3, 3, depth_multiplier=2, activation=None)(source))


def normalised_after(source):
    x = layers.Conv2D(3, 3, activation="relu")(source)
    return layers.ReLU()(layers.BatchNormalization()(layers.Dropout(0.5)(x)))


def normalised_depthwise(source):
    return layers.ReLU()(layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=2)(source)))


def moved(source):
    x = layers.Permute((2, 1, 3))(layers.ZeroPadding2D(((1, 0), (2, 1)))(source))
    x = layers.UpSampling2D(2)(layers.Conv2D(3, 3, activation="relu")(x))
    return layers.Dense(2)(layers.Reshape((-1, 6))(x))


def nested(source):
    inner = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(2, 3, padding="same"), layers.ReLU()])
    return inner(source) + inner(layers.UpSampling2D(2)(layers.AveragePooling2D(2)(source)))


def pooled(source):
    x = layers.MaxPooling2D(3, strides=2)(layers.Conv2D(3, 2, padding="same")(source))
    return layers.AveragePooling2D(2, strides=1, padding="same")(layers.ReLU()(x))


def globally_max(source):
    return layers.GlobalMaxPooling2D()(layers.Conv2D(4, 3)(source))


def globally_average(source):
    return layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(source))


BODIES = [
    *(residual, branches, separable, normalised_after, normalised_depthwise),
    *(moved, nested, pooled, globally_max, globally_average),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_lrp_0_is_gradient_x_input_whatever_the_layers(body, assert_close):
    source = keras.Input((6, 6, 2))
    model = randomised(keras.Model(source, layers.Dense(3)(layers.Flatten()(body(source)))), seed=6)
    inputs = draw(model, batch=3)
    assert_close(lrp(model, inputs, 1), gradient_x_input(model, inputs, 1), 1e-8)
    several = lrp(model, inputs, np.tile([2, 1, 0], (3, 1)))
    assert_close(several[:, 1], lrp(model, inputs, 1), 1e-12)
    assert_close(several[:, 0], gradient_x_input(model, inputs, 2), 1e-8)


@pytest.mark.parametrize("body", [residual, branches, pooled, moved, globally_max], ids=lambda body: body.__name__)
@pytest.mark.parametrize("rule", [LRP_0, gamma()], ids=lambda rule: rule.kind)
def test_relevance_is_conserved_without_biases(body, rule):
    source = keras.Input((6, 6, 2))
    model = keras.Model(source, layers.Dense(3, use_bias=False)(layers.Flatten()(body(source))))
    model = randomised(model, seed=2)
    inputs = np.abs(draw(model, batch=2)) + 0.1
    for weight in model.weights:
        if "bias" in weight.path or "beta" in weight.path or "mean" in weight.path:
            weight.assign(np.zeros(weight.shape))
    logits = np.asarray(model(inputs))[:, 0]
    total = lrp(model, inputs, 0, rules=rule).reshape(2, -1).sum(axis=1)
    np.testing.assert_allclose(total, logits, rtol=1e-6)


def network_of_peers(pooling):
    """Conv, BatchNorm, pooling and Dense layers, with biases: what the peer's script can rebuild."""
    return randomised(
        keras.Sequential(
            [
                keras.Input((8, 8, 2)),
                layers.Conv2D(4, 3, activation="relu"),
                layers.Conv2D(4, 2),
                layers.BatchNormalization(),
                layers.ReLU(),
                pooling(2),
                layers.Flatten(),
                layers.Dense(5, activation="relu"),
                layers.Dense(3),
            ]
        ),
        spread=0.5,
    )


ZENNIT = {
    "EpsilonPlus": (EPSILON_PLUS, {}),
    "EpsilonPlusFlat": (EPSILON_PLUS_FLAT, {}),
    "EpsilonAlpha2Beta1": (EPSILON_ALPHA2_BETA1, {}),
    "EpsilonAlpha2Beta1Flat": (EPSILON_ALPHA2_BETA1_FLAT, {}),
    "EpsilonGammaBox": (EPSILON_GAMMA_BOX(-1, 2), {"low": -1.0, "high": 2.0}),
}


@pytest.mark.parametrize("pooling", [layers.MaxPooling2D, layers.AveragePooling2D], ids=["max", "average"])
@pytest.mark.parametrize("name", ZENNIT)
def test_the_numbers_of_zennit(name, pooling, assert_close, torch_peer):
    model, (composite, options) = network_of_peers(pooling), ZENNIT[name]
    inputs, targets = np.clip(draw(model, batch=4), -1, 2), np.array([0, 1, 2, 1])
    expected = torch_peer(f"zennit.{name}", model, inputs, targets, **options)
    # zennit's stabiliser is 1e-6 also for rules without an epsilon
    assert_close(lrp(model, inputs, targets, rules=composite), expected, 1e-4)


def test_the_first_rule_of_a_composite_is_for_what_sees_the_input(assert_close):
    source = keras.Input((6, 6, 2))
    scaled = layers.Rescaling(0.5, offset=-0.25)(source)
    left, right = layers.Conv2D(2, 3, name="left")(scaled), layers.DepthwiseConv2D(3, name="right")(scaled)
    joined = layers.Conv2D(2, 1, name="later")(layers.ReLU()(layers.Concatenate()([left, right])))
    model = randomised(keras.Model(source, layers.Dense(2, name="top")(layers.Flatten()(joined))))
    inputs = draw(model)
    by_name = {"left": z_box(-1, 1), "right": z_box(-1, 1), "later": gamma(), "top": epsilon()}
    composite = lrp(model, inputs, 1, rules=EPSILON_GAMMA_BOX(-1, 1))
    assert_close(composite, lrp(model, inputs, 1, rules=by_name), 1e-12)
    assert_close(composite, lrp(model, inputs, 1, rules=list(by_name.values())), 1e-12)
    with pytest.raises(AssertionError):
        assert_close(composite, lrp(model, inputs, 1, rules=by_name | {"right": gamma()}), 1e-2)


def test_a_separable_convolution_takes_a_box_at_its_first_half():
    model = keras.Sequential([keras.Input((5, 5, 2)), layers.SeparableConv2D(3, 2), layers.Flatten(), layers.Dense(2)])
    inputs = np.random.default_rng(0).random((2, 5, 5, 2))
    relevance = lrp(randomised(model), inputs, 0, rules=EPSILON_GAMMA_BOX(0, 1))
    assert np.isfinite(relevance).all()
    assert relevance.any()


def test_the_first_of_equal_maxima_wins():
    source = keras.Input((4, 4, 1))
    windows = [(layers.MaxPooling2D(2), (0, 2)), (layers.MaxPooling2D(3, strides=1), (0, 1))]
    for pooling, first in [*windows, (layers.GlobalMaxPooling2D(), (0,))]:
        model = keras.Model(source, layers.Dense(2, kernel_initializer="ones")(layers.Flatten()(pooling(source))))
        for targets in (np.zeros((1, 1), int), np.array([[0, 1]])):
            relevance = lrp(model, np.ones((1, 4, 4, 1)), targets)[0, -1, ..., 0]
            rows, columns = np.nonzero(relevance)
            assert {*zip(rows.tolist(), columns.tolist(), strict=True)} == {(i, j) for i in first for j in first}


def of_precision(precision):
    """A network in a precision, the same weights whatever it is."""
    set_precision(precision)
    source = keras.Input((6, 6, 2))
    model = randomised(keras.Model(source, layers.Dense(3)(layers.Flatten()(pooled(source)))))
    set_precision("float64")
    return model


def test_chunks_and_single_precision_change_nothing(monkeypatch, assert_close):
    model, single = of_precision("float64"), of_precision("float32")
    inputs, targets = draw(model, batch=7), np.tile([0, 2], (7, 1))
    expected = lrp(model, inputs, targets, rules=EPSILON_PLUS)
    monkeypatch.setattr("vitrina.explain.compiling.CHUNK", 4)  # two samples with two targets each
    assert_close(lrp(model, inputs, targets, rules=EPSILON_PLUS), expected, 1e-12)
    assert lrp(model, inputs[:0], 0).shape == (0, 6, 6, 2)
    relevance = lrp(single, inputs, targets, rules=EPSILON_PLUS)
    assert relevance.dtype == np.float32
    assert_close(relevance, expected, 1e-4)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_what_biases_and_epsilon_take_is_what_is_missing(seed):
    """The identity of a layer: sum of R_i = sum of R_k (1 - (b_k + e sign z_k) / (z_k + e sign z_k))."""
    generator = np.random.default_rng(seed)
    layer = layers.Conv2D(3, 2, padding="same")
    model = randomised(keras.Sequential([keras.Input((3, 3, 2)), layer, layers.Flatten()]), seed=seed)
    inputs, e = generator.standard_normal((2, 3, 3, 2)), 0.2
    z, target = np.asarray(model(inputs)), int(generator.integers(27))
    bias = np.tile(layer.get_weights()[1], 9)[target]
    taken = (bias + e * np.sign(z[:, target])) / (z[:, target] + e * np.sign(z[:, target]))
    total = lrp(model, inputs, target, rules=epsilon(e)).reshape(2, -1).sum(axis=1)
    np.testing.assert_allclose(total, z[:, target] * (1 - taken), rtol=1e-8, atol=1e-9)


def test_positive_relevance_stays_positive_where_the_rule_says_so():
    model = randomised(
        keras.Sequential(
            [
                keras.Input((6, 6, 2)),
                layers.Conv2D(3, 3, activation="relu"),
                layers.MaxPooling2D(2),
                layers.Conv2D(4, 2),
                layers.Flatten(),
            ]
        ),
        seed=5,
    )
    inputs = np.random.default_rng(2).random((6, 6, 6, 2))
    target = int(np.argmax(np.asarray(model(inputs)).min(axis=0)))
    assert np.all(np.asarray(model(inputs))[:, target] > 0)
    for rules in (z_plus(), EPSILON_PLUS, EPSILON_PLUS_FLAT, [z_box(0, 1), z_plus()], [w_square(), z_plus()]):
        assert lrp(model, inputs, target, rules=rules).min() >= 0
    for rules in (LRP_0, gamma(0.1), alpha_beta(2, 1)):
        assert lrp(model, inputs, target, rules=rules).min() < 0
