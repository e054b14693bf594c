"""The textbook form of each method: one formula, NumPy first, as the exercises ask for it.

The bodies become the solution cells of the instructor's notebooks; signatures and docstrings stay visible to students.
"""

from vitrina_solutions.deeplift import deeplift, rescale_multiplier
from vitrina_solutions.gradients import (
    completeness_error,
    gradient_x_input,
    integrated_gradients,
    logit_gradient,
    saliency,
    smooth_grad,
    softmax_gradient,
)
from vitrina_solutions.lime import lime_fit, lime_masks, lime_weights, local_fidelity, quartile_bins, switch_off
from vitrina_solutions.lrp import lrp_0, lrp_epsilon, lrp_gamma, lrp_network, lrp_zb, relative_difference
from vitrina_solutions.lrp_convolution import (
    lrp_average_pool,
    lrp_cnn,
    lrp_conv,
    lrp_conv_zb,
    lrp_lstm_memory,
    lrp_max_pool,
)
from vitrina_solutions.second_opinions import aopc, deletion_curve, grad_cam, occlusion
from vitrina_solutions.shapley import (
    coalition_masks,
    efficiency_error,
    marginal_contribution,
    shapley_by_orders,
    shapley_values,
)
from vitrina_solutions.shapley_models import (
    coalition_value,
    kernel_shap_fit,
    kernel_shap_weights,
    linear_shapley,
    sampled_shapley,
    shapley_interval,
    shapley_of_features,
)
from vitrina_solutions.whole_model import (
    area_under,
    correlation_with_label,
    explainability_performance,
    inclusion_curve,
    information_skill,
    mean_absolute,
    permutation_importance,
    retained,
)

__all__ = [
    "aopc",
    "area_under",
    "coalition_masks",
    "coalition_value",
    "completeness_error",
    "correlation_with_label",
    "deeplift",
    "deletion_curve",
    "efficiency_error",
    "explainability_performance",
    "grad_cam",
    "gradient_x_input",
    "inclusion_curve",
    "information_skill",
    "integrated_gradients",
    "kernel_shap_fit",
    "kernel_shap_weights",
    "lime_fit",
    "lime_masks",
    "lime_weights",
    "linear_shapley",
    "local_fidelity",
    "logit_gradient",
    "lrp_0",
    "lrp_average_pool",
    "lrp_cnn",
    "lrp_conv",
    "lrp_conv_zb",
    "lrp_epsilon",
    "lrp_gamma",
    "lrp_lstm_memory",
    "lrp_max_pool",
    "lrp_network",
    "lrp_zb",
    "marginal_contribution",
    "mean_absolute",
    "occlusion",
    "permutation_importance",
    "quartile_bins",
    "relative_difference",
    "rescale_multiplier",
    "retained",
    "saliency",
    "sampled_shapley",
    "shapley_by_orders",
    "shapley_interval",
    "shapley_of_features",
    "shapley_values",
    "smooth_grad",
    "softmax_gradient",
    "switch_off",
]
