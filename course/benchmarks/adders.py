"""Networks that add: what a dual and a plain network keep in mind, and which machine is read from them.

    python course/benchmarks/adders.py                     three seeds of bases 2 and 4: some two minutes of processor
    python course/benchmarks/adders.py --seeds 5 --bases 2 3 4

Each is trained until one is accepted (no mistake on 400 pairs of numbers of 36 digits). The dual network is read as a
Mealy machine, with its processing before and after the symbol, the plain one as a Moore machine. `signs` and `rounded`
count the machines *equivalent* to the true adder, the memory's states being named by their signs, or by rounding to -1,
0 and 1. `states` are those that the signs name, the start among them, `minimal` those that are left, `agree` says how
far what is said follows from what the machine looks at. `1,000` is the accuracy on numbers of that many digits; seconds
are of the processor, the first network's tracing of a step included.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from vitrina.automata import adder, by_rounding, by_sign, equivalent, read_mealy, read_moore
from vitrina.automata.addition import number_pairs, pairs_of
from vitrina.automata.elman import saturation
from vitrina.automata.transducer_training import TransducerRecipe, train_transducer_until_accepted
from vitrina.automata.weights import ADDERS


@dataclass(frozen=True)
class Run:
    """One network, trained and read."""

    accepted: bool
    tries: int
    accuracy: float
    exact: bool
    rounded: bool
    states: int
    minimal: int
    agreement: float
    saturated: float
    seconds: float


def recipes(base: int) -> dict[str, TransducerRecipe]:
    """Return the ways to train that there are for a base."""
    found: dict[str, TransducerRecipe] = {}
    if (base, "dual") in ADDERS:
        dual = ADDERS[base, "dual"]
        found |= {"dual, before": replace(dual, sees="before"), "dual, after": replace(dual, sees="after")}
    return found | ({"plain": ADDERS[base, "plain"]} if (base, "plain") in ADDERS else {})


def measure(base: int, recipe: TransducerRecipe, seed: int) -> Run:
    """Train one network and read its machine."""
    true, words = adder(base), number_pairs(base, 400, 50, seed=seed)
    began = time.process_time()
    trained = train_transducer_until_accepted(true, recipe, draw=pairs_of(base), seed=seed)
    seconds = time.process_time() - began
    network: Any = trained.network
    read, right = (read_mealy, true) if recipe.processing else (partial(read_moore, first=0), true.moore(0))
    found, rounded = (read(network, words, name_states=named) for named in (by_sign, by_rounding))
    return Run(
        trained.accepted,
        trained.tries,
        network.accuracy(true, number_pairs(base, 20, 1000, seed=seed)),
        bool(equivalent(found.machine, right)),
        bool(equivalent(rounded.machine, right)),
        found.states,
        len(found.machine),
        found.observation.agreement,
        saturation(network.states(words)[:, 1:]),
        seconds,
    )


def line(base: int, name: str, runs: list[Run]) -> str:
    """Write one row of the table."""
    ranges = [sorted(getattr(run, what) for run in runs) for what in ("states", "minimal")]
    return (
        f"{base:<5}{name:14}{sum(run.accepted for run in runs):>6}/{len(runs)}{np.mean([r.tries for r in runs]):7.1f}"
        f"{np.mean([run.accuracy for run in runs]):9.5f}{sum(run.exact for run in runs):>5}/{len(runs)}"
        f"{sum(run.rounded for run in runs):>7}/{len(runs)}"
        + "".join(f"{least:>6}-{most:<4}" for least, *_, most in (values * 2 for values in ranges))
        + f"{np.mean([run.agreement for run in runs]):8.4f}{np.mean([run.saturated for run in runs]):7.2f}"
        f"{np.mean([run.seconds for run in runs]):9.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bases", type=int, nargs="+", default=[2, 4], choices=sorted({base for base, _ in ADDERS}))
    options = parser.parse_args()
    print(
        f"{'base':5}{'network':14}{'accepted':>8}{'tries':>7}{'1,000':>9}{'signs':>7}{'rounded':>9}{'states':>11}{'minimal':>11}"
        f"{'agree':>8}{'satur.':>7}{'seconds':>9}"
    )
    for base in options.bases:
        for name, recipe in recipes(base).items():
            runs = [measure(base, recipe, seed) for seed in range(options.seeds)]
            print(line(base, name, runs), flush=True)


if __name__ == "__main__":
    main()
