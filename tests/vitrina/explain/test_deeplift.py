import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitrina.explain import completeness_error, deeplift, gradient_x_input
from vitrina.models import dense_network, dense_parameters

layers = keras.layers
INPUTS = arrays(np.float64, (3, 4), elements=st.floats(-3, 3))


def chain(shape, *parts, dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *parts])


def functional(shape, build):
    inputs = keras.Input(shape)
    return keras.Model(inputs, build(inputs))


def small_cnn():
    return chain(
        (8, 8, 2),
        layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(3, 2, padding="same", activation="relu"),
        layers.AveragePooling2D(2, strides=1),
        layers.Flatten(),
        layers.Dense(5, activation="tanh"),
        layers.Dense(3),
    )


def normalised_cnn():
    return chain(
        (8, 8, 2),
        *(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.5)),
        *(layers.ZeroPadding2D(), layers.MaxPooling2D(3, strides=2, padding="same"), layers.Cropping2D(1)),
        *(layers.UpSampling2D(2), layers.GlobalMaxPooling2D(), layers.Dense(3)),
    )


def separable_cnn():
    return chain(
        (8, 8, 2),
        layers.DepthwiseConv2D(3, activation="gelu"),
        layers.SeparableConv2D(4, 3, activation="silu"),
        *(layers.GlobalAveragePooling2D(), layers.Dense(4), layers.LeakyReLU(), layers.Dense(3)),
    )


def text_cnn():
    return chain(
        (None, 2),
        *(layers.Conv1D(4, 3, activation="elu"), layers.MaxPooling1D(2), layers.Conv1D(4, 2, activation="softplus")),
        *(layers.GlobalMaxPooling1D(), layers.Dense(4, activation="relu6"), layers.PReLU(), layers.Dense(3)),
    )


def branches():
    def build(inputs):
        shared = layers.Dense(6, activation="tanh")
        added = layers.Add()([inputs, shared(shared(inputs))])
        gates = [layers.Dense(4, activation=name)(inputs) for name in ("sigmoid", "linear", "relu")]
        both = layers.Concatenate()([added, layers.Multiply()(gates), layers.Average()([inputs, added]) * 2.0 - 1.0])
        return layers.Dense(3)(both)

    return functional((6,), build)


def squeeze_and_excite():
    def build(inputs):
        gate = layers.Dense(2, activation="sigmoid")(layers.GlobalAveragePooling2D()(inputs))
        return layers.Dense(3)(layers.Flatten()(layers.Multiply()([layers.Reshape((1, 1, 2))(gate), inputs])))

    return functional((5, 5, 2), build)


def elman():
    first = layers.SimpleRNN(5, return_sequences=True, go_backwards=True)
    return chain((None, 3), first, layers.SimpleRNN(4, activation="relu"), layers.Dense(3))


def lstm():
    return chain((6, 3), layers.LSTM(5, return_sequences=True), layers.LSTM(4, use_bias=False), layers.Dense(3))


def gru():
    first = layers.GRU(5, return_sequences=True)
    return chain((6, 3), first, layers.GRU(4, reset_after=False, go_backwards=True), layers.Dense(3))


def gru_without_bias():
    return chain((6, 3), layers.GRU(4, use_bias=False), layers.Dense(3))


NETWORKS = [small_cnn, normalised_cnn, separable_cnn, text_cnn, branches, squeeze_and_excite]
NETWORKS += [elman, lstm, gru, gru_without_bias]


@pytest.fixture(scope="module")
def build():
    """Networks by name, built once, in double precision, with weights (and biases) that matter."""
    made = {}

    def get(network, dtype="float64"):
        if (network, dtype) not in made:
            keras.utils.set_random_seed(1)
            before = keras.config.floatx()
            keras.config.set_floatx(dtype)
            keras.config.set_dtype_policy(dtype)
            model = network()
            keras.config.set_floatx(before)
            keras.config.set_dtype_policy(before)
            generator = np.random.default_rng(3)
            for weight in model.weights:
                if "seed" not in weight.path:
                    noise = 0.4 * generator.standard_normal(weight.shape)
                    weight.assign(np.abs(1 + noise) if "variance" in weight.path else weight.numpy() + noise)
            made[network, dtype] = model
        return made[network, dtype]

    return get


