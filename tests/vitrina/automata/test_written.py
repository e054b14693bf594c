"""A network that is written down is its automaton on every word."""

import numpy as np
import pytest
from hypothesis import given

from corpus.machines import dfas
from vitrina.automata import LANGUAGES
from vitrina.automata.written import network_of


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_an_automaton_can_be_written_down_as_a_network(language):
    network = network_of(language.automaton)
    for length in (1, 5, 11, 300):
        read = np.random.default_rng(length).integers(2, size=(200, length))
        assert network.accuracy(language.automaton, read) == 1


@given(dfas())
def test_whatever_automaton(automaton):
    network = network_of(automaton)
    read = np.array([[int(bit) for bit in f"{number:09b}"] for number in range(512)])
    assert network.accuracy(automaton, read) == 1
