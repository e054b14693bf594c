import keras
import numpy as np
import pytest
import tensorflow as tf

from vitrina.explain import grad_cam

layers = keras.layers


def network(*stack, shape=(8, 8, 2), seed=0, dtype="float32"):
    """A Sequential network with random weights of either sign, biases included."""
    model = keras.Sequential([keras.Input(shape, dtype=dtype), *stack])
    generator = np.random.default_rng(seed)
    model.set_weights(
        [generator.normal(0, 0.5, weight.shape) ** (2 if "var" in weight.path else 1) for weight in model.weights]
    )
    return model


@pytest.fixture(scope="module")
def two_convolutions():
    double = {"dtype": "float64"}
    return network(
        layers.Conv2D(3, 3, activation="relu", name="first", **double),
        layers.Conv2D(4, 2, strides=2, padding="same", activation="relu", name="last", **double),
        layers.AveragePooling2D(2, **double),
        layers.Flatten(**double),
        layers.Dense(5, **double),
        dtype="float64",
    )


@pytest.fixture
def images():
    return np.random.default_rng(1).standard_normal((3, 8, 8, 2))


def enlarge(coarse, height, width):
    """Bilinear interpolation with half-pixel centres, place by place."""
    rows, columns = coarse.shape
    large = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            v = np.clip((y + 0.5) * rows / height - 0.5, 0, rows - 1)
            u = np.clip((x + 0.5) * columns / width - 0.5, 0, columns - 1)
            top, left = int(v), int(u)
            bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            above = coarse[top, left] * (1 - (u - left)) + coarse[top, right] * (u - left)
            below = coarse[bottom, left] * (1 - (u - left)) + coarse[bottom, right] * (u - left)
            large[y, x] = above * (1 - (v - top)) + below * (v - top)
    return large


def textbook(model, image, target, layer, relu=True):
    """One image, one class; the gradient of each value of the feature map by a finite difference."""
    names = [one.name for one in model.layers]
    above = model.layers[names.index(layer) + 1 :]
    features = image[np.newaxis]
    for one in model.layers[: names.index(layer) + 1]:
        features = one(features)
    features = np.asarray(features)[0]

    def logit(values):
        for one in above:
            values = one(values)
        return np.asarray(values)[:, target]

    steps = 1e-6 * np.eye(features.size).reshape(-1, *features.shape)
    gradient = ((logit(features + steps) - logit(features - steps)) / 2e-6).reshape(features.shape)
    coarse = sum(gradient[..., k].mean() * features[..., k] for k in range(features.shape[-1]))
    return enlarge(np.maximum(coarse, 0) if relu else coarse, *image.shape[:2])


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("layer", ["first", "last"])
def test_fast_form_is_the_textbook_form(two_convolutions, images, assert_close, layer, relu):
    targets = [4, 0, 2]
    expected = [
        textbook(two_convolutions, image, target, layer, relu) for image, target in zip(images, targets, strict=True)
    ]
    maps = grad_cam(two_convolutions, images, targets, layer=layer, relu=relu)
    assert maps.shape == (3, 8, 8)
    assert_close(maps, expected, 1e-6)


def test_before_global_average_pooling_it_is_the_class_activation_map(images, assert_close):
    # Zhou et al. 2016: with pooling straight into the logits, dy_c/dA_k is the dense weight over the number of places
    model = network(layers.Conv2D(3, 3), layers.ReLU(), layers.GlobalAveragePooling2D(), layers.Dense(4))
    features = np.asarray(model.layers[1](model.layers[0](images)))
    coarse = features @ model.layers[-1].get_weights()[0][:, 2] / 36
    assert_close(grad_cam(model, images, 2, relu=False), [enlarge(one, 8, 8) for one in coarse], 1e-6)


def test_one_bright_spot_lights_up_its_corner():
    model = network(
        layers.Conv2D(1, 1, use_bias=False),
        layers.AveragePooling2D(4),
        layers.Flatten(),
        layers.Dense(2),
        shape=(8, 8, 1),
    )
    model.set_weights([np.ones((1, 1, 1, 1)), np.array([[1.0, -1.0]] * 4), np.zeros(2)])
    image = np.zeros((1, 8, 8, 1))
    image[0, 2, 5] = 3.0
    expected = image[..., 0] * 4 / 64  # each of the 4 logit weights counts 1/16 of its 16 places
    np.testing.assert_allclose(grad_cam(model, image, 0), expected, atol=1e-7)
    np.testing.assert_array_equal(grad_cam(model, image, 1), np.zeros((1, 8, 8)))
    np.testing.assert_allclose(grad_cam(model, image, 1, relu=False), -expected, atol=1e-7)


def residual():
    """A residual network in the order of the field: convolution, normalisation, sum, activation."""
    inputs = keras.Input((8, 8, 2))
    stem = layers.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    branch = layers.BatchNormalization(name="normalised")(layers.Conv2D(3, 3, padding="same", name="inner")(stem))
    last = layers.ReLU(name="active")(layers.Add(name="sum")([branch, stem]))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(layers.Dropout(0.5)(last))))


