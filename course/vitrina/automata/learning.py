"""Angluin's L*: learn an automaton by asking, with a network (or anything else) as the teacher.

Angluin (1987), "Learning regular sets from queries and counterexamples", doi 10.1016/0890-5401(87)90052-6.
Counterexamples are taken apart by binary search: Rivest and Schapire (1993), doi 10.1006/inco.1993.1021.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vitrina.automata.machines import DFA, Symbol

Path = tuple[Symbol, ...]
#: Whether each of some words belongs.
Membership = Callable[[Sequence[Path]], Sequence[bool]]
#: A word on which an automaton is wrong, or None.
Counterexample = Callable[[DFA], Sequence[Symbol] | None]


@dataclass(frozen=True)
class Learnt:
    """
    What was learnt.

    Attributes
    ----------
    automaton : DFA
        The last guess, minimal for what was asked.
    finished : bool
        Whether the teacher had no counterexample left; else `states` was reached.
    questions : int
        Different words that were asked.
    guesses : int
        Automata that were shown to the teacher.
    """

    automaton: DFA
    finished: bool
    questions: int
    guesses: int


def learn(
    membership: Membership, counterexample: Counterexample, alphabet: Sequence[Symbol], *, states: int = 100
) -> Learnt:
    """
    Learn a language from a teacher who answers two questions.

    Parameters
    ----------
    membership : callable
        Whether words belong, many at once; each word is asked only once.
    counterexample : callable
        A word that an automaton judges wrongly, or None. A teacher who tries random words may miss one; the learner
        then stops too early, never wrongly.
    alphabet
        The symbols.
    states
        Where to stop: a network that has learnt nothing may have no finite machine.

    Returns
    -------
    Learnt

    Raises
    ------
    ValueError
        If the alphabet is empty, or the teacher contradicts itself: a counterexample on which automaton and
        membership agree.
    """
    if not alphabet:
        raise ValueError("the alphabet is empty: a machine reads at least one symbol")
    table = _Table(membership, tuple(alphabet))
    guesses = 0
    while True:
        guess = table.automaton()
        guesses += 1
        missed = counterexample(guess)
        finished = missed is None
        if finished or len(guess) >= states:
            return Learnt(guess, finished, len(table.known), guesses)
        table.learn_from(guess, tuple(missed))


class _Table:
    """Prefixes that reach different states, and endings that tell these apart."""

    def __init__(self, membership: Membership, alphabet: tuple[Symbol, ...]) -> None:
        self.membership, self.alphabet = membership, alphabet
        self.known: dict[Path, bool] = {}
        self.prefixes: list[Path] = [()]
        self.endings: list[Path] = [()]

    def ask(self, words: Sequence[Path]) -> None:
        """Ask for the words that are not known yet, all at once."""
        fresh = [word for word in dict.fromkeys(words) if word not in self.known]
        if fresh:
            self.known.update(zip(fresh, (bool(answer) for answer in self.membership(fresh)), strict=True))

    def rows(self, prefixes: Sequence[Path]) -> list[tuple[bool, ...]]:
        """How each prefix goes on: accepted or not with each ending."""
        self.ask([prefix + ending for prefix in prefixes for ending in self.endings])
        return [tuple(self.known[prefix + ending] for ending in self.endings) for prefix in prefixes]

    def automaton(self) -> DFA:
        """Close the table, and read the automaton from it."""
        while True:
            names = {row: number for number, row in enumerate(self.rows(self.prefixes))}
            longer = [(*prefix, symbol) for prefix in self.prefixes for symbol in self.alphabet]
            following = self.rows(longer)
            new = next((word for word, row in zip(longer, following, strict=True) if row not in names), None)
            if new is None:
                table = np.array([names[row] for row in following]).reshape(len(self.prefixes), -1)
                return DFA(self.alphabet, table, np.array([self.known[prefix] for prefix in self.prefixes]))
            self.prefixes.append(new)

    def learn_from(self, guess: DFA, word: Path) -> None:
        """Find the ending of a counterexample that tells two prefixes apart which the guess thinks are one."""
        states = guess.run(guess.encode(word)).tolist()

        def judged(cut: int) -> bool:
            """What the teacher says if the guess has read the first `cut` symbols."""
            asked = self.prefixes[states[cut]] + word[cut:]
            self.ask([asked])
            return self.known[asked]

        right, wrong = judged(0), judged(len(word))
        if right == wrong:
            raise ValueError(
                f"the teacher gives {''.join(map(str, word))!r} as a counterexample, but agrees with the guess"
            )
        low, high = 0, len(word)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if judged(middle) == right else (low, middle)
        self.endings.append(word[high:])
