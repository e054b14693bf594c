"""LIME of texts: words are removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import Scores, scoring
from vitrina.explain.compiling import slices
from vitrina.explain.lime.explanation import TextExplanation
from vitrina.explain.lime.fit import Floats, Options, Selection, warn_of_few
from vitrina.explain.lime.hiding import Shown, cosine_distances, fit_shown, one_by_one
from vitrina.explain.outputs import Output
from vitrina.explain.request import Target, as_targets, positive_int

_TEXTS = 1024  # in one call of the model
_UNIT = 100  # the library's distances are cosine distances in hundredths


def lime_text(
    model: Any,
    texts: Sequence[str],
    target: Target,
    *,
    pattern: str = r"\w+",
    together: bool = True,
    replacement: str = "",
    samples: int = 5000,
    kernel_width: float = 25.0,
    features: int | None = None,
    selection: Selection = "auto",
    ridge: float = 1.0,
    output: Output | None = None,
    seed: int = 0,
) -> TextExplanation:
    """
    LIME (Ribeiro et al. 2016, arXiv 1602.04938) of texts: a linear model of which words are there.

    How many words are removed is drawn first, evenly from one to all, then which. A weighted ridge regression of the
    model's scores on what is left gives a coefficient to each word. Draws and defaults follow the `lime` library; a
    text that comes up twice is scored once.

    Parameters
    ----------
    model : estimator or callable
        Takes a list of texts, such as a scikit-learn pipeline or a function that encodes them for a network.
    texts : sequence of str
        The texts to explain.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The output to explain: one for all texts, one each, or k each.
    pattern
        Regular expression of a word; what lies between words always stays.
    together
        Whether all occurrences of a word are removed together and have one coefficient, or each on its own.
    replacement
        What stands for a removed word.
    samples
        How many perturbations there are, the text itself among them.
    kernel_width
        Of the kernel, sqrt(exp(-d^2 / width^2)), where d is 100 times the cosine distance, 1 - sqrt(share of words
        that are left).
    features
        How many words get a coefficient that is not 0; by default all.
    selection, ridge, output, seed
        As for `lime_tabular`.

    Returns
    -------
    TextExplanation
        A coefficient is what the score gains by the word being there, in the model's scores: of a classifier of
        scikit-learn the probability.

    Raises
    ------
    ValueError
        If arguments do not fit the model or each other, or a text has no word.

    Warns
    -----
    UserWarning
        If the kernel is so narrow that too few perturbations count.

    Examples
    --------
    >>> def praise(texts):
    ...     return np.array([text.count("good") - text.count("bad") for text in texts], float)
    >>> lime_text(praise, ["not bad, good!"], 0, ridge=0).attributions[0].round(6)
    array([-0., -1.,  1.])
    """
    options = Options(features, selection, ridge).checked()
    if isinstance(texts, str):
        raise ValueError("texts must be a list of texts; for one text give [text]")
    if positive_int("samples", samples) < 2:
        raise ValueError("samples must be at least 2: the text itself is one of them")
    cut = [_cut(number, text, pattern, together=together) for number, text in enumerate(texts)]
    scores = _in_parts(scoring(model, output=output))
    said = scores([one.text for one in cut])
    targets = as_targets(target, len(cut), said.shape[1])
    fits = []
    for one, told, wanted in zip(cut, said, targets.reshape(len(cut), -1), strict=True):
        shown = _draw(len(one.features), samples - 1, seed)
        different, which = np.unique(shown, axis=0, return_inverse=True)
        left = scores([one.without(~words, replacement) for words in different])[:, wanted]
        distances = _UNIT * cosine_distances(shown)
        fits.append(fit_shown(shown, told[wanted], left[which], distances, kernel_width, options))
    warn_of_few(fits)
    asked = one_by_one(fits, several=targets.ndim == 2)
    return TextExplanation(
        attributions=tuple(found[..., one.places] for found, one in zip(asked["coefficients"], cut, strict=True)),
        prediction=np.take_along_axis(said, targets.reshape(len(cut), -1), axis=1).reshape(targets.shape),
        words=tuple(tuple(one.words) for one in cut),
        features=tuple(tuple(one.features) for one in cut),
        **asked,
    )


class _Cut(NamedTuple):
    """A text as words and what lies between: `between[i]` comes before `words[i]`, which is feature `places[i]`."""

    text: str
    words: list[str]
    between: list[str]
    features: list[str]
    places: npt.NDArray[np.int_]

    def without(self, hidden: npt.NDArray[np.bool_], replacement: str) -> str:
        """Write the text without hidden features."""
        gone = hidden[self.places].tolist()
        kept = [replacement if no else word for word, no in zip(self.words, gone, strict=True)]
        return "".join(part for pair in zip(self.between, [*kept, ""], strict=True) for part in pair)


def _cut(number: int, text: Any, pattern: str, *, together: bool) -> _Cut:
    if not isinstance(text, str):
        raise ValueError(f"texts must be strings, text {number} is a {type(text).__name__}")
    try:
        found = [match for match in re.finditer(pattern, text) if match.group()]
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from None
    if not found:
        raise ValueError(f"text {number} has no word to explain: {text[:40]!r} (a word is what fits {pattern!r})")
    words = [match.group() for match in found]
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(text)]
    between = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    features = list(dict.fromkeys(words)) if together else words
    places = [features.index(word) for word in words] if together else range(len(words))
    return _Cut(text, words, between, features, np.array(places))


def _draw(features: int, count: int, seed: int) -> Shown:
    """Draw how many words are removed, from one to all, and which: shape (count, features)."""
    generator = np.random.default_rng(seed)
    removed = generator.integers(1, features + 1, count)
    order = np.argsort(generator.random((count, features)), axis=1)
    return order >= removed[:, np.newaxis]


def _in_parts(scores: Scores) -> Callable[[list[str]], Floats]:
    def of_many(texts: list[str]) -> Floats:
        return np.concatenate([scores(texts[part]).astype(np.float64) for part in slices(max(1, len(texts)), _TEXTS)])

    return of_many
