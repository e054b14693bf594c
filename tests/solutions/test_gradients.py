import numpy as np
import pytest

from vitrina.models import dense_network
from vitrina_solutions import gradient_x_input, saliency


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


@pytest.mark.parametrize("method", [saliency, gradient_x_input])
def test_returns_a_new_numpy_array_and_leaves_inputs_alone(make_network, samples, method):
    model = make_network((5, 6, 3), dtype="float32")
    inputs = samples(model).astype("float32")
    before = inputs.copy()
    result = method(model, inputs, 0)
    assert type(result) is np.ndarray
    assert result.shape == inputs.shape
    np.testing.assert_array_equal(inputs, before)
