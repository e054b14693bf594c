"""Two trained networks that the notebook looks into: the same language, learnt without noise and with it."""

from pathlib import Path

import numpy as np

from vitrina.automata.weights import Training, trained_network

LANGUAGE = "Tomita 5"
_WAYS: dict[str, Training] = {"plain": "plain", "noisy": "multiplicative"}
_NAMES = {"W": "inputs", "U": "recurrent", "b": "bias", "v": "readout", "c": "offset"}


def write_networks(path: Path) -> None:
    """Train both, or read them where they are at hand, and write their parameters."""
    arrays = {
        f"{way}_{short}": np.asarray(getattr(trained_network(LANGUAGE, training), long))
        for way, training in _WAYS.items()
        for short, long in _NAMES.items()
    }
    with path.open("wb") as file:
        np.savez(file, **arrays)


MATERIALS = {"networks.npz": write_networks}
