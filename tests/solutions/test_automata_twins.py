"""Textbook and fast form of what week 3 asks, each the other's test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vitrina_solutions as textbook
from vitrina import automata
from vitrina.automata import DFA, TOMITA, MealyMachine, MooreMachine
from vitrina.automata.elman import ElmanNetwork, extract, saturation
from vitrina.recurrent import ElmanCell

LANGUAGES = [pytest.param(language, id=name) for name, language in automata.LANGUAGES.items()]


@st.composite
def machines(draw, most=6, symbols=2):
    states = draw(st.integers(1, most))
    rows = st.lists(st.integers(0, states - 1), min_size=symbols, max_size=symbols)
    table = np.array(draw(st.lists(rows, min_size=states, max_size=states)))
    accepting = np.array(draw(st.lists(st.booleans(), min_size=states, max_size=states)))
    return DFA(tuple("abc"[:symbols]), table, accepting)


def tables(machine):
    return machine.transitions, machine.outputs


@pytest.fixture(scope="module")
def network():
    """A network with weights at random, and its cell."""
    rng = np.random.default_rng(3)
    weights = rng.normal(size=(2, 4)), rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4), 0.2
    return ElmanNetwork(("a", "b"), *weights), ElmanCell(*weights)


@pytest.mark.parametrize("language", LANGUAGES)
def test_reading_and_counting(language):
    machine, word = language.automaton, np.array([0, 1, 1, 0, 0, 1])
    np.testing.assert_array_equal(textbook.run_automaton(machine.transitions, word), machine.run(word))
    counts = automata.word_counts(machine, 9)[:, machine.start]
    np.testing.assert_array_equal(textbook.count_words(*tables(machine), 9), counts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stream_is_labelled_as_it_was_drawn(language):
    drawn = automata.stream(language.automaton, 300, seed=1)
    numbers = np.array(["ab$".index(symbol) for symbol in drawn.text])
    np.testing.assert_array_equal(textbook.label_stream(*tables(language.automaton), numbers), drawn.labels)


def test_tomita_3_by_definition_and_by_automaton():
    words = np.random.default_rng(0).integers(2, size=(500, 11))
    machine = TOMITA[3].automaton
    np.testing.assert_array_equal(textbook.in_tomita_3(words), machine.outputs[machine.run(words)[:, -1]])
    assert textbook.in_tomita_3(words).any()


@given(machines())
@settings(max_examples=60, deadline=None)
def test_minimal_tables_are_the_same(machine):
    smallest = automata.minimise(machine)
    expected = np.column_stack([smallest.transitions, smallest.outputs])
    np.testing.assert_array_equal(textbook.minimise(*tables(machine)), expected)


@given(machines(symbols=3))
@settings(max_examples=60, deadline=None)
def test_equivalent_and_reachable_states_are_the_same(machine):
    groups = automata.equivalent_states(machine)
    np.testing.assert_array_equal(textbook.equivalent_states(*tables(machine)), groups[:, None] == groups)
    assert np.flatnonzero(textbook.reachable(machine.transitions)).tolist() == sorted(machine.reachable().tolist())


@given(machines(), machines())
@settings(max_examples=80, deadline=None)
def test_equivalence_and_a_shortest_counterexample(machine, other):
    met = textbook.meeting_pairs(machine.transitions, other.transitions)
    differ = met & (machine.outputs[:, None] != other.outputs)
    decided = automata.equivalent(machine, other)
    assert differ.any() != bool(decided)
    if decided.counterexample is not None:
        word = textbook.counterexample(*tables(machine), *tables(other))
        assert tuple("ab"[symbol] for symbol in word) == decided.counterexample
    else:
        with pytest.raises(ValueError, match="equivalent"):
            textbook.counterexample(*tables(machine), *tables(other))


@given(machines(), machines())
@settings(max_examples=40, deadline=None)
def test_agreement(machine, other):
    ours = textbook.agreement(*tables(machine), *tables(other), 7)
    np.testing.assert_allclose(ours, automata.agreement(machine, other, 7), atol=1e-12)


@pytest.mark.parametrize("base", [2, 3, 10])
def test_adding_with_a_mealy_machine(base):
    machine = automata.adder(base)
    word = np.append(np.random.default_rng(base).integers(base**2, size=9), 0)
    said = textbook.run_mealy(machine.transitions, machine.outputs, word)
    np.testing.assert_array_equal(said, machine.transduce([machine.alphabet[symbol] for symbol in word]))


@given(machines(symbols=3))
@settings(max_examples=30, deadline=None)
def test_a_moore_machine_becomes_a_mealy_machine(machine):
    moore = MooreMachine(machine.alphabet, machine.transitions, np.arange(len(machine)) * 10)
    expected: MealyMachine = moore.mealy()
    np.testing.assert_array_equal(textbook.mealy_outputs(moore.transitions, moore.outputs), expected.outputs)


def test_the_cell_is_the_networks(network):
    whole, cell = network
    words = np.random.default_rng(1).integers(2, size=(5, 8))
    ours = textbook.read_words(cell, words, 0.0, np.zeros((5, 8, 4)))
    np.testing.assert_allclose(ours, whole.states(words), atol=1e-12)
    shaken = whole.states(words, noise=0.7, kind="multiplicative", seed=5)
    rng = np.random.default_rng(5)
    drawn = np.stack([rng.standard_normal((5, 4)) for _ in range(8)], axis=1)
    np.testing.assert_allclose(textbook.read_words(cell, words, 0.7, drawn), shaken, atol=1e-12)
    assert not np.allclose(shaken, ours)


def test_saturation(network):
    hidden = network[0].states(np.random.default_rng(1).integers(2, size=(5, 8)))[:, 1:].reshape(-1, 4)
    hidden[:, 2] *= 0.05
    for limit, silent in ((0.9, 0.1), (0.5, 0.02)):
        ours = textbook.saturation(hidden, limit, silent)
        assert ours == pytest.approx(saturation(hidden, limit=limit, silent=silent))
        assert 0 < ours < 1


def test_the_gradient_by_differences(network):
    """Back through whole words with noise, against moving each weight a little."""
    _, cell = network
    rng = np.random.default_rng(2)
    words, labels, drawn = rng.integers(2, size=(3, 6)), rng.integers(2, size=(3, 6)), rng.normal(size=(3, 7, 4))

    def loss(**changed):
        moved = ElmanCell(**{name: changed.get(name, getattr(cell, name)) for name in "WUbvc"})
        states = textbook.read_words(moved, words, 0.5, drawn[:, :-1])[:, 1:]
        return textbook.loss_with_l1(moved, states @ moved.v + moved.c, labels, 0.0)

    states = textbook.read_words(cell, words, 0.5, drawn[:, :-1])
    errors = 1 / (1 + np.exp(-(states[:, 1:] @ cell.v + cell.c))) - labels
    drive, turned = np.zeros((3, 4)), np.zeros((4, 4))
    for time in range(6, 0, -1):
        direct = errors[:, time - 1, None] * cell.v
        drive = textbook.step_back(cell, direct, drive, states[:, time], 0.5, drawn[:, time])
        turned += states[:, time - 1].T @ drive
    for place in ((0, 1), (2, 2), (3, 0)):
        shift = np.zeros((4, 4))
        shift[place] = 1e-6
        numeric = (loss(U=cell.U + shift) - loss(U=cell.U - shift)) / 2e-6
        assert turned[place] == pytest.approx(numeric, rel=1e-4, abs=1e-6)


def test_gradient_x_input_of_linear_units_is_complete():
    """Where tanh hardly bends, what the symbols contribute adds up to what h v has gained since the start."""
    rng = np.random.default_rng(4)
    cell = ElmanCell(1e-4 * rng.normal(size=(2, 3)), rng.normal(size=(3, 3)), np.zeros(3), rng.normal(size=3), 0.0)
    word = np.array([0, 1, 1, 0, 1])
    reached = textbook.read_words(cell, word[None], 0.0, np.zeros((1, 5, 3)))[0, -1] @ cell.v
    assert textbook.relevance_of_symbols(cell, word).sum() == pytest.approx(reached, rel=1e-4)


def test_l1_leaves_biases_free_and_the_slope_is_its_derivative(network):
    _, cell = network
    nothing = np.zeros((0, 0))
    priced = textbook.loss_with_l1(cell, nothing, nothing, 2.0)
    freed = ElmanCell(cell.W, cell.U, 0 * cell.b, cell.v, 0.0)
    assert priced == textbook.loss_with_l1(freed, nothing, nothing, 2.0)
    slope = textbook.priced_gradient(cell.U, np.zeros((4, 4)), 2.0, 9.0)
    moved = ElmanCell(cell.W, cell.U + 1e-6 * slope, cell.b, cell.v, cell.c)
    gained = textbook.loss_with_l1(moved, nothing, nothing, 2.0) - priced
    assert gained == pytest.approx(1e-6 * np.sum(slope**2), rel=1e-3)


def test_names_observation_and_majority(network):
    """States are named in another order, so what is compared does not depend on names."""
    whole, cell = network
    words = np.random.default_rng(6).integers(2, size=(60, 20))
    hidden = whole.states(words)
    for ours, theirs in (
        (textbook.sign_names(hidden), automata.by_sign(hidden)),
        (textbook.rounded_names(hidden), automata.by_rounding(hidden)),
    ):
        pairs = np.unique(np.stack([ours.ravel(), theirs.ravel()]), axis=1)
        assert pairs.shape[1] == len(np.unique(ours)) == len(np.unique(theirs)) > 3
    extraction = extract(whole, words, empty=True)
    states = textbook.number_states(textbook.sign_names(hidden))
    moves = textbook.count_moves(states, words, 2)
    assert len(moves) == extraction.states
    assert textbook.determinism(moves) == pytest.approx(extraction.observation.determinism)
    assert textbook.determinism(moves) < 1
    observed = automata.observe(states, words, np.column_stack([np.ones(60, bool), whole.accepts(words)]), ("a", "b"))
    np.testing.assert_array_equal(moves, observed.moves)
    expected = extraction.automaton
    np.testing.assert_array_equal(
        textbook.read_automaton(cell, words, True), np.column_stack([expected.transitions, expected.outputs])
    )


def test_recovery_time():
    states = np.array([[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]])
    kicked = np.array([[1, 2, 3, 4], [2, 2, 1, 4], [1, 2, 3, 3]])
    assert textbook.recovery_time(states, kicked).tolist() == [0, 3, 4]
