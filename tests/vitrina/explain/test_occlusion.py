import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrina.explain import masking, occlusion


def convolutional(shape=(7, 6, 2), seed=0):
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    stack = [layers.Conv2D(3, 3, activation="relu"), layers.Flatten(), layers.Dense(4, bias_initializer="normal")]
    return keras.Sequential([keras.Input(shape), *stack])


@pytest.fixture(scope="module")
def model():
    return convolutional()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).standard_normal((3, 7, 6, 2)).astype(np.float32)


def textbook(model, image, target, window, stride, fill):
    """One image, one window at a time, drops collected place by place."""
    logit = lambda values: float(np.asarray(model(values[np.newaxis]))[0, target])  # noqa: E731
    drops = [[[] for _ in range(image.shape[1])] for _ in range(image.shape[0])]
    top = 0
    while True:
        left = 0
        while True:
            covered = image.copy()
            box = slice(top, top + window[0]), slice(left, left + window[1])
            covered[box] = fill[box]
            drop = logit(image) - logit(covered)
            for row in range(*box[0].indices(image.shape[0])):
                for column in range(*box[1].indices(image.shape[1])):
                    drops[row][column].append(drop)
            if left + window[1] >= image.shape[1]:
                break
            left += stride[1]
        if top + window[0] >= image.shape[0]:
            break
        top += stride[0]
    means = np.array([[np.mean(place) for place in row] for row in drops])
    return np.repeat(means[..., np.newaxis], image.shape[-1], axis=-1)


@pytest.mark.parametrize(
    ("window", "stride"),
    [((3, 3), (3, 3)), ((3, 2), (2, 1)), ((2, 5), (1, 5)), ((7, 6), (7, 6)), ((1, 1), (1, 1)), ((4, 4), (3, 3))],
)
def test_fast_form_is_the_textbook_form(model, images, assert_close, window, stride):
    targets, fill = [3, 0, 2], np.random.default_rng(2).standard_normal(images.shape).astype(np.float32)
    fast = occlusion(model, images, targets, window=window, stride=stride, fill=fill)
    assert fast.shape == images.shape
    slow = [textbook(model, *one, window, stride, f) for *one, f in zip(images, targets, fill, strict=True)]
    assert_close(fast, slow, 1e-5)


@given(
    st.integers(1, 5).flatmap(lambda width: st.tuples(st.just(width), st.integers(1, width))),
    st.floats(-2, 2),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=20)
def test_on_a_linear_model_each_window_takes_its_share(make_network, sizes, fill, seed):
    # f = w x: covering places S takes sum over S of w_i (x_i - fill)
    linear = make_network((5, 3), bias=True, seed=7)
    x = np.random.default_rng(seed).standard_normal((2, 5))
    shares = linear.get_weights()[0][:, 1] * (x - fill)
    width, stride = sizes
    starts = range(0, 5 - width + stride if width < 5 else 1, stride)
    starts = [start for start in starts if start == 0 or start - stride + width < 5]
    expected = [
        np.mean([shares[:, start : start + width].sum(1) for start in starts if start <= i < start + width], axis=0)
        for i in range(5)
    ]
    result = occlusion(linear, x, 1, window=width, stride=stride, fill=fill)
    np.testing.assert_allclose(result, np.transpose(expected), atol=1e-12)


def test_the_place_that_decides_is_found(make_network):
    linear = make_network((5, 3))
    kernel = np.zeros((5, 3))
    kernel[3, 1] = 2.0
    linear = keras.models.clone_model(linear)
    linear.set_weights([kernel, np.ones(3)])
    np.testing.assert_array_equal(occlusion(linear, np.ones((1, 5)), 1, window=1), [[0, 0, 0, 2, 0]])


def test_sequences_are_covered_step_by_step(assert_close):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.GRU(5), keras.layers.Dense(2)])
    signals = np.random.default_rng(3).standard_normal((2, 4, 3)).astype(np.float32)
    fast = occlusion(model, signals, 1, window=1, fill=[0.5, 0.0, -0.5])
    for step in range(4):
        covered = signals.copy()
        covered[:, step] = [0.5, 0.0, -0.5]
        drop = np.asarray(model(signals) - model(covered))[:, 1]
        assert_close(fast[:, step], np.repeat(drop[:, np.newaxis], 3, axis=1), 1e-5)


def test_several_targets_are_an_axis_after_the_batch(model, images):
    several = occlusion(model, images, [[0, 3], [1, 1], [2, 0]], window=2)
    assert several.shape == (3, 2, 7, 6, 2)
    np.testing.assert_allclose(several[:, 1], occlusion(model, images, [3, 1, 0], window=2), atol=1e-6)
    assert occlusion(model, images[:0], 0, window=2).shape == (0, 7, 6, 2)


@pytest.mark.parametrize("values", [1, 84, 300, 1000])
def test_chunks_change_nothing(model, images, monkeypatch, values):
    whole = occlusion(model, images, 1, window=2, stride=1)
    monkeypatch.setattr(masking, "_VALUES", values)
    np.testing.assert_allclose(occlusion(model, images, 1, window=2, stride=1), whole, atol=1e-6)


def test_one_pass_per_window_and_one_for_the_whole(images):
    seen = []

    @keras.saving.register_keras_serializable()
    class Counting(keras.layers.Layer):
        def call(self, values):
            import tensorflow as tf

            tf.py_function(lambda v: seen.append(len(v)), [values], [])
            return values

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((7, 6, 2)), Counting(), keras.layers.Flatten(), keras.layers.Dense(3)])
    seen.clear()
    occlusion(model, images, 0, window=(3, 3))
    assert sum(seen) == 3 * (3 * 2 + 1)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "1 <= stride <= window"),
        ({"window": 7}, "window 7 on an axis of size 6"),
        ({"window": 2, "stride": 3}, "between windows"),
        ({"window": 2, "stride": 0}, "1 <= stride"),
        ({"window": 2.0}, "window must be an int"),
        ({"window": (2, 2, 1)}, "window must be an int, or 2 ints"),
        ({"window": 2, "stride": [1, 1, 1]}, "stride must be an int, or 2 ints"),
        ({"window": 2, "fill": np.zeros(3)}, "broadcasts"),
        ({"window": 2, "fill": "black"}, "fill must be a number"),
        ({"window": 2, "fill": np.nan}, "fill must be finite"),
    ],
)
def test_options_that_do_not_fit_are_refused(model, images, options, message):
    with pytest.raises(ValueError, match=message):
        occlusion(model, images, 0, **options)


def test_xplique_draws_the_same_map(model, images):
    attributions = pytest.importorskip("xplique.attributions", reason="xplique is a peer, not in the environment")
    one_hot = np.eye(4, dtype=np.float32)[[3, 0, 2]]
    peer = attributions.Occlusion(model, patch_size=(7, 2), patch_stride=(7, 2), occlusion_value=0.25)
    expected = np.asarray(peer(images, one_hot)).reshape(3, 7, 6)
    np.testing.assert_allclose(
        occlusion(model, images, [3, 0, 2], window=(7, 2), fill=0.25)[..., 0], expected, atol=1e-5
    )
