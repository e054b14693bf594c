"""The loans that the notebook audits: six columns of German credit, and the model that decides on them."""

from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier

from vitrina_datasets import german_credit

COLUMNS = ("status", "duration", "amount", "savings", "employment_duration", "age")
NAMES = ("account", "duration", "amount", "savings", "employed", "age")
_HIDDEN = 6


def write_credit(path: Path) -> None:
    """Train a small network on the training part; write it with the data, the same bytes every time."""
    train, test = german_credit.load().split(test=0.3, seed=0)
    inputs = [np.stack([part.values[:, part.index(name)] for name in COLUMNS], axis=1) for part in (train, test)]
    mean, deviation = inputs[0].mean(axis=0), inputs[0].std(axis=0)
    network = MLPClassifier((_HIDDEN,), activation="tanh", solver="lbfgs", alpha=3.0, max_iter=3000, random_state=0)
    network.fit((inputs[0] - mean) / deviation, train.targets)
    (first, last), (first_bias, last_bias) = network.coefs_, network.intercepts_
    arrays = {
        "names": np.array(NAMES),
        "train_inputs": inputs[0],
        "train_labels": train.targets,
        "test_inputs": inputs[1],
        "test_labels": test.targets,
        "weights_0": first / deviation[:, None],
        "bias_0": first_bias - mean / deviation @ first,
        "weights_1": np.column_stack([-last[:, 0], last[:, 0]]) / 2,  # the softmax of ±z/2 is the logistic of z
        "bias_1": np.array([-last_bias[0], last_bias[0]]) / 2,
    }
    with path.open("wb") as file:
        np.savez(file, **arrays)


MATERIALS = {"credit.npz": write_credit}
