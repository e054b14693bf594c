import numpy as np
import pytest

from vitrina import trained
from vitrina.models import dense_network
from vitrina.trained import mnist_network, with_weights


def build():
    return dense_network([np.zeros((2, 3), np.float32)], [np.zeros(3, np.float32)])


@pytest.fixture
def trainer():
    """Trains by setting every weight to the number of its calls."""

    def train(model):
        train.calls += 1
        model.set_weights([np.full(weight.shape, train.calls, np.float32) for weight in model.weights])

    train.calls = 0
    return train


def first_weight(model) -> float:
    return float(model.get_weights()[0][0, 0])


def test_a_model_is_trained_once(trainer, tmp_path):
    models = [with_weights(build, trainer, name="tiny", recipe="r", cache=tmp_path) for _ in range(2)]
    assert trainer.calls == 1
    assert [first_weight(model) for model in models] == [1, 1]
    assert models[0] is not models[1]
    assert [path.name.startswith("tiny-") for path in tmp_path.iterdir()] == [True]


def test_another_recipe_is_another_file(trainer, tmp_path):
    models = [with_weights(build, trainer, name="tiny", recipe=recipe, cache=tmp_path) for recipe in "abab"]
    assert [first_weight(model) for model in models] == [1, 2, 1, 2]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half a file", b"\x93NUMPY"])
def test_a_damaged_file_is_replaced(trainer, tmp_path, damage):
    with_weights(build, trainer, name="tiny", recipe="r", cache=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert first_weight(with_weights(build, trainer, name="tiny", recipe="r", cache=tmp_path)) == 2
    assert first_weight(with_weights(build, trainer, name="tiny", recipe="r", cache=tmp_path)) == 2


def test_a_file_of_other_shapes_is_not_taken(trainer, tmp_path):
    with_weights(build, trainer, name="tiny", recipe="r", cache=tmp_path)
    (path,) = tmp_path.iterdir()
    np.savez(path.with_suffix(""), **{"0": np.zeros((2, 2)), "1": np.zeros(3)})
    assert first_weight(with_weights(build, trainer, name="tiny", recipe="r", cache=tmp_path)) == 2


def test_without_a_cache_it_only_costs_time(trainer, tmp_path):
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    assert first_weight(with_weights(build, trainer, name="tiny", recipe="r", cache=nowhere)) == 1


def test_the_mnist_network_is_the_trained_one(monkeypatch, tmp_path):
    asked = []

    def train_briefly(images, labels, *, seed, bias):
        asked.append((len(images), len(labels), seed, bias))
        return dense_network([np.full(p, seed, np.float32) for p in [(784, 128), (128, 64), (64, 10)]], biases)

    biases = [np.zeros(n, np.float32) for n in (128, 64, 10)]
    monkeypatch.setattr(trained, "train_mnist_network", train_briefly)
    for seed, bias in [(1, True), (1, False), (2, True), (1, True)]:
        model = mnist_network(seed=seed, bias=bias, cache=tmp_path)
        assert first_weight(model) == seed
    assert asked == [(4000, 4000, 1, True), (4000, 4000, 1, False), (4000, 4000, 2, True)]
