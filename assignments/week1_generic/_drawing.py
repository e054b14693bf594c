"""How the cases of this week's exercises are drawn: games, models and data in common."""

import numpy as np

from vitrina.values import Array, GameSpec, ModelSpec


def game(rng: np.random.Generator, players: int) -> GameSpec:
    """Draw the worth of every coalition, also of the empty one."""
    return GameSpec(rng.normal(scale=3, size=2**players).round(2))


def game_with_null_player(rng: np.random.Generator, players: int, null: int) -> GameSpec:
    """Draw a game in which one player changes nothing."""
    worths, places = game(rng, players).worths, np.arange(2**players)
    return GameSpec(worths[places & ~(1 << null)])


def symmetric_game(rng: np.random.Generator, players: int) -> GameSpec:
    """Draw a game in which only the number of players counts."""
    by_size = rng.normal(scale=3, size=players + 1).round(2)
    return GameSpec(by_size[sizes(players)])


def sizes(players: int) -> Array:
    """Count the players of every coalition, in the order of a game's table."""
    return (np.arange(2**players)[:, None] >> np.arange(players) & 1).sum(axis=1)


def model(
    rng: np.random.Generator, features: int, outputs: int = 3, *, ignored: int | None = None, sure: bool = False
) -> ModelSpec:
    """Draw a function that is far from linear, so that mixing features in another way gives other scores.

    With `ignored`, one feature has no influence; with `sure`, it returns probabilities.
    """
    first = rng.normal(scale=1.2, size=(features, 6))
    if ignored is not None:
        first[ignored] = 0
    weights = [first, rng.normal(scale=1.5, size=(6, outputs))]
    biases = [rng.normal(size=6), rng.normal(size=outputs)]
    return ModelSpec("score_function", {"weights": weights, "biases": biases, "probabilities": sure})


def labelled(rng: np.random.Generator, spec: ModelSpec, batch: int, features: int) -> tuple[Array, Array]:
    """Draw inputs, and labels that the model gets right three times out of four; every class occurs."""
    inputs = rng.normal(size=(batch, features))
    scores = spec.shared(inputs)
    labels = np.where(rng.random(batch) < 0.75, scores.argmax(axis=1), rng.integers(scores.shape[1], size=batch))
    labels[: scores.shape[1]] = np.arange(scores.shape[1])
    return inputs, labels


def orders(rng: np.random.Generator, repeats: int, length: int) -> Array:
    """Draw permutations, one a row."""
    return np.stack([rng.permutation(length) for _ in range(repeats)])
