"""Unusually similar code: pairs of students who share what few others have.

Token k-grams are hashed and thinned out by winnowing (Schleimer, Wilkerson and Aiken 2003, *Winnowing: local
algorithms for document fingerprinting*, doi 10.1145/872757.872770): whatever two texts share over `K + WINDOW - 1`
tokens is found, wherever it stands. What everybody was given does not count; what many students write alike counts the
less the more they are, for short right answers are alike without anybody's fault. A high score is a reason to look,
never a proof.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vitrina_autograder.code_tokens import code_tokens

Hashes = NDArray[np.uint64]
Weights = NDArray[np.float64]

#: Tokens of one fingerprint: about two lines of NumPy. Shorter ones occur in independent solutions.
K = 16
WINDOW = 6
#: What this share of the class writes is common, and counts nothing.
COMMON_SHARE = 0.2
#: A pair needs this many shared fingerprints, each weighed by its rarity: about ten lines.
LEAST_EVIDENCE = 25.0
#: Below the first no score is unusual, above the second every one is, whatever the class is like.
FLOOR, CEILING = 0.55, 0.8

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Part:
    """A cell or a file of a student's."""

    name: str
    source: str


@dataclass(frozen=True)
class Script:
    """The code that a student wrote."""

    student: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Pair:
    """Two students with similar code.

    Attributes
    ----------
    first, second : Script
        Their code.
    score : float
        How much of the unusual code of the one who has less of it is the other's too, from 0 to 1.
    evidence : float
        How many fingerprints they share, each weighed by how rare it is.
    """

    first: Script
    second: Script
    score: float
    evidence: float


@dataclass(frozen=True)
class Comparison:
    """What the comparison of a class found.

    Attributes
    ----------
    pairs : sequence of Pair
        The unusual ones, most similar first.
    threshold : float
        From which score on a pair is unusual in this class.
    students : int
        How many students' code was compared.
    rare : frozenset of int
        The fingerprints that count.
    given : frozenset of int
        The fingerprints of what everybody was given.
    """

    pairs: Sequence[Pair] = ()
    threshold: float = FLOOR
    students: int = 0
    rare: frozenset[int] = field(default=frozenset[int](), repr=False)
    given: frozenset[int] = field(default=frozenset[int](), repr=False)


def compare(scripts: Sequence[Script], given: Iterable[str] = (), textbook: Iterable[str] = ()) -> Comparison:
    """Find the unusually similar pairs of a class.

    Parameters
    ----------
    scripts : sequence of Script
        Everybody's code.
    given : iterable of str
        What the release holds: it is nobody's work.
    textbook : iterable of str
        The solutions to expect: they prove nothing about who wrote them.
    """
    handed_out = known_fingerprints(given)
    prints = [_fingerprints(script, handed_out) for script in scripts]
    weights = _weights(prints, known_fingerprints(textbook))
    scores, evidence = _scores(prints, weights)
    threshold = _threshold(scores)
    found = np.argwhere(np.triu((scores >= threshold) & (evidence >= LEAST_EVIDENCE), 1))
    pairs = [Pair(scripts[i], scripts[j], float(scores[i, j]), float(evidence[i, j])) for i, j in found]
    pairs.sort(key=lambda pair: (-round(pair.score, 3), -pair.evidence, pair.first.student, pair.second.student))
    rare = frozenset(hash_ for hash_, weight in weights.items() if weight > 0)
    return Comparison(pairs, threshold, sum(map(bool, prints)), rare, frozenset(handed_out))


def known_fingerprints(sources: Iterable[str]) -> set[int]:
    """Collect all k-grams of texts, not only those that winnowing would choose."""
    return {int(hash_) for source in sources for hash_ in gram_hashes(token_codes(source))}


def _fingerprints(script: Script, given: set[int]) -> set[int]:
    return {hash_ for part in script.parts for hash_ in _winnowed(part.source)} - given


@lru_cache(maxsize=20_000)
def _winnowed(source: str) -> frozenset[int]:
    """Choose the smallest hash of every window of k-grams."""
    hashes = gram_hashes(token_codes(source))
    if len(hashes) > WINDOW:
        hashes = sliding_window_view(hashes, WINDOW).min(axis=1)
    elif len(hashes):
        hashes = hashes.min(keepdims=True)
    return frozenset(hashes.tolist())


def token_codes(source: str) -> list[int]:
    """Number the kinds of a text's tokens."""
    return [_kind_code(token.kind) for token in code_tokens(source)]


@lru_cache(maxsize=10_000)
def _kind_code(kind: str) -> int:
    """Number a kind of token, the same in every run."""
    return zlib.crc32(kind.encode("utf-8", "surrogatepass"))


def gram_hashes(codes: Sequence[int]) -> Hashes:
    """Hash every run of `K` tokens, in order of where it begins; none where there are fewer tokens."""
    tokens = np.array(codes, dtype=np.uint64)
    count = max(len(tokens) - K + 1, 0)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(K):
        hashes = hashes * _FACTOR + tokens[offset : offset + count]
    hashes = (hashes ^ (hashes >> np.uint64(29))) * _MIX
    return hashes ^ (hashes >> np.uint64(32))


def _weights(prints: Sequence[set[int]], textbook: set[int]) -> dict[int, float]:
    """Weigh each fingerprint by its rarity: 1 where at most two students have it, 0 from `COMMON_SHARE` on."""
    hashes, counts = np.unique(_together(prints), return_counts=True)
    others = np.maximum(counts - 2, 0) / max(len(prints) - 2, 1)
    weights = np.maximum(1 - others / COMMON_SHARE, 0.0)
    known = zip(hashes.tolist(), weights.tolist(), strict=True)
    return {hash_: 0.0 if hash_ in textbook else weight for hash_, weight in known}


def _together(prints: Sequence[set[int]]) -> Hashes:
    return np.fromiter((hash_ for own in prints for hash_ in sorted(own)), dtype=np.uint64)


def _scores(prints: Sequence[set[int]], weights: Mapping[int, float]) -> tuple[Weights, Weights]:
    """Weigh what each pair shares: the share of the smaller side and the sum itself, shape (students, students)."""
    shared = np.zeros((len(prints), len(prints)))
    for hash_, owners in _owners(prints):
        weight = weights[hash_]
        if weight > 0:
            shared[np.ix_(owners, owners)] += weight
    own = np.array([sum(weights[hash_] for hash_ in own) for own in prints])
    smaller = np.minimum.outer(own, own) if len(own) else shared
    return np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0), shared


def _owners(prints: Sequence[set[int]]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Invert the index: for every fingerprint that two or more students have, who has it."""
    hashes = _together(prints)
    students = np.repeat(np.arange(len(prints)), [len(own) for own in prints])
    order = np.argsort(hashes, kind="stable")
    hashes, students = hashes[order], students[order]
    borders = [0, *(np.flatnonzero(hashes[1:] != hashes[:-1]) + 1).tolist(), len(hashes)]
    for start, end in pairwise(borders):
        if end - start > 1:
            yield int(hashes[start]), students[start:end]


def _threshold(scores: Weights) -> float:
    """Set the score from which a pair stands out: Tukey's fence over everyone's nearest neighbour, within limits."""
    if len(scores) < 2:
        return CEILING
    nearest = (scores - np.diag(np.diag(scores))).max(axis=1)
    low, high = np.quantile(nearest, [0.25, 0.75])
    return float(np.clip(high + 1.5 * (high - low), FLOOR, CEILING))
