"""Explanations of text classifiers, one number per word.

There is no gradient to the number of a word. So a method explains the part of the model after its Embedding, on the
word vectors, and a word's relevance is the sum over its vector::

    R_t = sum over d of  R_td,      attributions R (length, vector) of the embedded text

For Gradient x Input that is the scalar product of a word's gradient and its vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary, ref

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import compiled, graph_function, in_chunks
from vitrina.explain.request import Target, as_logits, as_targets
from vitrina.models import Array

Method = Callable[..., Array]
"""An attribution method of `vitrina.explain`: called with model, inputs, target and options."""
Tokens = npt.NDArray[np.integer[Any]]

_AFTER: WeakKeyDictionary[keras.Model, keras.Model] = WeakKeyDictionary()
_PADDING = 0


def word_relevance(model: keras.Model, tokens: npt.ArrayLike, target: Target, method: Method, **options: Any) -> Array:
    """
    Explain a text classifier with any attribution method, one number per word.

    Where the Embedding masks padding (`mask_zero=True`), each text is explained at its own length, so no padding takes
    part. Without a mask padding is a word like any other to the network, and is explained like one.

    Parameters
    ----------
    model : keras.Model
        A built Sequential that begins with an Embedding and returns logits (batch, classes).
    tokens : array of int, shape (batch, length)
        Numbers of words, padded with 0.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The class to explain, one for all texts, one each or k each.
    method : callable
        Such as `vitrina.explain.gradient_x_input`; a baseline of 0 then means: no word vector at all.
    **options
        Passed on to the method.

    Returns
    -------
    array, shape of tokens (with an axis of targets after the batch if target has one)
        The attributions of each word's vector, added up. Masked padding gets 0.

    Raises
    ------
    ValueError
        If the model does not begin with an Embedding, or tokens or target do not fit it.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    numbers = _as_tokens(model, tokens)
    targets = as_targets(target, len(numbers), int(model.output_shape[1]))
    after, embedding = after_embedding(model), _embedding(model)
    relevance = np.zeros((*targets.shape, numbers.shape[1]), after.inputs[0].dtype)
    for rows, words in _by_length(numbers, masked=embedding.mask_zero):
        vectors = np.asarray(embedding(numbers[rows][words].reshape(len(rows), -1)))
        attributions = method(after, vectors, targets[rows], **options).sum(axis=-1)
        relevance[rows] = _put_back(attributions, words)
    return relevance


def word_occlusion(model: keras.Model, tokens: npt.ArrayLike, target: Target) -> Array:
    """
    Explain a text classifier by deleting words: f_c(text) - f_c(text without word t).

    A deleted word leaves no gap: those after it move up, as if it had never been written. This is representation
    erasure (Li et al. 2016, arXiv 1612.08220) of whole words, in logits.

    Parameters
    ----------
    model : keras.Model
        A built Sequential that begins with an Embedding and returns logits (batch, classes).
    tokens : array of int, shape (batch, length)
        Numbers of words, padded with 0.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The class to explain, one for all texts, one each or k each.

    Returns
    -------
    array, shape of tokens (with an axis of targets after the batch if target has one)
        In units of the logit. Padding gets 0.

    Raises
    ------
    ValueError
        If the model does not begin with an Embedding, or tokens or target do not fit it.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    numbers = _as_tokens(model, tokens)
    targets = as_targets(target, len(numbers), int(model.output_shape[1]))
    texts, places = np.nonzero(numbers != _PADDING)
    without = delete_words(numbers[texts], np.arange(numbers.shape[1]) == places[:, np.newaxis])
    logits = _logits(as_logits(model), np.concatenate([numbers, without]))
    several = targets.reshape(len(numbers), -1)
    full = np.take_along_axis(logits[: len(numbers)], several, axis=1)
    relevance = np.zeros((*several.shape, numbers.shape[1]), logits.dtype)
    relevance[texts, :, places] = full[texts] - np.take_along_axis(logits[len(numbers) :], several[texts], axis=1)
    return relevance.reshape(*targets.shape, numbers.shape[1])


def delete_words(tokens: npt.ArrayLike, chosen: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """
    Delete words from texts and close the gaps.

    Parameters
    ----------
    tokens : array of int, shape (batch, length)
        Numbers of words, padded with 0.
    chosen : array of bool, shape of tokens
        The words to delete.

    Returns
    -------
    array of int32, shape of tokens
        The remaining words in their order, then padding.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    numbers, deleted = np.asarray(tokens), np.asarray(chosen, bool)
    if numbers.shape != deleted.shape or numbers.ndim != 2:
        raise ValueError(f"tokens and chosen must have one shape (batch, length): {numbers.shape}, {deleted.shape}")
    kept = np.where(deleted, _PADDING, numbers).astype(np.int32)
    order = np.argsort(kept == _PADDING, axis=1, kind="stable")
    return np.take_along_axis(kept, order, axis=1)


