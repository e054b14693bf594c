"""Where a course lives: the text sources that people write, and the nbgrader tree that is built from them.

Everything below `build/` is a product. Only `gradebook.db`, `submitted/`, `collected_before/`, `verdicts/`,
`course_secret`, `extensions.json`, `identities.json` and `audit.jsonl` in it cannot be made again.
"""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG_NAME = "nbgrader_config.py"
SECRET_BYTES = 32
LESSON_PATTERN = "[0-9][0-9]_*.py"


class CourseError(Exception):
    """What an instructor has to put right; the message says how."""


class BuildError(CourseError):
    """A notebook source that cannot be built; the message names the file and the cell."""


@dataclass(frozen=True)
class Course:
    """The folders and names of one course.

    Parameters
    ----------
    root : Path
        The folder that holds `nbgrader_config.py` and `assignments/`.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Course":
        """Return the course that holds the folder `start` (the current folder if none is given).

        Raises
        ------
        CourseError
            If neither the folder nor one above it is a course.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / CONFIG_NAME).is_file() and (folder / "assignments").is_dir():
                return cls(folder)
        raise CourseError(
            f"{here} is not inside a course: no folder from there upwards holds {CONFIG_NAME} and assignments/. "
            "Change into the course folder and try again."
        )

    @classmethod
    def configured(cls, config: Any) -> "Course":
        """Return the course whose folder of products nbgrader's configuration names."""
        return cls(Path(config.CourseDirectory.root).parent)

    @property
    def assignments(self) -> Path:
        """The percent sources of the graded notebooks, one folder an assignment."""
        return self.root / "assignments"

    @property
    def build(self) -> Path:
        """The nbgrader course tree."""
        return self.root / "build"

    @property
    def source(self) -> Path:
        """Built instructor notebooks."""
        return self.build / "source"

    @property
    def release(self) -> Path:
        """What students get."""
        return self.build / "release"

    @property
    def lessons(self) -> Path:
        """Built lessons."""
        return self.build / "lessons"

    @property
    def submitted(self) -> Path:
        """What students handed in."""
        return self.build / "submitted"

    @property
    def autograded(self) -> Path:
        """Submissions after grading."""
        return self.build / "autograded"

    @property
    def feedback(self) -> Path:
        """Feedback pages for students."""
        return self.build / "feedback"

    @property
    def verdicts(self) -> Path:
        """The examiner's ledger."""
        return self.build / "verdicts"

    def released_notebooks(self, assignment: str) -> list[Path]:
        """Return the notebooks of an assignment as students got them; none before it is released."""
        return sorted((self.release / assignment).glob("*.ipynb"))

    @property
    def gradebook(self) -> Path:
        """The database of nbgrader."""
        return self.build / "gradebook.db"

    @property
    def secret(self) -> bytes:
        """The key from which each student's cases are drawn, made on first use.

        Raises
        ------
        CourseError
            If the stored key is damaged: a new one would silently change every student's cases.
        """
        path = self.build / "course_secret"
        if not path.exists():
            _create_secret(path)
        key = path.read_bytes()
        if len(key) != SECRET_BYTES:
            raise CourseError(
                f"{path} is damaged ({len(key)} bytes, not {SECRET_BYTES}). Restore it from a backup; deleting it "
                "draws new cases, so that every submission has to be graded again."
            )
        return key

    def assignment_names(self) -> list[str]:
        """Return nbgrader's names of all assignments that have a notebook to build, sorted.

        Raises
        ------
        CourseError
            If two folders claim the same name.
        """
        return sorted(name for name, folder in self._folders().items() if any(folder.glob("*.py")))

    def assignment_name(self, name: str) -> str:
        """Return nbgrader's name for an assignment given by that name or by its folder's.

        Raises
        ------
        CourseError
            If there is no such assignment.
        """
        folders = self._folders()
        for known, folder in folders.items():
            if name in (known, folder.name):
                return known
        raise CourseError(f"There is no assignment {name!r}. Known ones: {', '.join(sorted(folders)) or 'none'}.")

    def assignment_folder(self, name: str) -> Path:
        """Return the source folder of an assignment given by either name: `week2` or `week2_neural`.

        Raises
        ------
        CourseError
            If there is no such assignment.
        """
        return self._folders()[self.assignment_name(name)]

    def lesson_scripts(self) -> dict[str, list[Path]]:
        """Return the scripts of all lessons by week or workshop (`week2`, `mnist`), in the order of their numbers.

        A lesson is a percent script `NN_name.py` below `course/` or `workshops/`. Those of a week have the name of the
        week's assignment.

        Raises
        ------
        CourseError
            If two folders claim the same name.
        """
        folders = _by_short_name(self.root / "course", self.root / "workshops")
        scripts = {name: sorted(folder.glob(LESSON_PATTERN)) for name, folder in folders.items()}
        return {name: found for name, found in scripts.items() if found}

    def _folders(self) -> dict[str, Path]:
        return _by_short_name(self.assignments)


def _by_short_name(*parents: Path) -> dict[str, Path]:
    """Return the folders in some folders by the part of their names before the first underscore."""
    found: dict[str, Path] = {}
    for folder in (inner for parent in parents if parent.is_dir() for inner in sorted(parent.iterdir())):
        if not folder.is_dir() or folder.name.startswith(("_", ".")):
            continue
        name = folder.name.partition("_")[0]
        if name in found:
            one, other = (f"{path.parent.name}/{path.name}" for path in (found[name], folder))
            raise CourseError(
                f"{one} and {other} would both be {name!r}: rename one, for the part before the first underscore is "
                "what it is called."
            )
        found[name] = folder
    return found


def _create_secret(path: Path) -> None:
    """Write a new key so that no reader sees half of it, and the first of two writers wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
