"""Every name has a language of its own, the same in every process, and its words tell all its states apart."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vitrina import own_language as module
from vitrina.automata import DFA, minimise
from vitrina.own_language import MOST_STATES, own_language

NAMES = ["Ada Lovelace", "Blaise Pascal", "Χρήστος", "x" * 300, "🙂", "", *(f"student {n}" for n in range(94))]


def machine_of(name):
    table, ends = module._drawn(module._digest(own_language(name).name))
    return DFA(("a", "b"), table, ends)


def test_it_can_be_drawn_where_work_is_graded():
    """There the methods are not to be had, and what a student's kernel imports must not need them."""
    for file in (
        module.__file__,
        sys.modules["vitrina.membership"].__file__,
        sys.modules["vitrina.recurrent"].__file__,
    ):
        imported = [node for node in ast.walk(ast.parse(Path(file).read_text())) if isinstance(node, ast.ImportFrom)]
        assert not any(part in node.module for node in imported for part in ("automata", "explain", "axioms"))


@pytest.mark.parametrize("name", NAMES[:30])
def test_a_language_is_minimal_and_balanced(name):
    automaton, own = machine_of(name), own_language(name)
    assert 4 <= len(minimise(automaton)) == len(automaton) <= MOST_STATES
    assert len(automaton.reachable()) == len(automaton)
    for state in range(len(automaton)):  # all states from each
        assert len(DFA(("a", "b"), automaton.transitions, automaton.outputs, state).reachable()) == len(automaton)
    assert own.labels.shape == (2000, 13)
    assert 0.2 < own.labels.mean() < 0.8
    long = own.draw(200, 200, seed=1)[1]
    assert 0.2 < long[:, 100:].mean() < 0.8


@pytest.mark.parametrize("name", NAMES[:30])
def test_no_constant_answer_comes_near_what_is_asked_of_a_network(name):
    shares = [
        own_language(name).draw(count, length, seed=5)[1][:, 1:].mean() for count, length in ((500, 12), (50, 200))
    ]
    assert all(0.15 < share < 0.85 for share in shares)


def test_names_have_languages_of_their_own():
    drawn = {
        machine_of(name).canonical().transitions.tobytes() + machine_of(name).canonical().outputs.tobytes()
        for name in NAMES
    }
    assert len(drawn) >= len(NAMES) - 1


def test_labels_words_and_the_oracle_agree_with_the_automaton():
    own, automaton = own_language("Ada Lovelace"), machine_of("Ada Lovelace")
    words = own.words
    assert set(np.unique(words)) == {0, 1}
    np.testing.assert_array_equal(own.label(words), own.labels)
    np.testing.assert_array_equal(own.labels, automaton.outputs[automaton.run(words)])
    for word, label in zip(words[:20], own.labels[:20], strict=True):
        letters = "".join("ab"[symbol] for symbol in word)
        assert own.belongs(letters) == own.belongs(word) == label[-1]
        assert type(own.belongs(letters)) is bool
    assert own.belongs("") == own.labels[0, 0]
    assert own.label(np.zeros((3, 0), int)).shape == (3, 1)


def test_the_words_that_are_given_show_every_move():
    for name in NAMES[:30]:
        own, automaton = own_language(name), machine_of(name)
        states = automaton.run(own.words)
        moves = np.unique(np.column_stack([states[:, :-1].ravel(), own.words.ravel()]), axis=0)
        assert len(moves) == 2 * len(automaton)


def test_a_name_is_the_same_however_it_is_typed():
    assert own_language(" ada  LOVELACE ") == own_language("Ada Lovelace")
    assert own_language("Ada Lovelace") != own_language("Ada Lovelac")


def test_a_draw_repeats_itself_and_another_seed_or_name_has_other_words():
    own = own_language("Ada Lovelace")
    np.testing.assert_array_equal(own.draw(20, 9, seed=3)[0], own.draw(20, 9, seed=3)[0])
    assert not np.array_equal(own.draw(20, 9, seed=3)[0], own.draw(20, 9, seed=4)[0])
    assert not np.array_equal(own.draw(20, 9, seed=3)[0], own_language("Ben").draw(20, 9, seed=3)[0])


def test_it_is_the_same_in_every_process():
    script = (
        "from vitrina.own_language import own_language as o; print(o('Ada').label([[0, 0, 1, 1, 0, 1, 0, 0, 1]])*1)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in "12"
    }
    assert said == {f"{own_language('ada').label([[0, 0, 1, 1, 0, 1, 0, 0, 1]]) * 1}\n".encode()}


def test_what_it_shows_of_itself_is_the_name():
    assert repr(own_language("Ada")) == "OwnLanguage(name='ada')"
    assert set(vars(own_language("Ada"))) == {"name"}


@pytest.mark.parametrize("words", [[0, 1], [[0, 2]], [[0.5]], [["a"]], [[np.nan]], np.zeros((1, 1, 1))], ids=repr)
def test_what_are_no_words_is_refused(words):
    with pytest.raises(ValueError, match="words must be an array of 0 and 1"):
        own_language("Ada").label(words)


def test_what_is_no_word_is_refused():
    with pytest.raises(ValueError, match="a word is made of a, b"):
        own_language("Ada").belongs("abc")
