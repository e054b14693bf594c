"""Attribution methods: batched, compiled, NumPy in and NumPy out.

Every method is called as `method(model, inputs, target, *, ...)` and returns attributions of the shape of `inputs`.
Methods that look into a model take Keras models, and their target is a logit, never a probability. Those that only ask
for its scores take any model (see `black_box.scoring`).
"""

from vitrina.explain.activation_maximisation import Maximised, activation_maximisation
from vitrina.explain.additivity import SensitivityN, infidelity, sensitivity_n
from vitrina.explain.attention_graphs import AttentionGraph, structured_attention_graph
from vitrina.explain.black_box import scoring
from vitrina.explain.cam import grad_cam
from vitrina.explain.coefficient import (
    DEFINITIONS,
    Coefficient,
    Definition,
    explainability_performance,
    explainability_performances,
)
from vitrina.explain.comparison import Comparison, compare_explainers
from vitrina.explain.completeness import completeness_error
from vitrina.explain.concept_vectors import ConceptVector, concept_vector
from vitrina.explain.concepts import Tcav, tcav, tcav_scores, tcav_test
from vitrina.explain.deeplift import deeplift
from vitrina.explain.dependence import (
    ConditionalExpectations,
    PartialDependence,
    individual_conditional_expectation,
    partial_dependence,
)
from vitrina.explain.faithfulness import FlippingCurve, abpc, aopc, deletion_curve, insertion_curve, pixel_flipping
from vitrina.explain.gradients import gradient_x_input, integrated_gradients, saliency, smooth_grad
from vitrina.explain.hiding import Retraining
from vitrina.explain.importance import PermutationImportance, mean_absolute, permutation_importance
from vitrina.explain.inclusion import InclusionCurves, inclusion_curves
from vitrina.explain.layers import layer_activations, logit_gradients, replaced_logits
from vitrina.explain.lime import (
    ImageExplanation,
    LimeExplanation,
    SeedStability,
    TabularExplanation,
    TextExplanation,
    lime_image,
    lime_tabular,
    lime_text,
    seed_stability,
)
from vitrina.explain.lrp import (
    EPSILON_ALPHA2_BETA1,
    EPSILON_ALPHA2_BETA1_FLAT,
    EPSILON_GAMMA_BOX,
    EPSILON_PLUS,
    EPSILON_PLUS_FLAT,
    LRP_0,
    Composite,
    Rule,
    alpha_beta,
    epsilon,
    flat,
    gamma,
    lrp,
    w_square,
    z_box,
    z_plus,
)
from vitrina.explain.occlusion import occlusion
from vitrina.explain.performance import PERFORMANCES
from vitrina.explain.perturbing import PERTURBATIONS
from vitrina.explain.randomisation import Randomisation, parameter_randomisation
from vitrina.explain.representations import best_matches, linear_cka
from vitrina.explain.roar import Roar, roar
from vitrina.explain.robustness import MaxSensitivity, Stability, max_sensitivity, noise_stability
from vitrina.explain.selection import correlation_ranking, mutual_information_ranking
from vitrina.explain.shapley import (
    OwenValues,
    PartitionShap,
    ShapleyEstimate,
    grid_hierarchy,
    interventional,
    kernel_shap,
    kernel_shapley,
    linear_shap,
    observational,
    owen_values,
    partition_shap,
    permutation_shapley,
    shapley_interactions,
    shapley_values,
    superpixel_hierarchy,
    tree_shap,
)
from vitrina.explain.similarity import SIMILARITIES
from vitrina.explain.superpixels import superpixels
from vitrina.explain.surrogates import SurrogateTree, surrogate_tree
from vitrina.explain.units import ablation_accuracies, random_directions, selectivity
from vitrina.explain.words import delete_words, word_occlusion, word_relevance

__all__ = [
    "DEFINITIONS",
    "EPSILON_ALPHA2_BETA1",
    "EPSILON_ALPHA2_BETA1_FLAT",
    "EPSILON_GAMMA_BOX",
    "EPSILON_PLUS",
    "EPSILON_PLUS_FLAT",
    "LRP_0",
    "PERFORMANCES",
    "PERTURBATIONS",
    "SIMILARITIES",
    "AttentionGraph",
    "Coefficient",
    "Comparison",
    "Composite",
    "ConceptVector",
    "ConditionalExpectations",
    "Definition",
    "FlippingCurve",
    "ImageExplanation",
    "InclusionCurves",
    "LimeExplanation",
    "MaxSensitivity",
    "Maximised",
    "OwenValues",
    "PartialDependence",
    "PartitionShap",
    "PermutationImportance",
    "Randomisation",
    "Retraining",
    "Roar",
    "Rule",
    "SeedStability",
    "SensitivityN",
    "ShapleyEstimate",
    "Stability",
    "SurrogateTree",
    "TabularExplanation",
    "Tcav",
    "TextExplanation",
    "ablation_accuracies",
    "abpc",
    "activation_maximisation",
    "alpha_beta",
    "aopc",
    "best_matches",
    "compare_explainers",
    "completeness_error",
    "concept_vector",
    "correlation_ranking",
    "deeplift",
    "delete_words",
    "deletion_curve",
    "epsilon",
    "explainability_performance",
    "explainability_performances",
    "flat",
    "gamma",
    "grad_cam",
    "gradient_x_input",
    "grid_hierarchy",
    "inclusion_curves",
    "individual_conditional_expectation",
    "infidelity",
    "insertion_curve",
    "integrated_gradients",
    "interventional",
    "kernel_shap",
    "kernel_shapley",
    "layer_activations",
    "lime_image",
    "lime_tabular",
    "lime_text",
    "linear_cka",
    "linear_shap",
    "logit_gradients",
    "lrp",
    "max_sensitivity",
    "mean_absolute",
    "mutual_information_ranking",
    "noise_stability",
    "observational",
    "occlusion",
    "owen_values",
    "parameter_randomisation",
    "partial_dependence",
    "partition_shap",
    "permutation_importance",
    "permutation_shapley",
    "pixel_flipping",
    "random_directions",
    "replaced_logits",
    "roar",
    "saliency",
    "scoring",
    "seed_stability",
    "selectivity",
    "sensitivity_n",
    "shapley_interactions",
    "shapley_values",
    "smooth_grad",
    "structured_attention_graph",
    "superpixel_hierarchy",
    "superpixels",
    "surrogate_tree",
    "tcav",
    "tcav_scores",
    "tcav_test",
    "tree_shap",
    "w_square",
    "word_occlusion",
    "word_relevance",
    "z_box",
    "z_plus",
]
