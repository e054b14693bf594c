import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitrina_solutions import (
    gradient_x_input,
    lrp_0,
    lrp_epsilon,
    lrp_gamma,
    lrp_network,
    lrp_zb,
    relative_difference,
)

A, W, B, R = np.array([[1.0, 2.0]]), np.array([[1.0, 3.0], [1.0, -1.0]]), np.array([1.0, 0.0]), np.array([[8.0, 5.0]])
# z = (1 + 2 + 1, 3 - 2 + 0) = (4, 1)


def test_worked_by_hand():
    np.testing.assert_allclose(lrp_0(A, W, B, R), [[2 + 15, 4 - 10]])
    np.testing.assert_allclose(lrp_epsilon(A, W, B, R, 1.0), [[8 / 5 + 15 / 2, 16 / 5 - 10 / 2]])
    # gamma 1: weights (2, 6), (2, -1), bias (2, 0), z' = (8, 4)
    np.testing.assert_allclose(lrp_gamma(A, W, B, R, 1.0), [[2 + 7.5, 4 - 2.5]])
    # bounds 0 and 3: q = (1, 3), (2, -2 + 3), z = (3, 4)
    np.testing.assert_allclose(lrp_zb(A, W, R, 0.0, 3.0), [[8 / 3 + 15 / 4, 16 / 3 + 5 / 4]])


VALUES = st.floats(-2, 2)


@given(
    arrays(float, (2, 4), elements=VALUES),
    arrays(float, (4, 3), elements=VALUES),
    arrays(float, (2, 3), elements=VALUES),
)
@settings(max_examples=100, deadline=None)
def test_layers_without_bias_conserve_relevance(activations, weights, relevance):
    activations, bias = np.abs(activations), np.zeros(3)
    assume(np.abs(activations @ weights).min() > 0.05)
    raised = activations @ (weights + 0.5 * np.maximum(weights, 0))
    boxed = (activations + 2.5) @ np.maximum(weights, 0) + (2.5 - activations) @ -np.minimum(weights, 0)
    assume(min(np.abs(raised).min(), boxed.min()) > 0.05)
    for shared in (
        lrp_0(activations, weights, bias, relevance),
        lrp_gamma(activations, weights, bias, relevance, 0.5),
        lrp_zb(activations, weights, relevance, -2.5, 2.5),
    ):
        np.testing.assert_allclose(shared.sum(axis=1), relevance.sum(axis=1), rtol=0, atol=1e-8)
    planted = lrp_0(activations, weights, bias, relevance) * 1.01
    if abs(relevance.sum(axis=1)).max() > 0.1:
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(planted.sum(axis=1), relevance.sum(axis=1), rtol=0, atol=1e-8)


@pytest.mark.parametrize("sign", [1, -1])
def test_sign_of_the_denominator(sign):
    # z = +-1: epsilon goes outward, so shares shrink; z = 0 counts as positive
    weights, bias = np.array([[sign * 1.0]]), np.zeros(1)
    np.testing.assert_allclose(lrp_epsilon(np.ones((1, 1)), weights, bias, np.ones((1, 1)), 0.25), [[0.8]])
    np.testing.assert_allclose(
        lrp_epsilon(np.ones((1, 1)), weights, -weights[0], np.ones((1, 1)), 0.25), [[sign * 4.0]]
    )


def test_nothing_in_gives_nothing_out_and_no_nan():
    nothing = np.zeros((1, 2))
    for shared in (
        lrp_0(nothing, W, 0 * B, nothing),
        lrp_epsilon(nothing, W, 0 * B, nothing, 0.1),
        lrp_gamma(nothing, W, 0 * B, nothing, 0.3),
        lrp_zb(nothing, 0 * W, R, 0.0, 1.0),
    ):
        np.testing.assert_array_equal(shared, nothing)


def test_limits_meet():
    np.testing.assert_allclose(lrp_epsilon(A, W, B, R, 1e-12), lrp_0(A, W, B, R))
    np.testing.assert_allclose(lrp_gamma(A, W, B, R, 0.0), lrp_0(A, W, B, R))
    # bounds of 0 leave z = x W: the rule without bias
    np.testing.assert_allclose(lrp_zb(A, W, R, 0.0, 0.0), lrp_0(A, W, 0 * B, R))


@pytest.mark.parametrize("target", [0, 2])
def test_lrp_network_is_gradient_x_input_with_and_without_bias(relu_network, samples, assert_close, target):
    inputs = samples(relu_network)
    expected = gradient_x_input(relu_network, inputs, target)
    relevance = lrp_network(relu_network, inputs, target)
    assert relative_difference(relevance, expected) < 1e-10
    assert_close(relevance, expected)
    with pytest.raises(AssertionError):
        assert_close(-relevance, expected)
    with pytest.raises(AssertionError):  # the other class
        assert_close(lrp_network(relu_network, inputs, 1), expected)


def test_bias_breaks_conservation_but_not_the_equality(make_network, samples):
    for bias in (False, True):
        model = make_network((6, 8, 5, 3), bias=bias)
        inputs = samples(model)
        gap = np.abs(lrp_network(model, inputs, 0).sum(axis=1) - np.asarray(model(inputs))[:, 0]).max()
        assert (gap > 0.1) if bias else (gap < 1e-10)


def test_relative_difference():
    assert relative_difference(np.array([[1.0, -3.0]]), np.array([[1.0, -4.0]])) == 0.25
    assert relative_difference(A, A) == 0.0
    assert isinstance(relative_difference(A, 2 * A), float)
