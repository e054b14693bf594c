"""Due times, the late policy and extensions: on the course's clock, whatever its time zone does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from vitrina_autograder.course import CONFIG_NAME, Course, CourseError
from vitrina_autograder.deadlines import FILE_NAME, grant, read_deadlines, read_extensions, revoke

WEEK = "week9"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    (tmp_path / "assignments" / "week9_toy").mkdir(parents=True)
    (tmp_path / CONFIG_NAME).touch()
    return Course(tmp_path)


def declare(course: Course, text: str) -> Course:
    (course.assignments / FILE_NAME).write_text(text, encoding="utf-8")
    return course


def due(course: Course, when: str = "2026-12-01T23:59", late: str = "", zone: str = "Europe/Madrid") -> Course:
    return declare(course, f'timezone = "{zone}"\n[late]\n{late}\n[due]\nweek9 = "{when}"\n')


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(course: Course, received: str, student: str = "ana") -> int:
    return read_deadlines(course).ruling(WEEK, student, utc(received)).days


def test_without_a_file_nothing_is_due(course: Course):
    ruling = read_deadlines(course).ruling(WEEK, "ana", utc("2030-01-01T00:00"))
    assert (ruling.due, ruling.share, ruling.sentence(0)) == (None, 0.0, "")


def test_the_file_that_ships_is_understood(course: Course):
    shipped = Path(__file__).parents[2] / "assignments" / FILE_NAME
    policy = read_deadlines(declare(course, shipped.read_text(encoding="utf-8"))).policy
    assert (policy.grace_minutes, policy.per_day, policy.at_most, policy.last_day) == (15, 0.1, 0.5, 7)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-12-01T22:00", 0),
        ("2026-12-01T22:59", 0),
        ("2026-12-01T23:14", 0),  # within the grace
        ("2026-12-01T23:15", 1),
        ("2026-12-02T22:59", 1),
        ("2026-12-02T23:00", 2),
        ("2026-12-11T22:59", 10),
    ],
)
def test_each_day_begun_counts(course: Course, received: str, expected: int):
    assert days(due(course), received) == expected


@pytest.mark.parametrize(
    ("when", "received", "expected"),
    [
        ("2026-10-24T20:00", "2026-10-25T19:00", 1),  # that day has 25 hours: 20:00 is at 19:00 UTC
        ("2026-10-24T20:00", "2026-10-25T19:01", 2),
        ("2026-03-28T20:00", "2026-03-29T18:00", 1),  # and this one 23
        ("2026-03-28T20:00", "2026-03-29T18:01", 2),
        ("2026-10-25T02:30", "2026-10-25T01:30", 0),  # half past two comes twice: the later one counts
        ("2026-10-25T02:30", "2026-10-25T01:46", 1),
        ("2026-03-28T02:30", "2026-03-29T01:30", 1),  # a day later half past two does not come at all
    ],
)
def test_days_when_clocks_change(course: Course, when: str, received: str, expected: int):
    assert days(due(course, when), received) == expected


def test_a_time_that_never_comes_is_refused(course: Course):
    with pytest.raises(CourseError, match="clocks go forward"):
        read_deadlines(due(course, "2026-03-29T02:30"))


def test_another_zone_another_moment(course: Course):
    assert days(due(course, zone="America/Lima"), "2026-12-02T04:59") == 0
    assert days(due(course, zone="Europe/Madrid"), "2026-12-02T04:59") == 1


def test_a_date_means_its_last_minute_and_an_offset_is_believed(course: Course):
    assert read_deadlines(due(course, "2026-12-01")).due_of(WEEK) == utc("2026-12-01T22:59")
    assert read_deadlines(due(course, "2026-12-01T12:00:00Z")).due_of(WEEK) == utc("2026-12-01T12:00")
    declare(course, "[due]\nweek9 = 2026-12-01T12:00:00\n")  # TOML's own form
    assert read_deadlines(course).due_of(WEEK) == utc("2026-12-01T11:00")


def test_the_policy_caps_and_ends(course: Course):
    due(course, late="per_day = 0.2\nat_most = 0.5\nlast_day = 4")
    shares = [read_deadlines(course).policy.share(day) for day in (1, 2, 3, 4, 5)]
    assert shares == [0.2, 0.4, 0.5, 0.5, 1.0]
    ruling = read_deadlines(course).ruling(WEEK, "ana", utc("2026-12-03T12:00"))
    assert ruling.penalty(11) == 4.4
    assert ruling.sentence(4.4) == "2 days late: −40 % (4.4 points)"
    assert ruling.penalty(-3) == 0
    gone = read_deadlines(course).ruling(WEEK, "ana", utc("2027-01-01T00:00"))
    assert gone.penalty(11) == 11
    assert "too late" in gone.sentence(11)


def test_an_unknown_time_is_on_time_and_said(course: Course):
    ruling = read_deadlines(due(course)).ruling(WEEK, "ana", None)
    assert (ruling.share, ruling.unknown) == (0.0, True)
    assert "not known" in ruling.sentence(0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[due]\nweek9 = 2026-12-01T23:59\n", "quotes"),
        ('[due]\nweek9 = "tomorrow"\n', "not 'tomorrow'"),
        ("[due]\nweek9 = 7\n", "not 7"),
        ("[due]\nweek8 = 2026-12-01\n", "no assignment 'week8'"),
        ("[late]\nper_hour = 1\n", "unknown entry 'per_hour'"),
        ("[late]\nper_day = 10\n", "0.1 for ten percent"),
        ("[late]\ngrace_minutes = -5\n", "zero or more"),
        ("[late]\nper_day = true\n", "must be a number"),
        ('timezone = "Europe/Vitrina"\n', "no time zone"),
        ("timezone = 3\n", "no time zone"),
        ("due = 3\n", "deadlines.toml"),
        ("[deu]\nweek9 = 2026-12-01\n", "unknown entry 'deu'"),
    ],
)
def test_a_mistake_in_the_file_is_named(course: Course, text: str, complaint: str):
    with pytest.raises(CourseError, match=complaint):
        read_deadlines(declare(course, text))


def test_an_extension_is_one_students(course: Course):
    grant(due(course), WEEK, "ana", days=2, reason="ill")
    assert days(course, "2026-12-03T20:00", "ana") == 0
    assert days(course, "2026-12-03T20:00", "bea") == 2
    assert days(course, "2026-12-04T20:00", "ana") == 1
    granted = read_extensions(course)[WEEK]["ana"]
    assert granted.reason == "ill"
    assert "@" in granted.by
    revoke(course, WEEK, "ana")
    assert days(course, "2026-12-03T20:00", "ana") == 2


def test_an_extension_until_a_time_stays_when_the_due_time_moves(course: Course):
    grant(due(course), WEEK, "ana", until="2026-12-05T12:00")
    due(course, "2026-12-02T23:59")
    assert read_deadlines(course).due_of(WEEK, "ana") == utc("2026-12-05T11:00")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"until": "soon"}, "soon"), ({"until": "2026-11-30T12:00"}, "later than that"), ({"days": 1e12}, "days 2")],
)
def test_an_extension_that_is_none_is_refused(course: Course, options: dict[str, object], complaint: str):
    with pytest.raises(CourseError, match=complaint):
        grant(due(course), WEEK, "ana", **options)  # type: ignore[arg-type]
    assert read_extensions(course) == {}


def test_without_a_due_time_there_is_nothing_to_extend(course: Course):
    with pytest.raises(CourseError, match="no due time"):
        grant(course, WEEK, "ana", days=1)
    with pytest.raises(CourseError, match="no extension"):
        revoke(course, WEEK, "ana")


def test_a_damaged_file_of_extensions_is_not_written_over(course: Course):
    grant(due(course), WEEK, "ana", days=2)
    path = course.build / "extensions.json"
    path.write_text(path.read_text()[:-5])
    with pytest.raises(CourseError, match="backup"):
        grant(course, WEEK, "bea", days=2)
    assert "ana" in path.read_text()
