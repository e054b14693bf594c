"""Trained networks are trained once, read afterwards, and trained again where the file is not sound."""

from dataclasses import replace

import numpy as np
import pytest

from vitrina.automata import LANGUAGES, MealyMachine, adder, by_rounding, equivalent, weights
from vitrina.automata.addition import add, number_pairs, written_adder
from vitrina.automata.samples import training_words
from vitrina.automata.training import Recipe
from vitrina.automata.transducer_training import TrainedTransducer, TransducerRecipe
from vitrina.automata.transducers import read_mealy, read_moore
from vitrina.automata.weights import trained_adder, trained_network


@pytest.fixture
def trainings(monkeypatch):
    """Count how often a network is trained, and make that quick."""
    counted, train = [], weights.train_until_accepted
    monkeypatch.setattr(weights, "TRAININGS", {"plain": Recipe(units=4, steps=200, l1=0.0, noise=0.0)})

    def counting(*arguments, **options):
        counted.append(arguments)
        return train(*arguments, **options, restarts=1, rounds=1)

    monkeypatch.setattr(weights, "train_until_accepted", counting)
    return counted


def test_a_network_is_trained_once(trainings, tmp_path):
    words = training_words(LANGUAGES["parity"].automaton, 5, 20, seed=0)
    first = trained_network("parity", "plain", cache=tmp_path)
    again = trained_network("parity", "plain", cache=tmp_path)
    assert len(trainings) == 1
    assert np.array_equal(first.states(words), again.states(words))
    assert np.array_equal(first.accepts(words), again.accepts(words))
    trained_network("parity", "plain", seed=1, cache=tmp_path)
    trained_network("Tomita 1", "plain", cache=tmp_path)
    assert len(trainings) == 3


@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_a_damaged_file_is_made_again(trainings, tmp_path, damage):
    first = trained_network("parity", "plain", cache=tmp_path)
    (path,) = tmp_path.iterdir()
    if damage is None:
        np.savez(path, **dict.fromkeys(["inputs", "recurrent", "bias", "readout", "offset"], np.zeros((3, 3))))
    else:
        path.write_bytes(damage)
    again = trained_network("parity", "plain", cache=tmp_path)
    assert len(trainings) == 2
    assert np.array_equal(first.recurrent, again.recurrent)


@pytest.mark.parametrize(("language", "training"), [("Tomita 8", "plain"), ("parity", "loud")])
def test_what_is_not_there_is_refused(trainings, tmp_path, language, training):
    with pytest.raises(ValueError, match="is none of"):
        trained_network(language, training, cache=tmp_path)
    assert not trainings


@pytest.fixture
def adders(monkeypatch):
    """Count how often an adder is trained; what is handed out is written by hand, shifted a little by the seed."""
    counted: list[MealyMachine] = []
    known = {(2, "dual"): TransducerRecipe(units=1), (2, "plain"): TransducerRecipe(units=3, processing=0)}
    monkeypatch.setattr(weights, "ADDERS", known)

    def trained(machine, recipe, *, draw, seed):
        assert draw(4, 2, 0).shape == (4, 2)
        counted.append(machine)
        network = written_adder(2, "dual" if recipe.processing else "plain")
        return TrainedTransducer(replace(network, offset=network.offset + seed), True, 1)

    monkeypatch.setattr(weights, "train_transducer_until_accepted", trained)
    return counted


@pytest.mark.parametrize("architecture", ["dual", "plain"])
def test_an_adder_is_trained_once_and_again_where_its_file_is_damaged(adders, tmp_path, architecture):
    words = number_pairs(2, 5, 20, seed=0)
    first, again = (trained_adder(2, architecture, cache=tmp_path) for _ in range(2))
    assert len(adders) == 1
    assert type(first) is type(again)
    assert np.array_equal(first.spoken(words), again.spoken(words))
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"no zip")
    assert np.array_equal(first.spoken(words), trained_adder(2, architecture, cache=tmp_path).spoken(words))
    assert len(adders) == 2
    other = trained_adder(2, architecture, seed=1, cache=tmp_path)
    assert not np.array_equal(first.spoken(words), other.spoken(words))


def test_an_adder_that_is_not_there_is_refused(adders, tmp_path):
    with pytest.raises(ValueError, match="no adder '7 dual': there are 2 dual, 2 plain"):
        trained_adder(7, cache=tmp_path)
    assert not adders


@pytest.mark.slow
@pytest.mark.parametrize("base", [2, 4])
@pytest.mark.parametrize("seed", [0, 1])
def test_trained_adders_are_the_machines_that_add(base, seed):
    """The dual network is the Mealy machine of the carry; the plain one is the Moore machine of carry and digit."""
    words = number_pairs(base, 400, 50, seed=9)
    dual, plain = (trained_adder(base, architecture, seed=seed) for architecture in ("dual", "plain"))
    # Of many states some have a unit near 0, whose sign is chance; `agreement` says so.
    mealy, moore = read_mealy(dual, words), read_moore(plain, words, first=0, name_states=by_rounding)
    assert moore.observation.agreement > 0.9999
    assert equivalent(mealy.machine, adder(base))
    assert len(mealy.machine) == 2
    assert equivalent(moore.machine, adder(base).moore(0))
    assert len(moore.machine) == 2 * base
    assert mealy.states < moore.states
    assert equivalent(moore.machine.mealy(), mealy.machine)
    generator = np.random.default_rng(seed)
    for network in (dual, plain):
        for _ in range(5):
            first, second = (int("".join(map(str, generator.integers(10, size=1000)))) for _ in range(2))
            assert add(network, first, second) == first + second
        assert add(network, base**1000 - 1, 1) == base**1000  # one carry, all the way
