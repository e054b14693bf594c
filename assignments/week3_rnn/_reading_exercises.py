"""Part C: exercises on reading a table from hidden states."""

import numpy as np

from vitrina_autograder.exercise import Exercise, PlantedBug
from vitrina_solutions import state_reading

from ._drawing_reading import (
    draw_accepting,
    draw_determinism,
    draw_majority,
    draw_moves,
    draw_names,
    draw_reachable,
    draw_rounding,
    draw_signs,
)
from ._reading_answers import (
    after_a_symbol,
    has_arrow_into_it,
    last_of_equals,
    leads_to_start,
    majority,
    mean_of_rows,
    moves,
    moves_by_number,
    moves_once,
    names,
    numbers,
    numbers_by_unique,
    numbers_sorted,
    rarest,
    reach,
    reach_in_depth,
    rounded_names,
    share_of_rows,
    sign_names_by_text,
    verdicts,
    verdicts_by_counting,
    without_start,
    word_by_word,
)

READING_EXERCISES = [
    Exercise(
        id="sign-names",
        title="Name states by sign",
        formula="Σ_i 2^i · [h_i > 0]",
        competences=["extraction"],
        reference=state_reading.sign_names,
        draw=draw_signs,
        alternatives=[names, sign_names_by_text],
        bugs=[
            PlantedBug("Unit 0 counts 1, unit 1 counts 2, and so on.", lambda h: names(h, backwards=True)),
            PlantedBug("A unit that is exactly 0 is not above 0.", lambda h: names(h, digit=lambda u: int(u >= 0))),
            PlantedBug(
                "This counts the units that are on; which ones must be told too.", lambda h: (h > 0).sum(axis=-1)
            ),
            PlantedBug("What is below 0 counts nothing, not −2^i.", lambda h: names(h, digit=np.sign)),
            PlantedBug("1 is for units above 0, and yours are below.", lambda h: names(h, digit=lambda u: int(u < 0))),
            PlantedBug("However little it is above 0.", lambda h: names(h, digit=lambda u: int(u > 1e-3))),
            PlantedBug("These are signs, one a unit. Make one number of each state.", lambda h: (h > 0).astype(int)),
        ],
    ),
    Exercise(
        id="rounded-names",
        title="Name states by rounding",
        formula="Σ_i 3^i · (round(h_i) + 1)",
        competences=["extraction"],
        reference=state_reading.rounded_names,
        draw=draw_rounding,
        alternatives=[rounded_names, lambda h: ((h > 0.5) - 1 * (h < -0.5) + 1) @ 3 ** np.arange(h.shape[-1])],
        bugs=[
            PlantedBug(
                "`int` cuts off what is behind the point: round to the nearest, 0.9 is 1.",
                lambda h: rounded_names(h, digit=lambda u: int(u) + 1),
            ),
            PlantedBug("Digits are 0, 1 and 2: add 1 to −1, 0 and 1.", lambda h: rounded_names(h, digit=round)),
            PlantedBug(
                "Three digits need powers of 3; with powers of 2 different states share a name.",
                lambda h: rounded_names(h, base=2),
            ),
            PlantedBug("Unit 0 counts 1, unit 1 counts 3, and so on.", lambda h: rounded_names(h, backwards=True)),
            PlantedBug(
                "These are signs: a unit near 0, such as 0.2, has the digit 1.",
                lambda h: rounded_names(h, digit=lambda u: int(np.sign(u)) + 1),
            ),
            PlantedBug(
                "Round to the nearest, not down.", lambda h: rounded_names(h, digit=lambda u: int(np.floor(u)) + 1)
            ),
        ],
    ),
    Exercise(
        id="number-states",
        title="Number the states",
        formula="the start is 0, the others 1, 2, … in the order in which they first come",
        competences=["extraction"],
        reference=state_reading.number_states,
        draw=draw_names,
        alternatives=[numbers, numbers_by_unique],
        bugs=[
            PlantedBug(
                "The start is a state of its own, even if another one bears the same name.",
                lambda n: numbers(n, start_known=True),
            ),
            PlantedBug("In the order in which they first come, not of their names' size.", numbers_sorted),
            PlantedBug("Word after word, row by row, not column by column.", lambda n: numbers(n, by_column=True)),
            PlantedBug("A name keeps its number from word to word.", lambda n: numbers(n, anew=True)),
            PlantedBug(
                "0 is for the start alone; the others begin with 1.",
                lambda n: np.column_stack([n[:, :1] * 0, numbers(n)[:, 1:] - 1]),
            ),
        ],
    ),
    Exercise(
        id="count-moves",
        title="Count moves",
        formula="moves[s, x, t] = how often state s read x and was followed by t",
        competences=["extraction"],
        reference=state_reading.count_moves,
        draw=draw_moves,
        alternatives=[moves, moves_by_number],
        bugs=[
            PlantedBug(
                "`moves[s, x, t] += 1` with whole arrays counts each kind of move once. `np.add.at` counts them all.",
                moves_once,
            ),
            PlantedBug("From comes first, to comes last: moves[s, x, t].", lambda *a: moves(*a, back=True)),
            PlantedBug(
                "words[i, 0] leads from states[i, 0] to states[i, 1]: you are one symbol late.",
                lambda *a: moves(*a, late=True),
            ),
            PlantedBug("The move from the start counts as well.", lambda *a: moves(*a, skip=1)),
            PlantedBug("Count the moves of all words, not only of the first.", lambda s, w, n: _first_word(s, w, n)),
        ],
    ),
    Exercise(
        id="determinism",
        title="Determinism",
        formula="Σ_{s,x} max_t moves[s, x, t] / Σ moves",
        competences=["extraction"],
        reference=state_reading.determinism,
        draw=draw_determinism,
        alternatives=[
            lambda m: sum(row.max() for rows in m for row in rows) / m.sum(),
            lambda m: 1 - (m.sum(axis=2) - m.max(axis=2)).sum() / m.sum(),
        ],
        bugs=[
            PlantedBug("Each move counts the same, not each state and symbol.", mean_of_rows),
            PlantedBug("Count moves, not the states and symbols that are clean.", share_of_rows),
            PlantedBug(
                "The state and the symbol decide together where to go: keep symbols apart.",
                lambda m: m.sum(axis=1).max(axis=1).sum() / m.sum(),
            ),
            PlantedBug(
                "Where do moves go to? The last axis: yours asks where they come from.",
                lambda m: m.max(axis=0).sum() / m.sum(),
            ),
            PlantedBug(
                "This is the share of the moves that went elsewhere.", lambda m: 1 - m.max(axis=2).sum() / m.sum()
            ),
        ],
    ),
    Exercise(
        id="majority-table",
        title="The majority's table",
        formula="transitions[s, x] = argmax_t moves[s, x, t]; never seen: s",
        competences=["extraction"],
        reference=state_reading.majority_table,
        draw=draw_majority,
        alternatives=[
            majority,
            lambda m: (m + 0.5 * np.eye(len(m))[:, None] * (m.sum(axis=2) == 0)[..., None]).argmax(axis=2),
        ],
        bugs=[
            PlantedBug(
                "A state that never read a symbol stays where it is; argmax of zeros leads to state 0.",
                lambda m: m.argmax(axis=2),
            ),
            PlantedBug(
                "The most frequent, not the first that was seen at all.",
                lambda m: majority(m, best=lambda row: np.argmax(row > 0)),
            ),
            PlantedBug("Of equally frequent ones the lower number wins.", lambda m: majority(m, best=last_of_equals)),
            PlantedBug("The most frequent, not the least.", lambda m: majority(m, best=rarest)),
            PlantedBug("moves[s, x, t] goes from s to t: t is the last axis.", lambda m: m.argmax(axis=0).T),
        ],
    ),
    Exercise(
        id="majority-accepting",
        title="The accepting states",
        formula="a state accepts if it said “belongs” in more than half of its visits",
        competences=["extraction"],
        reference=state_reading.majority_accepting,
        draw=draw_accepting,
        alternatives=[verdicts, verdicts_by_counting],
        bugs=[
            PlantedBug("Once is not enough: more than half of the visits.", lambda *a: verdicts(*a, rule=np.any)),
            PlantedBug("It need not be always: more than half of the visits.", lambda *a: verdicts(*a, rule=np.all)),
            PlantedBug(
                "Half of the visits is not more than half.", lambda *a: verdicts(*a, rule=lambda v: np.mean(v) >= 0.5)
            ),
            PlantedBug("The visits before the first symbol vote too: the start is often nowhere else.", without_start),
            PlantedBug("Visits vote, not words.", word_by_word),
            PlantedBug("All visits vote, not only the last.", lambda *a: verdicts(*a, rule=lambda v: v[-1])),
            PlantedBug("All visits vote, not only the first.", lambda *a: verdicts(*a, rule=lambda v: v[0])),
            PlantedBug(
                "These are the numbers of the states that accept. A truth value for each state is asked for.",
                lambda *a: np.flatnonzero(verdicts(*a)),
            ),
        ],
    ),
    Exercise(
        id="reachable",
        title="What can be reached",
        formula="the start, and whatever a symbol leads to from there, again and again",
        competences=["languages"],
        reference=state_reading.reachable,
        draw=draw_reachable,
        alternatives=[reach, reach_in_depth],
        bugs=[
            PlantedBug("Go on: from what is found, further, until nothing is new.", lambda t: reach(t, rounds=1)),
            PlantedBug(
                "The last states may be as many steps away as there are others: do not count on a few.",
                lambda t: reach(t, rounds=6),
            ),
            PlantedBug(
                "An arrow is no help if it comes from a state that cannot be reached itself.", has_arrow_into_it
            ),
            PlantedBug("Follow the arrows forwards: you found what leads to the start.", leads_to_start),
            PlantedBug("Follow all symbols.", lambda t: reach(t, symbols=[0])),
            PlantedBug("The empty word reaches the start.", after_a_symbol),
            PlantedBug(
                "These are the numbers of the states. A truth value for each state is asked for.",
                lambda t: np.flatnonzero(reach(t)),
            ),
        ],
    ),
]


def _first_word(states, words, symbols):
    size = states.max() + 1
    small = moves(states[:1], words[:1], symbols)
    return np.pad(small, [(0, size - len(small)), (0, 0), (0, size - len(small))])
