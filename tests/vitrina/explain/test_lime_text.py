import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lime.lime_text import LimeTextExplainer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from vitrina.explain import lime_text
from vitrina_datasets import movie_reviews

TEXT = "A dull, dull film: nothing but talk. Is it art? It isn't!"


class Recorded:
    def __init__(self, function):
        self.function, self.asked = function, []

    def __call__(self, texts):
        self.asked.extend(texts)
        return self.function(texts)


@pytest.fixture(scope="module")
def reader():
    reviews = movie_reviews.fake()
    model = make_pipeline(CountVectorizer(binary=True), LogisticRegression())
    return model.fit(reviews.train_texts, reviews.train_labels), list(reviews.holdout_texts[:6])


def worth(values):
    """A score that adds up what each word is worth, once each."""
    return lambda texts: np.array(
        [sum(values.get(word, 0) for word in set(re.findall(r"\w+", t))) for t in texts], float
    )


@given(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=10), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
@pytest.mark.filterwarnings("ignore:the kernel is so narrow")  # on one word, which is there or not
def test_words_that_add_up_get_what_they_are_worth(words, seed):
    values = dict(zip("abcdefg", np.random.default_rng(seed).normal(size=7), strict=True))
    found = lime_text(worth(values), [" ".join(words)], 0, ridge=0, samples=400, seed=seed % 50)
    assert found.words[0] == tuple(words)
    np.testing.assert_allclose(found.attributions[0], [values[word] for word in words], atol=1e-8)
    assert found.features[0] == tuple(dict.fromkeys(words))
    np.testing.assert_allclose(found.fidelity, 1, atol=1e-9)
    np.testing.assert_allclose(found.prediction, [sum(values[word] for word in set(words))])
    np.testing.assert_allclose(found.intercept, 0, atol=1e-8)


def test_occurrences_can_be_told_apart():
    # only the first word of a text counts
    model = lambda texts: np.array([t.strip().startswith("no") for t in texts], float)  # noqa: E731
    found = lime_text(model, ["no film is no fun"], 0, together=False, replacement="?", ridge=0)
    np.testing.assert_allclose(found.attributions[0], [1, 0, 0, 0, 0], atol=1e-8)
    assert found.features[0] == ("no", "film", "is", "no", "fun")


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("features", [None, 3, 7])
def test_on_the_same_draws_the_library_finds_the_same(together, features):
    model = Recorded(lambda texts: np.array([[len(t), t.count("l") ** 1.5, t.count("t")] for t in texts], float))
    explainer = LimeTextExplainer(bow=together, random_state=0, mask_string="*")
    explained = explainer.explain_instance(TEXT, model, labels=(1,), num_features=features or 99, num_samples=300)
    texts, said = model.asked, model.function(model.asked)
    words = re.findall(r"\w+", TEXT)
    parts = list(dict.fromkeys(words)) if together else words

    # the same texts, in the place of our draws: which words they show is read off them
    def shown_in(text):
        left = re.findall(r"\w+|\*", text)
        return [word in left for word in parts] if together else [word != "*" for word in left]

    shown = np.array([shown_in(text) for text in texts])
    from vitrina.explain.lime import text as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_draw", lambda *_: shown[1:])
        ours = Recorded(model.function)
        found = lime_text(
            ours, [TEXT], 1, together=together, replacement="" if together else "*", features=features, samples=300
        )
    assert set(ours.asked) == set(texts)
    other = dict(explained.local_exp[1])
    np.testing.assert_allclose(found.coefficients[0], [other.get(i, 0) for i in range(len(parts))], atol=1e-9)
    np.testing.assert_allclose(found.intercept[0], explained.intercept[1], atol=1e-9)
    np.testing.assert_allclose(found.fidelity[0], explained.score, atol=1e-9)
    np.testing.assert_allclose(found.local_prediction[0], explained.local_pred[0], atol=1e-9)
    np.testing.assert_allclose(found.prediction[0], said[0, 1])


def test_the_leading_words_are_those_of_the_library(reader):
    model, texts = reader
    found = lime_text(model, texts, 1)
    for number, text in enumerate(texts):
        theirs = LimeTextExplainer(random_state=0).explain_instance(text, model.predict_proba, num_features=99)
        other = dict(theirs.as_list())
        ours = dict(found.as_list(number))
        assert ours.keys() == other.keys()
        assert np.corrcoef([ours[word] for word in other], list(other.values()))[0, 1] > 0.98
        assert next(iter(ours)) == next(iter(other))


