import gc
import weakref
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitrina.explain import (
    delete_words,
    gradient_x_input,
    integrated_gradients,
    saliency,
    word_occlusion,
    word_relevance,
)
from vitrina.explain.words import after_embedding

TOKENS = np.array([[3, 4, 5, 2], [2, 6, 0, 0], [0, 0, 0, 0], [4, 1, 3, 0], [0, 5, 0, 2]])
TARGETS = np.array([0, 2, 1, 1, 0])


@cache
def text_model(cell="LSTM", masked=True, activation=None):
    import keras

    keras.utils.set_random_seed(7)
    normal = keras.initializers.RandomNormal
    float64 = {"dtype": "float64", "bias_initializer": normal()}
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(7, 3, mask_zero=masked, dtype="float64", embeddings_initializer=normal(stddev=1.0)),
            keras.layers.Dropout(0.5, dtype="float64"),
            getattr(keras.layers, cell)(4, **float64, recurrent_initializer=normal(stddev=1.0)),
            keras.layers.Dense(3, **float64, activation=activation),
        ]
    )


@pytest.fixture(params=["LSTM", "GRU", "SimpleRNN"])
def model(request):
    return text_model(request.param)


def slow_gradient_x_input(model, tokens, targets):
    """The model as it is, padding and mask and all: the gradient to each row that is looked up in the Embedding."""
    import tensorflow as tf

    rows = []
    for text, target in zip(tokens, targets, strict=True):
        with tf.GradientTape() as tape:
            logit = model(text[np.newaxis])[0, target]
        looked_up = tape.gradient(logit, model.layers[0].embeddings)
        np.testing.assert_array_equal(looked_up.indices, text)
        rows.append((looked_up.values.numpy() * model.layers[0].embeddings.numpy()[text]).sum(axis=1))
    return np.array(rows)


def test_a_words_relevance_is_its_gradient_times_its_vector(model, assert_close):
    relevance = word_relevance(model, TOKENS, TARGETS, gradient_x_input)
    assert_close(relevance, slow_gradient_x_input(model, TOKENS, TARGETS))
    assert np.all((relevance != 0) == (TOKENS != 0))  # padding gets nothing, wherever it stands


def test_padding_changes_nothing(model, assert_close):
    text = np.array([[3, 4, 2]])
    alone = word_relevance(model, text, 1, gradient_x_input)
    for before, after in [(0, 5), (3, 0), (2, 2)]:
        padded = word_relevance(model, np.pad(text, [(0, 0), (before, after)]), 1, gradient_x_input)
        assert_close(padded, np.pad(alone, [(0, 0), (before, after)]))


def test_without_a_mask_padding_is_a_word_and_is_explained(assert_close):
    model = text_model(masked=False)
    relevance = word_relevance(model, TOKENS, TARGETS, gradient_x_input)
    assert_close(relevance, slow_gradient_x_input(model, TOKENS, TARGETS))
    assert np.all(relevance != 0)


def test_options_reach_the_method_and_integrated_gradients_are_complete(model, assert_close):
    relevance = word_relevance(model, TOKENS, TARGETS, integrated_gradients, steps=400)
    for text, target, values in zip(TOKENS, TARGETS, relevance, strict=True):
        vectors = np.asarray(model.layers[0](text[text != 0][np.newaxis]))
        if vectors.size:
            ends = np.asarray(after_embedding(model)(np.concatenate([vectors, 0 * vectors])))[:, target]
            assert_close(values.sum(), ends[0] - ends[1], 1e-3)
    few = word_relevance(model, TOKENS, TARGETS, integrated_gradients, steps=1)
    assert np.abs(few - relevance).max() > 1e-3


def test_word_vectors_are_added_up_with_their_signs(assert_close):
    model, text = text_model(), TOKENS[:1]
    vectors = np.asarray(model.layers[0](text))
    assert_close(word_relevance(model, text, 0, saliency), saliency(after_embedding(model), vectors, 0).sum(axis=-1))


@pytest.mark.parametrize("explain", [word_occlusion, lambda *asked: word_relevance(*asked, gradient_x_input)])
def test_several_classes_are_explained_at_once(model, explain, assert_close):
    several = np.stack([TARGETS, (TARGETS + 1) % 3], axis=1)
    together = explain(model, TOKENS, several)
    assert together.shape == (5, 2, 4)
    for column in range(2):
        assert_close(together[:, column], explain(model, TOKENS, several[:, column]))
    assert_close(explain(model, TOKENS, 2), explain(model, TOKENS, np.full(5, 2)))


