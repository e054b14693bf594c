"""Texts for networks: words, their numbers, and small recurrent classifiers that read them.

A text becomes a row of numbers, one per word, filled up with 0 (padding) to the length of the longest text. The
networks here are told to skip padding (a *mask*), so a text gets the same logits however much of it is added.

TensorFlow takes seconds to import; it is loaded by the functions that need it, not by this module.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from vitrina.trained import with_weights
from vitrina_datasets.movie_reviews import Reviews

if TYPE_CHECKING:
    import keras

PADDING, UNKNOWN = 0, 1
"""Numbers of no word at all and of every word that is not in the vocabulary."""

Tokens = npt.NDArray[np.int32]
Vocabulary = npt.NDArray[np.str_]
Cell = Literal["lstm", "gru", "simple_rnn"]

_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_EMBEDDING, _UNITS = 64, 64
_BATCH, _UPDATES, _STEP = 64, 400, 2e-3
_DROPOUT = 0.5


class TextClassifier(NamedTuple):
    """
    A network with the vocabulary that it reads.

    Attributes
    ----------
    model : keras.Sequential
        Takes tokens (batch, length) and returns logits (batch, classes).
    vocabulary : array of str, shape (words,)
        `vocabulary[number]` is the word.
    """

    model: keras.Sequential
    vocabulary: Vocabulary


def tokenise(text: str) -> list[str]:
    """
    Cut a text into words and punctuation marks.

    A word is a run of letters and digits with apostrophes inside ("isn't" is one word, "well-made" is three tokens);
    every other visible character is a token of its own. Capitals become small letters, and HTML tags are left out.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        The tokens in order; empty where there is nothing to see.

    Examples
    --------
    >>> tokenise("It's NOT good.<br />")
    ["it's", 'not', 'good', '.']
    """
    return _WORD.findall(_TAG.sub(" ", text).replace("_", " ").lower())


def build_vocabulary(texts: Iterable[str], *, at_least: int = 2) -> Vocabulary:
    """
    List the words of texts, the most frequent first.

    Parameters
    ----------
    texts : iterable of str
        The texts to learn from: never those held out.
    at_least : int
        Rarer words are left out; nothing can be learnt from them.

    Returns
    -------
    array of str, shape (words,)
        `vocabulary[number]` is the word. The first two stand for padding and for unknown words.

    Raises
    ------
    ValueError
        If `texts` is one text, which would be read letter by letter.
    """
    _check_several(texts)
    counts = Counter(word for text in texts for word in tokenise(text))
    words = sorted((word for word, count in counts.items() if count >= at_least), key=lambda w: (-counts[w], w))
    return np.array(["<padding>", "<unknown>", *words])


def encode(texts: Iterable[str], vocabulary: Vocabulary, *, length: int | None = None) -> Tokens:
    """
    Turn texts into rows of numbers, with padding after the last word.

    Parameters
    ----------
    texts : iterable of str
        The texts.
    vocabulary : array of str, shape (words,)
        As `build_vocabulary` returns it.
    length : int, optional
        Tokens in a row, by default those of the longest text. Longer texts lose their end.

    Returns
    -------
    array of int32, shape (texts, length)
        `vocabulary[tokens]` gives the words back, except those that are not in the vocabulary.

    Raises
    ------
    ValueError
        If `texts` is one text, which would be read letter by letter, or `length` is not positive.
    """
    _check_several(texts)
    if length is not None and length < 1:
        raise ValueError(f"length must be at least 1, got {length}")
    numbers = {str(word): number for number, word in enumerate(vocabulary) if number > UNKNOWN}
    rows = [[numbers.get(word, UNKNOWN) for word in tokenise(text)] for text in texts]
    tokens = np.full((len(rows), length or max([1, *map(len, rows)])), PADDING, np.int32)
    for row, known in zip(tokens, rows, strict=True):
        row[: len(known)] = known[: len(row)]
    return tokens


def text_classifier(words: int, *, classes: int = 2, cell: Cell = "lstm", seed: int = 0) -> keras.Sequential:
    """
    Build an untrained classifier: word vectors, one recurrent layer, logits from its last state.

    Parameters
    ----------
    words : int
        Size of the vocabulary.
    classes : int
        Number of logits.
    cell : {"lstm", "gru", "simple_rnn"}
        The recurrent layer: LSTM (Hochreiter and Schmidhuber 1997), GRU (Cho et al. 2014) or Elman's simple one.
    seed : int
        Draws the initial weights and what dropout hides.

    Returns
    -------
    keras.Sequential
        Takes tokens (batch, length) of any length and skips padding.

    Raises
    ------
    ValueError
        If there is no such cell.
    """
    from keras import Input, Sequential, initializers, layers

    recurrent = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}.get(cell)
    if recurrent is None:
        raise ValueError(f"cell must be 'lstm', 'gru' or 'simple_rnn', got {cell!r}")
    seeds = itertools.count(10 * seed)
    near_zero: Any = initializers.RandomNormal(stddev=0.1, seed=next(seeds))
    start: dict[str, Any] = {
        "kernel_initializer": initializers.GlorotUniform(next(seeds)),
        "recurrent_initializer": initializers.Orthogonal(seed=next(seeds)),
    }
    last: Any = initializers.GlorotUniform(next(seeds))
    return Sequential(
        [
            Input((None,), dtype="int32", name="tokens"),
            layers.Embedding(words, _EMBEDDING, mask_zero=True, embeddings_initializer=near_zero, name="word_vectors"),
            layers.Dropout(_DROPOUT, seed=next(seeds)),
            recurrent(_UNITS, **start, name=cell),
            layers.Dropout(_DROPOUT, seed=next(seeds)),
            layers.Dense(classes, kernel_initializer=last, name="logits"),
        ]
    )


def train_text_classifier(
    model: keras.Model, tokens: Tokens, labels: npt.NDArray[Any], *, epochs: int | None = None, seed: int = 0
) -> None:
    """
    Train a text classifier in place, by Adam on the cross-entropy; the same weights for the same seed on one machine.

    Parameters
    ----------
    model : keras.Model
        As `text_classifier` builds it.
    tokens : array of int, shape (n, length)
        Texts, padded with 0.
    labels : array of int, shape (n,)
        Their classes.
    epochs : int, optional
        Passes over the texts, by default as many as 400 updates need: more than a few only learn the texts by heart.
    seed : int
        Draws the order of the texts.

    Raises
    ------
    ValueError
        If there is not one label per text.
    """
    import keras

    if tokens.ndim != 2 or labels.shape != tokens.shape[:1] or not len(labels):
        raise ValueError(f"expected tokens (n, length) and labels (n,), got {tokens.shape} and {labels.shape}")
    generator = np.random.default_rng(seed)
    with keras.device("cpu:0"):  # where sums are taken in a fixed order
        model.compile(keras.optimizers.Adam(_STEP), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        for _ in range(epochs or math.ceil(_UPDATES * _BATCH / len(tokens))):
            for batch, length in _batches(np.count_nonzero(tokens != PADDING, axis=1), generator):
                model.train_on_batch(tokens[batch, :length], labels[batch])


def review_classifier(
    reviews: Reviews, *, cell: Cell = "lstm", seed: int = 0, cache: Path | None = None
) -> TextClassifier:
    """
    Return a classifier trained on the training part of reviews: about ten seconds once, then read from the cache.

    Parameters
    ----------
    reviews : Reviews
        Such as `vitrina_datasets.movie_reviews.load()`.
    cell : {"lstm", "gru", "simple_rnn"}
        The recurrent layer.
    seed : int
        Draws all that is random.
    cache : Path, optional
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    TextClassifier
        Class 1 is liked, class 0 disliked.
    """
    vocabulary = build_vocabulary(reviews.train_texts)
    data = hashlib.sha256("\n".join(reviews.train_texts).encode() + reviews.train_labels.tobytes()).hexdigest()
    recipe = f"{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()} {data} {cell} {seed}"
    model = with_weights(
        lambda: text_classifier(len(vocabulary), cell=cell, seed=seed),
        lambda made: train_text_classifier(
            made, encode(reviews.train_texts, vocabulary), reviews.train_labels, seed=seed
        ),
        name=f"review-classifier-{cell}",
        recipe=recipe,
        cache=cache,
    )
    return TextClassifier(model, vocabulary)


def _check_several(texts: Iterable[str]) -> None:
    if isinstance(texts, str):
        raise ValueError("texts must be a list of texts; for one text give [text]")


def _batches(
    lengths: npt.NDArray[np.int64], generator: np.random.Generator
) -> Iterator[tuple[npt.NDArray[np.int64], int]]:
    """Yield batches in random order, each of texts of about one length: less padding to go through."""
    shuffled = generator.permutation(len(lengths))
    sortable = [shuffled[start : start + 16 * _BATCH] for start in range(0, len(shuffled), 16 * _BATCH)]
    by_length: Sequence[npt.NDArray[np.int64]] = [part[np.argsort(lengths[part], kind="stable")] for part in sortable]
    batches = [part[start : start + _BATCH] for part in by_length for start in range(0, len(part), _BATCH)]
    for index in generator.permutation(len(batches)):
        yield batches[index], max(1, int(lengths[batches[index]].max()))
