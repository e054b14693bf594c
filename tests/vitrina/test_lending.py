"""Lent models: always the right parameters, whoever had the model before and whatever became of it."""

import threading

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrina import lending
from vitrina.values import ModelSpec, realise

INPUTS = np.linspace(-1, 1, 6).reshape(2, 3)


def described(seed: int, hidden: int = 4) -> ModelSpec:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(3, hidden)), rng.normal(size=(hidden, 2))]
    return ModelSpec(
        "dense_network",
        {"weights": weights, "biases": [rng.normal(size=hidden), rng.normal(size=2)], "activation": "relu"},
    )


def convolutional(seed: int) -> ModelSpec:
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=size) for size in [(2, 2, 1, 3), (3,), (12, 2), (2,)]]
    names = ("kernels", "kernel_biases", "weights", "biases")
    return ModelSpec(
        "convolutional_network",
        {"image_shape": [5, 5, 1], **{name: [array] for name, array in zip(names, arrays, strict=True)}},
    )


def lent(spec: ModelSpec, *, shared: bool = False):
    return realise({"model": spec}, shared=shared)["model"]


def is_right(model, spec: ModelSpec) -> bool:
    inputs = INPUTS if spec.builder == "dense_network" else np.linspace(-1, 1, 50).reshape(2, 5, 5, 1)
    return np.array_equal(model(inputs), spec.build()(inputs))


@pytest.fixture(autouse=True)
def nothing_lent(monkeypatch):
    monkeypatch.setattr(lending, "_loans", [])


def numbers(part):
    return [np.copy(each.numpy()) for each in getattr(part, "weights", [part])]


def keep_model(model):
    return model


def keep_layer(model):
    return model.layers[1]


def keep_variable(model):
    return model.layers[0].kernel


def part_of_another(model):
    return keras.Model(model.inputs, model.layers[0].output)


def test_a_model_is_built_once_for_all_of_its_shapes():
    for describe in (described, convolutional):
        used = set()
        for seed in (1, 2, 1):
            spec = describe(seed)
            model = lent(spec)
            assert is_right(model, spec)
            used.add(id(model))
            del model
        assert len(used) == 1
    assert lent(described(1, hidden=5)).layers[0].units == 5


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from(["keep", "damage", "leave"])), max_size=8))
def test_every_loan_is_right_whatever_happened_to_the_others(steps):
    lending._loans.clear()
    kept = []
    for seed, shared, then in steps:
        spec = described(seed)
        model = lent(spec, shared=shared)
        assert is_right(model, spec)
        if then == "keep":
            kept.append((model, spec))
        elif then == "damage" and not shared:
            model.layers[0].activation = keras.activations.tanh
        del model
        assert all(is_right(*each) for each in kept if each[0].layers[0].activation is keras.activations.relu)


@pytest.mark.parametrize("keep", [keep_model, keep_layer, keep_variable, part_of_another])
def test_who_keeps_a_model_or_a_part_of_it_keeps_its_parameters(keep):
    kept = keep(lent(described(1)))
    before = numbers(kept)
    other = lent(described(2))
    assert is_right(other, described(2))
    assert all(map(np.array_equal, before, numbers(kept)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda model: model.layers[0].set_weights([np.zeros((3, 4)), np.zeros(4)]),
        lambda model: setattr(model.layers[0], "activation", keras.activations.tanh),
        lambda model: model.pop(),
    ],
    ids=["weights", "activation", "layer"],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_changed_model_is_not_lent_as_it_is(damage, seed):
    damage(lent(described(1)))
    assert is_right(lent(described(seed)), described(seed))


def test_descriptions_that_live_at_once_have_models_of_their_own():
    specs = [described(seed) for seed in range(3)]
    models = [lent(spec, shared=True) for spec in specs]
    assert all(map(is_right, models, specs))
    assert lent(specs[0], shared=True) is models[0]
    assert lent(specs[0]) is not models[0]


def test_threads_do_not_get_each_others_models():
    wrong: list[int] = []

    def work(number: int) -> None:
        for turn in range(20):
            spec = described(1000 * number + turn)
            if not is_right(lent(spec, shared=bool(turn % 2)), spec):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(lending, "_MOST_LENT", 3)
    for hidden in range(2, 8):
        lent(described(1, hidden))
    assert len(lending._loans) == 3
