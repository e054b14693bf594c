"""The zip for students: what it holds, and that it is the same bytes twice."""

import zipfile
from pathlib import Path

import pytest

from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.kit import make_kit

ROOT = Path(__file__).parents[2]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The real kit with a release of one file."""
    for name in ("course", "datasets", "pyproject.toml", "README.md", "constraints.txt"):
        (tmp_path / name).symlink_to(ROOT / name)
    release = tmp_path / "build" / "release" / "week2"
    release.mkdir(parents=True)
    (release / "notebook.ipynb").write_text("{}")
    return Course(tmp_path)


def test_the_kit_holds_what_a_student_needs_and_no_more(course: Course):
    with zipfile.ZipFile(make_kit(course, "week2")) as archive:
        names = archive.namelist()
        start = archive.read("START-HERE.txt").decode()
    (wheel,) = [name for name in names if name.endswith(".whl")]
    assert sorted(names) == sorted(["START-HERE.txt", wheel, "constraints.txt", "week2/notebook.ipynb"])
    assert f"pip install -c constraints.txt {wheel}" in start


def test_two_kits_hold_the_same(course: Course):
    first = make_kit(course, "week2").read_bytes()
    assert make_kit(course, "week2").read_bytes() == first


def test_a_course_without_the_kit_says_so(course: Course):
    (course.root / "course").unlink()
    with pytest.raises(CourseError, match="no student kit"):
        make_kit(course, "week2")
