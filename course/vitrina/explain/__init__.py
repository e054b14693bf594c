"""Attribution methods: batched, compiled, NumPy in and NumPy out.

Every method is called as `method(model, inputs, target, *, ...)` and returns attributions of the shape of `inputs`.
Methods that look into a model take Keras models, and their target is a logit, never a probability. Those that only ask
for its scores take any model (see `black_box.scoring`).
"""

from vitrina.explain.additivity import SensitivityN, infidelity, sensitivity_n
from vitrina.explain.attention_graphs import AttentionGraph, structured_attention_graph
from vitrina.explain.black_box import scoring
from vitrina.explain.cam import grad_cam
from vitrina.explain.coefficient import DEFINITIONS, Coefficient, Definition, explainability_performance
from vitrina.explain.comparison import Comparison, compare_explainers
from vitrina.explain.completeness import completeness_error
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
from vitrina.explain.inclusion import InclusionCurves, inclusion_curves
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
from vitrina.explain.roar import Roar, roar
from vitrina.explain.robustness import MaxSensitivity, Stability, max_sensitivity, noise_stability
from vitrina.explain.shapley import (
    ShapleyEstimate,
    interventional,
    kernel_shap,
    kernel_shapley,
    linear_shap,
    observational,
    permutation_shapley,
    shapley_interactions,
    shapley_values,
    tree_shap,
)
from vitrina.explain.similarity import SIMILARITIES
from vitrina.explain.superpixels import superpixels
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
    "ConditionalExpectations",
    "Definition",
    "FlippingCurve",
    "ImageExplanation",
    "InclusionCurves",
    "LimeExplanation",
    "MaxSensitivity",
    "PartialDependence",
    "Randomisation",
    "Retraining",
    "Roar",
    "Rule",
    "SeedStability",
    "SensitivityN",
    "ShapleyEstimate",
    "Stability",
    "TabularExplanation",
    "TextExplanation",
    "abpc",
    "alpha_beta",
    "aopc",
    "compare_explainers",
    "completeness_error",
    "deeplift",
    "delete_words",
    "deletion_curve",
    "epsilon",
    "explainability_performance",
    "flat",
    "gamma",
    "grad_cam",
    "gradient_x_input",
    "inclusion_curves",
    "individual_conditional_expectation",
    "infidelity",
    "insertion_curve",
    "integrated_gradients",
    "interventional",
    "kernel_shap",
    "kernel_shapley",
    "lime_image",
    "lime_tabular",
    "lime_text",
    "linear_shap",
    "lrp",
    "max_sensitivity",
    "noise_stability",
    "observational",
    "occlusion",
    "parameter_randomisation",
    "partial_dependence",
    "permutation_shapley",
    "pixel_flipping",
    "roar",
    "saliency",
    "scoring",
    "seed_stability",
    "sensitivity_n",
    "shapley_interactions",
    "shapley_values",
    "smooth_grad",
    "structured_attention_graph",
    "superpixels",
    "tree_shap",
    "w_square",
    "word_occlusion",
    "word_relevance",
    "z_box",
    "z_plus",
]
