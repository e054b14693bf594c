"""The zip that students get: the release, the lessons, the student kit as a wheel, the pins, and how to start."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from vitrina_autograder.course import Course, CourseError

_EPOCH = (1980, 1, 1, 0, 0, 0)
_START = """\
Vitrina, {assignment}

You need Python 3.11 or newer. In this folder, two commands:

    pip install -c constraints.txt {wheel}
    jupyter lab

{lessons}The notebook to hand in is in {assignment}/: write each function, run the check under it.
Hand it in under its own name.
"""
_LESSONS = """\
The lessons are in lessons/: read and run them in the order of their numbers.
"""


def make_kit(course: Course, assignment: str) -> Path:
    """Pack the release of an assignment, and the built lessons of its week, for students.

    Raises
    ------
    CourseError
        When the wheel of the student kit cannot be built.
    """
    target = course.build / "kit" / f"vitrina-{assignment}.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        wheel = _wheel(course, Path(folder))
        folders = {assignment: course.release / assignment, "lessons": course.lessons / assignment}
        lessons = _LESSONS if any(folders["lessons"].glob("*.ipynb")) else ""
        start = _START.format(assignment=assignment, wheel=wheel.name, lessons=lessons)
        _add(archive, "START-HERE.txt", start.encode())
        _add(archive, wheel.name, wheel.read_bytes())
        _add(archive, "constraints.txt", (course.root / "constraints.txt").read_bytes())
        for name, source in folders.items():
            for path in sorted(source.rglob("*")):
                if path.is_file():
                    _add(archive, f"{name}/{path.relative_to(source)}", path.read_bytes())
    return target


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.external_attr = 0o644 << 16
    archive.writestr(info, data, zipfile.ZIP_DEFLATED)


def _wheel(course: Course, folder: Path) -> Path:
    """Build the student kit's wheel from a copy that holds nothing but the student's part."""
    if not (course.root / "course").is_dir():
        raise CourseError(f"{course.root} holds no student kit to pack: its folder `course/` is missing")
    copy = folder / "kit"
    for part in ("course", "datasets"):
        shutil.copytree(course.root / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copyfile(course.root / name, copy / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
    result = subprocess.run(build, capture_output=True, text=True, check=False)
    if result.returncode:
        raise CourseError(f"the student kit cannot be built:\n{result.stderr[-1000:]}")
    (wheel,) = folder.glob("*.whl")
    return wheel
