"""Textbook and fast form of each method, each the other's test."""

import numpy as np
import pytest

import vitrina_solutions as textbook
from vitrina import explain
from vitrina.convolutional import convolutional_network


def fast(name):
    """Find a fast form."""
    if not hasattr(explain, name):
        pytest.skip(f"vitrina.explain has no {name} yet")
    return getattr(explain, name)


@pytest.fixture(scope="module")
def cnn():
    """Two convolutions with biases, 8 x 8 images, three classes."""
    rng = np.random.default_rng(6)
    kernels, weights = [rng.normal(size=(3, 3, 1, 4)), rng.normal(size=(2, 2, 4, 5))], [rng.normal(size=(5, 3))]
    return convolutional_network(
        [8, 8, 1], kernels, [rng.normal(size=4), rng.normal(size=5)], weights, [rng.normal(size=3)]
    )


@pytest.fixture
def images():
    return np.random.default_rng(0).random((3, 8, 8, 1))


@pytest.mark.parametrize("name", ["saliency", "gradient_x_input"])
def test_gradients(relu_network, samples, assert_close, name):
    inputs = samples(relu_network)
    assert_close(getattr(textbook, name)(relu_network, inputs, 1), fast(name)(relu_network, inputs, 1))


@pytest.mark.parametrize("steps", [1, 5])
def test_integrated_gradients(make_network, samples, assert_close, steps):
    model = make_network((5, 6, 3), activation="tanh")
    inputs, baseline = samples(model), np.linspace(-1, 1, 5)
    ours = textbook.integrated_gradients(model, inputs, 2, baseline, steps)
    assert_close(ours, fast("integrated_gradients")(model, inputs, 2, baseline=baseline, steps=steps))
    with pytest.raises(AssertionError):
        assert_close(ours, fast("integrated_gradients")(model, inputs, 2, baseline=0.0, steps=steps))


def test_completeness_error(make_network, samples, assert_close):
    model = make_network((5, 6, 3))
    inputs, baseline = samples(model), np.linspace(-1, 1, 5)
    explained = textbook.gradient_x_input(model, inputs, 1)
    scores = np.asarray(model(inputs))[:, 1], np.tile(np.asarray(model(baseline[None]))[:, 1], len(inputs))
    theirs = fast("completeness_error")(model, inputs, 1, explained, baseline=baseline)
    assert_close(textbook.completeness_error(explained, *scores), theirs)


def test_smooth_grad_of_many_draws_approaches_the_same_mean(make_network, samples):
    """The fast form draws its own noise, so only their limit is one."""
    model = make_network((5, 6, 3), activation="tanh")
    inputs = samples(model)
    noise = np.random.default_rng(1).normal(scale=0.3, size=(400, *inputs.shape))
    theirs = fast("smooth_grad")(model, inputs, 0, noise=0.3, samples=400)
    gap = textbook.relative_difference(textbook.smooth_grad(model, inputs, 0, noise), theirs)
    assert gap < 0.1 < textbook.relative_difference(textbook.logit_gradient(model, inputs, 0), theirs)


def test_deeplift(relu_network, samples, assert_close):
    inputs = samples(relu_network)
    baseline = np.random.default_rng(8).normal(size=inputs.shape[1])
    ours = textbook.deeplift(relu_network, inputs, 1, baseline)
    assert_close(ours, fast("deeplift")(relu_network, inputs, 1, baseline=baseline))


