import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from sklearn.linear_model import LogisticRegression

from vitrina.explain import DEFINITIONS, Definition, Retraining, compare_explainers, explainability_performance


def share_seen(_labels, outputs):
    """Performance is what the model says."""
    return outputs.mean()


def coefficient(weights, relevance, **options):
    """Of a model whose performance is the sum of the weights of the features that it sees."""
    weights = np.asarray(weights, float)
    return explainability_performance(
        lambda inputs: inputs @ weights,
        np.ones((2, len(weights))),
        [0, 0],
        relevance,
        background=np.zeros(len(weights)),
        performance=share_seen,
        **options,
    )


@pytest.mark.parametrize(("relevant", "features"), [(1, 1), (1, 4), (3, 9), (5, 20), (6, 6)])
def test_scores_are_the_closed_forms_where_some_features_are_equally_relevant(relevant, features):
    """r(k) = min(k/m, 1) from the front and max(0, 1 - (d - k)/m) from the back, for m relevant features of d."""
    is_relevant = np.arange(features) < relevant
    found = coefficient(is_relevant, is_relevant.astype(float))
    assert found.under("area").score == pytest.approx(1 - relevant / features / 2)
    assert found.under("contrast").score == pytest.approx(1 - relevant / features)
    kept = np.arange(features + 1)
    sparse, retained = 1 - kept / features, np.minimum(kept / relevant, 1)
    balance = np.divide(
        2 * sparse * retained, sparse + retained, out=np.zeros(features + 1), where=sparse + retained > 0
    )
    assert found.under("operating point").score == pytest.approx(balance.max())
    assert found.best_kept == np.argmax(balance)
    turned = coefficient(is_relevant, 1.0 - is_relevant)
    assert turned.under("area").score == pytest.approx(relevant / features / 2)


numbers = st.floats(-3, 3, allow_nan=False)


@given(st.lists(st.tuples(st.floats(0.01, 3), st.integers(-2, 2)), min_size=1, max_size=8), st.integers(0, 9))
@settings(max_examples=60)
def test_a_ranking_turned_round_has_minus_the_contrast_also_with_ties(features, seed):
    weights, relevance = map(np.array, zip(*features, strict=True))
    there, back = (coefficient(weights, sign * relevance, orders=1, seed=seed) for sign in (1, -1))
    assert there.score == pytest.approx(-back.score, abs=1e-12)
    assert -1 <= there.score <= 1
    for name in ("area", "operating point"):
        assert 0 <= there.under(name).score <= 1


