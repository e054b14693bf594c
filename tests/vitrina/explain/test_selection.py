import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import f_classif, mutual_info_classif, mutual_info_regression

from vitrina.explain import correlation_ranking, mutual_information_ranking

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((300, 4))
TARGET = X @ [2.0, -1, 0, 0] + RANDOM.standard_normal(300)
THREE = np.digitize(TARGET, [-1, 1])


def test_of_numbers_it_is_the_size_of_the_correlation():
    expected = [abs(np.corrcoef(X[:, column], TARGET)[0, 1]) for column in range(4)]
    np.testing.assert_allclose(correlation_ranking(X, TARGET), expected)


def test_of_two_classes_it_is_the_correlation_with_either():
    names = np.where(TARGET > 0, "yes", "no")
    expected = [abs(np.corrcoef(X[:, column], TARGET > 0)[0, 1]) for column in range(4)]
    for labels in (names, TARGET > 0, (TARGET > 0).astype(float)):
        np.testing.assert_allclose(correlation_ranking(X, labels), expected)


def test_of_more_classes_it_is_the_correlation_ratio():
    """eta^2 = F (k - 1) / (F (k - 1) + n - k), with the F of an analysis of variance."""
    f = f_classif(X, THREE)[0]
    np.testing.assert_allclose(correlation_ranking(X, THREE), np.sqrt(2 * f / (2 * f + 297)))
    np.testing.assert_allclose(correlation_ranking(X, THREE), correlation_ranking(X, np.array(["b", "c", "a"])[THREE]))


def test_units_do_not_count_and_constants_tell_nothing():
    moved = X * [1e-6, 1e6, -1, 0] + [0, 5, 1e3, 7.1]
    ranking = correlation_ranking(moved, TARGET)
    np.testing.assert_allclose(ranking[:3], correlation_ranking(X, TARGET)[:3], rtol=1e-6)
    assert ranking[3] == 0
    np.testing.assert_array_equal(correlation_ranking(X, np.ones(300)), 0)


def test_units_of_any_size_do_not_count():
    """Squares of large numbers overflow, those of small ones vanish, and an offset leaves few digits."""
    expected = correlation_ranking(X, TARGET)
    for unit in (1e200, 1e-200, 1e-14):
        np.testing.assert_allclose(correlation_ranking(X * unit, TARGET), expected)
        np.testing.assert_allclose(correlation_ranking(X, TARGET * unit), expected)
    np.testing.assert_allclose(correlation_ranking(X * 1e-3 + 1e9, TARGET), expected, atol=1e-3)
    np.testing.assert_array_equal(correlation_ranking(X, np.full(300, 7.1), classes=False), 0)


def test_mutual_information_finds_what_correlation_misses():
    bent = X[:, 2] ** 2
    assert correlation_ranking(X, bent)[2] < 0.3
    ranking = mutual_information_ranking(X, bent)
    assert ranking.argmax() == 2
    assert ranking[2] > 5 * np.delete(ranking, 2).max()


def test_it_is_scikit_learns_estimate():
    tied = X.round(1)  # a little noise decides between equal values
    ours = mutual_information_ranking(tied, THREE, neighbours=5, seed=3)
    np.testing.assert_array_equal(ours, mutual_info_classif(tied, THREE, n_neighbors=5, random_state=3))
    assert not np.array_equal(ours, mutual_information_ranking(tied, THREE, neighbours=5, seed=4))
    np.testing.assert_array_equal(
        mutual_information_ranking(pd.DataFrame(X), TARGET), mutual_info_regression(X, TARGET, random_state=0)
    )


@pytest.mark.parametrize("rank", [correlation_ranking, mutual_information_ranking])
@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (X[0], THREE, "table"),
        (X[:1], THREE[:1], "two rows"),
        (X, THREE[:5], r"shape \(300,\), got \(5,\)"),
        (np.where(X > 2, np.nan, X), THREE, "finite"),
        (np.full((3, 2), "a"), THREE[:3], "turn categories into columns"),
        (X, np.where(TARGET > 2, np.nan, TARGET), "must be finite numbers"),
    ],
)
def test_what_does_not_fit_is_refused(rank, inputs, labels, message):
    with pytest.raises(ValueError, match=message):
        rank(inputs, labels)


def test_amounts_that_are_whole_numbers_are_no_classes():
    amounts = np.round(100 * TARGET)
    for labels in (amounts, amounts.astype(int)):
        np.testing.assert_allclose(correlation_ranking(X, labels), np.abs(np.corrcoef(X.T, labels)[-1, :-1]), rtol=1e-9)
    years = np.digitize(TARGET, np.linspace(-3, 3, 10))
    assert not np.allclose(correlation_ranking(X, years), correlation_ranking(X, years, classes=False))
    np.testing.assert_allclose(correlation_ranking(X, years, classes=False)[0], abs(np.corrcoef(X[:, 0], years)[0, 1]))
    np.testing.assert_array_equal(
        mutual_information_ranking(X, years, classes=False), mutual_info_regression(X, years, random_state=0)
    )
    with pytest.raises(ValueError, match="must be finite numbers"):
        correlation_ranking(X, np.where(TARGET > 0, "a", "b"), classes=False)


def test_neighbours_are_fewer_than_samples():
    with pytest.raises(ValueError, match="from 1 to 2, fewer than samples, got 3"):
        mutual_information_ranking(X[:3], TARGET[:3])
