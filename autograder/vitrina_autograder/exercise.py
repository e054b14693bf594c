"""What `assignments/<week>/exercises.py` declares: each graded exercise and its proof.

An exercise knows its reference, how its cases are drawn from a seed, the mistakes that students really make and other
right ways to solve it. From that follow the public cases of a release, the private cases of an exam, the hints, and
the test that walks all exercises.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vitrina.cells import quiet
from vitrina.judging import Case, Mistake, Outcome, Reply, examine
from vitrina.practice import PracticeExercise
from vitrina.values import Array, realise
from vitrina_autograder.course import CourseError
from vitrina_autograder.dictionaries import DrawnQuiz, Find, Hunt, Question, Quiz
from vitrina_autograder.handed_in import HandedIn, HandedInAutomaton, HandedInNetwork

__all__ = [
    "AnyExercise",
    "Draw",
    "DrawnQuiz",
    "Exercise",
    "Find",
    "HandedIn",
    "HandedInAutomaton",
    "HandedInNetwork",
    "Hunt",
    "Outline",
    "PlantedBug",
    "Question",
    "Quiz",
    "exam_seed",
    "exam_seeds",
    "load_exercises",
    "load_materials",
    "outline",
    "practice_exercise",
]

PUBLIC_SEED = b"public cases"
Function = Callable[..., Any]
Ask = Callable[[Case], Reply]


@dataclass(frozen=True)
class Draw:
    """One case as drawn: what is asked, before the reference answers it.

    Attributes
    ----------
    title : str
        What is special about it, for the student.
    arguments : tuple
        The call's arguments, in the order of the reference's signature.
    properties : sequence of str
        Axioms the answer must satisfy (`vitrina.properties.PROPERTIES`).
    weight : float
        Share of the exercise's points.
    edge : bool
        Whether the right answer is trivial (all zeros, say), so that it earns nothing by itself.
    """

    title: str
    arguments: tuple[Any, ...]
    properties: Sequence[str] = ()
    weight: float = 1.0
    edge: bool = False


@dataclass(frozen=True)
class PlantedBug:
    """A mistake that students really make: a wrong function that must lose points, and the hint that helps."""

    hint: str
    function: Function


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A graded exercise whose answer is a function.

    Attributes
    ----------
    id : str
        As in the notebook's `check("id", ...)` cell.
    title, formula : str
        Shown in panels; the formula is what is expected, in one line.
    competences : sequence of str
        What the exercise shows that a student can do; the report adds the points up by them.
    reference : callable
        The textbook form, from `vitrina_solutions`.
    draw : callable
        Draws the cases from a random generator.
    tolerance : float
        Largest difference relative to the largest value, with its reason beside it.
    alternatives : sequence of callable
        Other right solutions: each must get full marks.
    bugs : sequence of PlantedBug
        Wrong solutions: each must lose points.
    by_properties : bool
        Whether the properties of each draw alone decide, because many answers are right: a random one, say. The hint
        of a planted bug is then that of the property it breaks.
    """

    id: str
    title: str
    formula: str
    competences: Sequence[str]
    reference: Function
    draw: Callable[[np.random.Generator], Sequence[Draw]]
    tolerance: float = 1e-4
    alternatives: Sequence[Function] = ()
    bugs: Sequence[PlantedBug] = field(default_factory=list[PlantedBug])
    by_properties: bool = False

    def examine(self, seed: bytes, ask: Ask) -> list[Outcome]:
        """Put the cases of a seed to a student's answer."""
        return examine(self.cases(seed), ask, reveal=False)

    def cases(self, seed: bytes) -> list[Case]:
        """Draw the cases of a seed, with the right answer and the answers of the typical mistakes."""
        names = list(inspect.signature(self.reference).parameters)
        return [self._case(draw, names) for draw in self.draw(_generator(seed))]

    def public_cases(self) -> list[Case]:
        """Draw the cases that ship with a release."""
        return self.cases(PUBLIC_SEED + self.id.encode())

    def _case(self, draw: Draw, names: Sequence[str]) -> Case:
        arguments = dict(zip(names, draw.arguments, strict=True))
        return Case(
            title=draw.title,
            arguments=arguments,
            expected=None if self.by_properties else _answer(self.reference, arguments),
            tolerance=self.tolerance,
            properties=draw.properties,
            mistakes=() if self.by_properties else _Mistakes(self.bugs, arguments),
            weight=draw.weight,
            edge=draw.edge,
        )


