"""Addition of numbers, digit by digit from the last: pairs of numbers, streams, and networks written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from vitrina.automata.dual import DualNetwork, ElmanTransducer
from vitrina.automata.languages import adder
from vitrina.automata.machines import MealyMachine, States, Symbol
from vitrina.automata.samples import RESET, check_stream

Architecture = Literal["dual", "plain"]
_GAIN = 20.0  # tanh is within 1e-4 of -1 or 1 at a quarter of it


@dataclass(frozen=True)
class AdditionStream:
    """
    Two texts of digits, the last digit of each number first, and the text of their sums.

    Attributes
    ----------
    first, second : str
        The numbers; both have `$` at the same places.
    total : str
        The digits of the sums; at a `$`, the carry that was left, which is the sum's first digit.
    """

    first: str
    second: str
    total: str


def addition_stream(base: int, symbols: int, *, reset: float = 0.1, seed: int) -> AdditionStream:
    """
    Draw a stream of additions as Oliva and Lago-Fernandez (2020, arXiv 2005.13971) train on.

    Parameters
    ----------
    base
        2 to 10, as a digit is one character.
    symbols
        How many, with the `$` that opens the first pair of numbers.
    reset
        Probability of a `$` at each place.
    seed
        The same stream again for the same seed.

    Returns
    -------
    AdditionStream

    Raises
    ------
    ValueError
        If there is no symbol, or reset or base are out of range.
    """
    if not 2 <= base <= 10:
        raise ValueError(f"a stream is written in a base from 2 to 10, got {base}")
    check_stream(symbols, reset)
    generator = np.random.default_rng(seed)
    pairs = generator.integers(base, size=(symbols, 2)).tolist()
    opens = generator.random(symbols) < reset
    opens[0] = True
    read: list[Symbol] = [RESET if opened else tuple(pair) for pair, opened in zip(pairs, opens, strict=True)]
    said = adder_with_reset(base).transduce(read).tolist()
    first, second = ("".join(RESET if s == RESET else str(s[place]) for s in read) for place in (0, 1))  # pyright: ignore
    return AdditionStream(first, second, "".join(map(str, said)))


def adder_with_reset(base: int) -> MealyMachine:
    """
    Return `adder(base)` with one more symbol, `$`: it says the carry, the sum's first digit, and clears it.

    Parameters
    ----------
    base
        2 or more.

    Returns
    -------
    MealyMachine

    Raises
    ------
    ValueError
        If the base is below 2.
    """
    plain = adder(base)
    table = np.column_stack([plain.transitions, [0, 0]])
    return MealyMachine((*plain.alphabet, RESET), table, np.column_stack([plain.outputs, [0, 1]]))


def number_pairs(base: int, count: int, length: int, *, seed: int) -> States:
    """
    Draw pairs of numbers as words that `adder(base)` reads.

    Uniform digits seldom carry far: in half of the words, most pairs of digits add up to base - 1 and pass on a carry.
    The words' first pairs are all pairs in turn, shuffled, so that the start meets each of them.

    Parameters
    ----------
    base
        2 or more.
    count, length
        How many pairs, and of how many digits.
    seed
        The same pairs again for the same seed.

    Returns
    -------
    array of ints, shape (count, length)
        Numbers of symbols: first digit times base, plus second digit.

    Raises
    ------
    ValueError
        If the base is below 2.
    """
    if base < 2:
        raise ValueError(f"a base must be 2 or more, got {base}")
    generator = np.random.default_rng(seed)
    first, second = generator.integers(base, size=(2, count, length))
    passes = generator.random((count, length)) < 0.75 * (np.arange(count) % 2)[:, np.newaxis]
    words = first * base + np.where(passes, base - 1 - first, second)
    words[:, :1] = generator.permutation(np.arange(count) % base**2)[:, np.newaxis]
    return words


def pairs_of(base: int) -> Callable[[int, int, int], States]:
    """Return `number_pairs` of a base as training asks for words: `draw(count, length, seed)`."""
    return lambda count, length, seed: number_pairs(base, count, length, seed=seed)


class Adder(Protocol):
    """A machine or network that reads pairs of digits and says digits."""

    @property
    def alphabet(self) -> tuple[Symbol, ...]:
        """Pairs of digits."""
        ...

    def transduce(self, word: Sequence[Symbol]) -> npt.NDArray[Any]:
        """Return the digit for each pair."""
        ...


def add(machine: Adder, first: int, second: int) -> int:
    """
    Let a machine or network add two numbers.

    Parameters
    ----------
    machine
        It reads pairs of digits, the last ones first: `adder(base)` or a network that learnt to be it.
    first, second
        0 or more, of any length.

    Returns
    -------
    int
        The sum, if the machine is right.

    Raises
    ------
    ValueError
        If a number is negative, or the machine does not read pairs of digits.

    Examples
    --------
    >>> add(adder(10), 275, 48)
    323
    """
    if first < 0 or second < 0:
        raise ValueError(f"numbers to add must be 0 or more, got {first} and {second}")
    pairs = [symbol for symbol in machine.alphabet if isinstance(symbol, tuple)]
    base = round(len(pairs) ** 0.5)
    if base < 2 or base**2 != len(pairs):
        raise ValueError("the machine must read pairs of digits, all base * base of them")
    digits = _digits(first, base), _digits(second, base)
    length = max(map(len, digits)) + 1  # one more for the last carry
    word = list(zip(*(number + [0] * (length - len(number)) for number in digits), strict=True))
    total = 0
    for digit in reversed(machine.transduce(word).tolist()):
        total = total * base + digit
    return total


def _digits(number: int, base: int) -> list[int]:
    """Return a number's digits, the last one first; none for 0."""
    digits: list[int] = []
    while number:
        number, digit = divmod(number, base)
        digits.append(digit)
    return digits


