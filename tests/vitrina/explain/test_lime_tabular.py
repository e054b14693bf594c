import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lime.lime_tabular import LimeTabularExplainer
from scipy.stats import ks_2samp, kstest, truncnorm
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from vitrina.explain import lime_tabular
from vitrina.explain.lime import kernel_weights


@pytest.fixture(scope="module")
def wine():
    data = load_wine()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)
    return data.data, model


class Recorded:
    """A function that keeps what it is asked."""

    def __init__(self, function):
        self.function, self.asked = function, []

    def __call__(self, rows):
        self.asked.append(np.array(rows))
        return self.function(rows)


def mixed(count=400, seed=0):
    """Numbers, a few whole numbers, and categories as strings."""
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": generator.normal(40, 10, count),
            "children": generator.integers(0, 4, count),
            "colour": generator.choice(["red", "green", "blue"], count, p=[0.5, 0.3, 0.2]),
        }
    )


@given(
    st.integers(1, 6),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=30)
def test_a_linear_model_is_its_own_explanation(columns, outputs, around, seed):
    generator = np.random.default_rng(seed)
    slopes, offset = generator.normal(size=(columns, outputs)), generator.normal(size=outputs)
    background = generator.normal(3, 5, (50, columns)) * 10.0 ** generator.integers(-3, 4, columns)
    rows = background[:4]
    model = lambda x: x @ slopes + offset  # noqa: E731
    targets = generator.integers(0, outputs, (4, 2))
    found = lime_tabular(
        model,
        rows,
        targets,
        background=background,
        discretise=False,
        sample_around_instance=around,
        ridge=0,
        samples=200,
        seed=seed % 100,
    )
    scale = np.abs(model(background)).max()
    expected = (slopes * background.std(axis=0)[:, np.newaxis])[:, targets].transpose(1, 2, 0)
    np.testing.assert_allclose(found.attributions, expected, atol=1e-9 * scale)
    at_mean = model(background.mean(axis=0))[targets]  # where every code is 0
    np.testing.assert_allclose(found.intercept, at_mean, atol=1e-8 * scale)
    np.testing.assert_allclose(found.prediction, np.take_along_axis(model(rows), targets, 1), rtol=1e-12)
    np.testing.assert_allclose(found.local_prediction, found.prediction, atol=1e-8 * scale)
    np.testing.assert_allclose(found.fidelity, 1, atol=1e-9)


def test_what_adds_up_over_quarters_and_categories_is_its_own_explanation():
    table = mixed()
    row = table.iloc[[3]]
    cuts = np.percentile(table["age"], [25, 50, 75])
    quarter = np.searchsorted(cuts, row["age"].iloc[0])

    def model(rows):
        same = np.searchsorted(cuts, rows["age"].to_numpy(float)) == quarter
        return 2.0 * same - 3.0 * (rows["colour"] == row["colour"].iloc[0]) + 0.5

    found = lime_tabular(model, row, 0, background=table, categorical=["children"], ridge=0)
    np.testing.assert_allclose(found.attributions, [[2, 0, -3]], atol=1e-9)
    np.testing.assert_allclose(found.intercept, [0.5], atol=1e-9)
    np.testing.assert_allclose(found.fidelity, [1], atol=1e-9)


def solved_by_lime(background, row, draws, said, target, *, discretise, features, selection):
    """LIME's own coding, kernel and solver on given draws: coefficients, intercept, fidelity, local prediction."""
    explainer = LimeTabularExplainer(background, discretize_continuous=discretise, random_state=0)
    rows = np.concatenate([row[np.newaxis], draws])
    if discretise:
        bins = explainer.discretizer.discretize(rows)
        codes = (bins == bins[0]).astype(float)
    else:
        codes = (rows - explainer.scaler.mean_) / explainer.scaler.scale_
    distances = np.sqrt(((codes - codes[0]) ** 2).sum(axis=1))
    intercept, chosen, score, local = explainer.base.explain_instance_with_data(
        codes, said, distances, target, features, feature_selection=selection
    )
    coefficients = np.zeros(len(row))
    for feature, value in chosen:
        coefficients[feature] = value
    return coefficients, intercept, score, local[0]


