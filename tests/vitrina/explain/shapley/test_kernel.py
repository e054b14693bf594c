import logging
import warnings

import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrina.explain import interventional, kernel_shap, kernel_shapley, shapley_values
from vitrina.explain.shapley import kernel
from vitrina.explain.shapley.coalitions import all_coalitions, kernel_sample
from vitrina_solutions import shapley_models

RNG = np.random.default_rng(0)
INPUTS, BACKGROUND = RNG.standard_normal((3, 6)), RNG.standard_normal((7, 6))


def scores(inputs):
    a, b, c, d, e, f = np.moveaxis(inputs, -1, 0)
    return np.stack([a * b * c + np.sin(d * e) + f, np.tanh(a + b * c * d - e)], axis=-1)


def random_game(players, order, seed):
    """A game as the sum of what sets of up to `order` players do together."""
    members = all_coalitions(players)
    numbers = np.random.default_rng(seed).standard_normal(1 << players) * (members.sum(axis=1) <= order)
    inside = np.all(members[:, np.newaxis] >= members, axis=2)
    return inside @ numbers


@pytest.mark.parametrize("players", range(1, 9))
def test_all_coalitions_give_the_exact_values(players, assert_close):
    table = np.random.default_rng(players).standard_normal(1 << players)
    found = kernel_shapley(table)
    assert found.evaluated == 1 << players
    assert_close(found.attributions, shapley_values(table))
    assert found.base == table[0]
    assert abs(found.residual) < 1e-12


@pytest.mark.parametrize(("players", "count"), [(5, 12), (7, 40), (8, 100)])
def test_the_fit_is_the_textbook_form(players, count, assert_close):
    table = np.random.default_rng(players).standard_normal(1 << players)
    members, weights = kernel_sample(players, count, 0)
    worths = table[members @ (1 << np.arange(players))]
    expected = shapley_models.kernel_shap_fit(members.astype(int), worths, weights, table[0], table[-1])
    assert_close(kernel_shapley(table, coalitions=count).attributions, expected)
    whole, weights = kernel_sample(players, 1 << players, 0)
    assert_close(weights, shapley_models.kernel_shap_weights(whole.astype(int)))


@pytest.mark.parametrize("players", [4, 5, 9])
def test_the_fit_is_a_slow_least_squares_with_huge_weights_on_both_ends(players, assert_close):
    table = np.random.default_rng(players).standard_normal(1 << players)
    members, weights = kernel_sample(players, 4 * players, 3)
    every = np.concatenate([members, [[False] * players, [True] * players]])
    design = np.column_stack([every, np.ones(len(every))]) * np.sqrt([*weights, 1e10, 1e10])[:, np.newaxis]
    goal = table[every @ (1 << np.arange(players))] * np.sqrt([*weights, 1e10, 1e10])
    expected = np.linalg.lstsq(design, goal, rcond=None)[0][:-1]
    assert_close(kernel_shapley(table, coalitions=4 * players, seed=3).attributions, expected, 1e-6)


@given(st.integers(2, 9), st.integers(0, 2**32 - 1), st.data())
@settings(max_examples=40)
def test_any_sample_is_efficient_and_exact_for_pairs_of_players(players, seed, data):
    count = data.draw(st.integers(2 * players, 1 << players))
    table = random_game(players, 2, seed)
    found = kernel_shapley(table, coalitions=count, seed=seed)
    np.testing.assert_allclose(found.attributions, shapley_values(table), atol=1e-9)
    third = random_game(players, players, seed)
    assert kernel_shapley(third, coalitions=count, seed=seed).attributions.sum() == pytest.approx(third[-1] - third[0])