LAST = {
    "active": residual,
    "t": lambda: _ended(layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Activation("tanh", name="t")),
    "c": lambda: _ended(layers.SeparableConv2D(3, 3, name="c")),
    "d": lambda: _ended(
        layers.Conv2D(2, 3), layers.MaxPooling2D(), layers.DepthwiseConv2D(2, activation="relu", name="d")
    ),
}


def _ended(*stack):
    return network(*stack, layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3))


@pytest.mark.parametrize("name", LAST)
def test_by_default_the_last_feature_map_after_its_activation(images, name):
    model = LAST[name]()
    by_default = grad_cam(model, images, 1, relu=False)
    np.testing.assert_array_equal(by_default, grad_cam(model, images, 1, layer=name, relu=False))
    assert np.abs(by_default).max() > 0


def test_a_model_inside_the_model_is_looked_into(images):
    inner = network(layers.Conv2D(3, 3, activation="relu", name="inside"), layers.MaxPooling2D())
    adding = layers.Dense(3, kernel_initializer="ones")  # else all that is left of a map may be negative
    outer = keras.Sequential([keras.Input((8, 8, 2)), inner, layers.Flatten(), adding])
    flat = keras.Sequential([keras.Input((8, 8, 2)), *inner.layers, *outer.layers[1:]])
    np.testing.assert_array_equal(grad_cam(outer, images, 0), grad_cam(flat, images, 0))
    inside = grad_cam(outer, images, 0, layer="inside")
    np.testing.assert_array_equal(inside, grad_cam(flat, images, 0, layer="inside"))
    assert inside.any()


def test_sequences_have_maps_too(assert_close):
    stack = [
        layers.Conv1D(3, 2, strides=2, activation="relu", name="c"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(3),
    ]
    model = network(*stack, shape=(8, 2))
    signals = np.random.default_rng(2).standard_normal((2, 8, 2))
    features = np.asarray(model.layers[0](signals))
    coarse = np.maximum(features @ model.layers[-1].get_weights()[0][:, 1] / 4, 0)
    expected = [enlarge(one[:, np.newaxis], 8, 1)[:, 0] for one in coarse]
    assert_close(grad_cam(model, signals, 1), expected, 1e-6)


def test_several_targets_are_an_axis_after_the_batch(two_convolutions, images):
    maps = grad_cam(two_convolutions, images, [[0, 3], [1, 1], [4, 2]])
    assert maps.shape == (3, 2, 8, 8)
    for sample, targets in enumerate([[0, 3], [1, 1], [4, 2]]):
        for place, target in enumerate(targets):
            one = grad_cam(two_convolutions, images[[sample]], target)[0]
            np.testing.assert_allclose(maps[sample, place], one, rtol=1e-5, atol=1e-7)
    assert grad_cam(two_convolutions, images[:0], 0).shape == (0, 8, 8)


def test_the_logits_of_a_softmax_model_are_explained(images):
    stack = [layers.Conv2D(3, 3, activation="relu"), layers.Flatten(), layers.Dense(3)]
    logits = network(*stack)
    with pytest.warns(UserWarning, match="ends in a softmax"):
        maps = grad_cam(keras.Sequential([keras.Input((8, 8, 2)), *stack, layers.Softmax()]), images, 1)
    np.testing.assert_allclose(maps, grad_cam(logits, images, 1), rtol=1e-5, atol=1e-7)


def test_new_weights_are_seen(images):
    model = network(layers.Conv2D(3, 3, use_bias=False), layers.GlobalAveragePooling2D(), layers.Dense(3))
    before = grad_cam(model, images, 0)
    model.set_weights([2 * weight for weight in model.get_weights()])
    np.testing.assert_allclose(grad_cam(model, images, 0), 4 * before, rtol=1e-6)


def test_what_has_no_feature_map_is_refused(two_convolutions, images):
    dense = network(layers.Flatten(), layers.Dense(3))
    with pytest.raises(ValueError, match="has no convolution"):
        grad_cam(dense, images, 0)
    with pytest.raises(ValueError, match=r"no layer 'frist' .*\['first', 'last'"):
        grad_cam(two_convolutions, images, 0, layer="frist")
    with pytest.raises(ValueError, match="feature maps of the same kind"):
        grad_cam(two_convolutions, images, 0, layer=two_convolutions.layers[-1].name)
    with pytest.raises(ValueError, match="batch axis"):
        grad_cam(two_convolutions, images[0], 0)


def test_tf_keras_vis_draws_the_same_map(images):
    tf_keras_vis = pytest.importorskip("tf_keras_vis.gradcam", reason="tf-keras-vis is a peer, not in the environment")
    stack = [layers.Conv2D(3, 3, activation="relu", name="c"), layers.Flatten(), layers.Dense(3)]
    model = network(*stack)
    peer = tf_keras_vis.Gradcam(model, clone=False)
    peer_map = peer(
        lambda logits: logits[:, 1],
        images.astype(np.float32),
        penultimate_layer="c",
        expand_cam=False,
        normalize_cam=False,
    )
    coarse = np.asarray(peer_map)[..., np.newaxis]
    expected = tf.image.resize(coarse, (8, 8)).numpy()[..., 0]
    np.testing.assert_allclose(grad_cam(model, images, 1), expected, rtol=1e-4, atol=1e-6)
