"""Practice on the student's own machine: the public cases and axioms that ship with a release.

They are one zip file beside the notebook: `exercises.json` and the arrays as `.npy` members. It holds no code
and, for questions that are judged only at grading, no answer.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from vitrina.calling import ask
from vitrina.judging import Case, Mistake, Outcome, Reply, Verdict, examine
from vitrina.messages import _
from vitrina.values import Array, decode, encode, pack_array, unpack_array

PRACTICE_FILE = "practice.zip"
_INDEX = "exercises.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class PracticeExercise:
    """The public part of a graded exercise.

    Attributes
    ----------
    kind : str
        Where the cases do not stand each for itself, what they are parts of: a key of `vitrina.handed_in.KINDS`.
    """

    id: str
    title: str
    points: float
    formula: str
    cases: Sequence[Case]
    kind: str = ""


def practise(exercise_id: str, answer: object, *, folder: Path | None = None) -> Verdict:
    """Check an answer against the public cases and axioms.

    Parameters
    ----------
    exercise_id : str
        The exercise's id, as in the notebook's `check(...)` cell.
    answer : object
        The student's function or value.
    folder : Path, optional
        Where the release lies; the current folder by default.
    """
    try:
        exercises = _load((folder or Path.cwd()) / PRACTICE_FILE)
    except FileNotFoundError:
        return _unknown(exercise_id, _("`{file}` is missing: keep it in the folder of the notebook"))
    except Exception:  # there is no end to what a damaged file may raise
        return _unknown(exercise_id, _("`{file}` is damaged: unpack it again from what you were given"))
    exercise = exercises.get(str(exercise_id))
    if exercise is None:
        known = ", ".join(exercises)
        return _unknown(str(exercise_id), _("there is no such exercise here; there are: {known}"), known=known)
    return _run(exercise, answer)


def _run(exercise: PracticeExercise, answer: object) -> Verdict:
    printed: list[str] = []

    def reply(case: Case) -> Reply:
        call = ask(answer, case.arguments)
        printed.append(call.printed.strip())
        return call.reply

    outcomes, picture = _judged(exercise, reply)
    text = next(filter(None, printed), "")
    note = _("your function printed: {text}").format(text=text) if text else ""
    return Verdict(exercise.id, exercise.title, exercise.points, exercise.formula, outcomes, note, picture)


def _judged(exercise: PracticeExercise, reply: Callable[[Case], Reply]) -> tuple[list[Outcome], str]:
    """Judge the answers, and draw what was handed in, if that is something to look at."""
    if not exercise.kind:
        return examine(exercise.cases, reply, reveal=True), ""
    from vitrina.handed_in_practice import practise_kind  # it needs what is not there while work is graded

    return practise_kind(exercise.kind, exercise.cases[0].title, reply)


def _unknown(exercise_id: str, message: str, **details: str) -> Verdict:
    text = message.format(file=PRACTICE_FILE, **details)
    return Verdict(exercise_id, exercise_id, 0.0, outcomes=[Outcome(_("cannot check"), "failed", 1.0, text)])


@lru_cache(maxsize=8)
def _load_dated(path: Path, _modified: int) -> Mapping[str, PracticeExercise]:
    with zipfile.ZipFile(path) as archive:
        index = json.loads(archive.read(_INDEX))
        arrays = [unpack_array(archive.read(f"{number}.npy")) for number in range(index["arrays"])]
    return {item["id"]: _exercise(item) for item in decode(index["exercises"], arrays)}


def _load(path: Path) -> Mapping[str, PracticeExercise]:
    return _load_dated(path.resolve(), path.stat().st_mtime_ns)


def _exercise(item: dict[str, Any]) -> PracticeExercise:
    item["cases"] = [_case(case) for case in item["cases"]]
    return PracticeExercise(**item)


def _case(item: dict[str, Any]) -> Case:
    item["mistakes"] = [Mistake(**mistake) for mistake in item["mistakes"]]
    return Case(**item)


def write_practice(path: Path, exercises: Sequence[PracticeExercise]) -> None:
    """Write the public part of exercises as a zip file that is the same bytes every time.

    Raises
    ------
    ValueFormatError
        When a case holds something that is neither plain data nor an array of numbers nor a model's description.
    """
    arrays: list[Array] = []
    tree = [encode(_tree(exercise), arrays) for exercise in exercises]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, _INDEX, json.dumps({"arrays": len(arrays), "exercises": tree}, indent=1).encode())
        for number, array in enumerate(arrays):
            _write(archive, f"{number}.npy", pack_array(array))


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)


def _tree(exercise: PracticeExercise) -> dict[str, Any]:
    cases = [{**vars(case), "mistakes": [vars(mistake) for mistake in case.mistakes]} for case in exercise.cases]
    return {**vars(exercise), "cases": cases}
