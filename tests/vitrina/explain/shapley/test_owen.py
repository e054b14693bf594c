"""Owen values: against orders of the players, Shapley's value, axioms, and shap's PartitionExplainer."""

from itertools import combinations, permutations, product
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage

from vitrina.explain import grid_hierarchy, owen_values, superpixel_hierarchy, superpixels
from vitrina.explain.shapley import owen

TREES = [
    0,
    (0, 1),
    ((0, 1), 2),
    ((0, (3, 1)), (2, 4)),
    ((0, 1, 2), (3, 4)),
    (0, (1, 2), (3, (4, 5))),
    [[5, 0], [[1], [2, 4, 3]]],
]


def players_of(tree):
    return [tree] if isinstance(tree, int) else [player for part in tree for player in players_of(part)]


def make_game(players, seed, outputs=2):
    """Any game: a random number for each coalition and output."""
    table = np.random.default_rng(seed).standard_normal((2**players, outputs))
    return lambda coalitions: table[coalitions @ (1 << np.arange(players))]


def orders(tree):
    """Every order in which the members of each group come one after the other."""
    if isinstance(tree, int):
        return [[tree]]
    inside = [orders(part) for part in tree]
    return [
        [player for part in arranged for player in part]
        for sequence in permutations(inside)
        for arranged in product(*sequence)
    ]


def by_orders(game, tree):
    """Mean marginal contribution over the orders that keep groups together (the definition of Owen and Winter)."""
    count = len(players_of(tree))
    values = np.zeros((count, game(np.zeros((1, count), bool)).shape[1]))
    allowed = orders(tree)
    for order in allowed:
        present = np.zeros((1, count), bool)
        for player in order:
            before = game(present)[0]
            present[0, player] = True
            values[player] += game(present)[0] - before
    return values / len(allowed)


def shapley(game, count):
    """Shapley's value by its formula."""
    values = 0.0 * game(np.zeros((1, count), bool)).repeat(count, axis=0)
    for player in range(count):
        others = [other for other in range(count) if other != player]
        for size in range(count):
            for some in combinations(others, size):
                present = np.zeros((2, count), bool)
                present[:, list(some)] = True
                present[1, player] = True
                without, together = game(present)
                values[player] += (
                    factorial(size) * factorial(count - size - 1) / factorial(count) * (together - without)
                )
    return values


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_exact_values_are_the_mean_over_orders_that_keep_groups_together(tree, assert_close):
    game = make_game(len(players_of(tree)), seed=1)
    found = owen_values(game, tree)
    assert_close(found.attributions.T, by_orders(game, tree), 1e-12)
    assert found.evaluated == found.needed
    np.testing.assert_array_equal(found.undivided, 0)


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_with_one_level_they_are_shapleys_values(count, assert_close):
    game = make_game(count, seed=2)
    found = owen_values(game, tuple(range(count)))
    assert_close(found.attributions.T, shapley(game, count), 1e-12)
    assert found.needed == 2**count


def test_pairs_of_two_players_each_by_hand():
    # Unanimity of 0 and 2, in groups (0, 1) and (2, 3): the groups share 1 equally, and the dummies get nothing.
    game = lambda coalitions: (coalitions[:, 0] & coalitions[:, 2]).astype(float)  # noqa: E731
    np.testing.assert_array_equal(owen_values(game, ((0, 1), (2, 3))).attributions, [0.5, 0, 0.5, 0])
    # A majority of three in which 0 and 1 have joined: 2 is powerless.
    majority = lambda coalitions: (coalitions.sum(axis=1) >= 2).astype(float)  # noqa: E731
    np.testing.assert_array_equal(owen_values(majority, ((0, 1), 2)).attributions, [0.5, 0.5, 0])


trees = st.recursive(st.just("player"), lambda part: st.lists(part, min_size=1, max_size=3), max_leaves=7)


