"""What is measured of networks written by hand is what can be worked out for them."""

import math

import numpy as np
import pytest

from corpus.networks import ends_in_aa, unlearnt
from vitrina.automata import PARITY, TOMITA, by_rounding, stability_report, staying_words, training_words
from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.stability import active_units, long_accuracy, recovery, returns
from vitrina.automata.written import network_of


def random_words(count=200, length=40, seed=0):
    return np.random.default_rng(seed).integers(2, size=(count, length))


@pytest.fixture(scope="module")
def parity():
    return network_of(PARITY.automaton, gain=30.0)


def test_the_report_of_a_network_that_is_parity(parity):
    report = stability_report(parity, PARITY.automaton, seed=0, kicks=(0, 0.05), lengths=(100, 2000))
    assert (report.units, report.active) == (5, 4)  # the last unit is 1 for ever
    assert report.saturation == 1
    # Of states in the cube 0.875 are taken for even and 0.26 for odd, independently; only one of both is a state.
    assert report.returns.share == pytest.approx(0.875 * 0.74 + 0.125 * 0.26, abs=0.05)
    assert report.returns.longest <= 3
    assert report.kicks == {0.0: 1.0, 0.05: 1.0}
    assert report.noise == {("additive", 0.5): 1.0, ("multiplicative", 0.6): 1.0}
    assert report.lengths == {100: 1.0, 2000: 1.0}
    text = str(report)
    assert "4 of 5" in text
    assert "2,000 symbols" in text
    assert text.count("\n") == len(text.splitlines()) - 1 == 8


@pytest.mark.parametrize("size", [0.3, 0.5, 1.0])
def test_parity_never_forgets_a_wrong_state(parity, size):
    """
    A unit hears two others and the last one, and the state stays right if none of the two units that listen errs.

    They err where the kick moves what they hear, N(0, size) times the norm of their weights, by more than 1 in the
    wrong direction; then no state, both or the wrong one is on, for ever.
    """
    tail = [
        0.5 * math.erfc(1 / (size * math.sqrt(2) * np.linalg.norm(parity.recurrent[:, unit] / 30))) for unit in (0, 2)
    ]
    right = (1 - tail[0]) * (1 - tail[1])
    for then in (5, 20):
        assert recovery(parity, random_words(count=4000), size, then=then, seed=1) == pytest.approx(right, abs=0.02)


def test_a_kick_of_nothing_changes_nothing():
    for network in (ends_in_aa(), unlearnt(gain=5.0), network_of(TOMITA[7].automaton)):
        assert recovery(network, random_words(), 0, seed=0) == 1


def test_kicks_are_forgotten_where_states_fade_and_grow_where_they_are_chaotic():
    assert recovery(ends_in_aa(), random_words(), 1.0, seed=0) == 1  # 0.4 ** 20 of it is left
    assert recovery(unlearnt(gain=5.0), random_words(), 0.3, seed=0) < 0.1


def test_returns_count_steps():
    """A shift register of two units: after two symbols nothing is left of where it began, and not before."""
    register = ElmanNetwork(
        ("a", "b"),
        np.array([[9.0, 0.0], [-9.0, 0.0]]),
        np.array([[0.0, 9.0], [0.0, 0.0]]),
        np.zeros(2),
        np.array([0.0, 1.0]),
        0.0,
    )
    words = np.zeros((5, 9), int)  # only a: (1, 0) and (1, 1) are seen
    only_a = ElmanNetwork(("a",), register.inputs[:1], register.recurrent, register.bias, register.readout, 0.0)
    back = returns(only_a, words, trials=2000, seed=0)
    assert back.share == 1
    assert back.longest == 2
    # Rounded, a half of the states with a first unit above 0.5 is (1, 0), and a quarter (1, 1).
    at_once = 0.25 * 0.75
    generator = np.random.default_rng(0)
    assert back.median == (0 if at_once > 0.5 else 1)
    hidden = generator.uniform(-1, 1, size=(2000, 2))
    assert np.mean(by_rounding(hidden[:, np.newaxis])[:, 0] >= 0) == 1


def test_what_never_comes_back_is_said():
    flips = ElmanNetwork(("a",), np.zeros((1, 1)), np.array([[20.0]]), np.array([-3.0]), np.ones(1), 0.0)
    back = returns(flips, np.zeros((3, 5), int), trials=400, seed=0)  # it was seen at -1 only
    assert back.share == pytest.approx(0.58, abs=0.06)  # from what is above 0.16 it goes to 1
    stays = ElmanNetwork(("a",), np.zeros((1, 1)), np.array([[0.0]]), np.array([9.0]), np.ones(1), 0.0)
    assert returns(stays, np.zeros((3, 5), int), seed=0).longest <= 1
    never = returns(flips, np.zeros((3, 5), int), trials=1, steps=0, seed=1)
    assert never.share in (0.0, 1.0)
    assert np.isnan(never.median) == (never.share == 0)


def test_active_units_vary():
    hidden = np.array([[0.9, 0.9, 0.01, 0.0], [-0.9, 0.9, -0.01, 0.0]])
    assert active_units(hidden) == 1
    assert active_units(hidden[np.newaxis]) == 1


def test_long_accuracy_is_of_the_beginnings():
    """A network that accepts for ever is right on a* and wrong after the first b."""
    machine = TOMITA[7].automaton
    network = network_of(machine)
    assert long_accuracy(network, machine, (10, 3000), seed=0) == {10: 1.0, 3000: 1.0}
    always = ElmanNetwork(("a", "b"), np.zeros((2, 1)), np.zeros((1, 1)), np.zeros(1), np.zeros(1), 1.0)
    parity = long_accuracy(always, PARITY.automaton, (1, 1000), count=200, seed=0)
    assert parity[1000] == pytest.approx(0.5, abs=0.06)
    words = staying_words(PARITY.automaton, 200, 1000, seed=0)
    assert parity[1] == np.mean(words[:, 0] == 1)


def test_noise_is_of_the_kind_and_strength_that_was_asked_for():
    network, machine = ends_in_aa(), PARITY.automaton
    words = training_words(machine, 200, 50, seed=4)
    asked = [("additive", 0.0), ("additive", 0.3), ("additive", 3.0), ("multiplicative", 3.0)]
    noise = stability_report(network, machine, seed=4, kicks=(), noise=asked, lengths=(10,)).noise
    assert noise["additive", 0.0] == network.accuracy(machine, words)
    for kind, level in asked:
        assert noise[kind, level] == network.accuracy(machine, words, noise=level, kind=kind, seed=4)
    assert len(set(noise.values())) == 4


def test_bad_calls_are_refused():
    network = network_of(PARITY.automaton)
    with pytest.raises(ValueError, match="must not be negative"):
        recovery(network, random_words(), -0.1, seed=0)
    with pytest.raises(ValueError, match="20 symbols before the kick and 20 after it, they have 30"):
        recovery(network, random_words(length=30), 0.1, seed=0)
    with pytest.raises(ValueError, match="lengths must be 1 or more"):
        long_accuracy(network, PARITY.automaton, (), seed=0)
    broken = ElmanNetwork(("a", "b"), np.full((2, 2), np.nan), np.eye(2), np.zeros(2), np.ones(2), 0.0)
    with pytest.raises(ValueError, match="NaN or infinite"):
        stability_report(broken, PARITY.automaton, seed=0)
