"""Part D: exercises on automata: minimal, equivalent, Moore and Mealy."""

import numpy as np

from vitrina.properties import PROPERTY_HINTS
from vitrina_autograder.exercise import Exercise, PlantedBug, Question, Quiz
from vitrina_solutions import deciding
from vitrina_solutions.streams import run_automaton

from ._deciding_answers import (
    agree,
    agree_by_chance,
    agree_by_listing,
    by_all_symbols,
    by_all_words,
    by_refining,
    by_sweeps,
    by_transitions_alone,
    convert,
    convert_one_step_late,
    convert_two_steps,
    first_in_breadth,
    first_in_depth,
    lost_states_apart,
    merge_rows,
    not_renumbered,
    pairs,
    pairs_recursively,
    refine,
    same,
    shortest_by_listing,
    smallest,
    speak,
    speak_from_start,
    where_tables_differ,
)
from ._drawing_deciding import (
    TELLS_APART,
    draw_agreement,
    draw_conversion,
    draw_counterexample,
    draw_equivalent,
    draw_mealy,
    draw_minimise,
    draw_pairs,
)

DISAGREE, SHORTEST = (PROPERTY_HINTS[name] for name in TELLS_APART)

DECIDING_EXERCISES = [
    Exercise(
        id="equivalent-states",
        title="Which states are one?",
        formula="apart if one accepts and the other not, or if some symbol leads to states that are apart",
        competences=["deciding"],
        reference=deciding.equivalent_states,
        draw=draw_equivalent,
        alternatives=[by_refining, by_all_words],
        bugs=[
            PlantedBug(
                "Rows that are equal were merged once. Merging makes new rows equal, and states that point at each "
                "other never get equal rows.",
                lambda t, f: same(merge_rows(t, f, rounds=1)),
            ),
            PlantedBug(
                "Merging equal rows again and again misses states that point at each other. Begin the other way round: "
                "all are one until something tells them apart.",
                lambda t, f: same(merge_rows(t, f)),
            ),
            PlantedBug(
                "One round is not enough: go on until nothing changes.", lambda t, f: by_refining(t, f, rounds=1)
            ),
            PlantedBug(
                "Each pair once is not enough: go round again until a round changes nothing.",
                lambda t, f: by_sweeps(t, f, rounds=1),
            ),
            PlantedBug(
                "Each pair twice is not enough: go round again until a round changes nothing.",
                lambda t, f: by_sweeps(t, f, rounds=2, turned=True),
            ),
            PlantedBug(
                "These are groups. Which pairs of states are in the same one? Compare each with each.",
                refine,
            ),
            PlantedBug(
                "A few rounds are not enough either: there may be as many as states.",
                lambda t, f: by_refining(t, f, rounds=5),
            ),
            PlantedBug("States that no word leads to are asked about too.", lost_states_apart),
            PlantedBug(
                "The empty word tells apart what accepts from what does not: begin with that.", by_transitions_alone
            ),
            PlantedBug("Any symbol may tell two states apart, and one is enough: any, not all.", by_all_symbols),
            PlantedBug("True is for states that are one; yours are apart.", lambda t, f: ~by_refining(t, f)),
            PlantedBug("These states say the same now. Where do they lead?", lambda _, f: same(f)),
        ],
    ),
    Exercise(
        id="minimise",
        title="The smallest automaton",
        formula="one state for each group of equivalent, reachable states, numbered as one meets them",
        competences=["deciding"],
        reference=deciding.minimise,
        draw=draw_minimise,
        alternatives=[smallest, lambda t, f: smallest(t, f).tolist()],
        bugs=[
            PlantedBug("States that no word leads to are left out.", lambda t, f: smallest(t, f, strangers=True)),
            PlantedBug(
                "Some equivalent states were not merged: is `equivalent_states` right?",
                lambda t, f: smallest(t, f, groups=merge_rows),
            ),
            PlantedBug(
                "States were merged that long words tell apart: is `equivalent_states` right?",
                lambda t, f: smallest(t, f, groups=lambda t, f: refine(t, f, rounds=4)),
            ),
            PlantedBug(
                "The automaton is right, but its states are numbered in another order: first all that the start leads "
                "to.",
                lambda t, f: smallest(t, f, depth=True),
            ),
            PlantedBug(
                "The automaton is right, but its states bear the order of their old numbers.",
                lambda t, f: smallest(t, f, first=lambda state: state),
            ),
            PlantedBug("The last column says which states accept.", lambda t, f: smallest(t, f)[:, :-1]),
            PlantedBug("States got new numbers: the table must lead to those.", not_renumbered),
        ],
    ),
    Exercise(
        id="meeting-pairs",
        title="Two automata at once",
        formula="(0, 0), and from (s, t) by each symbol x to (transitions[s, x], others[t, x])",
        competences=["deciding"],
        reference=deciding.meeting_pairs,
        draw=draw_pairs,
        alternatives=[pairs, pairs_recursively],
        bugs=[
            PlantedBug("Both read the same symbol.", lambda t, o: pairs(t, o, apart=True)),
            PlantedBug("Go on from what is found, until nothing is new.", lambda t, o: pairs(t, o, rounds=1)),
            PlantedBug(
                "There may be as many pairs as the product of both sizes: go on for as long as something is new.",
                lambda t, o: pairs(t, o, rounds=6),
            ),
            PlantedBug("Both read all symbols.", lambda t, o: pairs(t[:, :2], o[:, :2])),
            PlantedBug(
                "Not all pairs of states ever meet: follow the words.", lambda t, o: np.ones((len(t), len(o)), bool)
            ),
            PlantedBug("The empty word leads to (0, 0).", lambda t, o: pairs(t, o, start=False)),
            PlantedBug(
                "These are the pairs. A table of truth values is asked for: True at [s, t] if they meet.",
                lambda t, o: np.argwhere(pairs(t, o)),
            ),
            PlantedBug("Rows are the first automaton's states, columns the second one's.", lambda t, o: pairs(o, t)),
        ],
    ),
    Exercise(
        id="counterexample",
        title="A shortest counter-example",
        formula="one accepts it, the other does not, and no shorter word does it",
        competences=["deciding"],
        reference=deciding.counterexample,
        draw=draw_counterexample,
        by_properties=True,
        alternatives=[shortest_by_listing, lambda *a: np.array(deciding.counterexample(*a), float)],
        bugs=[
            PlantedBug(SHORTEST, first_in_depth),
            PlantedBug(SHORTEST, lambda *a: shortest_by_listing(*a, least=1)),
            PlantedBug(SHORTEST, lambda *a: shortest_by_listing(*a, least=5)),
            PlantedBug(DISAGREE, lambda *a: deciding.counterexample(*a)[:-1]),
            PlantedBug(DISAGREE, where_tables_differ),
            PlantedBug(DISAGREE, lambda *a: first_in_breadth(*a, seen_by=lambda one, _: one)),
            PlantedBug(DISAGREE, lambda *a: first_in_breadth(*a, seen_by=lambda _, two: two)),
            PlantedBug(DISAGREE, lambda *a: shortest_by_listing(*a, most=6)),
            PlantedBug(DISAGREE, lambda *a: [*deciding.counterexample(*a), 0]),
        ],
    ),
    Exercise(
        id="agreement",
        title="The share on which they agree",
        formula="share of the |alphabet|ⁿ words of length n that lead to pairs which both accept or both reject",
        competences=["deciding", "dynamic programming"],
        reference=deciding.agreement,
        draw=draw_agreement,
        alternatives=[agree, agree_by_listing],
        bugs=[
            PlantedBug("Rejecting the same word is agreeing too.", lambda *a: agree(*a, same=lambda p, q: p & q)),
            PlantedBug(
                "Several pairs may lead to the same one: add their shares up (`np.add.at`).",
                lambda *a: agree(*a, adding="lost"),
            ),
            PlantedBug(
                "The automata read the same words: follow pairs of states, not each automaton for itself.",
                agree_by_chance,
            ),
            PlantedBug(
                "All words begin at the pair of starts.",
                lambda *a: agree(*a, begin=lambda shares: np.full(shares.shape, 1 / shares.size)),
            ),
            PlantedBug("Of n symbols each takes one n-th of a pair's share on.", lambda *a: agree(*a, parts=1)),
            PlantedBug("This is the share on which they disagree.", lambda *a: 1 - agree(*a)),
        ],
    ),
    Exercise(
        id="run-mealy",
        title="A Mealy machine speaks",
        formula="y_t = outputs[s_t, x_t] with the state before the symbol",
        competences=["Moore and Mealy"],
        reference=deciding.run_mealy,
        draw=draw_mealy,
        alternatives=[
            speak,
            lambda t, o, w: [o[s, x] for s, x in zip(run_automaton(t, w), w, strict=False)] or np.array([], int),
        ],
        bugs=[
            PlantedBug(
                "It speaks in the state it comes from: yours speaks one step late.", lambda *a: speak(*a, late=True)
            ),
            PlantedBug("Go on from state to state; you stay at the start.", speak_from_start),
            PlantedBug("outputs[state, symbol]: the row is the state.", lambda *a: speak(*a, swapped=True)),
            PlantedBug("Before the first symbol nothing is said.", lambda t, o, w: np.append(0, speak(t, o, w))),
            PlantedBug("These are the states. What is said on the way?", lambda t, _, w: run_automaton(t, w)[1:]),
        ],
    ),
    Exercise(
        id="mealy-outputs",
        title="From Moore to Mealy",
        formula="outputs'[s, x] = outputs[transitions[s, x]]",
        competences=["Moore and Mealy"],
        reference=deciding.mealy_outputs,
        draw=draw_conversion,
        alternatives=[convert, lambda t, o: o[t], lambda t, o: np.take(o, t)],
        bugs=[
            PlantedBug(
                "A move says what the state says that it leads to; yours comes one step late.", convert_one_step_late
            ),
            PlantedBug("One row a state: the axes are swapped.", lambda t, o: o[t].T),
            PlantedBug("This is where the moves lead. What is said there?", lambda t, _: t),
            PlantedBug("One step, not two.", convert_two_steps),
        ],
    ),
    Quiz(
        id="moore-or-mealy",
        title="Moore or Mealy?",
        formula="a Moore machine speaks in its states, a Mealy machine on its way",
        competences=["Moore and Mealy", "reading results"],
        questions=[
            Question("which of the two says something before the first symbol?", ("Moore", "Mealy", "both"), "Moore"),
            Question("which adds in base 10 with only two states?", ("Moore", "Mealy", "both"), "Mealy"),
            Question("how many states has the smallest Moore machine that adds in base 10?", ("2", "10", "20"), "20"),
            Question(
                "logit = h v + c, of the state alone: which of the two is the network of part B?",
                ("Moore", "Mealy", "both"),
                "Moore",
            ),
            Question(
                "the logit also gets the symbol directly, through a layer of its own: which is it now?",
                ("Moore", "Mealy", "neither"),
                "Mealy",
            ),
        ],
    ),
]
