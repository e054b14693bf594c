"""Streams are labelled as their automaton says; words are drawn evenly from those that there are."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corpus.machines import dfas, words
from vitrina.automata import (
    LANGUAGES,
    PARITY,
    TOMITA,
    balanced_words,
    draw_words,
    near_misses,
    staying_words,
    stream,
    training_words,
    word_counts,
)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_each_prefix_of_a_stream_has_its_label(language):
    drawn = stream(language.automaton, 2000, seed=1)
    assert len(drawn.text) == len(drawn.labels) == 2000
    assert drawn.text[0] == "$"
    word = ""
    for symbol, label in zip(drawn.text, drawn.labels, strict=True):
        word = "" if symbol == "$" else word + symbol
        assert label == language.contains(word)


def test_words_in_a_stream_have_the_length_that_was_asked_for():
    texts = [stream(PARITY.automaton, 20_000, reset=reset, seed=3).text for reset in (0.1, 0.01)]
    assert [len(text) / text.count("$") for text in texts] == pytest.approx([10, 100], rel=0.15)
    lopsided = stream(PARITY.automaton, 20_000, weights=[99, 1], seed=3).text
    assert lopsided.count("a") / lopsided.count("b") == pytest.approx(99, rel=0.2)
    assert stream(PARITY.automaton, 50, seed=4).text == stream(PARITY.automaton, 50, seed=4).text


@given(machine=dfas(), accepted=st.booleans())
def test_words_are_counted(machine, accepted):
    counts = word_counts(machine, 6, accepted=accepted)
    for length in range(7):
        assert counts[length, machine.start] == sum(
            machine.accepts(word) == accepted for word in words(6) if len(word) == length
        )


@given(machine=dfas(), accepted=st.booleans(), seed=st.integers(0, 99))
def test_drawn_words_belong_or_not_as_was_asked(machine, accepted, seed):
    assume(word_counts(machine, 7, accepted=accepted)[7, machine.start])
    drawn = draw_words(machine, 20, 7, accepted=accepted, seed=seed)
    assert drawn.shape == (20, 7)
    assert np.all(machine.outputs[machine.run(drawn)[:, -1]] == accepted)


def test_each_word_is_as_likely_as_any_other():
    automaton = TOMITA[4].automaton
    drawn = draw_words(automaton, 13_000, 4, seed=0)
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 13  # of 16 words three have bbb
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_a_word_in_millions_is_found():
    drawn = draw_words(TOMITA[2].automaton, 3, 60, seed=0)
    assert ["".join("ab"[symbol] for symbol in word) for word in drawn] == ["ab" * 30] * 3


@given(seed=st.integers(0, 99), count=st.integers(2, 9))
def test_balanced_words_are_half_and_half(seed, count):
    drawn, labels = balanced_words(TOMITA[6].automaton, count, 5, seed=seed)
    assert labels.sum() == count // 2
    assert [TOMITA[6].contains("".join("ab"[s] for s in word)) for word in drawn] == labels.tolist()


@pytest.mark.parametrize("number", [1, 3, 4, 5, 6, 7])
def test_near_misses_differ_in_one_symbol(number):
    automaton = TOMITA[number].automaton
    inside, outside = near_misses(automaton, 40, 8, seed=number)
    assert inside.shape == outside.shape == (40, 8)
    assert np.all((inside != outside).sum(axis=1) == 1)
    assert np.all(automaton.outputs[automaton.run(inside)[:, -1]])
    assert not np.any(automaton.outputs[automaton.run(outside)[:, -1]])


def test_what_cannot_be_drawn_is_refused():
    everything = TOMITA[1].automaton.__class__(("a",), [[0]], [True])
    with pytest.raises(ValueError, match="no word of length 3 is rejected"):
        draw_words(everything, 1, 3, accepted=False, seed=0)
    with pytest.raises(ValueError, match="no word of length 3 is accepted"):
        balanced_words(TOMITA[2].automaton, 4, 3, seed=0)
    with pytest.raises(ValueError, match="leaves the language by changing one symbol"):
        near_misses(everything, 1, 3, seed=0)
    with pytest.raises(ValueError, match="leaves the language by changing one symbol"):
        near_misses(PARITY.automaton, 1, 0, seed=0)
    with pytest.raises(ValueError, match="at least one symbol"):
        stream(PARITY.automaton, 0, seed=0)
    with pytest.raises(ValueError, match="reset must be a probability"):
        stream(PARITY.automaton, 10, reset=0, seed=0)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_training_words_show_both_sides(language):
    words = training_words(language.automaton, 400, 12, seed=0)
    assert words.shape == (400, 12)
    assert words.min() == 0
    assert words.max() == 1
    last = language.automaton.outputs[language.automaton.run(words)[:, 1:]]
    assert 0.1 < last.mean() < 0.9


@pytest.mark.parametrize("language", [TOMITA[2], TOMITA[4], TOMITA[7]], ids=lambda language: language.name)
def test_staying_words_can_always_still_be_accepted(language):
    machine = language.automaton
    words = staying_words(machine, 60, 200, seed=0)
    trap = [state for state in range(len(machine)) if set(machine.transitions[state].tolist()) == {state}]
    assert not np.isin(machine.run(words), [state for state in trap if not machine.outputs[state]]).any()
    assert np.array_equal(words, staying_words(machine, 60, 200, seed=0))


def test_staying_words_have_long_runs_of_each_symbol():
    words = staying_words(PARITY.automaton, 200, 100, seed=0)
    assert not np.array_equal(words, staying_words(PARITY.automaton, 200, 100, seed=1))
    shares = words.mean(axis=1)
    assert shares.min() < 0.05
    assert shares.max() > 0.95
    assert shares.mean() == pytest.approx(0.5, abs=0.06)
