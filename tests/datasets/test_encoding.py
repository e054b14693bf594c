import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina_datasets import adult, german_credit, iris
from vitrina_datasets.encoding import one_hot, ordinal
from vitrina_datasets.tables import Column, Table

COLUMNS = (Column("a", "number"), Column("b", "kind", categories=("x", "y", "z")), Column("c", "number"))
VALUES = np.array([[1.0, 0, 5], [2, 2, 5], [3, 1, 5]])
TABLE = Table("small", COLUMNS, VALUES, np.array([0, 1, 0]), ("no", "yes"))


def test_one_hot_by_hand():
    encoding = one_hot(TABLE)
    step = 1 / np.std([1, 2, 3])
    expected = [[-step, 1, 0, 0, 0], [0, 0, 0, 1, 0], [step, 0, 1, 0, 0]]  # a constant column is 0, not NaN
    np.testing.assert_allclose(encoding.encode(TABLE), expected, atol=1e-6)
    assert encoding.encode(TABLE).dtype == np.float32
    assert encoding.names == ("a", "b=x", "b=y", "b=z", "c")
    assert encoding.groups == ((0,), (1, 2, 3), (4,))
    assert encoding.feature_of.tolist() == [0, 1, 1, 1, 2]


def test_numbers_may_stay_as_they_are():
    np.testing.assert_array_equal(one_hot(TABLE, standardise=False).encode(VALUES)[:, [0, 4]], VALUES[:, [0, 2]])


def test_ordinal_keeps_one_input_a_column():
    encoding = ordinal(TABLE)
    np.testing.assert_array_equal(encoding.encode(TABLE), VALUES)
    assert encoding.names == ("a", "b", "c")
    assert encoding.groups == ((0,), (1,), (2,))
    assert abs(ordinal(TABLE, standardise=True).encode(TABLE)[:, :2].mean()) < 1e-6


@pytest.mark.parametrize("module", [adult, german_credit, iris])
@pytest.mark.parametrize("encode", [one_hot, ordinal])
def test_decoding_brings_the_table_back(module, encode):
    table = module.fake(rows=50)
    encoding = encode(table)
    inputs = encoding.encode(table)
    assert inputs.shape == (50, len(encoding.names))
    np.testing.assert_allclose(encoding.decode(inputs), table.values, rtol=1e-4, atol=1e-3)


@given(st.integers(0, 2**32 - 1), st.sampled_from([(), (2,), (2, 3)]))
def test_sums_by_feature_keep_the_total_and_the_order(seed, batch):
    encoding = one_hot(TABLE)
    attributions = np.random.default_rng(seed).normal(size=(*batch, 5))
    summed = encoding.sum_by_feature(attributions)
    expected = np.stack([attributions[..., list(group)].sum(axis=-1) for group in encoding.groups], axis=-1)
    np.testing.assert_allclose(summed, expected, atol=1e-12)
    np.testing.assert_allclose(summed.sum(axis=-1), attributions.sum(axis=-1), atol=1e-12)


def test_the_test_part_is_measured_with_the_training_parts_scale():
    encoding = one_hot(TABLE)
    np.testing.assert_allclose(encoding.encode([[2.0, 0, 5]])[0, 0], 0, atol=1e-7)


def test_what_does_not_fit_is_refused():
    encoding = one_hot(TABLE)
    with pytest.raises(ValueError, match=r"shape \(rows, 3\), got \(3,\)"):
        encoding.encode(VALUES[0])
    with pytest.raises(ValueError, match="b must hold positions in its 3 categories"):
        encoding.encode([[1, 3, 5]])
    with pytest.raises(ValueError, match="b must hold positions"):
        encoding.encode([[1, 0.5, 5]])
    with pytest.raises(ValueError, match="the 5 inputs"):
        encoding.sum_by_feature(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"shape \(rows, 5\), got \(5,\)"):
        encoding.decode(np.zeros(5))
    with pytest.raises(ValueError, match="no rows"):
        one_hot(TABLE.take(np.zeros(3, bool)))