@pytest.mark.parametrize("discretise", [True, False])
@pytest.mark.parametrize(
    ("features", "selection", "library"),
    [
        (None, "auto", "none"),
        (4, "auto", "auto"),
        (8, "auto", "auto"),
        (3, "forward_selection", "forward_selection"),
        (12, "forward_selection", "forward_selection"),
        (5, "highest_weights", "highest_weights"),
        (99, "highest_weights", "none"),
    ],
)
@pytest.mark.parametrize("samples", [40, 600])  # with few, columns are correlated by chance
def test_on_the_same_draws_the_library_finds_the_same(wine, samples, discretise, features, selection, library):
    background, model = wine
    recorded = Recorded(model.predict_proba)
    rows, targets = background[[5, 90, 150]], [0, 1, 0]
    found = lime_tabular(
        recorded,
        rows,
        targets,
        background=background,
        discretise=discretise,
        features=features,
        selection=selection,
        samples=samples,
    )
    draws = max(recorded.asked, key=len)
    assert len(draws) == samples - 1
    for number, (row, target) in enumerate(zip(rows, targets, strict=True)):
        said = model.predict_proba(np.concatenate([row[np.newaxis], draws]))
        coefficients, *others = solved_by_lime(
            background,
            row,
            draws,
            said,
            target,
            discretise=discretise,
            features=features or 99,
            selection=library,
        )
        np.testing.assert_allclose(found.attributions[number], coefficients, atol=1e-10)
        ours = found.intercept[number], found.fidelity[number], found.local_prediction[number]
        np.testing.assert_allclose(ours, others, atol=1e-9)


@pytest.mark.parametrize("discretise", [True, False])
def test_draws_are_distributed_like_the_librarys(wine, discretise):
    background, _ = wine
    ours, theirs = (Recorded(lambda rows: np.full((len(rows), 2), 0.5)) for _ in range(2))
    lime_tabular(ours, background[:1], 0, background=background, discretise=discretise)
    LimeTabularExplainer(background, discretize_continuous=discretise, random_state=1).explain_instance(
        background[0], theirs, num_features=2
    )
    mine, other = max(ours.asked, key=len), theirs.asked[0][1:]
    assert mine.shape == other.shape
    for column in range(background.shape[1]):
        assert ks_2samp(mine[:, column], other[:, column]).pvalue > 1e-3, column


def test_categories_are_drawn_as_often_as_seen_and_columns_independently():
    table = mixed()
    asked = Recorded(lambda rows: np.zeros(len(rows)))
    lime_tabular(asked, table.iloc[:1], 0, background=table, categorical=[1])
    draws = pd.DataFrame(max(asked.asked, key=len), columns=table.columns)
    for column in ("children", "colour"):
        seen = table[column].value_counts(normalize=True).sort_index()
        drawn = draws[column].value_counts(normalize=True).sort_index()
        assert list(drawn.index) == list(seen.index)
        np.testing.assert_allclose(drawn, seen, atol=0.03)
    both = pd.crosstab(draws["children"], draws["colour"], normalize=True).to_numpy()
    np.testing.assert_allclose(both, both.sum(1, keepdims=True) * both.sum(0), atol=0.02)


def test_a_smallest_value_that_fills_a_quarter_stays_what_it_is():
    # lime 0.2.0.1 returns the standardised value of a bin without width: 0 instead of 1
    background = np.column_stack([np.repeat([1.0, 2.0], [60, 40]), np.linspace(0, 1, 100)])
    ours, theirs = (Recorded(lambda rows: np.full((len(rows), 2), 0.5)) for _ in range(2))
    lime_tabular(ours, background[:1], 0, background=background)
    LimeTabularExplainer(background, random_state=0).explain_instance(background[0], theirs)
    assert 0.0 in theirs.asked[0][1:, 0]
    draws = max(ours.asked, key=len)[:, 0]
    assert draws.min() == 1
    assert draws.max() <= 2
    assert np.mean(draws == 1) == pytest.approx(0.6, abs=0.03)


def test_draws_stay_in_their_quarter_even_far_in_the_tail():
    background = np.r_[np.linspace(0, 1, 400), 1e6][:, np.newaxis]
    asked = Recorded(lambda rows: np.zeros(len(rows)))
    lime_tabular(asked, background[:1], 0, background=background, samples=20_000)
    draws = max(asked.asked, key=len)
    assert np.isfinite(draws).all()
    assert draws.min() >= 0
    assert draws.max() <= 1e6
    assert np.mean(draws <= 0.5) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("outlier", [1.5, 30.0])
