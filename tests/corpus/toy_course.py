"""A course of one tiny assignment, as the text a teacher would write; it needs NumPy only."""

from __future__ import annotations

import shutil
from pathlib import Path

from vitrina_autograder.build import build_assignment
from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.materials import write_materials
from vitrina_autograder.release import release_assignment

ASSIGNMENT = "week9"
NOTEBOOK = "toy.ipynb"
POINTS = {"check-double": 3.0, "check-square": 2.0, "check-quiz": 2.0, "answer-why": 2.0}
#: Cells of the solved notebook whose source a student changes.
DOUBLE, SQUARE, QUIZ, WHY = "solution-double", "solution-square", "solution-quiz", "answer-why"
#: Stands in the drawn cases and in the reference solutions, and so may stand in nothing a student gets.
CASE_VALUE = "73211"
SOLUTION_LINE = "doubled = 2 * x"
#: Titles may be shown; they say which cases there are.
CASE_TITLE = "three numbers"

_CONFIG = Path(__file__).parents[2] / CONFIG_NAME
_EXERCISES = f'''import numpy as np

from vitrina_autograder.exercise import Draw, Exercise, PlantedBug, Question, Quiz


def draw(rng):
    marked = np.array([{CASE_VALUE}.0, rng.normal(), rng.normal()])
    return [
        Draw("{CASE_TITLE}", (marked,)),
        Draw("a matrix", (rng.normal(size=(2, 3)),)),
        Draw("zero", (np.zeros(2),)),
        Draw("one number", (rng.normal(size=1),)),
    ]


EXERCISES = [
    Exercise(
        id="double", title="Double", formula="2x", competences=["arithmetic"], reference=lambda x: 2 * x, draw=draw,
        alternatives=[lambda x: x + x], bugs=[PlantedBug("That is the square.", lambda x: x**2)],
    ),
    Exercise(
        id="square", title="Square", formula="x²", competences=["arithmetic"], reference=lambda x: x**2, draw=draw,
    ),
    Quiz(
        id="quiz", title="Quiz", formula="think", competences=["theory"],
        questions=[Question("one", ["yes", "no"], "yes"), Question("two", ["yes", "no"], "no")],
    ),
]
'''
_SCRIPT = f'''# %% [markdown]
# # Toy

# %%
from vitrina import check
import numpy as np

# %% readonly="given"
limit = 10

# %% solution="double"
def double(x):
    """Double."""
    ### BEGIN SOLUTION
    {SOLUTION_LINE}
    return doubled
    ### END SOLUTION

# %% check="double" points=3
check("double", double)

# %% solution="square"
def square(x):
    """Square."""
    ### BEGIN SOLUTION
    squared = x ** 2
    return squared
    ### END SOLUTION

# %% check="square" points=2
check("square", square)

# %% solution="quiz"
answers = {{"one": ..., "two": ...}}
### BEGIN SOLUTION
answers.update(one="yes", two="no")
### END SOLUTION

# %% check="quiz" points=2
check("quiz", answers)

# %% [markdown] answer="why" points=2
# Write here.
# ### BEGIN SOLUTION
# Because it is so.
# ### END SOLUTION
'''


def write_course(root: Path, *, exercises: str = _EXERCISES, script: str = _SCRIPT) -> Course:
    """Write the course's text, build it and release it."""
    folder = root / "assignments" / "week9_toy"
    folder.mkdir(parents=True)
    (folder / "exercises.py").write_text(exercises, encoding="utf-8")
    (folder / "toy.py").write_text(script, encoding="utf-8")
    shutil.copyfile(_CONFIG, root / CONFIG_NAME)
    course = Course(root)
    build_assignment(course, ASSIGNMENT, write_materials(course, ASSIGNMENT))
    release_assignment(course, ASSIGNMENT)
    assert course.secret  # made now: copies of the course draw the same cases
    return course
