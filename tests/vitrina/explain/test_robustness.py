import keras
import numpy as np
import pytest

from vitrina.explain import gradient_x_input, max_sensitivity, noise_stability, saliency
from vitrina.explain.similarity import rank_correlation, similarities, structural_similarity
from vitrina.models import dense_network

INPUTS = np.random.default_rng(2).random((4, 6))


@pytest.fixture(scope="module")
def model(make_network):
    return make_network((6, 8, 3), seed=9)


def test_a_contribution_of_one_input_moves_as_far_as_the_input():
    # phi = w x, so |w d| / |w x| = |d| / |x|, and the largest of many draws is near r / |x|
    linear = dense_network([np.array([[3.0, -1.0]])], [np.zeros(2)])
    inputs = np.array([[0.5], [2.0]])
    found = max_sensitivity(linear, inputs, 0, gradient_x_input, radii=[0.1, 0.2], draws=200)
    np.testing.assert_allclose(found.values, [[0.2, 0.4], [0.05, 0.1]], rtol=0.03)
    assert np.all(found.values <= np.array([[0.2, 0.4], [0.05, 0.1]]))
    np.testing.assert_array_equal(found.radii, [0.1, 0.2])


def test_the_gradient_of_a_linear_model_cannot_be_moved(make_network):
    linear = make_network((6, 3), seed=4)
    np.testing.assert_array_equal(max_sensitivity(linear, INPUTS, 1, saliency).values, 0)
    stable = noise_stability(linear, INPUTS, 1, saliency)
    np.testing.assert_allclose(stable.similarities["rank correlation"], 1)


def test_the_maximum_grows_with_draws_and_forgets_the_scale(model):
    few, many = (max_sensitivity(model, INPUTS, 1, gradient_x_input, draws=n).values for n in (2, 6))
    assert np.all(many >= few)
    assert np.any(many > few)
    scaled = max_sensitivity(model, INPUTS, 1, lambda *asked: 7 * gradient_x_input(*asked), draws=2).values
    np.testing.assert_allclose(scaled, few)


def test_explanations_from_nothing(model):
    nothing = max_sensitivity(model, INPUTS, 1, lambda _m, inputs, _t: 0 * inputs)
    np.testing.assert_array_equal(nothing.values, 0)
    calls = []
    appearing = lambda _m, inputs, _t: calls.append(1) or (len(calls) > 1) * inputs  # noqa: E731
    assert np.isinf(max_sensitivity(model, INPUTS, 1, appearing).values).all()


def test_the_method_sees_the_logits_the_noise_and_the_target(model):
    head = keras.layers.Activation("softmax", dtype="float64")
    squashed = keras.Sequential([keras.Input((6,), dtype="float64"), *model.layers, head])
    seen = []

    def method(explained, inputs, target):
        seen.append((inputs, target))
        return gradient_x_input(explained, inputs, target)  # a second warning here would be an error

    with pytest.warns(UserWarning, match="softmax") as caught:
        values = max_sensitivity(squashed, INPUTS, [0, 1, 2, 0], method, radii=[0.3], draws=3).values
    assert len(caught) == 1
    np.testing.assert_allclose(
        values, max_sensitivity(model, INPUTS, [0, 1, 2, 0], gradient_x_input, radii=[0.3], draws=3).values
    )
    assert len(seen) == 4
    np.testing.assert_array_equal(seen[0][0], INPUTS)
    for inputs, target in seen[1:]:
        assert -0.3 <= (inputs - INPUTS).min() < -0.2 < 0.2 < (inputs - INPUTS).max() <= 0.3
        np.testing.assert_array_equal(target, [0, 1, 2, 0])


def test_what_survives_noise_is_told_from_what_does_not(model):
    generator = np.random.default_rng(0)
    fixed = noise_stability(model, INPUTS, 1, lambda _m, inputs, _t: np.ones(inputs.shape) * np.arange(6))
    by_chance = noise_stability(model, INPUTS, 1, lambda _m, inputs, _t: generator.random(inputs.shape), draws=50)
    np.testing.assert_allclose(fixed.similarities["rank correlation"], 1)
    assert np.abs(by_chance.similarities["rank correlation"].mean()) < 0.1
    contributions = noise_stability(model, INPUTS, 1, gradient_x_input, noise=[1e-6, 2.0], draws=20)
    assert np.all(contributions.similarities["rank correlation"][:, 0] > 0.99)
    assert contributions.similarities["rank correlation"][:, 1].mean() < 0.7


def test_how_often_noise_changes_the_decision():
    # decides by the sign of x: noise of standard deviation 1 turns 2 around in 2.3 % of the draws, 0.001 in half
    linear = dense_network([np.array([[1.0, -1.0]])], [np.zeros(2)])
    kept = noise_stability(linear, np.array([[2.0], [0.001]]), 0, saliency, noise=[1.0], draws=400).kept
    np.testing.assert_allclose(kept[:, 0], [0.977, 0.5], atol=0.08)


def test_similarities_are_those_of_the_libraries():
    from scipy.stats import spearmanr

    generator = np.random.default_rng(0)
    a, b = np.round(generator.standard_normal((2, 3, 16, 16, 1)), 1)
    expected = [spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(rank_correlation(a, b), expected)
    both = similarities(a, a * [[[[2.0]]], [[[1.0]]], [[[-1.0]]]])
    np.testing.assert_allclose(both["rank correlation"], [1, 1, -1])
    np.testing.assert_allclose(both["rank correlation of sizes"], 1)
    np.testing.assert_allclose(both["SSIM"][:2], 1, rtol=1e-5)
    assert both["SSIM"][2] < 0
    assert set(similarities(a[:, :, 0, 0], a[:, :, 0, 0])) == {"rank correlation", "rank correlation of sizes"}
    np.testing.assert_array_equal(rank_correlation(0 * a, b), 0)
    assert structural_similarity(a[:, :5, :5], a[:, :5, :5]) == pytest.approx(1)
    assert np.isfinite(structural_similarity(0 * a, b)).all()


def test_ssim_is_that_of_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    a, b = np.random.default_rng(0).standard_normal((2, 1, 20, 20, 1))
    pictures = [0.5 + values[0, ..., 0] / np.abs(values).max() / 2 for values in (a, b)]
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    _, full = metrics.structural_similarity(*pictures, full=True, **settings)
    assert structural_similarity(a, b)[0] == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-4)  # windows that fit


@pytest.mark.parametrize("measure", [max_sensitivity, noise_stability])
@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        (lambda _m, inputs, _t: inputs[:, :2], {}, "shape of inputs"),
        (lambda _m, inputs, _t: inputs * np.nan, {}, "finite numbers"),
        (saliency, {"draws": 0}, "at least 1 draw"),
        (saliency, {"widths": [0.0]}, "above 0"),
        (saliency, {"widths": []}, "above 0"),
        (saliency, {"widths": 0.1}, "a list of numbers"),
    ],
)
def test_what_does_not_fit_is_refused(model, measure, method, options, message):
    name = "radii" if measure is max_sensitivity else "noise"
    options = {name if key == "widths" else key: value for key, value in options.items()}
    with pytest.raises(ValueError, match=message):
        measure(model, INPUTS, 0, method, **options)
