import keras
import numpy as np
import pandas as pd
import pytest
import shap
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline

from vitrina.explain import black_box, interventional, observational, shapley_values
from vitrina.explain.shapley.coalitions import all_coalitions
from vitrina_solutions import shapley_models

RNG = np.random.default_rng(0)
INPUTS, BACKGROUND = RNG.standard_normal((3, 4)), RNG.standard_normal((6, 4))
MEMBERS = all_coalitions(4)


def scores(inputs):
    """Two outputs, the second of which three features share."""
    a, b, c, d = np.moveaxis(inputs, -1, 0)
    return np.stack([a * b + np.sin(c) + d, a * b * c], axis=-1)


def slow_interventional(model, sample, target, background, known):
    return np.mean([model(np.where(known, sample, row)[np.newaxis])[0, target] for row in background])


def test_fast_form_is_the_slow_form():
    game = interventional(scores, INPUTS, [0, 1, 0], background=BACKGROUND)
    expected = [
        [slow_interventional(scores, *one, BACKGROUND, known) for one in zip(INPUTS, [0, 1, 0], strict=True)]
        for known in MEMBERS
    ]
    np.testing.assert_allclose(game(MEMBERS), expected, atol=1e-12)


def test_fast_form_is_the_textbook_form():
    values = shapley_values(interventional(scores, INPUTS, 1, background=BACKGROUND))
    np.testing.assert_allclose(values, shapley_models.shapley_of_features(scores, INPUTS, 1, BACKGROUND), atol=1e-12)


@pytest.mark.parametrize("target", [0, 1])
def test_exact_values_are_those_of_shap(target):
    peer = shap.ExactExplainer(lambda x: scores(x)[:, target], shap.maskers.Independent(BACKGROUND))
    values = shapley_values(interventional(scores, INPUTS, target, background=BACKGROUND))
    np.testing.assert_allclose(values, peer(INPUTS).values, atol=1e-12)


def test_a_keras_model_is_explained_as_its_function(make_network):
    model = make_network((4, 6, 3))
    mine, theirs = (
        shapley_values(interventional(f, INPUTS, 2, background=BACKGROUND)) for f in (model, lambda x: model(x).numpy())
    )
    np.testing.assert_allclose(mine, theirs, atol=1e-12)


def test_several_targets_are_an_axis_after_the_batch():
    several = shapley_values(interventional(scores, INPUTS, [[0, 1], [1, 0], [1, 1]], background=BACKGROUND))
    one = shapley_values(interventional(scores, INPUTS, [1, 0, 1], background=BACKGROUND))
    assert several.shape == (3, 2, 4)
    np.testing.assert_allclose(several[:, 1], one, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 5, 13, 100])
@pytest.mark.parametrize(
    "value_function",
    [
        interventional,
        observational,
        lambda *given, **options: observational(*given, conditional="neighbours", width=1.0, **options),
    ],
)
def test_chunks_change_nothing_and_bound_the_rows_of_a_call(monkeypatch, value_function, rows):
    whole = value_function(scores, INPUTS, 1, background=BACKGROUND)(MEMBERS)
    monkeypatch.setattr(black_box, "_CHUNK", rows)
    most = []
    counted = value_function(lambda x: most.append(len(x)) or scores(x), INPUTS, 1, background=BACKGROUND)
    most.clear()
    np.testing.assert_allclose(counted(MEMBERS), whole, atol=1e-12)
    assert max(most) <= rows
    assert sum(most) == 16 * 3 * 6


def test_what_is_said_of_a_sample_does_not_depend_on_the_others():
    together = interventional(scores, INPUTS, 0, background=BACKGROUND)(MEMBERS)
    alone = interventional(scores, INPUTS[1:2], 0, background=BACKGROUND)(MEMBERS)
    np.testing.assert_array_equal(together[:, 1:2], alone)


def test_no_sample_gives_no_values():
    assert shapley_values(interventional(scores, INPUTS[:0], 0, background=BACKGROUND)).shape == (0, 4)


def test_a_single_row_is_a_baseline_and_equal_features_are_null_players():
    baseline = INPUTS[:1].copy()
    baseline[0, 2] += 1
    values = shapley_values(interventional(scores, INPUTS[:1], 0, background=baseline))
    np.testing.assert_allclose(values, [[0, 0, np.sin(INPUTS[0, 2]) - np.sin(baseline[0, 2]), 0]], atol=1e-12)


