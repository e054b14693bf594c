"""The graded exercises of week 3, in the order of the notebook's five parts, and the file that lies beside it."""

from ._cell_exercises import CELL_EXERCISES
from ._deciding_exercises import DECIDING_EXERCISES
from ._materials import MATERIALS
from ._network_exercises import NETWORK_EXERCISES
from ._reading_exercises import READING_EXERCISES
from ._stream_exercises import STREAM_EXERCISES

__all__ = ["EXERCISES", "MATERIALS"]

EXERCISES = [*STREAM_EXERCISES, *CELL_EXERCISES, *READING_EXERCISES, *DECIDING_EXERCISES, *NETWORK_EXERCISES]
