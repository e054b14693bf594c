import gc
import weakref

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import vitrina_solutions as textbook
from vitrina.explain import gradient_x_input, lrp, saliency
from vitrina.models import dense_network

SIZES = (4, 6, 3)
INPUTS = arrays(np.float64, (3, 4), elements=st.floats(-3, 3))


@pytest.mark.parametrize("method", ["saliency", "gradient_x_input"])
@pytest.mark.parametrize("target", [0, 2])
def test_fast_form_is_the_textbook_form(relu_network, samples, assert_close, method, target):
    inputs = samples(relu_network)
    fast = globals()[method](relu_network, inputs, target)
    assert_close(fast, getattr(textbook, method)(relu_network, inputs, target))


def test_worked_by_hand():
    # f = relu(x1 - 2 x2 + 1), twice: at (3, 1) the unit is on (slopes 1, -2), at (0, 1) it is off
    model = dense_network([np.array([[1.0], [-2.0]]), np.array([[2.0, -1.0]])], [np.ones(1), np.zeros(2)])
    inputs = np.array([[3.0, 1.0], [0.0, 1.0]])
    np.testing.assert_array_equal(gradient_x_input(model, inputs, 0), [[6.0, -4.0], [0.0, 0.0]])
    np.testing.assert_array_equal(saliency(model, inputs, [1, 0]), [[1.0, 2.0], [0.0, 0.0]])


@given(INPUTS, st.integers(0, 2**32 - 1), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_complete_on_relu_networks_without_bias(make_network, make_parameters, inputs, seed, target):
    model = make_network(SIZES, bias=False, seed=101)
    weights, biases = make_parameters(SIZES, False, seed)
    model.set_weights([array for pair in zip(weights, biases, strict=True) for array in pair])
    logits = np.asarray(model(inputs))[:, target]
    attributions = gradient_x_input(model, inputs, target)
    np.testing.assert_allclose(attributions.sum(axis=1), logits, rtol=0, atol=1e-12 * max(1, abs(attributions).max()))


def test_completeness_is_a_property_of_bias_free_networks_and_logits_only(make_network, samples):
    with_bias = make_network((5, 6, 3))
    inputs = samples(with_bias)
    gap = gradient_x_input(with_bias, inputs, 0).sum(axis=1) - np.asarray(with_bias(inputs))[:, 0]
    assert np.abs(gap).max() > 0.1


def test_one_target_for_all_or_one_each(make_network, samples):
    model = make_network((5, 6, 3))
    inputs = samples(model)
    each = gradient_x_input(model, inputs, np.array([2, 0, 1]))
    for row, target in enumerate([2, 0, 1]):
        np.testing.assert_array_equal(each[row], gradient_x_input(model, inputs, target)[row])
    assert gradient_x_input(model, inputs[:0], 0).shape == (0, 5)


@pytest.mark.parametrize("method", [saliency, gradient_x_input])
def test_several_targets_have_an_axis_after_the_batch(make_network, samples, method):
    model = make_network((5, 6, 3))
    inputs = samples(model)
    targets = np.array([[0, 2], [1, 1], [2, 0]])
    several = method(model, inputs, targets)
    assert several.shape == (3, 2, 5)
    for column in range(2):
        np.testing.assert_array_equal(several[:, column], method(model, inputs, targets[:, column]))
    assert method(model, inputs, targets[:, :1]).shape == (3, 1, 5)
    assert method(model, inputs[:0], targets[:0]).shape == (0, 2, 5)


def test_several_targets_share_one_forward_pass():
    calls = []

    class Counting(keras.layers.Layer):
        def call(self, inputs):
            calls.append(1)
            return inputs

    model = keras.Sequential([keras.Input((4,)), Counting(), keras.layers.Dense(3)])
    calls.clear()
    saliency(model, np.ones((2, 4)), [[0, 1, 2], [2, 1, 0]])
    assert len(calls) == 1  # traced once, as the compiled function was made


def test_chunks_change_nothing_but_memory(make_network, monkeypatch):
    from vitrina.explain import compiling

    model = make_network((5, 6, 3))
    inputs = np.random.default_rng(0).standard_normal((7, 5))
    whole = gradient_x_input(model, inputs, 1)
    monkeypatch.setattr(compiling, "CHUNK_VALUES", 15)
    assert compiling.chunk_size(inputs) == 3
    np.testing.assert_allclose(gradient_x_input(model, inputs, 1), whole, rtol=1e-12)


def test_large_samples_come_in_small_chunks():
    from vitrina.explain import compiling

    sizes = [compiling.chunk_size(np.empty((9, *shape))) for shape in [(), (28, 28, 1), (224, 224, 3), (5000, 5000, 3)]]
    assert sizes == [1024, 1024, 6, 1]


def test_explaining_many_models_makes_tensorflow_warn_of_nothing(make_parameters, caplog):
    for seed in range(7):
        saliency(dense_network(*make_parameters((4, 5, 3), True, seed)), np.ones((1, 4)), 0)
    assert [record.message for record in caplog.records if "retracing" in record.message] == []


def test_any_classifier_in_its_own_type_and_shape():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(2, 3, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((5, 5, 1)), *layers])
    inputs = np.random.default_rng(0).random((2, 5, 5, 1))
    result = gradient_x_input(model, inputs, 1)
    assert (result.shape, result.dtype) == (inputs.shape, np.float32)
    step = 1e-2 * (np.arange(25).reshape(5, 5, 1) == 12)
    slope = (np.asarray(model(inputs + step)) - np.asarray(model(inputs - step)))[:, 1] / 2e-2
    np.testing.assert_allclose(np.abs(slope), saliency(model, inputs, 1)[:, 2, 2, 0], rtol=1e-3)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_the_logits_before_a_softmax_are_explained_and_this_is_said(make_network, samples, activation):
    logits = make_network((5, 6, 3), bias=False)
    inputs = samples(logits)
    expected = gradient_x_input(logits, inputs, 0)
    squashed = [keras.layers.Activation(activation, dtype="float64")]
    head = keras.layers.Dense(3, activation=activation, dtype="float64")
    for model in (
        keras.Sequential([keras.Input((5,), dtype="float64"), *logits.layers, *squashed]),
        keras.Sequential([keras.Input((5,), dtype="float64"), *logits.layers[:-1], head]),
    ):
        model.layers[-1].set_weights(logits.layers[-1].get_weights() if model.layers[-1] is head else [])
        with pytest.warns(UserWarning, match=f"ends in a {activation}: the logits before it are explained"):
            explained = gradient_x_input(model, inputs, 0)
        np.testing.assert_allclose(explained, expected, rtol=1e-12)