def test_images_keep_their_shape_and_superpixels_are_players():
    images = np.random.default_rng(2).standard_normal((2, 2, 3, 2))
    weights = np.random.default_rng(3).standard_normal((2, 3, 2))
    model = lambda x: (x * weights).sum(axis=(1, 2, 3))  # noqa: E731
    black = np.zeros((1, 2, 3, 2))
    values = shapley_values(interventional(model, images, 0, background=black))
    np.testing.assert_allclose(values, images * weights, atol=1e-12)
    pixels = np.array([[0, 0, 1], [2, 2, 1]])
    grouped = shapley_values(interventional(model, images, 0, background=black, groups=pixels))
    shares = (images * weights).sum(axis=-1)
    expected = np.stack([shares[:, pixels == player].sum(axis=1) for player in range(3)], axis=1)
    np.testing.assert_allclose(grouped, expected, atol=1e-12)
    every = np.broadcast_to(pixels[..., np.newaxis], (2, 3, 2))
    same = shapley_values(interventional(model, images, 0, background=black, groups=every))
    np.testing.assert_array_equal(same, grouped)


@pytest.mark.parametrize("groups", [[[0], [3, 1], [2]], {"a": ["a"], "bd": ["d", 1], "c": ("c",)}, [0, 1, 2, 1]])
def test_a_group_of_columns_is_one_player(groups):
    frame = pd.DataFrame(BACKGROUND, columns=list("abcd"))
    values = shapley_values(interventional(scores, INPUTS, 0, background=frame, groups=groups))
    assert values.shape == (3, 3)
    for sample, found in zip(INPUTS, values, strict=True):

        def worth(members, sample=sample):
            return [scores(np.where(known, sample, BACKGROUND))[:, 0].mean() for known in members[:, [0, 1, 2, 1]]]

        np.testing.assert_allclose(found, shapley_values(worth, 3), atol=1e-12)


def test_one_hot_columns_as_one_player_never_show_two_categories():
    frame = pd.DataFrame({"age": np.arange(12.0), "job": ["cook", "nurse", "clerk"] * 4})
    one_hot = pd.get_dummies(frame, dtype=float)
    seen = []
    model = lambda table: seen.append(np.asarray(table)) or np.asarray(table)[:, 0]  # noqa: E731
    jobs = [name for name in one_hot.columns if name.startswith("job")]
    values = shapley_values(
        interventional(model, one_hot[:3], 0, background=one_hot, groups={"age": ["age"], "job": jobs})
    )
    assert values.shape == (3, 2)
    assert np.all(np.concatenate(seen)[:, 1:].sum(axis=1) == 1)
    seen.clear()
    shapley_values(interventional(model, one_hot[:3], 0, background=one_hot))
    assert not np.all(np.concatenate(seen)[:, 1:].sum(axis=1) == 1)


def test_frames_with_texts_are_explained_by_their_columns():
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    frame = pd.DataFrame({"age": np.arange(12.0), "job": ["cook", "nurse", "clerk"] * 4})
    encoder = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression()).fit(frame, np.arange(12) % 3 > 0)
    values = shapley_values(interventional(model, frame[:4], 1, background=frame))
    one_hot, steps = encoder.fit_transform(frame), model[-1]
    expected = shapley_values(interventional(steps, one_hot[:4], 1, background=one_hot, groups=[[3], [0, 1, 2]]))
    np.testing.assert_allclose(values, expected, atol=1e-12)
    logit = interventional(model, frame[:4], 1, background=frame, output="logit")
    np.testing.assert_allclose(
        shapley_values(logit).sum(axis=1), logit(np.ones((1, 2)))[0] - logit(np.zeros((1, 2)))[0], atol=1e-12
    )


def test_types_are_widened_not_cut():
    values = shapley_values(interventional(lambda x: x[:, 0], np.array([[3, 1]]), 0, background=[[0.5, 0.25]]))
    np.testing.assert_allclose(values, [[2.5, 0]])


# What is observed


def linear_data(rows=4000, features=3):
    mixing = np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.5], [0.0, 0.0, 1.0]])
    return np.random.default_rng(4).standard_normal((rows, features)) @ mixing


def test_gaussian_conditional_means_of_a_linear_model_are_the_regression():
    data, weights = linear_data(), np.array([1.0, -2.0, 0.5])
    game = observational(lambda x: x @ weights, data[:2], 0, background=data[:500])
    mean, covariance = data[:500].mean(axis=0), np.cov(data[:500], rowvar=False)
    for known in all_coalitions(3):
        s, rest = np.flatnonzero(known), np.flatnonzero(~known)
        foretold = mean[rest] + (data[:2, s] - mean[s]) @ (
            np.linalg.solve(covariance[np.ix_(s, s)], covariance[np.ix_(s, rest)]) if len(s) else np.zeros((0, 3))
        )
        expected = data[:2, s] @ weights[s] + foretold @ weights[rest]
        np.testing.assert_allclose(game(known[np.newaxis])[0], expected, atol=1e-10)


