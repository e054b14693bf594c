import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitrina.explain import (
    FlippingCurve,
    abpc,
    aopc,
    deletion_curve,
    gradient_x_input,
    insertion_curve,
    pixel_flipping,
    saliency,
)
from vitrina.models import dense_network

INPUTS = np.random.default_rng(2).random((4, 6))
RELEVANCE = np.random.default_rng(3).standard_normal((4, 6))


@pytest.fixture(scope="module")
def model(make_network):
    return make_network((6, 8, 3), seed=9)


@pytest.fixture(scope="module")
def image_model():
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((5, 6, 2)), *layers])


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def flip_one_by_one(model, sample, target, relevance, replacement, counts):
    """The textbook form: one sample, a list of its pixels, one model call a point."""
    pixels = sorted(np.ndindex(relevance.shape), key=lambda pixel: -relevance[pixel])  # sorted is stable
    scores = []
    for count in counts:
        changed = sample.copy()
        for pixel in pixels[:count]:
            changed[pixel] = replacement[pixel]
        scores.append(softmax(np.asarray(model(changed[np.newaxis])))[0, target])
    return scores


@pytest.mark.parametrize("order", ["morf", "lerf"])
def test_curves_are_those_of_the_slow_form(model, assert_close, order):
    targets = [0, 2, 1, 1]
    tied = np.round(RELEVANCE)  # equal relevance keeps the order of the pixels
    assert any(len(set(row)) < 6 for row in tied)
    curves = pixel_flipping(model, INPUTS, targets, tied, order=order, perturbations=["black", "invert", "mean"])
    sign = 1 if order == "morf" else -1
    for name, replacement in {
        "black": np.zeros_like(INPUTS),
        "invert": 1 - INPUTS,
        "mean": np.repeat(INPUTS.mean(axis=1, keepdims=True), 6, axis=1),
    }.items():
        rows = zip(INPUTS, targets, sign * tied, replacement, strict=True)
        expected = [flip_one_by_one(model, *row, range(7)) for row in rows]
        assert_close(curves[name].outputs, expected)
        np.testing.assert_allclose(curves[name].shares, np.arange(7) / 6)
        for planted in (expected[::-1], [row[::-1] for row in expected], 1 - np.array(expected)):
            with pytest.raises(AssertionError):
                assert_close(curves[name].outputs, planted)


def test_channels_of_a_pixel_are_summed_and_go_together(image_model, assert_close):
    generator = np.random.default_rng(0)
    images = generator.random((2, 5, 6, 2)).astype("float32")
    relevance = generator.standard_normal(images.shape)
    curve = pixel_flipping(image_model, images, 1, relevance, steps=7, perturbations=["black"])["black"]
    counts = np.rint(np.linspace(0, 30, 8)).astype(int)
    expected = [
        flip_one_by_one(image_model, image, 1, maps.sum(axis=-1), np.zeros_like(image), counts)
        for image, maps in zip(images, relevance, strict=True)
    ]
    assert_close(curve.outputs, expected, 1e-5)
    apart = pixel_flipping(image_model, images, 1, relevance, perturbations=["black"], channels=False, steps=60)
    assert apart["black"].outputs.shape == (2, 61)
    assert_close(apart["black"].outputs[:, -1], curve.outputs[:, -1], 1e-5)


def test_worked_by_hand():
    # f = 2 x1 + x2 - x3 at (1, 1, 1): taking the exact contributions 2, 1, -1 away leaves 2, 0, -1, 0
    linear = dense_network([np.array([[2.0, 0], [1, 0], [-1, 0]])], [np.zeros(2)])
    ones = np.ones((1, 3))
    contributions = gradient_x_input(linear, ones, 0)
    options = {"perturbations": {"nothing": 0.0}, "output": "logit"}
    morf = pixel_flipping(linear, ones, 0, contributions, **options)
    lerf = pixel_flipping(linear, ones, 0, contributions, order="lerf", **options)
    np.testing.assert_array_equal(morf["nothing"].outputs, [[2, 0, -1, 0]])
    np.testing.assert_array_equal(lerf["nothing"].outputs, [[2, 3, 2, 0]])
    assert aopc(morf)["nothing"] == pytest.approx((0 + 2 + 3 + 2) / 4)
    assert morf["nothing"].auc == pytest.approx((1 + 0 - 1 + 0) / 3)
    assert abpc(lerf, morf)["nothing"] == pytest.approx(((1 + 3 + 2 + 0) - (1 + 0 - 1 + 0)) / 3)


