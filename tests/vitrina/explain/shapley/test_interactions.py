from itertools import combinations
from math import factorial

import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestRegressor

from vitrina.explain import interventional, shapley_interactions, shapley_values
from vitrina.explain.shapley.coalitions import all_coalitions


def slow_index(table, i, j):
    """The Shapley interaction index of Grabisch and Roubens, set by set."""
    players = len(table).bit_length() - 1
    others, total = [k for k in range(players) if k not in (i, j)], 0.0
    for size in range(players - 1):
        weight = factorial(size) * factorial(players - size - 2) / factorial(players - 1)
        for chosen in combinations(others, size):
            s = sum(1 << k for k in chosen)
            total += weight * (table[s | 1 << i | 1 << j] - table[s | 1 << i] - table[s | 1 << j] + table[s])
    return total


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_off_the_diagonal_is_half_the_index_and_rows_add_up_to_the_values(players, seed):
    table = np.random.default_rng(seed).standard_normal(1 << players)
    matrix = shapley_interactions(table)
    for i, j in combinations(range(players), 2):
        assert matrix[i, j] == matrix[j, i] == pytest.approx(slow_index(table, i, j) / 2, abs=1e-10)
    np.testing.assert_allclose(matrix.sum(axis=1), shapley_values(table), atol=1e-10)
    assert matrix.sum() == pytest.approx(table[-1] - table[0], abs=1e-10)


def test_an_additive_game_has_main_effects_alone():
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    np.testing.assert_allclose(shapley_interactions(all_coalitions(4) @ weights), np.diag(weights), atol=1e-12)


def test_players_who_act_together_are_found():
    together = lambda members: 4.0 * (members[:, 0] & members[:, 2])  # noqa: E731
    expected = np.zeros((3, 3))
    expected[0, 2] = expected[2, 0] = 2.0  # half of 4 each, and nothing is left for either alone
    np.testing.assert_allclose(shapley_interactions(together, 3), expected, atol=1e-12)


def path_dependent(tree, sample, known):
    """What a tree says of a sample of which some features are known: unknown ones go both ways, by training samples."""

    def below(node):
        if tree.children_left[node] < 0:
            return tree.value[node, 0, 0]
        children = tree.children_left[node], tree.children_right[node]
        if known[tree.feature[node]]:
            return below(children[int(sample[tree.feature[node]] > tree.threshold[node])])
        shares = tree.weighted_n_node_samples[list(children)] / tree.weighted_n_node_samples[node]
        return shares @ [below(child) for child in children]

    return below(0)


def test_they_are_those_of_shaps_trees():
    # shap.TreeExplainer has interactions for this value function; three features act together in the trees
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((200, 4)).astype(np.float32)
    labels = inputs[:, 0] * inputs[:, 1] * inputs[:, 2] + inputs[:, 3]
    forest = RandomForestRegressor(4, max_depth=5, random_state=0).fit(inputs, labels)
    expected = shap.TreeExplainer(forest).shap_interaction_values(inputs[:2])
    for sample, wanted in zip(inputs, expected, strict=False):
        trees = [tree.tree_ for tree in forest.estimators_]
        table = [np.mean([path_dependent(tree, sample, known) for tree in trees]) for known in all_coalitions(4)]
        np.testing.assert_allclose(shapley_interactions(table), wanted, atol=1e-6)


def test_a_model_is_explained_for_all_samples_and_targets_at_once():
    inputs, background = np.random.default_rng(0).standard_normal((2, 3, 4))
    model = lambda x: np.stack([x[:, 0] * x[:, 1] * x[:, 2], x[:, 3] * x[:, 0]], axis=1)  # noqa: E731
    game = interventional(model, inputs, [[0, 1]] * 3, background=background)
    matrix = shapley_interactions(game)
    assert matrix.shape == (3, 2, 4, 4)
    np.testing.assert_allclose(matrix.sum(axis=-1), shapley_values(game), atol=1e-12)
    np.testing.assert_allclose(matrix[:, 1, 1:3], 0, atol=1e-12)
    assert np.abs(matrix[:, 1, 0, 3]).min() > 1e-3


def test_too_many_players_are_refused():
    with pytest.raises(ValueError, match=r"2\^30 coalitions"):
        shapley_interactions(lambda members: members.sum(axis=1), 30)
