"""Item statistics agree with their textbook definitions, and say nothing where nothing can be said."""

import math
from statistics import correlation

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitrina_autograder.psychometrics import (
    FEWEST_STUDENTS,
    cronbach_alpha,
    difficulty,
    discrimination_index,
    item_rest_correlation,
    total_shares,
)

WEIGHTS = np.array([2.0, 3.0, 1.0])
#: Twelve students by three exercises: the first two rise together, the third falls.
SHARES = np.column_stack([np.arange(12) / 11, np.minimum(np.arange(12) / 8, 1), 1 - np.arange(12) / 11])


def test_difficulty_is_the_mean_share():
    assert [statistic.value for statistic in difficulty(SHARES)] == pytest.approx(SHARES.mean(axis=0))


def test_item_rest_correlation_is_pearsons_r_without_the_item():
    for item, statistic in enumerate(item_rest_correlation(SHARES, WEIGHTS)):
        others = [place for place in range(3) if place != item]
        rest = SHARES[:, others] @ WEIGHTS[others]
        assert statistic.value == pytest.approx(correlation(SHARES[:, item], rest))
    assert item_rest_correlation(SHARES, WEIGHTS)[0].value > 0 > item_rest_correlation(SHARES, WEIGHTS)[2].value


def test_for_right_and_wrong_it_is_the_point_biserial_correlation():
    rng = np.random.default_rng(3)
    shares = np.column_stack([rng.integers(0, 2, 40), rng.random(40)]).astype(float)
    right, wrong = (shares[shares[:, 0] == value, 1] for value in (1, 0))
    spread = shares[:, 1].std()
    expected = (right.mean() - wrong.mean()) / spread * math.sqrt(len(right) * len(wrong)) / 40
    assert item_rest_correlation(shares, np.ones(2))[0].value == pytest.approx(expected)


def test_discrimination_compares_the_best_with_the_worst_27_percent():
    shares = np.zeros((100, 2))
    shares[:, 1] = np.arange(100) / 99  # decides who is best
    shares[73:, 0] = 1.0  # exactly the best 27 have it right
    assert discrimination_index(shares, np.array([0.001, 1.0]))[0].value == pytest.approx(1.0)
    shares[:, 0] = shares[::-1, 0]
    assert discrimination_index(shares, np.array([0.001, 1.0]))[0].value == pytest.approx(-1.0)


@given(st.permutations(range(20)))
def test_the_order_of_students_decides_nothing_even_where_they_tie(order):
    shares = np.column_stack([np.arange(20) % 2, np.arange(20) // 10, np.arange(20) % 3 / 2]).astype(float)
    for function in (item_rest_correlation, discrimination_index):
        before = [statistic.value for statistic in function(shares, np.ones(3))]
        after = [statistic.value for statistic in function(shares[list(order)], np.ones(3))]
        assert after == pytest.approx(before)


def test_alpha_is_one_for_equal_items_and_near_zero_for_unrelated_ones():
    column = np.arange(12.0)[:, None] / 11
    assert cronbach_alpha(np.hstack([column] * 4), np.ones(4)).value == pytest.approx(1.0)
    noise = np.random.default_rng(1).random((3000, 5))
    assert abs(cronbach_alpha(noise, np.ones(5)).value) < 0.1


def test_alpha_of_a_worked_example():
    """By hand: item variances 3/16, 4/16 and 3/16, total variance 5/4, so 3/2 · (1 − 1/2)."""
    shares = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]] * 3, dtype=float)
    items, total = shares.var(axis=0, ddof=1).sum(), shares.sum(axis=1).var(ddof=1)
    assert cronbach_alpha(shares, np.ones(3)).value == pytest.approx(3 / 2 * (1 - items / total)) == pytest.approx(0.75)


def test_what_was_not_examined_is_left_out_and_is_no_zero():
    shares = SHARES.copy()
    shares[0, 0] = np.nan
    assert difficulty(shares)[0].value == pytest.approx(SHARES[1:, 0].mean())
    assert total_shares(shares, WEIGHTS)[0] == pytest.approx((0 * 3 + 1 * 1) / 4)
    assert total_shares(np.full((1, 3), np.nan), WEIGHTS).tolist() == pytest.approx([np.nan], nan_ok=True)


@pytest.mark.parametrize("function", [item_rest_correlation, discrimination_index])
def test_too_few_or_too_equal_gives_a_reason(function):
    few = function(SHARES[: FEWEST_STUDENTS - 1], WEIGHTS)[0]
    assert few.value is None
    assert "too few" in few.why
    same = SHARES.copy()
    same[:, 1] = 0.5
    assert function(same, WEIGHTS)[1].value is None
    assert "everybody" in function(same, WEIGHTS)[1].why
    assert function(same, WEIGHTS)[0].value is not None


def test_alpha_gives_its_reasons():
    assert "two exercises" in cronbach_alpha(SHARES[:, :1], WEIGHTS[:1]).why
    assert "too few" in cronbach_alpha(SHARES[:4], WEIGHTS).why
    assert "the same" in cronbach_alpha(np.ones((20, 3)), WEIGHTS).why


def test_a_single_exercise_has_no_rest():
    assert item_rest_correlation(SHARES[:, :1], WEIGHTS[:1])[0].value is None


SHARE_MATRICES = arrays(
    float, st.tuples(st.integers(0, 30), st.integers(1, 4)), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0, np.nan])
)


@given(SHARE_MATRICES)
def test_never_nan_and_never_out_of_range(shares):
    weights = np.arange(1.0, shares.shape[1] + 1)
    for function in (lambda s, _w: difficulty(s), item_rest_correlation, discrimination_index):
        for statistic in function(shares, weights):
            assert (statistic.value is None) == bool(statistic.why)
            assert statistic.value is None or -1 - 1e-9 <= statistic.value <= 1 + 1e-9
    alpha = cronbach_alpha(shares, weights)
    assert alpha.value is None or (math.isfinite(alpha.value) and alpha.value <= 1 + 1e-9)
