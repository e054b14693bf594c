"""The textbook form of each method: one formula, NumPy first, as the exercises ask for it.

The bodies become the solution cells of the instructor's notebooks; signatures and docstrings stay visible to students.
"""

from vitrina_solutions.gradients import gradient_x_input, saliency
from vitrina_solutions.lrp import lrp_0, lrp_epsilon, lrp_gamma, lrp_network, lrp_zb, relative_difference

__all__ = [
    "gradient_x_input",
    "lrp_0",
    "lrp_epsilon",
    "lrp_gamma",
    "lrp_network",
    "lrp_zb",
    "relative_difference",
    "saliency",
]
