from itertools import combinations

import numpy as np
import pytest
from scipy.stats import spearmanr

from vitrina.explain import lime_image, lime_tabular, lime_text, seed_stability

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(80, 6))
SLOPES = np.array([3.0, -2.0, 1.0, 0.1, -0.1, 0.05])


def curved(rows):
    return np.tanh(rows @ SLOPES) + np.sin(4 * rows).sum(axis=1)


def explain(seed, samples=100, **options):
    return lime_tabular(curved, ROWS[:2], 0, background=ROWS, samples=samples, seed=seed, **options)


def textbook(explained, leading):
    """Visani et al.: pairs of calls, one instance, one feature at a time."""
    variables, overlaps, ranks = [], {}, []
    for one, other in combinations(explained, 2):
        lead = [set(np.argsort(-np.abs(values))[:leading]) for values, _ in (one, other)]
        variables.append(len(lead[0] & lead[1]) / leading)
        ranks.append(spearmanr(np.abs(one[0]), np.abs(other[0])).statistic)
        for feature in lead[0] & lead[1]:
            (a, da), (b, db) = ((values[feature], 1.96 * errors[feature]) for values, errors in (one, other))
            overlaps.setdefault(feature, []).append(a - da <= b + db and b - db <= a + da)
    return np.mean(variables), np.mean([np.mean(pairs) for pairs in overlaps.values()]), np.mean(ranks)


def test_the_indices_are_those_of_the_paper():
    found = seed_stability(explain, seeds=[3, 1, 4, 15, 9], leading=3)
    for row in range(2):
        runs = [explain(seed) for seed in (3, 1, 4, 15, 9)]
        pairs = [(run.attributions[row], run.standard_errors[row]) for run in runs]
        vsi, csi, ranks = textbook(pairs, 3)
        assert 0 < vsi < 1  # it would be no test otherwise
        assert (found.vsi[row], found.csi[row]) == (pytest.approx(vsi), pytest.approx(csi))
        assert found.rank_agreement[row] == pytest.approx(ranks)
        np.testing.assert_allclose(found.coefficients[row], [values for values, _ in pairs])
        np.testing.assert_allclose(found.deviations[row], np.std([values for values, _ in pairs], axis=0))


def test_more_samples_are_more_stable():
    few, many = (seed_stability(lambda seed, n=n: explain(seed, n), 6, leading=3) for n in (60, 4000))
    assert np.all(many.vsi >= few.vsi)
    assert many.vsi.mean() > few.vsi.mean() + 0.1
    assert np.all(many.rank_agreement > few.rank_agreement)
    assert all(np.mean(a) < np.mean(b) / 4 for a, b in zip(many.deviations, few.deviations, strict=True))


def test_features_that_were_not_selected_never_lead():
    found = seed_stability(lambda seed: explain(seed, 2000, features=1), 4, leading=5)
    kept = [np.count_nonzero(values, axis=1) for values in found.coefficients]
    np.testing.assert_array_equal(kept, 1)
    assert found.vsi[0] == np.mean([np.array_equal(a != 0, b != 0) for a, b in combinations(found.coefficients[0], 2)])


def test_any_method_with_a_seed_can_be_judged():
    noisy = lambda seed: SLOPES + 0.01 * np.random.default_rng(seed).normal(size=(3, 6))  # noqa: E731
    found = seed_stability(noisy, 5, leading=3)
    np.testing.assert_array_equal(found.vsi, 1)
    assert np.isnan(found.csi).all()
    assert np.all(found.rank_agreement > 0.8)
    images = seed_stability(lambda seed: np.random.default_rng(seed).normal(size=(2, 4, 4, 1)), 5)
    assert images.coefficients[1].shape == (5, 16)
    assert np.all(images.vsi < 0.7)


def test_texts_and_images_have_their_own_numbers_of_features():
    texts = ["good film", "a rather long and dull film"]
    reader = lambda batch: np.array([len(text) for text in batch], float)  # noqa: E731
    found = seed_stability(lambda seed: lime_text(reader, texts, 0, samples=50, seed=seed), 3)
    assert [values.shape for values in found.coefficients] == [(3, 2), (3, 6)]
    assert np.all((found.csi >= 0) & (found.csi <= 1))
    pixels = np.random.default_rng(0).random((1, 12, 12))
    dark = lambda images: images.mean(axis=(1, 2))  # noqa: E731
    assert seed_stability(lambda s: lime_image(dark, pixels, 0, segments=9, samples=50, seed=s), 3).vsi.shape == (1,)


def test_nothing_is_stable():
    found = seed_stability(lambda _: np.zeros((1, 4)), 3)
    assert found.vsi[0] == 1
    assert np.isnan(found.csi[0])
    assert np.isnan(seed_stability(lambda _: np.ones((1, 1)), 3).rank_agreement[0])


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (explain, {"seeds": 1}, "at least 2 seeds"),
        (explain, {"seeds": [5]}, "at least 2 seeds"),
        (explain, {"leading": 0}, "leading must be an int of at least 1"),
        (lambda seed: np.zeros((1, 2 + seed)), {}, "the same instances"),
        (lambda _: np.zeros(3), {}, r"attributions \(batch, ...\), got shape \(3,\)"),
        (
            lambda seed: lime_tabular(curved, ROWS[:1], [[0]], background=ROWS, samples=20, seed=seed),
            {},
            "one target per instance",
        ),
    ],
)
def test_what_does_not_fit_is_refused(function, options, message):
    with pytest.raises(ValueError, match=message):
        seed_stability(function, **({"seeds": 2} | options))
