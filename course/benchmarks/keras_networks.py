"""
What the Keras trainers of week 3 reach, printed as they go.

    python course/benchmarks/keras_networks.py languages --seeds 1
    python course/benchmarks/keras_networks.py streams --seeds 3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitrina.automata import PARITY, TOMITA, Language, equivalent, stream
from vitrina.automata.elman import extract
from vitrina.automata.keras_streams import StreamRecipe, extract_after_reset, train_on_stream, with_reset
from vitrina.automata.keras_training import train_until_accepted
from vitrina.automata.stability import active_units
from vitrina.automata.training import training_words

#: As in the papers: noise alone, with L1, and with shocks too.
SETTINGS = {
    "noise": StreamRecipe(l1=0.0, shock=0.0),
    "noise, L1": StreamRecipe(shock=0.0),
    "noise, L1, shock": StreamRecipe(),
}


def languages(seeds: int) -> None:
    """Train on Tomita 1-7 and parity until accepted, extract, and prove."""
    print(f"{'language':10}{'seed':>5}{'accepted':>10}{'tries':>7}{'equivalent':>12}{'CPU s':>8}{'wall s':>8}")
    for seed in range(seeds):
        cpu, wall, right = time.process_time(), time.perf_counter(), 0
        for language in (*TOMITA.values(), PARITY):
            right += _language(language, seed)
        spent = time.process_time() - cpu, time.perf_counter() - wall
        print(f"{'all':10}{seed:5}{'':17}{right:10}/8{spent[0]:8.1f}{spent[1]:8.1f}", flush=True)


def _language(language: Language, seed: int) -> bool:
    cpu, wall = time.process_time(), time.perf_counter()
    done = train_until_accepted(language.automaton, seed=seed)
    words = training_words(language.automaton, 400, 50, seed=1)
    right = equivalent(extract(done.network, words, empty=language.contains("")).automaton, language.automaton)
    spent = time.process_time() - cpu, time.perf_counter() - wall
    shown = f"{language.name:10}{seed:5}{done.accepted!s:>10}{done.tries:7}{bool(right)!s:>12}"
    print(f"{shown}{spent[0]:8.1f}{spent[1]:8.1f}", flush=True)
    return bool(right)


def streams(seeds: int, names: Sequence[str], updates: int) -> None:
    """Train as the papers do, and print the accuracy on the four kinds of streams they test on."""
    columns = f"{'train':>8}{'long':>8}{'all a':>8}{'all b':>8}{'active':>8}{'states':>8}{'equivalent':>12}"
    print(f"{'language':10}{'setting':18}{'seed':>5}{columns}{'updates':>9}  shocks")
    for setting, recipe in SETTINGS.items():
        how = replace(recipe, updates=updates or recipe.updates)
        for language in (each for each in TOMITA.values() if each.name[-1] in names):
            for seed in range(seeds):
                print(f"{language.name:10}{setting:18}{seed:5}{_stream(language, how, seed)}", flush=True)


def _stream(language: Language, how: StreamRecipe, seed: int) -> str:
    done, machine = train_on_stream(language.automaton, how, seed=seed), with_reset(language.automaton)
    kinds = ({"symbols": 50_000, "seed": 90}, {"symbols": 20_000, "reset": 0.01, "seed": 91})
    extremes = ({**kinds[1], "symbols": 15_000, "weights": weights} for weights in ((99, 1), (1, 99)))
    reads = [machine.encode(stream(language.automaton, **kind).text)[np.newaxis] for kind in (*kinds, *extremes)]  # pyright: ignore[reportArgumentType]
    shares = "".join(f"{100 * done.network.accuracy(machine, read):8.2f}" for read in reads)
    active = active_units(done.network.states(reads[0])[:, 1:])
    found = extract_after_reset(done.network, reads[0])
    right = bool(equivalent(found.automaton, machine))
    return f"{shares}{active:8}{found.states:8}{right!s:>12}{100 * len(done.losses):9}  {done.shocks}"


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("languages", "streams"))
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0")
    parser.add_argument("--tomita", default="356", help="for streams: which of Tomita's languages")
    parser.add_argument("--updates", type=int, default=0, help="for streams: at most so many")
    given = parser.parse_args()
    if given.what == "languages":
        languages(given.seeds)
    else:
        streams(given.seeds, given.tomita, given.updates)


if __name__ == "__main__":
    main()