def numbered(shape, numbers):
    return next(numbers) if shape == "player" else tuple(numbered(part, numbers) for part in shape)


@given(trees, st.integers(0, 2**32 - 1), st.integers(2, 200))
@settings(max_examples=60)
def test_axioms(shape, seed, budget):
    drawn = np.random.default_rng(seed)
    size = str(shape).count("player")
    tree = numbered(shape, iter(drawn.permutation(size).tolist()))
    one, other = make_game(size, seed), make_game(size, seed + 1)
    first, second = owen_values(one, tree), owen_values(other, tree)
    both = owen_values(lambda coalitions: 2 * one(coalitions) - other(coalitions), tree)
    np.testing.assert_allclose(both.attributions, 2 * first.attributions - second.attributions, atol=1e-12)  # linearity
    limited = owen_values(one, tree, coalitions=budget)
    for found in (first, limited):  # efficiency, with any budget
        np.testing.assert_allclose(
            found.attributions.sum(axis=-1), one(np.full((1, size), True))[0] - found.base, atol=1e-12
        )
        np.testing.assert_allclose(found.residual, 0, atol=1e-12)
    assert limited.evaluated <= max(budget, 2)
    if budget >= limited.needed:
        np.testing.assert_array_equal(limited.attributions, first.attributions)
    dummy = int(drawn.integers(size))  # a player who changes nothing gets nothing
    useless = lambda coalitions: one(coalitions & (np.arange(size) != dummy))  # noqa: E731
    np.testing.assert_allclose(owen_values(useless, tree).attributions[..., dummy], 0, atol=1e-12)


def test_players_who_are_alike_get_the_same_and_so_do_groups(assert_close):
    worth = np.array([1.0, 1.0, 3.0, 3.0])
    game = lambda coalitions: np.sqrt(coalitions @ worth)  # noqa: E731
    values = owen_values(game, ((0, 1), (2, 3))).attributions
    assert_close(values[[1, 3]], values[[0, 2]], 1e-12)
    alike = owen_values(lambda coalitions: np.sqrt(coalitions @ [1, 1, 1, 3]), ((0, 1, 2), 3)).attributions
    assert_close(alike[:3].sum(), alike[3], 1e-12)  # two groups, as such alike


def test_a_budget_goes_to_the_groups_that_have_most_to_hand_out():
    # Only players 5 and 6 do anything: the way to them is taken apart, the rest is not.
    asked = []

    def game(coalitions):
        asked.extend(coalitions.tolist())
        return 4.0 * coalitions[:, 5] - coalitions[:, 6]

    tree = (((0, 1), (2, 3)), ((4, 5), (6, 7)))
    found = owen_values(game, tree, coalitions=24)
    np.testing.assert_allclose(found.attributions[[5, 6]], [4, -1])
    assert found.evaluated == len(asked) == len(set(map(tuple, asked)))
    assert found.evaluated <= 24 < found.needed


def test_what_the_budget_does_not_reach_is_shared_equally():
    game = lambda coalitions: 6.0 * coalitions[:, 0]  # noqa: E731
    found = owen_values(game, ((0, 1, 2), (3, 4)), coalitions=4)
    np.testing.assert_allclose(found.attributions, [2, 2, 2, 0, 0])
    np.testing.assert_allclose(found.undivided, 6)
    np.testing.assert_allclose(owen_values(game, (0, 1), coalitions=2).attributions, [3, 3])


