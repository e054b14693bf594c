"""Owen values: a game whose players form groups within groups, and move group by group.

Shapley's value asks every coalition. If the players belong to a hierarchy, many coalitions can be left out: while one
group is taken apart, every other group is either all there or all missing. With two subgroups each and n players that
are about (2/3) n² coalitions instead of 2ⁿ, and fewer if small groups are not taken apart.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from vitrina.explain.request import positive_int
from vitrina.explain.shapley.coalitions import Game, Members, Values, players_of, shapley_weights, worth
from vitrina.explain.shapley.hierarchies import Group, Hierarchy, as_group

_ROUND = 64  # coalitions asked for together: enough to keep a network busy, few enough to follow what they say
_NEAR = 0.5  # of the largest amount: what is below can wait for the halves that the largest leaves
_MOST = 1 << 20  # coalitions of an exact answer that nobody has set a limit to
MANY = 1 << 62
"""Coalitions that nobody counts any further."""
_WIDEST = 16  # subgroups of one group, of which every subset is asked for


@dataclass(frozen=True)
class OwenValues:
    """
    What each player of a hierarchy contributes.

    Attributes
    ----------
    attributions : array, shape (..., players)
    base : array, shape (...)
        The worth of nobody.
    residual : array, shape (...)
        The worth of all players together, less `base` and the sum of the attributions: nothing but rounding, whatever
        the budget.
    undivided : array, shape (...)
        How much was handed out in equal shares to the members of groups that the budget did not take apart (a sum of
        absolute values): 0 where the attributions are exact.
    evaluated : int
        How many coalitions were asked for, that of nobody and that of all players among them.
    needed : int
        How many coalitions exact attributions take; 2^62 stands for more.
    """

    attributions: Values
    base: Values
    residual: Values
    undivided: Values
    evaluated: int
    needed: int


def owen_values(game: Game, hierarchy: Hierarchy, *, coalitions: int | None = None) -> OwenValues:
    """
    Owen values of a game over a hierarchy of its players.

    Owen 1977, "Values of games with a priori unions", for one level of groups; Winter 1989, doi 10.1007/BF01268863, for
    any number. At every group the subgroups play for what the group adds: Shapley's value of their game, in which each
    context of the group counts with its weight. With one level, every player for itself, it is Shapley's value. The
    budget goes first to the groups that have most to hand out, as in shap's PartitionExplainer.

    Parameters
    ----------
    game : callable, or array, shape (2^players, ...)
        As for `shapley_values`, with any number of players.
    hierarchy
        Nested sequences of the players' numbers, each number once, or a linkage matrix (players - 1, 2 or more).
    coalitions
        How many to ask for at most, at least 2 (nobody, everybody). By default as many as exact values take.

    Returns
    -------
    OwenValues

    Raises
    ------
    ValueError
        If the hierarchy is none, has a group of more than 16 subgroups, or exact values take more than a million
        coalitions and no budget is given; if the game returns something else than finite numbers.
    """
    root = as_group(hierarchy)
    players = len(root.members)
    players_of(game, players)
    _check_width(root)
    needed = _cost(root)
    budget = needed if coalitions is None else positive_int("coalitions", coalitions)
    if budget < 2:
        raise ValueError("coalitions must be at least 2: what nobody and what everybody is worth")
    if coalitions is None and needed > _MOST:
        raise ValueError(
            f"exact Owen values of this hierarchy take {needed:.0e} coalitions or more: give a budget, such as "
            "coalitions=1000"
        )
    base, whole = worth(game, np.repeat([[False], [True]], players, axis=1))
    shares = _Shares(np.zeros((players, *base.shape)), np.zeros(base.shape))
    shares.hand_out(_Part(root, np.zeros(players, bool), 1.0, base, whole))
    used = 2
    nearness = _NEAR if budget < needed else 0.0
    while chosen := shares.largest(budget - used, nearness):
        asked = [part.coalitions() for part in chosen]
        ends = np.cumsum([len(coalitions) for coalitions in asked])
        for part, said in zip(chosen, np.split(worth(game, np.concatenate(asked)), ends[:-1]), strict=True):
            shares.take_apart(part, said)
        used += int(ends[-1])
    residual = whole - base - shares.values.sum(axis=0)
    return OwenValues(np.moveaxis(shares.values, 0, -1), base, residual, shares.undivided, used, needed)


@dataclass(frozen=True, eq=False)
class _Part:
    """A group beside a context of others; `weight` times what it adds there is to be handed out to its members."""

    group: Group
    context: Members
    weight: float
    without: Values
    together: Values

    @property
    def amount(self) -> Values:
        return self.weight * (self.together - self.without)

    def coalitions(self) -> Members:
        """Return the context with every set of subgroups but none and all."""
        return self.contexts()[1:-1]

    def contexts(self) -> Members:
        """Return the context with every set of subgroups, shape (2 ** subgroups, players): bit i is subgroup i."""
        rows = np.zeros((len(self.group.subgroups), len(self.context)), bool)
        for row, subgroup in zip(rows, self.group.subgroups, strict=True):
            row[subgroup.members] = True
        sets = np.arange(2 ** len(rows))[:, np.newaxis] >> np.arange(len(rows)) & 1
        return self.context | (sets.astype(np.uint8) @ rows.astype(np.uint8)).astype(bool)


@dataclass
class _Shares:
    """What was handed out to players, and the groups that wait, those with most to hand out first."""

    values: Values
    undivided: Values
    _waiting: list[tuple[float, int, _Part]] = field(default_factory=list[tuple[float, int, _Part]])
    _arrivals: int = 0

    def hand_out(self, part: _Part) -> None:
        """Give a player its own, and let a group wait: groups of one size wait in the order of their arrival."""
        if not part.group.subgroups:
            self.values[part.group.members] += part.amount
            return
        self._arrivals += 1
        heapq.heappush(self._waiting, (-float(np.abs(part.amount).max()), self._arrivals, part))

    def largest(self, budget: int, nearness: float) -> list[_Part]:
        """
        Return the next groups to take apart: the largest, and others if they come near it.

        The members of a group that is next but beyond the budget get equal shares.
        """
        chosen: list[_Part] = []
        asked = 0
        while self._waiting and asked < _ROUND:
            if chosen and -self._waiting[0][0] < nearness * np.abs(chosen[0].amount).max():
                break
            _size, _arrival, part = heapq.heappop(self._waiting)
            if asked + _sets(part.group) > budget:
                self.values[part.group.members] += part.amount / len(part.group.members)
                self.undivided += np.abs(part.amount)
            else:
                chosen.append(part)
                asked += _sets(part.group)
        return chosen

    def take_apart(self, part: _Part, said: Values) -> None:
        """Hand out what a group adds to its subgroups: each beside every set of its siblings, weighted as Shapley."""
        said = np.concatenate([part.without[np.newaxis], said, part.together[np.newaxis]])
        contexts = part.contexts()
        for number, subgroup in enumerate(part.group.subgroups):
            before, weights = _contexts(len(part.group.subgroups), number)
            after = before | 1 << number
            if not subgroup.subgroups:
                gained = said[after] - said[before]
                self.values[subgroup.members] += part.weight * np.tensordot(weights, gained, 1)
                continue
            for one, other, weight in zip(before, after, weights, strict=True):
                self.hand_out(_Part(subgroup, contexts[one], part.weight * weight, said[one], said[other]))


@cache
def _contexts(count: int, number: int) -> tuple[npt.NDArray[np.int_], Values]:
    """Return the sets of `count` without a number, as bits, and Shapley's weight |S|! (n - |S| - 1)! / n! of each."""
    sets = np.arange(2**count)
    sets = sets[sets >> number & 1 == 0]
    return sets, shapley_weights(count)[np.bitwise_count(sets)]


def _sets(group: Group) -> int:
    """How many coalitions it takes to take a group apart in one context."""
    return 2 ** len(group.subgroups) - 2


def _cost(root: Group) -> int:
    """How many coalitions it takes to take all groups apart in all their contexts, `MANY` if more."""
    total, waiting = 2, [(root, 1)]
    while waiting:
        group, contexts = waiting.pop()
        if group.subgroups:
            total += contexts * _sets(group)
            inner = min(MANY, contexts * 2 ** (len(group.subgroups) - 1))
            waiting += [(subgroup, inner) for subgroup in group.subgroups]
    return min(MANY, total)


def _check_width(root: Group) -> None:
    waiting = [root]
    while waiting:
        group = waiting.pop()
        waiting += group.subgroups
        if len(group.subgroups) > _WIDEST:
            raise ValueError(
                f"a group of {len(group.subgroups)} subgroups would take 2^{len(group.subgroups)} coalitions: nest "
                f"them, at most {_WIDEST} in a group"
            )
