import hashlib
import subprocess
import sys

import numpy as np
import pytest

from vitrina.convolutional import convolutional_network, describe_convolutional_network, train_mnist_cnn
from vitrina.models import MODEL_BUILDERS, load_network, save_network

IMAGE = [6, 5, 2]


def drawn(dtype="float64", seed=0):
    """Arrays of a network: 6 x 5 x 2, a kernel of 3 x 2, pooled to 2 x 2 x 3, two Dense layers."""
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in [(3, 2, 2, 3), (3,), (12, 4), (4, 3), (4,), (3,)]]
    return {"kernels": arrays[:1], "kernel_biases": arrays[1:2], "weights": arrays[2:4], "biases": arrays[4:]}


def logits_by_hand(images, network, pool):
    """The same network in NumPy, one window at a time."""
    (kernel,), (bias,) = network["kernels"], network["kernel_biases"]
    maps = np.zeros((len(images), 4, 4, 3))
    for row, column in np.ndindex(4, 4):
        window = images[:, row : row + 3, column : column + 2]
        maps[:, row, column] = np.maximum(np.tensordot(window, kernel, 3) + bias, 0)
    values = pool(maps.reshape(-1, 2, 2, 2, 2, 3), axis=(2, 4)).reshape(len(images), -1)
    hidden = np.maximum(values @ network["weights"][0] + network["biases"][0], 0)
    return hidden @ network["weights"][1] + network["biases"][1]


@pytest.mark.parametrize(("pooling", "pool"), [("max", np.max), ("average", np.mean)])
def test_logits_are_those_of_the_definition(assert_close, pooling, pool):
    network, images = drawn(), np.random.default_rng(1).normal(size=(3, *IMAGE))
    logits = convolutional_network(IMAGE, **network, pooling=pooling)(images)
    assert_close(logits, logits_by_hand(images, network, pool))
    with pytest.raises(AssertionError):
        assert_close(logits, logits_by_hand(images, network, np.min))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_description_and_file_rebuild_the_network(tmp_path, dtype, pooling):
    model = convolutional_network(IMAGE, **drawn(dtype), pooling=pooling)
    images = np.random.default_rng(1).normal(size=(3, *IMAGE)).astype(dtype)
    assert np.asarray(model(images)).dtype == dtype
    again = MODEL_BUILDERS["convolutional_network"](**describe_convolutional_network(model))
    save_network(model, tmp_path / "one.npz")
    stored = load_network(tmp_path / "one.npz")
    save_network(stored, tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    for other in (again, stored):
        np.testing.assert_array_equal(other(images), model(images))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_shape": [6, 5]}, "three numbers"),
        ({"image_shape": [6, 5, 1]}, "layer 0"),
        ({"image_shape": [3, 5, 2]}, "too small"),
        ({"image_shape": [8, 5, 2]}, "layer 1"),
        ({"weights": [], "biases": []}, "Dense layer"),
        ({"kernel_biases": [np.zeros(2)]}, "layer 0"),
        ({"biases": [np.zeros(4), np.zeros(2)]}, "layer 2"),
        ({"biases": [np.zeros(4), np.zeros(3, "float32")]}, "float32, float64"),
        ({"pooling": "median"}, "max, average"),
    ],
)
def test_wrong_parameters_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        convolutional_network(**{"image_shape": IMAGE, **drawn(), **change})


def test_networks_of_another_kind_are_refused(tmp_path, make_network):
    import keras

    image = keras.Input((8, 8, 1))
    convolutions = [
        keras.layers.Conv2D(2, 3, activation="relu", padding="same"),
        keras.layers.Conv2D(2, 3, activation="tanh"),
        keras.layers.Conv2D(2, 3, activation="relu", use_bias=False),
        keras.layers.Conv2D(2, 3, activation="relu", strides=2),
    ]
    others = [[layer, keras.layers.MaxPooling2D(2)] for layer in convolutions]
    for layers in [*others, [keras.layers.Conv2D(2, 3, activation="relu")], [keras.layers.Dropout(0.5)]]:
        layers = [image, *layers, keras.layers.Flatten(), keras.layers.Dense(2)]
        with pytest.raises(ValueError, match="convolutional_network"):
            save_network(keras.Sequential(layers), tmp_path / "never.npz")
    with pytest.raises(ValueError, match="convolutional_network"):
        describe_convolutional_network(make_network((4, 3)))
    assert not (tmp_path / "never.npz").exists()


SMALL_TRAINING = """
import hashlib, numpy as np
from vitrina.convolutional import train_mnist_cnn
generator = np.random.default_rng(0)
images = generator.random((160, 28, 28, 1), np.float32)
model = train_mnist_cnn(images, generator.integers(0, 10, 160), seed=3, epochs=2)
print(hashlib.sha256(b"".join(array.tobytes() for array in model.get_weights())).hexdigest())
"""


def test_training_repeats_itself_in_another_process(capsys):
    exec(SMALL_TRAINING, {})
    here = capsys.readouterr().out.split()[-1]
    there = subprocess.run([sys.executable, "-c", SMALL_TRAINING], capture_output=True, text=True, check=True)
    assert there.stdout.split()[-1] == here


def test_training_reaches_its_accuracy_and_the_seed_counts(tmp_path):
    from vitrina_datasets import mnist

    digits = mnist.load(cache=tmp_path)
    images = digits.train_images.reshape(-1, 28, 28, 1)
    model = train_mnist_cnn(images, digits.train_labels, epochs=3)
    guesses = np.asarray(model(digits.holdout_images.reshape(-1, 28, 28, 1))).argmax(axis=1)
    assert (guesses == digits.holdout_labels).mean() > 0.92
    trained = [train_mnist_cnn(images[:64], digits.train_labels[:64], seed=seed, epochs=1) for seed in (0, 1)]
    assert len({hashlib.sha256(model.get_weights()[0].tobytes()).hexdigest() for model in trained}) == 2


def test_training_refuses_images_that_do_not_fit():
    for images, labels in [(np.ones((2, 784)), np.ones(2)), (np.ones((2, 28, 28, 1)), np.ones(3))]:
        with pytest.raises(ValueError, match="expected images"):
            train_mnist_cnn(images, labels)
