import numpy as np
import pandas as pd
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from vitrina.explain import interventional, shapley_values, tree_shap

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((200, 6)).astype(np.float32).astype(float)  # shap compares in float32
Z, Q = X[:9], X[40:47]
AMOUNT = X[:, 0] * X[:, 1] + np.sin(3 * X[:, 2]) + 0.3 * RANDOM.standard_normal(200)
THREE = np.digitize(AMOUNT, [-0.5, 0.5])
TWO = AMOUNT > 0

PROBABILITY = [
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(10, random_state=0),
    ExtraTreesClassifier(10, random_state=0),
]
REGRESSION = [
    DecisionTreeRegressor(random_state=0),
    RandomForestRegressor(10, random_state=0),
    ExtraTreesRegressor(10, max_depth=4, random_state=0),
    GradientBoostingRegressor(n_estimators=15, random_state=0),
    GradientBoostingRegressor(n_estimators=5, init="zero", loss="huber", random_state=0),
    HistGradientBoostingRegressor(max_iter=10, min_samples_leaf=5),
]
BOOSTED = [
    GradientBoostingClassifier(n_estimators=15, subsample=0.5, random_state=0),
    HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=5),
]


def name(model):
    return type(model).__name__


def counted(model, inputs, target, background, **options):
    """Shapley values by their definition, over all coalitions."""
    return shapley_values(interventional(model, inputs, target, background=background, **options))


@pytest.mark.parametrize("model", REGRESSION, ids=name)
def test_regressions_are_explained_exactly(model):
    model.fit(X, AMOUNT)
    np.testing.assert_allclose(tree_shap(model, Q, 0, background=Z), counted(model, Q, 0, Z), atol=1e-12)


@pytest.mark.parametrize("model", PROBABILITY, ids=name)
def test_the_probability_of_each_class_is_explained_exactly(model):
    model.fit(X, THREE)
    every = np.tile([2, 0, 1], (len(Q), 1))
    ours = tree_shap(model, Q, every, background=Z)
    assert ours.shape == (len(Q), 3, 6)
    np.testing.assert_allclose(ours, counted(model, Q, every, Z), atol=1e-12)
    np.testing.assert_allclose(ours.sum(axis=1), 0, atol=1e-12)  # as the probabilities add up to one
    each = np.arange(len(Q)) % 3
    np.testing.assert_array_equal(tree_shap(model, Q, each, background=Z), ours[range(len(Q)), (each + 1) % 3])


@pytest.mark.parametrize("model", BOOSTED, ids=name)
def test_the_raw_score_of_boosted_classes_is_explained_exactly(model):
    model.fit(X, TWO)
    positive = tree_shap(model, Q, 1, background=Z)
    np.testing.assert_allclose(positive, counted(model, Q, 1, Z, output="logit"), atol=1e-10)
    np.testing.assert_array_equal(tree_shap(model, Q, 0, background=Z), -positive)
    model.fit(X, THREE)
    for target in range(3):
        np.testing.assert_allclose(
            tree_shap(model, Q, target, background=Z), counted(model.decision_function, Q, target, Z), atol=1e-12
        )


@pytest.mark.parametrize("model", [*PROBABILITY, *REGRESSION, *BOOSTED], ids=name)
def test_shap_agrees(model):
    if getattr(model, "init", None) == "zero":
        pytest.skip("shap does not read gradient boosting that begins at zero")
    model.fit(X, AMOUNT if model in REGRESSION else TWO)
    peer = shap.TreeExplainer(model, data=Z, feature_perturbation="interventional").shap_values(Q)
    peer = peer[..., 1] if peer.ndim == 3 else peer
    ours = tree_shap(model, Q, int(model not in REGRESSION), background=Z)
    np.testing.assert_allclose(ours, peer, atol=2e-6 * np.abs(peer).max())  # shap's own trees are of float32


def test_several_targets_of_a_regression():
    model = RandomForestRegressor(5, random_state=0).fit(X, np.column_stack([AMOUNT, X[:, 3]]))
    ours = tree_shap(model, Q, 1, background=Z)
    np.testing.assert_allclose(ours, counted(model, Q, 1, Z), atol=1e-12)


def test_one_question_is_worth_what_it_changes():
    model = DecisionTreeRegressor(max_depth=1).fit([[0.0, 7], [1, 7]], [10, 30])
    values = tree_shap(model, [[1.0, 0], [0, 0]], 0, background=[[0.0, 5], [0, 5], [0, 5], [1, 5]])
    np.testing.assert_allclose(values, [[15, 0], [-5, 0]])


def test_two_features_that_only_work_together_share():
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    model = DecisionTreeRegressor().fit(corners, [0, 0, 0, 1])
    np.testing.assert_allclose(tree_shap(model, [[1.0, 1]], 0, background=[[0.0, 0]]), [[0.5, 0.5]])
    np.testing.assert_allclose(tree_shap(model, [[0.0, 1]], 0, background=[[1.0, 0]]), [[-0.5, 0.5]])
    np.testing.assert_allclose(tree_shap(model, [[0.0, 1]], 0, background=[[1.0, 1]]), [[-1, 0]])


