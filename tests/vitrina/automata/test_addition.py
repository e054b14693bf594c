"""Numbers are added digit by digit, and networks whose weights are written by hand are adders, exactly."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.automata import PARITY, adder, equivalent
from vitrina.automata.addition import add, adder_with_reset, addition_stream, number_pairs, written_adder
from vitrina.automata.transducers import read_mealy, read_moore

BASES = [2, 3, 4, 10]
numbers = st.integers(0, 10**40)


@given(base=st.integers(2, 16), first=numbers, second=numbers)
def test_the_true_adder_adds(base, first, second):
    assert add(adder(base), first, second) == first + second


@pytest.mark.parametrize("architecture", ["dual", "plain"])
@given(base=st.sampled_from(BASES), first=numbers, second=numbers)
def test_a_network_written_by_hand_adds(architecture, base, first, second):
    assert add(written_adder(base, architecture), first, second) == first + second


@pytest.mark.parametrize("architecture", ["dual", "plain"])
@pytest.mark.parametrize("base", BASES)
def test_a_network_written_by_hand_is_as_sure_of_each_digit(architecture, base):
    """Two units that differ by 2 mark the digit, all others cancel out."""
    words, true = number_pairs(base, 200, 20, seed=0), adder(base)
    right = true.outputs[true.run(words)[:, :-1], words]
    assert np.allclose(written_adder(base, architecture).spoken(words), 2 * np.eye(base)[right], atol=1e-2)


@pytest.mark.parametrize("base", BASES)
def test_additions_of_a_thousand_digits(base):
    generator = np.random.default_rng(0)
    first, second = (int("".join(map(str, generator.integers(10, size=1000)))) for _ in range(2))
    for machine in (adder(base), written_adder(base), written_adder(base, "plain")):
        assert add(machine, first, second) == first + second
        assert add(machine, base**1000 - 1, 1) == base**1000  # one carry, all the way


@pytest.mark.parametrize("base", BASES)
def test_the_dual_network_written_by_hand_is_the_mealy_machine(base):
    words = number_pairs(base, 400, 20, seed=0)
    found = read_mealy(written_adder(base), words)
    assert found.states == 3  # the start, no carry, carry
    assert found.observation.determinism == found.observation.agreement == 1
    assert len(found.machine) == 2
    assert equivalent(found.machine, adder(base))


@pytest.mark.parametrize("base", BASES)
def test_the_plain_network_written_by_hand_is_the_moore_machine(base):
    words = number_pairs(base, 400, 20, seed=0)
    network, true = written_adder(base, "plain"), adder(base).moore(0)
    found = read_moore(network, words, first=0)
    assert found.states == 2 * base + 1  # the start, and each sum of two digits and a carry
    assert found.observation.determinism == found.observation.agreement == 1
    assert len(found.machine) == 2 * base  # a carry and a digit
    assert equivalent(found.machine, true)
    assert equivalent(found.machine.mealy(), adder(base))
    assert equivalent(read_mealy(network, words).machine, adder(base))


@pytest.mark.parametrize("base", BASES)
def test_a_dual_network_is_no_moore_machine(base):
    """What it says does not follow from the carry alone: at best, one digit of `base` is guessed."""
    watched = read_moore(written_adder(base), number_pairs(base, 400, 20, seed=0), first=0).observation
    assert watched.determinism == 1
    assert watched.agreement < 0.9


def test_a_stream_is_the_sum_of_its_numbers():
    stream = addition_stream(10, 3000, reset=0.1, seed=0)
    assert len(stream.first) == len(stream.second) == len(stream.total) == 3000
    assert stream.total[0] == "0"
    words = zip(*(text.split("$")[1:] for text in (stream.first, stream.second)), strict=True)
    ends = [place for place, symbol in enumerate(stream.first) if symbol == "$"]
    assert len(ends) == pytest.approx(300, abs=60)
    for begin, (first, second) in zip(ends[:-1], list(words)[:-1], strict=True):
        total = stream.total[begin + 1 : begin + len(first) + 2]  # the carry at the next $ is its first digit
        assert int(total[::-1]) == int(first[::-1] or 0) + int(second[::-1] or 0)


def test_pairs_of_numbers_carry_far_and_begin_with_every_pair():
    words = number_pairs(10, 400, 30, seed=0)
    assert words.shape == (400, 30)
    assert set(words[:, 0]) == set(range(100))
    passed = words // 10 + words % 10 == 9
    assert passed[::2, 1:].mean() == pytest.approx(0.1, abs=0.02)
    assert passed[1::2, 1:].mean() == pytest.approx(0.775, abs=0.02)
    assert np.array_equal(words, number_pairs(10, 400, 30, seed=0))


def test_a_reset_clears_the_carry():
    machine = adder_with_reset(4)
    assert machine.transduce([(3, 3), "$", (0, 0), (3, 2), (0, 0), "$"]).tolist() == [2, 1, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: add(adder(2), -1, 3), "0 or more, got -1 and 3"),
        (lambda: add(PARITY.automaton.mealy(), 1, 1), "pairs of digits"),
        (lambda: addition_stream(12, 10, seed=0), "base from 2 to 10, got 12"),
        (lambda: addition_stream(2, 0, seed=0), "at least one symbol, got 0"),
        (lambda: addition_stream(2, 9, reset=0.0, seed=0), "reset must be a probability above 0"),
        (lambda: number_pairs(1, 3, 3, seed=0), "base must be 2 or more"),
        (lambda: written_adder(1), "base must be 2 or more"),
        (lambda: written_adder(2, "triple"), "'dual' or 'plain', got 'triple'"),
        (lambda: written_adder(2).transduce([(2, 0)]), r"\(2, 0\) is not in the alphabet of 4 symbols"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_wrong_weight_is_found_out():
    network = written_adder(3)
    broken = replace(network, threshold=network.threshold + 20 * (np.arange(5) == 2))
    found = read_mealy(broken, number_pairs(3, 400, 20, seed=0))
    verdict = equivalent(found.machine, adder(3))
    assert not verdict
    wrong = verdict.counterexample
    assert broken.transduce(wrong)[-1] != adder(3).transduce(wrong)[-1]
