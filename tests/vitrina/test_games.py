"""A game as a table answers for every coalition, however it is written, and says clearly what it cannot answer."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vitrina import explain
from vitrina.axioms import RULES, broken_axioms, contributions_by_order
from vitrina.games import TableGame
from vitrina_solutions import shapley_by_orders

WORTHS = st.integers(1, 5).flatmap(lambda n: hnp.arrays(float, 2**n, elements=st.floats(-1e3, 1e3)))
THREE = hnp.arrays(float, 8, elements=st.integers(-50, 50).map(float))


@given(WORTHS)
def test_every_coalition_has_its_place_in_the_table(worths):
    game = TableGame(worths)
    assert len(worths) == 2**game.players
    for place, worth in enumerate(worths):
        coalition = [player for player in range(game.players) if place >> player & 1]
        for form in (coalition, coalition[::-1], tuple(coalition), set(coalition), np.array(coalition, int)):
            assert game(form) == worth


@pytest.mark.parametrize(
    "worths", [[], [1.0], [0, 1, 2], np.zeros((2, 4)), 5.0, [0, np.nan], [0, np.inf], np.zeros(2**17)]
)
def test_what_is_no_table_is_refused(worths):
    with pytest.raises(ValueError, match="worths"):
        TableGame(worths)


@pytest.mark.parametrize(
    ("coalition", "error", "said"),
    [
        ([3], ValueError, "no player 3: this game has players 0 to 2"),
        ([-1], ValueError, "no player -1"),
        ([0.5], ValueError, "no player 0.5"),
        (2, TypeError, "a list of players such as"),
        ([True, False, True], TypeError, "not a mask"),
        (np.array([True, False, True]), TypeError, "not a mask"),
    ],
)
def test_what_is_no_coalition_is_refused(coalition, error, said):
    with pytest.raises(error, match=said):
        TableGame(range(8))(coalition)


def test_a_caller_cannot_change_the_table_behind_it():
    worths = np.array([0.0, 1.0])
    game = TableGame(worths)
    worths[1] = 7
    assert game([0]) == 1


@given(WORTHS)
def test_the_mean_over_all_orders_is_the_shapley_value(worths):
    game = TableGame(worths)
    means = contributions_by_order(game).mean(axis=0)
    np.testing.assert_allclose(means, shapley_by_orders(game, game.players), atol=1e-9)
    np.testing.assert_allclose(means, explain.shapley_values(worths), atol=1e-8)


@pytest.mark.parametrize("rule", RULES)
@given(one=THREE, other=THREE)
def test_each_rule_breaks_its_own_axiom_only(rule, one, other):
    """Independence of the axioms: no game of the property test shows a second one broken."""
    own = {
        "equal split": "null player",
        "first in line": "symmetry",
        "Banzhaf": "efficiency",
        "by squares": "additivity",
    }
    assert set(broken_axioms(RULES[rule], np.stack([one, other]))) <= {own[rule]}


def test_shapleys_own_rule_breaks_none():
    rng = np.random.default_rng(0)
    for _ in range(200):
        games = rng.integers(-3, 3, (2, 8)).astype(float)
        assert broken_axioms(lambda game: contributions_by_order(game).mean(axis=0), games) == []


def test_each_axiom_is_found_broken_somewhere():
    found = set()
    for rule, table in itertools.product(RULES.values(), itertools.product([0.0, 1.0], repeat=8)):
        found |= set(broken_axioms(rule, np.array(table)))
    assert found == {"efficiency", "symmetry", "null player"}
    assert broken_axioms(RULES["by squares"], [[0, 1, 0, 1], [0, 0, 2, 2]]) == ["additivity"]


@pytest.mark.parametrize("games", [np.zeros(128), np.zeros((0, 8)), np.zeros((3, 8)), np.zeros((2, 2, 4)), [0, 1, 2]])
def test_what_is_no_game_is_refused(games):
    with pytest.raises(ValueError, match=r"game|players"):
        broken_axioms(RULES["Banzhaf"], games)


@pytest.mark.parametrize("size", [1e308, 5e-324])
@pytest.mark.parametrize("rule", ["equal split", "Banzhaf", "by squares"])
def test_no_axiom_is_broken_by_numbers_at_the_end_of_their_range(rule, size):
    assert broken_axioms(RULES[rule], np.array([0, size, size, -size])) == []


@pytest.mark.parametrize("size", [1e308, 1e-300])
def test_what_breaks_an_axiom_breaks_it_at_every_size(size):
    assert broken_axioms(RULES["equal split"], size * np.array([0, 1, 0, 1])) == ["null player"]