def test_in_a_quarter_draws_are_normal_cut_at_its_ends(outlier):
    background = np.r_[np.linspace(0, 1, 100), outlier][:, np.newaxis]
    asked = Recorded(lambda rows: np.zeros(len(rows)))
    lime_tabular(asked, background[:1], 0, background=background, samples=300_000)
    draws = max(asked.asked, key=len)[:, 0]
    cuts = np.r_[0, np.percentile(background, [25, 50, 75]), outlier]
    for low, high in pairwise(cuts):
        within = background[((background > low) | (low == 0)) & (background <= high)]
        mean, deviation = within.mean(), within.std()
        law = truncnorm((low - mean) / deviation, (high - mean) / deviation, mean, deviation)
        drawn = draws[(draws > low) & (draws <= high)]
        assert kstest(drawn, law.cdf).pvalue > 1e-3
        far = law.isf(1e-3)  # which a test of the whole hardly sees
        assert np.mean(drawn > far) == pytest.approx(1e-3, abs=5e-4)
        assert np.max(drawn) < law.isf(1e-9)


def test_the_leading_features_are_those_of_the_library(wine):
    background, model = wine
    explainer = LimeTabularExplainer(background, random_state=0)
    rows = background[[0, 30, 70, 140, 170]]
    found = lime_tabular(model, rows, 0, background=background)
    for row, coefficients in zip(rows, found.attributions, strict=True):
        theirs = explainer.explain_instance(row, model.predict_proba, labels=(0,), num_features=13).local_exp[0]
        other = np.zeros(13)
        other[[feature for feature, _ in theirs]] = [value for _, value in theirs]
        assert np.corrcoef(coefficients, other)[0, 1] > 0.95
        assert len(set(np.argsort(-np.abs(coefficients))[:3]) & set(np.argsort(-np.abs(other))[:3])) >= 2


def test_the_seed_belongs_to_the_call(wine):
    background, model = wine
    options = {"background": background, "samples": 300}
    state = np.random.get_state()[1].copy()
    first = lime_tabular(model, background[:3], 1, **options, seed=4)
    again = lime_tabular(model, background[:3], 1, **options, seed=4)
    np.testing.assert_array_equal(first.attributions, again.attributions)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert not np.allclose(first.attributions, lime_tabular(model, background[:3], 1, **options).attributions)


@pytest.mark.parametrize("around", [False, True])
def test_a_row_is_explained_alike_whatever_stands_beside_it(wine, around):
    background, model = wine
    options = {
        "background": background,
        "samples": 200,
        "discretise": not around,
        "sample_around_instance": around,
    }
    together = lime_tabular(model, background[[4, 80, 120]], [0, 1, 2], **options)
    alone = lime_tabular(model, background[[80]], 1, **options)
    np.testing.assert_allclose(together.attributions[1], alone.attributions[0], atol=1e-12)
    several = lime_tabular(model, background[[80]], [[2, 1]], **options)
    np.testing.assert_allclose(several.attributions[0, 1], alone.attributions[0], atol=1e-12)
    assert several.fidelity.shape == (1, 2)
    with pytest.raises(ValueError, match="a list has room for one"):
        several.as_list()


def test_a_table_costs_the_model_no_more_than_a_row(wine):
    background, model = wine
    asked = Recorded(model.predict_proba)
    lime_tabular(asked, background[:50], 0, background=background, samples=300)
    assert sum(map(len, asked.asked)) == 50 + 299


def test_the_kernel_is_the_one_that_is_named(wine):
    distances = np.array([0, 0.5, 1.0, 3.0])
    np.testing.assert_allclose(kernel_weights(distances, 1.5), np.sqrt(np.exp(-(distances**2) / 1.5**2)), rtol=1e-12)
    background, model = wine
    options = {"background": background, "samples": 300}
    named = lime_tabular(model, background[:2], 0, **options, kernel_width=0.75 * math.sqrt(13))
    np.testing.assert_array_equal(named.attributions, lime_tabular(model, background[:2], 0, **options).attributions)


