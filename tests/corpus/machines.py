"""Machines and words drawn for tests."""

from itertools import product

import numpy as np
from hypothesis import strategies as st

from vitrina.automata import DFA, MealyMachine, MooreMachine


@st.composite
def dfas(draw, *, most_states=7, symbols="ab"):
    """Draw an automaton, unreachable states and all."""
    count = draw(st.integers(1, most_states))
    row = st.lists(st.integers(0, count - 1), min_size=len(symbols), max_size=len(symbols))
    table = draw(st.lists(row, min_size=count, max_size=count))
    accepting = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return DFA(tuple(symbols), table, accepting, draw(st.integers(0, count - 1)))


@st.composite
def moore_machines(draw):
    """Draw a Moore machine with three outputs."""
    automaton = draw(dfas())
    said = draw(st.lists(st.integers(0, 2), min_size=len(automaton), max_size=len(automaton)))
    return MooreMachine(automaton.alphabet, automaton.transitions, said, automaton.start)


@st.composite
def mealy_machines(draw):
    """Draw a Mealy machine with three outputs."""
    automaton = draw(dfas(most_states=5))
    said = draw(st.lists(st.integers(0, 2), min_size=2 * len(automaton), max_size=2 * len(automaton)))
    return MealyMachine(automaton.alphabet, automaton.transitions, np.reshape(said, (-1, 2)), automaton.start)


def words(length, symbols="ab"):
    """All words up to a length, the shortest first."""
    return ["".join(word) for size in range(length + 1) for word in product(symbols, repeat=size)]


def last_outputs(machine, length):
    """What a machine says last, for all words up to a length that make it say something."""
    return [machine.transduce(word)[-1] for word in words(length) if len(machine.transduce(word))]


def watched(machine, *, count=300, length=40, seed=0):
    """States, words and outputs of a machine that reads random words."""
    words = np.random.default_rng(seed).integers(len(machine.alphabet), size=(count, length))
    states = machine.run(words)
    return states, words, machine.outputs[states]
