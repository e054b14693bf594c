import numpy as np
import pytest

from vitrina.explain.significance import holm, welch


def test_holm_on_a_worked_example():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.9, 0.8]), [1, 1])
    np.testing.assert_allclose(holm([0.2]), [0.2])
    assert holm([]).shape == (0,)


def test_welch_keeps_its_level_where_spreads_differ():
    generator = np.random.default_rng(0)
    found = [welch(generator.normal(0, 1, 10), generator.normal(0, 5, 20)) < 0.05 for _ in range(1000)]
    assert 0.03 < np.mean(found) < 0.07


def test_without_any_spread_only_equality_counts():
    assert welch([1, 1], [1, 1]) == 1
    assert welch([1, 1], [0, 0, 0]) == 0
    assert welch([1, 1, 1], [0.4, 0.6, 0.5]) == pytest.approx(0.0131, abs=1e-3)