def test_a_narrow_kernel_finds_the_slope_and_a_wide_one_the_trend():
    background = np.linspace(-2, 2, 200)[:, np.newaxis]
    deviation = background.std()
    found = {
        width: lime_tabular(
            lambda x: x[:, 0] ** 2,
            [[1.0]],
            0,
            background=background,
            discretise=False,
            sample_around_instance=around,
            kernel_width=width,
            ridge=0,
            samples=20_000,
        )
        for width, around in [(0.05, True), (50.0, False)]
    }
    assert found[0.05].attributions[0, 0] == pytest.approx(2 * deviation, rel=0.02)
    assert found[0.05].fidelity[0] > 0.95
    assert found[0.05].effective_samples[0] < 0.2 * 20_000
    asked = Recorded(lambda x: x[:, 0])
    few = lime_tabular(asked, [[1.0]], 0, background=background, discretise=False, samples=50, kernel_width=0.5)
    weights = kernel_weights(np.r_[0, max(asked.asked, key=len)[:, 0] - 1] / deviation, 0.5)
    assert few.effective_samples[0] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert abs(found[50.0].attributions[0, 0]) < 0.1  # the parabola is even around the mean
    assert found[50.0].fidelity[0] < 0.05
    assert found[50.0].effective_samples[0] == pytest.approx(20_000, rel=0.01)


def test_standard_errors_tell_how_coefficients_scatter(wine):
    background, model = wine
    runs = [lime_tabular(model, background[[60]], 1, background=background, samples=500, seed=s) for s in range(60)]
    scatter = np.std([run.attributions[0] for run in runs], axis=0)
    expected = np.mean([run.standard_errors[0] for run in runs], axis=0)
    np.testing.assert_allclose(scatter, expected, rtol=0.5)


def test_frames_go_to_the_model_as_frames_and_name_the_conditions():
    table = mixed()
    labels = (table["colour"] == "red") & (table["age"] > 40)
    encode = make_column_transformer((OneHotEncoder(), ["colour"]), (StandardScaler(), ["age", "children"]))
    model = make_pipeline(encode, LogisticRegression()).fit(table, labels)
    row = table[(table["colour"] == "red") & (table["age"] > 47)].iloc[[0]]
    found = lime_tabular(model, row, 1, background=table)
    age, children, colour = found.conditions[0]
    assert colour == "colour = red"
    assert age.startswith("age > ")
    assert float(age.removeprefix("age > ")) == pytest.approx(np.percentile(table["age"], 75), rel=1e-4)
    assert "children" in children
    assert [name for name, _ in found.as_list()[:2]] == sorted(
        [age, colour], key=lambda n: -abs(dict(found.as_list())[n])
    )
    arrays = lime_tabular(
        lambda rows: model.predict_proba(pd.DataFrame(rows, columns=table.columns)),
        row.to_numpy(object),
        1,
        background=table.to_numpy(object),
        names=table.columns,
    )
    np.testing.assert_allclose(arrays.attributions, found.attributions, atol=1e-12)
    assert arrays.conditions == found.conditions


def test_numbers_can_be_categories_and_frames_can_say_so():
    table = mixed()[["age", "children"]]
    row = table.iloc[[0]]
    model = lambda rows: (rows.to_numpy(float)[:, 1] == row["children"].iloc[0]) * 1.0  # noqa: E731
    for background, categorical in [(table, ["children"]), (table.astype({"children": "category"}), None)]:
        found = lime_tabular(model, row, 0, background=background, categorical=categorical, ridge=0)
        np.testing.assert_allclose(found.attributions, [[0, 1]], atol=1e-9)
        assert found.conditions[0][1] == f"children = {row['children'].iloc[0]}"


def test_categories_that_are_numbers_can_have_names():
    rows = np.column_stack([np.tile([0, 1, 2], 20), np.linspace(0, 1, 60)])
    model = lambda x: (x[:, 0] == 2) * 1.0  # noqa: E731
    for categorical in ({0: ("red", "green", "blue")}, {"hue": ("red", "green", "blue")}):
        found = lime_tabular(model, rows[[2]], 0, background=rows, categorical=categorical, names=["hue", "x"], ridge=0)
        assert found.as_list()[0] == ("hue = blue", pytest.approx(1))


def test_a_table_may_hold_nothing_but_categories():
    rows = np.array([["a", "x"], ["b", "x"], ["a", "y"], ["b", "y"]] * 10)
    found = lime_tabular(lambda r: (r[:, 0] == "a") * 1.0, rows[:1], 0, background=rows, ridge=0)
    np.testing.assert_allclose(found.attributions, [[1, 0]], atol=1e-9)
    assert found.conditions == (("column 0 = a", "column 1 = x"),)


