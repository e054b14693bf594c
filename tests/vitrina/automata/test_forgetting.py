"""Errors that are forgotten, and those that never are: by counting, and in networks made to be automata."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given

from corpus.machines import dfas
from vitrina.automata import DFA, LANGUAGES, PARITY, TOMITA
from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.forgetting import forgotten, is_permutation, push

#: Says whether the last symbol was b: h = tanh(+-4), whatever it was before.
LAST_B = ElmanNetwork(("a", "b"), np.array([[-4.0], [4.0]]), np.zeros((1, 1)), np.zeros(1), np.ones(1), 0.0)
LAST_B_AUTOMATON = DFA(("a", "b"), [[0, 1], [0, 1]], [False, True])


class Parity:
    """A network of one unit that is 1 after an even number of a and -1 after an odd one, whatever small is added."""

    alphabet = ("a", "b")

    def states(self, words, **_):
        hidden = np.ones((len(words), np.shape(words)[1] + 1, 1))
        for time, symbols in enumerate(np.asarray(words).T):
            hidden[:, time + 1] = self.step(hidden[:, time], symbols)
        return hidden

    def step(self, hidden, symbols, *_):
        return np.sign(hidden) * np.where(symbols[:, None] == 0, -1, 1)

    def logits(self, hidden):
        return hidden[..., 0]


def words(length=40, count=400, seed=0):
    return np.random.default_rng(seed).integers(2, size=(count, length))


def test_which_languages_never_forget():
    never = [name for name, language in LANGUAGES.items() if is_permutation(language.automaton)]
    assert never == ["Tomita 5", "Tomita 6", "parity"]


@given(machine=dfas())
def test_forgotten_is_counted_right(machine):
    if len(machine) < 2:
        return
    symbols = range(len(machine.alphabet))
    found = forgotten(machine, 3)
    for length in range(4):
        merged = [
            machine.transitions[:, word[0]][[one, other]].tolist() if word else [one, other]
            for word in product(symbols, repeat=length)
            for one, other in product(range(len(machine)), repeat=2)
            if one != other
        ]
        if length > 1:
            merged = []
            for word in product(symbols, repeat=length):
                ends = np.arange(len(machine))
                for symbol in word:
                    ends = machine.transitions[ends, symbol]
                pairs = product(range(len(machine)), repeat=2)
                merged += [[ends[one], ends[other]] for one, other in pairs if one != other]
        assert np.isclose(found[length], np.mean([one == other for one, other in merged]))
    assert np.all(np.diff(found) >= -1e-12)
    assert not (is_permutation(machine) and found.any())


def test_a_reset_is_forgotten_at_once():
    assert forgotten(LAST_B_AUTOMATON, 2).tolist() == [0, 1, 1]
    pushed = push(LAST_B, LAST_B_AUTOMATON, words(), 10.0, seed=0)
    assert 0.4 < pushed.measured[0] < 0.6
    assert np.all(pushed.measured[1:] == 1)
    assert np.isnan(pushed.predicted[:2]).all()
    assert np.all(pushed.predicted[2:] == 1)
    assert pushed.wrong == 0


def test_parity_never_forgets_and_the_automaton_knows():
    pushed = push(Parity(), PARITY.automaton, words(), 1.0, seed=0)
    assert 0.05 < pushed.wrong < 0.3
    assert np.allclose(pushed.measured, 1 - pushed.wrong)
    assert np.allclose(pushed.predicted[2:], 1 - pushed.wrong)


def test_without_a_push_all_is_as_it_was():
    for network, automaton in ((LAST_B, LAST_B_AUTOMATON), (Parity(), PARITY.automaton)):
        pushed = push(network, automaton, words(), 0.0, seed=0)
        assert np.all(pushed.measured == 1)
        assert np.all(pushed.predicted[2:] == 1)
        assert pushed.wrong == 0
        assert len(pushed.measured) == 40 - 20 + 1


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        push(LAST_B, LAST_B_AUTOMATON, words(), -1.0, seed=0)
    with pytest.raises(ValueError, match="words need 22 symbols"):
        push(LAST_B, LAST_B_AUTOMATON, words(21), 1.0, seed=0)
    with pytest.raises(ValueError, match="errors need two states"):
        forgotten(DFA(("a",), [[0]], [True]), 3)
    with pytest.raises(ValueError, match="errors need two states"):
        forgotten(TOMITA[1].automaton, -1)