def test_a_larger_budget_comes_nearer():
    tree = grid_hierarchy(4, 4)
    game = lambda coalitions: np.tanh(coalitions @ np.linspace(-1, 2, 16)) + coalitions[:, 3] * coalitions[:, 12]  # noqa: E731
    exact = owen_values(game, tree)
    assert exact.evaluated == 2 + 2 * (4**4 - 1) // 3
    errors = [
        np.abs(owen_values(game, tree, coalitions=budget).attributions - exact.attributions).max()
        for budget in (4, 20, 80, 172)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0 < errors[-2]


def test_shaps_partition_explainer_agrees_where_it_is_exact(assert_close):
    shap = pytest.importorskip("shap")
    drawn = np.random.default_rng(3)
    background, rows, matrix = (
        drawn.standard_normal((5, 6)),
        drawn.standard_normal((3, 6)),
        drawn.standard_normal((6, 2)),
    )
    tree = linkage(drawn.standard_normal((6, 4)), "average")

    def model(inputs):
        return np.tanh(inputs @ matrix) + inputs[:, :1] * inputs[:, 3:4]

    peer = shap.PartitionExplainer(model, shap.maskers.Partition(background, clustering=tree))(rows, max_evals=10_000)
    for row, values, base in zip(rows, peer.values, peer.base_values, strict=True):
        mixed = lambda coalitions: model(  # noqa: E731
            np.where(coalitions[:, None], row, background).reshape(-1, 6)  # noqa: B023
        ).reshape(len(coalitions), 5, 2).mean(axis=1)  # fmt: skip
        found = owen_values(mixed, tree)
        assert_close(found.attributions, values.T, 1e-9)
        assert_close(found.base, base, 1e-9)


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ((0, 2), "each player"),
        ((0, 1, (1, 2)), "each player"),
        ((), "tuples of at least one"),
        (((0, 1), ()), "tuples of at least one"),
        ((0, "b"), "ints"),
        ((0, 1.5), "ints"),
        ((0, True), "ints"),
        (tuple(range(17)), "nest them"),
        (np.zeros((2, 1)), "linkage matrix"),
        (np.array([[0, 3], [1, 2]]), "clusters that exist"),
        (np.array([[0, 1], [0, 1]]), "each player"),
        (None, "ints"),
    ],
    ids=str,
)
def test_what_is_no_hierarchy_is_refused(tree, words):
    with pytest.raises(ValueError, match=words):
        owen_values(lambda coalitions: coalitions.sum(axis=1), tree)


def test_what_is_no_game_is_refused():
    for answer, words in [(np.nan, "finite"), (np.inf, "finite")]:
        with pytest.raises(ValueError, match=words):
            owen_values(lambda coalitions, answer=answer: np.full(len(coalitions), answer), (0, 1))
    with pytest.raises(ValueError, match="for each of 2 coalitions"):
        owen_values(lambda _coalitions: 1.0, (0, 1))
    with pytest.raises(ValueError, match="for each of 2 coalitions"):
        owen_values(lambda _coalitions: np.zeros(3), (0, 1))


@pytest.mark.parametrize("budget", [0, 1, -5, 2.5, "many", True])
def test_a_budget_is_a_number_of_coalitions(budget):
    with pytest.raises(ValueError, match="coalitions"):
        owen_values(lambda coalitions: coalitions.sum(axis=1), (0, 1), coalitions=budget)


def test_a_chain_too_long_for_exact_values_needs_a_budget():
    chain = 0
    for player in range(1, 40):
        chain = (chain, player)
    game = lambda coalitions: coalitions.sum(axis=1)  # noqa: E731
    with pytest.raises(ValueError, match="give a budget"):
        owen_values(game, chain)
    np.testing.assert_allclose(owen_values(game, chain, coalitions=50).attributions, 1)


def test_a_chain_of_thousands_is_counted_and_taken_apart():
    players = 2000
    joins = np.array([[0, 1]] + [[players + row - 1, row + 1] for row in range(1, players - 1)])
    found = owen_values(lambda coalitions: 3.0 * coalitions[:, -1], joins, coalitions=20)
    assert found.needed == owen.MANY
    np.testing.assert_allclose(found.attributions[-1], 3)
    chain = 0
    for player in range(1, players):
        chain = (chain, player)
    with pytest.raises(ValueError, match="linkage matrix"):
        owen_values(lambda coalitions: coalitions[:, 0], chain, coalitions=20)


