"""LSTM and GRU beside the Elman network: whether they learn the languages, and what machine is read from them.

    python course/benchmarks/gated.py                 three seeds of eight languages: some five minutes of processor
    python course/benchmarks/gated.py --seeds 1 --languages parity "Tomita 7"

A single run each, with no acceptance test. The Elman network is trained with the noise of the papers; gated ones have
none. `12` and `1,000` are the accuracy on fresh words of that length, 12 being what they were trained on. Then come the
runs whose automaton is *equivalent* to the true one, by route of `vitrina.automata.routes`; the states that the signs
name before minimising; the share of what the units say that is beyond 0.9 in size; seconds of training, the first run's
tracing of a step included.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrina.automata import PARITY, TOMITA, Language
from vitrina.automata.elman import saturation
from vitrina.automata.gated import train_gated
from vitrina.automata.networks import RecurrentNetwork
from vitrina.automata.routes import read_automaton
from vitrina.automata.samples import training_words
from vitrina.automata.training import train
from vitrina.automata.weights import TRAININGS

LANGUAGES = {language.name: language for language in (*TOMITA.values(), PARITY)}
CELLS = ("elman", "lstm", "gru")
EXACT = ("sign", "clusters", "questions")


@dataclass(frozen=True)
class Run:
    """One network, trained and read."""

    learnt: float
    accuracy: float
    exact: dict[str, bool]
    states: int
    saturated: float
    seconds: float


def trained(cell: Any, language: Language, seed: int) -> tuple[RecurrentNetwork, int]:
    """Train a network, and say how many of its state's numbers are what its units say."""
    if cell == "elman":
        network = train(language.automaton, TRAININGS["multiplicative"], restarts=1, seed=seed)[0]
        return network, len(network.bias)
    gated = train_gated(language.automaton, cell, seed=seed)
    return gated, gated.units


def measure(cell: str, language: Language, seed: int) -> Run:
    """Train one network and read it by each route."""
    began = time.process_time()
    network, units = trained(cell, language, seed)
    seconds = time.process_time() - began
    automaton = language.automaton
    long = training_words(automaton, 20, 1000, seed=seed + 1)
    words = training_words(automaton, 400, 50, seed=seed + 2)
    readings = {
        route: read_automaton(network, words, empty=language.contains(""), route=route, truth=automaton)
        for route in EXACT
    }
    return Run(
        network.accuracy(automaton, training_words(automaton, 400, 12, seed=seed + 3)),
        network.accuracy(automaton, long),
        {route: bool(reading.verdict) for route, reading in readings.items()},
        readings["sign"].states,
        saturation(network.states(words)[:, 1:, :units]),
        seconds,
    )


def line(cell: str, name: str, runs: list[Run]) -> str:
    """Write one row of the table."""
    exact = "".join(f"{sum(run.exact[route] for run in runs):>8}/{len(runs)}" for route in EXACT)
    states = [run.states for run in runs]
    short, long, saturated, seconds = np.nanmean(
        [(run.learnt, run.accuracy, run.saturated, run.seconds) for run in runs], axis=0
    )
    named = f"{min(states):>8}-{max(states):<5}"
    return f"{cell:7}{name:10}{short:8.4f}{long:8.4f}{exact}{named}{saturated:6.2f}{seconds:8.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--languages", nargs="+", default=list(LANGUAGES), choices=list(LANGUAGES))
    options = parser.parse_args()
    routes = "".join(f"{route:>10}" for route in EXACT)
    print(f"{'cell':7}{'language':10}{'12':>8}{'1,000':>8}{routes}{'states':>11}{'satur.':>9}{'seconds':>8}")
    for cell in CELLS:
        every: list[Run] = []
        for name in options.languages:
            runs = [measure(cell, LANGUAGES[name], seed) for seed in range(options.seeds)]
            every += runs
            print(line(cell, name, runs), flush=True)
        print(line(cell, "all", every), flush=True)


if __name__ == "__main__":
    main()
