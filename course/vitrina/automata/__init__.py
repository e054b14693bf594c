"""Finite state machines, and how to read one from a recurrent network.

Machines are tables of numbers; words are sequences of symbols. All decisions (minimal, equivalent) are exact.
"""

from vitrina.automata.addition import add, addition_stream, number_pairs, written_adder
from vitrina.automata.discretising import by_clusters, by_rounding, by_sign
from vitrina.automata.dual import DualNetwork, ElmanTransducer
from vitrina.automata.languages import B_TO_A, LANGUAGES, PARITY, TOMITA, Language, adder
from vitrina.automata.learning import Learnt, learn
from vitrina.automata.machines import DFA, Machine, MealyMachine, MooreMachine, Symbol, Word
from vitrina.automata.minimisation import Equivalence, agreement, equivalent, equivalent_states, minimise
from vitrina.automata.observing import Observation, observe
from vitrina.automata.routes import ROUTES, Reading, choose_clusters, read_automaton, read_by_all_routes
from vitrina.automata.samples import (
    Stream,
    balanced_words,
    draw_words,
    near_misses,
    staying_words,
    stream,
    training_words,
    word_counts,
)
from vitrina.automata.snapping import snap, snapped_automaton
from vitrina.automata.stability import Stability, stability_report
from vitrina.automata.transducers import read_mealy, read_moore

__all__ = [
    "B_TO_A",
    "DFA",
    "LANGUAGES",
    "PARITY",
    "ROUTES",
    "TOMITA",
    "DualNetwork",
    "ElmanTransducer",
    "Equivalence",
    "Language",
    "Learnt",
    "Machine",
    "MealyMachine",
    "MooreMachine",
    "Observation",
    "Reading",
    "Stability",
    "Stream",
    "Symbol",
    "Word",
    "add",
    "adder",
    "addition_stream",
    "agreement",
    "balanced_words",
    "by_clusters",
    "by_rounding",
    "by_sign",
    "choose_clusters",
    "draw_words",
    "equivalent",
    "equivalent_states",
    "learn",
    "minimise",
    "near_misses",
    "number_pairs",
    "observe",
    "read_automaton",
    "read_by_all_routes",
    "read_mealy",
    "read_moore",
    "snap",
    "snapped_automaton",
    "stability_report",
    "staying_words",
    "stream",
    "training_words",
    "word_counts",
    "written_adder",
]
