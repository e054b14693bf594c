import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from vitrina.explain import black_box, interventional, lime_tabular, shapley_values
from vitrina.explain.black_box import scoring

INPUTS = np.random.default_rng(0).standard_normal((40, 4))
CLASSES = (INPUTS[:, 0] + INPUTS[:, 1] > 0) + (INPUTS[:, 2] > 0.5)
TABLE = pd.DataFrame({"age": np.arange(20) % 7, "job": ["cook", "nurse", "clerk", "nurse"] * 5, "paid": [True] * 20})


def squashed(activation, units=3):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(units, activation=activation)]
    return keras.Sequential([keras.Input((4,)), *layers])


def job_model():
    columns = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
    return make_pipeline(columns, LogisticRegression()).fit(TABLE, TABLE["age"] > 3)


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def test_a_keras_model_says_its_logits(make_network, assert_close):
    model = make_network((4, 6, 3))
    for output in (None, "logit"):
        assert_close(scoring(model, output=output)(INPUTS), model(INPUTS))
    assert_close(scoring(model, output="probability")(INPUTS), softmax(np.asarray(model(INPUTS))))


@pytest.mark.parametrize(("activation", "units"), [("softmax", 3), ("sigmoid", 1)])
def test_the_logits_before_a_softmax_are_said_by_a_warning_or_on_request(assert_close, activation, units):
    model = squashed(activation, units)
    probabilities = np.asarray(model(INPUTS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logits = scoring(model, output="logit")(INPUTS)
        assert_close(scoring(model, output="probability")(INPUTS), probabilities, 1e-6)
    with pytest.warns(UserWarning, match=f"ends in a {activation}: the logits"):
        np.testing.assert_array_equal(scoring(model)(INPUTS), logits)
    back = softmax(logits) if units > 1 else 1 / (1 + np.exp(-logits))
    assert_close(back, probabilities, 1e-6)


def test_one_logit_becomes_the_probability_of_its_sigmoid(make_network, assert_close):
    model = make_network((4, 6, 1))
    assert_close(scoring(model, output="probability")(INPUTS), 1 / (1 + np.exp(-np.asarray(model(INPUTS)))))


def test_predict_is_never_called(make_network, monkeypatch):
    monkeypatch.setattr(keras.Model, "predict", lambda *_: pytest.fail("predict was called"))
    assert scoring(make_network((4, 6, 3)))(INPUTS).shape == (40, 3)


@pytest.mark.parametrize("rows", [1, 7, 40])
def test_chunks_bound_the_rows_of_a_call_and_change_nothing(monkeypatch, rows):
    seen = []

    @keras.saving.register_keras_serializable()
    class Counting(keras.layers.Layer):
        def call(self, values):
            import tensorflow as tf

            tf.py_function(lambda v: seen.append(len(v)), [values], [])
            return values

    model = keras.Sequential([keras.Input((4,)), Counting(), keras.layers.Dense(2)])
    whole = scoring(model)(INPUTS)
    seen.clear()
    monkeypatch.setattr(black_box, "_CHUNK", rows)
    np.testing.assert_allclose(scoring(model)(INPUTS), whole, atol=1e-6)
    assert sum(seen) == 40
    assert max(seen) == rows


def test_what_the_model_learns_later_is_seen(assert_close):
    model = squashed("linear")
    scores = scoring(model)
    before = scores(INPUTS)
    model.set_weights([2 * weight for weight in model.get_weights()])
    assert np.abs(scores(INPUTS) - before).max() > 0.1
    assert_close(scores(INPUTS), model(INPUTS), 1e-6)


def test_an_estimator_says_probabilities_or_numbers():
    classifier, regressor = LogisticRegression().fit(INPUTS, CLASSES), LinearRegression().fit(INPUTS, CLASSES)
    np.testing.assert_array_equal(scoring(classifier)(INPUTS), classifier.predict_proba(INPUTS))
    np.testing.assert_array_equal(scoring(classifier, output="probability")(INPUTS), classifier.predict_proba(INPUTS))
    np.testing.assert_array_equal(scoring(regressor)(INPUTS), regressor.predict(INPUTS)[:, np.newaxis])


def test_log_odds_of_two_classes_are_the_decision_function():
    model = LogisticRegression().fit(INPUTS, CLASSES > 0)
    margin = model.decision_function(INPUTS)
    expected = np.stack([-margin, margin], axis=1)
    np.testing.assert_allclose(scoring(model, output="logit")(INPUTS), expected, rtol=1e-9, atol=1e-12)


def test_log_odds_of_three_classes_set_each_against_the_others():
    model = LogisticRegression().fit(INPUTS, CLASSES)
    p = model.predict_proba(INPUTS)
    np.testing.assert_allclose(scoring(model, output="logit")(INPUTS), np.log(p / (1 - p)), rtol=1e-9)


def test_a_function_is_taken_as_it_is():
    np.testing.assert_array_equal(scoring(lambda x: x.sum(axis=1) > 0)(INPUTS)[:, 0], INPUTS.sum(axis=1) > 0)
    lengths = scoring(lambda texts: [len(text) for text in texts])
    np.testing.assert_array_equal(lengths(["a", "long"]), [[1.0], [4.0]])
    assert scoring(scoring(lambda x: x))(INPUTS).shape == (40, 4)  # a scoring function is a function


def test_frames_and_arrays_score_alike():
    model, names = LogisticRegression(), list("abcd")
    frame = pd.DataFrame(INPUTS, columns=names)
    scores = scoring(model.fit(frame, CLASSES))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # scikit-learn warns of samples without names
        np.testing.assert_array_equal(scores(frame), scores(INPUTS))
    np.testing.assert_array_equal(scoring(squashed("linear"))(frame), scoring(squashed("linear"))(INPUTS))


def test_rows_of_text_and_numbers_come_back_as_a_frame():
    model = job_model()
    expected = model.predict_proba(TABLE)
    np.testing.assert_array_equal(scoring(model)(TABLE), expected)
    np.testing.assert_allclose(scoring(model)(TABLE.to_numpy()), expected, atol=1e-12)
    seen = []
    kinds = scoring(lambda frame: seen.append(frame.dtypes) or frame["age"], like=TABLE.astype({"job": "category"}))
    changed = TABLE.to_numpy()
    changed[0, 0] = 2.5  # an explainer's age between two whole ones
    assert kinds(changed)[0, 0] == 2.5
    assert seen[0]["job"] == "category"


def test_estimators_of_texts():
    from sklearn.feature_extraction.text import CountVectorizer

    texts = ["good film", "bad film", "good good", "bad bad"]
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, [1, 0, 1, 0])
    np.testing.assert_array_equal(scoring(model)(texts), model.predict_proba(texts))


def test_whole_numbers_and_tokens_are_taken(make_network, assert_close):
    whole = np.arange(8).reshape(2, 4)
    assert_close(scoring(make_network((4, 6, 3)))(whole), make_network((4, 6, 3))(whole.astype(float)))
    tokens = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 2), keras.layers.Flatten()])
    np.testing.assert_array_equal(scoring(tokens)([[0, 1, 4]]), np.asarray(tokens(np.array([[0, 1, 4]]))))


