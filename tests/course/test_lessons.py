"""Every lesson has its parts and shows no solution."""

import ast
import re
from pathlib import Path
from types import FunctionType

import jupytext
import pytest

import vitrina_solutions
from vitrina_autograder.course import Course
from vitrina_autograder.lessons import build_lesson, shown_functions

ROOT = Path(__file__).parents[2]
WEEKS = Course(ROOT).lesson_scripts()
LESSONS = [script for scripts in WEEKS.values() for script in scripts]
TEXTBOOK = [getattr(vitrina_solutions, name) for name in vitrina_solutions.__all__]

each_lesson = pytest.mark.parametrize("script", LESSONS, ids=lambda script: f"{script.parent.name}/{script.stem}")


def test_every_week_is_run():
    """By a file of its own, as tests are shared out among processes by file."""
    assert {f"test_lessons_of_{week}.py" for week in WEEKS} == {
        path.name for path in Path(__file__).parent.glob("test_lessons_of_*.py")
    }


def prose(script: Path) -> list[str]:
    cells = jupytext.read(script, fmt="py:percent").cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def headings(script: Path) -> list[str]:
    return re.findall(r"^#+ (.*)", "\n".join(prose(script)), flags=re.MULTILINE)


@each_lesson
def test_a_lesson_has_its_parts(script):
    texts = prose(script)
    assert re.match(r"# \S", texts[0])
    assert "you will be able to" in " ".join(texts[0].split())
    assert any("$$" in text for text in texts), "no formula"
    assert "What goes wrong in practice" in headings(script)
    assert headings(script)[-1] == "References"
    sources = re.findall(r"^- .*?(?=^- |\Z)", texts[-1].split("References\n")[1], flags=re.MULTILINE | re.DOTALL)
    assert len(sources) >= 2
    assert all(re.search(r"\(\d{4}\)", source) for source in sources), "each reference has its year"


@each_lesson
def test_a_lesson_builds_and_shows_no_solution(script):
    assert shown_functions(build_lesson(script), TEXTBOOK) == []


@each_lesson
def test_no_cell_shows_what_a_drawing_call_returns(script):
    """Such as "<matplotlib.legend.Legend at 0x7f...>" under a figure."""
    returns = {"axhline", "axvline", "bar", "barh", "imshow", "legend", "plot", "scatter", "set", "set_title", "text"}
    for cell in jupytext.read(script, fmt="py:percent").cells:
        if cell.cell_type == "code" and (body := ast.parse(cell.source).body):
            match body[-1]:
                case ast.Expr(ast.Call(ast.Attribute(attr=name))):
                    assert name not in returns, cell.source
                case _:
                    pass


@each_lesson
def test_figures_show_after_a_force_plot(script):
    """The force plot of shap switches drawing off for all cells after it."""
    for cell in jupytext.read(script, fmt="py:percent").cells:
        assert "shap.plots.force" not in cell.source or "plt.ion()" in cell.source


def test_long_bodies_of_the_textbook_would_be_found():
    """All but the shortest functions are long enough to be looked for."""
    from nbformat.v4 import new_code_cell, new_notebook

    from vitrina_autograder.inline import body_source

    def found(function: FunctionType) -> bool:
        return shown_functions(new_notebook(cells=[new_code_cell(body_source(function))]), [function]) != []

    overlooked = [function.__name__ for function in TEXTBOOK if not found(function)]
    assert len(overlooked) <= len(TEXTBOOK) // 5, overlooked
