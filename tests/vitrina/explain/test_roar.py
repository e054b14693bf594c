import keras
import numpy as np
import pytest

from vitrina.explain import gradient_x_input, roar
from vitrina.models import dense_network

GENERATOR = np.random.default_rng(0)
INPUTS = GENERATOR.standard_normal((600, 5))
LABELS = (INPUTS[:, 2] > 0).astype(int)  # one feature decides, four say nothing
TRAIN, TEST = (INPUTS[:400], LABELS[:400]), (INPUTS[400:], LABELS[400:])


def least_squares(inputs, labels, _seed):
    """Train a linear classifier in one step."""
    weights, *_ = np.linalg.lstsq(np.c_[inputs, np.ones(len(inputs))], 2.0 * labels - 1, rcond=None)
    return dense_network([np.c_[-weights[:-1], weights[:-1]]], [np.array([-weights[-1], weights[-1]])])


@pytest.fixture(scope="module")
def model():
    return least_squares(*TRAIN, 0)


def test_without_the_feature_that_decides_a_new_model_is_at_chance(model):
    methods = {"right": gradient_x_input, "wrong": lambda *asked: -gradient_x_input(*asked)}
    result = roar(model, TRAIN, TEST, methods, retrain=least_squares, shares=[0.2, 0.8])
    np.testing.assert_allclose(result.shares, [0, 0.2, 0.8])
    assert set(result.accuracies) == {"right", "wrong", "random"}
    means = {name: rows.mean(axis=0) for name, rows in result.accuracies.items()}
    assert all(rows.shape == (3, 3) for rows in result.accuracies.values())
    assert all(row[0] > 0.95 for row in means.values())
    assert means["right"][1] < 0.6  # the deciding feature went first, from training and test data
    assert means["wrong"][2] > 0.9  # and last
    assert 0.75 < means["random"][1] < 0.95  # from one sample in five


def test_what_is_removed_becomes_the_mean_of_the_training_data(model):
    seen = []

    def retrain(inputs, labels, seed):
        seen.append((inputs, labels, seed))
        return least_squares(inputs, labels, seed)

    methods = {"first": lambda _m, inputs, _t: np.ones(inputs.shape) * [5, 4, 3, 2, 1]}
    roar(model, TRAIN, TEST, methods, retrain=retrain, shares=[0.4], repeats=2, seed=7)
    assert [seed for *_, seed in seen] == [7, 8] * 3  # whole data, method, random
    whole, removed, by_chance = seen[0][0], seen[2][0], seen[4][0]
    np.testing.assert_array_equal(whole, TRAIN[0])
    np.testing.assert_allclose(removed[:, :2], np.broadcast_to(TRAIN[0][:, :2].mean(axis=0), (400, 2)))
    np.testing.assert_array_equal(removed[:, 2:], TRAIN[0][:, 2:])
    assert np.all((by_chance != TRAIN[0]).sum(axis=1) == 2)
    assert not np.array_equal(by_chance, seen[5][0])
    for _, labels, _ in seen:
        np.testing.assert_array_equal(labels, TRAIN[1])


def test_images_lose_pixels_with_all_their_channels(model):
    del model
    generator = np.random.default_rng(1)
    images = generator.random((30, 3, 3, 2)).astype("float32")
    labels = generator.integers(2, size=30)
    classifier = keras.Sequential([keras.Input((3, 3, 2)), keras.layers.Flatten(), keras.layers.Dense(2)])
    seen = []
    retrain = lambda inputs, _labels, _seed: seen.append(inputs) or classifier  # noqa: E731
    roar(classifier, (images, labels), (images, labels), {}, retrain=retrain, shares=[4 / 9], repeats=1)
    changed = seen[1] != images
    np.testing.assert_array_equal(changed[..., 0], changed[..., 1])
    assert np.all(changed[..., 0].sum(axis=(1, 2)) == 4)
    np.testing.assert_allclose(seen[1][changed[..., 0]], np.tile(images.mean(axis=(0, 1, 2)), (120, 1)), rtol=1e-5)


def test_the_decision_is_explained_and_not_the_label(model):
    targets = []
    turned = (TRAIN[0], 1 - TRAIN[1])
    methods = {"mine": lambda _m, inputs, target: targets.append(target) or inputs}
    roar(model, turned, TEST, methods, retrain=least_squares, shares=[0.2], repeats=1)
    np.testing.assert_array_equal(targets[0], np.argmax(model(TRAIN[0]), axis=1))
    assert np.mean(targets[0] == turned[1]) < 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": {"random": gradient_x_input}}, "give yours another name"),
        ({"shares": [0.0]}, "shares must be above 0"),
        ({"shares": [1.1]}, "shares must be above 0"),
        ({"repeats": 0}, "repeats at least 1"),
        ({"train": (TRAIN[0], TRAIN[1][:5])}, "train needs one label per input"),
        ({"test": (TEST[0], TEST[1][:5])}, "test needs one label per input"),
        ({"test": (TEST[0][:, :3], TEST[1])}, "inputs must have shape"),
    ],
)
def test_what_does_not_fit_is_refused(model, change, message):
    arguments = {"train": TRAIN, "test": TEST, "methods": {}} | change
    with pytest.raises(ValueError, match=message):
        roar(model, **arguments, retrain=least_squares)
