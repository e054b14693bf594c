import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from vitrina_autograder import release
from vitrina_autograder.build import build_assignment
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.release import find_leaks, nbgrader_api, release_assignment

CONFIG = """from pathlib import Path

c = get_config()
c.CourseDirectory.course_id = "tiny"
c.CourseDirectory.root = str(Path(__file__).parent / "build")
c.CourseDirectory.ignore = ["*.py"]
"""
FUNCTION = '''
import numpy as np


def share(x, total):
    """Share a total among the entries of `x`, in proportion."""
    x = np.asarray(x)
    # all entries together make the total
    whole = np.sum(x)  # never zero
    kind = {"x": x}["x"]
    if total:
        return total * kind / whole
    else:
        print(
            whole,
        )
    raise NotImplementedError()
'''
SCRIPT = """# %% [markdown]
# # Shares

# %%
import numpy as np
x = np.asarray(x)

# %% solution="share"
from vitrina_solutions.shares import share

# %% check="share" points=3
check("share", share)

# %% solution="choice"
### BEGIN SOLUTION
choice = "b"
### END SOLUTION

# %% [markdown] answer="why" points=1
# Because the entries add up to one.
"""
Plant = Callable[[Path], object]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Course]:
    package = tmp_path / "lib" / "vitrina_solutions"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "shares.py").write_text(FUNCTION)
    folder = tmp_path / "course" / "assignments" / "week2_neural"
    folder.mkdir(parents=True)
    (folder / "10_shares.py").write_text(SCRIPT)
    (tmp_path / "course" / "nbgrader_config.py").write_text(CONFIG)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    real = {n: sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "vitrina_solutions"}
    course = Course(tmp_path / "course")
    build_assignment(course, "week2")
    yield course
    for name in [n for n in sys.modules if n.partition(".")[0] == "vitrina_solutions"]:
        del sys.modules[name]
    sys.modules.update(real)


def released(course: Course, source: str = "x = np.asarray(x)", **more: object) -> Path:
    """Write a release by hand, as nbgrader would, around one cell."""
    folder = course.release / "week2"
    folder.mkdir(parents=True, exist_ok=True)
    cell = nbformat.v4.new_code_cell(source, **more)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "10_shares.ipynb")
    return folder


@pytest.mark.slow
def test_nbgrader_makes_a_release_without_solutions(course: Course, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # as if started by its full path: no alembic
    (course.source / "week2" / "solution.py").write_text("whole = 1")
    folder = release_assignment(course, "week2_neural")
    assert folder == course.release / "week2"
    assert [p.name for p in folder.iterdir()] == ["10_shares.ipynb"]
    cells = {c.id: c for c in nbformat.read(folder / "10_shares.ipynb", as_version=4).cells}
    assert cells["solution-share"].source == (
        "def share(x, total):\n"
        '    """Share a total among the entries of `x`, in proportion."""\n'
        "    # YOUR CODE HERE\n    raise NotImplementedError()"
    )
    assert cells["answer-why"].source == "YOUR ANSWER HERE"
    assert cells["check-share"].metadata.tags == ["raises-exception"]
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        assert gradebook.find_assignment("week2").max_score == 4

    # A second release replaces the first; a leak in it removes it.
    (course.source / "week2" / "cases.json").write_text(json.dumps({"hint": "return total * kind / whole"}))
    with pytest.raises(CourseError, match=r"cases.json: return total \* kind / whole"):
        release_assignment(course, "week2")
    assert not folder.exists()

    # What nbgrader says when it fails is handed on.
    path = course.source / "week2" / "10_shares.ipynb"
    path.write_text(path.read_text().replace("### END SOLUTION", "###"))
    with pytest.raises(CourseError, match="no end solution statement found"):
        release_assignment(course, "week2")


def test_alembic_is_found_beside_this_python(course: Course, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    nbgrader_api(course)
    assert shutil.which("alembic") == str(Path(sys.executable).parent / "alembic")
    before = os.environ["PATH"]
    nbgrader_api(course)
    assert os.environ["PATH"] == before


def test_the_interface_works_in_the_build_folder(course: Course):
    api = nbgrader_api(course)
    assert Path(api.coursedir.root) == course.build
    assert api.coursedir.db_url == f"sqlite:///{course.gradebook}"
    assert api.coursedir.course_id == "tiny"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("c = get_config()", "must set c.CourseDirectory.root"),
        ("from traitlets.config import get_config\n" + CONFIG, "without an import"),
        ("import nowhere", "cannot be read: ModuleNotFoundError"),
    ],
)
def test_a_wrong_configuration_is_named(course: Course, config: str, message: str):
    (course.root / "nbgrader_config.py").write_text(config)
    with pytest.raises(CourseError, match=message):
        nbgrader_api(course)


def test_nothing_built_nothing_released(course: Course):
    shutil.rmtree(course.source / "week2")
    with pytest.raises(CourseError, match="build week2 first"):
        release_assignment(course, "week2")


