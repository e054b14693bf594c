import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from vitrina.explain import best_matches, linear_cka

seeds = st.integers(0, 10_000)


def drawn(seed, samples=20, units=6):
    return np.random.default_rng(seed).standard_normal((samples, units))


def textbook(one, other):
    """CKA by its definition: the kernels of both, centred, compared entry by entry."""
    count = len(one)
    centring = np.eye(count) - np.ones((count, count)) / count
    first, second = (centring @ (values @ values.T) @ centring for values in (one, other))
    return np.trace(first @ second) / np.sqrt(np.trace(first @ first) * np.trace(second @ second))


@given(seed=seeds, unbiased=st.booleans(), scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_rotation_scale_and_shift_change_nothing(seed, unbiased, scale, shift):
    one, other = drawn(seed), drawn(seed + 1, units=4)
    turned = scale * one @ ortho_group.rvs(6, random_state=seed) + shift
    assert linear_cka(one, turned, unbiased=unbiased) == pytest.approx(1, abs=1e-9)
    before, after = (linear_cka(values, other, unbiased=unbiased) for values in (one, turned))
    assert after == pytest.approx(before, abs=1e-8)
    assert linear_cka(other, one, unbiased=unbiased) == pytest.approx(before, abs=1e-12)


@given(seed=seeds, units=st.integers(1, 40))
def test_it_is_the_textbooks(seed, units):
    one, other = drawn(seed, units=units), drawn(seed + 1, units=5) + drawn(seed, units=5)
    assert linear_cka(one, other, unbiased=False) == pytest.approx(textbook(one, other), abs=1e-10)


@pytest.mark.parametrize("unbiased", [False, True])
def test_an_invertible_map_that_stretches_does_change_it(unbiased):
    """Six independent units against one of them: |X' x|^2 / (|X' X| |x' x|) = 1 / sqrt(6)."""
    one = drawn(0, samples=4000)
    assert linear_cka(one, one * [1e4, 1, 1, 1, 1, 1], unbiased=unbiased) == pytest.approx(1 / np.sqrt(6), abs=0.02)


def test_directions_without_a_common_sample_have_nothing_in_common():
    """Orthogonal and centred: closed form 0."""
    one, other = np.array([[1.0], [-1], [1], [-1]]), np.array([[1.0], [1], [-1], [-1]])
    assert linear_cka(one, other, unbiased=False) == pytest.approx(0)


def test_few_samples_of_noise_look_alike_unless_that_is_corrected():
    pairs = [(drawn(seed, 20, 500), drawn(seed + 1000, 20, 500)) for seed in range(20)]
    assert np.mean([linear_cka(*pair, unbiased=False) for pair in pairs]) > 0.9
    assert abs(np.mean([linear_cka(*pair) for pair in pairs])) < 0.02


def test_both_estimates_agree_on_many_samples():
    one = drawn(0, 3000, 6)
    other = one @ drawn(1, 6, 4) + drawn(2, 3000, 4)
    assert linear_cka(one, other) == pytest.approx(linear_cka(one, other, unbiased=False), abs=0.01)


def test_pictures_are_flattened():
    one = np.random.default_rng(0).standard_normal((8, 3, 3, 2))
    assert linear_cka(one, 2 * one.reshape(8, -1)) == pytest.approx(1)


@given(seed=seeds)
def test_units_find_their_twins_however_ordered_and_scaled(seed):
    one = drawn(seed)
    order = np.random.default_rng(seed).permutation(6)
    np.testing.assert_allclose(best_matches(one, 3 * one[:, order] + 1), 1)
    mixed = best_matches(one, one @ ortho_group.rvs(6, random_state=seed))
    assert np.all(mixed <= 1 + 1e-12)
    assert mixed.mean() < 0.99


def test_a_match_is_the_largest_correlation_and_silence_has_none():
    one, other = drawn(0), drawn(1)
    one[:, 2], other[:, 3] = 5, 0
    with np.errstate(invalid="ignore", divide="ignore"):
        table = np.corrcoef(one.T, other.T)[:6, 6:]
    expected = np.nanmax(np.delete(table, 2, axis=0), axis=1)
    matches = best_matches(one, other)
    np.testing.assert_allclose(np.delete(matches, 2), expected)
    assert np.isnan(matches[2])


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (drawn(0), drawn(0, samples=19), "same samples"),
        (drawn(0)[:, 0], drawn(0), "same samples"),
        (drawn(0)[:3], drawn(0)[:3], "4 samples"),
        (drawn(0), np.ones((20, 3)), "nothing to compare"),
        (drawn(0), drawn(0) * np.nan, "finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(one, other, message):
    with pytest.raises(ValueError, match=message):
        linear_cka(one, other)
