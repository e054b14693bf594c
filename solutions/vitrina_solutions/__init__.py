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

__all__ = [
    "aopc",
    "completeness_error",
    "deeplift",
    "deletion_curve",
    "grad_cam",
    "gradient_x_input",
    "integrated_gradients",
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
    "occlusion",
    "relative_difference",
    "rescale_multiplier",
    "saliency",
    "smooth_grad",
    "softmax_gradient",
]
