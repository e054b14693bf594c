"""Textbook and fast form of each method, each the other's test."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import vitrina_solutions as textbook
from vitrina import explain
from vitrina.convolutional import convolutional_network
from vitrina.functions import score_function
from vitrina.games import TableGame


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
    assert_close(getattr(textbook, name)(relu_network, inputs, 1), getattr(explain, name)(relu_network, inputs, 1))


@pytest.mark.parametrize("steps", [1, 5])
def test_integrated_gradients(make_network, samples, assert_close, steps):
    model = make_network((5, 6, 3), activation="tanh")
    inputs, baseline = samples(model), np.linspace(-1, 1, 5)
    ours = textbook.integrated_gradients(model, inputs, 2, baseline, steps)
    assert_close(ours, explain.integrated_gradients(model, inputs, 2, baseline=baseline, steps=steps))
    with pytest.raises(AssertionError):
        assert_close(ours, explain.integrated_gradients(model, inputs, 2, baseline=0.0, steps=steps))


def test_completeness_error(make_network, samples, assert_close):
    model = make_network((5, 6, 3))
    inputs, baseline = samples(model), np.linspace(-1, 1, 5)
    explained = textbook.gradient_x_input(model, inputs, 1)
    scores = np.asarray(model(inputs))[:, 1], np.tile(np.asarray(model(baseline[None]))[:, 1], len(inputs))
    theirs = explain.completeness_error(model, inputs, 1, explained, baseline=baseline)
    assert_close(textbook.completeness_error(explained, *scores), theirs)


def test_smooth_grad_of_many_draws_approaches_the_same_mean(make_network, samples):
    """The fast form draws its own noise, so only their limit is one."""
    model = make_network((5, 6, 3), activation="tanh")
    inputs = samples(model)
    noise = np.random.default_rng(1).normal(scale=0.3, size=(400, *inputs.shape))
    theirs = explain.smooth_grad(model, inputs, 0, noise=0.3, samples=400)
    gap = textbook.relative_difference(textbook.smooth_grad(model, inputs, 0, noise), theirs)
    assert gap < 0.1 < textbook.relative_difference(textbook.logit_gradient(model, inputs, 0), theirs)


def test_deeplift(relu_network, samples, assert_close):
    inputs = samples(relu_network)
    baseline = np.random.default_rng(8).normal(size=inputs.shape[1])
    ours = textbook.deeplift(relu_network, inputs, 1, baseline)
    assert_close(ours, explain.deeplift(relu_network, inputs, 1, baseline=baseline))


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
    rules = [explain.z_box(0.0, 1.0), explain.gamma(0.25), explain.epsilon(0.1)]
    ours = textbook.lrp_cnn(cnn, images, 1, 0.1, 0.25)
    assert_close(ours, explain.lrp(cnn, images, 1, rules=rules), 1e-9)
    with pytest.raises(AssertionError):
        assert_close(ours, explain.lrp(cnn, images, 1, rules=[explain.gamma(0.25), *rules[1:]]), 1e-2)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_lrp_of_pooling(images, assert_close, pooling):
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
    assert_close(ours, explain.occlusion(cnn, images, 1, window=2, fill=0.5))


def test_grad_cam(cnn, images, assert_close):
    import tensorflow as tf

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
    theirs = explain.deletion_curve(model, inputs, 1, relevance, perturbations=["black"], steps=4)["black"]
    ours = textbook.deletion_curve(model, inputs, 1, relevance, np.zeros_like(inputs), 2, 4)
    assert_close(ours, theirs.outputs)
    assert textbook.aopc(ours) == pytest.approx(float(np.mean(explain.aopc({"black": theirs})["black"])))


#: A model of four features that interact, as a function; class 1 is explained.
@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(3)
    sizes = [(4, 6), (6, 2)]
    return score_function([rng.normal(size=s) for s in sizes], [rng.normal(size=n) for _, n in sizes])


@pytest.fixture
def table():
    """A few samples, and a background for them."""
    rng = np.random.default_rng(4)
    return rng.normal(size=(3, 4)), rng.normal(size=(7, 4))


@pytest.mark.parametrize("players", [1, 2, 5])
def test_shapley_values_of_a_game(players, assert_close):
    worths = np.random.default_rng(players).normal(size=2**players)
    theirs = explain.shapley_values(worths)
    assert_close(textbook.shapley_values(TableGame(worths), players), theirs)
    assert_close(textbook.shapley_by_orders(TableGame(worths), players), theirs)


def test_shapley_values_of_features(scores, table, assert_close):
    inputs, background = table
    ours = textbook.shapley_of_features(scores, inputs, 1, background)
    theirs = explain.kernel_shap(scores, inputs, 1, background=background)  # 16 coalitions: all of them
    assert_close(ours, theirs.attributions, 1e-8)
    with pytest.raises(AssertionError):
        assert_close(ours, explain.kernel_shap(scores, inputs, 1, background=background[:1]).attributions, 1e-2)


def test_what_a_coalition_is_worth(scores, table, assert_close):
    inputs, background = table
    game = explain.interventional(scores, inputs[:1], 1, background=background)
    masks = textbook.coalition_masks(4)
    worths = [
        textbook.coalition_value(scores, inputs[0], 1, background, np.flatnonzero(mask).tolist()) for mask in masks
    ]
    assert_close(np.array(worths), np.asarray(game(masks == 1)).ravel())


def test_linear_shap(table, assert_close):
    inputs, background = table
    weights = np.array([0.5, -1.0, 2.0, 0.0])
    model = LinearRegression().fit(np.eye(4), weights)
    theirs = explain.linear_shap(model, inputs, 0, background=background)
    assert_close(textbook.linear_shapley(model.coef_, inputs, background), theirs)


def test_kernel_shap_of_all_coalitions_gives_the_shapley_values(assert_close):
    worths = np.random.default_rng(0).normal(size=32)
    masks = textbook.coalition_masks(5)
    inner = masks[1:-1]
    ours = textbook.kernel_shap_fit(
        inner, worths[1:-1], textbook.kernel_shap_weights(inner), float(worths[0]), float(worths[-1])
    )
    assert_close(ours, explain.shapley_values(worths))
    plain = textbook.kernel_shap_fit(inner, worths[1:-1], np.ones(30), float(worths[0]), float(worths[-1]))
    with pytest.raises(AssertionError):
        assert_close(plain, explain.shapley_values(worths), 1e-3)


def test_permutation_shapley_of_many_draws_approaches_the_same_mean_and_error():
    """The fast form draws orders of its own, so only limits are one."""
    worths = np.random.default_rng(1).normal(size=16)
    rng = np.random.default_rng(2)
    estimate, error = textbook.sampled_shapley(TableGame(worths), np.stack([rng.permutation(4) for _ in range(4000)]))
    truth = explain.shapley_values(worths)
    assert np.all(np.abs(estimate - truth) < 5 * error)
    intervals = textbook.shapley_interval(TableGame(worths), 4, 4000, 3)
    np.testing.assert_allclose(np.diff(intervals, axis=1)[:, 0], 2 * 1.96 * error, rtol=0.1)


def test_lime_by_hand_is_the_library_on_the_same_neighbours(assert_close):
    """`lime` fits the masks of neighbours with the same kernel, ridge and intercept; its seed of the ridge is 1."""
    lime_base = pytest.importorskip("lime.lime_base")
    rng = np.random.default_rng(0)
    masks = (rng.random((200, 4)) < 0.5).astype(float)
    masks[0] = 1
    outputs = np.sin(masks @ np.array([1.0, -2.0, 0.5, 3.0]))[:, None]
    width = 1.3
    library = lime_base.LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / width**2)))
    distances = np.linalg.norm(1 - masks, axis=1)
    intercept, pairs, fidelity, _ = library.explain_instance_with_data(masks, outputs, distances, 0, 4, "none")
    weights = textbook.lime_weights(masks, width)
    ours = textbook.lime_fit(masks, outputs[:, 0], weights, 1.0)
    assert_close(ours, np.array([intercept, *(dict(pairs)[feature] for feature in range(4))]), 1e-8)
    fitted = ours[0] + masks @ ours[1:]
    assert textbook.local_fidelity(outputs[:, 0], fitted, weights) == pytest.approx(fidelity, abs=1e-8)


def test_quartile_bins_are_those_of_the_library():
    discretize = pytest.importorskip("lime.discretize")
    rng = np.random.default_rng(0)
    training, inputs = rng.normal(size=(50, 3)), rng.normal(size=(20, 3))
    library = discretize.QuartileDiscretizer(training, [], ["a", "b", "c"], random_state=0)
    np.testing.assert_array_equal(textbook.quartile_bins(inputs, training), library.discretize(inputs))
    np.testing.assert_array_equal(textbook.quartile_bins(training, training), library.discretize(training))


def test_covering_superpixels(assert_close):
    rng = np.random.default_rng(5)
    image, segments = rng.random((8, 8, 3)), np.kron(np.arange(4).reshape(2, 2), np.ones((4, 4), int))
    covered = textbook.switch_off(image, segments, np.array([[1, 0, 1, 1], [1, 1, 1, 1]]), 0.5)
    assert_close(covered[1], image)
    assert np.all(covered[0, :4, 4:] == 0.5)
    assert_close(covered[0, 4:], image[4:])


def test_importance_and_correlation_are_those_of_the_libraries(scores, assert_close):
    """scikit-learn draws its own permutations, so theirs are handed to ours."""
    rng = np.random.default_rng(6)
    inputs = rng.normal(size=(200, 4))
    labels = np.argmax(scores(inputs), axis=1)
    orders = np.stack([rng.permutation(200) for _ in range(20)])
    ours = textbook.permutation_importance(scores, inputs, labels, orders)
    for feature in range(4):
        shuffled = np.repeat(inputs[None], 20, axis=0)
        shuffled[:, :, feature] = inputs[orders, feature]
        kept = np.mean(np.argmax(scores(shuffled.reshape(-1, 4)), axis=1).reshape(20, -1) == labels)
        assert ours[feature] == pytest.approx(1 - kept)
    expected = [abs(np.corrcoef(column, labels)[0, 1]) for column in inputs.T]
    assert_close(textbook.correlation_with_label(inputs, labels), np.array(expected))
