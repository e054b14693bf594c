"""Times exact Shapley values of trees beside shap.TreeExplainer, for `explainers.py`: trees THREADS ROUNDS BATCH.

Both work on the same fitted model, instances and background; shap's explainer is made beforehand. The table is that of
breast cancer, each number replaced by its rank: shap's compiled code rounds thresholds to float32 (`struct Node` in its
tree_shap.h), so that with the numbers themselves some inputs go another way and the values differ in the second digit.
The largest difference goes to the standard error.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np
import shap
from explainers_ours import units
from scipy.stats import rankdata
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from timing import Row, measure

from vitrina.explain import tree_shap

TREES, INSTANCES, REFERENCES = 100, 100, 100
FACTOR = 3.0  # the goal: at most so many times what shap's compiled code takes
MODELS = {
    "random forest": RandomForestClassifier(TREES, random_state=0),
    "extra trees": ExtraTreesClassifier(TREES, random_state=0),
    "gradient boosting": GradientBoostingClassifier(n_estimators=TREES, random_state=0),
    "histogram gradient boosting": HistGradientBoostingClassifier(max_iter=TREES, random_state=0),
}


def pair(name: str, model: Any, inputs: Any, background: Any) -> list[Row]:
    """Ours and shap's row for one model and so many instances."""
    explainer: Any = shap.TreeExplainer(model, data=background, feature_perturbation="interventional")

    def ours() -> Any:
        return tree_shap(model, inputs, 1, background=background)

    def theirs() -> Any:
        values = explainer.shap_values(inputs, check_additivity=False)
        return values[..., 1] if values.ndim == 3 else values

    mine, other = ours(), theirs()
    print(f"{name}: largest difference {np.abs(mine - other).max() / np.abs(other).max():.1e}", file=sys.stderr)
    peer = f"shap.TreeExplainer, {name}"
    return [
        Row(peer, theirs, peer=True, unit=peer),
        Row(f"tree_shap, {name}", ours, within=(peer, FACTOR), unit=peer),
    ]


def rows(batch: int) -> list[Row]:
    """One hundred trees of each kind, and one forest with one instance and with more."""
    data: Any = load_breast_cancer()
    values = rankdata(data.data, axis=0)
    background = values[-REFERENCES:]
    few, many = min(INSTANCES, batch), min(5 * INSTANCES, batch)
    made = units(batch)
    for name, model in MODELS.items():
        model.fit(values, data.target)
        made += pair(f"{name}, {few} x {REFERENCES}", model, values[:few], background)
    forest = MODELS["random forest"]
    made += pair(f"random forest, 1 x {REFERENCES}", forest, values[:1], background)
    if many > few:
        made += pair(f"random forest, {many} x {REFERENCES}", forest, values[:many], background)
    return made


def main() -> None:
    """Measure the group."""
    threads, rounds, batch = map(int, sys.argv[2:])
    del threads  # both sides take one
    warnings.simplefilter("ignore")
    print(json.dumps(measure(rows(batch), rounds, "trees")))


if __name__ == "__main__":
    main()
