"""Part E: exercises on a network of one's own, its automaton, and what local explanations make of it."""

import numpy as np

from vitrina_autograder.exercise import (
    Exercise,
    HandedInAutomaton,
    HandedInNetwork,
    PlantedBug,
    Question,
    Quiz,
)
from vitrina_solutions import recurrent

from ._cell_answers import (
    comes_back,
    comes_back_by_counting,
    comes_back_for,
    occluded,
    read_off,
    relevance,
    relevance_by_differences,
)
from ._drawing_cells import draw_kicks, draw_relevance, draw_whole_readings

NETWORK_EXERCISES = [
    HandedInNetwork(
        id="own-network",
        title="A network of your own",
        formula="right on short words, and on words of 200 symbols",
        competences=["recurrent networks", "experiment"],
    ),
    Exercise(
        id="read-automaton",
        title="From a network to its automaton",
        formula="read words, name, number, count, let the majority decide, minimise",
        competences=["extraction", "deciding"],
        reference=recurrent.read_automaton,
        draw=draw_whole_readings,
        alternatives=[read_off, lambda *a: read_off(*a).tolist()],
        bugs=[
            PlantedBug(
                "The start has said nothing: whether it accepts is what `empty` says.",
                lambda *a: read_off(*a, empty_counts=False),
            ),
            PlantedBug("Watch the network without noise.", lambda *a: read_off(*a, nu=0.5)),
            PlantedBug("The logit is h v + c: the offset is missing.", lambda *a: read_off(*a, offset=False)),
            PlantedBug("There are as many symbols as W has rows.", lambda *a: read_off(*a, symbols=2)),
            PlantedBug("Minimise at the end.", lambda *a: read_off(*a, small=False)),
            PlantedBug(
                "Watch all words, from the first to the last.", lambda c, w, e: read_off(c, w[: len(w) // 2], e)
            ),
            PlantedBug("Watch words to their end.", lambda c, w, e: read_off(c, w[:, : w.shape[1] // 2], e)),
            PlantedBug("A network says “belongs” where its logit is above 0.", lambda *a: read_off(*a, turned=True)),
        ],
    ),
    HandedInAutomaton(
        id="own-automaton",
        title="The automaton of your language",
        formula="equivalent to the automaton that your language was drawn with",
        competences=["extraction", "experiment"],
    ),
    Exercise(
        id="recovery-time",
        title="After a kick",
        formula="first column from which on both ways have the same names to the end",
        competences=["stability", "measuring"],
        reference=recurrent.recovery_time,
        draw=draw_kicks,
        alternatives=[comes_back, comes_back_by_counting],
        bugs=[
            PlantedBug(
                "Equal once may be chance: from which column on are they equal to the end?",
                lambda *a: comes_back(*a, good=False),
            ),
            PlantedBug("Equal three times may be chance too: to the end.", lambda *a: comes_back_for(3, *a)),
            PlantedBug("This counts the columns that differ.", lambda a, b: (a != b).sum(axis=1)),
            PlantedBug(
                "This is the last column that differs; the next one is the first that is equal for good.",
                lambda a, b: np.maximum(np.array(comes_back(a, b)) - 1, 0),
            ),
            PlantedBug(
                "A time for each word: compare along the second axis.", lambda a, b: np.array(comes_back(a.T, b.T))
            ),
            PlantedBug(
                "Who never comes back gets length + 1, the number of columns.",
                lambda a, b: np.where(np.array(comes_back(a, b)) == a.shape[1], -1, comes_back(a, b)),
            ),
        ],
    ),
    Exercise(
        id="relevance-of-symbols",
        title="Gradient × Input of a word",
        formula="∂logit/∂z_t · W[x_t]",
        competences=["local explanation", "gradients"],
        reference=recurrent.relevance_of_symbols,
        draw=draw_relevance,
        alternatives=[relevance, relevance_by_differences],
        bugs=[
            PlantedBug(
                "Only the last logit is explained: v enters at the last step alone.",
                lambda *a: relevance(*a, from_all=True),
            ),
            PlantedBug("This is the gradient. Times the input: W[x].", lambda *a: relevance(*a, gradient_only=True)),
            PlantedBug("Backwards through U goes Uᵀ.", lambda *a: relevance(*a, turned=False)),
            PlantedBug("The slope of tanh is missing.", lambda *a: relevance(*a, slope=False)),
            PlantedBug("The first number belongs to the first symbol.", lambda *a: relevance(*a)[::-1]),
            PlantedBug("This is occlusion: each symbol left out. The gradient is asked for.", occluded),
        ],
    ),
    Quiz(
        id="global-or-local",
        title="Global and local",
        formula="an automaton says what the network does on every word, a relevance what moves one logit a little",
        competences=["global explanation", "local explanation", "reading results"],
        questions=[
            Question(
                "why is Gradient × Input nearly 0 on a saturated network?",
                ("the symbols do not matter", "tanh is flat there", "the noise hides them"),
                "tanh is flat there",
            ),
            Question("where the gradient is 0, can changing one symbol change the answer?", ("yes", "no"), "yes"),
            Question("without noise, can one still read the right automaton?", ("often", "never", "always"), "often"),
            Question(
                "what the noise buys above all:",
                ("fewer units", "states that are discrete, and hold on long words", "faster training"),
                "states that are discrete, and hold on long words",
            ),
            Question(
                "what L1 buys:",
                ("fewer connections", "more saturation", "a longer memory"),
                "fewer connections",
            ),
            Question(
                "the automaton is equivalent to the language's: is the network then right on every word?",
                ("yes", "no, the network may leave its states on words not seen"),
                "no, the network may leave its states on words not seen",
            ),
        ],
    ),
]
