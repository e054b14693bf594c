"""Each axiom accepts the textbook answer and rejects an answer that violates it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.games import TableGame
from vitrina.properties import PROPERTIES
from vitrina_solutions import lrp


class Linear:
    """A stand-in for a model without biases: its logits are the inputs times a matrix."""

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, inputs):
        return inputs @ self.weights


def layer(seed):
    """Arguments of LRP-0 for a layer without bias; some activations are exactly 0."""
    rng = np.random.default_rng(seed)
    activations = rng.uniform(0.1, 1, (3, 5)) * (rng.random((3, 5)) > 0.3)
    activations[0, 0] = 0
    weights = np.abs(rng.normal(size=(5, 4))) + 0.1
    return {"activations": activations, "weights": weights, "bias": np.zeros(4), "relevance": rng.uniform(0, 1, (3, 4))}


def pixels(seed):
    """Arguments of z^B for positive relevance."""
    rng = np.random.default_rng(seed)
    inputs, weights = rng.uniform(0.1, 0.9, (3, 5)), rng.normal(size=(5, 4))
    return {"inputs": inputs, "weights": weights, "relevance": rng.uniform(0, 1, (3, 4)), "low": 0.0, "high": 1.0}


seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_lrp_0_has_the_axioms_of_a_layer(seed):
    arguments = layer(seed)
    answer = lrp.lrp_0(*arguments.values())
    for name in ("same shape", "zero activation gets nothing", "positivity"):
        assert PROPERTIES[name](arguments, answer) is None


@given(seeds)
def test_zb_has_the_axioms_of_the_pixels(seed):
    arguments = pixels(seed)
    answer = lrp.lrp_zb(*arguments.values())
    for name in ("same shape", "conservation", "positivity"):
        assert PROPERTIES[name](arguments, answer) is None


def test_positivity_asks_for_nothing_where_relevance_is_negative():
    assert PROPERTIES["positivity"]({"relevance": np.array([[1.0, -1.0]])}, np.array([[-1.0, 1.0]])) is None


INPUTS = np.array([[1.0, 0.0], [2.0, 3.0]])
WEIGHTS = np.array([[1.0, -1.0], [0.5, 2.0]])
MODEL = {"model": Linear(WEIGHTS), "inputs": INPUTS, "target": 0}
LAYER = {"activations": INPUTS, "weights": WEIGHTS, "bias": np.zeros(2), "relevance": np.ones((2, 2))}
RIGHT = INPUTS * WEIGHTS[:, 0]


@pytest.mark.parametrize("name", ["same shape", "zero input gets nothing", "completeness"])
def test_gradient_x_input_of_a_linear_model_has_its_axioms(name):
    assert PROPERTIES[name](MODEL, RIGHT) is None


def test_completeness_is_asked_of_the_way_from_a_baseline():
    baseline = np.array([0.5, 1.0])
    arguments = {**MODEL, "baseline": baseline}
    assert PROPERTIES["completeness"](arguments, (INPUTS - baseline) * WEIGHTS[:, 0]) is None
    assert "baseline" in PROPERTIES["completeness"](arguments, RIGHT)


#: Entering first adds 1, entering second adds 2: the values are 1.5, their standard errors 0.05.
SAMPLING = {"game": TableGame([0, 1, 1, 3]), "players": 2, "draws": 100}
INTERVALS = np.array([[1.5 - 0.098, 1.5 + 0.098]] * 2)


def test_intervals_of_the_right_width_around_the_right_place():
    for shift in (0.0, 0.2, -0.2):  # chance may move an estimate by four standard errors
        assert PROPERTIES["an interval for each player"](SAMPLING, INTERVALS + shift) is None
        for name in ("the intervals lie around the Shapley values", "the intervals are as wide as they should be"):
            assert PROPERTIES[name](SAMPLING, INTERVALS + shift) is None


def test_estimates_are_never_the_true_values_of_all_players():
    name = "the intervals come from drawn orders"
    assert "no orders were drawn" in PROPERTIES[name](SAMPLING, INTERVALS)
    assert PROPERTIES[name](SAMPLING, INTERVALS + 1e-6) is None
    assert PROPERTIES[name]({**SAMPLING, "game": TableGame([0, 2])}, np.array([[2.0, 2.0]])) is None  # no chance in it


@pytest.mark.parametrize(
    ("rule", "games"),
    [
        ("equal split", [0, 1, 0, 1]),
        ("first in line", [0, 0, 0, 1]),
        ("Banzhaf", [0, 0, 0, 1, 0, 1, 1, 1]),
        ("by squares", [[0, 1, 0, 1], [0, 0, 2, 2]]),
    ],
)
def test_a_counter_example_is_accepted(rule, games):
    assert PROPERTIES["the rule breaks an axiom on it"]({"question": rule}, np.array(games)) is None


def test_values_add_up_to_the_difference_from_the_background():
    background = np.array([[1.0, 2.0], [0.0, 4.0]])
    arguments = {**MODEL, "background": background}
    assert PROPERTIES["completeness"](arguments, (INPUTS - background.mean(axis=0)) * WEIGHTS[:, 0]) is None
    assert "background" in PROPERTIES["completeness"](arguments, RIGHT)


def test_axioms_of_images():
    """Shape, sums and zeros are asked of all axes after the batch."""
    images = np.array([1.0, 0.0, 2.0, 3.0]).reshape(1, 2, 2, 1)
    relevance = np.array([1.0, 3.0]).reshape(1, 1, 1, 2)
    for names in ("images", "pixels", "activations"):
        assert PROPERTIES["same shape"]({names: images}, images) is None
        assert PROPERTIES["same shape"]({names: images}, images[0])
    assert PROPERTIES["conservation"]({"relevance": relevance}, 4 * images / 6) is None
    assert PROPERTIES["conservation"]({"relevance": relevance}, images)


def test_changes_of_probabilities_cancel():
    answer = np.array([[0.2, -0.15, -0.05]])
    assert PROPERTIES["changes cancel"]({}, answer) is None


EVEN = {"transitions": np.array([[1, 0], [0, 1]]), "accepting": np.array([True, False])}
NOTHING = {"others": np.array([[0, 0]]), "accepting_too": np.array([False])}
THIRD = {"others": np.array([[1, 0], [2, 1], [2, 2]]), "accepting_too": np.array([True, False, False])}


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("same shape", MODEL, RIGHT[0]),
        ("same shape", LAYER, RIGHT.T[:1]),
        ("non-negative", MODEL, np.array([[0.0, -1e-9]])),
        ("zero input gets nothing", MODEL, RIGHT + 0.1),
        ("zero activation gets nothing", LAYER, RIGHT + 0.1),
        ("zero activation gets nothing", LAYER, RIGHT[0]),
        ("positivity", LAYER, np.array([[1.0, 1.0], [2.5, -0.5]])),
        ("conservation", LAYER, np.array([[1.0, 1.0], [1.0, 1.5]])),
        ("conservation", LAYER, np.array([[1.0, 1.0], [np.nan, 1.0]])),
        ("completeness", MODEL, 2 * RIGHT),
        ("changes cancel", {}, np.array([[0.2, -0.2], [0.2, 0.2]])),
        ("the rule breaks an axiom on it", {"question": "equal split"}, np.array([0.0, 1.0, 1.0, 2.0])),
        ("the rule breaks an axiom on it", {"question": "equal split"}, np.array([0.0, 1.0, 1.0])),
        (
            "the rule breaks an axiom on it",
            {"question": "by squares"},
            np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 2.0, 0.0, 2.0]]),
        ),
        ("the rule breaks an axiom on it", {"question": "by squares"}, np.zeros((3, 4))),
        ("the intervals lie around the Shapley values", SAMPLING, np.array([[0.9, 1.1], [1.9, 2.1]])),
        ("the intervals lie around the Shapley values", SAMPLING, np.array([1.5, 1.5])),
        ("an interval for each player", SAMPLING, INTERVALS[0]),
        ("an interval for each player", SAMPLING, INTERVALS[:1]),
        ("an interval for each player", SAMPLING, INTERVALS[:, ::-1]),
        ("the intervals come from drawn orders", SAMPLING, INTERVALS),
        ("the intervals are as wide as they should be", SAMPLING, INTERVALS + np.array([0, 0.1])),
        ("the intervals are as wide as they should be", SAMPLING, INTERVALS - np.array([0, 0.1])),
        ("the automata disagree on it", EVEN | NOTHING, np.array([0])),
        ("no shorter word tells them apart", EVEN | NOTHING, np.array([1])),
        ("the intervals are as wide as they should be", SAMPLING, np.array([1.5, 1.5])),
    ],
)
def test_a_violation_is_named(name, arguments, answer):
    assert PROPERTIES[name](arguments, answer)


def test_every_axiom_is_shown_to_reject_something():
    parameters = test_a_violation_is_named.pytestmark[0].args[1]
    assert {name for name, *_ in parameters} == set(PROPERTIES)


@pytest.mark.parametrize(
    ("other", "word", "apart", "shortest"),
    [
        (NOTHING, [], True, True),
        (NOTHING, [1], True, False),
        (NOTHING, [0], False, False),
        (THIRD, [0, 0], True, True),
        (THIRD, [0, 0, 1], True, False),
        (THIRD, [0, 0, 0], False, False),
    ],
)
def test_a_counterexample_must_tell_automata_apart_and_be_short(other, word, apart, shortest):
    answer = np.array(word, float)
    found = [
        PROPERTIES[name](EVEN | other, answer) is None
        for name in ("the automata disagree on it", "no shorter word tells them apart")
    ]
    assert found == [apart, shortest]


@pytest.mark.parametrize("word", [[2], [-1], [0.5], [[0, 1]], 0])
def test_what_is_no_word_is_said_so(word):
    assert "from 0 to 1" in (PROPERTIES["the automata disagree on it"](EVEN | NOTHING, np.array(word, float)) or "")
