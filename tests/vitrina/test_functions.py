"""A score function computes what the Keras network of the same arrays computes, and refuses what does not fit."""

import numpy as np
import pytest

from vitrina.functions import FUNCTION_BUILDERS, score_function, softmax
from vitrina.models import dense_network
from vitrina.values import ModelSpec, realise

RNG = np.random.default_rng(0)
WEIGHTS = [RNG.normal(size=(4, 5)), RNG.normal(size=(5, 3))]
BIASES = [RNG.normal(size=5), RNG.normal(size=3)]
INPUTS = RNG.normal(size=(6, 4))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_it_is_the_dense_network_of_the_same_arrays(activation, assert_close):
    ours = score_function(WEIGHTS, BIASES, activation)(INPUTS)
    assert_close(ours, np.asarray(dense_network(WEIGHTS, BIASES, activation)(INPUTS)))


def test_probabilities_add_up_and_keep_the_order(assert_close):
    sure = score_function(WEIGHTS, BIASES, probabilities=True)(INPUTS)
    assert_close(sure.sum(axis=1), np.ones(6))
    assert_close(sure, softmax(score_function(WEIGHTS, BIASES)(INPUTS)))
    assert np.all(np.isfinite(softmax(np.array([[1e4, -1e4]]))))


@pytest.mark.parametrize("inputs", [INPUTS[0], INPUTS[:, :3], INPUTS[None]])
def test_a_sample_without_its_batch_axis_is_refused(inputs):
    with pytest.raises(ValueError, match=r"expects an array of shape \(batch, 4\)"):
        score_function(WEIGHTS, BIASES)(inputs)


@pytest.mark.parametrize(
    ("weights", "biases", "activation", "said"),
    [
        ([], [], "tanh", "one bias a matrix"),
        (WEIGHTS, BIASES[:1], "tanh", "one bias a matrix"),
        (WEIGHTS[::-1], BIASES[::-1], "tanh", "does not fit"),
        (WEIGHTS, BIASES, "sinus", "tanh, relu"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(weights, biases, activation, said):
    with pytest.raises(ValueError, match=said):
        score_function(weights, biases, activation)


def test_it_travels_as_its_builder_and_arrays_and_is_never_shared_with_a_call_that_may_change_it():
    spec = ModelSpec("score_function", {"weights": WEIGHTS, "biases": BIASES, "activation": "tanh"})
    assert spec.builder in FUNCTION_BUILDERS
    lent = [realise({"model": spec})["model"] for _ in range(2)]
    assert lent[0] is not lent[1]
    np.testing.assert_array_equal(lent[0](INPUTS), lent[1](INPUTS))
