import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.text import (
    PADDING,
    UNKNOWN,
    build_vocabulary,
    encode,
    review_classifier,
    text_classifier,
    tokenise,
    train_text_classifier,
)
from vitrina_datasets import movie_reviews


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It isn't good .", ["it", "isn't", "good", "."]),
        ("a well-made , 90-minute film", ["a", "well", "-", "made", ",", "90", "-", "minute", "film"]),
        ("Bad.<br /><br />Really", ["bad", ".", "really"]),
        ("don’t 'quote' me", ["don’t", "'", "quote", "'", "me"]),
        ("Amélie: 7/10!!", ["amélie", ":", "7", "/", "10", "!", "!"]),
        ("snake_case 1 < 2", ["snake", "case", "1", "<", "2"]),
        (" \n\t", []),
    ],
)
def test_words_and_marks(text, tokens):
    assert tokenise(text) == tokens


@given(st.text())
def test_no_token_is_empty_or_holds_a_blank_and_cutting_again_changes_nothing(text):
    tokens = tokenise(text)
    assert all(token and not any(map(str.isspace, token)) for token in tokens)
    if ">" not in text:  # what is left of a broken tag could close one
        assert tokenise(" ".join(tokens)) == tokens


def test_vocabulary_is_sorted_by_frequency_then_by_alphabet():
    vocabulary = build_vocabulary(["b a a c", "A b d ."], at_least=2)
    assert list(vocabulary) == ["<padding>", "<unknown>", "a", "b"]
    assert list(build_vocabulary(["b a a c", "A b d ."], at_least=1)) == ["<padding>", "<unknown>", *"ab.cd"]


def test_texts_become_rows_and_come_back():
    vocabulary = build_vocabulary(["a good film", "not a film"], at_least=1)
    tokens = encode(["Not good", "a bad film", ""], vocabulary)
    assert (tokens.dtype, tokens.shape) == (np.int32, (3, 3))
    words = vocabulary[tokens]
    assert words.tolist() == [["not", "good", "<padding>"], ["a", "<unknown>", "film"], ["<padding>"] * 3]
    assert tokens[0, 2] == PADDING
    assert tokens[1, 1] == UNKNOWN
    assert encode(["a film not good"], vocabulary, length=2).tolist() == encode(["a film"], vocabulary).tolist()
    assert encode(["a"], vocabulary, length=3)[0].tolist()[1:] == [PADDING] * 2
    assert encode([], vocabulary).shape == (0, 1)
    special = ["<padding>", "<unknown>", "<padding", "unknown"]  # nobody can write padding: tags are left out
    assert encode(special, vocabulary).tolist() == [[0, 0], [0, 0], [UNKNOWN, UNKNOWN], [UNKNOWN, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encode("not good", build_vocabulary([])), r"for one text give \[text\]"),  # pyright: ignore
        (lambda: encode(["not good"], build_vocabulary([]), length=0), "at least 1, got 0"),
        (lambda: build_vocabulary("not good"), r"for one text give \[text\]"),
        (lambda: text_classifier(5, cell="rnn"), "'lstm', 'gru' or 'simple_rnn', got 'rnn'"),  # pyright: ignore
        (
            lambda: train_text_classifier(text_classifier(5), np.ones((3, 2), int), np.ones(2, int)),
            r"\(3, 2\) and \(2,\)",
        ),
        (lambda: train_text_classifier(text_classifier(5), np.ones((0, 2), int), np.ones(0, int)), r"\(0, 2\)"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_padding_and_its_amount_change_no_logit(cell, assert_close):
    model = text_classifier(9, classes=3, cell=cell, seed=2)
    text = np.array([[3, 8, 1, 5]])
    logits = np.asarray(model(text))
    assert logits.shape == (1, 3)
    for before, after in [(0, 6), (3, 0)]:
        assert_close(model(np.pad(text, [(0, 0), (before, after)])), logits, 1e-5)
    assert np.abs(np.asarray(model(text[:, ::-1])) - logits).max() > 1e-4  # the order of words matters


@pytest.fixture(scope="module")
def made_up():
    return movie_reviews.fake(train=400, holdout=100)


def test_the_seed_decides_the_weights():
    first, same, other = (text_classifier(9, seed=seed).get_weights() for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True) if a.any() and a.shape != (256,))


def test_training_again_gives_the_same_weights(made_up):
    vocabulary = build_vocabulary(made_up.train_texts)
    tokens, labels = encode(made_up.train_texts, vocabulary), made_up.train_labels

    def trained(seed):
        model = text_classifier(len(vocabulary))
        train_text_classifier(model, tokens, labels, epochs=1, seed=seed)
        return model.get_weights()[0]

    np.testing.assert_array_equal(trained(0), first := trained(0))
    assert np.abs(trained(1) - first).max() > 1e-4


def test_a_classifier_learns_negation_and_is_cached(made_up, tmp_path, monkeypatch):
    model, vocabulary = review_classifier(made_up, cache=tmp_path)
    tokens = encode(made_up.holdout_texts, vocabulary)
    logits = np.asarray(model(tokens))
    assert np.mean(logits.argmax(axis=1) == made_up.holdout_labels) > 0.95
    for text, liked in [("the film is wonderful .", 1), ("the film is not wonderful .", 0), ("not boring .", 1)]:
        assert np.argmax(model(encode([text], vocabulary))) == liked

    monkeypatch.setattr("vitrina.text.train_text_classifier", lambda *_, **__: pytest.fail("trained again"))
    np.testing.assert_array_equal(review_classifier(made_up, cache=tmp_path).model(tokens), logits)


def test_another_recipe_is_another_file(made_up, tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr("vitrina.text.train_text_classifier", lambda model, *_, **__: trained.append(model))
    fewer = movie_reviews.fake(train=399, holdout=101)
    for reviews, options in [(made_up, {}), (made_up, {"seed": 1}), (made_up, {"cell": "gru"}), (fewer, {})]:
        review_classifier(reviews, cache=tmp_path, **options)
    review_classifier(made_up, cache=tmp_path)
    assert len(trained) == len(list(tmp_path.iterdir())) == 4
