"""No samples have no attributions, of the right shape: a filter may leave nothing to explain."""

import keras
import numpy as np
import pytest

from vitrina import explain

METHODS = {
    "saliency": explain.saliency,
    "gradient x input": explain.gradient_x_input,
    "integrated gradients": lambda *a: explain.integrated_gradients(*a, steps=3),
    "SmoothGrad": lambda *a: explain.smooth_grad(*a, noise=0.1, samples=2),
    "DeepLIFT": explain.deeplift,
    "DeepLIFT, background": lambda *a: explain.deeplift(*a, background=np.ones((2, 8, 8, 1), np.float32)),
    "LRP-0": lambda *a: explain.lrp(*a, rules=explain.LRP_0),
    "LRP, composite": lambda *a: explain.lrp(*a, rules=explain.EPSILON_PLUS_FLAT),
    "occlusion": lambda *a: explain.occlusion(*a, window=4),
}


@pytest.fixture(scope="module")
def network():
    """Convolutions with an activation of their own: TensorFlow fuses them, and may fail on no samples."""
    layers = keras.layers
    keras.utils.set_random_seed(0)
    convolutions = (
        layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(5, 3, activation="relu"),
    )
    return keras.Sequential([keras.Input((8, 8, 1)), *convolutions, layers.Flatten(), layers.Dense(3)])


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("target", "axes"), [(0, ()), (np.zeros((0, 2), int), (2,))])
def test_no_samples_have_no_attributions(network, name, target, axes):
    nothing = np.zeros((0, 8, 8, 1), np.float32)
    attributions = METHODS[name](network, nothing, target)
    assert attributions.shape == (0, *axes, 8, 8, 1)
    assert attributions.dtype == np.float32
    assert explain.completeness_error(network, nothing, target, attributions).shape == (0, *axes)


def test_grad_cam_has_one_value_per_place(network):
    assert explain.grad_cam(network, np.zeros((0, 8, 8, 1), np.float32), 0).shape == (0, 8, 8)