@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        (lambda x: x, INPUTS[0], r"batch axis.*inputs\[np.newaxis\]"),
        (lambda x: x, INPUTS[:0], "no sample"),
        (lambda x: x[:5], INPUTS, r"one row of numbers per sample, \(40,\) or \(40, outputs\), got shape \(5, 4\)"),
        (lambda x: x[:, :, None], INPUTS, "one row of numbers per sample"),
        (lambda x: x[:, :0], INPUTS, "one row of numbers per sample"),
        (lambda x: ["no"] * len(x), INPUTS, "of <U2"),
        (lambda _: [[1.0], [2.0, 3.0]], INPUTS[:2], "one row of numbers per sample"),
        (lambda _: None, INPUTS, "returned nothing: is the `return` missing"),
        (lambda x: np.where(x > 2, np.nan, x), INPUTS, "score of sample .* is NaN or infinite"),
        (squashed("linear"), INPUTS[:, :3], r"shape \(n, 4\) that the model takes, got \(40, 3\)"),
        (squashed("linear"), np.full((2, 4), np.nan), "sample 0 holds NaN"),
        (squashed("linear"), TABLE.assign(more=1), "turn categories into columns"),
        (job_model(), INPUTS, "must have 3 columns"),
        (RandomForestClassifier(5).fit(INPUTS, CLASSES), INPUTS[:, :2], "features"),
    ],
)
def test_samples_and_answers_that_do_not_fit_are_refused(model, inputs, message):
    with pytest.raises(ValueError, match=message):
        scoring(model)(inputs)


def test_certainty_has_no_log_odds():
    with pytest.raises(ValueError, match=r"certain of some sample.*output='probability'"):
        scoring(RandomForestClassifier(3, random_state=0).fit(INPUTS, CLASSES), output="logit")(INPUTS)


@pytest.mark.parametrize(
    ("model", "output", "message"),
    [
        (3, None, "got a int"),
        (LogisticRegression, None, "the class LogisticRegression: give a fitted one"),
        (LinearSVC(), None, "numbers, such as model.decision_function"),
        (LinearRegression(), "probability", "has no predict_proba"),
        (lambda x: x, "probability", "a function is scored as it is"),
        (lambda x: x, "raw", "'logit', 'probability' or None"),
        (keras.Sequential([keras.layers.Dense(2)]), None, "must be built"),
    ],
)
def test_models_that_cannot_be_scored_are_refused(model, output, message):
    if isinstance(model, LinearSVC):
        model.fit(INPUTS, CLASSES)
    with pytest.raises(ValueError, match=message):
        scoring(model, output=output)


def test_truth_values_of_a_frame_stay_truth_values():
    """A function may negate them, or choose rows by them."""
    frame = pd.DataFrame({"age": [30, 40], "owner": [True, False], "job": ["a", "b"]})

    def scores(rows):
        return rows["age"] + 10 * ~rows["owner"]

    mixed = frame.to_numpy()
    np.testing.assert_array_equal(scoring(scores, like=frame)(mixed), [[30], [50]])
    found = lime_tabular(scores, frame.iloc[:1], 0, background=pd.concat([frame] * 20), discretise=False, ridge=0)
    assert found.attributions[0, 1] == pytest.approx(-10)
    values = shapley_values(interventional(scores, frame.iloc[:1], 0, background=frame))
    np.testing.assert_allclose(values, [[-5, -5, 0]])
