"""Item analysis by classical test theory: how hard an exercise is, and whether it tells strong from weak students.

Everything takes the shares of points that students earned, an array of shape (students, items) with values in [0, 1]
and NaN where a student's answer could not be examined. What cannot be said from the data is a `Statistic` without a
value, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrina.messages import _

Floats = NDArray[np.float64]

#: With fewer, a correlation says nothing about an exercise.
FEWEST_STUDENTS = 10
#: Kelley's share of the class in each of the two extreme groups.
EXTREME_SHARE = 0.27
_VARIANCE_FLOOR = 1e-12


@dataclass(frozen=True)
class Statistic:
    """A number, or `None` and the reason why there is none."""

    value: float | None
    why: str = ""


def _nothing(why: str) -> Statistic:
    return Statistic(None, why)


def difficulty(shares: Floats) -> list[Statistic]:
    """Difficulty p of each item: the mean share of its points that was earned (1: everybody got everything).

    The name is the field's, though p is high where an item is easy. (Crocker and Algina 1986, *Introduction to
    Classical and Modern Test Theory*, chapter 14; for items of several points the mean over the maximum.)
    """
    return [_mean(column[np.isfinite(column)]) for column in shares.T]


def _mean(values: Floats) -> Statistic:
    return Statistic(float(values.mean())) if values.size else _nothing(_("nobody's answer was examined"))


def item_rest_correlation(shares: Floats, weights: Floats) -> list[Statistic]:
    """Corrected item-total correlation of each item: Pearson's r of its score with the score on all the other items.

    For an item that is right or wrong this is the point-biserial correlation. The item is left out of the total, with
    which it would otherwise correlate by construction. (Henrysson 1963, doi 10.1007/BF02289618.)

    Parameters
    ----------
    shares : array, shape (students, items)
        Shares of points; NaN where not examined.
    weights : array, shape (items,)
        The points of each item: what it weighs in the total.
    """
    return [_item_rest(shares, weights, item) for item in range(shares.shape[1])]


def _item_rest(shares: Floats, weights: Floats, item: int) -> Statistic:
    others = np.arange(shares.shape[1]) != item
    rest = total_shares(shares[:, others], weights[others])
    known = np.isfinite(shares[:, item]) & np.isfinite(rest)
    score, rest = shares[known, item], rest[known]
    reason = _reason_against(score, rest)
    return _nothing(reason) if reason else Statistic(float(np.corrcoef(score, rest)[0, 1]))


def _reason_against(score: Floats, total: Floats) -> str:
    if score.size < FEWEST_STUDENTS:
        return _("too few students: {count}, at least {least} are needed").format(
            count=score.size, least=FEWEST_STUDENTS
        )
    if score.var() < _VARIANCE_FLOOR:
        return _("everybody earned the same")
    return _("everybody is equal on the rest") if total.var() < _VARIANCE_FLOOR else ""


def total_shares(shares: Floats, weights: Floats) -> Floats:
    """Share of the points that each student earned over the items that were examined; NaN where none was."""
    known = np.isfinite(shares)
    reachable = known @ weights
    earned = np.where(known, shares, 0.0) @ weights
    return np.divide(earned, reachable, out=np.full(len(shares), np.nan), where=reachable > 0)


def discrimination_index(shares: Floats, weights: Floats) -> list[Statistic]:
    """Upper-lower index D of each item: its p among the best 27 % by total less its p among the worst 27 %.

    Where students tie at the edge of a group, each of them counts in part, so that the order of names decides nothing.
    (Kelley 1939, doi 10.1037/h0057123, for the 27 %; Ebel and Frisbie 1991, *Essentials of Educational Measurement*,
    chapter 13: from 0.4 very good, below 0.2 to be looked at.)

    Parameters
    ----------
    shares : array, shape (students, items)
        Shares of points; NaN where not examined.
    weights : array, shape (items,)
        The points of each item.
    """
    totals = total_shares(shares, weights)
    return [_upper_lower(column, totals) for column in shares.T]


def _upper_lower(score: Floats, totals: Floats) -> Statistic:
    known = np.isfinite(score) & np.isfinite(totals)
    score, total = score[known], totals[known]
    reason = _reason_against(score, total)
    if reason:
        return _nothing(reason)
    size = EXTREME_SHARE * len(score)
    return Statistic(float((_membership(total, size) - _membership(-total, size)) @ score / size))


def _membership(total: Floats, size: float) -> Floats:
    """How far each student belongs to the `size` best: 1, 0, or the same part for all who tie at the edge."""
    _values, places, counts = np.unique(-total, return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    return np.clip((size - before) / counts, 0.0, 1.0)[places]


def cronbach_alpha(shares: Floats, weights: Floats) -> Statistic:
    """Cronbach's α of the set: how far its items measure the same thing (1: all of them).

    α = m / (m − 1) · (1 − Σ var(points of item) / var(total)), over the students whose items were all examined.
    (Cronbach 1951, doi 10.1007/BF02310555.)

    Parameters
    ----------
    shares : array, shape (students, items)
        Shares of points; NaN where not examined.
    weights : array, shape (items,)
        The points of each item.
    """
    points = shares[np.isfinite(shares).all(axis=1)] * weights
    items = points.shape[1]
    if items < 2:
        return _nothing(_("it needs two exercises or more"))
    total = points.sum(axis=1)
    reason = _reason_against(total, total)
    if reason:
        return _nothing(reason)
    return Statistic(float(items / (items - 1) * (1 - points.var(axis=0, ddof=1).sum() / total.var(ddof=1))))