def tables(rows):
    """Small whole numbers: ties between samples, references and thresholds are common."""
    return st.lists(st.lists(st.integers(-2, 2), min_size=4, max_size=4), min_size=rows, max_size=12)


@settings(max_examples=40)
@given(tables(4), tables(1), tables(1), st.integers(0, 2**31))
def test_axioms(train, inputs, background, seed):
    generator = np.random.default_rng(seed)
    train, inputs, background = (np.array(table, float) for table in (train, inputs, background))
    labels = generator.standard_normal((2, len(train)))
    first, second = (DecisionTreeRegressor(max_depth=depth, random_state=0) for depth in (2, None))
    first.fit(train, labels[0]), second.fit(train, labels[1])
    one, two = (tree_shap(model, inputs, 0, background=background) for model in (first, second))
    # efficiency
    for model, values in ((first, one), (second, two)):
        np.testing.assert_allclose(
            values.sum(axis=1), model.predict(inputs) - model.predict(background).mean(), atol=1e-12
        )
    # dummy: what no node asks for gets nothing
    unused = np.setdiff1d(np.arange(4), first.tree_.feature)
    assert not one[:, unused].any()
    # linearity: the forest of both trees
    forest = RandomForestRegressor(2, bootstrap=False, max_features=None, random_state=0).fit(train, labels[0])
    forest.estimators_ = [first, second]
    np.testing.assert_allclose(tree_shap(forest, inputs, 0, background=background), (one + two) / 2, atol=1e-12)
    # all references count alike
    single = [tree_shap(second, inputs, 0, background=reference[np.newaxis]) for reference in background]
    np.testing.assert_allclose(two, np.mean(single, axis=0), atol=1e-12)
    # symmetry: renamed features have the same values
    order = generator.permutation(4)
    renamed = DecisionTreeRegressor(max_depth=2, random_state=0).fit(train[:, order], labels[0])
    if np.array_equal(renamed.predict(inputs[:, order]), first.predict(inputs)) and len(unused) == 3:
        moved = tree_shap(renamed, inputs[:, order], 0, background=background[:, order])
        if np.array_equal(order[renamed.tree_.feature[:1]], first.tree_.feature[:1]):
            np.testing.assert_allclose(moved, one[:, order], atol=1e-12)


def test_a_way_longer_than_the_bits_of_a_number():
    """One-hot rows with labels of their own: each question takes one sample away."""
    rows = np.eye(90)
    model = DecisionTreeRegressor(random_state=0).fit(rows, np.arange(90))
    assert model.get_depth() > 70
    values = tree_shap(model, rows, 0, background=rows)
    expected = model.predict(rows)
    np.testing.assert_allclose(values.sum(axis=1), expected - expected.mean(), atol=1e-12)
    for sample, reference in [(3, 60), (89, 0), (50, 51)]:
        # all but two features agree: a game of two players, by hand
        pair = tree_shap(model, rows[[sample]], 0, background=rows[[reference]])[0]
        end, start = model.predict(rows[[sample, reference]])
        neither, both = model.predict([np.zeros(90), rows[sample] + rows[reference]])
        np.testing.assert_allclose(pair[sample], ((both - start) + (end - neither)) / 2, atol=1e-12)
        np.testing.assert_allclose(pair[reference], ((neither - start) + (end - both)) / 2, atol=1e-12)
        assert np.count_nonzero(pair) <= 2


def test_a_long_way_on_which_all_features_differ():
    """The same chain: the leaf of the k-th question needs its feature from x and the k before it from z."""
    model = DecisionTreeRegressor(random_state=0).fit(np.eye(90), np.arange(90))
    tree, node, order, leaves = model.tree_, 0, [], []
    while tree.children_left[node] >= 0:
        order.append(tree.feature[node])
        leaves.append(tree.value[tree.children_right[node], 0, 0])
        node = tree.children_left[node]
    length = np.arange(1, len(order))
    expected = np.array(leaves) / np.arange(1, len(order) + 1) - tree.value[node, 0, 0] / len(order)
    later = np.array(leaves[1:]) / (length * (length + 1))
    expected[:-1] -= np.cumsum(later[::-1])[::-1]
    values = tree_shap(model, np.ones((1, 90)), 0, background=np.zeros((1, 90)))[0]
    np.testing.assert_allclose(values[order], expected, atol=1e-10)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=4, random_state=0),
        RandomForestRegressor(5, random_state=0),
        HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=3),
    ],
    ids=name,
)
def test_missing_values_go_where_the_model_lets_them_go(model):
    holes = np.where(RANDOM.random((200, 4)) < 0.3, np.nan, X[:, :4])
    model.fit(holes, np.where(np.isnan(holes[:, 0]), 2.0, AMOUNT))
    values = tree_shap(model, holes[:30], 0, background=holes[50:60])

    def score(inputs):  # the game does not take NaN: hide it behind a number
        return model.predict(np.where(inputs == 1e6, np.nan, inputs))

    inputs, background = (np.nan_to_num(part, nan=1e6) for part in (holes[:30], holes[50:60]))
    np.testing.assert_allclose(values, counted(score, inputs, 0, background), atol=1e-12)


