import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from vitrina.explain import Retraining, inclusion_curves
from vitrina.explain.performance import skill

GENERATOR = np.random.default_rng(0)
INPUTS = GENERATOR.standard_normal((300, 4))
LABELS = (INPUTS @ [3, 2, 1, 0] + GENERATOR.logistic(size=300) > 0).astype(int)
RANKING = np.array([4.0, 3, 2, 1])


def logistic(inputs):
    """The model that the labels were drawn from."""
    positive = 1 / (1 + np.exp(-(inputs @ [3, 2, 1, 0])))
    return np.stack([1 - positive, positive], axis=1)


def by_hand(model, inputs, labels, order, baseline):
    """The textbook: tell the model one feature after the other."""
    told = np.tile(baseline, (len(inputs), 1)).astype(float)
    curve = [skill(labels, model(told))]
    for feature in order:
        told[:, feature] = inputs[:, feature]
        curve.append(skill(labels, model(told)))
    return np.array(curve)


def test_curves_are_those_of_the_textbook_from_both_ends():
    baseline = np.array([0.3, -0.2, 0.1, 5])
    curves = inclusion_curves(logistic, INPUTS, LABELS, RANKING, background=baseline[np.newaxis])
    np.testing.assert_array_equal(curves.kept, range(5))
    np.testing.assert_allclose(curves.first, by_hand(logistic, INPUTS, LABELS, [0, 1, 2, 3], baseline))
    np.testing.assert_allclose(curves.last, by_hand(logistic, INPUTS, LABELS, [3, 2, 1, 0], baseline))
    assert curves.none == pytest.approx(0, abs=1e-12)
    assert curves.full == curves.last[-1] == pytest.approx(skill(LABELS, logistic(INPUTS)))


def test_what_is_retained_is_cut_off_at_nothing_and_at_all():
    curves = inclusion_curves(logistic, INPUTS, LABELS, RANKING, background=[[-9, 0, 0, 0]])
    assert curves.last[1] < 0  # sure and wrong
    assert curves.last_retained[1] == 0
    np.testing.assert_allclose(curves.first_retained, np.clip(curves.first / curves.full, 0, 1))


def test_of_several_background_rows_the_outputs_are_averaged():
    background = INPUTS[:7]
    curves = inclusion_curves(logistic, INPUTS, LABELS, RANKING, background=background)
    mixed = np.stack([np.where([True, False, False, False], INPUTS, row) for row in background])
    expected = np.mean([logistic(one) for one in mixed], axis=0)
    assert curves.first[1] == pytest.approx(skill(LABELS, expected))


def test_a_ranking_of_each_sample_is_followed_sample_by_sample():
    relevance = INPUTS * [3, 2, 1, 0]
    curves = inclusion_curves(logistic, INPUTS, LABELS, relevance, background=np.zeros((1, 4)))
    for ends, order in ((curves.first, np.argsort(-relevance)), (curves.last, np.argsort(relevance))):
        kept = np.zeros(INPUTS.shape, bool)
        np.put_along_axis(kept, order[:, :2], True, axis=1)
        assert ends[2] == pytest.approx(skill(LABELS, logistic(np.where(kept, INPUTS, 0))))


@pytest.mark.parametrize("relevance", [RANKING, np.tile(RANKING, (300, 1))], ids=["global", "local"])
def test_one_ranking_for_all_is_the_same_ranking_for_each(relevance):
    curves = inclusion_curves(logistic, INPUTS, LABELS, relevance, background=np.zeros((1, 4)), steps=2)
    np.testing.assert_array_equal(curves.kept, [0, 2, 4])
    np.testing.assert_allclose(curves.shares, [0, 0.5, 1])
    np.testing.assert_allclose(curves.first, by_hand(logistic, INPUTS, LABELS, range(4), np.zeros(4))[[0, 2, 4]])


def test_equal_relevance_is_ordered_by_the_seed_and_alike_from_both_ends():
    def flat(seed):
        return inclusion_curves(logistic, INPUTS, LABELS, np.zeros(4), background=np.zeros((1, 4)), seed=seed)

    np.testing.assert_array_equal(flat(0).first, flat(0).last)
    np.testing.assert_array_equal(flat(0).first, flat(0).first)
    assert len({tuple(flat(seed).first) for seed in range(10)}) > 3


def test_memory_does_not_decide_what_comes_out(monkeypatch):
    relevance = INPUTS * [3, 2, 1, 0]
    whole = [inclusion_curves(logistic, INPUTS, LABELS, r, background=INPUTS[:3]) for r in (RANKING, relevance)]
    monkeypatch.setattr("vitrina.explain.hiding._VALUES", 50)
    monkeypatch.setattr("vitrina.explain.inclusion._MASKS", 50)
    pieces = [inclusion_curves(logistic, INPUTS, LABELS, r, background=INPUTS[:3]) for r in (RANKING, relevance)]
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(one.first, other.first, rtol=1e-12)
        np.testing.assert_allclose(one.last, other.last, rtol=1e-12)


