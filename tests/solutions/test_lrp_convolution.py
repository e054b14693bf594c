import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.convolutional import convolutional_network
from vitrina_solutions import (
    gradient_x_input,
    lrp_0,
    lrp_average_pool,
    lrp_cnn,
    lrp_conv,
    lrp_conv_zb,
    lrp_lstm_memory,
    lrp_max_pool,
    lrp_zb,
)

WINDOW = np.array([[1.0, 3.0], [3.0, 1.0]]).reshape(1, 2, 2, 1)
EIGHT = np.full((1, 1, 1, 1), 8.0)
seeds = st.integers(0, 2**32 - 1)


def test_pooling_worked_by_hand():
    np.testing.assert_array_equal(lrp_max_pool(WINDOW, EIGHT, 2).ravel(), [0, 8, 0, 0])
    np.testing.assert_allclose(lrp_average_pool(WINDOW, EIGHT, 2).ravel(), [1, 3, 3, 1])
    assert not lrp_average_pool(0 * WINDOW, EIGHT, 2).any()


def test_convolution_worked_by_hand():
    # a row 1 2 4 under the kernel 1 1: z = 3, 6; relevance 3 and 12 in shares 1/3 2/3 and 1/3 2/3
    row, kernel = np.array([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1), np.ones((1, 2, 1, 1))
    relevance = np.array([3.0, 12.0]).reshape(1, 1, 2, 1)
    for gamma in (0.0, 3.0):
        np.testing.assert_allclose(lrp_conv(row, kernel, np.zeros(1), relevance, gamma).ravel(), [1, 2 + 4, 8])
    # from the bound -1 the contributions are 2 3 5
    np.testing.assert_allclose(
        lrp_conv_zb(row, kernel, relevance, -1.0, 9.0).ravel(), [6 / 5, 9 / 5 + 12 * 3 / 8, 12 * 5 / 8]
    )


@given(seeds)
def test_a_kernel_as_large_as_the_image_is_a_dense_layer(seed):
    rng = np.random.default_rng(seed)
    images, kernel, bias = rng.uniform(0.1, 1, (2, 3, 2, 2)), rng.uniform(0.1, 1, (3, 2, 2, 4)), rng.uniform(0, 1, 4)
    relevance = rng.normal(size=(2, 4))
    at_its_place, flat, weights = relevance[:, None, None], images.reshape(2, -1), kernel.reshape(-1, 4)
    np.testing.assert_allclose(
        lrp_conv(images, kernel, bias, at_its_place, 0.0).reshape(2, -1), lrp_0(flat, weights, bias, relevance)
    )
    np.testing.assert_allclose(
        lrp_conv_zb(images, kernel, at_its_place, 0.0, 1.0).reshape(2, -1), lrp_zb(flat, weights, relevance, 0.0, 1.0)
    )


@given(seeds)
def test_what_comes_in_goes_out(seed):
    rng = np.random.default_rng(seed)
    images, kernel = rng.uniform(0.1, 1, (2, 4, 4, 2)), rng.uniform(0.1, 1, (2, 3, 2, 3))
    relevance, pooled = rng.normal(size=(2, 3, 2, 3)), rng.normal(size=(2, 2, 2, 2))
    shared = {
        "conv": (lrp_conv(images, kernel, np.zeros(3), relevance, 0.3), relevance),
        "zb": (lrp_conv_zb(images, kernel, relevance, 0.0, 1.0), relevance),
        "max": (lrp_max_pool(images, pooled, 2), pooled),
        "average": (lrp_average_pool(images, pooled, 2), pooled),
    }
    for out, into in shared.values():
        np.testing.assert_allclose(out.sum(axis=(1, 2, 3)), into.sum(axis=(1, 2, 3)), atol=1e-8)


def network(bias):
    rng = np.random.default_rng(6)
    kernels, weights = [rng.normal(size=(3, 3, 1, 4)), rng.normal(size=(2, 2, 4, 5))], [rng.normal(size=(5, 3))]
    kernel_biases, biases = [bias * rng.normal(size=4), bias * rng.normal(size=5)], [bias * rng.normal(size=3)]
    return convolutional_network([8, 8, 1], kernels, kernel_biases, weights, biases)


def test_composite_conserves_without_bias():
    images = np.random.default_rng(0).random((3, 8, 8, 1))
    for bias in (0, 1):
        model = network(bias)
        gap = lrp_cnn(model, images, 1, 1e-9, 0.25).sum(axis=(1, 2, 3)) - np.asarray(model(images))[:, 1]
        assert (np.abs(gap).max() > 0.1) if bias else (np.abs(gap).max() < 1e-5)


def test_composite_gives_to_empty_pixels_what_a_gradient_cannot():
    images = np.random.default_rng(0).random((3, 8, 8, 1))
    images[:, ::2] = 0
    assert not gradient_x_input(network(1), images, 0)[images == 0].any()
    assert lrp_cnn(network(1), images, 0, 0.1, 0.25)[images == 0].any()


def test_memory_worked_by_hand():
    # c = 0.5 * 4 + 0.25 * -4 = 1; the second unit: c = -1
    arrays = [np.array([pair]) for pair in ([0.5, 0.5], [4.0, -4.0], [0.25, 0.25], [-4.0, 4.0], [6.0, 6.0])]
    memory, candidate = lrp_lstm_memory(*arrays, 1.0)
    np.testing.assert_allclose(memory, [[2 / 2 * 6, -2 / -2 * 6]])
    np.testing.assert_allclose(candidate, [[-1 / 2 * 6, 1 / -2 * 6]])
    with pytest.raises(AssertionError):  # epsilon pulls a negative sum away from 0 as well
        np.testing.assert_allclose(candidate[0, 1], 1 / -1 * 6)