def test_deleting_a_word_by_hand(model, assert_close):
    relevance = word_occlusion(model, TOKENS, TARGETS)

    def logit(words, target):
        return float(model(np.array([[*words, 0]]))[0, target])  # never quite empty

    for text, target, values in zip(TOKENS, TARGETS, relevance, strict=True):
        words = [word for word in text if word]
        drops = [logit(words, target) - logit(words[:i] + words[i + 1 :], target) for i in range(len(words))]
        assert_close(values[text != 0], np.array(drops)) if words else None
        assert not values[text == 0].any()


@given(arrays(np.int64, (3, 40), elements=st.integers(0, 9)), arrays(bool, (3, 40)))
def test_deleting_keeps_the_other_words_in_order(tokens, chosen):
    for before, gone, after in zip(tokens, chosen, delete_words(tokens, chosen), strict=True):
        left = [word for word, deleted in zip(before, gone, strict=True) if word and not deleted]
        assert list(after) == left + [0] * (40 - len(left))


def test_the_part_after_the_embedding_computes_the_same_and_stays_the_same(model, assert_close):
    after = after_embedding(model)
    assert after is after_embedding(model)
    assert_close(after(np.asarray(model.layers[0](TOKENS[:1]))), model(TOKENS[:1]))
    weights = [np.array(weight) for weight in model.get_weights()]
    model.set_weights([2 * weight for weight in weights])
    assert_close(after(np.asarray(model.layers[0](TOKENS[:1]))), model(TOKENS[:1]))  # new weights are seen
    model.set_weights(weights)


def test_a_model_of_texts_of_one_length(assert_close):
    import keras

    layers = [keras.layers.Embedding(7, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
    expected = [
        (model.layers[2].kernel[:, target].numpy().reshape(4, 3) * model.layers[0].embeddings.numpy()[text]).sum(axis=1)
        for text, target in zip(TOKENS, TARGETS, strict=True)
    ]
    assert_close(word_relevance(model, TOKENS, TARGETS, gradient_x_input), expected, 1e-6)


def test_a_model_is_forgotten_with_its_functions():
    import keras

    model = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(4, 2), keras.layers.GRU(2)])
    word_relevance(model, [[1, 2, 3]], 0, gradient_x_input)
    word_occlusion(model, [[1, 2, 3]], 0)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


@pytest.mark.filterwarnings("ignore:Do not pass an .*:UserWarning")
def test_probabilities_are_not_explained_but_the_logits_before_them(assert_close):
    plain, softmax = text_model(), text_model(activation="softmax")
    softmax.set_weights(plain.get_weights())
    for explain in (word_occlusion, lambda *asked: word_relevance(*asked, gradient_x_input)):
        with pytest.warns(UserWarning, match="logits"):
            assert_close(explain(softmax, TOKENS, TARGETS), explain(plain, TOKENS, TARGETS))


@pytest.mark.parametrize(
    ("tokens", "target", "message"),
    [
        ([1, 2], 0, r"needs a batch axis: tokens\[np.newaxis\]"),
        ([[0.5, 1]], 0, "must be ints"),
        ([["not", "good"]], 0, "must be ints"),
        ([[1, 7]], 0, "from 0 to 6, got 1 to 7"),
        ([[1, -1]], 0, "from 0 to 6"),
        ([[1, 2]], 3, "class from 0 to 2"),
        ([[1, 2]], [0, 1], "one per sample"),
    ],
)
def test_what_does_not_fit_is_refused(tokens, target, message):
    for explain in (word_occlusion, lambda *asked: word_relevance(*asked, gradient_x_input)):
        with pytest.raises(ValueError, match=message):
            explain(text_model(), tokens, target)


def test_models_without_word_vectors_are_refused(make_network):
    import keras

    tokens = keras.Input((None,), dtype="int32")
    for model in (make_network((4, 3)), keras.Sequential(), keras.Model(tokens, text_model()(tokens))):
        for explain in (word_occlusion, lambda *asked: word_relevance(*asked, gradient_x_input)):
            with pytest.raises(ValueError, match="begins with an Embedding"):
                explain(model, [[1, 2]], 0)
    with pytest.raises(ValueError, match="one shape"):
        delete_words([[1, 2]], [[True]])
