"""Relevance of symbols: closed forms, Keras' own gradients and LRP, budgets that close, and flips by brute force."""

import keras
import numpy as np
import pytest

from vitrina import explain
from vitrina.automata import DFA, LANGUAGES, PARITY, TOMITA
from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.relevance import decisive, gradient_x_input, lrp, lrp_budget, replacement


def network(seed=0, *, units=5, symbols=3, scale=1.0, bias=1.0):
    draw = np.random.default_rng(seed).normal
    return ElmanNetwork(
        tuple("abc"[:symbols]),
        scale * draw(size=(symbols, units)),
        scale * draw(size=(units, units)),
        bias * draw(size=units),
        draw(size=units),
        bias * float(draw()),
    )


def words(count=6, length=7, symbols=3, seed=0):
    return np.random.default_rng(seed).integers(symbols, size=(count, length))


@pytest.fixture
def twin():
    """The same network in Keras, in double precision, and its words as one-hot vectors."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    one = network()
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.SimpleRNN(5), keras.layers.Dense(1)])
    model.set_weights([one.inputs, one.recurrent, one.bias, one.readout[:, None], np.array([one.offset])])
    yield one, model, np.eye(3)[words()]
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def test_it_is_the_gradient_that_keras_finds(twin):
    one, model, inputs = twin
    wanted = explain.gradient_x_input(model, inputs, 0)
    assert np.allclose(gradient_x_input(one, words()), wanted.sum(axis=2), rtol=1e-9)
    assert np.all((wanted != 0) == (inputs != 0))  # only the entry of the symbol that is there


@pytest.mark.parametrize("e", [1e-6, 1e-3, 0.5])
def test_it_is_the_lrp_of_week_2(twin, e):
    one, model, inputs = twin
    wanted = explain.lrp(model, inputs, 0, rules=explain.epsilon(e))
    assert np.allclose(lrp(one, words(), epsilon=e), wanted.sum(axis=2), rtol=1e-7)


def test_a_nearly_linear_network_has_a_closed_form():
    """v U^(T-t) W of the symbol, by both methods: what each symbol adds to the logit."""
    small = network(scale=1e-3, bias=0.0)
    read = words(length=3)
    powers = [np.linalg.matrix_power(small.recurrent, 2 - time) for time in range(3)]
    wanted = np.stack(
        [small.inputs[read[:, time]] @ power @ small.readout for time, power in enumerate(powers)], axis=1
    )
    scale = np.abs(wanted).max(axis=0)
    assert np.allclose(gradient_x_input(small, read) / scale, wanted / scale, atol=1e-4)
    assert np.allclose(lrp(small, read, epsilon=0) / scale, wanted / scale, atol=1e-4)


def test_a_saturated_memory_is_explained_by_shares_and_not_by_slopes():
    """A unit that is switched on by the first symbol and stays on: h = tanh(3 h + 3 x)."""
    one = np.ones((1, 1))
    memory = ElmanNetwork(("on", "rest"), np.array([[3.0], [0.0]]), 3 * one, np.zeros(1), np.ones(1), 0.0)
    read = np.array([[0] + [1] * 9])
    logit = memory.logits(memory.states(read)[:, -1])
    assert np.allclose(lrp(memory, read, epsilon=0), logit * np.eye(10)[:1])
    assert 0 < gradient_x_input(memory, read)[0, 0] < 1e-15


@pytest.mark.parametrize("e", [0, 1e-3, 1.0])
def test_the_budget_closes(e):
    one, read = network(seed=1), words(seed=1)
    budget = lrp_budget(one, read, epsilon=e)
    total = budget.symbols.sum(axis=1) + budget.biases.sum(axis=1) + budget.stabiliser.sum(axis=1)
    assert np.allclose(total, one.logits(one.states(read)[:, -1]))
    assert np.allclose(budget.stabiliser, 0) == (e == 0)
    without = lrp_budget(network(seed=1, bias=0.0), read, epsilon=e)
    assert not without.biases.any()
    assert budget.biases.all()


def test_bad_epsilons_are_refused():
    for e in (-1e-3, np.inf, np.nan):
        with pytest.raises(ValueError, match="epsilon must be 0 or more and finite"):
            lrp(network(), words(), epsilon=e)


def test_replacing_is_reading_again():
    one, read = network(), words()

    def logit(word):
        return float(one.logits(one.states(word[None])[0, -1]))

    for row, found in zip(read, replacement(one, read), strict=True):
        for place, symbol in enumerate(row):
            others = [np.where(np.arange(7) == place, other, row) for other in range(3) if other != symbol]
            assert np.isclose(found[place], logit(row) - np.mean([logit(word) for word in others]))


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_what_decides_agrees_with_the_definition(language):
    read = words(count=20, symbols=2)
    for row, found in zip(read, decisive(language.automaton, read), strict=True):
        for place in range(7):
            flipped = np.where(np.arange(7) == place, 1 - row, row)
            same, other = ("".join("ab"[symbol] for symbol in word) for word in (row, flipped))
            assert found[place] == (language.contains(same) != language.contains(other))


def test_in_parity_every_symbol_decides_and_in_a_trap_none():
    assert decisive(PARITY.automaton, words(symbols=2)).all()
    assert not decisive(TOMITA[4].automaton, np.ones((1, 9), int)).any()  # bbbbbbbbb: two runs without any one b
    assert decisive(TOMITA[4].automaton, [[0, 1, 1, 1, 0]]).tolist() == [[False, True, True, True, False]]


def test_any_other_symbol_may_decide():
    """Of three symbols, only c in the place of a changes what is said."""
    no_c = DFA(tuple("abc"), [[0, 0, 1], [1, 1, 1]], [True, False])
    assert decisive(no_c, [[0, 1], [2, 0], [2, 2]]).tolist() == [[True, True], [True, False], [False, False]]


def test_one_symbol_cannot_be_replaced():
    with pytest.raises(ValueError, match="no other to put in its place"):
        decisive(DFA(("a",), [[0]], [True]), [[0, 0]])


def test_words_of_no_symbols_and_no_words():
    one = network()
    for function in (gradient_x_input, lrp, replacement):
        assert function(one, np.zeros((3, 0), int)).shape == (3, 0)
        assert function(one, np.zeros((0, 4), int)).shape == (0, 4)
