import hashlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from vitrina.models import (
    MODEL_BUILDERS,
    dense_network,
    dense_parameters,
    describe_dense_network,
    load_network,
    save_network,
    train_mnist_network,
)

W1 = np.array([[1.0, -1.0], [2.0, 3.0]])
W2 = np.array([[1.0], [10.0]])
B1, B2 = np.array([0.5, 0.0]), np.array([-1.0])


def test_logits_worked_by_hand():
    # (1, 1): hidden relu(3.5, 2), 3.5 + 20 - 1; (0, -1): hidden relu(-1.5, -3) = 0, and the logit -1 stays
    logits = np.asarray(dense_network([W1, W2], [B1, B2])(np.array([[1.0, 1.0], [0.0, -1.0]])))
    np.testing.assert_array_equal(logits, [[22.5], [-1.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_network_computes_in_the_type_of_its_weights(make_network, dtype):
    model = make_network((4, 5, 3), dtype=dtype)
    assert np.asarray(model(np.ones((2, 4)))).dtype == dtype
    assert {array.dtype.name for array in describe_dense_network(model)["weights"]} == {dtype}
    assert {array.dtype.name for pair in dense_parameters(model) for array in pair} == {"float64"}


@pytest.mark.parametrize(
    ("weights", "biases", "activation", "message"),
    [
        ([], [], "relu", "at least one layer"),
        ([W1], [B1, B2], "relu", "one bias per weight"),
        ([W1, W1.T[:1]], [B1, B1], "relu", "layer 1"),
        ([W1], [B2], "relu", "layer 0"),
        ([W1[0]], [B1], "relu", "layer 0"),
        ([np.zeros((0, 2))], [B1], "relu", "layer 0"),
        ([W1.astype("float32"), W2], [B1, B2], "relu", "float32, float64"),
        ([W1.astype(int)], [B1.astype(int)], "relu", "int64"),
        ([W1], [B1], "rellu", "'rellu'"),
    ],
)
def test_wrong_parameters_are_refused(weights, biases, activation, message):
    with pytest.raises(ValueError, match=message):
        dense_network(weights, biases, activation)


@pytest.mark.parametrize("activation", ["relu", "tanh", "leaky_relu", "softplus"])
def test_description_rebuilds_the_network(make_network, activation):
    model = make_network((4, 6, 5, 3), activation=activation)
    description = describe_dense_network(model)
    again = MODEL_BUILDERS["dense_network"](**description)
    inputs = np.random.default_rng(0).standard_normal((5, 4))
    assert description["activation"] == activation
    np.testing.assert_array_equal(again(inputs), model(inputs))


def test_inert_layers_and_missing_bias_are_understood():
    import keras

    inert = [keras.layers.Flatten(), keras.layers.Dropout(0.5)]
    model = keras.Sequential([keras.Input((2, 2)), *inert, keras.layers.Dense(3, use_bias=False)])
    [(weights, bias)] = dense_parameters(model)
    assert weights.shape == (4, 3)
    np.testing.assert_array_equal(bias, np.zeros(3))


def test_models_of_another_kind_are_refused_by_name():
    import keras

    dense, source = keras.layers.Dense, keras.Input((4,))
    pairs = [
        ([source, dense(3), keras.layers.ReLU(name="stranger"), dense(2)], "'stranger' is a ReLU"),
        ([source, dense(3, "relu"), dense(3, "tanh"), dense(2)], "share one activation"),
        ([source, dense(3, "softmax", name="end")], "'end' must be linear"),
        ([source, dense(3, lambda x: x, name="odd")], "'odd'"),
        ([dense(3)], "built"),
    ]
    for layers, message in pairs:
        with pytest.raises(ValueError, match=message):
            describe_dense_network(keras.Sequential(layers))


def test_builders_cannot_be_changed():
    with pytest.raises(TypeError):
        MODEL_BUILDERS["evil"] = print


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_networks_are_equal_bytes_and_come_back(make_network, tmp_path, monkeypatch, dtype):
    model = make_network((4, 6, 3), activation="tanh", dtype=dtype)
    save_network(model, tmp_path / "one.npz")
    monkeypatch.setattr("time.time", lambda: 2e9)  # a file that holds the time of saving would differ
    save_network(load_network(tmp_path / "one.npz"), tmp_path / "two")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two").read_bytes()
    inputs = np.ones((2, 4), dtype)
    np.testing.assert_array_equal(load_network(tmp_path / "two")(inputs), model(inputs))


def test_files_that_are_no_network_are_refused(make_network, tmp_path):
    whole = tmp_path / "whole.npz"
    save_network(make_network((4, 6, 3)), whole)
    bad = {
        "text": b"hello",
        "empty": b"",
        "cut": whole.read_bytes()[:-200],
        "array": _bytes_of(np.save, tmp_path, np.ones(3)),
        "objects": _bytes_of(np.save, tmp_path, np.array([print], dtype=object)),
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="is not a network"):
            load_network(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "zip", "w"), pytest.raises(ValueError, match="is not a network"):
        load_network(tmp_path / "zip")
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "missing.npz")


def _bytes_of(save, folder, array):
    save(folder / "scratch.npy", array)
    return (folder / "scratch.npy").read_bytes()


SMALL_TRAINING = """
import hashlib, numpy as np
from vitrina.models import dense_parameters, train_mnist_network
generator = np.random.default_rng(0)
model = train_mnist_network(generator.random((320, 784), np.float32), generator.integers(0, 10, 320), seed=3, epochs=2)
print(hashlib.sha256(b"".join(a.tobytes() for pair in dense_parameters(model) for a in pair)).hexdigest())
"""


def test_training_repeats_itself_in_another_process_and_leaves_global_seeds_alone(capsys):
    import keras

    keras.utils.set_random_seed(1)
    state = np.random.get_state()[1].copy()
    exec(SMALL_TRAINING, {})
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    here = capsys.readouterr().out.split()[-1]
    there = subprocess.run([sys.executable, "-c", SMALL_TRAINING], capture_output=True, text=True, check=True)
    assert there.stdout.split()[-1] == here


def test_training_reaches_its_accuracy_and_the_seed_counts(tmp_path):
    from vitrina_datasets import mnist

    digits = mnist.load(cache=tmp_path)
    model = train_mnist_network(digits.train_images, digits.train_labels, epochs=5)
    guesses = np.asarray(model(digits.holdout_images)).argmax(axis=1)
    assert (guesses == digits.holdout_labels).mean() > 0.92
    assert [len(bias) for _, bias in dense_parameters(model)] == [128, 64, 10]
    images, labels = digits.train_images[:64], digits.train_labels[:64]
    hashes = {_digest(train_mnist_network(images, labels, seed=seed, epochs=1)) for seed in (0, 1)}
    assert len(hashes) == 2


def _digest(model):
    return hashlib.sha256(dense_parameters(model)[0][0].tobytes()).hexdigest()


def test_training_refuses_images_that_do_not_fit():
    for images, labels in [(np.ones((2, 28, 28)), np.ones(2)), (np.ones((2, 784)), np.ones(3))]:
        with pytest.raises(ValueError, match="expected images"):
            train_mnist_network(images, labels)


def test_importing_the_module_does_not_import_tensorflow():
    code = "import sys, vitrina.models; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_biases_stay_zero_where_none_are_wanted():
    generator = np.random.default_rng(0)
    images, labels = generator.random((40, 784), np.float32), np.arange(40) % 10
    for bias in (False, True):
        model = train_mnist_network(images, labels, epochs=1, bias=bias)
        assert [bool(np.any(b)) for _, b in dense_parameters(model)] == [bias] * 3
