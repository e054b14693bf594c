"""Two students' code side by side, with the stretches that are alike marked, whatever their order and names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vitrina_autograder.code_tokens import CodeToken, code_tokens
from vitrina_autograder.similarity import Comparison, K, Pair, Part, Script, gram_hashes, token_codes

_COMMON = 0


@dataclass(frozen=True)
class Piece:
    """A piece of code: `match` is 0 where it is nobody else's, else the number of the stretch that it is like.

    Attributes
    ----------
    text : str
        The code.
    match : int
        Equal on both sides for stretches that are alike.
    common : bool
        Whether many in the class have it too.
    """

    text: str
    match: int = 0
    common: bool = False


@dataclass(frozen=True)
class MarkedPart:
    """A cell or a file, cut into pieces."""

    name: str
    pieces: Sequence[Piece]

    @property
    def unusual(self) -> bool:
        """Whether anything in it is alike that is not common."""
        return any(piece.match and not piece.common for piece in self.pieces)


@dataclass(frozen=True)
class _Run:
    """A stretch of k-grams of which all are the other's too."""

    start: int
    end: int
    match: int
    rare: bool


def side_by_side(pair: Pair, comparison: Comparison) -> tuple[list[MarkedPart], list[MarkedPart]]:
    """Mark what two students' code has in common, apart from what everybody was given."""
    left, right = _grams(pair.first), _grams(pair.second)
    alike = _flat(left) & _flat(right) - comparison.given
    numbers: dict[int, int] = {}
    for hashes in left:
        _number(hashes, alike, numbers)
    return (
        [_marked(part, hashes, numbers, comparison) for part, hashes in zip(pair.first.parts, left, strict=True)],
        [_marked(part, hashes, numbers, comparison) for part, hashes in zip(pair.second.parts, right, strict=True)],
    )


def _grams(script: Script) -> list[list[int]]:
    return [gram_hashes(token_codes(part.source)).tolist() for part in script.parts]


def _flat(grams: Sequence[Sequence[int]]) -> set[int]:
    return {hash_ for hashes in grams for hash_ in hashes}


def _number(hashes: Sequence[int], alike: set[int], numbers: dict[int, int]) -> None:
    """Number the stretches of the left side: a new number wherever one begins."""
    inside = False
    number = max(numbers.values(), default=_COMMON)
    for hash_ in hashes:
        if hash_ in alike and hash_ not in numbers:
            number += not inside
            numbers[hash_] = number
        inside = hash_ in alike


def _marked(part: Part, hashes: Sequence[int], numbers: Mapping[int, int], comparison: Comparison) -> MarkedPart:
    tokens = code_tokens(part.source)
    return MarkedPart(part.name, list(_pieces(part.source, tokens, _runs(hashes, numbers, comparison.rare))))


def _runs(hashes: Sequence[int], numbers: Mapping[int, int], rare: frozenset[int]) -> Iterator[_Run]:
    start = 0
    while start < len(hashes):
        match = numbers.get(hashes[start], 0)
        end = start + 1
        while end < len(hashes) and numbers.get(hashes[end], 0) == match:
            end += 1
        if match:
            yield _Run(start, end, match, any(hash_ in rare for hash_ in hashes[start:end]))
        start = end


def _pieces(source: str, tokens: Sequence[CodeToken], runs: Iterator[_Run]) -> Iterator[Piece]:
    """Cut a text at the runs, and at comments in them; where two runs overlap, the earlier one has the tokens."""
    done = 0
    for run in runs:
        for start, end in _stretches(source, tokens[run.start : run.end + K - 1]):
            if end > done:
                yield Piece(source[done : max(start, done)])
                yield Piece(source[max(start, done) : end], run.match, common=not run.rare)
                done = end
    yield Piece(source[done:])


def _stretches(source: str, tokens: Sequence[CodeToken]) -> Iterator[tuple[int, int]]:
    """Give where runs of tokens stand between which there is nothing but space."""
    start = tokens[0].start
    for token, following in pairwise(tokens):
        if source[token.end : following.start].strip():
            yield start, token.end
            start = following.start
    yield start, tokens[-1].end
