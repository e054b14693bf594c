import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance as of_scikit_learn
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from vitrina.explain import mean_absolute, permutation_importance

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((400, 4))
THREE = np.digitize(X[:, 0] + 0.3 * X[:, 1], [-0.5, 0.5])


@pytest.fixture(scope="module")
def forest():
    return RandomForestClassifier(20, random_state=0).fit(X[:200], THREE[:200])


def test_the_loss_of_a_linear_model_has_a_closed_form():
    """E (y - f(shuffled))^2 - E (y - f)^2 = 2 w^2 var(x), here with f = y."""
    weights = np.array([2.0, -1, 0.5, 0])
    truth = X @ weights

    def score(labels, scores):
        return -np.mean((labels - scores[:, 0]) ** 2)

    result = permutation_importance(lambda x: x @ weights, X, truth, score=score, repeats=300)
    assert result.score == 0
    np.testing.assert_allclose(result.mean, 2 * weights**2 * X.var(axis=0), rtol=0.03)
    assert result.losses.shape == (4, 300)
    np.testing.assert_array_equal(result.losses[3], 0)
    assert result.spread[0] > 0
    # a group is shuffled as one: what its columns do together stays together
    both = permutation_importance(
        lambda x: x[:, 0] * x[:, 1], X, X[:, 0] * X[:, 1], score=score, repeats=300, groups=[[0, 1], [1]]
    )
    np.testing.assert_allclose(both.mean[0], 2 * np.var(X[:, 0] * X[:, 1]), rtol=0.05)
    np.testing.assert_allclose(both.mean[1], 2 * np.mean(X[:, 0] ** 2) * X[:, 1].var(), rtol=0.1)


def test_scikit_learn_agrees(forest):
    ours = permutation_importance(forest, X[200:], THREE[200:], repeats=100)
    peer = of_scikit_learn(forest, X[200:], THREE[200:], n_repeats=100, random_state=1)
    noise = peer["importances_std"] / np.sqrt(100) + 1e-4
    assert np.all(np.abs(ours.mean - peer["importances_mean"]) < 6 * noise)
    np.testing.assert_allclose(ours.spread, peer["importances_std"], rtol=0.4, atol=1e-3)
    assert ours.score == pytest.approx(forest.score(X[200:], THREE[200:]))


def test_named_scores(forest, make_network):
    probabilities = permutation_importance(forest, X, THREE, score="log loss", repeats=1)
    assert probabilities.score == pytest.approx(-log_loss(THREE, forest.predict_proba(X)))
    line = LinearRegression().fit(X, X[:, 0] ** 2)
    assert permutation_importance(line, X, X[:, 0] ** 2, repeats=1).score == pytest.approx(
        r2_score(X[:, 0] ** 2, line.predict(X))
    )
    network = make_network((4, 3))
    logits = np.asarray(network(X))
    assert permutation_importance(network, X, THREE, repeats=1).score == np.mean(logits.argmax(axis=1) == THREE)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert permutation_importance(network, X, THREE, score="log loss", repeats=1).score == pytest.approx(
        -log_loss(THREE, shares)
    )


def test_a_network_with_one_sigmoid_is_a_classifier():
    import keras

    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    said = np.asarray(network(X))[:, 0] > 0.5
    with pytest.warns(UserWarning, match="sigmoid"):
        assert permutation_importance(network, X, said, repeats=1).score == 1
    assert permutation_importance(network, X, said, repeats=1, output="probability").score == 1
    assert permutation_importance(network, X, said, repeats=1, score="log loss").score < 0


def test_twins_hide_each_other_and_show_up_as_a_group():
    doubled = np.column_stack([X[:, 0], X[:, 0], X[:, 1]])

    def model(x):
        return (x[:, 0] + x[:, 1]) / 2

    alone = permutation_importance(model, doubled, X[:, 0], repeats=30)
    together = permutation_importance(model, doubled, X[:, 0], repeats=30, groups=[[0, 1], [2]])
    assert together.losses.shape == (2, 30)
    np.testing.assert_allclose(alone.mean, [0.5, 0.5, 0], atol=0.06)
    np.testing.assert_allclose(together.mean, [2, 0], atol=0.15)


def test_labels_may_be_names_and_inputs_a_data_frame():
    frame = pd.DataFrame({"work": RANDOM.choice(["state", "private"], 200), "age": RANDOM.integers(17, 90, 200)})
    rich = np.where(frame["work"] == "state", ">50K", "<=50K")
    encode = make_column_transformer((OneHotEncoder(), ["work"]), remainder="passthrough")
    model = make_pipeline(encode, LogisticRegression(max_iter=1000)).fit(frame, rich)
    before = frame.copy()
    result = permutation_importance(model, frame, rich)
    assert result.score == 1
    assert result.mean[0] > 0.3
    assert result.mean[1] == pytest.approx(0, abs=1e-12)
    pd.testing.assert_frame_equal(frame, before)
    with pytest.raises(ValueError, match=r"among the model's classes \['<=50K', '>50K'\], got \['rich'\]"):
        permutation_importance(model, frame, np.full(200, "rich"))


def test_the_seed_decides(forest):
    first, again, other = (permutation_importance(forest, X, THREE, seed=seed, repeats=3).losses for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_mean_absolute():
    values = np.array([[[1.0, -2], [0, 4]], [[-3, 2], [0, 0]]])
    np.testing.assert_array_equal(mean_absolute(values), [[2, 2], [0, 2]])
    np.testing.assert_array_equal(mean_absolute(values[:, 0]), [2, 2])
    for wrong in ([1.0, 2], np.empty((0, 3))):
        with pytest.raises(ValueError, match="one sample at least"):
            mean_absolute(wrong)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": X[0]}, r"table \(n, features\)"),
        ({"inputs": X[:1], "labels": THREE[:1]}, "two rows"),
        ({"labels": THREE[:5]}, r"shape \(400,\), got \(5,\)"),
        ({"labels": np.where(THREE > 0, "a", "b")}, "no `classes_`"),
        ({"repeats": 0}, "at least 1"),
        ({"groups": [[0, 4]]}, "columns from 0 to 3"),
        ({"groups": [[]]}, "none of them empty"),
        ({"score": "f1"}, "got 'f1'"),
        ({"score": "r2"}, "one output, this one has 4"),
        ({"model": lambda x: x[:, 0], "score": "accuracy"}, "a column of scores for each class"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    given = {"model": lambda x: x, "inputs": X, "labels": THREE} | options
    with pytest.raises(ValueError, match=message):
        permutation_importance(given.pop("model"), given.pop("inputs"), given.pop("labels"), **given)


def test_a_function_that_changes_its_samples_spoils_nothing():
    """Standardising in place is what many a function does."""

    def centred(samples):
        samples -= samples.mean(axis=0)
        return samples[:, 0]

    table = np.random.default_rng(0).standard_normal((50, 2)) + 3
    kept = table.copy()
    found = permutation_importance(centred, table, table[:, 0] - table[:, 0].mean(), repeats=3)
    np.testing.assert_array_equal(table, kept)
    assert found.score == pytest.approx(1)
    assert found.mean[0] > 0.5
    assert found.mean[1] == pytest.approx(0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": [0, 1]}, "groups must be lists of columns"),
        ({"repeats": 1.5}, "repeats must be an int"),
        ({"labels": [1.0, np.nan, 2.0]}, "labels must be finite"),
    ],
)
def test_what_is_odd_is_refused_with_a_reason(options, message):
    labels = options.pop("labels", [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=message):
        permutation_importance(lambda rows: rows[:, 0], np.eye(3), labels, **options)