@given(st.lists(st.floats(0.01, 3), min_size=1, max_size=7), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_no_ranking_of_an_additive_model_beats_that_by_its_weights(weights, random):
    other = random.sample(weights, len(weights))
    for name in DEFINITIONS:
        best, any_other = (coefficient(weights, relevance, definition=name, orders=1) for relevance in (weights, other))
        assert any_other.score <= best.score + 1e-12


def test_one_ranking_for_all_features_alike_is_worth_nothing():
    found = coefficient([3, 2, 1], np.zeros(3))
    assert found.score == 0
    assert found.percentile == pytest.approx(50)


@pytest.mark.parametrize("orders", [1, 2, 7, 100])
def test_random_orders_have_no_contrast_on_average(orders):
    found = coefficient(np.arange(1, 8.0), np.arange(7), orders=orders)
    assert found.chance_scores.shape == (orders,)
    if orders % 2 == 0:
        assert found.chance_scores.mean() == pytest.approx(0, abs=1e-12)
    assert found.under("area").chance_scores.mean() == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_percentile_of_a_random_ranking_is_uniform(definition):
    generator = np.random.default_rng(1)
    weights = generator.exponential(size=12)
    percentiles = [
        coefficient(weights, generator.random(12), definition=definition, seed=seed).percentile for seed in range(200)
    ]
    assert kstest(np.array(percentiles) / 100, "uniform").pvalue > 0.01


def test_the_percentile_counts_equal_scores_half():
    assert coefficient([1, 1, 1], [3, 2, 1]).percentile == pytest.approx(50)
    assert coefficient([9, 1, 1], [3, 2, 1], orders=200).percentile == pytest.approx(100 * (2 / 3 + 1 / 6), abs=6)


def test_the_more_of_a_ranking_is_shuffled_the_lower_it_scores():
    generator = np.random.default_rng(0)
    weights = np.sort(generator.exponential(size=16))

    def shuffled(share):
        relevance, places = np.arange(16.0), generator.permutation(16)[: round(16 * share)]
        relevance[places] = relevance[generator.permutation(places)]
        return coefficient(weights, relevance, orders=1).score

    means = [np.mean([shuffled(share) for _ in range(40)]) for share in (0, 0.25, 0.5, 1)]
    assert np.all(np.diff(means) < -0.05)
    assert means[-1] == pytest.approx(0, abs=0.1)


def test_a_seed_for_each_call_and_none_for_the_session():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    one, again, other = (coefficient(np.arange(1, 9.0), np.arange(8), seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.chance_scores, again.chance_scores)
    assert not np.array_equal(one.chance_scores, other.chance_scores)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_a_definition_of_ones_own_replaces_the_forms_everywhere():
    half = Definition("half", "r(d/2)", lambda curves: curves.first_retained[..., len(curves.kept) // 2])
    found = coefficient([4, 3, 2, 1], [4, 3, 2, 1], definition=half)
    assert found.score == pytest.approx(0.7)
    assert set(np.round(found.chance_scores, 9)) == {0.3, 0.4, 0.5, 0.6, 0.7}
    assert found.under("area").under(half).score == found.score
    assert str(found).startswith("half 0.700 (random orders ")
    assert "k* = 2 of 4; model with all features 10.000" in str(found)


def test_local_relevances_are_held_against_random_orders_of_each_sample():
    generator = np.random.default_rng(0)
    inputs, weights = generator.standard_normal((200, 6)), np.array([4, 2, 1, 0.5, 0.2, 0.1])
    labels = (inputs @ weights > 0).astype(int)

    def model(samples):
        positive = 1 / (1 + np.exp(-4 * samples @ weights))
        return np.stack([1 - positive, positive], axis=1)

    for_the_decision = inputs * weights * np.where(labels == 1, 1, -1)[:, np.newaxis]
    local, one_for_all = (
        explainability_performance(model, inputs, labels, relevance, background=np.zeros(6))
        for relevance in (for_the_decision, weights)
    )
    assert local.percentile == 100
    assert local.score > one_for_all.score > 0.3
    assert local.chance_scores.std() < one_for_all.chance_scores.std() / 3  # the luck of samples averages out


# --- a logistic model with 5 relevant features of 20: what was found when the definition was chosen ---


def logistic_data(seed):
    generator = np.random.default_rng(seed)
    inputs = generator.standard_normal((1200, 20))
    weights = np.r_[2.5, 1.6, 1.2, 0.8, 0.6, np.zeros(15)]
    return inputs, (inputs @ weights + generator.logistic(size=1200) > 0).astype(int)


def refit(inputs, labels, _seed):
    return LogisticRegression().fit(inputs, labels)


@pytest.mark.parametrize("protocol", ["mask", "retrain"])
def test_the_figures_by_which_the_definition_was_chosen(protocol):
    forms = ("area", "contrast", "operating point")
    right, turned, by_chance = [], [], []
    for seed in range(5):
        inputs, labels = logistic_data(seed)
        train, test = (inputs[:800], labels[:800]), (inputs[800:], labels[800:])
        explained = refit(*train, 0)
        model = Retraining(refit, *train) if protocol == "retrain" else explained
        options = {"background": np.zeros(20), "performance": "accuracy", "orders": 2 if protocol == "retrain" else 100}
        relevance = np.abs(explained.coef_[0])
        found, reverse = (explainability_performance(model, *test, sign * relevance, **options) for sign in (1, -1))
        right.append([found.under(form).score for form in forms])
        turned.append([reverse.under(form).score for form in forms])
        by_chance.append([found.under(form).chance_scores.mean() for form in forms])
        assert 3 <= found.best_kept <= 5
    np.testing.assert_allclose(np.mean(right, axis=0), [0.937, 0.837, 0.882], atol=0.03)
    np.testing.assert_allclose(np.mean(turned, axis=0), [0.10, -0.84, 0.17], atol=0.06)
    if protocol == "mask":
        area, contrast, operating = np.mean(by_chance, axis=0)
        assert contrast == pytest.approx(0, abs=1e-9)
        assert area > 0.45  # the high floor of the two other forms
        assert operating > 0.45


# --- several seeds ---


def over_seeds(quality, seeds=5, spread=0.0, names=("good", "middling", "random")):
    """Explainers of an additive model: the weights plus noise."""
    generator = np.random.default_rng(0)
    results = {name: [] for name in names}
    for seed in range(seeds):
        weights = generator.exponential(size=15)
        for name, noise in zip(names, quality, strict=True):
            relevance = weights + (noise + spread * generator.random()) * generator.standard_normal(15)
            results[name].append(coefficient(weights, relevance, seed=seed))
    return results


def test_explainers_are_ranked_over_seeds_and_noise_is_called_noise():
    compared = compare_explainers(over_seeds((0.0, 0.01, 100.0)))
    assert compared.names[2] == "random"
    assert compared.scores.shape == compared.percentiles.shape == (3, 5)
    assert compared.better("good", "random")
    assert not compared.better("random", "good")
    assert not compared.better("good", "middling")
    np.testing.assert_allclose(compared.means, compared.scores.mean(axis=1))
    np.testing.assert_allclose(compared.spreads, compared.scores.std(axis=1, ddof=1))
    np.testing.assert_allclose(compared.p_values, compared.p_values.T)
    text = str(compared)
    assert text.startswith("contrast, 5 seeds")
    assert "none by more than noise" in text.splitlines()[-1]
    by_area = compare_explainers(over_seeds((0.0, 0.01, 100.0)), definition="area")
    assert by_area.definition.name == "area"


def test_equal_explainers_are_equal_and_a_constant_difference_is_no_noise():
    same = over_seeds((0.0, 0.0), names=("one", "other"))
    compared = compare_explainers(same)
    assert compared.p_values[0, 1] == 1
    turned = {"there": [coefficient([3, 2, 1], [3, 2, 1])] * 5, "back": [coefficient([3, 2, 1], [1, 2, 3])] * 5}
    assert compare_explainers(turned).better("there", "back")


def test_p_values_are_paired_and_corrected_for_their_number():
    from scipy.stats import ttest_rel

    results = over_seeds((0.3, 0.8, 3.0), seeds=8)
    compared = compare_explainers(results)
    pairs = [(0, 1), (0, 2), (1, 2)]
    single = [ttest_rel(compared.scores[one], compared.scores[other]).pvalue for one, other in pairs]
    holm = {}
    for place, index in enumerate(np.argsort(single)):
        holm[pairs[index]] = min(1, max([(3 - place) * single[index], *holm.values()]))
    for pair, expected in holm.items():
        assert compared.p_values[pair] == pytest.approx(expected)


def test_noise_alone_is_seldom_called_a_difference():
    generator = np.random.default_rng(2)
    alarms = 0
    for _ in range(60):
        weights = generator.exponential(size=(5, 10))
        results = {
            name: [coefficient(row, generator.random(10), orders=1) for row in weights] for name in ("a", "b", "c")
        }
        compared = compare_explainers(results)
        alarms += any(compared.better(one, other) for one in "abc" for other in "abc" if one != other)
    assert alarms <= 8  # 3 expected


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, "no explainer to compare"),
        (over_seeds((0.0,), seeds=4, names=("one",)), "4 seeds are too few to rank explainers.*5 seeds at least"),
        (over_seeds((0.0,), seeds=1, names=("one",)), "1 seed is too few"),
        (over_seeds((0.0,), names=("one",)) | over_seeds((0.0,), seeds=6, names=("six",)), "equally many"),
        ({"a": [coefficient([1, 2], [1, 2])] * 5, "b": [coefficient([1, 3], [1, 2])] * 5}, "performance with all"),
        (
            {"a": [coefficient([1, 2], [1, 2]), *[coefficient([1, 2], [1, 2], definition="area")] * 4]},
            "several definitions",
        ),
    ],
)
def test_what_cannot_be_ranked_is_refused(results, message):
    with pytest.raises(ValueError, match=message):
        compare_explainers(results)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"definition": "best"}, "unknown definition 'best': choose from operating point, area, contrast"),
        ({"orders": 0}, "orders must be at least 1"),
        ({"performance": "best"}, "unknown performance"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        explainability_performance(
            lambda inputs: inputs, np.ones((2, 2)), [0, 0], [1, 2], **{"background": np.zeros(2)} | change
        )
    with pytest.raises(ValueError, match="no explainer 'other'"):
        compare_explainers(over_seeds((0.0,), names=("one",))).better("one", "other")
