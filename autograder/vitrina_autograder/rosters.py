"""Reading the class list that a learning platform exports, and finding each student in it.

Moodle's grading worksheet and grade export and Canvas' gradebook export are understood, in English and in Spanish.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vitrina_autograder.course import CourseError
from vitrina_autograder.identities import Identity, student_id

#: What the columns are called, by what they hold.
_COLUMNS: Mapping[str, frozenset[str]] = {
    "number": frozenset({"id", "identifier", "identificador"}),
    "name": frozenset({"student", "full name", "nombre completo", "name"}),
    "first": frozenset({"first name", "firstname", "nombre"}),
    "last": frozenset({"last name", "lastname", "surname", "apellido(s)", "apellidos"}),
    "email": frozenset({"email address", "email", "dirección de correo", "dirección email", "correo electrónico"}),
    "username": frozenset({"username", "sis login id", "nombre de usuario", "usuario"}),
    "idnumber": frozenset({"id number", "sis user id", "número de id", "número id"}),
    "section": frozenset({"section"}),
    "grade": frozenset({"grade", "calificación"}),
    "feedback": frozenset({"feedback comments", "comentarios de retroalimentación"}),
    "most": frozenset({"maximum grade", "calificación máxima"}),
}
#: Columns that tell who is who, and the one that Canvas wants to come last of them.
IDENTITY = ("number", "name", "first", "last", "email", "username", "idnumber", "section")


@dataclass(frozen=True)
class Roster:
    """A class list.

    Attributes
    ----------
    header : sequence of str
        The names of the columns.
    rows : sequence of sequence of str
        One row a student, as long as the header.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    @cached_property
    def columns(self) -> Mapping[str, int]:
        """Where the columns are that are understood, by what they hold."""
        found: dict[str, int] = {}
        for position, title in enumerate(self.header):
            for role, names in _COLUMNS.items():
                if title.strip().casefold() in names:
                    found.setdefault(role, position)
        return found

    @property
    def is_worksheet(self) -> bool:
        """Whether it is Moodle's grading worksheet, which goes back as it came, with grades filled in."""
        return {"number", "grade"} <= set(self.columns) and "section" not in self.columns

    def cell(self, row: Sequence[str], role: str) -> str:
        """Give what a row says; empty where there is no such column."""
        return row[self.columns[role]].strip() if role in self.columns else ""

    def label(self, row: Sequence[str]) -> str:
        """Name the student of a row, for messages."""
        full = self.cell(row, "name") or f"{self.cell(row, 'first')} {self.cell(row, 'last')}".strip()
        return full or self.cell(row, "email") or self.cell(row, "username") or self.cell(row, "number")

    def find(self, identity: Identity) -> list[Sequence[str]]:
        """Find the rows of a student: by the platform's number, else by id, address or name."""
        by_number = [row for row in self.rows if identity.number and self._number(row) == identity.number]
        if by_number:
            return by_number
        wanted = {identity.id, identity.email, *_name_keys(identity.name)} - {""}
        return [row for row in self.rows if self._keys(row) & {text.casefold() for text in wanted}]

    def _number(self, row: Sequence[str]) -> str:
        digits = re.findall(r"\d+", self.cell(row, "number"))  # Moodle: `Participant 1234567`
        return digits[-1] if digits else ""

    def _keys(self, row: Sequence[str]) -> set[str]:
        plain = (self.cell(row, role) for role in ("email", "username", "idnumber"))
        first, last = self.cell(row, "first"), self.cell(row, "last")
        names = [self.cell(row, "name"), f"{first} {last}".strip()]
        keys = {*plain, *(key for name in names for key in _name_keys(name))} - {""}
        return {key.casefold() for key in keys}


def _name_keys(name: str) -> set[str]:
    """Give the forms under which a name may be met: as an id, and the other way round, `García, Ana`."""
    if not name.strip():
        return set()
    last, comma, first = name.partition(",")
    turned = f"{first.strip()} {last.strip()}" if comma else name
    return {student_id(name), student_id(turned)}


def read_roster(path: Path) -> Roster:
    """Read a class list.

    Raises
    ------
    CourseError
        If the file cannot be read, or has no column that tells who is who.
    """
    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise CourseError(f"the roster {path} cannot be read: {error.strerror}") from error
    lines = list(csv.reader(text.splitlines(keepends=True), delimiter=_delimiter(text)))
    header = lines[0] if lines else []
    rows = [[*row, *[""] * len(header)][: len(header)] for row in lines[1:] if any(cell.strip() for cell in row)]
    roster = Roster(header, [row for row in rows if not _is_note(row)])
    if not set(IDENTITY[:-1]) & set(roster.columns):
        raise CourseError(
            f"{path} is no class list: its first line names none of the columns that Moodle or Canvas export "
            f"(Full name, Email address, Username, Student, ID ...), but {', '.join(header[:6]) or 'nothing'}"
        )
    return roster


def _is_note(row: Sequence[str]) -> bool:
    """Whether a row describes columns: Canvas puts the possible points and the posting policy below the header."""
    return "Points Possible" in row[0] or all(not cell.strip() or "Manual Posting" in cell for cell in row)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252", "latin-1"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max((",", ";", "\t"), key=first.count)