def draw(model, count, seed):
    shape = [size or 7 for size in model.input_shape[1:]]
    return np.random.default_rng(seed).standard_normal((count, *shape))


@pytest.mark.parametrize("network", NETWORKS)
def test_complete_on_every_kind_of_layer_with_a_background_and_with_baselines(build, network):
    model = build(network)
    inputs, background = draw(model, 4, 0), draw(model, 3, 1)
    targets = np.array([[0, 1], [1, 2], [2, 0], [1, 1]])
    attributions = deeplift(model, inputs, targets, background=background)
    scale = np.abs(attributions).max()
    assert scale > 1e-3
    assert np.abs(completeness_error(model, inputs, targets, attributions, background=background)).max() < 1e-12
    each = deeplift(model, inputs, targets, baseline=background[[0, 1, 2, 0]])
    error = completeness_error(model, inputs, targets, each, baseline=background[[0, 1, 2, 0]])
    assert np.abs(error).max() < 1e-12
    single = [deeplift(model, inputs, targets, baseline=reference) for reference in background]
    np.testing.assert_allclose(attributions, np.mean(single, axis=0), rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(each[1], single[1][1], rtol=0, atol=1e-12 * scale)


@given(INPUTS, INPUTS, st.integers(0, 2), st.sampled_from(["relu", "tanh", "sigmoid", "elu", "gelu", "softsign"]))
@settings(max_examples=60, deadline=None)
def test_complete_whatever_the_values(make_network, inputs, background, target, activation):
    model = make_network((4, 6, 5, 3), activation=activation, seed=2)
    attributions = deeplift(model, inputs, target, background=background)
    error = completeness_error(model, inputs, target, attributions, background=background)
    assert np.abs(error).max() < 1e-8  # where a chord nearly has no length its gradient stands in


@pytest.mark.parametrize("activation", [np.tanh, lambda z: np.maximum(z, 0)])
def test_fast_form_is_the_textbook_form(make_network, samples, assert_close, activation):
    model = make_network((5, 6, 4, 3), activation="tanh" if activation is np.tanh else "relu")
    inputs, reference = samples(model), np.linspace(-1, 1, 5)
    expected = np.zeros_like(inputs)
    for row, sample in enumerate(inputs):
        x, x0, slopes = sample, reference, []
        for weights, bias in dense_parameters(model)[:-1]:
            z, z0 = x @ weights + bias, x0 @ weights + bias
            x, x0 = activation(z), activation(z0)
            slopes.append((x - x0) / (z - z0))
        multipliers = dense_parameters(model)[-1][0][:, 1]
        for (weights, _), slope in zip(dense_parameters(model)[-2::-1], slopes[::-1], strict=True):
            multipliers = weights @ (slope * multipliers)
        expected[row] = multipliers * (sample - reference)
    assert_close(deeplift(model, inputs, 1, baseline=reference), expected)


def test_worked_by_hand():
    # The saturated sum of Shrikumar et al. 2017, figure 1: y = 1 - relu(1 - x1 - x2) is 1 at (1, 1), where its gradient
    # is 0. Against 0 the unit goes from 1 to 0 while its input goes from 1 to -1: chord 1/2, so each input gives 1/2.
    model = dense_network([-np.ones((2, 1)), -np.ones((1, 1))], [np.ones(1), np.ones(1)])
    np.testing.assert_array_equal(gradient_x_input(model, [[1.0, 1.0]], 0), [[0.0, 0.0]])
    np.testing.assert_allclose(deeplift(model, [[1.0, 1.0]], 0), [[0.5, 0.5]])


def test_a_maximum_is_shared_by_both_winners():
    # x = (5, 1), reference (0, 3): 5 - 3 = 2 for the first, which rose above both maxima, 3 - 3 = 0 for the other.
    # x = (0, 1), reference (0, 3): the fall from 3 to 1 belongs to the position that was the reference's maximum.
    # x = (2, 2), a tie, reference (0, 0): the first position takes all.
    inputs = np.array([[5.0, 1, 0, 1, 2, 2]])[..., np.newaxis]
    reference = np.array([0.0, 3, 0, 3, 0, 0])[..., np.newaxis]
    parts = layers.MaxPooling1D(2), layers.Flatten(), layers.Dense(1, kernel_initializer="ones")
    model = chain((6, 1), *parts)
    attributions = deeplift(model, inputs, 0, baseline=reference)
    np.testing.assert_allclose(attributions[0, :, 0], [2, 0, 0, -2, 2, 0], atol=1e-6)


def test_a_global_maximum_is_a_window_that_holds_everything(build, assert_close):
    def head(pool):
        return [layers.Conv2D(3, 2, activation="tanh"), pool, layers.Flatten(), layers.Dense(2)]

    wide = build(lambda: chain((5, 4, 2), *head(layers.GlobalMaxPooling2D())))
    window = build(lambda: chain((5, 4, 2), *head(layers.MaxPooling2D((4, 3)))))
    window.set_weights(wide.get_weights())
    inputs, background = draw(wide, 3, 0), draw(wide, 2, 1)
    expected = deeplift(window, inputs, 0, background=background)
    assert_close(deeplift(wide, inputs, 0, background=background), expected)


def test_a_product_is_split_by_the_shapley_values_of_its_factors():
    model = functional((2,), lambda x: layers.Concatenate()([x[:, :1] * x[:, 1:], x[:, :1]]))
    x, x0 = np.array([[5.0, 3.0]]), np.array([1.0, 2.0])
    half = [(5 * 3 - 1 * 3 + 5 * 2 - 1 * 2) / 2, (5 * 3 - 5 * 2 + 1 * 3 - 1 * 2) / 2]  # both orders of joining
    np.testing.assert_allclose(deeplift(model, x, 0, baseline=x0), [half])


def test_equal_to_gradient_x_input_on_relu_networks_without_bias_against_zero(make_network, samples, assert_close):
    relu = make_network((6, 8, 5, 3), bias=False)
    inputs = samples(relu)
    assert_close(deeplift(relu, inputs, 2), gradient_x_input(relu, inputs, 2))
    tanh = make_network((6, 8, 5, 3), bias=False, activation="tanh")
    difference = deeplift(tanh, inputs, 2) - gradient_x_input(tanh, inputs, 2)
    assert np.abs(difference).max() > 0.01


def test_a_chord_without_length_is_the_gradient(make_network, samples, assert_close):
    model = make_network((5, 6, 3), activation="tanh")
    inputs = samples(model)
    nearby = deeplift(model, inputs, 1, baseline=inputs - 1e-12) / 1e-12
    assert_close(nearby, gradient_x_input(model, inputs, 1) / inputs, tolerance=1e-3)  # x - (x - 1e-12) is rounded
    assert not deeplift(model, inputs, 1, baseline=inputs).any()


def test_single_precision_is_complete_too(build):
    model = build(lstm, "float32")
    inputs, background = draw(model, 4, 0), draw(model, 3, 1)
    attributions = deeplift(model, inputs, 1, background=background)
    assert attributions.dtype == np.float32
    assert np.abs(completeness_error(model, inputs, 1, attributions, background=background)).max() < 1e-5


@pytest.mark.parametrize("network", [small_cnn, lstm])
def test_chunks_of_pairs_change_nothing(build, monkeypatch, network):
    from vitrina.explain import compiling

    model = build(network)
    inputs, background, targets = draw(model, 5, 0), draw(model, 4, 1), [0, 1, 2, 0, 1]
    whole = deeplift(model, inputs, targets, background=background)
    each = deeplift(model, inputs[:4], 0, baseline=background)
    for pairs in (3, 9):  # references in two chunks, a sample at a time; or all references with two samples
        monkeypatch.setattr(compiling, "CHUNK", pairs)
        np.testing.assert_allclose(deeplift(model, inputs, targets, background=background), whole, atol=1e-13)
        np.testing.assert_allclose(deeplift(model, inputs[:4], 0, baseline=background), each, atol=1e-13)
    assert deeplift(model, inputs[:0], 0, background=background).shape == (0, *inputs.shape[1:])


def test_several_targets_have_an_axis_after_the_batch(build, assert_close):
    model = build(small_cnn)
    inputs = draw(model, 2, 0)
    several = deeplift(model, inputs, [[0, 2], [1, 0]])
    assert several.shape == (2, 2, 8, 8, 2)
    assert_close(several[:, 1], deeplift(model, inputs, [2, 0]))


def test_learnt_weights_are_seen_and_models_are_not_kept_alive(make_parameters):
    model = dense_network(*make_parameters((4, 5, 3), True, 7))
    before = deeplift(model, np.ones((2, 4)), 0)
    model.set_weights([2 * array for array in model.get_weights()])
    assert not np.allclose(deeplift(model, np.ones((2, 4)), 0), before)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


def test_the_logits_before_a_softmax_are_explained(make_network, samples, assert_close):
    logits = make_network((5, 6, 3))
    model = chain((5,), *logits.layers, layers.Activation("softmax", dtype="float64"), dtype="float64")
    inputs = samples(model)
    with pytest.warns(UserWarning, match="logits before it"):
        assert_close(deeplift(model, inputs, 0), deeplift(logits, inputs, 0))


@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.LayerNormalization(name="odd"), "LayerNormalization"),
        (layers.Softmax(name="odd"), "Softmax"),
        (layers.Activation("softmax", name="odd"), "Activation"),
        (layers.Masking(name="odd"), "Masking"),
        (layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="odd"), "Bidirectional"),
    ],
)
def test_a_layer_without_a_rule_is_named_and_what_is_supported(layer, name):
    model = keras.Sequential([keras.Input((4, 3)), layer, layers.Flatten(), layers.Dense(2)])
    with pytest.raises(
        ValueError, match=rf"layer 'odd' \({name}\) has no DeepLIFT rule; there are rules for Dense.*GRU"
    ):
        deeplift(model, np.ones((1, 4, 3)), 0)


