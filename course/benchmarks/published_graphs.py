"""The search for structured attention graphs as it was published, to be timed beside ours: one masked image a call.

Written after the description in Shitole et al. (2021, arXiv 2011.06733) and the settings of the authors' program: a
grid of 7 x 7 patches, a beam of 3 that tries the 15 best remaining patches, at most 10 explanations which are shrunk
patch by patch, three diverse ones, and a tree of deletions that is followed while the relative probability exceeds
40 %. As there, nothing is remembered: an image that was asked before is asked again. The order of the patches comes
from covering each once, as in our search, and not from their optimised mask, which costs more.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import numpy.typing as npt

GRID, BEAM, BRANCHES, EXPLANATIONS, SHOWN, DELETED = 7, 3, 15, 10, 3, 3
SUFFICIENT, FOLLOWED = 0.9, 0.4

Patches = frozenset[int]
Score = Callable[[Patches], float]


def published_search(probability: Callable[[npt.NDArray[np.float32]], float], image: npt.NDArray[np.float32]) -> int:
    """
    Explain one image, one masked copy of it after the other.

    Parameters
    ----------
    probability
        Of the class, for one image (height, width, channels).
    image : array, shape (height, width, channels)
        Its sides are multiples of 7.

    Returns
    -------
    int
        How often the network was asked.
    """
    calls = 0
    size = image.shape[0] // GRID
    whole = 1.0

    def score(patches: Patches) -> float:
        nonlocal calls
        calls += 1
        mask = np.zeros(GRID * GRID, np.float32)
        mask[list(patches)] = 1
        cover = mask.reshape(GRID, GRID).repeat(size, 0).repeat(size, 1)
        return probability(image * cover[..., np.newaxis]) / whole

    everything = frozenset(range(GRID * GRID))
    whole = score(everything)
    order = sorted(everything, key=lambda patch: score(everything - {patch}))
    for root in _diverse(_explanations(score, order)):
        _follow(score, root)
    return calls


def _explanations(score: Score, order: list[int]) -> list[Patches]:
    found: list[Patches] = []
    beam: list[Patches] = [frozenset()]
    while beam and len(found) < EXPLANATIONS and len(beam[0]) < len(order):
        tried = {
            grown: score(grown)
            for patches in beam
            for grown in (patches | {patch} for patch in [p for p in order if p not in patches][:BRANCHES])
        }
        found += [_shrunk(score, patches) for patches, value in tried.items() if value > SUFFICIENT]
        rest = [patches for patches, value in tried.items() if value <= SUFFICIENT]
        beam = sorted(rest, key=lambda patches: -tried[patches])[:BEAM]
    return list(dict.fromkeys(found))[:EXPLANATIONS]


def _shrunk(score: Score, patches: Patches) -> Patches:
    """Drop patches while one can be spared."""
    for patch in sorted(patches):
        if score(patches - {patch}) > SUFFICIENT:
            return _shrunk(score, patches - {patch})
    return patches


def _diverse(found: list[Patches]) -> list[Patches]:
    """As many as possible, up to three, no two of which share more than one patch."""
    for count in range(min(SHOWN, len(found)), 1, -1):
        for some in combinations(found, count):
            if all(len(a & b) <= 1 for a, b in combinations(some, 2)):
                return list(some)
    return found[:1]


def _follow(score: Score, patches: Patches) -> None:
    """Delete one patch at a time, as a tree."""
    for patch in sorted(patches)[:DELETED]:
        if score(patches - {patch}) > FOLLOWED:
            _follow(score, patches - {patch})
