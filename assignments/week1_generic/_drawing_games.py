"""How the cases of part A are drawn."""

import numpy as np

from vitrina.values import GameSpec
from vitrina_autograder.exercise import Draw

from ._drawing import game, game_with_null_player, symmetric_game


def draw_marginal(rng: np.random.Generator) -> list[Draw]:
    """Draw a player and the coalition that it joins."""
    player, *others = rng.permutation(4).tolist()
    worths = game(rng, 3).worths
    worths[0b101] = worths[0b001] - abs(worths[0b101]) - 1  # player 2 does harm to player 0
    return [
        Draw("four players, two are there", (game(rng, 4), player, others[:2])),
        Draw("nobody is there yet", (game(rng, 3), int(rng.integers(3)), [])),
        Draw("the last of five to come", (game(rng, 5), 4, [2, 0, 3, 1])),
        Draw("a player who does harm", (GameSpec(worths), 2, [0])),
        Draw("the only player of a game", (game(rng, 1), 0, [])),
        Draw("a player who changes nothing", (game_with_null_player(rng, 3, 1), 1, [0]), edge=True),
    ]


def draw_masks(rng: np.random.Generator) -> list[Draw]:
    """Draw numbers of players."""
    many = rng.choice([2, 3, 4, 5, 6, 7], 3, replace=False)
    return [Draw(f"{n} players", (int(n),)) for n in many] + [Draw("one player", (1,))]


def draw_orders(rng: np.random.Generator) -> list[Draw]:
    """Draw games of few players, all of whose orders are gone through."""
    return [
        Draw("three players", (game(rng, 3), 3)),
        Draw("four players", (game(rng, 4), 4)),
        Draw("only the number of players counts", (symmetric_game(rng, 4), 4)),
        Draw("one player, and nobody is worth something too", (game(rng, 1), 1)),
    ]


def draw_shapley(rng: np.random.Generator) -> list[Draw]:
    """Draw games of up to seven players."""
    null = int(rng.integers(5))
    return [
        Draw("three players", (game(rng, 3), 3)),
        Draw("two players", (game(rng, 2), 2)),
        Draw("seven players", (game(rng, 7), 7)),
        Draw(f"five players, of whom player {null} changes nothing", (game_with_null_player(rng, 5, null), 5)),
        Draw("one player", (game(rng, 1), 1)),
    ]


def draw_efficiency(rng: np.random.Generator) -> list[Draw]:
    """Draw values that add up to what was gained, and others; sums of quarters are exact in any order."""
    four = GameSpec(rng.integers(-20, 20, 16).astype(float))
    split = (four.worths[-1] - four.worths[0]) * rng.permutation([0.5, 0.25, 0.25, 0.0])
    return [
        Draw("four values that came from somewhere", (rng.normal(size=4), four)),
        Draw("too much is shared out", (split + 0.5, four)),
        Draw("too little is shared out", (split - 0.25, four)),
        Draw("nobody is worth a lot", (rng.normal(size=3), GameSpec(game(rng, 3).worths + 20))),
        Draw("one player", (rng.normal(size=1) + 9, game(rng, 1))),
        Draw("exactly what was gained", (split, four), edge=True),
    ]
