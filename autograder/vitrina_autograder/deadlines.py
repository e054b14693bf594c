"""When work is due, for whom, and what lateness costs.

Due times and the late policy stand in `assignments/deadlines.toml`, which an instructor edits; extensions that were
granted to single students stand in `build/extensions.json`, which `vitrina extend` writes. Days are counted on the
clock on the course's wall: a day that lasts 23 or 25 hours, because clocks change, is one day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from vitrina.messages import _
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.keeping import read_json, sole_writer, whoami, write_json

FILE_NAME = "deadlines.toml"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Policy:
    """What lateness costs, as the table `[late]` says it.

    Attributes
    ----------
    grace_minutes : float
        Minutes after the due time that cost nothing.
    per_day : float
        Share of the earned points that each day begun costs, counted from the due time.
    at_most : float
        The largest share.
    last_day : int or None
        Days after the due time after which nothing counts any more; `None` accepts everything.
    """

    grace_minutes: float = 15
    per_day: float = 0.1
    at_most: float = 0.5
    last_day: int | None = None

    def share(self, days: int) -> float:
        """Give the share of the points that so many days cost."""
        if self.last_day is not None and days > self.last_day:
            return 1.0
        return min(self.at_most, days * self.per_day)


@dataclass(frozen=True)
class Extension:
    """More time for one student.

    Attributes
    ----------
    days : float
        Days after the due time; 0 where `until` says when.
    until : str
        A time on the course's clock, ISO 8601; empty where `days` says how many.
    reason, by, at : str
        Why, which user on which machine granted it, and when (UTC, ISO 8601).
    """

    days: float = 0
    until: str = ""
    reason: str = ""
    by: str = ""
    at: str = ""


@dataclass(frozen=True)
class Ruling:
    """What the policy says of one submission.

    Attributes
    ----------
    due : datetime or None
        This student's due time, on the course's clock; `None` where there is none.
    received : datetime or None
        When the work came in; `None` where nobody knows, which counts as on time.
    days : int
        Days late, each one begun counts.
    share : float
        Share of the earned points that this costs.
    extended : bool
        Whether the student was granted more time.
    """

    due: datetime | None = None
    received: datetime | None = None
    days: int = 0
    share: float = 0.0
    extended: bool = False

    def penalty(self, score: float) -> float:
        """Give the points that lateness costs of a score."""
        return round(max(0.0, score) * self.share, 2)

    @property
    def unknown(self) -> bool:
        """Whether there is a due time but nobody knows when the work came in."""
        return self.due is not None and self.received is None

    def sentence(self, penalty: float) -> str:
        """Say it to the student; empty where there was nothing to say."""
        if self.unknown:
            return _("when it was handed in is not known: taken as on time")
        if not self.days:
            return ""
        late = _("1 day late") if self.days == 1 else _("{days} days late").format(days=self.days)
        if self.share >= 1:
            return _("{late}: too late to count (−{points:g} points)").format(late=late, points=penalty)
        return _("{late}: −{percent:g} % ({points:g} points)").format(
            late=late, percent=round(100 * self.share, 1), points=penalty
        )


@dataclass(frozen=True)
class Deadlines:
    """Everything that is known of due times: the instructor's file and the extensions.

    Attributes
    ----------
    zone : ZoneInfo
        Where the course's clock hangs.
    policy : Policy
        What lateness costs.
    due : mapping
        Due times by assignment, on that clock, without a zone.
    extensions : mapping
        Extensions by assignment and student.
    """

    zone: ZoneInfo
    policy: Policy = field(default_factory=Policy)
    due: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    extensions: Mapping[str, Mapping[str, Extension]] = field(default_factory=dict[str, Mapping[str, Extension]])

    def moment(self, local: datetime) -> datetime:
        """Give the time that a clock of the course shows; of two times that it shows alike, the later one."""
        both = (local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return max(both).astimezone(self.zone)

    def due_of(self, assignment: str, student: str = "") -> datetime | None:
        """Give the time an assignment is due, for a student with an extension the extended one."""
        local = self._local_due(assignment, student)
        return None if local is None else self.moment(local)

    def ruling(self, assignment: str, student: str, received: datetime | None) -> Ruling:
        """Rule on a submission that came in at a time (aware, or in UTC)."""
        local = self._local_due(assignment, student)
        if received is not None:
            received = (received if received.tzinfo else received.replace(tzinfo=UTC)).astimezone(self.zone)
        extended = student in self.extensions.get(assignment, {})
        if local is None or received is None:
            return Ruling(None if local is None else self.moment(local), received, extended=extended)
        days = self._days_late(local, received)
        return Ruling(self.moment(local), received, days, self.policy.share(days) if days else 0.0, extended)

    def _local_due(self, assignment: str, student: str) -> datetime | None:
        local = self.due.get(assignment)
        extension = self.extensions.get(assignment, {}).get(student)
        if local is None or extension is None:
            return local
        return datetime.fromisoformat(extension.until) if extension.until else local + extension.days * _DAY

    def _days_late(self, local: datetime, received: datetime) -> int:
        late = received.astimezone(UTC) - self.moment(local).astimezone(UTC)
        if late <= timedelta(minutes=self.policy.grace_minutes):
            return 0
        days = max(1, late // _DAY - 1)
        while received > self.moment(local + days * _DAY):
            days += 1
        return days


def read_deadlines(course: Course) -> Deadlines:
    """Read the due times, the policy and the extensions of a course.

    Raises
    ------
    CourseError
        If one of the files cannot be understood; the message names the file and the entry.
    """
    path = course.assignments / FILE_NAME
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        _only(table, "timezone", "late", "due")
        zone = _zone(table.get("timezone", "Europe/Madrid"))
        policy = _policy(table.get("late", {}))
        due = {course.assignment_name(name): _local(value, zone) for name, value in table.get("due", {}).items()}
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f'{path}: {error}. Times stand in quotes: "2026-12-01 23:59"') from error
    except (ValueError, TypeError, AttributeError, CourseError) as error:
        raise CourseError(f"{path}: {error}") from error
    return Deadlines(zone, policy, due, read_extensions(course))


def read_extensions(course: Course) -> dict[str, dict[str, Extension]]:
    """Read the extensions that were granted, by assignment and student."""
    path = extensions_path(course)
    try:
        return {
            assignment: {student: Extension(**fields) for student, fields in students.items()}
            for assignment, students in read_json(path).items()
        }
    except (TypeError, AttributeError) as error:
        raise CourseError(f"{path} is damaged ({error}). Restore it from a backup.") from error


def extensions_path(course: Course) -> Path:
    """Where extensions are kept."""
    return course.build / "extensions.json"


def grant(course: Course, assignment: str, student: str, *, days: float = 0, until: str = "", reason: str = "") -> None:
    """Grant a student more time; an extension granted before is replaced.

    Raises
    ------
    CourseError
        If the assignment has no due time, or the new one is not a time or not later.
    """
    deadlines = read_deadlines(course)
    due = deadlines.due.get(assignment)
    if due is None:
        raise CourseError(f"{assignment} has no due time: give it one in assignments/{FILE_NAME}, under [due]")
    try:
        wall = _local(until, deadlines.zone) if until else due + days * _DAY
    except (ValueError, OverflowError) as error:
        raise CourseError(f"{error}: write --days 2, or --until 2026-12-01T23:59") from error
    if wall <= due:
        raise CourseError(f"{assignment} is due on {due:%Y-%m-%d %H:%M} anyway: an extension ends later than that")
    extension = Extension(
        days if not until else 0,
        wall.isoformat() if until else "",
        reason,
        whoami(),
        datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _change_extension(course, assignment, student, extension)


def revoke(course: Course, assignment: str, student: str) -> None:
    """Take an extension back.

    Raises
    ------
    CourseError
        If there is none.
    """
    if student not in read_extensions(course).get(assignment, {}):
        raise CourseError(f"{student} has no extension for {assignment}: `vitrina extend {assignment}` lists them")
    _change_extension(course, assignment, student, None)


def _change_extension(course: Course, assignment: str, student: str, extension: Extension | None) -> None:
    path = extensions_path(course)
    with sole_writer(path):
        table = read_json(path)
        students = cast(dict[str, Any], table.setdefault(assignment, {}))
        students.pop(student, None)
        if extension is not None:
            students[student] = asdict(extension)
        write_json(path, table)


def _only(table: Mapping[str, Any], *known: str) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"unknown entry {key!r}; known ones are {', '.join(known)}")


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError) as error:  # KeyError: ZoneInfoNotFoundError
        raise ValueError(f"there is no time zone {name!r}; write one like 'Europe/Madrid'") from error


def _policy(table: Mapping[str, Any]) -> Policy:
    _only(table, *Policy.__dataclass_fields__)
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{name} under [late] must be a number, zero or more, not {value!r}")
        if name in ("per_day", "at_most") and value > 1:
            raise ValueError(f"{name} under [late] is a share, 0.1 for ten percent, not {value!r}")
    return Policy(**table)


def _local(value: object, zone: ZoneInfo) -> datetime:
    """Make a time on the course's clock of what a file says; a date alone means its last minute."""
    if isinstance(value, str):
        value = _read_time(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(23, 59))
    if not isinstance(value, datetime):
        raise ValueError(f'a due time is written "2026-12-01 23:59", not {value!r}')
    if value.tzinfo is not None:
        return value.astimezone(zone).replace(tzinfo=None)
    shown = value.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if shown != value:
        raise ValueError(f"{value} does not exist in {zone.key}: clocks go forward then. Choose another time")
    return value


def _read_time(text: str) -> date:
    """Read a date with or without a time."""
    try:
        return date.fromisoformat(text) if len(text) <= len("2026-12-01") else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'a time is written "2026-12-01 23:59", not {text!r}') from None
