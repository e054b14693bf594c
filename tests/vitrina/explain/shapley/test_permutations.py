import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrina.explain import interventional, permutation_shapley, shapley_values
from vitrina.explain.shapley import permutations
from vitrina.explain.shapley.coalitions import all_coalitions


def game_of_order(players, order, seed):
    members = all_coalitions(players)
    numbers = np.random.default_rng(seed).standard_normal(1 << players) * (members.sum(axis=1) <= order)
    return np.all(members[:, np.newaxis] >= members, axis=2) @ numbers


def slow_walk(table, order):
    gained, number = np.zeros(len(order)), 0
    for player in order:
        gained[player] = table[number | 1 << player] - table[number]
        number |= 1 << player
    return gained


@pytest.mark.parametrize("players", [1, 2, 5, 7])
def test_fast_form_is_the_slow_form(players, assert_close):
    table = np.random.default_rng(players).standard_normal(1 << players)
    orders = np.argsort(np.random.default_rng(3).random((6, players)), axis=1)
    pairs = np.array([(slow_walk(table, order) + slow_walk(table, order[::-1])) / 2 for order in orders])
    found = permutation_shapley(table, pairs=6, seed=3)
    assert_close(found.attributions, pairs.mean(axis=0))
    np.testing.assert_allclose(found.standard_errors, pairs.std(axis=0, ddof=1) / 6**0.5, atol=1e-12)
    assert found.evaluated == 2 + 12 * (players - 1)


@given(st.integers(2, 7), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_one_pair_is_exact_where_no_three_act_together(players, seed):
    table = game_of_order(players, 2, seed)
    found = permutation_shapley(table, pairs=1, seed=seed)
    np.testing.assert_allclose(found.attributions, shapley_values(table), atol=1e-9)
    assert np.isnan(found.standard_errors).all()


def test_standard_errors_tell_how_far_estimates_scatter():
    table = game_of_order(6, 6, 1)
    exact = shapley_values(table)
    runs = [permutation_shapley(table, pairs=30, seed=seed) for seed in range(300)]
    found = np.array([run.attributions for run in runs])
    np.testing.assert_allclose(np.mean([run.standard_errors for run in runs], axis=0), found.std(axis=0), rtol=0.15)
    covered = [np.abs(run.attributions - exact) < 1.96 * run.standard_errors for run in runs]
    assert 0.91 < np.mean(covered) < 0.98


def test_antithetic_pairs_need_fewer_orders_than_single_ones():
    table = game_of_order(8, 3, 2)
    exact = shapley_values(table)
    pairs = [permutation_shapley(table, pairs=10, seed=seed).attributions - exact for seed in range(60)]
    singles = []
    for seed in range(60):
        orders = np.argsort(np.random.default_rng(seed).random((20, 8)), axis=1)
        singles.append(np.mean([slow_walk(table, order) for order in orders], axis=0) - exact)
    assert np.linalg.norm(pairs) < 0.7 * np.linalg.norm(singles)


def test_the_same_seed_gives_the_same_values():
    table = game_of_order(6, 6, 1)
    first, again, other = (permutation_shapley(table, pairs=4, seed=seed).attributions for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-6


def test_calls_are_bounded_and_change_nothing(monkeypatch):
    table, most = game_of_order(6, 6, 1), []
    game = lambda members: most.append(len(members)) or table[members @ (1 << np.arange(6))]  # noqa: E731
    whole = permutation_shapley(game, 6, pairs=9)
    monkeypatch.setattr(permutations, "_COALITIONS", 25)
    most.clear()
    np.testing.assert_allclose(permutation_shapley(game, 6, pairs=9).attributions, whole.attributions, atol=1e-12)
    assert max(most) <= 25


def test_a_model_is_explained_for_all_samples_and_targets_at_once(assert_close):
    inputs, background = np.random.default_rng(0).standard_normal((2, 3, 4))
    model = lambda x: np.stack([x[:, 0] * x[:, 1] * x[:, 2], x[:, 3] * x[:, 0]], axis=1)  # noqa: E731
    game = interventional(model, inputs, [[0, 1]] * 3, background=background)
    found = permutation_shapley(game, pairs=5)
    assert found.attributions.shape == found.standard_errors.shape == (3, 2, 4)
    assert_close(found.attributions[:, 1], shapley_values(game)[:, 1])  # pairs of players alone
    np.testing.assert_allclose(found.standard_errors[:, 1], 0, atol=1e-12)
    np.testing.assert_allclose(found.residual, 0, atol=1e-12)
    np.testing.assert_allclose(found.base[0], model(background).mean(axis=0), atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"pairs": 0}, "pairs must be"), ({"pairs": 1.5}, "pairs must be"), ({"players": 2}, "has 3 players")],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        permutation_shapley(np.zeros(8), **options)
