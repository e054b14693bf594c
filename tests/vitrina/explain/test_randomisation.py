import keras
import numpy as np
import pytest

from vitrina.explain import gradient_x_input, parameter_randomisation, saliency

INPUTS = np.random.default_rng(2).random((4, 6))


@pytest.fixture(scope="module")
def model(make_network):
    return make_network((6, 8, 7, 3), seed=9)


@pytest.fixture(scope="module")
def image_model():
    keras.utils.set_random_seed(3)
    features = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Conv2D(4, 3, activation="relu")])
    layers = [keras.layers.BatchNormalization(), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    return keras.Sequential([keras.Input((12, 12, 1)), features, *layers])


def weights_at_each_stage(model, mode):
    """What the method is given: the weights of the copy, by layer from the output down."""
    stages = []

    def method(broken, inputs, _target):
        assert broken is not model
        stages.append([layer.get_weights() for layer in reversed(broken.layers)])
        return inputs

    parameter_randomisation(model, INPUTS, 0, method, mode=mode)
    return stages


@pytest.mark.parametrize("mode", ["cascading", "independent"])
def test_layers_lose_their_weights_from_the_output_down(model, mode):
    stages = weights_at_each_stage(model, mode)
    trained = [layer.get_weights() for layer in reversed(model.layers)]
    assert len(stages) == 4
    for stage, layers in enumerate(stages):
        for index, (kernel, bias) in enumerate(layers):
            lost = index < stage if mode == "cascading" else index == stage - 1
            assert np.array_equal(kernel, trained[index][0]) is not lost
            np.testing.assert_array_equal(np.sort(kernel, axis=None), np.sort(trained[index][0], axis=None))
            np.testing.assert_array_equal(np.sort(bias), np.sort(trained[index][1]))


@pytest.mark.parametrize("mode", ["cascading", "independent"])
def test_the_model_is_left_as_it_was(model, mode):
    before = [array.copy() for array in model.get_weights()]
    explained = gradient_x_input(model, INPUTS, 1)
    parameter_randomisation(model, INPUTS, 1, gradient_x_input, mode=mode)
    for array, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)
    np.testing.assert_array_equal(gradient_x_input(model, INPUTS, 1), explained)


def test_what_shows_the_input_is_told_from_what_explains_the_model(image_model):
    images = np.random.default_rng(0).random((6, 12, 12, 1)).astype("float32")

    def edges(_model, inputs, _target):
        return np.abs(np.diff(inputs, axis=1, append=0))

    with pytest.warns(UserWarning, match="softmax"):
        fooled = parameter_randomisation(image_model, images, 0, edges)
    with pytest.warns(UserWarning, match="softmax"):
        explained = parameter_randomisation(image_model, images, 0, saliency)
    assert len(explained.layers) == 3  # that of the model within the model among them
    assert explained.maps.shape == (4, 6, 12, 12, 1)
    for name in ("rank correlation", "rank correlation of sizes", "SSIM"):
        assert explained.similarities[name].shape == (6, 4)
        np.testing.assert_allclose(explained.similarities[name][:, 0], 1, rtol=1e-5)
        np.testing.assert_allclose(fooled.similarities[name], 1, rtol=1e-5)
        assert explained.similarities[name][:, -1].mean() < 0.5
    np.testing.assert_allclose(explained.maps[0], saliency_of_logits(image_model, images))


def saliency_of_logits(model, images):
    with pytest.warns(UserWarning, match="softmax"):
        return saliency(model, images, 0)


def test_equal_seeds_break_a_model_alike(model):
    one, same, other = (parameter_randomisation(model, INPUTS, 1, saliency, seed=seed).maps for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one[1:], other[1:])


def test_what_cannot_be_randomised_is_refused(model):
    with pytest.raises(ValueError, match="'cascading' or 'independent'"):
        parameter_randomisation(model, INPUTS, 0, saliency, mode="all")
    with pytest.raises(ValueError, match="shape of inputs"):
        parameter_randomisation(model, INPUTS, 0, lambda _m, inputs, _t: inputs[0])
    bare = keras.Sequential([keras.Input((6,)), keras.layers.Rescaling(2.0)])
    with pytest.raises(ValueError, match="no layer with weights"):
        parameter_randomisation(bare, INPUTS, 0, saliency)
