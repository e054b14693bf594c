import sys

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import vitrina_solutions as textbook
from vitrina.explain import (
    LRP_0,
    Rule,
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
from vitrina.models import dense_network, dense_parameters

SIZES = (4, 6, 5, 3)
INPUTS = arrays(np.float64, (2, 4), elements=st.floats(-2, 2))
ONE_LAYER = arrays(np.float64, (2, 4), elements=st.floats(-2, 2).filter(lambda x: x == 0 or abs(x) > 1e-3))


def redraw(model, parameters):
    """Give a network other weights, without compiling anything again."""
    model.set_weights([array for pair in zip(*parameters, strict=True) for array in pair])
    return model


def smallest_denominator(model, inputs, target):
    """Least |z| that a share is divided by: hidden units that are on, and the target's logit."""
    activations, least = inputs, np.inf
    *hidden, (weights, bias) = dense_parameters(model)
    for matrix, vector in hidden:
        activations = np.maximum(activations @ matrix + vector, 0)
        least = min(least, activations[activations > 0].min(initial=np.inf))
    return min(least, np.abs(activations @ weights + bias)[:, target].min())


@given(INPUTS, st.integers(0, 2**32 - 1), st.booleans(), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_lrp_0_is_gradient_x_input_on_relu_networks(make_network, make_parameters, inputs, seed, bias, target):
    model = redraw(make_network(SIZES, seed=102), make_parameters(SIZES, bias, seed))
    assume(smallest_denominator(model, inputs, target) > 0.02)  # the stabiliser 1e-12 stays below 1e-10 of the result
    relevance = lrp(model, inputs, target)
    expected = gradient_x_input(model, inputs, target)
    np.testing.assert_allclose(relevance, expected, rtol=0, atol=1e-10 * max(abs(expected).max(), 1))


@given(INPUTS, st.integers(0, 2**32 - 1), st.sampled_from([LRP_0, gamma(0.3), z_box(-2, 2)]))
@settings(max_examples=60, deadline=None)
def test_a_layer_without_bias_conserves_relevance(make_network, make_parameters, inputs, seed, rule):
    model = redraw(make_network((4, 3), bias=False, seed=103), make_parameters((4, 3), False, seed))
    logits = np.asarray(model(inputs))
    assume(np.abs(logits).min() > 0.02)
    relevance = lrp(model, inputs, 1, rules=rule)
    np.testing.assert_allclose(relevance.sum(axis=1), logits[:, 1], rtol=0, atol=1e-9 * (1 + abs(relevance).max()))


def test_a_bias_takes_its_share_and_epsilon_another(make_network, samples):
    model = make_network((4, 3), bias=True)
    inputs = samples(model)
    [(weights, bias)] = dense_parameters(model)
    z = inputs @ weights + bias
    for rule, e in [(LRP_0, 0.0), (epsilon(0.5), 0.5)]:
        kept = z[:, 1] * (z[:, 1] - bias[1]) / (z[:, 1] + e * np.sign(z[:, 1]))
        np.testing.assert_allclose(lrp(model, inputs, 1, rules=rule).sum(axis=1), kept, rtol=1e-9)


def not_equal_cases():
    relu = {"activation": "relu"}
    return [
        pytest.param({"activation": "tanh"}, LRP_0, id="tanh"),
        pytest.param({"activation": "elu"}, LRP_0, id="elu"),
        pytest.param(relu, epsilon(0.1), id="epsilon"),
        pytest.param(relu, gamma(0.25), id="gamma"),
        pytest.param(relu, [z_box(-3, 3), LRP_0, LRP_0], id="z_box"),
    ]


OTHER_RULES = [epsilon(1.0), gamma(0.25), alpha_beta(2, 1), z_plus(), w_square(), flat()]


@pytest.mark.parametrize("rule", OTHER_RULES, ids=lambda rule: rule.kind)
@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=15, deadline=None)
def test_no_other_rule_is_gradient_x_input(make_network, make_parameters, rule, seed, bias):
    model = redraw(make_network(SIZES, seed=102), make_parameters(SIZES, bias, seed))
    inputs = np.random.default_rng(seed).uniform(0.1, 2, (16, 4))
    gradients = gradient_x_input(model, inputs, 0)
    assume(np.abs(gradients).max() > 0.1)  # a network that is off has nothing to hand down by any rule
    assert textbook.relative_difference(lrp(model, inputs, 0, rules=rule), gradients) > 0.02


@pytest.mark.parametrize(("options", "rules"), not_equal_cases())
def test_elsewhere_lrp_is_not_gradient_x_input(make_network, samples, options, rules):
    model = make_network(SIZES, bias=False, seed=1, **options)
    inputs = samples(model)
    difference = textbook.relative_difference(lrp(model, inputs, 0, rules=rules), gradient_x_input(model, inputs, 0))
    assert difference > 0.03


def test_leaky_relu_is_positively_homogeneous_too(make_network, samples, assert_close):
    model = make_network(SIZES, activation="leaky_relu", seed=1)
    inputs = samples(model)
    assert_close(lrp(model, inputs, 2), gradient_x_input(model, inputs, 2))


def chain(model, inputs, target, steps):
    """LRP through a ReLU network by one textbook function per layer."""
    activations = [inputs]
    for weights, bias in dense_parameters(model)[:-1]:
        activations.append(np.maximum(activations[-1] @ weights + bias, 0))
    weights, bias = dense_parameters(model)[-1]
    relevance = (activations[-1] @ weights + bias) * (np.arange(weights.shape[1]) == target)
    for a, (weights, bias), step in reversed(list(zip(activations, dense_parameters(model), steps, strict=True))):
        relevance = step(a, weights, bias, relevance)
    return relevance


def by_units(a, weights, bias, relevance, g):
    """Generalised gamma, one sample and one unit at a time, straight from the definition."""
    result = np.zeros_like(a)
    plus, minus = (lambda v: np.maximum(v, 0)), (lambda v: np.minimum(v, 0))
    for n, k in np.ndindex(relevance.shape):
        x, w, b = a[n], weights[:, k], bias[k]
        favoured, other = (plus, minus) if x @ w + b >= 0 else (minus, plus)
        parts = (w + g * favoured(w)) * plus(x) + (w + g * other(w)) * minus(x)
        z = parts.sum() + b + g * favoured(b)
        result[n] += parts / (z + (1e-12 if z >= 0 else -1e-12)) * relevance[n, k]
    return result


def test_rules_of_each_layer_are_the_textbook_rules(make_network, assert_close):
    model = make_network(SIZES, seed=4)
    inputs = np.random.default_rng(3).random((3, 4))
    rules = [z_box(0, 1), gamma(0.4), epsilon(0.2)]
    expected = chain(
        model,
        inputs,
        1,
        [
            lambda a, w, _, r: textbook.lrp_zb(a, w, r, 0.0, 1.0),
            lambda a, w, b, r: textbook.lrp_gamma(a, w, b, r, 0.4),
            lambda a, w, b, r: textbook.lrp_epsilon(a, w, b, r, 0.2),
        ],
    )
    assert_close(lrp(model, inputs, 1, rules=rules), expected)
    with pytest.raises(AssertionError):
        assert_close(lrp(model, inputs, 1, rules=[*rules[:2], LRP_0]), expected)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_generalised_gamma_for_any_sign(make_network, samples, assert_close, target):
    model = make_network((6, 8, 3), seed=2)
    inputs = samples(model)
    expected = chain(model, inputs, target, [lambda *layer: by_units(*layer, 0.7)] * 2)
    assert_close(lrp(model, inputs, target, rules=gamma(0.7)), expected)
    signs = np.sign(np.asarray(model(inputs))[:, target])
    with pytest.raises(AssertionError):  # planted: every output treated like a positive one
        assert_close(chain(model, inputs, target, [lambda *layer: textbook.lrp_gamma(*layer, 0.7)] * 2), expected)
    assert signs.any()


def test_lrp_0_is_the_textbook_network_form(relu_network, samples, assert_close):
    inputs = samples(relu_network)
    expected = textbook.lrp_network(relu_network, inputs, 1)
    assert_close(lrp(relu_network, inputs, 1), expected)
    for planted in (-expected, np.abs(expected), expected[::-1]):
        with pytest.raises(AssertionError):
            assert_close(lrp(relu_network, inputs, 1), planted)


def test_gamma_worked_by_hand():
    # z = 2*1 - 1*1 = 1 > 0, gamma 1: positive weight doubled, z' = 4 - 1 = 3, shares 4/3 and -1/3 of the logit 1
    # z = 1*1 - 1*2 = -1 < 0: the negative weight is doubled, z' = 1 - 4 = -3, shares -1/3 and 4/3 of the logit -1
    model = dense_network([np.array([[1.0], [-1.0]])], [np.zeros(1)])
    relevance = lrp(model, [[2.0, 1.0], [1.0, 2.0]], 0, rules=gamma(1.0))
    np.testing.assert_allclose(relevance, [[4 / 3, -1 / 3], [1 / 3, -4 / 3]])


def test_z_box_with_a_bound_for_each_pixel(make_network, assert_close):
    model = make_network((4, 3))
    inputs = np.random.default_rng(0).random((2, 4))
    low, high = np.array([0.0, -1, 0, -2]), np.array([1.0, 1, 2, 1])
    [(weights, _)] = dense_parameters(model)
    shares = (
        inputs[..., None] * weights - low[:, None] * np.maximum(weights, 0) - high[:, None] * np.minimum(weights, 0)
    )
    expected = shares[..., 1] / shares[..., 1].sum(axis=1, keepdims=True) * np.asarray(model(inputs))[:, [1]]
    assert_close(lrp(model, inputs, 1, rules=z_box(low, high)), expected)


@pytest.mark.parametrize("rule", [LRP_0, epsilon(), gamma(), z_box(0, 1)], ids=lambda rule: rule.kind)
def test_dead_units_give_zero_and_no_nan(rule):
    model = dense_network([np.zeros((2, 3)), np.ones((3, 2))], [np.zeros(3), np.zeros(2)])
    np.testing.assert_array_equal(lrp(model, np.zeros((2, 2)), 0, rules=rule), np.zeros((2, 2)))
    np.testing.assert_array_equal(lrp(model, np.ones((2, 2)), 0, rules=rule), np.zeros((2, 2)))


def test_separate_activations_flatten_and_dropout(make_network, samples, assert_close):
    reference = make_network((4, 6, 3), activation="relu")
    dense = [keras.layers.Dense(units, dtype="float64") for units in (6, 3)]
    for relu in (keras.layers.ReLU(dtype="float64"), keras.layers.Activation("relu", dtype="float64")):
        extra = [keras.layers.Flatten(dtype="float64"), keras.layers.Dropout(0.5, dtype="float64")]
        model = keras.Sequential([keras.Input((2, 2), dtype="float64"), *extra, dense[0], relu, dense[1]])
        model.set_weights(reference.get_weights())
        inputs = samples(model)
        expected = lrp(reference, inputs.reshape(3, 4), 0, rules=gamma()).reshape(inputs.shape)
        assert_close(lrp(model, inputs, 0, rules=gamma()), expected)


def test_an_activation_after_the_logits_is_left_out(make_network, samples, assert_close):
    reference = make_network((4, 6, 3))
    inputs = samples(reference)
    hidden, last = keras.layers.Dense(6, "relu", dtype="float64"), keras.layers.Dense(3, "softmax", dtype="float64")
    model = keras.Sequential([keras.Input((4,), dtype="float64"), hidden, last])
    model.set_weights(reference.get_weights())
    with pytest.warns(UserWarning, match="softmax"):
        assert_close(lrp(model, inputs, 0), lrp(reference, inputs, 0))


def test_float32_and_one_target_each(make_network, samples, assert_close):
    single, double = (make_network(SIZES, dtype=dtype) for dtype in ("float32", "float64"))
    inputs, targets = samples(double), np.array([2, 0, 1])
    relevance = lrp(single, inputs, targets)
    assert relevance.dtype == np.float32
    expected = np.stack([lrp(double, inputs, target)[row] for row, target in enumerate(targets)])
    assert_close(relevance, expected, 1e-5)


def test_another_gamma_compiles_nothing(make_parameters, monkeypatch):
    module, calls = sys.modules[lrp.__module__], []
    build = module._compile_lrp
    monkeypatch.setattr(module, "_compile_lrp", lambda *parts: calls.append(1) or build(*parts))
    model = dense_network(*make_parameters((4, 5, 3), True, 7))
    for batch, g in [(1, 0.1), (2, 0.5), (3, 1.0)]:
        lrp(model, np.ones((batch, 4)), 0, rules=gamma(g))
    assert len(calls) == 1


def test_unsupported_layers_are_refused_by_name():
    dense, flat = keras.layers.Dense, keras.Input((4,))
    pictures, sequence = keras.Input((4, 4, 1)), keras.Input((4, 2))
    norm = keras.layers.BatchNormalization(axis=1, name="norm")
    first = keras.layers.Conv2D(1, 1, data_format="channels_first", name="first")
    cases = [
        ([flat, dense(3), keras.layers.LayerNormalization(name="norm"), dense(2)], "'norm' .LayerNorm.*Dense, Conv1D"),
        ([flat, dense(3, "softmax", name="mix"), dense(2)], "'mix' .softmax. is not supported"),
        ([flat, dense(3), keras.layers.Softmax(name="mix"), dense(2)], "'mix' .Softmax"),
        ([flat, keras.layers.Lambda(lambda x: x + 1, name="own"), dense(2)], "'own' .Lambda"),
        ([pictures, norm, keras.layers.Flatten(), dense(2)], "'norm'.*last axis"),
        ([pictures, first, keras.layers.Flatten(), dense(2)], "'first'.*channels first"),
        ([keras.Input((4, 2), batch_size=1), keras.layers.GRU(2, stateful=True, name="kept")], "'kept'.*state"),
        ([sequence, keras.layers.Bidirectional(keras.layers.GRU(2), "sum", name="both")], "'both'.*'concat'"),
        ([sequence, keras.layers.Masking(name="mask"), keras.layers.LSTM(2)], "'mask' .Masking"),
        ([flat, keras.layers.ReLU()], "no layer with weights"),
        ([dense(2)], "must be built"),
    ]
    for layers, message in cases:
        model = keras.Sequential(layers)
        with pytest.raises(ValueError, match=message):
            lrp(model, np.ones((1, *getattr(model, "input_shape", (None, 4))[1:])), 0)


def test_rules_that_do_not_fit_are_refused(make_network):
    model, inputs = make_network((4, 6, 3)), np.ones((1, 4))
    for rules, message in [
        ([LRP_0], "one Rule per layer"),
        (["epsilon", LRP_0], "every rule must be a Rule"),
        ("epsilon", "one Rule, a Composite"),
        ({"nobody": LRP_0}, "'nobody'.*layers with weights are"),
        (z_box([0] * 4, [1] * 4), "needs 1 or 6 bounds"),
    ]:
        with pytest.raises(ValueError, match=message):
            lrp(model, inputs, 0, rules=rules)
    with pytest.raises(ValueError, match="'keep' or 'ignore'"):
        lrp(model, inputs, 0, bias="drop")
    for make, arguments in [
        (epsilon, [0]),
        (epsilon, [np.nan]),
        (gamma, [-1]),
        (gamma, [np.inf]),
        (z_box, [1, 0]),
        (alpha_beta, [2, 2]),
        (alpha_beta, [0.5, -0.5]),
    ]:
        with pytest.raises(ValueError, match=r"must|needs"):
            make(*arguments)


def test_recurrent_layers_share_by_epsilon_only():
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.LSTM(3, name="memory"), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"'memory' .LSTM. shares by LRP_0 or epsilon, not by gamma"):
        lrp(model, np.ones((1, 4, 2)), 0, rules=gamma())


def test_rules_are_data():
    assert epsilon(0.1) == Rule("epsilon", epsilon=0.1) != epsilon(0.2)
    assert len({LRP_0, gamma(), gamma(0.25), z_box(0, 1), z_box(0.0, 1.0)}) == 3
    with pytest.raises(AttributeError):
        LRP_0.epsilon = 1.0
