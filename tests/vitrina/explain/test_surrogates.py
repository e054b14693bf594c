import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import r2_score

from vitrina.explain import surrogate_tree

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (600, 3))
FRAME = pd.DataFrame(X, columns=["age", "hours ($)", "gain"])


def boxes(x):
    return np.where(x[:, 0] > 0, np.where(x[:, 1] > 0.5, 3.0, 1.0), 0.0)


def test_a_tree_is_imitated_perfectly():
    result = surrogate_tree(boxes, X, 0, depth=2)
    assert result.fidelity == pytest.approx(1, abs=0.05)
    assert result.baseline == 0
    assert set(result.tree.tree_.feature[result.tree.tree_.feature >= 0]) == {0, 1}
    thresholds = sorted(result.tree.tree_.threshold[result.tree.tree_.feature >= 0])
    np.testing.assert_allclose(thresholds, [0, 0.5], atol=0.02)


def test_fidelity_is_measured_on_samples_that_were_held_out():
    noise = np.random.default_rng(1).standard_normal(600)
    result = surrogate_tree(lambda x: noise[: len(x)], X, 0, depth=12)
    assert result.fidelity < 0.1  # nothing to imitate, although a deep tree learns it by heart
    test = np.random.default_rng(4).permutation(600)[:180]
    fitted = surrogate_tree(boxes, X, 0, depth=1, seed=4)
    assert fitted.fidelity == pytest.approx(r2_score(boxes(X[test]), fitted.tree.predict(X[test])))


def test_decisions_are_imitated_beside_the_most_frequent_one():
    def model(x):
        return np.column_stack([x[:, 0] < 0.8, x[:, 0] >= 0.8]).astype(float)

    result = surrogate_tree(model, X, depth=1)
    assert result.fidelity > 0.98
    assert result.baseline == pytest.approx(0.9, abs=0.05)
    blind = surrogate_tree(lambda x: np.ones((len(x), 2)), X)
    assert (blind.fidelity, blind.baseline) == (1, 1)


def test_a_network_with_one_logit_decides_by_its_sign(make_network):
    network = make_network((3, 1))
    result = surrogate_tree(network, X, depth=6)
    assert result.fidelity > max(result.baseline, 0.8)
    positive = np.asarray(network(X))[np.random.default_rng(0).permutation(600)[:180], 0] > 0
    assert result.baseline in (positive.mean(), 1 - positive.mean())
    with pytest.raises(ValueError, match="give target=0"):
        surrogate_tree(boxes, X)


def test_a_forest_on_a_data_frame_is_told_in_its_names():
    forest = RandomForestClassifier(10, random_state=0).fit(FRAME, (boxes(X) > 0).astype(int))
    result = surrogate_tree(forest, FRAME, 1, depth=2)
    assert result.names == ["age", "hours ($)", "gain"]
    assert "age <= " in result.text()
    assert surrogate_tree(forest, FRAME, 1, names=["a", "b", "c"]).names == ["a", "b", "c"]
    classes = surrogate_tree(forest, FRAME, depth=1)
    texts = [text.get_text() for text in classes.draw(classes=["poor", "rich"]).axes[0].texts]
    assert any("class = rich" in text for text in texts)
    assert any("age" in text for text in texts)
    assert plt.get_fignums() == []


def test_elsewhere_fidelity_is_measured_anew(make_network):
    """A tree that was fitted where x0 < 0 knows nothing of what comes after."""
    left, right = X[X[:, 0] < 0], X[X[:, 0] > 0]
    result = surrogate_tree(boxes, left, 0)
    assert result.fidelity_on(boxes, left, 0) == pytest.approx(1)
    assert result.fidelity_on(boxes, right, 0) == pytest.approx(r2_score(boxes(right), np.zeros(len(right))))
    network = make_network((3, 8, 2))
    decided = surrogate_tree(network, X, depth=4)
    said = np.asarray(network(3 * X)).argmax(axis=1)
    assert decided.fidelity_on(network, 3 * X) == np.mean(decided.tree.predict(3 * X) == said)


def test_the_seed_decides():
    first, again, other = (surrogate_tree(boxes, X, 0, depth=1, seed=seed).fidelity for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": X[:5]}, "ten rows"),
        ({"inputs": X[0]}, "table"),
        ({"inputs": np.full((20, 2), "a")}, "asks for numbers"),
        ({"target": 1}, "class from 0 to 0"),
        ({"depth": 0}, "at least 1"),
        ({"held_out": 1.0}, "between 0 and 1"),
        ({"names": ["a"]}, "3 features need as many names"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    given = {"inputs": X, "target": 0} | options
    with pytest.raises(ValueError, match=message):
        surrogate_tree(boxes, given.pop("inputs"), given.pop("target"), **given)
