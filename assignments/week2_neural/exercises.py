"""The graded exercises of week 2, in the order of the notebook's four parts, and the files that lie beside it."""

from ._gradient_exercises import GRADIENT_EXERCISES
from ._image_exercises import IMAGE_EXERCISES
from ._judging_exercises import JUDGING_EXERCISES
from ._lrp_exercises import LRP_EXERCISES
from ._materials import MATERIALS

__all__ = ["ABSENT", "EXERCISES", "MATERIALS"]

EXERCISES = [*GRADIENT_EXERCISES, *LRP_EXERCISES, *IMAGE_EXERCISES, *JUDGING_EXERCISES]

#: A library that is not there while this is graded: its DeepExplainer is DeepLIFT.
ABSENT = ["shap"]
