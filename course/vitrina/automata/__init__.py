"""Finite state machines, and how to read one from a recurrent network.

Machines are tables of numbers; words are sequences of symbols. All decisions (minimal, equivalent) are exact.
"""

from vitrina.automata.languages import B_TO_A, LANGUAGES, PARITY, TOMITA, Language, adder
from vitrina.automata.learning import Learnt, learn
from vitrina.automata.machines import DFA, Machine, MealyMachine, MooreMachine, Symbol, Word
from vitrina.automata.minimisation import Equivalence, agreement, equivalent, equivalent_states, minimise
from vitrina.automata.observing import Observation, by_clusters, by_rounding, by_sign, observe
from vitrina.automata.samples import Stream, balanced_words, draw_words, near_misses, stream, word_counts

__all__ = [
    "B_TO_A",
    "DFA",
    "LANGUAGES",
    "PARITY",
    "TOMITA",
    "Equivalence",
    "Language",
    "Learnt",
    "Machine",
    "MealyMachine",
    "MooreMachine",
    "Observation",
    "Stream",
    "Symbol",
    "Word",
    "adder",
    "agreement",
    "balanced_words",
    "by_clusters",
    "by_rounding",
    "by_sign",
    "draw_words",
    "equivalent",
    "equivalent_states",
    "learn",
    "minimise",
    "near_misses",
    "observe",
    "stream",
    "word_counts",
]
