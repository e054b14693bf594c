import keras
import numpy as np
import pandas as pd
import pytest
import shap
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from vitrina.explain import gradient_x_input, interventional, linear_shap, observational, shapley_values
from vitrina_solutions import shapley_models

RNG = np.random.default_rng(0)
MIXING = RNG.standard_normal((4, 4))
INPUTS, BACKGROUND = RNG.standard_normal((3, 4)) @ MIXING, RNG.standard_normal((50, 4)) @ MIXING
LABELS = BACKGROUND @ RNG.standard_normal((4, 2)) + RNG.standard_normal((50, 2))
GROUPS = [[0, 3], [1], [2]]


def test_the_closed_form_counts_what_all_coalitions_count(assert_close):
    model = LinearRegression().fit(BACKGROUND, LABELS)
    for groups in (None, GROUPS):
        for targets in (1, [0, 1, 0], [[0, 1], [1, 1], [1, 0]]):
            given = {"background": BACKGROUND, "groups": groups}
            exact = shapley_values(interventional(model, INPUTS, targets, **given))
            assert_close(linear_shap(model, INPUTS, targets, **given), exact)
            exact = shapley_values(observational(model, INPUTS, targets, **given))
            assert_close(linear_shap(model, INPUTS, targets, correlated=True, **given), exact)


def test_fast_form_is_the_textbook_form(assert_close):
    model = LinearRegression().fit(BACKGROUND, LABELS[:, 0])
    expected = shapley_models.linear_shapley(model.coef_, INPUTS, BACKGROUND)
    assert_close(linear_shap(model, INPUTS, 0, background=BACKGROUND), expected)


def test_it_is_that_of_shap(assert_close):
    model = LinearRegression().fit(BACKGROUND, LABELS[:, 0])
    peer = shap.LinearExplainer(model, shap.maskers.Independent(BACKGROUND))
    assert_close(linear_shap(model, INPUTS, 0, background=BACKGROUND), peer.shap_values(INPUTS))


def test_the_correlated_form_is_near_that_which_shap_samples():
    model = LinearRegression().fit(BACKGROUND, LABELS[:, 0])
    impute = shap.maskers.Impute({"mean": BACKGROUND.mean(axis=0), "cov": np.cov(BACKGROUND, rowvar=False)})
    expected = shap.LinearExplainer(model, impute, nsamples=20_000).shap_values(INPUTS)
    found = linear_shap(model, INPUTS, 0, background=BACKGROUND, correlated=True)
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize("classes", [2, 3])
def test_a_logistic_regression_is_explained_before_its_link(classes, assert_close):
    labels = np.digitize(LABELS[:, 0], [0] if classes == 2 else [-1, 1])
    model = LogisticRegression().fit(BACKGROUND, labels)
    found = linear_shap(model, INPUTS, np.tile(np.arange(classes), (3, 1)), background=BACKGROUND)
    score = model.decision_function(INPUTS) - model.decision_function(BACKGROUND).mean(axis=0)
    assert_close(found.sum(axis=2), np.stack([-score, score], axis=1) if classes == 2 else score)
    if classes == 2:
        exact = shapley_values(interventional(model, INPUTS, 1, background=BACKGROUND, output="logit"))
        assert_close(found[:, 1], exact, 1e-7)


def test_a_dense_layer_is_a_linear_model(make_network, assert_close):
    model = make_network((4, 3))
    centred = np.zeros((1, 4))
    assert_close(linear_shap(model, INPUTS, 2, background=centred), gradient_x_input(model, INPUTS, 2))
    exact = shapley_values(interventional(model, INPUTS, 2, background=BACKGROUND))
    assert_close(linear_shap(model, INPUTS, 2, background=BACKGROUND), exact)
    squashed = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    with pytest.warns(UserWarning, match="logits before it"):
        found = linear_shap(squashed, INPUTS, 0, background=centred)
    np.testing.assert_allclose(found, INPUTS * np.asarray(squashed.layers[-1].kernel)[:, 0], atol=1e-6)


def test_frames_and_names():
    frame = pd.DataFrame(BACKGROUND, columns=list("abcd"))
    model = LinearRegression().fit(frame, LABELS[:, 0])
    found = linear_shap(model, frame[:2], 0, background=frame, groups={"ad": ["a", "d"], "b": ["b"], "c": ["c"]})
    plain = linear_shap(model, BACKGROUND[:2], 0, background=BACKGROUND)
    np.testing.assert_allclose(found, np.stack([plain[:, [0, 3]].sum(axis=1), plain[:, 1], plain[:, 2]], axis=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": DecisionTreeClassifier().fit(BACKGROUND, LABELS[:, 0] > 0)}, "not a linear model"),
        ({"inputs": INPUTS[:, :3], "background": BACKGROUND[:, :3]}, "the model has 4 weights"),
        ({"inputs": INPUTS * np.nan}, "must be finite"),
        ({"inputs": INPUTS[0]}, "batch axis"),
        ({"background": BACKGROUND[:0]}, "empty"),
        ({"background": BACKGROUND[:1], "correlated": True}, "at least two rows"),
        ({"target": 2}, "class from 0 to 1"),
        ({"groups": [[0]]}, "missing"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"model": LinearRegression().fit(BACKGROUND, LABELS), "inputs": INPUTS, "target": 0} | change
    with pytest.raises(ValueError, match=message):
        linear_shap(**{"background": BACKGROUND} | given)


def test_a_network_with_a_hidden_layer_is_not_linear(make_network):
    with pytest.raises(ValueError, match="one Dense layer without an activation"):
        linear_shap(make_network((4, 6, 3)), INPUTS, 0, background=BACKGROUND)


def test_coefficients_of_pairs_of_classes_are_refused():
    """With three classes there are three pairs too: the shapes alone look right."""
    rows = np.random.default_rng(0).standard_normal((60, 2))
    machine = SVC(kernel="linear").fit(rows, np.arange(60) % 3)
    with pytest.raises(ValueError, match="pairs of classes"):
        linear_shap(machine, rows[:2], 1, background=rows)
    two = SVC(kernel="linear").fit(rows, np.arange(60) % 2)
    score = interventional(lambda x: two.decision_function(x), rows[:2], 0, background=rows)
    np.testing.assert_allclose(linear_shap(two, rows[:2], 1, background=rows), shapley_values(score), atol=1e-9)


def test_sparse_coefficients_are_read():
    rows = np.random.default_rng(0).standard_normal((60, 3))
    model = SGDClassifier(random_state=0).fit(rows, rows[:, 0] > 0)
    dense = linear_shap(model, rows[:2], 1, background=rows)
    np.testing.assert_array_equal(linear_shap(model.sparsify(), rows[:2], 1, background=rows), dense)
