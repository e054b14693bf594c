"""Training dual and plain networks to be a transducer, for instance an adder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, get_args

import numpy as np

from vitrina.automata.dual import DualNetwork, ElmanTransducer, Sees
from vitrina.automata.machines import MealyMachine, States, Symbol
from vitrina.automata.networks import Floats
from vitrina.automata.sequence_training import SequenceTrainer, Variable
from vitrina.automata.training import Recipe, check_numbers, check_recipe

#: Draws words: how many, of what length, and the seed.
Draw = Callable[[int, int, int], States]
_Network = TypeVar("_Network", DualNetwork, ElmanTransducer)


@dataclass(frozen=True)
class TransducerRecipe(Recipe):
    """
    How to train a transducer: `Recipe`, whose `l1` is for the memory here, and what concerns the processing.

    Attributes
    ----------
    processing
        Units between memory and output; 0 for a plain network, which has none.
    l1_processing
        Weight of the sizes of the processing's own weights (in the authors' code: W_xc and W_cy; in a plain network:
        the readout).
    sees : {"before", "after"}
        Whether the processing sees the memory before or after the symbol: see `vitrina.automata.dual`.
    """

    processing: int = 16
    l1_processing: float = 0.0
    sees: Sees = "before"


@dataclass(frozen=True, eq=False)
class TrainedTransducer:
    """
    A network and how it was come by.

    Attributes
    ----------
    network : DualNetwork or ElmanTransducer
        The first that was accepted, else the one with the fewest mistakes.
    accepted : bool
        Whether it made no mistake on the words of its acceptance test.
    tries : int
        How many networks were trained.
    """

    network: DualNetwork | ElmanTransducer
    accepted: bool
    tries: int


def train_transducer(
    machine: MealyMachine, recipe: TransducerRecipe | None = None, *, draw: Draw | None = None, seed: int
) -> DualNetwork | ElmanTransducer:
    """
    Train a network to say what a machine says.

    Parameters
    ----------
    machine
        Says what is right for the training words; the network never sees it.
    recipe
        How; by itself `TransducerRecipe()`, a dual network.
    draw : callable, optional
        Draws words: `draw(count, length, seed)` gives numbers of symbols (count, length). By itself each symbol is as
        likely.
    seed
        The same network again for the same seed.

    Returns
    -------
    DualNetwork, or ElmanTransducer where the recipe has no processing

    Raises
    ------
    ValueError
        If the recipe makes no sense.
    """
    how = recipe or TransducerRecipe()
    _check(how)
    outputs = tuple(np.unique(machine.outputs).tolist())
    features = symbol_features(machine.alphabet)
    generator = np.random.default_rng(seed)
    words_seed, fit_seed = generator.integers(2**31, size=2).tolist()
    words = (draw or _any_words(machine))(how.words, how.length, words_seed)
    targets = np.searchsorted(outputs, machine.outputs[machine.run(words)[:, :-1], words])
    first = _first_weights(features.shape[1], len(outputs), how, generator)
    weights = _trainer(how, features.shape[1], len(outputs)).fit(
        list(first.values()), features[words], targets, how, seed=fit_seed
    )
    return _network(machine.alphabet, outputs, features, dict(zip(first, weights, strict=True)), how)


def train_transducer_until_accepted(
    machine: MealyMachine,
    recipe: TransducerRecipe | None = None,
    *,
    draw: Draw | None = None,
    tries: int = 6,
    seed: int,
) -> TrainedTransducer:
    """
    Train networks until one passes its acceptance test: no mistake on 400 fresh words, three times as long.

    Parameters
    ----------
    machine, recipe, draw
        As in `train_transducer`.
    tries
        How many networks at most.
    seed
        The same network again for the same seed.

    Returns
    -------
    TrainedTransducer

    Raises
    ------
    ValueError
        If the recipe makes no sense, or there is to be no try.
    """
    how = recipe or TransducerRecipe()
    if tries < 1:
        raise ValueError(f"tries must be at least 1, got {tries}")
    best, most = None, -1.0
    for number, (train_seed, test_seed) in enumerate(np.random.default_rng(seed).integers(2**31, size=(tries, 2))):
        network = train_transducer(machine, how, draw=draw, seed=int(train_seed))
        words = (draw or _any_words(machine))(400, 3 * how.length, int(test_seed))
        right = network.accuracy(machine, words)
        if right == 1:
            return TrainedTransducer(network, True, number + 1)
        if best is None or right > most:
            best, most = network, right
    assert best is not None
    return TrainedTransducer(best, False, tries)


def symbol_features(alphabet: tuple[Symbol, ...]) -> Floats:
    """
    Write symbols as zeros and ones: one place for each symbol, but a pair has a place for each of its parts.

    So the network is told which digits it is given, not merely which of base * base pairs.

    Parameters
    ----------
    alphabet
        Symbols; tuples among them are taken apart.

    Returns
    -------
    array, shape (symbols, features)
    """
    parts: list[list[Any]] = [
        [*enumerate(symbol)] if isinstance(symbol, tuple) else [symbol]  # pyright: ignore[reportUnknownArgumentType]
        for symbol in alphabet
    ]
    names = list(dict.fromkeys(part for symbol in parts for part in symbol))
    return np.array([[float(name in symbol) for name in names] for symbol in parts])


def _any_words(machine: MealyMachine) -> Draw:
    return lambda count, length, seed: np.random.default_rng(seed).integers(len(machine.alphabet), size=(count, length))


def _check(how: TransducerRecipe) -> None:
    check_recipe(how)
    check_numbers(how, counts=(), amounts=("processing", "l1_processing"))
    if how.sees not in get_args(Sees):
        raise ValueError(f"sees is 'before' or 'after', got {how.sees!r}")


def _first_weights(
    features: int, outputs: int, how: TransducerRecipe, generator: np.random.Generator
) -> dict[str, Floats]:
    """Draw weights; the recurrent ones are orthogonal, so that at first nothing fades and nothing grows."""

    def drawn(rows: int, columns: int) -> Floats:
        return generator.standard_normal((rows, columns)) * np.sqrt(1 / rows)

    weights = {
        "inputs": drawn(features, how.units),
        "recurrent": np.linalg.qr(generator.standard_normal((how.units, how.units)))[0],
        "bias": np.zeros(how.units),
    }
    if how.processing:
        weights |= {
            "drive": drawn(features, how.processing),
            "recall": drawn(how.units, how.processing),
            "threshold": np.zeros(how.processing),
        }
    return weights | {"readout": drawn(how.processing or how.units, outputs), "offset": np.zeros(outputs)}


@lru_cache(maxsize=4)
def _trainer(how: TransducerRecipe, features: int, outputs: int) -> SequenceTrainer:
    """The trainer of all networks of a recipe: its step is traced once."""
    import tensorflow as tf

    l1 = {"inputs": how.l1, "recurrent": how.l1, "recall": how.l1}
    l1 |= {"drive": how.l1_processing, "readout": how.l1_processing}
    shapes = _first_weights(features, outputs, how, np.random.default_rng(0))
    weights = {name: tf.Variable(tf.zeros(value.shape)) for name, value in shapes.items()}

    def forward(given: Any, strength: Any, seed: Any) -> Any:
        noise = strength * tf.random.stateless_normal((how.length, how.batch, how.units), seed)
        return _forward(weights, given, noise, how)

    variables = [Variable(tensor, l1.get(name, 0.0)) for name, tensor in weights.items()]
    return SequenceTrainer(forward, variables, clip=how.clip)


def _forward(weights: dict[str, Any], given: Any, noise: Any, how: TransducerRecipe) -> Any:
    """Logits, (batch, length, outputs), for features (batch, length, features) and noise (length, batch, units)."""
    import tensorflow as tf

    drives = given @ weights["inputs"] + weights["bias"]
    memory = [tf.zeros_like(drives[:, 0])]
    for time in range(how.length):
        disturbance = noise[time] * (memory[-1] if how.kind == "multiplicative" else 1.0)
        memory.append(tf.tanh(drives[:, time] + memory[-1] @ weights["recurrent"] + disturbance))
    seen = tf.stack(memory[:-1] if how.processing and how.sees == "before" else memory[1:], axis=1)
    if how.processing:
        seen = tf.tanh(given @ weights["drive"] + seen @ weights["recall"] + weights["threshold"])
    return seen @ weights["readout"] + weights["offset"]


def _network(
    alphabet: tuple[Symbol, ...],
    outputs: tuple[Any, ...],
    features: Floats,
    weights: dict[str, Floats],
    how: TransducerRecipe,
) -> DualNetwork | ElmanTransducer:
    """Put the trained weights into a network that reads numbers of symbols."""
    by_symbol = {name: features @ weights[name] for name in ("inputs", "drive") if name in weights}
    weights = {**weights, **by_symbol}
    if how.processing:
        return DualNetwork(alphabet=alphabet, outputs=outputs, sees=how.sees, **weights)
    return ElmanTransducer(alphabet=alphabet, outputs=outputs, **weights)
