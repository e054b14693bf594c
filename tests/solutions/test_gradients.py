import numpy as np
import pytest

from vitrina.models import dense_network
from vitrina_solutions import (
    completeness_error,
    gradient_x_input,
    integrated_gradients,
    logit_gradient,
    saliency,
    smooth_grad,
    softmax_gradient,
)


def test_worked_by_hand():
    # f0 = 2 relu(x1 - 2 x2 + 1): on at (3, 1), off at (0, 1)
    model = dense_network([np.array([[1.0], [-2.0]]), np.array([[2.0, -1.0]])], [np.ones(1), np.zeros(2)])
    inputs = np.array([[3.0, 1.0], [0.0, 1.0]])
    np.testing.assert_array_equal(gradient_x_input(model, inputs, 0), [[6.0, -4.0], [0.0, 0.0]])
    np.testing.assert_array_equal(saliency(model, inputs, 0), [[2.0, 4.0], [0.0, 0.0]])


def test_slope_by_central_differences(make_network, samples, assert_close):
    model = make_network((5, 6, 3), activation="tanh")
    inputs, step = samples(model), 1e-5
    logit = lambda x: np.asarray(model(x))[:, 1]  # noqa: E731
    slopes = np.stack([(logit(inputs + e) - logit(inputs - e)) / (2 * step) for e in step * np.eye(5)], axis=1)
    assert_close(saliency(model, inputs, 1), np.abs(slopes), 1e-8)
    assert_close(gradient_x_input(model, inputs, 1), inputs * slopes, 1e-8)
    for planted in (slopes, -inputs * slopes, np.abs(inputs * slopes)):
        with pytest.raises(AssertionError):
            assert_close(gradient_x_input(model, inputs, 1), planted, 1e-8)


def test_softmax_gradient_is_the_derivative_of_the_probability(assert_close):
    logits, step = np.random.default_rng(2).normal(size=(3, 4)), 1e-5
    probability = lambda z: (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[:, 2]  # noqa: E731
    slopes = [(probability(logits + e) - probability(logits - e)) / (2 * step) for e in step * np.eye(4)]
    assert_close(softmax_gradient(logits, 2), np.stack(slopes, axis=1), 1e-8)
    assert_close(softmax_gradient(logits + 5000, 2), softmax_gradient(logits, 2))
    with pytest.raises(AssertionError):
        assert_close(softmax_gradient(logits, 1), np.stack(slopes, axis=1), 1e-8)


def test_completeness_error_counts_all_axes_and_keeps_its_sign():
    images = np.arange(8.0).reshape(2, 2, 2, 1)  # sums 6 and 22
    np.testing.assert_array_equal(completeness_error(images, np.array([9.0, 20.0]), np.array([1.0, 0.0])), [-2.0, 2.0])


def test_integrated_gradients_take_the_middle_and_are_complete_in_the_limit(make_network, samples):
    model = make_network((5, 6, 3), activation="tanh")
    inputs, baseline = samples(model), np.full(5, 0.3)
    scores = np.asarray(model(inputs))[:, 1], np.tile(np.asarray(model(baseline[None]))[:, 1], 3)
    missing = [
        np.abs(completeness_error(integrated_gradients(model, inputs, 1, baseline, n), *scores)).max() for n in (4, 64)
    ]
    assert missing[1] < 1e-2 * missing[0]  # the middle rule's error falls with the square of the steps
    single = integrated_gradients(model, inputs, 1, baseline, 1)
    np.testing.assert_allclose(single, (inputs - baseline) * logit_gradient(model, (inputs + baseline) / 2, 1))


def test_smooth_grad_without_noise_is_the_gradient_and_averages_over_draws(make_network, samples, assert_close):
    model = make_network((5, 6, 3), activation="tanh")
    inputs = samples(model)
    noise = np.random.default_rng(3).normal(size=(2, *inputs.shape))
    assert_close(smooth_grad(model, inputs, 0, np.zeros((3, *inputs.shape))), logit_gradient(model, inputs, 0))
    mean = (logit_gradient(model, inputs + noise[0], 0) + logit_gradient(model, inputs + noise[1], 0)) / 2
    assert_close(smooth_grad(model, inputs, 0, noise), mean)


@pytest.mark.parametrize("method", [logit_gradient, saliency, gradient_x_input])
def test_returns_a_new_numpy_array_and_leaves_inputs_alone(make_network, samples, method):
    model = make_network((5, 6, 3), dtype="float32")
    inputs = samples(model).astype("float32")
    before = inputs.copy()
    result = method(model, inputs, 0)
    assert type(result) is np.ndarray
    assert result.shape == inputs.shape
    np.testing.assert_array_equal(inputs, before)
