import numpy as np
import pytest

from vitrina.models import dense_network
from vitrina_solutions import completeness_error, gradient_x_input, lrp_network
from vitrina_solutions.deeplift import deeplift, rescale_multiplier


def test_multiplier_worked_by_hand():
    z, z_reference = np.array([[2.0, 2.0, -1.0, 3.0, -3.0]]), np.array([[-2.0, 1.0, 3.0, 3.0, -3.0]])
    np.testing.assert_array_equal(rescale_multiplier(z, z_reference), [[0.5, 1.0, 0.75, 1.0, 0.0]])


def test_saturation_worked_by_hand():
    # f(x) = 1 - relu(1 - x): from 0 to 2 it rises by 1, though its slope at 2 is 0
    model = dense_network([-np.eye(1), -np.eye(1)], [np.ones(1), np.ones(1)])
    two = np.array([[2.0]])
    assert gradient_x_input(model, two, 0)[0, 0] == 0.0
    assert deeplift(model, two, 0, np.zeros(1))[0, 0] == 1.0


@pytest.mark.parametrize("target", [0, 2])
def test_complete_with_and_without_bias(relu_network, samples, target):
    inputs = samples(relu_network)
    baseline = np.random.default_rng(8).normal(size=inputs.shape[1])
    scores = [np.asarray(relu_network(values))[:, target] for values in (inputs, baseline[None])]
    explained = deeplift(relu_network, inputs, target, baseline)
    assert np.abs(completeness_error(explained, *scores)).max() < 1e-10
    assert np.abs(completeness_error(1.01 * explained, *scores)).max() > 1e-4


def test_from_zero_without_bias_it_is_lrp(make_network, samples, assert_close):
    """Ancona et al. 2018, section 3: g(z)/z in both."""
    model = make_network((6, 8, 5, 3), bias=False)
    inputs = samples(model)
    assert_close(deeplift(model, inputs, 1, np.zeros(6)), lrp_network(model, inputs, 1))
    biased = make_network((6, 8, 5, 3))
    with pytest.raises(AssertionError):
        assert_close(deeplift(biased, inputs, 1, np.zeros(6)), lrp_network(biased, inputs, 1))
