"""The smallest machine that does the same, and whether two machines do the same."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import Machine, MealyMachine, MooreMachine, States, Symbol

_Kind = TypeVar("_Kind", bound=Machine)


def minimise(machine: _Kind) -> _Kind:
    """
    Return the smallest machine with the same outputs for all words (Moore 1956, Gedanken-experiments).

    States that say the same belong together at first. Then groups are split as long as some symbol leads from one group
    into two (see `equivalent_states`). What is never split cannot be told apart by any word.

    Parameters
    ----------
    machine
        A Moore machine, DFA or Mealy machine; unreachable states are dropped.

    Returns
    -------
    machine of the same kind
        Numbered in the order of the states' shortest words, so that equivalent machines have equal tables.
    """
    reached = machine.canonical()
    groups = equivalent_states(reached)
    first = np.unique(groups, return_index=True)[1]
    merged = type(machine)(
        reached.alphabet, groups[reached.transitions[first]], reached.outputs[first], int(groups[reached.start])
    )
    return merged.canonical()


def equivalent_states(machine: Machine) -> States:
    """
    Return a number for each state, the same for states that no word tells apart: (states,).

    Groups part one another until none can (Hopcroft 1971, An n log n algorithm for minimizing states). Of a group that
    was parted only the smaller half tries again: what leads to the larger one is then known, too.

    Parameters
    ----------
    machine
        A Moore machine, DFA or Mealy machine; states that cannot be reached are grouped like all others.

    Returns
    -------
    array of ints, shape (states,)
        Numbers from 0, in the order in which their groups appear.
    """
    _, said = np.unique(machine.outputs, return_inverse=True)
    groups = _numbered(said.reshape(len(machine), -1))
    members = [set(states.tolist()) for states in _holders(groups, groups.max() + 1)]
    sources = [_holders(following, len(machine)) for following in machine.transitions.T]
    waiting = list(range(len(members)))
    while waiting:
        splitter = list(members[waiting.pop()])
        for source in sources:
            arriving = np.concatenate([source[state] for state in splitter])
            waiting += _part(arriving.tolist(), groups, members)
    return _numbered(groups[:, np.newaxis])


def _holders(numbers: States, count: int) -> list[States]:
    """Return for each number below a count where it stands."""
    return np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers, minlength=count))[:-1])


def _part(arriving: list[int], groups: States, members: list[set[int]]) -> range:
    """Part the states that arrive from the rest of their groups; return the new groups, which are the smaller parts."""
    touched: dict[int, set[int]] = {}
    for state, group in zip(arriving, groups[arriving].tolist(), strict=True):
        touched.setdefault(group, set()).add(state)
    first = len(members)
    for group, part in touched.items():
        rest = members[group]
        rest -= part
        if not rest:
            members[group] = part
            continue
        smaller, members[group] = sorted((part, rest), key=len)
        groups[list(smaller)] = len(members)
        members.append(smaller)
    return range(first, len(members))


def _numbered(rows: npt.NDArray[np.int64]) -> States:
    """Give equal rows equal numbers, in the order in which they appear."""
    _, first, numbers = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers.reshape(-1)]


@dataclass(frozen=True)
class Equivalence:
    """
    Whether two machines are equivalent; it is true or false like the answer.

    Attributes
    ----------
    counterexample : tuple or None
        A shortest word on which their last outputs differ; None where there is none.
    """

    counterexample: tuple[Symbol, ...] | None

    def __bool__(self) -> bool:
        """Whether no word tells the machines apart."""
        return self.counterexample is None


def equivalent(machine: Machine, other: Machine) -> Equivalence:
    """
    Decide whether two machines say the same on every word, by walking through their product (Hopcroft and Karp 1971).

    Parameters
    ----------
    machine, other
        Two Moore machines (DFAs) or two Mealy machines over the same alphabet, in whatever order.

    Returns
    -------
    Equivalence
        With a shortest word that tells them apart, the first one in the order of the first machine's alphabet. For DFAs
        and Moore machines it may be the empty word.

    Raises
    ------
    ValueError
        If one is a Moore and the other a Mealy machine, or their alphabets differ.
    """
    other = _aligned(machine, other)
    begin = machine.start, other.start
    came: dict[tuple[int, int], tuple[tuple[int, int], int] | None] = {begin: None}
    if isinstance(machine, MooreMachine) and machine.outputs[begin[0]] != other.outputs[begin[1]]:
        return Equivalence(())
    queue = deque([begin])
    while queue:
        pair = queue.popleft()
        for symbol in range(len(machine.alphabet)):
            following = int(machine.transitions[pair[0], symbol]), int(other.transitions[pair[1], symbol])
            if _differ(machine, other, pair, following, symbol):
                return Equivalence(tuple(machine.alphabet[number] for number in [*_path(came, pair), symbol]))
            if following not in came:
                came[following] = pair, symbol
                queue.append(following)
    return Equivalence(None)


def agreement(machine: MooreMachine, other: MooreMachine, length: int) -> npt.NDArray[np.float64]:
    """
    Return the exact share of words on which two machines agree, by length.

    Words are not drawn but counted: how many of the |alphabet|^n words of length n lead to each pair of states.

    Parameters
    ----------
    machine, other
        Moore machines (DFAs) over the same alphabet.
    length
        Of the longest words, 0 or more.

    Returns
    -------
    array, shape (length + 1,)
        For words of length 0, 1, ...: the share whose last outputs are equal.

    Raises
    ------
    ValueError
        If the alphabets differ or the length is below 0.
    """
    if length < 0:
        raise ValueError(f"a length must be 0 or more, got {length}")
    other = _aligned(machine, other)
    same = machine.outputs[:, np.newaxis] == other.outputs
    shares = np.zeros((len(machine), len(other)))
    shares[machine.start, other.start] = 1
    agreed = [float(shares[same].sum())]
    for _ in range(length):
        shares = _moved(shares, machine, other)
        agreed.append(float(shares[same].sum()))
    return np.array(agreed)


def _moved(shares: npt.NDArray[np.float64], machine: Machine, other: Machine) -> npt.NDArray[np.float64]:
    """Where words are one symbol later, each symbol being as likely."""
    moved = np.zeros_like(shares)
    for symbol in range(len(machine.alphabet)):
        rows, columns = machine.transitions[:, symbol], other.transitions[:, symbol]
        np.add.at(moved, (rows[:, np.newaxis], columns[np.newaxis]), shares / len(machine.alphabet))
    return moved


def _aligned(machine: Machine, other: _Kind) -> _Kind:
    """Bring the other machine's symbols into the first one's order."""
    if isinstance(machine, MealyMachine) != isinstance(other, MealyMachine):
        raise ValueError("a Moore and a Mealy machine speak at different times: convert one with .mealy() or .moore()")
    if set(machine.alphabet) != set(other.alphabet):
        raise ValueError(f"the alphabets differ: {machine.alphabet} and {other.alphabet}")
    order = [other.alphabet.index(symbol) for symbol in machine.alphabet]
    outputs = other.outputs[:, order] if isinstance(other, MealyMachine) else other.outputs
    return type(other)(machine.alphabet, other.transitions[:, order], outputs, other.start)


def _differ(machine: Machine, other: Machine, pair: tuple[int, int], following: tuple[int, int], symbol: int) -> bool:
    """Whether two machines say different things after a pair of states has read a symbol."""
    if isinstance(machine, MealyMachine):
        return bool(machine.outputs[pair[0], symbol] != other.outputs[pair[1], symbol])
    return bool(machine.outputs[following[0]] != other.outputs[following[1]])


def _path(came: dict[tuple[int, int], tuple[tuple[int, int], int] | None], pair: tuple[int, int]) -> list[int]:
    """Return the symbols that led to a pair."""
    symbols: list[int] = []
    while (step := came[pair]) is not None:
        pair, symbol = step
        symbols.append(symbol)
    return symbols[::-1]