def after_embedding(model: keras.Model) -> keras.Model:
    """
    Return the part of a text classifier after its Embedding, with the same layers.

    It is given no mask. So it agrees with the model on texts without padding only, whatever their length.

    Parameters
    ----------
    model : keras.Model
        A built Sequential that begins with an Embedding.

    Returns
    -------
    keras.Model
        Takes word vectors (batch, length, vector); the same object at every call.

    Raises
    ------
    ValueError
        If the model is no such one.
    """
    embedding = _embedding(model)
    if model not in _AFTER:
        length = None if embedding.mask_zero else model.input_shape[1]
        vectors = keras.Input((length, embedding.output_dim), dtype=embedding.dtype)
        _AFTER[model] = keras.Sequential([vectors, *model.layers[1:]], name=f"{model.name}_after_embedding")
    return _AFTER[model]


def _embedding(model: keras.Model) -> Any:
    if not isinstance(model, keras.Sequential) or not model.built or not _is_embedding(model.layers[:1]):
        raise ValueError(
            f"model {model.name!r} must be a built keras.Sequential that begins with an Embedding, the word vectors"
        )
    return model.layers[0]


def _is_embedding(layers: list[Any]) -> bool:
    return len(layers) == 1 and isinstance(layers[0], keras.layers.Embedding)


def _as_tokens(model: keras.Model, tokens: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Return tokens (batch, length) that the model's Embedding knows."""
    numbers, known = np.asarray(tokens), int(_embedding(model).input_dim)
    if numbers.ndim != 2 or numbers.dtype.kind not in "iu":
        hint = "; one text needs a batch axis: tokens[np.newaxis]" if numbers.ndim == 1 else ""
        raise ValueError(f"tokens must be ints of shape (batch, length), got {numbers.shape} of {numbers.dtype}{hint}")
    if np.any((numbers < 0) | (numbers >= known)):
        raise ValueError(f"tokens must be from 0 to {known - 1}, got {numbers.min()} to {numbers.max()}")
    return numbers.astype(np.int32)


def _by_length(tokens: Tokens, *, masked: bool) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]]:
    """Yield the texts with equally many words, and where these stand; texts without words are left out."""
    words = tokens != _PADDING if masked else np.ones(tokens.shape, bool)
    lengths = np.count_nonzero(words, axis=1)
    for length in np.unique(lengths[lengths > 0]):
        rows = np.flatnonzero(lengths == length)
        yield rows, words[rows]


def _put_back(attributions: Array, words: npt.NDArray[np.bool_]) -> Array:
    """Spread the values of words over their places in rows with padding."""
    row = np.zeros((*attributions.shape[:-1], words.shape[1]), attributions.dtype)
    places = np.nonzero(words)[1].reshape(len(words), -1)
    np.put_along_axis(row, places[:, np.newaxis] if row.ndim == 3 else places, attributions, axis=-1)
    return row


def _logits(model: keras.Model, tokens: npt.NDArray[np.int32]) -> Array:
    def build() -> Callable[..., Any]:
        known, specification = ref(model), tf.TensorSpec(model.inputs[0].shape, tf.int32)

        def logits(numbers: Any) -> Any:
            return known()(numbers, training=False)  # pyright: ignore[reportOptionalCall]

        return graph_function(logits, specification)

    return in_chunks(compiled(model, "logits of tokens", build), tokens)