def test_deletion_is_flipping_and_insertion_is_its_way_back(model, assert_close):
    deletion = deletion_curve(model, INPUTS, 1, RELEVANCE)
    morf = pixel_flipping(model, INPUTS, 1, RELEVANCE)
    lerf = pixel_flipping(model, INPUTS, 1, RELEVANCE, order="lerf")
    insertion = insertion_curve(model, INPUTS, 1, RELEVANCE)
    for name in ("black", "invert", "uniform"):
        np.testing.assert_array_equal(deletion[name].outputs, morf[name].outputs)
        # the most relevant are back when the least relevant are still gone
        assert_close(insertion[name].outputs[:, ::-1], lerf[name].outputs)
        assert_close(insertion[name].auc, lerf[name].auc)


@pytest.mark.parametrize("chunk", [1, 2, 5, 24])
def test_chunks_change_nothing(model, monkeypatch, chunk, assert_close):
    whole = pixel_flipping(model, INPUTS, [0, 1, 2, 0], RELEVANCE)
    monkeypatch.setattr("vitrina.explain.compiling.CHUNK", chunk)
    for name, curve in pixel_flipping(model, INPUTS, [0, 1, 2, 0], RELEVANCE).items():
        assert_close(curve.outputs, whole[name].outputs, 1e-14)


def test_a_call_of_the_model_holds_a_chunk(make_parameters, monkeypatch):
    seen = []

    class Counting(keras.layers.Layer):
        def call(self, values):
            import tensorflow as tf

            tf.py_function(lambda size: seen.append(int(size)), [tf.shape(values)[0]], [])
            return values

    weights, bias = make_parameters((6, 3), False, 0, "float32")
    model = keras.Sequential([keras.Input((6,)), Counting(), keras.layers.Dense(3)])
    model.layers[-1].set_weights([weights[0], bias[0]])
    monkeypatch.setattr("vitrina.explain.compiling.CHUNK", 8)
    seen.clear()
    pixel_flipping(model, INPUTS, 0, RELEVANCE, perturbations=["black", "mean"])
    assert sum(seen) == 2 * 4 * 7  # two perturbations, four samples, seven points: k model calls and none more
    assert max(seen) == 8


@given(arrays(np.int8, (4, 6)), st.floats(1e-3, 1e3))
@settings(max_examples=25, deadline=None)
def test_only_the_order_of_attributions_counts(make_network, whole, factor):
    model = make_network((6, 8, 3), seed=9)
    attributions = whole.astype(float)
    for order in ("morf", "lerf"):
        plain = pixel_flipping(model, INPUTS, 1, attributions, order=order)
        scaled = pixel_flipping(model, INPUTS, 1, factor * attributions, order=order)
        for name, curve in plain.items():
            np.testing.assert_array_equal(curve.outputs, scaled[name].outputs)
    reverse = pixel_flipping(model, INPUTS, 1, -attributions, order="lerf")
    for name, curve in pixel_flipping(model, INPUTS, 1, attributions).items():
        np.testing.assert_array_equal(curve.outputs, reverse[name].outputs)


@given(arrays(np.float64, (6, 3), elements=st.floats(-3, 3)), arrays(np.float64, (4, 6), elements=st.floats(0, 1)))
@settings(max_examples=25, deadline=None)
def test_no_order_falls_faster_than_the_exact_contributions_of_a_linear_model(make_network, weights, inputs):
    linear = make_network((6, 3), bias=False, seed=77)
    linear.set_weights([weights, np.zeros(3)])
    contributions = gradient_x_input(linear, inputs, 2)
    options = {"perturbations": ["zero"], "output": "logit"}
    best = aopc(pixel_flipping(linear, inputs, 2, contributions, **options))["zero"]
    worst = aopc(pixel_flipping(linear, inputs, 2, contributions, order="lerf", **options))["zero"]
    for seed in range(3):
        drawn = aopc(pixel_flipping(linear, inputs, 2, contributions, order="random", seed=seed, **options))["zero"]
        assert np.all(best >= drawn - 1e-9)
        assert np.all(drawn >= worst - 1e-9)


