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
        Whether the teacher had no counterexample left; else there were more than `states`.
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
        Where to stop: a network that has learnt nothing may have no finite machine. The last guess has at most as many.

    Returns
    -------
    Learnt

    Raises
    ------
    ValueError
        If the alphabet is empty, membership does not answer for each word, or the teacher contradicts itself: a
        counterexample on which automaton and membership agree.
    RuntimeError
        If a counterexample leads to no new state, which cannot be; asking on would never end.
    """
    if not alphabet:
        raise ValueError("the alphabet is empty: a machine reads at least one symbol")
    if states < 2:
        raise ValueError(f"allow at least 2 states, got {states}")
    table = _Table(membership, tuple(alphabet))
    guess, guesses = table.automaton(states), 1
    assert guess is not None  # two rows at most, as there is one ending
    while (missed := counterexample(guess)) is not None:
        table.learn_from(guess, tuple(missed))
        better = table.automaton(states)
        if better is None:
            return Learnt(guess, False, len(table.known), guesses)
        if len(better) <= len(guess):
            raise RuntimeError(f"the ending {table.endings[-1]!r} tells no two states apart: the search would not end")
        guess, guesses = better, guesses + 1
    return Learnt(guess, True, len(table.known), guesses)


class _Table:
    """Prefixes that reach different states, and endings that tell these apart."""

    def __init__(self, membership: Membership, alphabet: tuple[Symbol, ...]) -> None:
        self.membership, self.alphabet = membership, alphabet
        self.known: dict[Path, bool] = {}
        self.prefixes: list[Path] = [()]
        self.endings: list[Path] = [()]
        self.rows: dict[Path, str] = {}

    def ask(self, words: Sequence[Path]) -> None:
        """Ask for the words that are not known yet, all at once."""
        fresh = [word for word in dict.fromkeys(words) if word not in self.known]
        if fresh:
            answers = self.membership(fresh)
            if np.shape(answers) != (len(fresh),):
                raise ValueError(
                    f"membership is asked for many words at once: it must say of each of {len(fresh)} whether it "
                    f"belongs, got the shape {np.shape(answers)}"
                )
            self.known.update(zip(fresh, map(bool, answers), strict=True))

    def fill(self, prefixes: Sequence[Path]) -> list[str]:
        """Return how each prefix goes on, 1 or 0 for each ending; only what its row lacks is looked up."""
        gaps = [
            (prefix, prefix + ending)
            for prefix in prefixes
            for ending in self.endings[len(self.rows.setdefault(prefix, "")) :]
        ]
        self.ask([word for _, word in gaps])
        for prefix, word in gaps:
            self.rows[prefix] += "01"[self.known[word]]
        return [self.rows[prefix] for prefix in prefixes]

    def automaton(self, states: int) -> DFA | None:
        """Close the table, and read the automaton from it; None if it has more states than that."""
        names = {row: number for number, row in enumerate(self.fill(self.prefixes))}
        table = list[int]()
        while len(table) < len(self.prefixes) * len(self.alphabet):
            fresh = self.prefixes[len(table) // len(self.alphabet) :]
            longer = [(*prefix, symbol) for prefix in fresh for symbol in self.alphabet]
            for word, row in zip(longer, self.fill(longer), strict=True):
                if row not in names:
                    names[row] = len(self.prefixes)
                    self.prefixes.append(word)
                table.append(names[row])
            if len(self.prefixes) > states:
                return None
        transitions = np.reshape(table, (len(self.prefixes), len(self.alphabet)))
        return DFA(self.alphabet, transitions, np.array([self.known[prefix] for prefix in self.prefixes]))

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