def written_adder(base: int, architecture: Architecture = "dual") -> DualNetwork | ElmanTransducer:
    """
    Return a network that adds, its weights written by hand: what a trained one might look like inside.

    Unit k of a row of 2 base - 1 is positive from a sum (two digits and the carry) of k on, so unit `base` is the new
    carry, and two neighbours that differ mark the digit. The dual network remembers the carry alone, in one unit, and
    has the row in its processing. The plain one has to have the row in its memory.

    Parameters
    ----------
    base
        2 or more.
    architecture : {"dual", "plain"}
        Which network; the dual one's processing sees the memory before the symbol.

    Returns
    -------
    DualNetwork or ElmanTransducer

    Raises
    ------
    ValueError
        If the base is below 2 or there is no such architecture.
    """
    if architecture not in ("dual", "plain"):
        raise ValueError(f"the architecture is 'dual' or 'plain', got {architecture!r}")
    alphabet, digits, row = adder(base).alphabet, np.arange(base), np.arange(1, 2 * base)
    sums = np.add.outer(digits, digits).reshape(-1, 1)
    # The carry is worth +-1/2 and the start, 0, counts as no carry: thresholds are 1/4 below the middle.
    drive, threshold = _GAIN * np.repeat(sums, len(row), axis=1), _GAIN * np.subtract(0.75, row, dtype=np.float64)
    # Where unit k turns positive, the digit of k begins and that of k - 1 ends.
    readout = np.subtract(row[:, np.newaxis] % base == digits, (row[:, np.newaxis] - 1) % base == digits, dtype=float)
    offset = np.add(digits == 0, digits == base - 1, dtype=float)  # 0 always begins, and 2 base - 1 never ends
    carry, outputs = row == base, tuple(range(base))
    if architecture == "plain":
        recurrent = _GAIN / 2 * np.repeat(carry[:, np.newaxis], len(row), axis=1)
        return ElmanTransducer(alphabet, drive, recurrent, threshold, outputs, readout, offset)
    memory = drive[:, carry], np.array([[_GAIN / 2]]), threshold[carry]
    recall = np.full((1, len(row)), _GAIN / 2)
    return DualNetwork(alphabet, *memory, outputs, "before", drive, recall, threshold, readout, offset)
