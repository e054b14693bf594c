import keras
import numpy as np
import pytest

from vitrina.explain import layer_activations, logit_gradients, replaced_logits


@pytest.fixture(scope="module")
def network(make_network):
    return make_network((6, 8, 5, 3))


@pytest.fixture
def inputs():
    return np.random.default_rng(0).standard_normal((4, 6))


def parts(model, inputs, cut):
    """The values below and the function above the first `cut` layers, layer by layer."""
    below = inputs
    for layer in model.layers[:cut]:
        below = np.asarray(layer(below))

    def above(values):
        for layer in model.layers[cut:]:
            values = np.asarray(layer(values))
        return values

    return below, above


@pytest.mark.parametrize("cut", [1, 2])
def test_activations_and_gradients_are_those_of_the_layer(network, inputs, cut):
    name = network.layers[cut - 1].name
    below, above = parts(network, inputs, cut)
    np.testing.assert_allclose(layer_activations(network, inputs, name), below)
    gradients = logit_gradients(network, inputs, [0, 1, 2, 0], name)
    for unit in range(below.shape[1]):
        step = 1e-6 * np.eye(below.shape[1])[unit]
        slopes = (above(below + step) - above(below - step)) / 2e-6
        np.testing.assert_allclose(gradients[:, unit], slopes[range(4), [0, 1, 2, 0]], atol=1e-6)


def test_what_a_layer_says_can_be_replaced(network, inputs):
    name = network.layers[0].name
    below, above = parts(network, inputs, 1)
    np.testing.assert_allclose(replaced_logits(network, inputs, name, below), np.asarray(network(inputs)))
    np.testing.assert_allclose(replaced_logits(network, inputs, name, below + 1), above(below + 1))


def test_a_shortcut_around_the_layer_stays():
    source = keras.Input((3,), dtype="float64")
    middle = keras.layers.Dense(3, name="middle", dtype="float64")(source)
    total = keras.layers.Add(dtype="float64")([source, middle])
    model = keras.Model(source, total)
    inputs = np.random.default_rng(0).standard_normal((2, 3))
    np.testing.assert_allclose(replaced_logits(model, inputs, "middle", np.zeros((2, 3))), inputs)


def test_what_does_not_fit_is_refused(network, inputs):
    name = network.layers[0].name
    with pytest.raises(ValueError, match="no layer 'nowhere'"):
        layer_activations(network, inputs, "nowhere")
    with pytest.raises(ValueError, match="one class per sample"):
        logit_gradients(network, inputs, [[0, 1]] * 4, name)
    with pytest.raises(ValueError, match="activations of shape"):
        replaced_logits(network, inputs, name, np.zeros((4, 7)))
