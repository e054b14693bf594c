"""A transducer that is watched long enough is read off exactly, as a Mealy or as a Moore machine."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.machines import mealy_machines, moore_machines
from vitrina.automata import adder, by_clusters, equivalent
from vitrina.automata.addition import number_pairs, written_adder
from vitrina.automata.transducers import observe_mealy, observe_moore, read_mealy, read_moore

AB, SAID = ("a", "b"), (0, 1, 2)


def drawn(machine, *, count=300, length=40, seed=0):
    words = np.random.default_rng(seed).integers(len(machine.alphabet), size=(count, length))
    return machine.run(words), words


@given(machine=mealy_machines(), seed=st.integers(0, 99))
def test_a_mealy_machine_is_read_off(machine, seed):
    states, words = drawn(machine, seed=seed)
    observation = observe_mealy(states, words, machine.outputs[states[:, :-1], words], AB, SAID)
    assert observation.determinism == observation.agreement == 1
    assert len(observation.unseen) == 0
    assert equivalent(observation.machine(), machine)


@given(machine=moore_machines(), seed=st.integers(0, 99))
def test_a_moore_machine_is_read_off(machine, seed):
    states, words = drawn(machine, seed=seed)
    said, first = machine.outputs[states[:, 1:]], int(machine.outputs[machine.start])
    observation = observe_moore(states, words, said, AB, SAID, first=first)
    assert observation.determinism == observation.agreement == 1
    assert equivalent(observation.machine(), machine)
    mealy = observe_mealy(states, words, said, AB, SAID).machine()
    assert equivalent(mealy, machine.mealy())
    assert equivalent(mealy.moore(first), machine)


class Told:
    """A network whose hidden state is the machine's state, one unit each."""

    def __init__(self, machine, outputs=SAID):
        self.machine, self.alphabet, self.outputs = machine, machine.alphabet, outputs

    def states(self, words):
        hidden = 2.0 * np.eye(len(self.machine))[self.machine.run(words)] - 1
        hidden[:, 0] = 0
        return hidden

    def says(self, words):
        states = self.machine.run(words)
        return self.machine.outputs[states[:, :-1], words]


@given(machine=mealy_machines(), seed=st.integers(0, 99))
def test_gaps_are_asked_for(machine, seed):
    """Two short words leave most pairs of state and symbol unseen; asking finds the states that they never entered."""
    words = np.random.default_rng(seed).integers(2, size=(2, 8))
    found = read_mealy(Told(machine), words, missing="refuse")
    assert len(found.observation.unseen) == 0
    assert equivalent(found.machine, machine)


def test_one_word_of_one_symbol_is_enough_to_begin_asking():
    """The state that it leads to is visited last of all."""
    found = read_mealy(Told(adder(2), (0, 1)), [[0]], missing="refuse")
    assert found.states == 3
    assert equivalent(found.machine, adder(2))


def test_the_majority_decides_and_strays_are_counted():
    machine = adder(2)
    states, words = drawn(machine)
    said = machine.outputs[states[:, :-1], words]
    wrong = np.random.default_rng(1).random(said.shape) < 0.1
    observation = observe_mealy(states, words, said ^ wrong, machine.alphabet, (0, 1))
    assert observation.agreement == pytest.approx(0.9, abs=0.01)
    assert equivalent(observation.machine(), machine)
    strays = np.array([[0, 1], [0, 1], [0, 2], [0, 1]])
    zeros = np.zeros((4, 1), int)
    assert observe_mealy(strays, zeros, zeros, ("a",), (0, 1)).determinism == 0.75


def test_what_was_never_met_is_refused_or_filled():
    observation = observe_mealy([[0, 1, 1, 1]], [[0, 1, 1]], [[2, 1, 1]], AB, SAID)
    assert observation.unseen.tolist() == [[0, 1], [1, 0]]
    with pytest.raises(ValueError, match=r"state 0 never read 'b' \(2 pairs were never met\)"):
        observation.machine()
    with pytest.raises(ValueError, match="'refuse' or 'stay', got 'trap'"):
        observation.machine(missing="trap")
    filled = observation.machine(missing="stay")
    assert filled.transduce("bab").tolist() == [1, 2, 1]
    assert filled.transitions.tolist() == [[1, 0], [1, 1]]


def test_a_network_that_learnt_nothing_gives_a_machine_of_one_state():
    network = written_adder(4)
    silent = replace(network, readout=np.zeros((7, 4)), offset=np.array([0.0, 0.0, 1.0, 0.0]))
    found = read_mealy(silent, number_pairs(4, 100, 20, seed=0))
    assert len(found.machine) == 1
    assert set(np.unique(found.machine.outputs)) == {2}
    assert not equivalent(found.machine, adder(4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found.observation.agreement == 1


def test_a_network_that_diverged_is_refused():
    broken = replace(written_adder(2), inputs=np.full((4, 1), np.nan))
    with pytest.raises(ValueError, match="NaN or infinite"):
        read_mealy(broken, number_pairs(2, 9, 5, seed=0))


def test_states_are_named_as_asked():
    words = number_pairs(3, 200, 20, seed=0)
    clustered = read_moore(
        written_adder(3, "plain"), words, first=0, name_states=lambda hidden: by_clusters(hidden, 6, seed=0)
    )
    assert clustered.states == 7
    assert equivalent(clustered.machine, adder(3).moore(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 1]], [[0, 1]], [[0, 1]], AB, SAID), r"must agree, got \(1, 2\) and \(1, 2\)"),
        ((np.zeros((0, 3)), np.zeros((0, 2)), np.zeros((0, 2)), AB, SAID), "must agree"),
        (([[0]], np.zeros((1, 0)), np.zeros((1, 0)), AB, SAID), "not be empty"),
        (([[0, -1]], [[0]], [[0]], AB, SAID), "numbers from 0, got -1"),
        (([[0, 1]], [[0]], [[0, 1]], AB, SAID), "must have the shape of the words"),
        (([[0, 1]], [[2]], [[0]], AB, SAID), "words must be numbers from 0 to 1"),
        (([[0, 1]], [[0]], [[3]], AB, SAID), "what was said must be numbers from 0 to 2"),
        (([[0, 1]], [[0]], [[0]], (), SAID), "alphabet is empty"),
        (([[0, 1]], [[0]], [[0]], AB, ()), "outputs are empty"),
        (([[0, 1], [1, 1]], [[0], [0]], [[0], [0]], AB, SAID), "begin in different states"),
    ],
)
def test_bad_observations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        observe_mealy(*arguments)
    with pytest.raises(ValueError, match=message):
        observe_moore(*arguments, first=0)


def test_a_first_output_that_cannot_be_said_is_refused():
    with pytest.raises(ValueError, match="7 is none of the outputs 0, 1, 2"):
        observe_moore([[0, 1]], [[0]], [[0]], AB, SAID, first=7)
