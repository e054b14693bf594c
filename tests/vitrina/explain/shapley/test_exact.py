from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vitrina.explain import kernel_shapley, permutation_shapley, shapley_values
from vitrina.explain.shapley import coalitions, exact
from vitrina_solutions import shapley

PLAYERS = 4


def tables(players=PLAYERS):
    numbers = st.floats(-100, 100, allow_subnormal=False).map(lambda value: round(value, 3))
    return hnp.arrays(np.float64, 1 << players, elements=numbers)


def exact_kernel(game, players=None):
    return kernel_shapley(game, players).attributions


def all_orders(game, players=None):
    """The mean over so many orders that each is among them would be exact; here all of them are."""
    count = coalitions.players_of(game, players)
    table = coalitions.worth(game, coalitions.all_coalitions(count))
    return np.mean([entering(table, order) for order in permutations(range(count))], axis=0)


def entering(table, order):
    gained, number = np.zeros(len(order)), 0
    for player in order:
        gained[player] = table[number | 1 << player] - table[number]
        number |= 1 << player
    return gained


def few_pairs(game, players=None):
    return permutation_shapley(game, players, pairs=3).attributions


METHODS = [shapley_values, exact_kernel]
AXIOM_KEEPERS = [shapley_values, exact_kernel, few_pairs]  # these axioms hold in a sample of orders as well


@given(tables())
@settings(max_examples=30)
def test_weights_of_coalitions_and_the_mean_over_all_orders_are_the_same(table):
    np.testing.assert_allclose(shapley_values(table), all_orders(table), atol=1e-10)
    np.testing.assert_allclose(exact_kernel(table), all_orders(table), atol=1e-10)


@pytest.mark.parametrize("method", AXIOM_KEEPERS)
@given(table=tables())
@settings(max_examples=25)
def test_efficiency(method, table):
    assert method(table).sum() == pytest.approx(table[-1] - table[0], abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
@given(table=tables(), pair=st.permutations(range(PLAYERS)))
@settings(max_examples=25)
def test_symmetry(method, table, pair):
    i, j, *_ = pair
    swapped = coalitions.all_coalitions(PLAYERS)
    swapped[:, [i, j]] = swapped[:, [j, i]]
    symmetric = table + coalitions.worth(table, swapped)  # worth the same whoever of i and j takes part
    values = method(symmetric)
    assert values[i] == pytest.approx(values[j], abs=1e-10)


@pytest.mark.parametrize("method", AXIOM_KEEPERS)
@given(table=tables(), null=st.integers(0, PLAYERS - 1))
@settings(max_examples=25)
def test_null_player(method, table, null):
    members = coalitions.all_coalitions(PLAYERS)
    members[:, null] = False
    assert method(coalitions.worth(table, members))[null] == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("method", AXIOM_KEEPERS)
@given(first=tables(), second=tables(), factor=st.floats(-3, 3))
@settings(max_examples=25)
def test_linearity(method, first, second, factor):
    together = method(first + factor * second)
    np.testing.assert_allclose(together, method(first) + factor * method(second), atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@given(table=tables(), player=st.integers(0, PLAYERS - 1), more=hnp.arrays(float, 8, elements=st.floats(0, 50)))
@settings(max_examples=25)
def test_consistency(method, table, player, more):
    # the player adds at least as much to every coalition as before, so its value does not fall
    members = coalitions.all_coalitions(PLAYERS)
    raised = table.copy()
    raised[members[:, player]] += more
    assert method(raised)[player] >= method(table)[player] - 1e-9


def banzhaf(table):
    return np.array([exact.gains(table, player).mean() for player in range(coalitions.players_of(table, None))])


def first_in_line(table):
    return entering(table, range(PLAYERS))


def equal_split(table):
    return np.full(PLAYERS, (table[-1] - table[0]) / PLAYERS)


@pytest.mark.parametrize(
    ("planted", "axiom"),
    [
        (banzhaf, test_efficiency),
        (first_in_line, test_symmetry),
        (equal_split, test_null_player),
        (lambda table: shapley_values(table) ** 2, test_linearity),
        (lambda table: -shapley_values(table), test_consistency),
        (lambda table: shapley_values(table)[::-1], test_null_player),
    ],
)
def test_an_axiom_finds_who_breaks_it(planted, axiom):
    with pytest.raises(AssertionError):
        axiom(planted)


@pytest.mark.parametrize("players", range(1, 7))
def test_fast_form_is_the_textbook_form(players, assert_close):
    table = np.random.default_rng(players).standard_normal(1 << players)
    game = lambda coalition: table[sum(1 << player for player in coalition)]  # noqa: E731
    assert_close(shapley_values(table), shapley.shapley_values(game, players))
    np.testing.assert_array_equal(coalitions.all_coalitions(players), shapley.coalition_masks(players))


def test_gloves():
    pairs = lambda members: members[:, 0] & (members[:, 1] | members[:, 2])  # noqa: E731
    np.testing.assert_allclose(shapley_values(pairs, 3), [4 / 6, 1 / 6, 1 / 6])


def test_games_with_several_values_are_solved_at_once(assert_close):
    tables = np.random.default_rng(0).standard_normal((2, 3, 16))
    together = shapley_values(np.moveaxis(tables, -1, 0))
    assert together.shape == (2, 3, 4)
    assert_close(together[1, 2], shapley_values(tables[1, 2]))


def test_every_coalition_is_asked_for_once():
    seen = []
    shapley_values(lambda members: seen.append(members) or members.sum(axis=1), 5)
    assert len(np.unique(np.concatenate(seen), axis=0)) == len(np.concatenate(seen)) == 32


def test_a_large_constant_does_not_drown_small_values():
    table = np.random.default_rng(0).standard_normal(16)
    np.testing.assert_allclose(shapley_values(table + 2.0**30), shapley_values(table), atol=1e-6)


@pytest.mark.parametrize(
    ("game", "players", "message"),
    [
        (lambda members: members.sum(axis=1), None, "give players"),
        (lambda members: members.sum(axis=1), 0, "players must be an int of at least 1"),
        (lambda members: members.sum(axis=1), 21, r"2\^21 coalitions.*kernel_shap"),
        (np.zeros(8), 4, "has 3 players, not 4"),
        (np.zeros(6), None, r"2, 4, 8, ... values, got shape \(6,\)"),
        (np.zeros(1), None, "2, 4, 8"),
        (3.0, None, "2, 4, 8"),
        (np.array([0, 1, 2, np.nan]), None, "finite"),
        (["a", "b"], None, "one number"),
        (lambda members: members.sum(), 2, "for each of 4 coalitions"),
        (lambda members: np.zeros(3), 2, "for each of 4 coalitions"),  # noqa: ARG005
    ],
)
def test_games_that_are_none_are_refused(game, players, message):
    with pytest.raises(ValueError, match=message):
        shapley_values(game, players)
