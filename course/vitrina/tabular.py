"""Models of tables, and how good they are: a small network and boosted trees, trained in seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vitrina.models import Array, dense_network
from vitrina.trained import with_weights
from vitrina_datasets.encoding import Encoding, one_hot
from vitrina_datasets.tables import Table

if TYPE_CHECKING:
    import keras
    from sklearn.ensemble import GradientBoostingClassifier

__all__ = ["Calibration", "Performance", "TabularNetwork", "boosted_trees", "calibration", "network", "performance"]

_HIDDEN = (32, 16)
_EPOCHS = 5
_BATCH = 128


@dataclass(frozen=True)
class TabularNetwork:
    """
    A network and what turns a table into its inputs.

    Attributes
    ----------
    model
        Maps `encoding.encode(table)` to logits (batch, classes).
    encoding
        One-hot, with means and standard deviations of the training part.
    """

    model: keras.Sequential
    encoding: Encoding

    def chances(self, table: Table) -> Array:
        """
        Say how likely each class is for each row.

        Parameters
        ----------
        table
            With the columns of the training part.

        Returns
        -------
        float64, shape (rows, classes)
            Softmax of the logits.
        """
        from vitrina.explain.black_box import scoring

        return np.asarray(scoring(self.model, output="probability")(self.encoding.encode(table)), np.float64)


@dataclass(frozen=True)
class Calibration:
    """
    What became of those to whom a model gave about the same probability, bin by bin; bins without rows are left out.

    Attributes
    ----------
    said, happened : array, shape (bins,)
        Mean probability of class 1, and share of class 1.
    counts : array, shape (bins,)
        Rows in the bin.
    """

    said: Array
    happened: Array
    counts: npt.NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance between said and happened, over the rows."""
        return float(np.average(np.abs(self.said - self.happened), weights=self.counts))


@dataclass(frozen=True)
class Performance:
    """
    How good probabilities are, three questions and three answers.

    Attributes
    ----------
    accuracy
        Share of rows whose more likely class is right. 1 is best.
    auc
        Chance that a row of class 1 gets a higher probability than one of class 0 (ROC AUC); NaN if one is missing.
    brier
        Mean squared distance between probability and class. 0 is best.
    calibration
        Whether a probability means what it says.
    """

    accuracy: float
    auc: float
    brier: float
    calibration: Calibration

    def __str__(self) -> str:
        return (
            f"accuracy {self.accuracy:.1%}, AUC {self.auc:.3f}, Brier score {self.brier:.3f}, "
            f"calibration error {self.calibration.error:.3f}"
        )


def network(train: Table, *, seed: int = 0, cache: Path | None = None) -> TabularNetwork:
    """
    Return a small network trained on a table: seconds once, then read from the cache.

    One-hot inputs, 32 and 16 ReLU units, logits. The same table and seed give the same network.

    Parameters
    ----------
    train
        The training part.
    seed
        Draws the initial weights and the order of the rows.
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    TabularNetwork

    Raises
    ------
    ValueError
        If the table has no rows.
    """
    encoding = one_hot(train)
    inputs, targets = encoding.encode(train), train.targets
    sizes = list(pairwise([inputs.shape[1], *_HIDDEN, len(train.target_names)]))
    data = hashlib.sha256(inputs.tobytes() + targets.tobytes()).hexdigest()
    return TabularNetwork(
        with_weights(
            lambda: dense_network(
                [np.zeros(s, np.float32) for s in sizes], [np.zeros(n, np.float32) for _, n in sizes]
            ),
            lambda model: _train(model, inputs, targets, np.random.default_rng(seed)),
            name="table-network",
            recipe=f"{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()} {data} {seed}",
            cache=cache,
        ),
        encoding,
    )


def boosted_trees(train: Table, *, seed: int = 0) -> GradientBoostingClassifier:
    """
    Train gradient boosting on a table: 100 trees of depth 3, a second or two for 30,000 rows.

    Categories are taken by their positions: a tree can cut them out one by one, in whatever order they stand.

    Parameters
    ----------
    train
        The training part, with two classes.
    seed
        Draws the half of the rows that each tree sees.

    Returns
    -------
    GradientBoostingClassifier
        Takes the `values` of a table.
    """
    from sklearn.ensemble import GradientBoostingClassifier

    trees = GradientBoostingClassifier(learning_rate=0.2, max_depth=3, subsample=0.5, random_state=seed)
    return trees.fit(train.values, train.targets)


def performance(chances: npt.ArrayLike, targets: npt.ArrayLike, *, bins: int = 10) -> Performance:
    """
    Measure probabilities of class 1 against what came true.

    Parameters
    ----------
    chances : shape (rows,)
        Probabilities of class 1.
    targets : shape (rows,)
        Classes, 0 or 1.
    bins
        Of equal width, for the calibration.

    Returns
    -------
    Performance

    Raises
    ------
    ValueError
        If there is no row, or chances and targets are not such numbers.
    """
    from sklearn.metrics import roc_auc_score

    said, true = checked(chances, targets)
    auc = float(roc_auc_score(true, said)) if 0 < true.mean() < 1 else float("nan")
    return Performance(
        accuracy=float(np.mean((said >= 0.5) == true)),
        auc=auc,
        brier=float(np.mean((said - true) ** 2)),
        calibration=calibration(said, true, bins=bins),
    )


def calibration(chances: npt.ArrayLike, targets: npt.ArrayLike, *, bins: int = 10) -> Calibration:
    """
    Compare probabilities with what came true, in bins of equal width.

    Parameters
    ----------
    chances, targets, bins
        As for `performance`.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        As for `performance`.
    """
    said, true = checked(chances, targets)
    if bins < 1:
        raise ValueError(f"at least one bin is needed, got {bins}")
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    sums = [np.bincount(place, weights=values, minlength=bins)[filled] / counts[filled] for values in (said, true)]
    return Calibration(sums[0], sums[1], counts[filled])


def checked(chances: npt.ArrayLike, targets: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return chances and targets as floats, if they are probabilities and classes of the same rows."""
    said, true = np.asarray(chances, np.float64), np.asarray(targets, np.float64)
    if said.ndim != 1 or said.shape != true.shape or not said.size:
        raise ValueError(
            f"chances and targets must be of the same rows, shape (rows,), got {said.shape} and {true.shape}; of "
            "probabilities of two classes take the second column"
        )
    if not np.all((said >= 0) & (said <= 1)):
        raise ValueError("chances must be probabilities between 0 and 1")
    if not np.isin(true, (0, 1)).all():
        raise ValueError("targets must be 0 or 1")
    return said, true


def _train(model: keras.Model, inputs: Array, targets: npt.NDArray[np.int64], generator: np.random.Generator) -> None:
    """Train in place; chance comes from NumPy and sums are taken on the processor, so that a run repeats itself."""
    import keras

    with keras.device("cpu:0"):
        model.set_weights(
            [
                generator.normal(0, np.sqrt(2 / len(weight)), weight.shape) if weight.ndim == 2 else weight
                for weight in model.get_weights()
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.AdamW(2e-3, weight_decay=1e-2), loss=loss)
        for _ in range(_EPOCHS):
            order = generator.permutation(len(inputs))
            model.fit(inputs[order], targets[order], batch_size=_BATCH, shuffle=False, verbose=0)  # pyright: ignore[reportArgumentType]
