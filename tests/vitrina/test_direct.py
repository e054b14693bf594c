"""A chain that is computed directly is a `keras.Sequential` to the last bit, and to whoever changes it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from vitrina.convolutional import convolutional_network
from vitrina.direct import Sequential
from vitrina.models import dense_network

RNG = np.random.default_rng(0)


def dense(dtype="float64", activation="tanh"):
    sizes = [(5, 4), (4, 3)]
    weights, biases = [RNG.normal(size=size) for size in sizes], [RNG.normal(size=size[1]) for size in sizes]
    return dense_network([w.astype(dtype) for w in weights], [b.astype(dtype) for b in biases], activation)


def convolutional(pooling="max", dtype="float32"):
    arrays = [RNG.normal(size=size).astype(dtype) for size in [(3, 3, 2, 4), (4,), (16, 3), (3,)]]
    return convolutional_network((7, 6, 2), arrays[:1], arrays[1:2], arrays[2:3], arrays[3:], pooling)


MODELS = [dense(), dense("float32", "relu"), convolutional(), convolutional("average", "float64")]


def the_long_way(model, inputs):
    return keras.Sequential.__call__(model, inputs)


def batch(model, kind="float64"):
    return (3 * RNG.normal(size=(3, *model.input_shape[1:]))).astype(kind)


@pytest.mark.parametrize("kind", ["float64", "float32", "int64"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_outputs_are_those_of_keras(model, kind):
    inputs = batch(model, kind)
    for given in (inputs, tf.constant(inputs)):
        direct, expected = model(given), the_long_way(model, given)
        assert direct.dtype == expected.dtype
        np.testing.assert_array_equal(direct, expected)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_gradients_are_those_of_keras(model):
    found = []
    for call in (model, lambda inputs: the_long_way(model, inputs)):
        inputs = tf.constant(np.full((2, *model.input_shape[1:]), 0.3), model.inputs[0].dtype)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            logit = call(inputs)[:, 1]
        found.append(tape.gradient(logit, [inputs, *model.trainable_variables]))
    for direct, expected in zip(*found, strict=True):
        np.testing.assert_array_equal(direct, expected)


def test_a_call_without_options_takes_the_short_way(monkeypatch):
    model = dense()
    monkeypatch.setattr(keras.Sequential, "__call__", None)
    assert model(batch(model)).shape == (3, 3)


def test_what_is_changed_counts():
    model = dense()
    inputs = batch(model)
    before = model(inputs).numpy()
    model.layers[0].activation = keras.activations.relu
    assert not np.allclose(model(inputs), before)
    np.testing.assert_array_equal(model(inputs), the_long_way(model, inputs))
    model.layers[1].call = lambda values: 2 * values
    np.testing.assert_array_equal(model(inputs), 2 * model.layers[0](inputs).numpy())
    model.add(layers.Softmax(dtype="float64"))
    np.testing.assert_array_equal(model(inputs), the_long_way(model, inputs))


def test_a_wrong_shape_is_keras_own_error():
    model = dense()
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 5"):
        model(np.zeros((2, 4)))


def test_it_is_a_model_like_any_other(tmp_path):
    model = dense("float32", "relu")
    inputs = batch(model, "float32")
    expected = model(inputs).numpy()
    np.testing.assert_allclose(tf.function(model)(inputs), expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, rtol=1e-6)
    np.testing.assert_allclose(keras.Model(model.inputs, model.outputs)(inputs), expected, rtol=1e-6)
    np.testing.assert_allclose(keras.models.clone_model(model).output_shape[1], 3)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again, Sequential)
    np.testing.assert_array_equal(again(inputs), expected)
