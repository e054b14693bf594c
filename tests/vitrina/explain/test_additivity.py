import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrina.explain import gradient_x_input, infidelity, lrp, saliency, sensitivity_n
from vitrina.models import dense_network

INPUTS = np.random.default_rng(2).random((4, 6))
RELEVANCE = np.random.default_rng(3).standard_normal((4, 6))


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_contributions_of_a_linear_model_have_sensitivity_n_for_every_n(make_network, make_parameters, seed, n):
    linear = make_network((6, 3), seed=78)
    weights, biases = make_parameters((6, 3), True, seed)
    linear.set_weights([weights[0], biases[0]])
    exact = gradient_x_input(linear, INPUTS, 1)
    result = sensitivity_n(linear, INPUTS, 1, exact, sizes=[n], subsets=20, seed=seed)["zero"]
    np.testing.assert_allclose(result.correlations, 1, atol=1e-6)
    for planted in (-exact, exact[:, ::-1], exact**2):
        wrong = sensitivity_n(linear, INPUTS, 1, planted, sizes=[n], subsets=20, seed=seed)["zero"]
        assert np.nanmin(wrong.correlations) < 1 - 1e-6


def test_a_correlation_ignores_the_scale_and_sees_the_sign(make_network):
    model = make_network((6, 8, 3), seed=9)
    plain, scaled, turned = (
        sensitivity_n(model, INPUTS, 1, factor * RELEVANCE)["zero"].correlations for factor in (1, 50, -1)
    )
    np.testing.assert_allclose(plain, scaled, atol=1e-9)
    np.testing.assert_allclose(plain, -turned, atol=1e-9)
    assert np.abs(plain).max() < 1


def test_correlations_are_those_of_the_slow_form(make_network):
    # all subsets of a size are drawn often enough that the estimate is near the correlation over all of them
    from itertools import combinations

    model = make_network((6, 8, 3), seed=9)
    logits = np.asarray(model(INPUTS))[:, 2]
    mean = INPUTS.mean()
    result = sensitivity_n(model, INPUTS, 2, RELEVANCE, sizes=[1, 3], perturbations={"mean": mean}, subsets=2000)
    for column, n in enumerate([1, 3]):
        for sample in range(4):
            sums, losses = [], []
            for subset in map(list, combinations(range(6), n)):
                changed = INPUTS[sample].copy()
                changed[subset] = mean
                losses.append(logits[sample] - np.asarray(model(changed[np.newaxis]))[0, 2])
                sums.append(RELEVANCE[sample, subset].sum())
            expected = np.corrcoef(sums, losses)[0, 1]
            assert result["mean"].correlations[sample, column] == pytest.approx(expected, abs=0.06)


def test_lrp_0_foretells_losses_that_its_sizes_do_not(make_network):
    model = make_network((6, 8, 3), bias=False, seed=9)
    relevance = lrp(model, INPUTS, 1)
    signed = sensitivity_n(model, INPUTS, 1, relevance, sizes=[2])["zero"].correlations.mean()
    sizes = sensitivity_n(model, INPUTS, 1, np.abs(relevance), sizes=[2])["zero"].correlations.mean()
    assert signed > 0.7 > sizes + 0.3


def test_pixels_with_channels_are_features():
    keras.utils.set_random_seed(1)
    images = np.random.default_rng(0).random((2, 4, 4, 3)).astype("float32")
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    exact = gradient_x_input(model, images, 0)
    result = sensitivity_n(model, images, 0, exact, perturbations=["zero", "mean"])
    np.testing.assert_allclose(result["zero"].correlations, 1, atol=1e-3)
    np.testing.assert_array_equal(result["zero"].sizes, [1, 2, 3, 4, 6, 9, 13])
    assert result["mean"].correlations.max() < 0.99
    gathered = np.zeros_like(exact)
    gathered[..., 0] = exact.sum(axis=-1)  # the channels' sum, put on one of them, says the same
    same = sensitivity_n(model, images, 0, gathered, perturbations=["zero", "mean"])
    np.testing.assert_allclose(same["mean"].correlations, result["mean"].correlations, atol=1e-5)


def test_where_nothing_varies_there_is_no_correlation(make_network):
    model = make_network((6, 8, 3), seed=9)
    assert np.isnan(sensitivity_n(model, INPUTS, 1, np.zeros((4, 6)))["zero"].correlations).all()
    assert np.isnan(sensitivity_n(model, INPUTS, 1, np.full((4, 6), 0.1), sizes=[3])["zero"].correlations).all()
    constant = dense_network([np.zeros((6, 2), "float32")], [np.full(2, 0.3, "float32")])
    assert np.isnan(sensitivity_n(constant, INPUTS, 1, RELEVANCE)["zero"].correlations).all()


def test_infidelity_of_a_linear_model_is_known():
    # gap = sum(I (phi - w)), so its mean square is noise^2 |phi - w|^2
    weights = np.array([[1.0, 0.0], [-2.0, 0.0], [0.5, 0.0]])
    linear = dense_network([weights], [np.ones(2)])
    inputs, off = np.zeros((2, 3)), np.array([[0.0, 0, 0], [0.3, 0, -0.4]])
    gaps = infidelity(linear, inputs, 0, weights[:, 0] + off, noise=[0.1, 0.4], draws=2000)
    np.testing.assert_allclose(gaps["noise 0.1"], [0, 0.01 * 0.25], atol=3e-4)
    np.testing.assert_allclose(gaps["noise 0.4"], [0, 0.16 * 0.25], atol=4e-3)


def test_infidelity_wants_slopes_with_their_sign(make_network):
    model = make_network((6, 8, 3), seed=9)
    gradient = gradient_x_input(model, INPUTS, 1) / INPUTS
    right = infidelity(model, INPUTS, 1, gradient)
    for planted in (saliency(model, INPUTS, 1), gradient * INPUTS, 0 * gradient):
        wrong = infidelity(model, INPUTS, 1, planted)
        assert all(wrong[name].mean() > 2 * right[name].mean() for name in ("noise 0.05", "noise 0.1"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": [6]}, "from 1 to 5, below the 6 features"),
        ({"sizes": [0]}, "from 1 to 5"),
        ({"sizes": []}, "from 1 to 5"),
        ({"sizes": [1.5]}, "whole numbers"),
        ({"subsets": 2}, "at least 3 subsets"),
        ({"attributions": RELEVANCE[:2]}, "shape of inputs"),
        ({"perturbations": ["grey"]}, "unknown perturbation"),
    ],
)
def test_what_does_not_fit_sensitivity_n_is_refused(make_network, change, message):
    arguments = {"inputs": INPUTS, "target": 0, "attributions": RELEVANCE} | change
    with pytest.raises(ValueError, match=message):
        sensitivity_n(make_network((6, 8, 3), seed=9), **arguments)


@pytest.mark.parametrize("change", [{"draws": 0}, {"noise": []}, {"noise": [0.1, 0.0]}])
def test_infidelity_needs_noise(make_network, change):
    with pytest.raises(ValueError, match="noise above 0"):
        infidelity(make_network((6, 8, 3), seed=9), INPUTS, 0, RELEVANCE, **change)
