"""Part A: exercises on games, Shapley values and their axioms."""

import numpy as np

from vitrina_autograder.exercise import Exercise, Find, Hunt, PlantedBug, Question, Quiz
from vitrina_solutions import shapley

from ._answers import (
    BY_PLACE,
    banzhaf,
    bits,
    bits_as_text,
    by_coalitions,
    by_dividends,
    by_orders,
    contributions,
    every_order,
    one_order,
    shapley_weight,
)
from ._drawing_games import draw_efficiency, draw_marginal, draw_masks, draw_orders, draw_shapley

NOT_THE_WORTH = "This adds up what coalitions are worth. A player is due only what the worth grows by on joining."
RULES = ("equal split", "first in line", "Banzhaf", "by squares")
AXIOMS = ("efficiency", "symmetry", "null player", "additivity")

#: Worths of three players: a dictator's game and a game of majorities break three rules, two games the last one.
DICTATOR, MAJORITY = [0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 0, 1, 0, 1, 1, 1]
TWO_GAMES = [DICTATOR, [0, 0, 2, 2, 0, 0, 2, 2]]


def joining_for_good(game, player, coalition):
    """Append the player to the caller's coalition."""
    without = game(coalition)
    coalition.append(player)
    return game(coalition) - without


GAME_EXERCISES = [
    Exercise(
        id="marginal-contribution",
        title="Marginal contribution",
        formula="v(S ∪ {i}) − v(S)",
        competences=["shapley values"],
        reference=shapley.marginal_contribution,
        draw=draw_marginal,
        alternatives=[
            lambda game, i, S: game({*S, i}) - game(set(S)),
            lambda game, i, S: np.float32(game(np.append(S, i).astype(int)) - game(tuple(S))),
        ],
        bugs=[
            PlantedBug(
                "The sign is turned: with the player comes first, without is subtracted.",
                lambda game, i, S: game(S) - game([*S, i]),
            ),
            PlantedBug(NOT_THE_WORTH, lambda game, i, S: game([*S, i])),
            PlantedBug("This is what the player adds to nobody.", lambda game, i, _: game([i]) - game([])),
            PlantedBug(
                "What the player is worth alone is not what the worth falls by without: ask the coalition without.",
                lambda game, i, S: game([*S, i]) - game([i]),
            ),
            PlantedBug("The number is right, but you wrote into a list that belongs to the caller.", joining_for_good),
        ],
    ),
    Exercise(
        id="coalition-masks",
        title="All coalitions",
        formula="row r, column i: the bit of value 2^i of the number r",
        competences=["shapley values"],
        reference=shapley.coalition_masks,
        draw=draw_masks,
        alternatives=[bits, bits_as_text, lambda n: np.array(bits(n)) == 1],
        bugs=[
            PlantedBug("Player 0 changes fastest, from row to row.", lambda n: np.array(bits(n))[:, ::-1]),
            PlantedBug("The empty coalition is missing.", lambda n: np.array(bits(n))[1:]),
            PlantedBug("The grand coalition is missing: there are 2^n rows.", lambda n: np.array(bits(n))[:-1]),
            PlantedBug(
                "These are the members' absences: 1 says that a player takes part.", lambda n: 1 - np.array(bits(n))
            ),
            PlantedBug("Row r is r in binary, not the r-th by size.", lambda n: sorted(bits(n), key=sum)),
        ],
    ),
    Exercise(
        id="shapley-by-orders",
        title="Shapley values, order by order",
        formula="φ_i = mean over all n! orders of what i adds on entering",
        competences=["shapley values"],
        reference=shapley.shapley_by_orders,
        draw=draw_orders,
        alternatives=[by_orders, by_coalitions, by_dividends],
        bugs=[
            PlantedBug(
                "This is the sum over all orders. Divide by how many there are: n!.",
                lambda game, n: by_orders(game, n) * np.prod(np.arange(1.0, n + 1)),
            ),
            PlantedBug(
                "Divide by the n! orders, not by the n players.",
                lambda game, n: by_orders(game, n) * np.prod(np.arange(1.0, n)),
            ),
            PlantedBug("This is one order. Average over all of them.", one_order),
            PlantedBug(
                BY_PLACE, lambda game, n: contributions(game, np.array(every_order(n)), by_place=True).mean(axis=0)
            ),
            PlantedBug(NOT_THE_WORTH, lambda game, n: by_orders(game, n, added=lambda after, _: after)),
            PlantedBug(
                "The first in an order adds v({i}) − v(∅): nobody may be worth something too.",
                lambda game, n: by_orders(lambda s: game(s) if len(s) else 0.0, n),
            ),
            PlantedBug(
                "You averaged over coalitions, each alike. Orders pass through small and large coalitions more often.",
                banzhaf,
            ),
        ],
    ),
    Exercise(
        id="shapley-values",
        title="Shapley values, coalition by coalition",
        formula="φ_i = Σ over S without i of |S|! (n − |S| − 1)! / n! · (v(S ∪ {i}) − v(S))",
        competences=["shapley values"],
        reference=shapley.shapley_values,
        draw=draw_shapley,
        alternatives=[by_coalitions, by_dividends, by_orders],
        bugs=[
            PlantedBug(
                "Each coalition has its own weight, |S|! (n − |S| − 1)! / n!; all alike gives Banzhaf's index.", banzhaf
            ),
            PlantedBug(
                "The weights are missing: this is a sum over coalitions.",
                lambda game, n: by_coalitions(game, n, weight=lambda _size, _n: 1.0),
            ),
            PlantedBug(
                "|S| in the weight counts the coalition before the player joins.",
                lambda game, n: by_coalitions(
                    game, n, weight=lambda size, n: shapley_weight(size + 1, n) if size + 1 < n else 1 / n
                ),
            ),
            PlantedBug(
                "Divide by n!, not by (n − 1)!.",
                lambda game, n: by_coalitions(game, n, weight=lambda size, n: n * shapley_weight(size, n)),
            ),
            PlantedBug("The empty coalition counts too.", lambda game, n: by_coalitions(game, n, empty=False)),
            PlantedBug(NOT_THE_WORTH, lambda game, n: by_coalitions(game, n, added=lambda after, _: after)),
        ],
    ),
    Exercise(
        id="efficiency-error",
        title="Efficiency",
        formula="Σ φ_i − (v(N) − v(∅))",
        competences=["shapley values", "experiment"],
        reference=shapley.efficiency_error,
        draw=draw_efficiency,
        alternatives=[lambda phi, game: sum(phi) - game(range(len(phi))) + game(())],
        bugs=[
            PlantedBug(
                "Keep the sign: sharing out too little is another fault than sharing out too much.",
                lambda phi, game: abs(np.sum(phi) - game(range(len(phi))) + game([])),
            ),
            PlantedBug(
                "What nobody is worth was not gained: subtract v(∅).",
                lambda phi, game: np.sum(phi) - game(range(len(phi))),
            ),
            PlantedBug(
                "The sign is turned: positive says that too much is shared out.",
                lambda phi, game: game(range(len(phi))) - game([]) - np.sum(phi),
            ),
            PlantedBug(
                "Add the values up; do not average them.",
                lambda phi, game: np.mean(phi) - game(range(len(phi))) + game([]),
            ),
            PlantedBug(
                "v(∅) was added to the worth of everybody; it is subtracted.",
                lambda phi, game: np.sum(phi) - game(range(len(phi))) - game([]),
            ),
        ],
    ),
    Hunt(
        id="counter-examples",
        title="Counter-examples",
        formula="a game on which the rule breaks an axiom",
        competences=["axioms"],
        finds=[
            Find("equal split", "the rule breaks an axiom on it", DICTATOR),
            Find("first in line", "the rule breaks an axiom on it", MAJORITY),
            Find("Banzhaf", "the rule breaks an axiom on it", MAJORITY),
            Find("by squares", "the rule breaks an axiom on it", TWO_GAMES),
        ],
        alternatives=[
            {
                "equal split": [0, 5, 0, 5],
                "first in line": [1, 2, 2, 5],
                "Banzhaf": np.array([0, 0, 0, 0, 0, 0, 0, 10.0]),
                "by squares": np.array([[0, 3.0, 0, 3.0], [0, 0, 1.0, 1.0]]),
            },
            {
                "equal split": np.tile([0, 0, 2, 2], 4),
                "first in line": (np.arange(8)[:, None] >> np.arange(3) & 1).sum(axis=1) ** 2,
                "Banzhaf": -np.array(MAJORITY),
                "by squares": np.array(TWO_GAMES)[::-1] + 1,
            },
        ],
        bugs=[
            {rule: [0, 1, 1, 2] for rule in RULES},
            {rule: np.zeros(8) for rule in RULES},
            {rule: [0, 1, 0] for rule in RULES},
            dict.fromkeys(RULES, DICTATOR),
            {
                "equal split": MAJORITY,
                "first in line": MAJORITY,
                "Banzhaf": MAJORITY,
                "by squares": [DICTATOR, [0, 0, 1, 1, 0, 0, 1, 1]],
            },
        ],
    ),
    Quiz(
        id="which-axiom",
        title="Which axiom is it?",
        formula="each rule breaks exactly one axiom",
        competences=["axioms", "reading results"],
        questions=[
            Question("equal split", AXIOMS, "null player"),
            Question("first in line", AXIOMS, "symmetry"),
            Question("Banzhaf", AXIOMS, "efficiency"),
            Question("by squares", AXIOMS, "additivity"),
            Question(
                "a rule keeps all four on every game: can it differ from Shapley's?",
                ("yes", "no", "only with four players or more"),
                "no",
            ),
        ],
    ),
]