def test_no_number_of_categories_or_columns_is_too_large_for_a_byte():
    many = np.arange(600.0)[:, np.newaxis] % 300
    found = lime_tabular(lambda x: (x[:, 0] == 290) * 1.0, [[290.0]], 0, background=many, categorical=[0], ridge=0)
    np.testing.assert_allclose(found.attributions, [[1]], atol=1e-9)
    wide = np.where(np.random.default_rng(0).random((50, 300)) < 0.05, 1.0, 0.0)
    wide[0] = 1
    asked = Recorded(lambda x: np.zeros(len(x)))
    found = lime_tabular(asked, wide[:1], 0, background=wide, categorical=range(300), features=1, samples=400)
    differ = (max(asked.asked, key=len) != 1).sum(axis=1)
    assert differ.max() > 255
    weights = np.r_[1, kernel_weights(np.sqrt(differ), 0.75 * math.sqrt(300))]
    assert found.effective_samples[0] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


def test_a_category_that_was_never_drawn_is_like_no_other():
    """Category 299 is drawn by nobody; in one byte it would be 43, which everybody is."""
    rows = np.repeat(np.arange(300.0), np.where(np.arange(300) == 43, 500_000, 1))[:, np.newaxis]
    found = lime_tabular(lambda x: (x[:, 0] == 43) * 1.0, [[299.0]], 0, background=rows, categorical=[0], samples=30)
    assert found.attributions[0, 0] < -0.4


def test_conditions_say_where_a_number_lies():
    background = np.arange(1.0, 10.0)[:, np.newaxis]  # quartiles 3, 5, 7
    found = lime_tabular(lambda x: x[:, 0], [[2.0], [3.0], [3.1], [7.0], [99.0]], 0, background=background, names=["x"])
    assert [one for (one,) in found.conditions] == ["x <= 3", "x <= 3", "3 < x <= 5", "5 < x <= 7", "x > 7"]


@pytest.mark.parametrize("discretise", [True, False])
def test_features_that_never_differ_get_nothing_and_break_nothing(discretise):
    background = np.column_stack([np.full(50, 7.1), np.linspace(0, 1, 50)])
    asked = Recorded(lambda x: x.sum(axis=1))
    for ridge in (0.0, 1.0):
        found = lime_tabular(asked, background[:2], 0, background=background, discretise=discretise, ridge=ridge)
        np.testing.assert_allclose(found.attributions[:, 0], 0, atol=1e-9)
        assert np.all(np.abs(found.attributions[:, 1]) > 0.1)
    np.testing.assert_allclose(np.concatenate(asked.asked)[:, 0], 7.1, rtol=1e-12)


def test_a_model_that_says_the_same_to_all_is_explained_by_nothing(wine):
    background, _ = wine
    found = lime_tabular(lambda x: np.full(len(x), 0.3), background[:2], 0, background=background)
    np.testing.assert_array_equal(found.attributions, 0)
    np.testing.assert_allclose(found.intercept, 0.3)
    np.testing.assert_array_equal(found.fidelity, 1)


def test_keras_models_are_explained_in_logits_or_probabilities(make_network):
    network = make_network((4, 5, 3))
    rows = np.random.default_rng(0).normal(size=(60, 4))
    options = {"background": rows, "samples": 200}
    by_name = {name: lime_tabular(network, rows[:2], 2, **options, output=name) for name in ("logit", "probability")}
    logits = np.asarray(network(rows[:2]))
    np.testing.assert_allclose(by_name["logit"].prediction, logits[:, 2], rtol=1e-6)
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(by_name["probability"].prediction, share[:, 2], rtol=1e-6)
    assert not np.allclose(by_name["logit"].attributions, by_name["probability"].attributions)


def test_a_kernel_that_leaves_too_few_is_spoken_of(wine):
    background, model = wine
    with pytest.warns(UserWarning, match=r"only about 1\.\d perturbations count for 14 coefficients") as caught:
        lime_tabular(model, background[:1], 0, background=background, kernel_width=0.2, samples=100)
    assert caught[0].filename == __file__


