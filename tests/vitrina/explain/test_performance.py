import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score

from vitrina.explain import PERFORMANCES
from vitrina.explain.performance import Measure, accuracy, auc, r_squared, skill

GENERATOR = np.random.default_rng(0)


def answers(classes, samples=40):
    labels = GENERATOR.permutation(np.arange(samples) % classes)
    return labels, GENERATOR.dirichlet(np.ones(classes), (4, samples))


def one_against_rest(labels, answer):
    return np.mean([roc_auc_score(labels == label, answer[:, label]) for label in np.unique(labels)])


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_each_answer_gets_what_scikit_learn_gives_it(classes):
    labels, outputs = answers(classes)
    frequencies = np.tile(np.bincount(labels) / len(labels), (len(labels), 1))
    chance = log_loss(labels, frequencies)
    measured = zip(accuracy(labels, outputs), auc(labels, outputs), skill(labels, outputs), strict=True)
    for answer, mine in zip(outputs, measured, strict=True):
        theirs = [
            accuracy_score(labels, answer.argmax(axis=1)),
            one_against_rest(labels, answer),
            1 - log_loss(labels, answer) / chance,
        ]
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


def test_equal_outputs_count_half_and_absent_classes_not_at_all():
    labels, outputs = answers(3)
    coarse = outputs.round(1)
    np.testing.assert_allclose(auc(labels, coarse)[0], one_against_rest(labels, coarse[0]))
    wider = np.concatenate([outputs, np.zeros((*outputs.shape[:2], 1))], axis=-1)
    np.testing.assert_allclose(auc(labels, wider), auc(labels, outputs))
    np.testing.assert_allclose(auc(labels, np.ones(outputs.shape)), 0.5)


def test_r_squared_is_that_of_scikit_learn():
    labels, outputs = GENERATOR.random(20), GENERATOR.random((3, 20, 1))
    np.testing.assert_allclose(r_squared(labels, outputs), [r2_score(labels, answer[:, 0]) for answer in outputs])


def test_who_is_sure_and_wrong_is_punished_but_not_without_end():
    labels, sure = np.array([0, 1]), np.array([[[0.0, 1], [1, 0]]])
    assert -60 < skill(labels, sure)[0] < -30
    assert skill(labels, 1 - sure)[0] == 1


@pytest.mark.parametrize(("name", "nothing"), [("accuracy", 0.6), ("auc", 0.5), ("skill", 0.0), ("r2", 0.0)])
def test_who_knows_no_feature_answers_with_the_frequencies_or_the_mean(name, nothing):
    labels = np.array([0, 0, 1, 1, 1])
    assert Measure(name, labels).without_features(1) == pytest.approx(nothing)
    assert name in PERFORMANCES


def test_classes_are_called_as_the_model_calls_them():
    measure = Measure("accuracy", ["no", "yes", "no"], classes=np.array(["no", "yes"]))
    outputs = np.array([[[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]]])
    np.testing.assert_allclose(measure(outputs), [2 / 3])
    with pytest.raises(ValueError, match=r"among the model's classes .*got \['maybe'\]"):
        Measure("accuracy", ["no", "maybe"], classes=["no", "yes"])


def test_one_output_is_the_probability_of_class_1():
    labels, outputs = answers(2)
    for name in ("accuracy", "auc", "skill"):
        measure = Measure(name, labels.astype(bool))
        np.testing.assert_allclose(measure(outputs[..., 1:]), measure(outputs))


def test_a_function_of_ones_own_gets_labels_and_outputs_as_they_are():
    seen = []
    measure = Measure(lambda labels, outputs: seen.append((labels, outputs)) or 0.5, ["a", "b"])
    np.testing.assert_array_equal(measure(np.zeros((3, 2, 1))), [0.5] * 3)
    assert seen[0][0].tolist() == ["a", "b"]
    assert seen[0][1].shape == (2, 1)
    assert measure.without_features(1) is None


@pytest.mark.parametrize(
    ("name", "labels", "outputs", "message"),
    [
        ("mse", [0, 1], [[0.5, 0.5]] * 2, "unknown performance 'mse': choose from accuracy, auc, skill, r2"),
        ("skill", [0, 1], [[3.0, -2.0]] * 2, "skill needs probabilities"),
        ("skill", [1, 1], [[0.5, 0.5]] * 2, "all of one class"),
        ("auc", [1, 1], [[0.5, 0.5]] * 2, "all of one class"),
        ("r2", [1.0, 1.0], [[0.5]] * 2, "nothing to predict"),
        ("r2", [1.0, 2.0], [[0.5, 0.5]] * 2, "one output, got 2"),
        ("accuracy", [0, 2], [[0.5, 0.5]] * 2, "2 classes, but there is a label 2"),
        ("accuracy", [0, 1], [[-3.0]] * 2, "probability of class 1"),
        ("accuracy", ["no", "yes"], [[0.5, 0.5]] * 2, "whole numbers that count"),
        ("accuracy", [0.5, 1], [[0.5, 0.5]] * 2, "whole numbers that count"),
        ("accuracy", [-1, 1], [[0.5, 0.5]] * 2, "whole numbers that count"),
        ("accuracy", [[0], [1]], [[0.5, 0.5]] * 2, "one class per sample"),
        ("accuracy", [0, 1, 1], [[0.5, 0.5]] * 2, "labels must be one per sample"),
    ],
)
def test_what_does_not_fit_is_refused(name, labels, outputs, message):
    with pytest.raises(ValueError, match=message):
        Measure(name, labels)(np.array([outputs]))


@pytest.mark.parametrize("labels", [[1.0, np.nan, 2.0], ["a", "b", "c"]])
def test_labels_of_a_regression_are_finite_numbers(labels):
    with pytest.raises(ValueError, match="labels of a regression must be finite numbers"):
        Measure("r2", labels)