@pytest.mark.parametrize("target", [0, 1, 2])
def test_lrp_of_one_dense_layer(make_network, make_parameters, samples, assert_close, target):
    (weights,), (bias,) = make_parameters((5, 3), True, 0)
    model = make_network((5, 3))
    inputs = np.abs(samples(model))
    inputs[0] = (weights[:, target] > 0) + 0.1  # at least this sample's logit is above 0
    logits = np.asarray(model(inputs))
    relevance = logits * np.eye(3)[target]
    pairs = [
        (textbook.lrp_0(inputs, weights, bias, relevance), explain.LRP_0),
        (textbook.lrp_epsilon(inputs, weights, bias, relevance, 0.3), explain.epsilon(0.3)),
        (textbook.lrp_zb(inputs, weights, relevance, -3.0, 4.0), explain.z_box(-3.0, 4.0)),
    ]
    for ours, rule in pairs:
        assert_close(ours, explain.lrp(model, inputs, target, rules=rule))
    above = logits[:, target] > 0  # the textbook's gamma is the form for outputs above 0
    assert above.any()
    ours = textbook.lrp_gamma(inputs, weights, bias, relevance, 0.7)
    assert_close(ours[above], explain.lrp(model, inputs, target, rules=explain.gamma(0.7))[above])


def test_lrp_network(relu_network, samples, assert_close):
    inputs = samples(relu_network)
    assert_close(textbook.lrp_network(relu_network, inputs, 1), explain.lrp(relu_network, inputs, 1))


def test_lrp_cnn(cnn, images, assert_close):
    fast("z_plus")  # comes with convolutions
    rules = [explain.z_box(0.0, 1.0), explain.gamma(0.25), explain.epsilon(0.1)]
    ours = textbook.lrp_cnn(cnn, images, 1, 0.1, 0.25)
    assert_close(ours, explain.lrp(cnn, images, 1, rules=rules), 1e-9)
    with pytest.raises(AssertionError):
        assert_close(ours, explain.lrp(cnn, images, 1, rules=[explain.gamma(0.25), *rules[1:]]), 1e-2)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_lrp_of_pooling(images, assert_close, pooling):
    fast("z_plus")
    import keras

    pool = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[pooling]
    head = keras.layers.Dense(2, dtype="float64")
    model = keras.Sequential(
        [keras.Input((8, 8, 1), dtype="float64"), pool(2, dtype="float64"), keras.layers.Flatten(dtype="float64"), head]
    )
    entering = np.asarray(model.layers[0](images))
    weights, bias = (np.asarray(array) for array in head.get_weights())
    relevance = np.asarray(model(images)) * np.eye(2)[1]
    above = textbook.lrp_0(entering.reshape(3, -1), weights, bias, relevance).reshape(entering.shape)
    rule = getattr(textbook, f"lrp_{pooling}_pool")
    assert_close(rule(images, above, 2), explain.lrp(model, images, 1))


def test_occlusion(cnn, images, assert_close):
    ours = textbook.occlusion(cnn, images, 1, 2, 0.5)
    assert_close(ours, fast("occlusion")(cnn, images, 1, window=2, fill=0.5))


def test_grad_cam(cnn, images, assert_close):
    import tensorflow as tf

    fast("grad_cam")
    last = cnn.layers[2]
    maps = last(cnn.layers[1](cnn.layers[0](images)))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        values = maps
        for layer in cnn.layers[3:]:
            values = layer(values)
        logit = values[:, 1]
    coarse = textbook.grad_cam(maps.numpy(), tape.gradient(logit, maps).numpy())
    theirs = explain.grad_cam(cnn, images, 1, layer=last.name)
    assert_close(tf.image.resize(coarse[..., None], (8, 8)).numpy().reshape(theirs.shape), theirs, 1e-6)


def test_deletion_curve_and_aopc(make_network, assert_close):
    model = make_network((8, 6, 3), activation="tanh")
    inputs = np.random.default_rng(3).random((3, 8))
    relevance = textbook.gradient_x_input(model, inputs, 1)
    theirs = fast("deletion_curve")(model, inputs, 1, relevance, perturbations=["black"], steps=4)["black"]
    ours = textbook.deletion_curve(model, inputs, 1, relevance, np.zeros_like(inputs), 2, 4)
    assert_close(ours, theirs.outputs)
    assert textbook.aopc(ours) == pytest.approx(float(np.mean(fast("aopc")({"black": theirs})["black"])))