def test_random_order_removes_in_proportion_on_average():
    # of a linear model a random order takes away half of the logit on average, and its two curves enclose nothing
    linear = dense_network([np.random.default_rng(0).standard_normal((6, 2))], [np.zeros(2)])
    inputs = np.repeat(INPUTS[:1], 4000, axis=0)
    options = {"perturbations": ["zero"], "output": "logit", "order": "random"}
    drawn, other = (pixel_flipping(linear, inputs, 0, inputs, seed=seed, **options) for seed in (1, 2))
    logit = np.asarray(linear(INPUTS[:1]))[0, 0]
    assert aopc(drawn)["zero"].mean() == pytest.approx(logit / 2, abs=0.02)
    assert abpc(drawn, other)["zero"].mean() == pytest.approx(0, abs=0.03)
    assert aopc(drawn)["zero"].std() > 0.1


def test_perturbations_are_what_their_names_say():
    def replaced(name, images, **options):
        """Inputs at the end of the curve of a model that returns its inputs."""
        identity = keras.Sequential([keras.Input(images.shape[1:]), keras.layers.Flatten()])
        outputs = [
            pixel_flipping(identity, images, pixel, images, perturbations=[name], output="logit", steps=1, **options)
            for pixel in range(images[0].size)
        ]
        return np.stack([curve[name].outputs[:, -1] for curve in outputs], axis=1).reshape(images.shape)

    generator = np.random.default_rng(1)
    images = generator.uniform(-1, 1, (2, 4, 4, 2)).astype("float32")
    bounds = (-1.0, 1.0)
    np.testing.assert_array_equal(replaced("zero", images), 0 * images)
    np.testing.assert_array_equal(replaced("black", images, bounds=bounds), -np.ones_like(images))
    np.testing.assert_allclose(replaced("invert", images, bounds=bounds), -images)
    means = np.stack([[image[..., channel].mean() for channel in range(2)] for image in images])
    np.testing.assert_allclose(replaced("mean", images) - means[:, None, None], 0 * images, atol=1e-6)
    noise = replaced("uniform", images, bounds=bounds)
    assert -1 <= noise.min() < -0.5 < 0.5 < noise.max() <= 1
    assert len(np.unique(noise)) == noise.size
    np.testing.assert_array_equal(noise, replaced("uniform", images, bounds=bounds))
    flat = np.ones((1, 4, 4, 1), "float32") * 0.5
    np.testing.assert_allclose(replaced("blur", flat), flat)
    spot = np.zeros((1, 16, 16, 1), "float32")
    spot[0, 8, 8] = 1
    blurred = replaced("blur", spot)
    assert blurred.max() == blurred[0, 8, 8, 0] < 0.1
    assert blurred.sum() == pytest.approx(1, abs=0.01)


def test_a_softmax_at_the_end_and_a_single_logit(model, make_parameters, assert_close):
    head = keras.layers.Activation("softmax", dtype="float64")
    squashed = keras.Sequential([keras.Input((6,), dtype="float64"), *model.layers, head])
    with pytest.warns(UserWarning, match="ends in a softmax"):
        curves = pixel_flipping(squashed, INPUTS, 1, RELEVANCE)
    for name, curve in pixel_flipping(model, INPUTS, 1, RELEVANCE).items():
        assert_close(curve.outputs, curves[name].outputs)
    single = dense_network(*make_parameters((6, 1), True, 5))
    first = pixel_flipping(single, INPUTS, 0, RELEVANCE)["black"].outputs[:, 0]
    assert_close(first, 1 / (1 + np.exp(-np.asarray(single(INPUTS))[:, 0])))