@given(st.integers(2, 14), st.integers(0, 2**32 - 1), st.data())
@settings(max_examples=60)
def test_samples_are_different_pairs_from_the_outside_in(players, seed, data):
    count = data.draw(st.integers(2 * players, 2 << players))
    members, weights = kernel_sample(players, count, seed)
    numbers = set((members @ (1 << np.arange(players))).tolist())
    assert len(numbers) == len(members) == min(count // 2 * 2, (1 << players) - 2)
    assert {(1 << players) - 1 - number for number in numbers} == numbers
    sizes = members.sum(axis=1)
    assert {1, players - 1} <= set(sizes.tolist())
    taken = np.bincount(sizes, minlength=players + 1)[1 : players // 2 + 1]
    exist = np.bincount(all_coalitions(players).sum(axis=1))[1 : players // 2 + 1]
    whole = taken == exist
    assert np.all(whole[:-1] >= whole[1:])  # a whole size has none outside it that is not
    assert np.all(weights > 0)


def test_each_size_has_its_share_of_the_kernel():
    members, weights = kernel_sample(10, 300, 0)
    for size in range(1, 10):
        share = weights[members.sum(axis=1) == size].sum()
        assert share == pytest.approx(9 / (size * (10 - size)), rel=0.1)


def test_no_player_is_favoured():
    # each player is in a drawn coalition of the middle equally often, and so is each pair
    counts = np.zeros((7, 7))
    for seed in range(600):
        members, weights = kernel_sample(7, 40, seed)
        counts += (members * weights[:, np.newaxis]).T @ members
    np.testing.assert_allclose(counts.diagonal(), counts.diagonal().mean(), rtol=0.02)
    off = counts[~np.eye(7, dtype=bool)]
    np.testing.assert_allclose(off, off.mean(), rtol=0.05)


def test_estimates_scatter_around_the_exact_values():
    table = random_game(8, 8, 1)
    found = np.array([kernel_shapley(table, coalitions=60, seed=seed).attributions for seed in range(400)])
    errors = found.std(axis=0) / 20
    assert np.all(np.abs(found.mean(axis=0) - shapley_values(table)) < 5 * errors + 0.01 * np.abs(table).max())


def test_more_coalitions_are_nearer():
    table = random_game(10, 10, 2)
    exact = shapley_values(table)
    errors = [
        np.mean([np.abs(kernel_shapley(table, coalitions=count, seed=s).attributions - exact).mean() for s in range(8)])
        for count in (20, 80, 320, 1000)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1 * errors[0]


def test_the_same_seed_gives_the_same_values_whatever_numpy_has_drawn():
    table = random_game(9, 9, 3)
    first = kernel_shapley(table, coalitions=50, seed=4).attributions
    np.random.seed(1)
    np.testing.assert_array_equal(kernel_shapley(table, coalitions=50, seed=4).attributions, first)
    assert np.abs(kernel_shapley(table, coalitions=50, seed=5).attributions - first).max() > 1e-6


def test_many_players_are_possible(assert_close):
    weights = np.random.default_rng(1).standard_normal(900)
    found = kernel_shapley(lambda members: members @ weights, 900, coalitions=1900)
    assert_close(found.attributions, weights, 1e-8)


def test_it_is_that_of_shap_on_all_coalitions():
    warnings.simplefilter("ignore")
    logging.getLogger("shap").setLevel(logging.ERROR)
    peer = shap.KernelExplainer(scores, BACKGROUND)
    expected = peer.shap_values(INPUTS, nsamples=1 << 6, l1_reg=False, silent=True)
    found = kernel_shap(scores, INPUTS, np.tile([0, 1], (3, 1)), background=BACKGROUND)
    np.testing.assert_allclose(found.attributions, np.moveaxis(expected, 2, 1), atol=1e-9)
    np.testing.assert_allclose(found.base, np.broadcast_to(peer.expected_value, (3, 2)), atol=1e-12)


def test_its_error_is_smaller_than_that_of_shap():
    logging.getLogger("shap").setLevel(logging.ERROR)
    table = random_game(10, 4, 5)
    exact, powers = shapley_values(table), 1 << np.arange(10)
    peer = shap.KernelExplainer(lambda z: table[np.asarray(z).astype(int) @ powers], np.zeros((1, 10)))
    ours, theirs = [], []
    for seed in range(20):
        np.random.seed(seed)
        theirs.append(peer.shap_values(np.ones((1, 10)), nsamples=300, l1_reg=False, silent=True)[0] - exact)
        ours.append(kernel_shapley(table, coalitions=300, seed=seed).attributions - exact)
    assert np.linalg.norm(ours) < np.linalg.norm(theirs)


def test_a_keras_model_costs_coalitions_times_background(make_network):
    model, rows = make_network((6, 5, 2)), []
    counted = lambda x: rows.append(len(x)) or model(x).numpy()  # noqa: E731
    found = kernel_shap(counted, INPUTS, 1, background=BACKGROUND, coalitions=30)
    assert found.evaluated == 32
    assert sum(rows) == 32 * 3 * 7 + 7 + 3  # both are scored once as they are, to see that they fit
    same = kernel_shap(model, INPUTS, 1, background=BACKGROUND, coalitions=30)
    np.testing.assert_allclose(same.attributions, found.attributions, atol=1e-12)
    assert same.attributions.shape == INPUTS.shape


def test_a_sample_has_the_same_values_alone(assert_close):
    together = kernel_shap(scores, INPUTS, 0, background=BACKGROUND, coalitions=20)
    alone = kernel_shap(scores, INPUTS[2:], 0, background=BACKGROUND, coalitions=20)
    assert_close(together.attributions[2:], alone.attributions)
    several = kernel_shap(scores, INPUTS, [[1, 0]] * 3, background=BACKGROUND, coalitions=20)
    assert several.attributions.shape == (3, 2, 6)
    assert_close(several.attributions[:, 1], together.attributions)
    np.testing.assert_allclose(together.residual, 0, atol=1e-12)


def test_groups_and_images(assert_close):
    groups = [[0, 5], [1], [2, 3, 4]]
    grouped = kernel_shap(scores, INPUTS, 0, background=BACKGROUND, groups=groups)
    exact = shapley_values(interventional(scores, INPUTS, 0, background=BACKGROUND, groups=groups))
    assert_close(grouped.attributions, exact)
    image = kernel_shap(lambda x: scores(x.reshape(-1, 6)), INPUTS.reshape(3, 2, 3), 0, background=np.zeros((1, 2, 3)))
    assert image.attributions.shape == (3, 2, 3)


@pytest.mark.parametrize("features", [1, 2, 3])
def test_few_features(features, assert_close):
    model = lambda x: (x**2).sum(axis=1)  # noqa: E731
    found = kernel_shap(model, INPUTS[:, :features], 0, background=BACKGROUND[:, :features])
    expected = INPUTS[:, :features] ** 2 - (BACKGROUND[:, :features] ** 2).mean(axis=0)
    assert_close(found.attributions, expected)


def test_no_sample_gives_no_values():
    found = kernel_shap(scores, INPUTS[:0], 0, background=BACKGROUND)
    assert found.attributions.shape == (0, 6)
    assert found.residual.shape == found.base.shape == (0,)


@pytest.mark.parametrize(
    ("coalitions", "message"),
    [(11, "6 players need at least 12 coalitions, got 11"), (0, "at least 1"), (2.5, "must be an int")],
)
def test_too_few_coalitions_are_refused(coalitions, message):
    with pytest.raises(ValueError, match=message):
        kernel_shap(scores, INPUTS, 0, background=BACKGROUND, coalitions=coalitions)


def test_a_game_whose_players_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="give players"):
        kernel_shapley(lambda members: members.sum(axis=1))


def test_many_samples_are_fitted_in_slices_that_change_nothing(monkeypatch, assert_close):
    whole, most = kernel_shap(scores, INPUTS, 0, background=BACKGROUND, coalitions=50), []
    game = interventional(scores, INPUTS, 0, background=BACKGROUND)
    monkeypatch.setattr(kernel, "_FEWEST", 7)
    monkeypatch.setattr(kernel, "_VALUES", 10)
    sliced = kernel_shapley(lambda members: most.append(len(members)) or game(members), 6, coalitions=50)
    assert_close(sliced.attributions, whole.attributions)
    assert max(most) == 7
