"""L* learns what it is taught, asks little, and stops."""

import pytest
from hypothesis import given

from corpus.machines import dfas
from vitrina.automata import DFA, LANGUAGES, equivalent, learn, minimise


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
    assert 12 <= len(learnt.automaton) <= 24


def test_a_teacher_who_contradicts_itself_is_noticed():
    with pytest.raises(ValueError, match="but agrees with the guess"):
        learn(lambda words: [True] * len(words), lambda guess: "ab", ("a", "b"))  # noqa: ARG005
    with pytest.raises(ValueError, match="alphabet is empty"):
        learn(lambda words: [True] * len(words), lambda guess: None, ())  # noqa: ARG005
