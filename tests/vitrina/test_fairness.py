import numpy as np
import pytest
from matplotlib import pyplot as plt
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from vitrina.fairness import RATES, group_rates, share_interval
from vitrina.fairness_plots import show_calibration, show_groups
from vitrina.tabular import calibration


@pytest.fixture
def people():
    generator = np.random.default_rng(1)
    chances = generator.uniform(0, 1, 400)
    return chances, (generator.uniform(0, 1, 400) < chances).astype(int), generator.choice(["b", "a", "c"], 400)


def test_rates_by_hand():
    chances = [0.9, 0.4, 0.6, 0.1, 0.5]
    found = group_rates(chances, [1, 1, 0, 0, 0], ["x", "x", "x", "x", "y"])
    assert found.names == ("x", "y")
    assert found.counts.tolist() == [4, 1]
    x = {rate: values[0] for rate, values in found.rates.items()}
    assert x == pytest.approx(
        {
            "base rate": 0.5,
            "selection rate": 0.5,
            "true positive rate": 0.5,
            "false positive rate": 0.5,
            "precision": 0.5,
            "accuracy": 0.5,
            "calibration": 0.0,
        }
    )
    y = {rate: values[1] for rate, values in found.rates.items()}
    assert y["selection rate"] == 1  # the threshold itself is enough
    assert np.isnan(y["true positive rate"])  # nobody of class 1
    assert y["calibration"] == -0.5
    assert found.gap("selection rate") == 0.5
    assert found.gap("true positive rate") == 0  # groups without a rate are left out


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_rates_agree_with_scikit_learns_confusion_matrix(people, threshold):
    chances, targets, groups = people
    found = group_rates(chances, targets, groups, threshold=threshold)
    assert found.names == ("a", "b", "c")
    for index, name in enumerate(found.names):
        some = groups == name
        tn, fp, fn, tp = confusion_matrix(targets[some], chances[some] >= threshold).ravel()
        expected = {
            "base rate": (fn + tp) / some.sum(),
            "selection rate": (fp + tp) / some.sum(),
            "true positive rate": tp / (tp + fn),
            "false positive rate": fp / (fp + tn),
            "precision": tp / (tp + fp),
            "accuracy": (tp + tn) / some.sum(),
            "calibration": targets[some].mean() - chances[some].mean(),
        }
        assert {rate: values[index] for rate, values in found.rates.items()} == pytest.approx(expected)
        error = np.sqrt(expected["selection rate"] * (1 - expected["selection rate"]) / some.sum())
        assert found.errors["selection rate"][index] == pytest.approx(error)


def test_a_table_for_people(people):
    lines = str(group_rates(*people)).splitlines()
    assert len(lines) == 1 + len(RATES)
    assert lines[0].split()[::2] == ["a", "b", "c"]
    assert all(len(line) == len(lines[0]) for line in lines)


def test_what_does_not_fit_is_refused(people):
    chances, targets, groups = people
    with pytest.raises(ValueError, match="one group for each of the 400 rows"):
        group_rates(chances, targets, groups[:5])
    with pytest.raises(ValueError, match="between 0 and 1"):
        group_rates(chances * 3, targets, groups)
    with pytest.raises(ValueError, match="no rate 'justice', only base rate"):
        group_rates(*people).gap("justice")


def test_groups_are_drawn_where_their_rates_are(people):
    found = group_rates(*people)
    figure = show_groups(found, rates=["selection rate", "calibration"])
    panels = [axis for axis in figure.axes if axis.get_visible()]
    assert [panel.get_title() for panel in panels] == ["selection rate", "calibration"]
    drawn = panels[0].lines[0].get_xdata()
    np.testing.assert_allclose(drawn, found.rates["selection rate"])
    labels = [label.get_text() for label in panels[0].get_yticklabels()]
    assert labels == [f"{name} ({count})" for name, count in zip(found.names, found.counts, strict=True)]
    assert panels[0].get_xlim() == (0, 1)
    assert len(plt.get_fignums()) == 0


def test_several_models_and_all_rates_fit_in_one_figure(people):
    found = group_rates(*people)
    figure = show_groups({"one": found, "two": found})
    assert sum(axis.get_visible() for axis in figure.axes) == len(RATES)
    assert [text.get_text() for text in figure.legends[0].texts] == ["one", "two"]
    show_groups(found, rates=["accuracy"])


def test_figures_that_cannot_be_drawn_are_refused(people):
    found = group_rates(*people)
    chances, targets, groups = people
    with pytest.raises(ValueError, match="rates must be some of base rate"):
        show_groups(found, rates=["justice"])
    with pytest.raises(ValueError, match="at least one model"):
        show_groups({})
    other = group_rates(chances, targets, np.where(groups == "a", "b", groups))
    with pytest.raises(ValueError, match="same groups"):
        show_groups({"one": found, "two": other})
    with pytest.raises(ValueError, match="one calibration"):
        show_calibration({})


def test_calibration_is_drawn_against_the_line(people):
    found = calibration(people[0], people[1])
    figure = show_calibration({"one": found, "two": found})
    (axis,) = figure.axes
    np.testing.assert_allclose(axis.lines[1].get_xdata(), found.said)
    np.testing.assert_allclose(axis.lines[1].get_ydata(), found.happened)
    assert len(axis.get_legend().texts) == 2
    assert show_calibration(found).axes[0].get_legend() is None


def test_intervals_of_shares_are_wilsons(people):
    """A group of three of whom all were right is no proof that all always are."""
    for successes, rows in [(0, 3), (3, 3), (1, 1), (7, 40)]:
        low, high = share_interval([successes / rows], [rows])[:, 0]
        wanted = binomtest(successes, rows).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((wanted.low, wanted.high), abs=1e-4)
    found = group_rates(*people)
    for rate in RATES:
        ends = found.interval(rate)
        assert np.all(ends[0] < found.rates[rate])
        assert np.all(found.rates[rate] < ends[1])
    np.testing.assert_array_equal(found.sizes["base rate"], found.counts)
    few = group_rates([0.9, 0.8, 0.1], [1, 1, 0], ["x"] * 3)
    assert few.interval("accuracy")[:, 0] == pytest.approx([0.4385, 1], abs=1e-4)


def test_bars_of_a_small_group_do_not_vanish():
    figure = show_groups(group_rates([0.9, 0.8, 0.1], [1, 1, 0], ["x"] * 3), rates=["accuracy"])
    ((left, right),) = [segment[:, 0] for segment in figure.axes[0].collections[0].get_segments()]
    assert right - left > 0.5