QUARTERS = np.repeat(np.repeat([[5, 2], [9, 7]], 2, axis=0), 2, axis=1)
GREY = np.full((4, 4, 2), 0.5)


@pytest.fixture
def images():
    """Images of which the first quarter decides, and a model that has found that out."""
    pixels = GENERATOR.random((60, 4, 4, 2))
    labels = (pixels[:, :2, :2].mean(axis=(1, 2, 3)) > 0.5).astype(int)
    seen = []

    def bright_corner(inputs):
        seen.append(inputs)
        positive = 1 / (1 + np.exp(-40 * (inputs[:, :2, :2].mean(axis=(1, 2, 3)) - 0.5)))
        return np.stack([1 - positive, positive], axis=1)

    relevance = np.zeros((4, 4, 2))
    relevance[0, 0, 1] = 1
    return bright_corner, pixels, labels, relevance, seen


def test_superpixels_keep_their_pixels_and_channels_together(images):
    *asked, relevance, seen = images
    curves = inclusion_curves(*asked, relevance, background=GREY[np.newaxis], groups=QUARTERS)
    np.testing.assert_array_equal(curves.kept, range(5))
    assert curves.first_retained[1] == pytest.approx(1)
    assert curves.last_retained[3] == pytest.approx(0, abs=1e-9)
    hidden = (np.concatenate(seen) == 0.5).reshape(-1, 2, 2, 2, 2, 2)  # image, row, in it, column, in it, channel
    np.testing.assert_array_equal(hidden.all(axis=(2, 4, 5)), hidden.any(axis=(2, 4, 5)))
    by_group = inclusion_curves(*asked, [0, 1, 0, 0], background=GREY[np.newaxis], groups=QUARTERS)
    np.testing.assert_array_equal(by_group.first, curves.first)  # number 5 is the second of 2, 5, 7, 9


def test_images_may_have_superpixels_of_their_own_and_other_numbers_of_them(images):
    *asked, relevance, seen = images
    half = np.arange(60)[:, np.newaxis, np.newaxis] < 30
    groups = np.where(half, QUARTERS, np.minimum(QUARTERS, 5))  # four for each image, or two
    del seen[:]
    curves = inclusion_curves(*asked, relevance, background=GREY[np.newaxis], groups=groups)
    np.testing.assert_array_equal(curves.kept, range(5))
    assert curves.first_retained[2] == pytest.approx(1)
    shares = (np.concatenate(seen) != 0.5).reshape(-1, 60, 32).mean(axis=-1)
    halfway = shares[(shares[:, 0] == 0.5)]  # two superpixels of four
    assert len(halfway) == 2  # from both ends
    np.testing.assert_array_equal(halfway[:, :30], 0.5)
    assert set(halfway[:, 30:].ravel()) == {0.25, 0.75}  # one of two


def test_words_are_groups_and_padding_is_never_hidden():
    texts = np.array([[3, 1, 2, 0], [1, 4, 0, 0]] * 5)
    seen = []

    def speaks_of_3(tokens):
        seen.append(tokens)
        positive = np.where((tokens == 3).any(axis=1), 0.9, 0.1)
        return np.stack([1 - positive, positive], axis=1)

    groups = np.where(texts == 0, -1, np.arange(4))
    relevance = (texts == 3).astype(float)
    curves = inclusion_curves(speaks_of_3, texts, [1, 0] * 5, relevance, background=np.full((1, 4), 9), groups=groups)
    assert curves.first_retained[1] == pytest.approx(1)
    everything = np.concatenate(seen)
    np.testing.assert_array_equal(everything[:, 3], 0)
    assert everything.dtype == texts.dtype


def test_a_keras_model_is_asked_for_probabilities_and_a_regression_for_its_values():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.layers[0].set_weights([np.array([[0, 3], [0, 2], [0, 1], [0, 0]]), np.zeros(2)])
    inputs = INPUTS.astype("float32")
    curves = inclusion_curves(model, inputs, LABELS, RANKING, background=np.zeros((1, 4)))
    np.testing.assert_allclose(curves.first, by_hand(logistic, INPUTS, LABELS, range(4), np.zeros(4)), atol=1e-5)
    values = INPUTS @ [3, 2, 1, 0]
    regression = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    regression.layers[0].set_weights([np.array([[3], [2], [1], [0]]), np.zeros(1)])
    for model in (regression, LinearRegression().fit(INPUTS, values)):
        curves = inclusion_curves(model, inputs, values, RANKING, background=np.zeros((1, 4)), performance="r2")
        assert curves.first[3] == pytest.approx(1, abs=1e-5)
        assert curves.first[1] == pytest.approx(9 / 14, abs=0.1)