def test_gaussian_conditional_of_a_square_is_that_of_a_normal_distribution():
    # X2 | X1 = x is normal with mean 0.8 x and variance 0.36, so E(X2^2 | X1 = x) = 0.64 x^2 + 0.36
    mixing = np.array([[1.0, 0.8], [0.0, 0.6]])
    data = np.random.default_rng(5).standard_normal((20_000, 2)) @ mixing
    game = observational(lambda x: x[:, 1] ** 2, [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], 0, background=data)
    np.testing.assert_allclose(game([[True, False]])[0], [0.36, 1.0, 2.92], atol=0.05)


def test_neighbours_are_weighted_by_the_kernel():
    data, x = linear_data(40), np.array([[0.5, -0.2, 0.1]])
    game = observational(scores3, x, 0, background=data, conditional="neighbours", width=0.4)
    covariance = np.cov(data, rowvar=False)
    for known in all_coalitions(3):
        s = np.flatnonzero(known)
        gaps = data[:, s] - x[:, s]
        squared = np.einsum("bi,ij,bj->b", gaps, np.linalg.inv(covariance[np.ix_(s, s)]), gaps) / max(1, len(s))
        weights = np.exp(-squared / (2 * 0.4**2))
        said = scores3(np.where(known, x, data))
        np.testing.assert_allclose(game(known[np.newaxis])[0], (weights @ said) / weights.sum(), atol=1e-10)


def scores3(inputs):
    return inputs[:, 0] * inputs[:, 1] + inputs[:, 2] ** 2


def test_neighbours_find_the_conditional_mean_of_a_bent_dependence():
    generator = np.random.default_rng(6)
    first = generator.uniform(-1, 1, 3000)
    data = np.stack([first, first**2 + 0.05 * generator.standard_normal(3000)], axis=1)
    given = {"model": lambda x: x[:, 1], "inputs": [[0.9, 0.81], [0.0, 0.0]], "target": 0, "background": data}
    near = observational(conditional="neighbours", **given)([[True, False]])
    np.testing.assert_allclose(near[0], [0.81, 0.0], atol=0.05)
    straight = observational(**given)([[True, False]])
    assert np.abs(straight[0] - [0.81, 0.0]).min() > 0.3  # a line cannot bend


def test_without_dependence_or_with_all_rows_alike_it_is_interventional():
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])  # uncorrelated to the last digit
    given = {"model": lambda x: x[:, 0] * x[:, 1] + x[:, 1] ** 2, "inputs": [[0.3, 2.0]], "target": 0}
    plain = shapley_values(interventional(**given, background=square))
    np.testing.assert_allclose(shapley_values(observational(**given, background=square)), plain, atol=1e-12)
    wide = observational(scores, INPUTS, 0, background=BACKGROUND, conditional="neighbours", width=1e6)
    same = interventional(scores, INPUTS, 0, background=BACKGROUND)
    np.testing.assert_allclose(wide(MEMBERS), same(MEMBERS), atol=1e-9)


@pytest.mark.parametrize("conditional", ["gaussian", "neighbours"])
def test_the_two_answer_different_questions(conditional):
    # the model reads the first of two features that are always equal
    data = np.repeat(np.random.default_rng(7).standard_normal((300, 1)), 2, axis=1)
    given = {"model": lambda x: x[:, 0], "inputs": data[:1], "target": 0, "background": data}
    reads = shapley_values(interventional(**given))[0]
    tells = shapley_values(observational(conditional=conditional, **given))[0]
    assert reads[1] == 0
    assert tells[1] == pytest.approx(tells[0], rel=0.1)
    assert tells.sum() == pytest.approx(reads.sum())


def test_constant_and_repeated_features_do_not_hurt(assert_close):
    data = linear_data(60)
    odd = np.column_stack([data, np.full(60, 7.0), data[:, 0] * 1e6])
    for conditional in ("gaussian", "neighbours"):
        game = observational(lambda x: x[:, :3].sum(axis=1), odd[:2], 0, background=odd, conditional=conditional)
        values = shapley_values(game)
        assert np.isfinite(values).all()
        assert_close(values[:, 3], [0, 0], 1e-9) if conditional == "gaussian" else None
    gaussian = observational(lambda x: x[:, 4], odd[:2], 0, background=odd)
    assert_close(gaussian([[True, False, False, False, False]])[0], odd[:2, 4])  # foretold without a rest