ROWS = np.random.default_rng(0).normal(size=(20, 3))
GAP = np.where(np.arange(60).reshape(20, 3) == 31, np.nan, ROWS)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (ROWS[0], {}, r"one row needs a batch axis: inputs\[np.newaxis\]"),
        (pd.DataFrame(ROWS).iloc[0], {}, r"take frame.iloc\[\[number\]\]"),
        (ROWS[:0], {}, "not empty"),
        (ROWS[:, :2], {}, "columns of the background, 3, got shape"),
        (ROWS, {"background": ROWS[:0]}, "background must be a table .* not empty"),
        (ROWS, {"background": GAP}, "row 10 holds nan in 'column 1': fill it in"),
        (GAP, {}, "inputs must be complete, row 10"),
        (mixed().assign(age=None)[:2], {"background": mixed()}, "row 0 holds None in 'age'"),
        (mixed()[:2].assign(age="old"), {"background": mixed()}, "inputs hold 'old' in 'age', where .* numbers"),
        (mixed()[["colour", "age", "children"]], {"background": mixed()}, "in the same order"),
        (mixed()[:2].assign(colour="pink"), {"background": mixed()}, "holds 'pink' in 'colour', which never occurs"),
        (
            mixed()[:2],
            {"background": mixed(), "categorical": ["color"]},
            "'color' that is not there: the columns are age",
        ),
        (ROWS, {"categorical": [3]}, "3 that is not there"),
        (ROWS, {"categorical": {0: ("red", "green")}}, "'column 0' must hold the numbers of its 2 named categories"),
        (ROWS, {"categorical": [0]}, None),
        (ROWS, {"names": ["a", "b"]}, "background: 3 columns need as many names, got 2"),
        (ROWS, {"samples": 1}, "samples must be at least 2"),
        (ROWS, {"samples": 2.5}, "samples must be an int"),
        (ROWS, {"sample_around_instance": True}, "give discretise=False"),
        (ROWS, {"kernel_width": 0}, "kernel_width must be above 0"),
        (ROWS, {"kernel_width": np.nan}, "kernel_width must be above 0"),
        (ROWS, {"features": 0}, "features must be an int of at least 1"),
        (ROWS, {"selection": "lasso_path"}, "selection must be one of auto, forward_selection, highest_weights"),
        (ROWS, {"ridge": -1}, "ridge must be a number of at least 0"),
        (ROWS, {"target": 1}, "target must be a class from 0 to 0"),
        (ROWS, {"target": [0, 0]}, "array of 20 ints"),
    ],
)
def test_what_does_not_fit_is_refused(rows, options, message):
    arguments = {"background": ROWS, "target": 0} | options
    model = lambda x: np.asarray(x)[:, 0].astype(float)  # noqa: E731
    if message is None:  # every value its own category: odd, but no mistake
        assert lime_tabular(model, rows, **arguments).attributions.shape == (20, 3)
        return
    with pytest.raises(ValueError, match=message):
        lime_tabular(model, rows, **arguments)


def test_any_kind_of_number_will_do(wine):
    background, model = wine
    whole = np.rint(background).astype(int)
    expected = lime_tabular(model, whole[:2].astype(float), 0, background=whole.astype(float), samples=200)
    for rows, rest in [
        (whole[:2], whole),
        (whole[:2].astype(object), whole),
        (whole[:2].astype(np.float32), whole.astype(object)),
        (whole[:2].tolist(), whole),
    ]:
        found = lime_tabular(model, rows, 0, background=rest, samples=200)
        np.testing.assert_allclose(found.attributions, expected.attributions, atol=1e-12)


@pytest.mark.parametrize("around", [False, True])
def test_what_is_remembered_of_a_table_changes_nothing(around):
    rng = np.random.default_rng(0)
    background = rng.normal(size=(60, 3))

    def explained(rows, table, seed=0):
        return lime_tabular(
            lambda asked: np.tanh(asked) @ [[1.0], [-2.0], [0.5]],
            rows,
            0,
            background=table,
            discretise=not around,
            sample_around_instance=around,
            samples=200,
            seed=seed,
        ).attributions

    first = explained(background[:1], background)
    together = explained(background[:2], background)
    other_seed, other_table = explained(background[:1], background, seed=1), explained(background[:1], background * 2)
    changed = background.copy()
    assert np.array_equal(explained(changed[:1], changed), first)
    changed[:30] += 1  # the same array with other numbers in it is another table
    assert not np.array_equal(explained(background[:1], changed), first)
    assert np.array_equal(together[:1], first)
    for different in (other_seed, other_table):
        assert not np.array_equal(different, first)


def test_a_background_that_does_not_vary_is_refused():
    """Draws from it say nothing, and all coefficients would be 0."""
    for background in (np.ones((1, 2)), np.ones((9, 2))):
        with pytest.raises(ValueError, match="does not vary"):
            lime_tabular(lambda x: x[:, 0], [[0.0, 1.0]], 0, background=background)
