"""What becomes of networks trained on a language, for `automata.py`: four at a time, each read by every route."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from vitrina.automata import LANGUAGES, Language, read_by_all_routes, stability_report
from vitrina.automata.accepting import share_of_mistakes
from vitrina.automata.networks import RecurrentNetwork
from vitrina.automata.samples import training_words
from vitrina.automata.training import train
from vitrina.automata.weights import TRAININGS, Training

#: Networks that are trained at once.
BATCH = 4
#: Networks that are trained for one seed at most, until one passes its acceptance test.
MOST_TRIES = 8
#: Strength of both kinds of noise at test time, and of a kick.
DISTURBANCE = 0.5


def measure(name: str, training: Training, batch: int) -> list[dict[str, Any]]:
    """
    Train four networks; replace each that fails its acceptance test by another; read and judge first and last ones.

    Parameters
    ----------
    name
        Of the language.
    training
        How to train.
    batch
        Number of the batch: its four seeds are 4 batch to 4 batch + 3.

    Returns
    -------
    list of dict
        For each seed the `single` run (the first network), how many `tries` it took until one was `accepted`, and what
        the `final` one is like, None where it is the first.
    """
    language, recipe = LANGUAGES[name], TRAININGS[training]
    seeds = [BATCH * batch + place for place in range(BATCH)]
    runs: list[dict[str, Any]] = [{"language": name, "training": training, "seed": seed} for seed in seeds]
    waiting = runs
    for tries in range(1, MOST_TRIES + 1):
        seed, began = 1000 * batch + tries, time.process_time()
        networks = train(language.automaton, recipe, restarts=len(waiting), seed=seed)
        seconds = time.process_time() - began
        for run, network in zip(waiting, networks, strict=True):
            mistakes = share_of_mistakes(network, language.automaton, 3 * recipe.length, seed=500_000 + seed)
            run |= {"tries": tries, "accepted": not mistakes}
            if tries == 1:
                run |= {"seconds": seconds, "final": None, "single": judge(language, network, run["seed"])}
            elif not mistakes:
                run["final"] = judge(language, network, run["seed"])
        waiting = [run for run in waiting if not run["accepted"]]
        if not waiting:
            break
    return runs


def judge(language: Language, network: RecurrentNetwork, seed: int) -> dict[str, Any]:
    """Read an automaton from a network by every route, compare it with the true one, measure how stable it is."""
    empty = bool(language.automaton.outputs[language.automaton.start])
    words = training_words(language.automaton, 400, 50, seed=10_000 + seed)
    readings = read_by_all_routes(network, words, empty=empty, truth=language.automaton, seed=seed)
    stable = stability_report(
        network,
        language.automaton,
        seed=20_000 + seed,
        kicks=(DISTURBANCE,),
        noise=(("additive", DISTURBANCE), ("multiplicative", DISTURBANCE)),
    )
    routes = {
        each.route: {
            "equivalent": bool(each.verdict),
            "states": each.states,
            "minimal": len(each.automaton),
            "determinism": each.determinism,
            "seconds": each.seconds,
        }
        for each in readings
    }
    return {
        "routes": routes,
        "active": stable.active,
        "saturation": stable.saturation,
        "returns": asdict(stable.returns),
        "kick": stable.kicks[DISTURBANCE],
        "noise": {kind: right for (kind, _), right in stable.noise.items()},
        "lengths": {str(length): right for length, right in stable.lengths.items()},
    }