# What does not fit


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": INPUTS[0]}, r"inputs must have a batch axis.*inputs\[np.newaxis\]"),
        ({"inputs": pd.DataFrame(INPUTS).iloc[0]}, r"frame.iloc\[\[0\]\]"),
        ({"inputs": 3.0}, "inputs must have a batch axis and features"),
        ({"background": BACKGROUND[:0]}, "background is empty"),
        ({"background": BACKGROUND[0]}, "background must have a batch axis"),
        ({"background": BACKGROUND[:, :3]}, r"one shape, got \(4,\) and \(3,\)"),
        ({"inputs": INPUTS[:, :0], "background": BACKGROUND[:, :0]}, "must have features"),
        ({"target": 2}, "class from 0 to 1"),
        ({"target": [0, 1]}, "array of 3 ints"),
        ({"inputs": INPUTS * np.nan}, "NaN or infinite"),
        ({"background": np.where(BACKGROUND > 1, np.inf, BACKGROUND)}, "NaN or infinite"),
        ({"model": RandomForestClassifier()}, "not fitted"),
        ({"groups": [[0, 1], [2]]}, r"missing: \[3\]"),
        ({"groups": [[0, 1], [1, 2, 3]]}, "column 1 is in groups 0 and 1"),
        ({"groups": [[0, 1], [2, 4]]}, "column 4, which is not among 0 to 3"),
        ({"groups": [[0, 1], [2, "d"]]}, "column 'd', which is not among 0 to 3"),
        ({"groups": [[0, 1, 2, 3], []]}, "group 1 of groups is empty"),
        ({"groups": [0, 1, 2]}, r"shape \(4,\), one for each value"),
        ({"groups": [0, 1, 2, 4]}, r"without a gap.*missing \[3\]"),
        ({"groups": [0.0, 1.0, 2.0, 3.0]}, "whole numbers"),
        ({"groups": 3}, "whole numbers"),
        ({"groups": "abcd"}, "whole numbers"),
    ],
)
@pytest.mark.parametrize("value_function", [interventional, observational])
def test_what_does_not_fit_is_refused(value_function, change, message):
    arguments = {"model": scores, "inputs": INPUTS, "target": 0, "background": BACKGROUND} | change
    with pytest.raises(ValueError, match=message):
        value_function(**arguments)


def test_frames_must_have_the_same_columns():
    with pytest.raises(ValueError, match="other columns"):
        interventional(
            scores,
            pd.DataFrame(INPUTS, columns=list("abdc")),
            0,
            background=pd.DataFrame(BACKGROUND, columns=list("abcd")),
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"conditional": "copula"}, "'gaussian' or 'neighbours'"),
        ({"width": 0}, "width must be above 0"),
        ({"background": BACKGROUND[:1]}, "at least two rows"),
    ],
)
def test_options_of_observational_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        observational(scores, INPUTS, 0, **{"background": BACKGROUND} | options)


def test_texts_have_no_covariance():
    table = pd.DataFrame({"age": [1.0, 2.0], "job": ["cook", "nurse"]})
    with pytest.raises(ValueError, match="features that are numbers"):
        observational(lambda frame: frame["age"], table, 0, background=table)


def test_a_keras_model_refuses_texts():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    table = pd.DataFrame({"age": [1.0, 2.0], "job": ["cook", "nurse"]})
    with pytest.raises(ValueError, match="turn categories into columns"):
        interventional(model, table, 0, background=table)


def test_coalitions_of_other_players_are_refused():
    game = interventional(LinearRegression().fit(INPUTS, [1, 2, 3]), INPUTS, 0, background=BACKGROUND)
    with pytest.raises(ValueError, match=r"booleans of shape \(m, 4\)"):
        game(MEMBERS[:, :3])


@pytest.mark.parametrize("conditional", ["gaussian", "neighbours"])
def test_nothing_can_be_learnt_from_what_is_not_finite(conditional):
    holes = np.array([[0.0, 1.0], [np.inf, 2.0], [1.0, 0.0]])
    for inputs, background in ((np.eye(2), holes), (np.full((1, 2), np.nan), np.eye(2))):
        with pytest.raises(ValueError, match="NaN or inf"):
            observational(lambda x: np.ones(len(x)), inputs, 0, background=background, conditional=conditional)


def test_a_function_may_change_its_samples():
    def scaled(samples):
        samples *= 2
        return samples.sum(axis=1)

    inputs, background = np.array([[1.0, 2.0]]), np.array([[0.5, 0.0], [0.0, 0.5]])
    kept = inputs.copy(), background.copy()
    values = shapley_values(interventional(scaled, inputs, 0, background=background))
    np.testing.assert_allclose(values, 2 * (kept[0] - kept[1].mean(axis=0)))
    np.testing.assert_array_equal(inputs, kept[0])
    np.testing.assert_array_equal(background, kept[1])
