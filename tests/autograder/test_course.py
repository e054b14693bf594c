import stat
from pathlib import Path

import pytest

from vitrina_autograder.course import Course, CourseError


@pytest.fixture
def course(tmp_path: Path) -> Course:
    (tmp_path / "nbgrader_config.py").write_text("")
    for name in ("week2_neural", "week1_generic", "_drafts", "__pycache__", ".hidden"):
        (tmp_path / "assignments" / name).mkdir(parents=True)
    (tmp_path / "assignments" / "README.md").write_text("")
    return Course(tmp_path)


def test_a_course_is_found_from_any_folder_in_it(course: Course, monkeypatch: pytest.MonkeyPatch):
    inner = course.assignments / "week2_neural"
    assert Course.find(inner) == Course.find(course.root) == course
    monkeypatch.chdir(inner)
    assert Course.find() == course


def test_outside_a_course_the_message_says_what_to_do(tmp_path: Path):
    (tmp_path / "nbgrader_config.py").write_text("")  # half a course is none
    with pytest.raises(CourseError, match="Change into the course folder"):
        Course.find(tmp_path)


def test_the_tree_of_nbgrader_lies_under_build(course: Course):
    parts = {p.name: p for p in (course.source, course.release, course.submitted, course.autograded)}
    assert set(parts) == {"source", "release", "submitted", "autograded"}
    for path in (*parts.values(), course.feedback, course.verdicts, course.gradebook):
        assert path.parent == course.build == course.root / "build"


def test_an_assignment_has_the_name_before_the_underscore(course: Course):
    assert course.assignment_names() == []  # nothing to build yet
    for name in ("week1", "week2"):
        (course.assignment_folder(name) / "notebook.py").write_text("# %%\n")
    assert course.assignment_names() == ["week1", "week2"]
    folder = course.assignments / "week2_neural"
    assert course.assignment_folder("week2") == course.assignment_folder("week2_neural") == folder
    assert course.assignment_name("week2_neural") == course.assignment_name("week2") == "week2"


@pytest.mark.parametrize("name", ["week9", "", ".", "..", "_drafts", "../assignments/week2_neural"])
def test_an_unknown_assignment_lists_the_known_ones(course: Course, name: str):
    with pytest.raises(CourseError, match="week1, week2"):
        course.assignment_folder(name)


def test_two_folders_cannot_be_one_assignment(course: Course):
    (course.assignments / "week2_other").mkdir()
    with pytest.raises(CourseError, match=r"week2_neural.*week2_other"):
        course.assignment_names()


def test_the_secret_is_made_once_and_private(course: Course):
    key = course.secret
    stored = course.build / "course_secret"
    assert len(key) == 32
    assert course.secret == Course(course.root).secret == key == stored.read_bytes()
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert [p.name for p in course.build.iterdir()] == ["course_secret"]  # no draft is left


def test_two_courses_differ(course: Course, tmp_path: Path):
    assert Course(tmp_path / "other").secret != course.secret


def test_the_first_of_two_writers_wins(course: Course, monkeypatch: pytest.MonkeyPatch):
    first = course.secret
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda p: p.name != "course_secret" and exists(p))  # both saw none
    assert course.secret == first


def test_a_damaged_secret_is_not_replaced(course: Course):
    _ = course.secret
    (course.build / "course_secret").write_bytes(b"short")
    with pytest.raises(CourseError, match="damaged"):
        _ = course.secret
    assert (course.build / "course_secret").read_bytes() == b"short"
