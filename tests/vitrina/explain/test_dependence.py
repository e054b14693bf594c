import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.inspection import partial_dependence as of_scikit_learn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from vitrina.explain.dependence import individual_conditional_expectation, partial_dependence

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((60, 3))
WORK = np.array(["private", "state", "none"])
FRAME = pd.DataFrame({"work": RANDOM.choice(WORK, 80), "age": RANDOM.integers(17, 90, 80), "hours": RANDOM.random(80)})
RICH = (FRAME["age"] > 40) & (FRAME["work"] != "none")


def score(x):
    return np.column_stack([x[:, 0] * x[:, 1] + x[:, 2] ** 2, x[:, 0]])


@pytest.fixture(scope="module")
def forest():
    return RandomForestClassifier(10, random_state=0).fit(X, X[:, 0] + X[:, 1] > 0)


@pytest.fixture(scope="module")
def pipeline():
    encode = make_column_transformer((OneHotEncoder(), ["work"]), remainder="passthrough")
    return make_pipeline(encode, LogisticRegression(max_iter=2000)).fit(FRAME, RICH)


def test_curves_of_a_product_are_lines_with_the_other_factor_as_slope():
    grid = np.array([-1.0, 0, 2])
    result = individual_conditional_expectation(score, X, 0, feature=0, grid=grid)
    np.testing.assert_allclose(result.curves, X[:, [1]] * grid + X[:, [2]] ** 2)
    np.testing.assert_allclose(result.mean, X[:, 1].mean() * grid + (X[:, 2] ** 2).mean())
    np.testing.assert_array_equal(result.observed, X[:, 0])
    np.testing.assert_allclose(result.centred(1).curves, X[:, [1]] * grid)


def test_the_joint_dependence_of_a_product():
    first, second = np.array([-1.0, 3]), np.array([0.0, 1, 2])
    result = partial_dependence(score, X, 0, features=(0, 1), grids=(first, second))
    np.testing.assert_allclose(result.values, np.outer(first, second) + (X[:, 2] ** 2).mean())
    swapped = partial_dependence(score, X, 0, features=(1, 0), grids=(second, first))
    np.testing.assert_allclose(swapped.values, result.values.T)


def test_the_mean_of_the_curves_is_the_partial_dependence(forest):
    curves = individual_conditional_expectation(forest, X, 1, feature=1)
    mean = partial_dependence(forest, X, 1, features=1)
    np.testing.assert_allclose(curves.mean, mean.values, atol=1e-12)
    np.testing.assert_array_equal(curves.grid, mean.grids[0])


@pytest.mark.parametrize("features", [(0,), (1,), (0, 2)])
def test_scikit_learn_agrees(forest, features):
    ours = partial_dependence(forest, X, 1, features=features, points=12)
    given = dict(zip(features, ours.grids, strict=True))
    peer = of_scikit_learn(forest, X, features, method="brute", kind="average", custom_values=given)
    np.testing.assert_allclose(ours.values, peer["average"][0], atol=1e-12)


def test_scikit_learn_agrees_curve_by_curve(forest):
    ours = individual_conditional_expectation(forest, X, 1, feature=2, points=7)
    peer = of_scikit_learn(forest, X, [2], method="brute", kind="individual", custom_values={2: ours.grid})
    np.testing.assert_allclose(ours.curves, peer["individual"][0], atol=1e-12)


def test_grids():
    few = np.array([[3.0], [1], [np.nan], [1]])
    np.testing.assert_array_equal(partial_dependence(np.nan_to_num, few, 0, features=0).grids[0], [1, 3])
    many = partial_dependence(score, X, 0, features=0, points=5).grids[0]
    np.testing.assert_allclose(many, np.linspace(*np.percentile(X[:, 0], [5, 95]), 5))
    constant = individual_conditional_expectation(np.nan_to_num, np.ones((4, 1)), 0, feature=0)
    assert constant.curves.shape == (4, 1)
    whole = individual_conditional_expectation(lambda x: x[:, 0], np.array([[1], [2]]), 0, feature=0, grid=[0.5, 1.5])
    np.testing.assert_array_equal(whole.curves, [[0.5, 1.5]] * 2)


def test_categories_and_names_of_a_data_frame(pipeline):
    result = individual_conditional_expectation(pipeline, FRAME, 1, feature="work")
    assert list(result.grid) == sorted(WORK)
    for place, category in enumerate(result.grid):
        np.testing.assert_allclose(
            result.curves[:, place], pipeline.predict_proba(FRAME.assign(work=category))[:, 1], atol=1e-12
        )
    joint = partial_dependence(pipeline, FRAME, 1, features=("age", "work"), grids=([20.5, 60], ["state", "none"]))
    expected = pipeline.predict_proba(FRAME.assign(work="none", age=20.5))[:, 1].mean()
    np.testing.assert_allclose(joint.values[0, 1], expected)


def test_typed_categories_keep_their_type():
    frame = FRAME.assign(work=FRAME["work"].astype("category"))
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype").fit(frame, RICH)
    result = individual_conditional_expectation(model, frame, 1, feature="work", grid=["none"])
    other = frame.assign(work=frame["work"].where(frame["work"] == "none", "none"))
    np.testing.assert_allclose(result.curves[:, 0], model.predict_proba(other)[:, 1])


def test_the_instances_are_left_as_they_were(pipeline):
    before, array = FRAME.copy(), X.copy()
    partial_dependence(pipeline, FRAME, 1, features=("age", "work"))
    partial_dependence(score, array, 0, features=0)
    pd.testing.assert_frame_equal(FRAME, before)
    np.testing.assert_array_equal(array, X)


def test_memory_is_bounded():
    rows = []

    def model(x):
        rows.append(len(x))
        return x[:, 0]

    big = np.zeros((20_000, 2))
    result = individual_conditional_expectation(model, big, 0, feature=0, grid=np.arange(10.0))
    np.testing.assert_array_equal(result.curves, np.broadcast_to(np.arange(10.0), (20_000, 10)))
    assert max(rows) <= 1 << 16
    assert sum(rows) == 200_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feature": 3}, "column from 0 to 2; got 3"),
        ({"feature": -1}, "column from 0 to 2"),
        ({"feature": "age"}, "column from 0 to 2; got 'age'"),
        ({"feature": 0, "points": 1}, "two points"),
        ({"feature": 0, "grid": []}, "list of values"),
        ({"feature": 0, "target": 2}, "0 to 1, got 2"),
        ({"feature": 0, "inputs": X[0]}, r"table \(n, features\)"),
        ({"feature": 0, "inputs": X[:0]}, "one row at least"),
        ({"feature": 0, "inputs": np.full((3, 2), np.nan)}, "no known value"),
        ({"feature": "sex", "inputs": FRAME}, "one of work, age, hours; got 'sex'"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    given = {"inputs": X, "target": 0} | options
    with pytest.raises(ValueError, match=message):
        individual_conditional_expectation(score, given.pop("inputs"), given.pop("target"), **given)


@pytest.mark.parametrize(
    ("features", "grids", "message"),
    [((0, 0), None, "two different"), ((0, 1, 2), None, "got 3"), ((0, 1), ([1.0],), "each of 2"), ((), None, "got 0")],
)
def test_pairs_that_do_not_fit_are_refused(features, grids, message):
    with pytest.raises(ValueError, match=message):
        partial_dependence(score, X, 0, features=features, grids=grids)
