"""Small trained networks at hand: one a language and way of training, trained once on a machine and then read.

`python -m vitrina.automata.weights` (or `make weights`) trains all of them and prints what became of each.
"""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from vitrina.automata.accepting import train_until_accepted
from vitrina.automata.addition import Architecture, number_pairs, pairs_of
from vitrina.automata.dual import DualNetwork, ElmanTransducer
from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.languages import LANGUAGES, Language, adder
from vitrina.automata.training import Recipe
from vitrina.automata.transducer_training import TransducerRecipe, train_transducer_until_accepted
from vitrina_datasets import cache_arrays, cache_folder

Training = Literal["plain", "l1", "additive", "multiplicative"]

#: Ways to train: nothing but the labels, few weights, and both noises that make states discrete.
TRAININGS: Mapping[Training, Recipe] = MappingProxyType(
    {
        "plain": Recipe(noise=0.0, l1=0.0),
        "l1": Recipe(noise=0.0),
        "additive": Recipe(),
        "multiplicative": Recipe(kind="multiplicative", noise=1.0),
    }
)

_DUAL = TransducerRecipe(units=4, noise=1.0, l1=1e-3)
_PLAIN = TransducerRecipe(units=16, noise=1.0, l1=1e-3, processing=0)
#: Adders: a dual network remembers the carry alone and takes few units; a plain one has to remember the digit as well.
ADDERS: Mapping[tuple[int, Architecture], TransducerRecipe] = MappingProxyType(
    {
        (2, "dual"): _DUAL,
        (3, "dual"): _DUAL,
        (4, "dual"): _DUAL,
        (2, "plain"): _PLAIN,
        (3, "plain"): _PLAIN,
        (4, "plain"): _PLAIN,
    }
)
_SOURCES = ("accepting.py", "elman.py", "languages.py", "networks.py", "samples.py", "training.py")
_ADDER_SOURCES = (
    "addition.py",
    "dual.py",
    "elman.py",
    "languages.py",
    "sequence_training.py",
    "transducer_training.py",
)


def trained_network(
    language: str, training: Training = "multiplicative", *, seed: int = 0, cache: Path | None = None
) -> ElmanNetwork:
    """
    Return a trained network of a language, from the cache or freshly trained, which takes a few seconds.

    Parameters
    ----------
    language
        Its name in `LANGUAGES`.
    training
        How: a key of `TRAININGS`.
    seed
        Another network for another seed.
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    ElmanNetwork
        One that passed its acceptance test, or the best where none did (`train_until_accepted`).

    Raises
    ------
    ValueError
        If there is no such language or way of training.
    """
    for name, known in ((language, LANGUAGES), (training, TRAININGS)):
        if name not in known:
            raise ValueError(f"{name!r} is none of {', '.join(known)}")
    recipe = TRAININGS[training]
    identity = hashlib.sha256(f"{language} {recipe} {seed} {_sources()}".encode()).hexdigest()[:12]
    path = (cache or cache_folder()) / f"network-{identity}.npz"
    stored = _read(path, LANGUAGES[language], recipe)
    if stored is not None:
        return stored
    network = train_until_accepted(LANGUAGES[language].automaton, recipe, seed=seed).network
    cache_arrays(path, {name: np.asarray(getattr(network, name)) for name in _parameters()})
    return network


def trained_adder(
    base: int, architecture: Architecture = "dual", *, seed: int = 0, cache: Path | None = None
) -> DualNetwork | ElmanTransducer:
    """
    Return a trained network that adds, from the cache or freshly trained, which takes some seconds.

    Parameters
    ----------
    base
        2, 3 or 4.
    architecture : {"dual", "plain"}
        A dual network, which reads as a Mealy machine, or a plain one, which reads as a Moore machine.
    seed
        Another network for another seed.
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    DualNetwork or ElmanTransducer
        One that passed its acceptance test, or the best where none did (`train_transducer_until_accepted`).

    Raises
    ------
    ValueError
        If there is no recipe for this base and architecture.
    """
    if (base, architecture) not in ADDERS:
        known = ", ".join(f"{base} {architecture}" for base, architecture in ADDERS)
        raise ValueError(f"there is no adder '{base} {architecture}': there are {known}")
    recipe, machine = ADDERS[base, architecture], adder(base)
    identity = hashlib.sha256(f"{base} {recipe} {seed} {_sources(_ADDER_SOURCES)}".encode()).hexdigest()[:12]
    path = (cache or cache_folder()) / f"adder-{identity}.npz"
    kind = DualNetwork if recipe.processing else ElmanTransducer
    told: dict[str, Any] = {"alphabet": machine.alphabet, "outputs": tuple(range(base))}
    told |= {"sees": recipe.sees} if recipe.processing else {}
    names = [field.name for field in fields(kind) if field.name not in told]
    stored = _load(path, names)
    if stored is not None and stored["inputs"].shape == (len(machine.alphabet), recipe.units):
        return kind(**told, **stored)
    network = train_transducer_until_accepted(machine, recipe, draw=pairs_of(base), seed=seed).network
    cache_arrays(path, {name: getattr(network, name) for name in names})
    return network


def _sources(names: tuple[str, ...] = _SOURCES) -> str:
    """What decides the weights besides recipe and seed."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in names)).hexdigest()


def _parameters() -> list[str]:
    return [field.name for field in fields(ElmanNetwork) if field.name != "alphabet"]


def _read(path: Path, language: Language, recipe: Recipe) -> ElmanNetwork | None:
    """Return the network of a file, or None where there is no sound one."""
    arrays = _load(path, _parameters())
    if arrays is None or arrays["inputs"].shape != (len(language.automaton.alphabet), recipe.units):
        return None
    network = ElmanNetwork(language.automaton.alphabet, **arrays)
    return replace(network, offset=float(arrays["offset"]))


def _load(path: Path, names: list[str]) -> dict[str, Any] | None:
    """Return the arrays of a file, or None where they are not all there."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _train_adders() -> None:
    from vitrina.automata.elman import saturation

    print(f"\n{'adder, base':12}{'network':16}{'accuracy':>10}{'saturated':>11}{'seconds':>9}")
    for base, architecture in ADDERS:
        began = time.perf_counter()
        network = trained_adder(base, architecture)
        took = time.perf_counter() - began
        words = number_pairs(base, 20, 1000, seed=1)
        right, saturated = network.accuracy(adder(base), words), saturation(network.states(words)[:, 1:])
        print(f"{base:<12}{architecture:16}{right:10.4f}{saturated:11.2f}{took:9.1f}", flush=True)


def main() -> None:
    """Train, or read, a network for each language and way of training, and the adders; print how well they do."""
    from vitrina.automata.elman import saturation
    from vitrina.automata.samples import training_words

    print(f"{'language':12}{'training':16}{'accuracy':>10}{'saturated':>11}{'seconds':>9}")
    for language in LANGUAGES.values():
        for training in TRAININGS:
            began = time.perf_counter()
            network = trained_network(language.name, training)
            took = time.perf_counter() - began
            words = training_words(language.automaton, 20, 1000, seed=1)
            right = network.accuracy(language.automaton, words)
            saturated = saturation(network.states(words)[:, 1:])
            print(f"{language.name:12}{training:16}{right:10.4f}{saturated:11.2f}{took:9.1f}", flush=True)
    _train_adders()


if __name__ == "__main__":
    main()