def test_frames_with_categories_and_classes_with_names():
    frame = pd.DataFrame({"colour": np.where(INPUTS[:, 0] > 0, "red", "blue"), "size": INPUTS[:, 1]})
    names = np.where(LABELS == 1, "yes", "no")
    encoder = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression()).fit(frame, names)
    curves = inclusion_curves(model, frame, names, [2, 1], background=frame.iloc[:10])
    assert curves.first[0] < curves.first[1] < curves.first[2]
    assert curves.none == pytest.approx(0, abs=1e-12)
    together = inclusion_curves(model, frame, names, [2, 1], background=frame.iloc[:10], groups=[["size", "colour"]])
    np.testing.assert_allclose(together.first, curves.first[[0, 2]])


def fit(inputs, labels, _seed):
    return LogisticRegression().fit(inputs, labels)


def test_retraining_trains_on_what_the_ranking_keeps_and_once_for_each_set_of_features():
    seen = []

    def watched(inputs, labels, seed):
        seen.append((inputs, seed))
        return fit(inputs, labels, seed)

    factory = Retraining(watched, INPUTS[:200], LABELS[:200])
    baseline = INPUTS[:200].mean(axis=0)
    curves = inclusion_curves(factory, INPUTS[200:], LABELS[200:], RANKING, background=baseline[np.newaxis], seed=3)
    assert {seed for _, seed in seen} == {3}
    assert len(seen) == 8  # none, all, and three from each end
    told = np.where([True, True, False, False], INPUTS, baseline)
    new = fit(told[:200], LABELS[:200], 0).predict_proba(told[200:])
    assert curves.first[2] == pytest.approx(skill(LABELS[200:], new))
    frames = Retraining(fit, pd.DataFrame(INPUTS[:200]), LABELS[:200])
    with warnings.catch_warnings(action="error"):
        again = inclusion_curves(
            frames, pd.DataFrame(INPUTS[200:]), LABELS[200:], RANKING, background=baseline[np.newaxis]
        )
    np.testing.assert_allclose(again.first, curves.first)
    with pytest.raises(ValueError, match="one ranking for all samples"):
        inclusion_curves(factory, INPUTS[200:], LABELS[200:], INPUTS[200:], background=baseline[np.newaxis])
    with pytest.raises(ValueError, match="background of one row"):
        inclusion_curves(factory, INPUTS[200:], LABELS[200:], RANKING, background=INPUTS[:2])
    with pytest.raises(ValueError, match="training needs samples like inputs"):
        inclusion_curves(
            Retraining(fit, INPUTS[:, :3], LABELS), INPUTS, LABELS, RANKING, background=baseline[np.newaxis]
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"relevance": RANKING[:3]}, "relevance must have the shape of a sample"),
        ({"relevance": [1, 2, np.nan, 3]}, "relevance must be an array of finite"),
        ({"relevance": ["a", "b", "c", "d"]}, "relevance must be an array of finite"),
        ({"background": np.zeros((0, 4))}, "background is empty"),
        ({"background": np.zeros((1, 3))}, "inputs and background must hold samples of one shape"),
        ({"background": np.zeros(4)}, "background must have a batch axis"),
        ({"groups": [0, 0, 1]}, "groups must be ints"),
        ({"groups": []}, "groups must hold every column"),
        ({"groups": [0.0, 0, 1, 1]}, "groups must be ints"),
        ({"groups": [-1, -1, -1, -1]}, "each sample needs one group"),
        ({"steps": 5}, "steps must be from 1 to 4"),
        ({"steps": 0}, "steps must be from 1 to 4"),
        ({"labels": LABELS[:5]}, "labels must be one per sample"),
        ({"inputs": INPUTS[0]}, "inputs must have a batch axis and features"),
        ({"inputs": INPUTS[:0], "labels": LABELS[:0]}, "inputs hold no sample"),
        ({"model": lambda inputs: np.tile([0.5, 0.5], (len(inputs), 1))}, "no better than an answer without any"),
        ({"performance": lambda _labels, _outputs: 1.0}, "no better than an answer without any"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"model": logistic, "inputs": INPUTS, "labels": LABELS, "relevance": RANKING} | change
    with pytest.raises(ValueError, match=message):
        inclusion_curves(**{"background": np.zeros((1, 4))} | arguments)