def test_infinities_where_the_model_takes_them():
    model = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=3).fit(X, AMOUNT)
    odd = np.array([[np.inf, -np.inf, *X[0, 2:]]])
    values = tree_shap(model, odd, 0, background=Z)
    np.testing.assert_allclose(values.sum(), model.predict(odd)[0] - model.predict(Z).mean())


def test_types_of_inputs():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = RandomForestClassifier(5, random_state=0).fit(frame, TWO)
    expected = tree_shap(model, Q, 1, background=Z)
    for inputs, background in [(frame[40:52], frame[:15]), (Q.astype(np.float32), Z), (Q.tolist(), Z.tolist())]:
        np.testing.assert_array_equal(tree_shap(model, inputs, 1, background=background), expected)
    whole = DecisionTreeRegressor().fit((X * 3).astype(int), AMOUNT)
    tied = (X[:30] * 3).astype(int)
    np.testing.assert_allclose(
        tree_shap(whole, tied, 0, background=tied[:9]), counted(whole, tied, 0, tied[:9]), atol=1e-12
    )


def test_samples_are_rounded_as_the_trees_round_them():
    third = np.float64(1) / 3
    model = DecisionTreeRegressor().fit([[0.0], [2 * np.float64(np.float32(third))]], [0, 1])
    assert model.tree_.threshold[0] < third + 1e-8
    inputs = np.array([[third], [np.float64(np.float32(third))], [1.0]])
    np.testing.assert_allclose(
        tree_shap(model, inputs, 0, background=[[0.0]])[:, 0], model.predict(inputs) - model.predict([[0.0]])
    )


def test_parts_of_many_samples_are_explained_alike(monkeypatch):
    model = RandomForestClassifier(5, random_state=0).fit(X, THREE)
    whole = tree_shap(model, X, 2, background=Z)
    monkeypatch.setattr("vitrina.explain.shapley.trees._VALUES", 100)
    np.testing.assert_allclose(tree_shap(model, X, 2, background=Z), whole, atol=1e-14)


def test_a_tree_that_asks_nothing_and_one_feature():
    stump = DecisionTreeClassifier().fit(X, np.zeros(200, int))
    np.testing.assert_array_equal(tree_shap(stump, Q, 0, background=Z), np.zeros_like(Q))
    single = DecisionTreeRegressor().fit(X[:, :1], AMOUNT)
    values = tree_shap(single, Q[:, :1], 0, background=Z[:, :1])
    np.testing.assert_allclose(values[:, 0], single.predict(Q[:, :1]) - single.predict(Z[:, :1]).mean(), atol=1e-12)


TREE = DecisionTreeClassifier(max_depth=2).fit(X, TWO)
NAMED = DecisionTreeClassifier(max_depth=2).fit(pd.DataFrame(X, columns=list("abcdef")), TWO)


@pytest.mark.parametrize(
    ("model", "inputs", "target", "background", "message"),
    [
        (LogisticRegression().fit(X, TWO), Q, 1, Z, "not a LogisticRegression; kernel_shap"),
        (AdaBoostClassifier(n_estimators=2).fit(X, TWO), Q, 1, Z, "not a AdaBoost"),
        (DummyClassifier, Q, 1, Z, "not a DummyClassifier"),
        (DecisionTreeClassifier(), Q, 1, Z, "not fitted yet: call its fit"),
        (TREE, Q[0], 1, Z, r"inputs must have shape \(n, 6\).* got \(6,\); one sample"),
        (TREE, Q, 1, Z[:, :3], r"background must have shape \(n, 6\).* got \(9, 3\)"),
        (TREE, Q, 1, Z[:0], "one row at least"),
        (TREE, np.full((2, 6), "a"), 1, Z, "inputs must be numbers"),
        (TREE, Q, 2, Z, "class from 0 to 1"),
        (TREE, Q, 0.5, Z, "must be an int"),
        (TREE, Q, 1, np.full((2, 6), np.inf), "does not take these background: Input X contains infinity"),
        (TREE, np.full((2, 6), 1e300), 1, Z, "does not take these inputs: .*too large"),
        (NAMED, pd.DataFrame(Q, columns=list("fedcba")), 1, Z, "columns that the model was fitted on"),
        (DecisionTreeClassifier().fit(X, np.column_stack([TWO, TWO])), Q, 1, Z, "several targets"),
        (GradientBoostingRegressor(init=LinearRegression()).fit(X, AMOUNT), Q, 0, Z, "begins with a LinearRegression"),
        (
            HistGradientBoostingClassifier(categorical_features=[0]).fit((X > 0).astype(int), TWO),
            *(Q, 1, Z, "category is among some"),
        ),
    ],
)
def test_what_does_not_fit_is_refused(model, inputs, target, background, message):
    with pytest.raises(ValueError, match=message):
        tree_shap(model, inputs, target, background=background)