def test_the_logits_follow_training():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, activation="softmax")])
    inputs = np.ones((1, 5))
    for factor in (1, 2):
        model.set_weights([np.full((5, 3), factor), np.zeros(3)])
        with pytest.warns(UserWarning, match="softmax"):
            np.testing.assert_array_equal(saliency(model, inputs, 0), np.full((1, 5), factor))


@pytest.mark.parametrize("method", [saliency, gradient_x_input, lrp])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_and_inputs_that_are_not_finite_are_refused(make_parameters, method, bad):
    model = dense_network(*make_parameters((4, 5, 3), True, 7))
    with pytest.raises(ValueError, match="sample 1 holds NaN or inf"):
        method(model, np.array([[1.0, 1, 1, 1], [1, bad, 1, 1]]), 0)
    kernel, bias = model.layers[0].get_weights()
    model.layers[0].set_weights([kernel, np.where(np.arange(5) == 2, bad, bias)])
    with pytest.raises(ValueError, match=f"not finite .*{model.layers[0].name}/bias$"):
        method(model, np.ones((1, 4)), 0)


def test_integer_images_keep_their_values(make_network):
    model = make_network((5, 6, 3))
    whole = np.arange(10, dtype=np.uint8).reshape(2, 5)
    np.testing.assert_array_equal(gradient_x_input(model, whole, 1), gradient_x_input(model, whole.astype(float), 1))


def test_second_call_compiles_nothing_but_a_changed_model_is_seen(make_parameters):
    model = dense_network(*make_parameters((4, 5, 3), True, 7))
    inputs = np.ones((2, 4))
    before = gradient_x_input(model, inputs, 0)
    model.set_weights([2 * array for array in model.get_weights()])
    assert not np.allclose(gradient_x_input(model, inputs, 0), before)
    model.add(keras.layers.Rescaling(0.0, dtype="float64"))
    np.testing.assert_array_equal(gradient_x_input(model, inputs, 0), np.zeros((2, 4)))


def test_compiled_once_for_all_batch_sizes(make_parameters, monkeypatch):
    from vitrina.explain import gradients

    calls = []
    build = gradients.gradient_function
    monkeypatch.setattr(gradients, "gradient_function", lambda *given: calls.append(1) or build(*given))
    model = dense_network(*make_parameters((4, 5, 3), True, 7))
    for batch in (1, 2, 7):
        saliency(model, np.ones((batch, 4)), 0)
    assert len(calls) == 1


@pytest.mark.parametrize("method", [saliency, lrp])
def test_explained_models_are_not_kept_alive(make_parameters, method):
    def explain_one():
        """In a frame of its own: while a frame lives, a look at its local variables keeps them."""
        model = dense_network(*make_parameters((4, 5, 3), True, 7))
        method(model, np.ones((1, 4)), 0)
        return weakref.ref(model)

    alive = explain_one()
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("method", [saliency, gradient_x_input, lrp])
@pytest.mark.parametrize(
    ("inputs", "target", "message"),
    [
        (np.ones(5), 0, r"inputs\[np.newaxis\]"),
        (np.ones((2, 4)), 0, r"\(batch, 5\), got \(2, 4\)"),
        (np.ones((2, 5, 1)), 0, "inputs must have shape"),
        (np.array([["a"] * 5]), 0, "inputs must be numbers"),
        (np.ones((2, 5)), 3, "class from 0 to 2"),
        (np.ones((2, 5)), -1, "class from 0 to 2"),
        (np.ones((2, 5)), 1.0, "target must be an int"),
        (np.ones((2, 5)), [0, 1, 2], "array of 2 ints"),
        (np.ones((2, 5)), True, "target must be an int"),
    ],
)
def test_inputs_and_targets_that_do_not_fit_are_refused(make_network, method, inputs, target, message):
    with pytest.raises(ValueError, match=message):
        method(make_network((5, 6, 3)), inputs, target)


def test_models_without_one_float_input_and_logits_are_refused():
    unbuilt = keras.Sequential([keras.layers.Dense(2)])
    image = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3)])
    words = keras.Sequential([keras.Input((4,), dtype="int32"), keras.layers.Embedding(5, 2), keras.layers.Flatten()])
    for model, message in [(unbuilt, "must be built"), (image, "output"), (words, "no gradient")]:
        with pytest.raises(ValueError, match=message):
            saliency(model, np.ones((1, 4)), 0)
