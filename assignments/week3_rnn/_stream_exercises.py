"""Part A: exercises on languages, streams and automata that read."""

import numpy as np

from vitrina_autograder.exercise import Exercise, PlantedBug
from vitrina_solutions import streams

from ._drawing_streams import draw_counts, draw_runs, draw_streams, draw_tomita
from ._stream_answers import (
    count_by_listing,
    count_by_matrix,
    count_from,
    labels,
    labels_of_whole_words,
    labels_word_by_word,
    matching,
    powers,
    tomita_3_at_any_distance,
    tomita_3_by_automaton,
    tomita_3_by_pattern,
    tomita_3_turned,
    walk,
    walk_recursively,
)

STREAM_EXERCISES = [
    Exercise(
        id="run-automaton",
        title="Run an automaton",
        formula="s₀ = 0, s_{t+1} = transitions[s_t, x_t]",
        competences=["languages"],
        reference=streams.run_automaton,
        draw=draw_runs,
        alternatives=[walk, walk_recursively],
        bugs=[
            PlantedBug(
                "Rows are states, columns are symbols: `transitions[state, symbol]`.",
                lambda t, w: walk(t, w, step=lambda table, s, x: table[x, s]),
            ),
            PlantedBug("The start belongs to the answer: length + 1 states.", lambda t, w: walk(t, w)[1:]),
            PlantedBug(
                "Each step sets out from the last state, not from the start.",
                lambda t, w: walk(t, w, step=lambda table, _, x: table[0, x]),
            ),
            PlantedBug("All states on the way are asked for, not only the last.", lambda t, w: walk(t, w)[-1]),
            PlantedBug("One state too few: the last symbol is read too.", lambda t, w: walk(t, w)[:-1]),
        ],
    ),
    Exercise(
        id="label-stream",
        title="Label a stream",
        formula="after each symbol: does what was read since the last $ belong?",
        competences=["languages"],
        reference=streams.label_stream,
        draw=draw_streams,
        alternatives=[labels_word_by_word, lambda *a: labels(*a).astype(float)],
        bugs=[
            PlantedBug("At $ the automaton goes back to its start.", lambda *a: labels(*a, at_dollar="stay")),
            PlantedBug(
                "$ has a label too: whether the empty word belongs, that is, whether the start accepts.",
                lambda *a: labels(*a, at_dollar="no"),
            ),
            PlantedBug(
                "$ opens a word and does not close the last one: go back to the start first, then look.",
                lambda *a: labels(*a, at_dollar="late"),
            ),
            PlantedBug(
                "$ has the number after the last symbol, `transitions.shape[1]`: a stream need not hold one.",
                lambda t, f, s: labels_word_by_word(t, f, s, dollar=s.max()),
            ),
            PlantedBug("A label speaks of what holds after its symbol was read.", lambda *a: labels(*a, early=True)),
            PlantedBug("Every prefix has a label of its own, not that of the finished word.", labels_of_whole_words),
            PlantedBug(
                "These are states. Whether what was read belongs, says `accepting[state]`.",
                lambda t, f, stream: labels(t, np.arange(len(f)), stream),
            ),
            PlantedBug(
                "One label for each symbol of the stream, for $ as well.",
                lambda t, f, stream: labels(t, f, stream)[stream < t.shape[1]],
            ),
        ],
    ),
    Exercise(
        id="tomita-3",
        title="A definition",
        formula="no run of a of odd length is followed at once by a run of b of odd length",
        competences=["languages"],
        reference=streams.in_tomita_3,
        draw=draw_tomita,
        alternatives=[tomita_3_by_pattern, tomita_3_by_automaton],
        bugs=[
            PlantedBug("These are the words that do not belong.", lambda w: ~streams.in_tomita_3(w)),
            PlantedBug("First an odd run of a, then one of b: you look for the other order.", tomita_3_turned),
            PlantedBug(
                "Runs are as long as can be: in aab there is no odd run of a.",
                lambda w: matching(w, r"a(aa)*b(bb)*(?!b)"),
            ),
            PlantedBug("An odd run of a alone does no harm.", lambda w: matching(w, r"(?<!a)a(aa)*(?!a)")),
            PlantedBug("Only a run that follows at once counts, not a later one.", tomita_3_at_any_distance),
            PlantedBug(
                "The run of b must be odd as well.",
                lambda w: matching(w, r"(?<!a)a(aa)*b"),
            ),
            PlantedBug(
                "Runs may be of any odd length: 5 and 7 are odd too.",
                lambda w: matching(w, r"(?<!a)a(aa)?b(bb)?(?!b)"),
            ),
        ],
    ),
    Exercise(
        id="count-words",
        title="How many words?",
        formula="words of length n + 1 in a state = those of length n in each state that leads there, once a symbol",
        competences=["languages", "dynamic programming"],
        reference=streams.count_words,
        draw=draw_counts,
        alternatives=[count_by_listing, count_by_matrix, count_from],
        bugs=[
            PlantedBug(
                "Several states may lead to the same one: `n[states] += words` adds only one of them, `np.add.at` all.",
                lambda *a: count_from(*a, adding="lost"),
            ),
            PlantedBug(
                "At length 0 there is one word, and it is at the start.",
                lambda *a: count_from(*a, begin=lambda n: np.ones(n, int)),
            ),
            PlantedBug("These are the words that are rejected.", lambda t, f, n: powers(t, n) - count_from(t, f, n)),
            PlantedBug("Words of exactly this length, not of up to it.", lambda *a: np.cumsum(count_from(*a))),
            PlantedBug(
                "This is the share of the words. How many are they?", lambda t, f, n: count_from(t, f, n) / powers(t, n)
            ),
            PlantedBug("The counts begin with the empty word, of length 0.", lambda *a: count_from(*a)[1:]),
        ],
    ),
]