@pytest.mark.parametrize(
    "plant",
    [
        lambda before, weights: (before, np.full_like(weights, 1 / len(weights))),  # all contexts alike
        lambda before, weights: (before, weights * (before == 0) / weights[0]),  # nobody's company but one's own
        lambda before, weights: (before, weights[::-1] * np.arange(len(weights))),  # weights in another order
    ],
)
def test_planted_bugs_are_found(monkeypatch, plant):
    tree, right = ((0, 1, 2), (3, 4)), owen._contexts
    game = make_game(5, seed=4)
    wanted = by_orders(game, tree)
    monkeypatch.setattr(owen, "_contexts", lambda count, number: plant(*right(count, number)))
    assert np.abs(owen_values(game, tree).attributions.T - wanted).max() > 0.01


class TestHierarchies:
    def test_a_grid_is_halved_along_its_longer_side(self):
        assert grid_hierarchy(1, 1) == 0
        assert grid_hierarchy(2, 2) == ((0, 1), (2, 3))
        assert grid_hierarchy(1, 3) == ((0, 1), 2)
        assert grid_hierarchy(2, 4) == (((0, 1), (4, 5)), ((2, 3), (6, 7)))
        with pytest.raises(ValueError, match="at least one row"):
            grid_hierarchy(0, 3)

    def test_neighbours_that_are_alike_are_joined_first(self):
        labels = np.array([[0, 0, 1], [2, 2, 3], [4, 4, 4]])
        image = np.array([0.0, 0.9, 0.1, 0.0, 1.0])[labels]
        # 0 and 2 touch and are alike; 3 is as dark as they are and touches 2; 1 touches 0 and 3, 4 touches 2 and 3.
        tree = superpixel_hierarchy(labels, image)
        groups = [sorted(players_of(part)) for part in inner(tree)]
        assert [group for group in sorted(groups, key=len) if len(group) > 1][:2] == [[0, 2], [0, 2, 3]]

    def test_groups_of_superpixels_hang_together(self):
        images = np.random.default_rng(0).random((2, 20, 24, 3))
        labels = superpixels(images, 12)
        for numbers, image in zip(labels, images, strict=True):
            tree = superpixel_hierarchy(numbers, image)
            assert sorted(players_of(tree)) == list(range(numbers.max() + 1))
            assert all(isinstance(part, int) or len(part) == 2 for part in inner(tree))
            for part in inner(tree):
                assert pieces(np.isin(numbers, players_of(part))) == 1

    def test_one_superpixel_and_grey_images(self):
        assert superpixel_hierarchy(np.zeros((2, 3), int), np.ones((2, 3))) == 0
        assert superpixel_hierarchy(np.array([[0, 1]]), np.ones((1, 2, 1))) == (0, 1)

    @pytest.mark.parametrize(
        ("labels", "image", "words"),
        [
            (np.zeros((2, 2)), np.ones((2, 2)), "ints"),
            (np.array([[0, 2]]), np.ones((1, 2)), "without a gap"),
            (np.array([[1, 2]]), np.ones((1, 2)), "from 0"),
            (np.zeros((0, 2), int), np.ones((0, 2)), "from 0"),
            (np.array([0, 1]), np.ones(2), "height, width"),
            (np.array([[0, 1]]), np.ones((2, 1)), "height, width"),
            (np.array([[0, 1]]), np.array([[0, np.nan]]), "finite"),
        ],
    )
    def test_what_is_no_label_map_is_refused(self, labels, image, words):
        with pytest.raises(ValueError, match=words):
            superpixel_hierarchy(labels, image)


def inner(tree):
    """Every group of a tree, and every player."""
    return [tree] if isinstance(tree, int) else [tree, *(group for part in tree for group in inner(part))]


def pieces(mask):
    from scipy.ndimage import label

    return label(mask)[1]
