"""Lessons are built the same twice, hide what a quick question answers, and never show what students must write."""

import inspect
import json
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from corpus.copyists import disguised
from vitrina_autograder.course import BuildError, Course, CourseError
from vitrina_autograder.inline import body_source
from vitrina_autograder.kit import make_kit
from vitrina_autograder.lessons import build_lessons, render_lesson, shown_functions
from vitrina_solutions import lrp_0, lrp_network, saliency

ROOT = Path(__file__).parents[2]
LESSON = """# %% [markdown]
# # A lesson

# %%
from vitrina.quick import quick, right, wrong

# %% tags=["slow"]
quick("1 + 1?", right("2", "It is."), wrong("3", "It is not."))

# %%
total = 1 + 1
total
"""


@pytest.fixture
def taught(toy: Course) -> Course:
    """The toy course with a lesson for its week."""
    write(toy, LESSON)
    return toy


def write(course: Course, text: str, name: str = "10_first.py", folder: str = "course/week9_toy") -> Path:
    path = course.root / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_two_builds_are_the_same_bytes_and_stale_ones_go(taught: Course):
    write(taught, LESSON, "20_second.py")
    paths = build_lessons(taught, "week9_toy")
    assert [path.name for path in paths] == ["10_first.ipynb", "20_second.ipynb"]
    first = [path.read_bytes() for path in paths]
    shutil.rmtree(taught.lessons)
    assert [path.read_bytes() for path in build_lessons(taught, "week9")] == first
    (taught.root / "course" / "week9_toy" / "20_second.py").unlink()
    build_lessons(taught, "week9")
    assert [path.name for path in (taught.lessons / "week9").iterdir()] == ["10_first.ipynb"]


def test_only_the_code_of_quick_questions_is_folded_away(taught: Course):
    (path,) = build_lessons(taught, "week9")
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.metadata.get("jupyter") for cell in cells] == [None, None, {"source_hidden": True}, None]
    assert cells[2].metadata.tags == ["hide-input", "slow"]
    assert all(not cell.get("outputs") for cell in cells)


def test_workshops_have_lessons_too(taught: Course):
    write(taught, LESSON, folder="workshops/mnist")
    write(taught, "x = 1", name="host.py", folder="workshops/mnist")
    assert [path.relative_to(taught.build).as_posix() for path in build_lessons(taught, "mnist")] == [
        "lessons/mnist/10_first.ipynb"
    ]
    write(taught, LESSON, folder="workshops/week9_again")
    with pytest.raises(CourseError, match="course/week9_toy and workshops/week9_again would both be 'week9'"):
        build_lessons(taught, "mnist")


def test_unknown_lessons_name_the_known_ones(taught: Course):
    with pytest.raises(CourseError, match=r"no lessons of 'week7'\. There are lessons of week9"):
        build_lessons(taught, "week7")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('# %% check="double" points=3\ncheck("double", 1)\n', "no graded or locked cell"),
        ('# %% readonly="x"\nx = 1\n', "no graded or locked cell"),
        ("# %%\nfrom vitrina_solutions.lrp import lrp_0\n", "vitrina_solutions is not there for students"),
        ("# %%\nx = (\n", "10_first.py, cell 5"),
    ],
)
def test_what_no_lesson_may_hold_is_refused(taught: Course, cell: str, message: str):
    build_lessons(taught, "week9")
    write(taught, LESSON + "\n" + cell)
    with pytest.raises(BuildError, match=message):
        build_lessons(taught, "week9")


def test_an_answer_in_words_is_found(taught: Course):
    write(taught, LESSON + "\n# %% [markdown]\n# Why? Because it is so.\n")
    with pytest.raises(CourseError, match=r"10_first: Because it is so\."):
        build_lessons(taught, "week9")
    assert not (taught.lessons / "week9").exists()


def shown(*cells: str) -> list[str]:
    return shown_functions(new_notebook(cells=list(map(new_code_cell, cells))), [saliency, lrp_0, lrp_network])


@pytest.mark.parametrize("function", [saliency, lrp_0, lrp_network])
def test_a_body_is_found_whatever_it_calls_things(function):
    body = body_source(function)
    assert function.__name__ in shown("x = 1", body)
    assert function.__name__ in shown(*disguised([inspect.getsource(function)], 3))
    head, tail = body.split("\n", 1)
    if tail.count("\n"):  # of two lines each is something that anybody writes
        assert function.__name__ in shown("x = 1\n" + head, "%matplotlib inline\n" + tail)


def test_what_only_uses_the_methods_shows_none():
    used = "from vitrina.explain import saliency\nmaps = saliency(model, digits, 3)\nprint(np.abs(maps).max())"
    tape = "with tf.GradientTape() as tape:\n    loss = train(model, batch)\nstep = tape.gradient(loss, model.weights)"
    assert shown(used, tape) == []


def test_a_lesson_that_solves_the_assignment_is_refused(tmp_path: Path):
    """The real week, with one lesson too many."""
    for name in ("assignments", "nbgrader_config.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    write(
        Course(tmp_path),
        LESSON + "\n# %%\n" + body_source(saliency).replace("gradient", "slope"),
        folder="course/week2",
    )
    with pytest.raises(CourseError, match="10_first: the body of saliency"):
        build_lessons(Course(tmp_path), "week2")


def test_the_kit_holds_the_lessons_of_its_week(taught: Course):
    for name in ("pyproject.toml", "README.md", "constraints.txt", "datasets", "course/vitrina"):
        (taught.root / name).symlink_to(ROOT / name)
    build_lessons(taught, "week9")
    with zipfile.ZipFile(make_kit(taught, "week9")) as archive:
        assert "lessons/10_first.ipynb" in archive.namelist()
        assert "The lessons are in lessons/" in archive.read("START-HERE.txt").decode()
        assert json.loads(archive.read("lessons/10_first.ipynb"))["cells"]


@pytest.mark.slow
def test_a_lesson_becomes_a_page_with_its_figures(taught: Course, tmp_path: Path):
    figure = "import matplotlib.pyplot as plt\nfigure, _ = plt.subplots()\nplt.close(figure)\nfigure"
    write(taught, LESSON + f"\n# %%\nimport sys\nprint('careful', file=sys.stderr)\n\n# %%\n{figure}\n")
    (path,) = build_lessons(taught, "week9")
    page = render_lesson(path, tmp_path)
    text = page.html.read_text()
    assert "<details" in text
    assert "1 + 1?" in text
    assert "quick(" not in text  # its answers would be in sight
    assert [figure.read_bytes()[:4] for figure in page.figures] == [b"\x89PNG"]
    assert page.seconds > 0
    assert page.complaints == "careful\n"
    write(taught, LESSON + "\n# %%\n1 / 0\n")
    with pytest.raises(CourseError, match=r"(?s)10_first.ipynb stops with an error.*ZeroDivisionError"):
        render_lesson(build_lessons(taught, "week9")[0], tmp_path)


def test_release_builds_the_lessons(taught: Course, monkeypatch: pytest.MonkeyPatch):
    from typer.testing import CliRunner

    from vitrina_autograder import cli

    monkeypatch.chdir(taught.root)
    monkeypatch.setattr(cli, "make_kit", lambda course, _name: course.build / "kit")
    result = CliRunner().invoke(cli.app, ["release", "week9"])
    assert result.exit_code == 0, result.output
    assert (taught.lessons / "week9" / "10_first.ipynb").is_file()