def test_references_that_do_not_fit_are_refused(make_network, samples):
    model = make_network((5, 6, 3))
    inputs = samples(model)
    for options, message in [
        ({"baseline": np.zeros(4)}, r"shape \(5,\), one for all samples"),
        ({"background": np.zeros((2, 4))}, r"background: inputs must have shape \(batch, 5\), got \(2, 4\)"),
        ({"background": np.zeros((0, 5))}, "background is empty"),
        ({"background": np.full((2, 5), np.nan)}, "finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            deeplift(model, inputs, 0, **options)


def unrolled(layer):
    return lambda: chain((5, 3), layer(4, unroll=True), layers.Dense(3))


@pytest.mark.parametrize(
    "network",
    [small_cnn, unrolled(layers.SimpleRNN), unrolled(layers.LSTM), unrolled(layers.GRU)],
    ids=["cnn", "rnn", "lstm", "gru"],
)
@pytest.mark.filterwarnings("ignore")
def test_the_numbers_of_shap(build, assert_close, monkeypatch, network):
    shap = pytest.importorskip("shap")
    from shap.explainers._deep import deep_tf

    monkeypatch.setitem(deep_tf.op_handlers, "Split", deep_tf.passthrough)  # without it shap refuses LSTM and GRU
    model = build(network, "float32")
    inputs, background = draw(model, 3, 0).astype("float32"), draw(model, 4, 1).astype("float32")
    tf.random.set_seed(0)
    values = shap.DeepExplainer(model, background).shap_values(inputs)
    ours = deeplift(model, inputs, np.tile(np.arange(3), (3, 1)), background=background)
    assert_close(np.moveaxis(ours, 1, -1), values, tolerance=2e-4)  # float32, and small changes are divided by


def test_the_numbers_of_captum(build, assert_close, torch_peer):
    model = build(small_cnn)
    inputs, reference, targets = draw(model, 3, 0), draw(model, 1, 1), [0, 2, 1]
    expected = torch_peer("captum.DeepLift", model, inputs, targets, baselines=reference)
    assert_close(deeplift(model, inputs, targets, baseline=reference[0]), expected, tolerance=1e-9)