def test_how_many_words_go_is_drawn_evenly_and_which_ones_too():
    asked = Recorded(lambda texts: np.zeros(len(texts)))
    lime_text(asked, ["a b c d"], 0, samples=1000)
    assert sorted({"".join(text.split()) for text in asked.asked}) == sorted(
        "".join(letter for bit, letter in enumerate("abcd") if number >> bit & 1) for number in range(16)
    )
    assert len(asked.asked) == 16  # each once, and the whole never among the draws

    from vitrina.explain.lime.text import _draw

    shown = _draw(5, 20_000, 0)
    np.testing.assert_allclose(np.bincount(shown.sum(axis=1), minlength=6) / 20_000, [0.2] * 5 + [0], atol=0.015)
    np.testing.assert_allclose(shown.mean(axis=0), 0.4, atol=0.015)


def test_what_lies_between_words_stays():
    asked = Recorded(lambda texts: np.zeros(len(texts)))
    lime_text(asked, [TEXT], 0, samples=2000)
    assert all(re.sub(r"\w", "", text) == re.sub(r"\w", "", TEXT) for text in asked.asked)
    assert asked.asked[0] == TEXT
    assert "A ,  film: nothing but talk. Is it art? It isn't!" in asked.asked  # dull goes everywhere


def test_a_word_is_what_the_pattern_says():
    found = lime_text(worth({}), ["It isn't good."], 0, pattern=r"[\w']+|\.")
    assert found.words[0] == ("It", "isn't", "good", ".")
    assert lime_text(worth({}), ["¿Qué tal, añó?"], 0).words[0] == ("Qué", "tal", "añó")


def test_the_seed_belongs_to_the_call_and_texts_to_themselves(reader):
    model, texts = reader
    both = lime_text(model, texts[:2], [0, 1], samples=200, seed=7)
    alone = lime_text(model, texts[1:2], 1, samples=200, seed=7)
    np.testing.assert_allclose(both.attributions[1], alone.attributions[0], atol=1e-12)
    other = lime_text(model, texts[1:2], 1, samples=200, seed=8)
    assert not np.allclose(other.attributions[0], alone.attributions[0])


def test_several_targets_are_an_axis_before_the_words(reader):
    model, texts = reader
    found = lime_text(model, texts[:2], [[0, 1], [1, 0]], samples=200)
    count = len(found.words[0])
    assert found.attributions[0].shape == (2, count)
    assert found.prediction.shape == found.fidelity.shape == (2, 2)
    # the two probabilities add up to one
    np.testing.assert_allclose(found.attributions[0][0], -found.attributions[0][1], atol=1e-9)


def test_one_word_is_enough():
    found = lime_text(worth({"bad": -2.0}), ["bad"], 0, ridge=0)
    with pytest.warns(UserWarning, match=r"only about 1\.\d perturbations count for 2 coefficients") as caught:
        lime_text(worth({"bad": -2.0}), ["bad"], 0, samples=300)
    assert caught[0].filename == __file__
    np.testing.assert_allclose(found.attributions[0], [-2], atol=1e-9)
    repeated = lime_text(worth({"bad": -2.0}), ["bad bad bad"], 0, ridge=0)
    np.testing.assert_allclose(repeated.attributions[0], [-2, -2, -2], atol=1e-9)
    assert repeated.as_list() == [("bad", pytest.approx(-2))]


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ("one text", {}, r"for one text give \[text\]"),
        ([""], {}, "text 0 has no word to explain"),
        (["good", " ... "], {}, r"text 1 has no word to explain: ' ... '"),
        (["good"], {"pattern": "[0-9]*"}, "has no word"),
        ([3], {}, "text 0 is a int"),
        (["good"], {"pattern": "("}, "is no regular expression"),
        (["good"], {"samples": 1}, "samples must be at least 2"),
        (["good"], {"kernel_width": -1}, "kernel_width must be above 0"),
        (["good"], {"target": 2}, "target must be a class from 0 to 0"),
        (["good"], {"features": 1.5}, "features must be an int"),
        ([], {}, "no sample"),
    ],
)
def test_what_does_not_fit_is_refused(texts, options, message):
    arguments = {"target": 0} | options
    with pytest.raises(ValueError, match=message):
        lime_text(worth({}), texts, **arguments)


def test_a_kernel_in_which_only_the_text_itself_counts_is_warned_of():
    """All other weights vanish in rounding: no coefficient is told, and how well it fits is not known."""
    with pytest.warns(UserWarning, match="the kernel is so narrow") as caught:
        found = lime_text(worth({"good": 1.0}), ["a good film"], 0, kernel_width=0.01)
    assert len(caught) == 1  # nothing of NumPy's
    np.testing.assert_array_equal(found.attributions[0], 0)
    assert np.isnan(found.fidelity[0])
