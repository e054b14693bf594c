import gc
from weakref import ref

import keras
import numpy as np
import pytest
import tensorflow as tf

from vitrina.explain.graph import read_graph

layers = keras.layers


def branched():
    """Two branches that share a layer, joined by Add and Concatenate, and an operation that is no layer."""
    source = keras.Input((6,))
    shared = layers.Dense(4, "relu", name="shared")
    left, right = shared(source), shared(layers.Dense(6, "tanh", name="other")(source))
    joined = layers.Concatenate()([layers.Add()([left, right]), 2.0 - left, left * right])
    return keras.Model(source, layers.Dense(3, name="logits")(layers.Dropout(0.5)(joined)))


def nested():
    """A Sequential and a functional model inside a model, the first one twice."""
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(5, "elu", name="inside"), layers.Dropout(0.5)])
    source = keras.Input((5,))
    block = keras.Model(source, source + inner(source))
    return keras.Sequential([keras.Input((5,)), inner, block, layers.Activation("linear"), layers.Dense(2)])


def pictures():
    return keras.Sequential(
        [
            keras.Input((9, 9, 2)),
            layers.Rescaling(1 / 3, offset=-1),
            layers.Conv2D(3, 3, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3, activation="tanh"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, activation=layers.LeakyReLU()),
        ]
    )


def sequences():
    return keras.Sequential([keras.Input((7, 2)), layers.LSTM(4), layers.Dense(2)])


@pytest.mark.parametrize("build", [branched, nested, pictures, sequences])
def test_the_steps_compute_what_the_model_computes(build):
    model = build()
    inputs = np.random.default_rng(0).standard_normal((4, *model.input_shape[1:])).astype("float32")
    graph = read_graph(model)
    values = graph.values(tf.constant(inputs))
    np.testing.assert_allclose(values[graph.output], model(inputs, training=False), rtol=1e-5, atol=1e-6)
    assert [step.output for step in graph.steps] == list(range(1, len(values)))
    assert all(max(step.inputs) < step.output for step in graph.steps)
    assert [shape[1:] for shape in graph.shapes] == [tuple(value.shape)[1:] for value in values]


def test_an_activation_is_a_step_of_its_own_and_dropout_is_none():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, "relu", name="a"), layers.Dropout(0.5), layers.Dense(2, name="b")]
    )
    steps = read_graph(model).steps
    assert [(step.name, step.inputs, step.output) for step in steps] == [("a", (0,), 1), ("a", (1,), 2), ("b", (2,), 3)]
    assert [step.pointwise for step in steps] == [False, True, False]
    assert steps[0].operation is model.layers[0]
    assert steps[1].operation is keras.activations.relu
    opposite = tf.constant([[1.0] * 4, [-1.0] * 4])
    before = steps[0].call(opposite)
    assert np.min(before) < 0  # the layer by itself, without its ReLU
    np.testing.assert_allclose(steps[1].call(before), model.layers[0](opposite), rtol=1e-6)


def test_a_layer_used_twice_is_two_steps_and_a_value_used_twice_one_number():
    graph = read_graph(branched())
    shared = [step for step in graph.steps if step.name == "shared" and not step.pointwise]
    assert len(shared) == 2
    assert shared[0].operation is shared[1].operation
    assert shared[0].inputs != shared[1].inputs
    source = keras.Input((2,))
    (step,) = read_graph(keras.Model(source, layers.Add()([source, source]))).steps
    assert step.inputs == (0, 0)


def test_weights_are_shared_and_training_leaves_nothing_behind():
    model = pictures()
    graph, number = read_graph(model), len(model.trainable_variables)
    inputs = tf.constant(np.random.default_rng(1).standard_normal((2, 9, 9, 2)), "float32")
    model.set_weights([weight + 0.25 for weight in model.get_weights()])
    np.testing.assert_allclose(graph.values(inputs)[graph.output], model(inputs), rtol=1e-5, atol=1e-6)
    assert len(model.trainable_variables) == number


def test_what_is_pointwise():
    for activation, pointwise in [("relu", True), ("gelu", True), ("softmax", False), ("glu", False)]:
        source = keras.Input((4,))
        steps = read_graph(keras.Model(source, layers.Activation(activation)(source))).steps
        assert [step.pointwise for step in steps] == [pointwise]
    for layer, pointwise in [(layers.PReLU(), True), (layers.Softmax(), False), (layers.Flatten(), False)]:
        source = keras.Input((4,))
        assert read_graph(keras.Model(source, layer(source))).steps[0].pointwise is pointwise
    source = keras.Input((4,))
    assert read_graph(keras.Model(source, keras.ops.relu(source))).steps[0].pointwise


def test_models_that_are_no_graph_are_refused():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    source = keras.Input((3, 2))
    cases = [
        (Own(name="own"), "'own'.*Python code of its own"),
        (keras.Sequential([layers.Dense(2)], name="raw"), "'raw' is not built"),
        (keras.Model(source, [source, source + 1], name="two"), "'two' has 2 outputs"),
        (keras.Model(source, layers.LSTM(2, return_state=True, name="state")(source)[0]), "'state' gives 3 values"),
        (keras.Sequential([keras.Input((3,)), Own(name="inside")]), "'inside'.*Python code"),
    ]
    for model, message in cases:
        with pytest.raises(ValueError, match=message):
            read_graph(model)


def test_a_graph_does_not_keep_its_model_alive():
    model = branched()
    graph, alive = read_graph(model), ref(model)
    del model
    gc.collect()
    assert graph.steps
    assert alive() is None
