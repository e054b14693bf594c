"""Shapley values: exact, estimated, of any game and of any model.

A *game* says what each coalition of players is worth. `interventional` and `observational` make one of a model, whose
players are features. `shapley_values` counts all coalitions; `permutation_shapley` and `kernel_shapley` sample them.
`tree_shap` and `linear_shap` need neither: they read the values off the model.
"""

from vitrina.explain.shapley.coalitions import ShapleyEstimate
from vitrina.explain.shapley.exact import shapley_values
from vitrina.explain.shapley.interactions import shapley_interactions
from vitrina.explain.shapley.kernel import kernel_shap, kernel_shapley
from vitrina.explain.shapley.linear import linear_shap
from vitrina.explain.shapley.permutations import permutation_shapley
from vitrina.explain.shapley.trees import tree_shap
from vitrina.explain.shapley.value_functions import interventional, observational

__all__ = [
    "ShapleyEstimate",
    "interventional",
    "kernel_shap",
    "kernel_shapley",
    "linear_shap",
    "observational",
    "permutation_shapley",
    "shapley_interactions",
    "shapley_values",
    "tree_shap",
]
