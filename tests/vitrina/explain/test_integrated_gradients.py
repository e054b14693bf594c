import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitrina.explain import completeness_error, gradient_x_input, integrated_gradients
from vitrina.explain.gradients import PathRule
from vitrina.models import dense_network

RULES = PathRule.__args__
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)
INPUTS = arrays(np.float64, (3, 4), elements=st.floats(-3, 3))


def by_hand(model, inputs, target, baseline, positions, weights):
    """The textbook's sum, one sample and one point after the other."""
    results = np.zeros_like(inputs)
    for row, (x, x0) in enumerate(zip(inputs, np.broadcast_to(baseline, inputs.shape), strict=True)):
        for position, weight in zip(positions, weights, strict=True):
            point = (x0 + position * (x - x0))[np.newaxis]
            # gradient x input of the point, divided by it: a path to the gradient that IG itself does not take
            results[row] += weight * (gradient_x_input(model, point, target) / point)[0]
    return (inputs - baseline) * results


@pytest.mark.parametrize(
    ("rule", "positions", "weights"),
    [
        ("middle", [1 / 8, 3 / 8, 5 / 8, 7 / 8], [1 / 4] * 4),
        ("left", [0, 1 / 4, 2 / 4, 3 / 4], [1 / 4] * 4),
        ("right", [1 / 4, 2 / 4, 3 / 4, 1], [1 / 4] * 4),
        ("trapezoid", [0, 1 / 3, 2 / 3, 1], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
        ("gausslegendre", (NODES + 1) / 2, WEIGHTS / 2),
    ],
)
def test_fast_form_is_the_sum_of_the_definition(make_network, samples, assert_close, rule, positions, weights):
    model = make_network((5, 6, 3), activation="tanh")
    inputs, baseline = samples(model), np.array([0.1, -0.2, 0.3, 0.4, -0.5])
    fast = integrated_gradients(model, inputs, 2, baseline=baseline, steps=4, rule=rule)
    assert_close(fast, by_hand(model, inputs, 2, baseline, positions, weights))


def test_worked_by_hand():
    # f = relu(x - 1): from 0 to 3 the slope is 1 on the last two thirds of the path, so IG = 3 * 2/3 = f(3) - f(0)
    model = dense_network([np.array([[1.0]]), np.array([[1.0]])], [-np.ones(1), np.zeros(1)])
    np.testing.assert_allclose(integrated_gradients(model, [[3.0]], 0, steps=3), [[2.0]])
    np.testing.assert_allclose(integrated_gradients(model, [[3.0]], 0, steps=3, rule="left"), [[1.0]])
    np.testing.assert_allclose(integrated_gradients(model, [[3.0]], 0, baseline=1.0, steps=3), [[2.0]])


@pytest.mark.parametrize("rule", RULES)
def test_complete_on_a_linear_network_with_any_rule(make_network, samples, rule):
    model = make_network((5, 6, 3), activation="linear")
    inputs = samples(model)
    attributions = integrated_gradients(model, inputs, 0, baseline=0.7, steps=2, rule=rule)
    assert np.abs(completeness_error(model, inputs, 0, attributions, baseline=0.7)).max() < 1e-12


@given(INPUTS, INPUTS, st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_complete_on_smooth_networks(make_network, inputs, baseline, target):
    model = make_network((4, 6, 3), activation="tanh", seed=3)
    attributions = integrated_gradients(model, inputs, target, baseline=baseline, steps=64, rule="gausslegendre")
    assert np.abs(completeness_error(model, inputs, target, attributions, baseline=baseline)).max() < 1e-3


@given(INPUTS, st.integers(0, 3), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_an_input_at_its_baseline_gets_nothing(make_network, inputs, position, target):
    baseline = np.ones((3, 4))
    inputs[:, position] = 1
    attributions = integrated_gradients(make_network((4, 6, 3)), inputs, target, baseline=baseline, steps=3)
    assert not attributions[:, position].any()


def test_the_error_shrinks_with_the_square_of_the_steps_in_the_middle_and_in_proportion_at_the_ends(
    make_network, samples
):
    model = make_network((5, 6, 3), activation="softplus")
    inputs = samples(model)

    def error(steps, rule):
        return np.abs(
            completeness_error(model, inputs, 1, integrated_gradients(model, inputs, 1, steps=steps, rule=rule))
        ).max()

    assert 3 < error(20, "middle") / error(40, "middle") < 5
    assert 1.7 < error(20, "left") / error(40, "left") < 2.3
    assert error(12, "gausslegendre") < error(12, "middle") / 100


def test_steps_and_samples_in_chunks_are_the_same_explanation(make_network, monkeypatch):
    from vitrina.explain import compiling

    model = make_network((5, 6, 3))
    inputs = np.random.default_rng(0).standard_normal((7, 5))
    targets = np.arange(14).reshape(7, 2) % 3
    whole = integrated_gradients(model, inputs, targets, steps=9)
    assert whole.shape == (7, 2, 5)
    for values in (15, 200):  # three samples at a time, a step each; or all samples, five steps at a time
        monkeypatch.setattr(compiling, "CHUNK_VALUES", values)
        np.testing.assert_allclose(integrated_gradients(model, inputs, targets, steps=9), whole, rtol=1e-10)
    for column in range(2):
        one = integrated_gradients(model, inputs, targets[:, column], steps=9)
        np.testing.assert_allclose(whole[:, column], one, rtol=1e-10)
    assert integrated_gradients(model, inputs[:0], 0).shape == (0, 5)


def test_one_baseline_for_all_or_one_each(make_network, samples):
    model = make_network((5, 6, 3))
    inputs, each = samples(model), np.arange(15.0).reshape(3, 5)
    several = integrated_gradients(model, inputs, 0, baseline=each, steps=3)
    for row in range(3):
        alone = integrated_gradients(model, inputs[row : row + 1], 0, baseline=each[row], steps=3)
        np.testing.assert_allclose(several[row], alone[0], rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": np.zeros(4)}, r"shape \(5,\), one for all samples, or \(3, 5\), one each; got shape \(4,\)"),
        ({"baseline": np.nan}, "baseline must be a finite number"),
        ({"baseline": "black"}, "baseline must be a finite number"),
        ({"steps": 0}, "steps must be an int of at least 1, got 0"),
        ({"steps": 2.5}, "steps must be an int"),
        ({"steps": 1, "rule": "trapezoid"}, "at least 2 steps"),
        ({"rule": "simpson"}, "rule must be one of .*gausslegendre.*'simpson'"),
    ],
)
def test_options_that_do_not_fit_are_refused(make_network, samples, options, message):
    model = make_network((5, 6, 3))
    with pytest.raises(ValueError, match=message):
        integrated_gradients(model, samples(model), 0, **options)


def test_completeness_error_is_the_difference_of_the_definition(make_network, samples):
    model = make_network((5, 6, 3))
    inputs, targets = samples(model), np.array([[0, 1], [2, 2], [1, 0]])
    logits, background = np.asarray(model(inputs)), np.arange(10.0).reshape(2, 5)
    parts = np.random.default_rng(1).standard_normal((3, 2, 5))
    wanted = np.take_along_axis(logits, targets, axis=1)
    start = np.take_along_axis(np.asarray(model(np.full((3, 5), 0.5))), targets, axis=1)
    mean = np.take_along_axis(np.asarray(model(background)).mean(axis=0, keepdims=True).repeat(3, 0), targets, axis=1)
    for options, expected in [
        ({"baseline": None}, wanted),
        ({"baseline": 0.5}, wanted - start),
        ({"background": background}, wanted - mean),
    ]:
        error = completeness_error(model, inputs, targets, parts, **options)
        np.testing.assert_allclose(error, parts.sum(axis=2) - expected, rtol=1e-12)
    assert completeness_error(model, inputs, 1, parts[:, 0]).shape == (3,)
    assert completeness_error(model, inputs[:0], 1, parts[:0, 0]).shape == (0,)
    with pytest.raises(ValueError, match=r"have shape \(3, 2, 5\), got \(3, 5\)"):
        completeness_error(model, inputs, targets, parts[:, 0])


def test_pictures_keep_their_shape_and_type():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(2, 3, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((5, 5, 2)), *layers])
    inputs = np.random.default_rng(0).random((2, 5, 5, 2))
    attributions = integrated_gradients(model, inputs, [[0, 1], [1, 2]], baseline=np.zeros((5, 5, 2)), steps=200)
    assert (attributions.shape, attributions.dtype) == ((2, 2, 5, 5, 2), np.float32)
    error = completeness_error(model, inputs, [[0, 1], [1, 2]], attributions)
    assert np.abs(error).max() < 1e-3


@pytest.mark.parametrize(
    ("rule", "method"),
    [
        *(("middle", "riemann_middle"), ("left", "riemann_left"), ("right", "riemann_right")),
        ("gausslegendre", "gausslegendre"),  # its trapezoid has weights that add up to (n - 1) / n
    ],
)
def test_the_numbers_of_captum(assert_close, torch_peer, rule, method):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(2, 3, activation="relu", bias_initializer="random_normal", dtype="float64")]
    layers += [keras.layers.Flatten(dtype="float64"), keras.layers.Dense(3, dtype="float64")]
    model = keras.Sequential([keras.Input((5, 5, 2), dtype="float64"), *layers])
    generator = np.random.default_rng(0)
    inputs, baseline, targets = generator.random((2, 5, 5, 2)), generator.random((1, 5, 5, 2)), [0, 2]
    ours = integrated_gradients(model, inputs, targets, baseline=baseline[0], steps=7, rule=rule)
    options = {"baselines": baseline, "n_steps": 7, "method": method}
    theirs = torch_peer("captum.IntegratedGradients", model, inputs, targets, **options)
    assert_close(ours, theirs, tolerance=1e-7)  # captum's weights are rounded to single precision
