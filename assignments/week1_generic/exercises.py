"""The graded exercises of week 1, in the order of the notebook's four parts, and the files that lie beside it."""

from ._game_exercises import GAME_EXERCISES
from ._lime_exercises import LIME_EXERCISES
from ._materials import MATERIALS
from ._model_exercises import MODEL_EXERCISES
from ._whole_exercises import WHOLE_EXERCISES

__all__ = ["ABSENT", "EXERCISES", "MATERIALS"]

EXERCISES = [*GAME_EXERCISES, *MODEL_EXERCISES, *LIME_EXERCISES, *WHOLE_EXERCISES]

#: Libraries that are not there while this is graded: they do what is asked for.
ABSENT = ["shap", "lime"]
