"""Search for minimal sufficient sets of patches: all candidates of a step share one call of the model.

A set of patches is an int: bit p is patch p. So sets are compared, joined and remembered as fast as numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.explain.masking import Masks, masked_outputs
from vitrina.explain.request import Request
from vitrina.models import Array

Progress = Callable[[int, int], object]
"""Told after each call of the model: how many calls so far, how many explanations found."""


@dataclass(frozen=True)
class Limits:
    """
    How far a search goes.

    Attributes
    ----------
    beam
        Sets that are kept from step to step.
    branches
        Patches that are tried next to each of them.
    explanations
        A search ends when it has found so many.
    patience
        It also ends after so many steps in a row that find none, once there is one.
    calls
        No step is begun after so many calls of the model, once there is an explanation.
    """

    beam: int
    branches: int
    explanations: int
    patience: int
    calls: int


class Scores:
    """
    What the model says of sets of patches, each asked of it once.

    Parameters
    ----------
    sample
        One sample and its target.
    fills
        What hidden patches show.
    cells : array, shape (height, width)
        The number of the patch of each pixel.
    share
        A set suffices when it keeps this share of the whole sample's probability.
    progress
        Told after each call.
    """

    def __init__(
        self, sample: Request, fills: Array, cells: npt.NDArray[np.int_], share: float, progress: Progress | None
    ) -> None:
        self.count = int(cells.max()) + 1
        self.calls = self.images = self.found = 0
        self._sample, self._fills, self._cells, self._progress = sample, fills, cells, progress
        self._known: dict[int, float] = {}
        self.whole = self.of([self.everything])[0]
        self._enough = self.whole + math.log(share)

    @property
    def everything(self) -> int:
        """The set of all patches."""
        return (1 << self.count) - 1

    def of(self, sets: Sequence[int]) -> list[float]:
        """Return the log probability of each set; those not known yet share one call of the model."""
        new = [chosen for chosen in dict.fromkeys(sets) if chosen not in self._known]
        if new:
            visible = np.array([[chosen >> patch & 1 for patch in range(self.count)] for chosen in new], bool)

            def hidden(masks: slice) -> Masks:
                return ~visible[masks][:, self._cells]

            said = masked_outputs(self._sample, self._fills, hidden, len(new), "log_probability")
            self._known |= zip(new, said[0, 0].tolist(), strict=True)
            self.calls += 1
            self.images += len(new)
            if self._progress is not None:
                self._progress(self.calls, self.found)
        return [self._known[chosen] for chosen in sets]

    def one(self, chosen: int) -> float:
        """Return the log probability of a set."""
        return self.of([chosen])[0]

    def suffices(self, chosen: int) -> bool:
        """Whether the set keeps its share."""
        return self.one(chosen) >= self._enough


def order_by_loss(scores: Scores) -> list[int]:
    """
    Order the patches by what the log probability loses when one is hidden, the greatest loss first.

    Returns
    -------
    list of int
    """
    without = scores.of([scores.everything ^ 1 << patch for patch in range(scores.count)])
    return np.argsort(without, kind="stable").tolist()


def search_diverse(scores: Scores, order: Sequence[int], limits: Limits, searches: int) -> list[int]:
    """
    Search, then search again among the patches that the best explanation of each search so far leaves.

    Beams find sets that resemble each other; what is left of the image shows whether it holds another reason.

    Parameters
    ----------
    scores, limits
        Of the image, of each search.
    order
        All patches, the most promising first.
    searches
        At most.

    Returns
    -------
    list of int
        1-minimal sufficient sets, none of which holds another, the smallest first.
    """
    found: list[int] = []
    left = scores.everything
    for _ in range(searches):
        if found and (scores.calls >= limits.calls or not scores.suffices(left)):
            break
        new = _search(scores, [patch for patch in order if left >> patch & 1], limits, found)
        if not new:
            break
        found += new
        left &= ~min(new, key=lambda chosen: _rank(scores, chosen))
    return sorted(found, key=lambda chosen: _rank(scores, chosen))


def _rank(scores: Scores, chosen: int) -> tuple[int, float]:
    """Few patches first, of as many the most probable."""
    return chosen.bit_count(), -scores.one(chosen)


def _search(scores: Scores, order: list[int], limits: Limits, known: list[int]) -> list[int]:
    """Grow sets patch by patch in a beam; shrink each that suffices; none that holds a known one is looked at."""
    if scores.suffices(0):
        return without(known, [0])
    new: list[int] = []
    growing, idle = [0], 0
    while growing and len(new) < limits.explanations:
        if new and (idle >= limits.patience or scores.calls >= limits.calls):
            break
        candidates = without(known + new, dict.fromkeys(_grown(growing, order, limits.branches)))
        best_first = [c for _, c in sorted(zip(scores.of(candidates), candidates, strict=True), reverse=True)]
        enough = [chosen for chosen in best_first if scores.suffices(chosen)]
        growing = [chosen for chosen in best_first if not scores.suffices(chosen)][: limits.beam]
        fresh = _minimal(scores, enough, limits.explanations - len(new), known + new)
        new += fresh
        scores.found = len(known) + len(new)
        idle = 0 if fresh else idle + 1
    return new


def _grown(growing: list[int], order: list[int], branches: int) -> Iterable[int]:
    for chosen in growing:
        left = [patch for patch in order if not chosen >> patch & 1]
        yield from (chosen | 1 << patch for patch in left[:branches])


def without(known: list[int], sets: Iterable[int]) -> list[int]:
    """
    Leave out sets that hold all of a known one: they suffice for its sake.

    Returns
    -------
    list of int
    """
    return [chosen for chosen in sets if not any(chosen & one == one for one in known)]


def _minimal(scores: Scores, enough: list[int], wanted: int, known: list[int]) -> list[int]:
    """Shrink sufficient sets, as many at a time as are still wanted."""
    new: list[int] = []
    while enough and len(new) < wanted:
        batch, rest = enough[: wanted - len(new)], enough[wanted - len(new) :]
        for chosen in shrink(scores, batch):
            new += without(known + new, [chosen])
        enough = without(new, rest)
    return new


def shrink(scores: Scores, sets: list[int]) -> list[int]:
    """
    Take patches away, the least missed first, until none can be spared; all sets take each step together.

    Returns
    -------
    list of int
        1-minimal sufficient sets; fewer than `sets` where several shrink to the same.
    """
    minimal: list[int] = []
    while sets:
        scores.of([smaller for chosen in sets for smaller in deletions(chosen)])
        shrunk: list[int] = []
        for chosen in sets:
            enough = [smaller for smaller in deletions(chosen) if scores.suffices(smaller)]
            (shrunk if enough else minimal).append(max(enough, key=scores.one, default=chosen))
        sets = list(dict.fromkeys(shrunk))
    return list(dict.fromkeys(minimal))


def deletions(chosen: int) -> list[int]:
    """
    Return the sets with one patch less.

    Returns
    -------
    list of int
    """
    return [chosen ^ 1 << patch for patch in range(chosen.bit_length()) if chosen >> patch & 1]


def most_diverse(found: list[int], overlap: int) -> list[int]:
    """
    Find the largest choice of sets that share at most `overlap` patches two by two; of equal ones the first.

    Returns
    -------
    list of int
    """

    def largest(chosen: list[int], left: list[int], best: list[int]) -> list[int]:
        best = max(best, chosen, key=len)
        for index, one in enumerate(left):
            if len(chosen) + len(left) - index <= len(best):
                break
            compatible = [other for other in left[index + 1 :] if (one & other).bit_count() <= overlap]
            best = largest([*chosen, one], compatible, best)
        return best

    return largest([], found, [])
