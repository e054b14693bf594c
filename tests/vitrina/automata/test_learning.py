"""L* learns what it is taught, asks little, and stops."""

import zlib

import pytest
from hypothesis import given

from corpus.machines import dfas, words
from vitrina.automata import DFA, LANGUAGES, PARITY, TOMITA, equivalent, learn, learning, minimise


def teacher(machine, asked=None):
    """Answer both questions truthfully."""

    def membership(words):
        if asked is not None:
            asked.extend(words)
        return [machine.accepts(word) for word in words]

    return membership, lambda guess: equivalent(guess, machine).counterexample


@given(machine=dfas(most_states=9))
def test_what_is_taught_is_learnt_exactly(machine):
    asked = []
    learnt = learn(*teacher(machine, asked), machine.alphabet)
    assert learnt.finished
    assert equivalent(learnt.automaton, machine)
    assert len(learnt.automaton) == len(minimise(machine))
    assert learnt.questions == len(asked) == len(set(asked))
    assert learnt.guesses <= len(learnt.automaton)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_the_course_s_languages_are_learnt_with_few_questions(language):
    learnt = learn(*teacher(language.automaton), language.automaton.alphabet)
    assert equivalent(learnt.automaton, language.automaton)
    assert learnt.questions < 60


def test_long_counterexamples_cost_little():
    needle = DFA(("a", "b"), [[min(s + 1, 8), 0] for s in range(9)], [s == 8 for s in range(9)])
    membership, _ = teacher(needle)
    asked = []

    def long_winded(guess):
        if equivalent(guess, needle):
            return None
        return "a" * 7 + "b" if guess.accepts("a" * 8) else "b" * 500 + "a" * 8

    learnt = learn(lambda words: asked.extend(words) or membership(words), long_winded, ("a", "b"))
    assert equivalent(learnt.automaton, needle)
    assert learnt.questions < 400


def test_a_language_without_a_finite_automaton_is_given_up():
    """As many a as b: each guess has a counterexample."""

    def balanced(word):
        return word.count("a") == word.count("b")

    def counterexample(guess):
        tries = (word for n in range(1, 99) for word in ("a" * n + "b" * n, "a" * n, "b" * n, "b" * n + "a" * n))
        return next(word for word in tries if guess.accepts(word) != balanced(word))

    learnt = learn(lambda words: [balanced(word) for word in words], counterexample, ("a", "b"), states=12)
    assert not learnt.finished
    assert 6 <= len(learnt.automaton) <= 12


def test_a_table_that_would_grow_without_end_is_given_up():
    """Answers without any rule: closing the table alone finds ever more rows."""

    def belongs(word):
        return bool(zlib.crc32("".join(word).encode()) & 1)

    def counterexample(guess):
        return next((word for word in words(9) if guess.accepts(word) != belongs(word)), None)

    def membership(asked):
        return [belongs(word) for word in asked]

    learnt = learn(membership, counterexample, ("a", "b"), states=30)
    assert not learnt.finished
    assert len(learnt.automaton) <= 30
    assert learnt.questions < 5000


def test_an_ending_that_tells_nothing_apart_ends_the_search(monkeypatch):
    """It cannot come from a counterexample; a mistake in taking one apart would make it, and ask for ever."""
    monkeypatch.setattr(learning._Table, "learn_from", lambda table, *_: table.endings.append(("a", "a")))
    with pytest.raises(RuntimeError, match=r"\('a', 'a'\) tells no two states apart"):
        learn(*teacher(TOMITA[5].automaton), ("a", "b"))


def test_a_teacher_who_contradicts_itself_is_noticed():
    with pytest.raises(ValueError, match="but agrees with the guess"):
        learn(lambda words: [True] * len(words), lambda guess: "ab", ("a", "b"))  # noqa: ARG005
    with pytest.raises(ValueError, match="many words at once"):
        learn(lambda word: len(word) % 2 == 0, lambda _: None, "ab")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="at least 2 states"):
        learn(*teacher(PARITY.automaton), ("a", "b"), states=1)
    with pytest.raises(ValueError, match="alphabet is empty"):
        learn(lambda words: [True] * len(words), lambda guess: None, ())  # noqa: ARG005
