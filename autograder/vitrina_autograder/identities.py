"""Who is who: students' ids here, their names in the learning platform, and pseudonyms for anonymous grading.

A pseudonym is derived from the student's id and the course secret, so that it is the same every week, and nobody
without the secret can tell whose it is or work it out from a class list. `build/identities.json` translates back.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from vitrina.messages import _
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.keeping import read_json, sole_writer, write_json

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_SYLLABLES = 3
_DIGITS = 100
_LONGEST_ID = 60
#: A word of a name that is looked for in a notebook.
_SHORTEST_WORD = 4


@dataclass(frozen=True)
class Identity:
    """One student as the learning platform knows them.

    Attributes
    ----------
    id : str
        The student's own id, from the name or a roster.
    name, email, number : str
        What the platform says; `number` is its own for the student (Canvas) or the participation (Moodle).
    folders : mapping
        The name of the download's folder, by assignment: feedback is handed back under it.
    contents : mapping
        The hash of what was collected last, by assignment.
    """

    id: str
    name: str = ""
    email: str = ""
    number: str = ""
    folders: Mapping[str, str] = field(default_factory=dict[str, str])
    contents: Mapping[str, str] = field(default_factory=dict[str, str])


def identities_path(course: Course) -> Path:
    """Where identities are kept."""
    return course.build / "identities.json"


def read_identities(course: Course) -> dict[str, Identity]:
    """Read who is behind the folders in `build/submitted`, by the folder's name.

    Raises
    ------
    CourseError
        If the file is damaged.
    """
    path = identities_path(course)
    try:
        return {key: Identity(**fields) for key, fields in read_json(path).items()}
    except TypeError as error:
        raise CourseError(f"{path} is damaged ({error}). Restore it from a backup.") from error


def keep_identities(course: Course, found: Mapping[str, Identity]) -> None:
    """Add what was learned about students to what is known."""
    path = identities_path(course)
    with sole_writer(path):
        known: dict[str, Any] = read_json(path)
        for key, identity in found.items():
            before = known.get(key, {})
            for name, value in asdict(identity).items():
                if isinstance(value, dict):
                    before[name] = {**before.get(name, {}), **value}
                elif value:
                    before[name] = value
            known[key] = before
        write_json(path, known)


def pseudonym(secret: bytes, student: str, attempt: int = 0) -> str:
    """Derive a student's pseudonym, `karimo-42`, from the course secret; `attempt` gives another one if it is taken."""
    message = b"\0pseudonym\0" + f"{student}\0{attempt}".encode("utf-8", "surrogatepass")
    number = int.from_bytes(hmac.digest(secret, message, "sha256"))
    number, digits = divmod(number, _DIGITS)
    letters = ""
    for _syllable in range(_SYLLABLES):
        number, consonant = divmod(number, len(_CONSONANTS))
        number, vowel = divmod(number, len(_VOWELS))
        letters += _CONSONANTS[consonant] + _VOWELS[vowel]
    return f"{letters}-{digits:02d}"


def pseudonyms(course: Course, students: Iterable[str]) -> dict[str, str]:
    """Give each student a pseudonym of their own; who has one keeps it."""
    identities = read_identities(course)
    known = {identity.id: key for key, identity in identities.items() if key != identity.id}
    taken = set(identities)
    chosen: dict[str, str] = {}
    for student in students:
        names = (pseudonym(course.secret, student, attempt) for attempt in count())
        chosen[student] = known.get(student) or next(name for name in names if name not in taken)
        taken.add(chosen[student])
    return chosen


def student_id(name: str) -> str:
    """Make an id of a name: `María del Mar Núñez` becomes `maria-del-mar-nunez`; other scripts stay as they are."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = plain if re.search(r"[A-Za-z0-9]", plain) else unicodedata.normalize("NFC", name)
    return re.sub(r"[^\w@.]+|_+", "-", text).strip("-._").casefold()[:_LONGEST_ID] or "student"


def gives_away(identity: Identity, text: str) -> bool:
    """Whether a text holds a student's id, e-mail address, or two words of the name."""
    found = _plain(text)
    whole = [_plain(value) for value in (identity.email, identity.id) if len(value) >= _SHORTEST_WORD]
    if any(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", found) for value in whole):
        return True
    words = [word for word in re.findall(r"\w+", _plain(identity.name)) if len(word) >= _SHORTEST_WORD]
    seen = [word for word in words if re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", found)]
    return len(seen) >= min(2, len(words)) > 0


def name_remarks(course: Course, folder: str, notebook: NotebookNode) -> list[str]:
    """Remark the cells of an anonymous submission that give its author away, without naming the author."""
    if not identities_path(course).exists():
        return []
    identity = read_identities(course).get(folder)
    if identity is None or identity.id == folder:
        return []
    cells = [number for number, cell in enumerate(notebook.cells, start=1) if gives_away(identity, cell.source)]
    return [_("cell {number} gives away whose work this is").format(number=number) for number in cells]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
