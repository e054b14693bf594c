import gc
from weakref import ref

import keras
import numpy as np
import pytest
import tensorflow as tf

from vitrina.explain import lime_tabular, scoring
from vitrina.explain.black_box import score_function
from vitrina.explain.lime import tabular
from vitrina.explain.remembering import remembered_scores

ROWS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
FREE = tf.Variable(1.0)  # of no layer
FROZEN = tf.Variable(1.0, trainable=False)


class Asked:
    """Asks a model by way of the memory, and counts how often the model was asked in truth."""

    def __init__(self, model, output="logit"):
        self.model, self.output, self.count = model, output, 0
        self.scores = scoring(model, output=output)

    def count_scores(self, samples):
        self.count += 1
        return self.scores(samples)

    def __call__(self, key="rows", samples=ROWS):
        return remembered_scores(self.count_scores, self.model, self.output, key, samples)


def network(*layers, activation="softmax"):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(2, activation=activation)])


def test_the_same_is_asked_once():
    ask = Asked(network(keras.layers.Dense(4, activation="relu")))
    first = ask()
    assert ask() is first
    np.testing.assert_array_equal(first, ask.scores(ROWS))
    assert ask.count == 1


def test_the_last_two_are_remembered():
    ask = Asked(network())
    answers = {"a": ROWS, "b": ROWS[::-1], "c": ROWS * 2}
    expected = {key: ask.scores(samples) for key, samples in answers.items()}
    counts = []
    for key in "ababacabc":
        np.testing.assert_array_equal(ask(key, answers[key]), expected[key])
        counts.append(ask.count)
    assert counts == [1, 2, 2, 2, 2, 3, 3, 4, 5]


def test_each_output_has_its_own_scores():
    model = network()
    logits, shares = Asked(model)(), Asked(model, "probability")()
    np.testing.assert_allclose(shares, tf.nn.softmax(logits), rtol=1e-6)
    silent = Asked(network(activation=None), None)
    np.testing.assert_array_equal(silent(), silent())
    assert silent.count == 1


CHANGES = {
    "a weight": ([], lambda model: model.layers[-1].bias.assign([3.0, -1.0])),
    "the last of many weights": (
        [keras.layers.Dense(5)],
        lambda model: model.layers[0].kernel.assign(model.layers[0].kernel + np.eye(15)[-1].reshape(3, 5)),
    ),
    "a mean that is not trained": (
        [keras.layers.BatchNormalization()],
        lambda model: model.layers[0].moving_mean.assign([1.0, 2.0, 3.0]),
    ),
    "a variable of no layer": ([keras.layers.Lambda(lambda x: x * FREE)], lambda _: FREE.assign_add(1.0)),
    "a frozen variable of no layer": ([keras.layers.Lambda(lambda x: x * FROZEN)], lambda _: FROZEN.assign_add(1.0)),
    "a variable that is read past TensorFlow's own list": (
        [keras.layers.Lambda(lambda x: x * tf.raw_ops.ReadVariableOp(resource=FREE.handle, dtype=tf.float32))],
        lambda _: FREE.assign_add(1.0),
    ),
    "an activation": ([keras.layers.Dense(4)], lambda model: setattr(model.layers[0], "activation", tf.nn.relu)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_that_changed_is_asked_again(change):
    layers, apply = CHANGES[change]
    model = network(*layers)
    ask = Asked(model)
    before = ask()
    known = ask.count
    if "read past" not in change:
        assert ask() is before
        assert ask.count == known
    apply(model)
    after = ask()
    assert ask.count == known + 1
    np.testing.assert_array_equal(after, scoring(model, output="logit")(ROWS))
    assert not np.array_equal(before, after)


def by_python(values):
    return tf.ensure_shape(tf.numpy_function(lambda x: x, [values], tf.float32), values.shape)


def by_chance(values):
    return values + tf.random.uniform(tf.shape(values))


def by_chance_in_a_function(values):
    return tf.cond(tf.reduce_sum(values) > 1e9, lambda: values, lambda: by_chance(values))


@pytest.mark.parametrize("impure", [by_python, by_chance, by_chance_in_a_function])
def test_what_reads_more_than_weights_is_asked_every_time(impure):
    ask = Asked(network(keras.layers.Lambda(impure)))
    ask()
    ask()
    assert ask.count == 2


def test_functions_and_estimators_are_asked_every_time():
    ask = Asked(lambda rows: rows[:, 0], None)
    ask()
    ask()
    assert ask.count == 2


def test_whole_numbers_in_an_embedding_are_remembered():
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((3,), dtype="int32"), layers.Embedding(7, 2), layers.Flatten(), layers.Dense(1)]
    )
    ask = Asked(model)
    numbers = np.arange(6).reshape(2, 3)
    before = ask(samples=numbers)
    assert ask(samples=numbers) is before
    model.layers[0].embeddings.assign(model.layers[0].embeddings + 1.0)
    assert not np.allclose(ask(samples=numbers), before)
    assert ask.count == 2


def test_a_model_is_forgotten_with_its_scores():
    model = network()
    Asked(model)()
    kept = ref(model), ref(score_function(model, "logit"))
    del model
    for _ in kept:  # the function is let go only once the model is gone
        gc.collect()
    assert [one() for one in kept] == [None, None]


@pytest.mark.parametrize("around", [False, True])
def test_rows_explained_one_by_one_share_what_the_model_said_of_their_table(monkeypatch, around):
    sizes, model = [], network(keras.layers.Dense(4, activation="tanh"))

    def recorded(*arguments, **options):
        scores = scoring(*arguments, **options)

        def ask(samples):
            sizes.append(len(samples))
            return scores(samples)

        return ask

    monkeypatch.setattr(tabular, "scoring", recorded)

    def explained(row, seed=0, model=model):
        return lime_tabular(
            model,
            ROWS[row : row + 1],
            1,
            background=ROWS,
            samples=101,
            output="probability" if isinstance(model, keras.Model) else None,
            seed=seed,
            discretise=not around,
            sample_around_instance=around,
        ).attributions

    first, second = explained(0), explained(1)
    assert sizes == ([1, 100, 1, 100] if around else [1, 100, 1])
    other = explained(1, seed=1)
    model.layers[0].kernel.assign(-model.layers[0].kernel)
    turned = explained(1)
    model.layers[0].kernel.assign(-model.layers[0].kernel)
    np.testing.assert_array_equal(explained(1), second)
    np.testing.assert_array_equal(explained(0), first)
    unremembered = scoring(model, output="probability")
    np.testing.assert_array_equal(explained(1, model=unremembered), second)
    np.testing.assert_array_equal(explained(1, 1, unremembered), other)
    assert not np.allclose(turned, second)