def test_steps_and_share(model):
    curve = pixel_flipping(model, INPUTS, 1, RELEVANCE, steps=2, until=0.5)["black"]
    np.testing.assert_allclose(curve.shares, [0, 2 / 6, 0.5])
    full = pixel_flipping(model, INPUTS, 1, RELEVANCE)["black"]
    np.testing.assert_array_equal(curve.outputs, full.outputs[:, [0, 2, 3]])
    many = np.zeros((1, 200))
    linear = dense_network([np.zeros((200, 2))], [np.zeros(2)])
    assert deletion_curve(linear, many, 0, many)["black"].shares.shape == (51,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attributions": RELEVANCE[:, :5]}, r"shape of inputs, \(4, 6\), got \(4, 5\)"),
        ({"attributions": np.where(RELEVANCE > 1, np.nan, RELEVANCE)}, "finite numbers"),
        ({"attributions": np.full((4, 6), "a")}, "finite numbers"),
        ({"order": "most"}, "'morf', 'lerf' or 'random'"),
        ({"perturbations": "black"}, r"\['black', ...\]"),
        ({"perturbations": []}, "at least one perturbation"),
        ({"perturbations": ["black", "white"]}, "unknown perturbation 'white': choose from zero, black"),
        ({"perturbations": ["blur"]}, "needs images"),
        ({"perturbations": {"mine": np.ones(5)}}, r"'mine' must have values that fit \(4, 6\)"),
        ({"inputs": 255 * INPUTS}, r"bounds are \(0.0, 1.0\): give bounds=\(lowest, highest\)"),
        ({"bounds": (1.0, 0.0)}, "bounds"),
        ({"steps": 7}, "steps must be from 1 to 6"),
        ({"steps": 0}, "steps must be from 1 to 6"),
        ({"until": 0.0}, "above 0 and at most 1"),
        ({"output": "score"}, "'logit' or 'probability'"),
        ({"target": np.zeros((4, 2), int)}, "one class per sample"),
        ({"inputs": INPUTS[:0], "attributions": RELEVANCE[:0]}, "no sample"),
    ],
)
def test_what_does_not_fit_is_refused(model, change, message):
    arguments = {"model": model, "inputs": INPUTS, "target": 0, "attributions": RELEVANCE} | change
    with pytest.raises(ValueError, match=message):
        pixel_flipping(**arguments)


def test_curves_of_other_steps_enclose_no_area(model):
    short = pixel_flipping(model, INPUTS, 1, RELEVANCE, steps=3)
    with pytest.raises(ValueError, match="same samples, steps and perturbations"):
        abpc(pixel_flipping(model, INPUTS, 1, RELEVANCE), short)
    assert isinstance(short["black"], FlippingCurve)


@pytest.mark.slow
def test_robust_margins_on_digits():
    """Differences of AOPC that were the same over five seeds; those between close methods are never asserted."""
    from vitrina.explain import gamma, lrp, z_box
    from vitrina.models import train_mnist_network
    from vitrina_datasets import mnist

    digits = mnist.load()
    network = train_mnist_network(digits.train_images, digits.train_labels)
    images = digits.holdout_images[:200]
    target = np.argmax(network(images), axis=1)
    maps = {
        "random": np.random.default_rng(0).random(images.shape),
        "saliency": saliency(network, images, target),
        "gradient x input": gradient_x_input(network, images, target),
        "LRP-0": lrp(network, images, target),
        "composite": lrp(network, images, target, rules=[z_box(0, 1), gamma(1e-9), gamma(1e-9)]),
    }
    scores = {
        name: {
            perturbation: values.mean()
            for perturbation, values in aopc(
                pixel_flipping(network, images, target, attributions, steps=50, until=200 / 784)
            ).items()
        }
        for name, attributions in maps.items()
    }
    black, uniform = ({name: row[by] for name, row in scores.items()} for by in ("black", "uniform"))
    assert black["gradient x input"] - black["random"] > 0.5
    assert black["saliency"] - black["random"] > 0.1
    assert black["gradient x input"] - black["saliency"] > 0.2
    assert abs(black["LRP-0"] - black["gradient x input"]) < 0.02
    assert uniform["composite"] - uniform["gradient x input"] > 0.2
    assert black["composite"] - black["gradient x input"] < -0.1