def test_a_clean_release_has_no_leaks(course: Course):
    folder = released(course, "def share(x, total):\n    # YOUR CODE HERE\n    raise NotImplementedError()")
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 50)
    (folder / "notes.txt").write_text("the whole_total and a total; awhole = np.sum(x)")  # other names
    (folder / "words.txt").write_text("or else: take the whole, at once")  # one word is no solution
    assert find_leaks(course, "week2") == []


LINES = [
    "    whole = np.sum(x)  # never zero",
    "whole   =  np.sum(x)",
    "print(1)\n  >  return total * kind / whole",
    '    kind = {"x": x}["x"]',
    "# all entries together make the total",
    'choice = "b"',
    "'''Because the entries add up to one.'''",
]


@pytest.mark.parametrize("line", LINES)
def test_a_planted_line_is_found_in_a_cell(course: Course, line: str):
    released(course, line)
    assert find_leaks(course, "week2_neural")


def test_a_planted_line_is_found_in_an_output(course: Course):
    output = nbformat.v4.new_output("error", ename="E", evalue="", traceback=["----> 3 whole = np.sum(x)"])
    released(course, "1", outputs=[output])
    assert find_leaks(course, "week2") == ["10_shares.ipynb: whole = np.sum(x)"]


def test_a_line_the_author_shows_is_no_leak(course: Course):
    released(course, "x = np.asarray(x)")
    assert find_leaks(course, "week2") == []
    path = course.assignments / "week2_neural" / "10_shares.py"
    path.write_text(SCRIPT.replace("x = np.asarray(x)", "x = 1"))  # not shown any more
    build_assignment(course, "week2")
    assert find_leaks(course, "week2") == ["10_shares.ipynb: x = np.asarray(x)"]


def zipped(content: bytes, name: str = "a.txt") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


LEAK = b"    whole = np.sum(x)\n"
PLANTS: dict[str, tuple[str, bytes]] = {
    "text": ("notes.txt", LEAK),
    "json": ("deep/cases.json", json.dumps([{"a": ['kind = {"x": x}["x"]']}]).encode()),
    "json key": ("cases.json", json.dumps({'kind = {"x": x}["x"]': 1}).encode()),
    "zip": ("cases.npz", zipped(LEAK)),
    "zip in zip": ("cases.bin", zipped(zipped(LEAK), "b.zip")),
    "binary": ("model.h5", b"\xff\x00\xfe" + LEAK + b"\xff"),
    "python": ("helper.py", b""),
    "compiled": ("helper.pyc", b""),
    "python in zip": ("kit.zip", zipped(b"", "helper.py")),
}


@pytest.mark.parametrize(("name", "content"), PLANTS.values(), ids=PLANTS)
def test_a_planted_file_is_found(course: Course, name: str, content: bytes):
    path = released(course) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    (leak,) = find_leaks(course, "week2")
    assert leak.startswith(name)


def test_marks_lost_in_the_source_notebook_are_noticed(course: Course):
    """An instructor who edits a built notebook by hand can lose the marks: the scripts still know the solution."""
    path = course.source / "week2" / "10_shares.ipynb"
    text = path.read_text().replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
    path.write_text(text)
    released(course)
    shutil.copy(path, course.release / "week2")
    assert "10_shares.ipynb: return total * kind / whole" in find_leaks(course, "week2")


def test_a_solution_written_only_into_the_source_notebook_is_noticed(course: Course):
    path = course.source / "week2" / "10_shares.ipynb"
    path.write_text(path.read_text().replace("whole = np.sum(x)", "whole = x.sum()"))
    released(course, "whole = x.sum()")
    assert find_leaks(course, "week2") == ["10_shares.ipynb: whole = x.sum()"]


def test_a_solution_missing_from_the_source_notebook_is_noticed(course: Course):
    shutil.rmtree(course.source / "week2")  # as if built before the author added it
    released(course, 'choice = "b"')
    assert find_leaks(course, "week2") == ['10_shares.ipynb: choice = "b"']


def test_half_a_region_in_the_source_notebook_is_named(course: Course):
    path = course.source / "week2" / "10_shares.ipynb"
    path.write_text(path.read_text().replace("### END SOLUTION", "###"))
    released(course)
    with pytest.raises(CourseError, match="Build the assignment again"):
        find_leaks(course, "week2")


def test_the_failure_message_ends_with_the_log(course: Course, monkeypatch: pytest.MonkeyPatch):
    class Failing:
        def generate_assignment(self, name: str, force: bool) -> dict[str, object]:
            return {"success": False, "log": "\n".join(map(str, range(99))) + f"\n{name} {force}"}

    monkeypatch.setattr(release, "nbgrader_api", lambda _: Failing())
    with pytest.raises(CourseError, match=r"(?s)release of week2:\n85\n.*98\nweek2 True$"):
        release_assignment(course, "week2")
