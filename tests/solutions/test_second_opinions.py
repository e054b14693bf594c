import numpy as np
import pytest

from vitrina.convolutional import convolutional_network
from vitrina.models import dense_network
from vitrina_solutions import aopc, deletion_curve, grad_cam, occlusion


@pytest.fixture
def adder():
    """A network of images whose logit 0 is the sum of the four windows' maxima, weighted 1, 2, 3, 4; logit 1 is 0."""
    weights = np.stack([np.arange(1.0, 5.0), np.zeros(4)], axis=1)
    return convolutional_network([4, 4, 1], [np.ones((1, 1, 1, 1))], [np.zeros(1)], [weights], [np.zeros(2)])


def test_occlusion_worked_by_hand(adder):
    images = np.ones((2, 4, 4, 1))
    images[1] = 3
    falls = occlusion(adder, images, 0, 2, 0.5)
    np.testing.assert_allclose(falls[0, ::2, ::2, 0], [[0.5, 1.0], [1.5, 2.0]])
    np.testing.assert_allclose(falls[1], 5 * falls[0])
    assert not occlusion(adder, images, 1, 2, 0.5).any()
    assert images.min() == 1  # nothing is left covered


def test_grad_cam_worked_by_hand():
    maps = np.array([[1.0, 0.0], [0.0, 2.0]]).reshape(1, 2, 1, 2)
    gradients = np.array([[1.0, -4.0], [3.0, 2.0]]).reshape(1, 2, 1, 2)  # means 2 and -1
    np.testing.assert_array_equal(grad_cam(maps, gradients)[0, :, 0], [2.0, 0.0])


def test_deletion_curve_worked_by_hand():
    # logits (x1 + x2 + x3, 0): the probability is the logistic function of the sum
    model = dense_network([np.array([[1.0, 0.0]] * 3)], [np.zeros(2)])
    inputs, relevance = np.array([[1.0, 2.0, 4.0]]), np.array([[5.0, -9.0, 5.0]])
    sums = np.array([[7.0, 6.0, 2.0, 0.0]])
    curve = deletion_curve(model, inputs, 0, relevance, np.zeros((1, 3)), 1, 3)
    np.testing.assert_allclose(curve, 1 / (1 + np.exp(-sums)))
    np.testing.assert_allclose(deletion_curve(model, inputs, 0, relevance, np.zeros((1, 3)), 2, 1), curve[:, ::2])
    np.testing.assert_array_equal(inputs, [[1.0, 2.0, 4.0]])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(deletion_curve(model, inputs, 0, -relevance, np.zeros((1, 3)), 1, 3), curve)


def test_aopc_worked_by_hand():
    assert aopc(np.array([[0.9, 0.5, 0.1], [0.8, 0.8, 0.5]])) == pytest.approx((0.4 + 0.8 + 0.3) / 6)
    assert isinstance(aopc(np.ones((1, 2))), float)
