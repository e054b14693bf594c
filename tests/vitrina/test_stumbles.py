"""Errors that beginners meet, raised for real, are met with what helps; other errors are left alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vitrina.calling import ask
from vitrina.judging import Case, judge
from vitrina.recurrent import ElmanCell

X = np.ones((2, 3), np.float32)
CELL = ElmanCell(np.ones((2, 3)), np.ones((3, 3)), np.ones(3), np.ones(3), np.zeros(()))


def not_watched(x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(x * x)
    return tape.gradient(y, x).numpy()


def not_watched_and_multiplied(x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(x * x)
    return x * tape.gradient(y, x)


def computed_by_numpy(x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = np.sum(x.numpy() ** 2)
    return tape.gradient(y, x)


def calls_itself(x):
    return calls_itself(x[:, ::-1])


def forgets_to_return(x):
    x = x + 1


STUMBLES = {
    not_watched: "tape.watch",
    not_watched_and_multiplied: "tape.watch",
    lambda x: tf.constant(x).sum(): "np.asarray",
    lambda x, more: x + more: "arguments that the cell came with",
    lambda: X: "arguments that the cell came with",
    lambda x: x @ x: "transpose",
    lambda x: tf.constant(x) @ tf.constant(x): "transpose",
    lambda x: x + np.ones(2): "Print the shapes",
    lambda x: tf.constant(x) / tf.ones((2, 2)): "Print the shapes",
    lambda x: x[:1][1]: "first one counts samples",
    lambda x: x[2]: "one less than the size",
    lambda x: x[np.zeros(1)[0]]: "dtype=int",
    lambda x: x[:, np.abs(x).max(axis=1) > 0]: "the other axis",
    lambda x: x if x > 0 else -x: "many truth values",
    lambda x: x(0): "square brackets",
    lambda x: set(x): "tuple(a.tolist())",
    calls_itself: "Keep what has been visited",
    lambda x: list(forgets_to_return(x)): "`return` missing",
    lambda x: forgets_to_return(x)[0]: "`return` missing",
    computed_by_numpy: "follows TensorFlow only",
    lambda _x: CELL.Wx: "`cell.W`",
    lambda _x: CELL["W"]: "`cell.W`",
    lambda x: nowhere(x): "Run All",  # noqa: F821
}


def outcome_of(function):
    return judge(Case("case", {"x": X}, expected=X), ask(function, {"x": X}).reply, reveal=True)


@pytest.mark.parametrize(("function", "help_"), STUMBLES.items())
def test_what_helps_is_said(function, help_):
    outcome = outcome_of(function)
    assert outcome.status == "failed"
    assert help_ in outcome.hint


def test_an_error_that_speaks_for_itself_is_left_alone():
    assert outcome_of(lambda x: {}[len(x)]).hint == ""
    assert outcome_of(lambda x: keras.layers.Dense(-1)(x)).hint == ""