class _Mistakes(Sequence[Mistake]):
    """The answers of the typical mistakes to one case, found out when somebody asks: most answers are right."""

    def __init__(self, bugs: Sequence[PlantedBug], arguments: Mapping[str, Any]) -> None:
        self._bugs = bugs
        self._arguments = arguments

    @cached_property
    def _found(self) -> list[Mistake]:
        answers = [(bug.hint, _attempt(bug.function, self._arguments)) for bug in self._bugs]
        return [Mistake(hint, answer) for hint, answer in answers if answer is not None]

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, index: Any) -> Any:
        return self._found[index]


AnyExercise = Exercise | Quiz | DrawnQuiz | Hunt | HandedIn


def _generator(seed: bytes) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(seed).digest()))


def _answer(function: Function, arguments: Mapping[str, Any]) -> Array:
    return np.asarray(function(*realise(arguments, shared=True).values()))


def _attempt(function: Function, arguments: Mapping[str, Any]) -> Array | None:
    """Call a planted bug; one that raises, or that only changes its inputs, leaves no answer to recognise."""
    try:
        with np.errstate(all="ignore"):
            answer = _answer(function, arguments)
    except Exception:
        return None
    return answer if answer.dtype.kind in "biuf" else None


@dataclass(frozen=True)
class Outline:
    """What a report needs to know of an exercise: none of its code.

    Attributes
    ----------
    hints : sequence of str
        For the typical mistakes, in the order of the planted bugs.
    questions : sequence of str
        Keys of a quiz's questions, or what is judged of a thing that is handed in; empty for a function.
    """

    id: str
    title: str
    competences: Sequence[str]
    hints: Sequence[str] = ()
    questions: Sequence[str] = ()


def outline(exercise: AnyExercise) -> Outline:
    """Give the outline of an exercise."""
    known = (exercise.id, exercise.title, list(exercise.competences))
    if isinstance(exercise, Quiz | DrawnQuiz):
        return Outline(*known, questions=[question.key for question in exercise.questions])
    if isinstance(exercise, Hunt):
        return Outline(*known, questions=[find.key for find in exercise.finds])
    if isinstance(exercise, HandedIn):
        return Outline(*known, questions=exercise.questions)
    return Outline(*known, hints=list(dict.fromkeys(bug.hint for bug in exercise.bugs)))


def exam_seed(secret: bytes, student: str, exercise: str) -> bytes:
    """Derive the seed of a student's exam: a regrade repeats itself and two students differ."""
    message = b"\0".join(part.encode("utf-8", "surrogatepass") for part in (student, exercise))
    return hmac.digest(secret, message, "sha256")


def exam_seeds(secret: bytes, student: str, exercises: Iterable[str]) -> dict[str, bytes]:
    """Derive the seeds of a student's exam in several exercises, by exercise."""
    return {exercise: exam_seed(secret, student, exercise) for exercise in exercises}


def practice_exercise(exercise: AnyExercise, points: float) -> PracticeExercise:
    """Cut out the part of an exercise that ships with a release."""
    kind = exercise.kind if isinstance(exercise, HandedIn) else ""
    return PracticeExercise(exercise.id, exercise.title, points, exercise.formula, exercise.public_cases(), kind)


def load_exercises(folder: Path) -> dict[str, AnyExercise]:
    """Load the exercises that `exercises.py` in an assignment's folder declares as `EXERCISES`.

    Raises
    ------
    CourseError
        When the file is missing, declares none, or declares an id twice.
    """
    path = folder / "exercises.py"
    if not path.is_file():
        raise CourseError(f"{path} is missing: declare the graded exercises there, as `EXERCISES = [...]`")
    declared: Sequence[AnyExercise] = getattr(_import(path), "EXERCISES", [])
    exercises = {exercise.id: exercise for exercise in declared}
    if not exercises or len(exercises) < len(declared):
        raise CourseError(f"{path} must declare `EXERCISES`, a list of exercises with ids of their own")
    return exercises


def load_materials(folder: Path) -> Mapping[str, Callable[[Path], None]]:
    """Load the files that an assignment's notebooks need, as `exercises.py` declares them in `MATERIALS`.

    Each name comes with the function that writes the file to a path, the same bytes every time.
    """
    return getattr(_import(folder / "exercises.py"), "MATERIALS", {})


def _import(path: Path) -> ModuleType:
    """Import an assignment's `exercises.py`, which may import its neighbours: `from ._drawing import ...`."""
    name = f"exercises_of_{path.parent.name}"
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=[str(path.parent)])
    if spec is None or spec.loader is None:
        raise CourseError(f"{path} cannot be imported")
    for loaded in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        del sys.modules[loaded]
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    with quiet():
        spec.loader.exec_module(module)
    return module
