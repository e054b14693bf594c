"""The compiled part of `tree_shap`: one leaf after another, each with all inputs and all references at once.

A leaf is a box: an interval for each feature on its way. Mix an input x and a reference z, with the features S from x
and the others from z: the mixture reaches the leaf if each feature lies in its interval. So, for this leaf, all that
counts of x is which features of it lie inside, a few bits, and the same of z. Many inputs share their bits, and so do
many references; each pair of bits is looked at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

_BITS = 63  # features on the way to a leaf that fit into one number; longer ways are taken pair by pair


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile, and keep the result on the disk if there is a folder for it."""
    try:
        return njit(cache=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(error_model="numpy")(function)


def weights() -> npt.NDArray[np.float64]:
    """Tabulate w[p, q] = (p-1)! q! / (p+q)! = 1 / (p C(p+q, p)); w[0, q] is not used."""
    sizes = range(_BITS + 1)
    return np.array([[1 / (p * math.comb(p + q, p)) if p else 0.0 for q in sizes] for p in sizes])


@_compiled
def add_trees(trees: Any, inputs: Any, background: Any, table: Any, sums: Any) -> None:
    """
    Add the Shapley values of all trees, summed over the background.

    Parameters
    ----------
    trees : Trees
        With the outputs that are asked for.
    inputs, background : array of float64, shape (features, samples)
        Every feature is one block of memory.
    table : array, shape (64, 64)
        From `weights`.
    sums : array, shape (samples, outputs, features)
        What is added to.
    """
    samples, references = inputs.shape[1], background.shape[1]
    size = len(inputs)
    box = np.empty(size, np.int64), np.empty(size), np.empty(size), np.empty(size, np.bool_)
    slots = np.full(_power_of_two(2 * max(samples, references)), -1, np.int64)
    mine, theirs = _groups(samples), _groups(references)
    shares, active = np.empty((samples, _BITS)), np.empty(samples, np.bool_)
    for leaf in np.flatnonzero(trees.is_leaf):
        count = _find_box(trees, leaf, box)
        if count > _BITS:
            _add_pair_by_pair(box, count, inputs, background, trees.values[leaf], sums)
            continue
        groups, others = _group(background, box, count, slots, theirs), theirs[1]
        for number in range(_group(inputs, box, count, slots, mine)):
            mask = mine[1][number]
            active[number] = _share(mask, others[:groups], theirs[2], count, table, shares[number])
        _spread(mine[0], active, shares, box[0][:count], trees.values[leaf], sums)


@_compiled
def _power_of_two(size: Any) -> Any:
    power = 1
    while power < size:
        power *= 2
    return power


@_compiled
def _groups(samples: Any) -> Any:
    """Make room for: the group of each sample; and of each group its mask, its size and its slot."""
    numbers = np.empty((4, samples), np.int64)
    return numbers[0], numbers[1], numbers[2], numbers[3]


@_compiled
def _find_box(trees: Any, leaf: Any, box: Any) -> Any:
    """Collect the intervals (low, high] on the way from a leaf up to its root; return how many features there are."""
    kept, lows, highs, missing = box
    count, node = 0, leaf
    while trees.parents[node] >= 0:
        parent, left = trees.parents[node], trees.is_left[node]
        feature, threshold = trees.features[parent], trees.thresholds[parent]
        place = 0
        while place < count and kept[place] != feature:
            place += 1
        if place == count:  # NaN as the lower end: even minus infinity is above
            kept[place], lows[place], highs[place], missing[place] = feature, np.nan, np.inf, True
            count += 1
        if left:
            highs[place] = min(highs[place], threshold)
        elif not lows[place] >= threshold:
            lows[place] = threshold
        missing[place] &= trees.missing_left[parent] == left
        node = parent
    return count


@_compiled
def _is_inside(value: Any, low: Any, high: Any, missing: Any) -> Any:
    return ((not value <= low) & (value <= high)) | (missing & (value != value))


@_compiled
def _group(columns: Any, box: Any, count: Any, slots: Any, groups: Any) -> Any:
    """Put samples that are inside in the same features into one group; return how many groups there are."""
    kept, lows, highs, missing = box
    masks = groups[0]
    masks[:] = 0
    for place in range(count):
        column, low, high, known = columns[kept[place]], lows[place], highs[place], missing[place]
        for sample in range(len(masks)):
            masks[sample] |= np.int64(_is_inside(column[sample], low, high, known)) << place
    return _number(groups, slots)


@_compiled
def _number(groups: Any, slots: Any) -> Any:
    """Replace each mask by the number of its group: a hash table with open addressing, left empty again."""
    numbers, masks, sizes, places = groups
    last, different = len(slots) - 1, 0
    for sample in range(len(numbers)):
        mask = numbers[sample]
        slot = ((mask * 0x9E3779B1) >> 7) & last
        while slots[slot] >= 0 and masks[slots[slot]] != mask:
            slot = (slot + 1) & last
        if slots[slot] < 0:
            slots[slot], masks[different], sizes[different], places[different] = different, mask, 0, slot
            different += 1
        numbers[sample] = slots[slot]
        sizes[slots[slot]] += 1
    for number in range(different):
        slots[places[number]] = -1
    return different


@_compiled
def _share(mine: Any, others: Any, sizes: Any, count: Any, table: Any, shares: Any) -> Any:
    """
    Add up the Shapley values of the leaf over all references, for one mask; return whether there is anything.

    A mixture reaches the leaf if the p features that only x has inside are x's and the q that only z has inside are
    z's. The Shapley value in this game is (p-1)! q! / (p+q)! of each of the former, -p! (q-1)! / (p+q)! of each of the
    latter, and 0 of the rest. It is no game if a feature is inside for neither.
    """
    shares[:count] = 0.0
    everything = (np.int64(1) << count) - 1
    against = everything & ~mine
    q = _bits(against)
    sum_against = 0.0
    anything = False
    for number in range(len(others)):
        alone = mine & ~others[number]
        p = _bits(alone)
        if (mine | others[number]) != everything or p + q == 0:
            continue
        anything = True
        if q > 0:
            sum_against += sizes[number] * table[q, p]
        if p > 0:
            _add_to_bits(shares, alone, sizes[number] * table[p, q])
    _add_to_bits(shares, against, -sum_against)
    return anything


@_compiled
def _bits(mask: Any) -> Any:
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@_compiled
def _add_to_bits(values: Any, mask: Any, amount: Any) -> None:
    place = 0
    while mask:
        if mask & 1:
            values[place] += amount
        mask >>= 1
        place += 1


@_compiled
def _spread(groups: Any, active: Any, shares: Any, features: Any, values: Any, sums: Any) -> None:
    """Give each sample what its group has, times the value of the leaf."""
    for sample in range(len(groups)):
        if active[groups[sample]]:
            for output in range(len(values)):
                for place in range(len(features)):
                    sums[sample, output, features[place]] += shares[groups[sample], place] * values[output]


@_compiled
def _add_pair_by_pair(box: Any, count: Any, inputs: Any, background: Any, values: Any, sums: Any) -> None:
    """Do the same for a way of any length, by its definition."""
    for sample in range(inputs.shape[1]):
        for reference in range(background.shape[1]):
            p = q = place = 0
            while place < count:
                x, z = _both_inside(box, place, inputs[:, sample], background[:, reference])
                if not (x or z):
                    break
                p, q, place = p + (x and not z), q + (z and not x), place + 1
            if place < count or p + q == 0:
                continue
            both = math.lgamma(p + q + 1)
            positive = math.exp(math.lgamma(p) + math.lgamma(q + 1) - both) if p else 0.0
            negative = math.exp(math.lgamma(p + 1) + math.lgamma(q) - both) if q else 0.0
            for place in range(count):
                x, z = _both_inside(box, place, inputs[:, sample], background[:, reference])
                if x != z:
                    sums[sample, :, box[0][place]] += values * (positive if x else -negative)


@_compiled
def _both_inside(box: Any, place: Any, x: Any, z: Any) -> Any:
    kept, lows, highs, missing = box
    low, high, known, feature = lows[place], highs[place], missing[place], kept[place]
    return _is_inside(x[feature], low, high, known), _is_inside(z[feature], low, high, known)
