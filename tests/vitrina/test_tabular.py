import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from vitrina import tabular
from vitrina.tabular import boosted_trees, calibration, performance
from vitrina_datasets import adult, iris


@pytest.fixture(scope="module")
def people():
    return adult.fake(rows=1800, seed=0).published_split()


@pytest.fixture
def scores():
    generator = np.random.default_rng(0)
    chances = generator.uniform(0, 1, 500)
    return chances, (generator.uniform(0, 1, 500) < chances**2).astype(int)


def test_performance_agrees_with_scikit_learn(scores):
    chances, targets = scores
    found = performance(chances, targets)
    assert found.auc == pytest.approx(roc_auc_score(targets, chances))
    assert found.brier == pytest.approx(brier_score_loss(targets, chances))
    assert found.accuracy == np.mean((chances >= 0.5) == targets)
    happened, said = calibration_curve(targets, chances, n_bins=10)
    np.testing.assert_allclose(found.calibration.said, said)
    np.testing.assert_allclose(found.calibration.happened, happened)
    assert found.calibration.counts.sum() == 500


def test_performance_by_hand():
    found = performance([0.1, 0.1, 0.9, 0.9], [0, 1, 1, 1], bins=2)
    assert found.accuracy == 0.75
    assert found.auc == pytest.approx(5 / 6)  # of three pairs, two are right and one is a tie
    assert found.calibration.error == pytest.approx((0.4 + 0.1) / 2)
    assert str(found) == "accuracy 75.0%, AUC 0.833, Brier score 0.210, calibration error 0.250"


def test_empty_bins_are_left_out_and_certainty_has_a_bin():
    found = calibration([0.0, 1.0], [0, 1], bins=10)
    assert found.counts.tolist() == [1, 1]
    assert found.error == 0


def test_without_one_of_the_classes_there_is_no_auc():
    assert np.isnan(performance([0.2, 0.7], [1, 1]).auc)


@pytest.mark.parametrize(
    ("chances", "targets", "message"),
    [
        ([[0.5, 0.5]], [1], "take the second column"),
        ([0.5], [1, 0], "same rows"),
        ([], [], "same rows"),
        ([1.5], [1], "between 0 and 1"),
        ([np.nan], [1], "between 0 and 1"),
        ([0.5], [2], "0 or 1"),
    ],
)
def test_what_is_no_probability_is_refused(chances, targets, message):
    with pytest.raises(ValueError, match=message):
        performance(chances, targets)
    if message != "0 or 1":
        with pytest.raises(ValueError, match=message):
            calibration(chances, targets)


def test_no_bins_are_refused(scores):
    with pytest.raises(ValueError, match="one bin"):
        calibration(*scores, bins=0)


def test_trees_learn_the_rule_and_repeat_themselves(people):
    train, test = people
    trees = boosted_trees(train, seed=3)
    chances = trees.predict_proba(test.values)[:, 1]
    assert performance(chances, test.targets).auc > 0.75
    np.testing.assert_array_equal(boosted_trees(train, seed=3).predict_proba(test.values)[:, 1], chances)
    assert np.any(boosted_trees(train, seed=4).predict_proba(test.values)[:, 1] != chances)


@pytest.fixture(scope="module")
def net(people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    return tabular.network(people[0], cache=folder), folder


def test_the_network_learns_the_rule(net, people):
    model, _ = net
    chances = model.chances(people[1])
    assert chances.shape == (600, 2)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    assert performance(chances[:, 1], people[1].targets).auc > 0.75
    assert model.model.output_shape == (None, 2)


def test_the_network_is_trained_once(net, people, monkeypatch):
    model, folder = net
    monkeypatch.setattr(tabular, "_train", lambda *_: pytest.fail("trained again"))
    again = tabular.network(people[0], cache=folder)
    for ours, theirs in zip(again.model.get_weights(), model.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [path.name.startswith("table-network-") for path in folder.iterdir()] == [True]


def test_training_repeats_itself_and_leaves_the_sessions_chance_alone(net, people, tmp_path):
    np.random.seed(1)
    state = np.random.get_state()[1].copy()
    again = tabular.network(people[0], cache=tmp_path)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    for ours, theirs in zip(again.model.get_weights(), net[0].model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_other_data_or_another_seed_is_another_network(people, tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "_train", lambda *_: None)
    small = people[0].take(np.arange(50))
    changed = small.take(np.arange(50)[::-1])
    for table, seed in [(small, 0), (small, 1), (changed, 0), (small, 0)]:
        tabular.network(table, seed=seed, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_three_classes_and_numbers_only_will_do(tmp_path):
    train, test = iris.load().split()
    model = tabular.network(train, cache=tmp_path)
    assert model.chances(test).shape == (len(test), 3)
    assert np.mean(boosted_trees(train).predict(test.values) == test.targets) > 0.85
