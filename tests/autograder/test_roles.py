from typing import Any

import jupytext
import pytest
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.nbgraderformat import MetadataValidator

from vitrina_autograder.course import BuildError
from vitrina_autograder.roles import KINDS, Role, expand_role, place_of, read_role

CHECK = 'check("lrp_0", lrp_0)'


def cell_of(header: str, source: str) -> NotebookNode:
    return jupytext.reads(f"# %% {header}\n{source}\n", fmt="py:percent").cells[0]


def role_of(header: str, source: str = "x = 1") -> Role | None:
    cell = cell_of(header, source)
    return read_role(cell, place_of("10_lrp.py", 4, cell))


def expanded(header: str, source: str = "x = 1") -> NotebookNode:
    cell = cell_of(header, source)
    expand_role(cell, read_role(cell, place_of("10_lrp.py", 4, cell)), 4)
    return cell


FLAGS = {  # header, source -> grade, solution, locked, task, points
    ('solution="lrp_0"', "x = 1"): (False, True, False, False, None),
    ('check="lrp_0" points=3', CHECK): (True, False, True, False, 3),
    ('[markdown] answer="why" points=0.5', "# Because"): (True, True, False, False, 0.5),
    ('readonly="data"', "x = 1"): (False, False, True, False, None),
    ('[markdown] readonly="data"', "# Read"): (False, False, True, False, None),
    ('[markdown] task="plot" points=2', "# Draw"): (False, False, True, True, 2),
}


@pytest.mark.parametrize(("written", "flags"), FLAGS.items(), ids=str)
def test_each_role_is_what_nbgrader_means_by_it(written: tuple[str, str], flags: tuple[Any, ...]):
    cell = expanded(*written)
    meta = cell.metadata.nbgrader
    assert (meta.grade, meta.solution, meta.locked, meta.task, meta.get("points")) == flags
    assert meta.schema_version == 3
    assert cell.id == meta.grade_id
    MetadataValidator().validate_cell(cell)


def test_nbgrader_itself_sees_the_roles():
    assert utils.is_grade(expanded('check="lrp_0" points=3', CHECK))
    assert utils.is_locked(expanded('check="lrp_0" points=3', CHECK))
    assert utils.is_solution(expanded('solution="lrp_0"'))
    assert utils.is_task(expanded('[markdown] task="plot" points=2', "# Draw"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_grade_id_is_role_and_id(kind: str):
    assert Role(kind, "lrp_0", 1).grade_id == f"{kind}-lrp_0"


def test_a_check_cell_lets_run_all_go_on_and_cannot_be_deleted():
    metadata = expanded('check="lrp_0" points=3 tags=["x"]', CHECK).metadata
    assert metadata.tags == ["raises-exception", "x"]
    assert metadata.deletable is False
    assert metadata.editable is False


def test_a_solution_cell_stays_editable():
    metadata = expanded('solution="lrp_0"').metadata
    assert metadata.get("editable", True)
    assert "tags" not in metadata


def test_a_plain_cell_gets_an_id_from_its_position_and_loses_jupytext_keys():
    cell = cell_of('a title tags=["hide"]', "x = 1")
    cell.metadata["lines_to_next_cell"] = 0
    expand_role(cell, read_role(cell, place_of("a.py", 4, cell)), 4)
    assert cell.id == "cell-4"
    assert cell.metadata == {"tags": ["hide"]}


CONTRADICTIONS = {
    "one cell has one role": ('solution="a" check="a" points=1', "x = 1"),
    "a check cell needs points": ('check="lrp_0"', CHECK),
    "an answer": ('[markdown] answer="why"', "# Because"),
    "a task cell needs points": ('[markdown] task="why"', "# Draw"),
    "a solution cell has no points": ('solution="a" points=2', "x = 1"),
    "a readonly cell has no points": ('readonly="a" points=2', "x = 1"),
    "points need a role": ("points=2", "x = 1"),
    "above zero, not 0": ('check="lrp_0" points=0', CHECK),
    "above zero, not -1": ('check="lrp_0" points=-1', CHECK),
    "above zero, not inf": ('check="lrp_0" points=Infinity', CHECK),
    "above zero, not nan": ('check="lrp_0" points=NaN', CHECK),
    "needs points=NUMBER": ('check="lrp_0" points="3"', CHECK),
    "a check cell needs points=": ('check="lrp_0" points=true', CHECK),
    "check belongs on a code": ('[markdown] check="lrp_0" points=1', CHECK),
    "solution belongs on a code": ('[markdown] solution="a"', "# a"),
    "answer belongs on a markdown": ('answer="a" points=1', "x = 1"),
    "task belongs on a markdown": ('task="a" points=1', "x = 1"),
    "not raw": ('[raw] readonly="a"', "a"),
    "letters, digits": ('solution="gradient x"', "x = 1"),
    "needs an id": ("readonly", "x = 1"),
    "solution=... needs": ("solution=3", "x = 1"),
    "the id is too long": (f'solution="{"a" * 60}"', "x = 1"),
    "unknown key sollution": ('sollution="a"', "x = 1"),
    "instead of nbgrader metadata": ('nbgrader={"grade": true}', "x = 1"),
    "cannot read": ("solution=\"a'", "x = 1"),
}


@pytest.mark.parametrize(("message", "written"), CONTRADICTIONS.items())
def test_contradictions_are_refused(message: str, written: tuple[str, str]):
    with pytest.raises(BuildError) as caught:
        role_of(*written)
    said = str(caught.value).replace('"', "")
    assert said.startswith("10_lrp.py, cell 4")
    assert message in said or (message == "an answer" and "a answer cell needs points" in said)


@pytest.mark.parametrize(
    "source",
    [
        'check("lrp_1", lrp_0)',
        'check("lrp_0", lrp_0)\nprint(1)',
        'check("lrp_0", lrp_0); print(1)',
        'x = check("lrp_0", lrp_0)',
        'verify("lrp_0", lrp_0)',
        "check(name, lrp_0)",
        "check()",
        'check("lrp_0"',
        "",
    ],
)
def test_a_check_cell_is_exactly_one_check_of_its_own_id(source: str):
    with pytest.raises(BuildError, match="exactly one line"):
        role_of('check="lrp_0" points=3', source)


@pytest.mark.parametrize("source", [CHECK, 'check("lrp_0")', "check('lrp_0', lrp_0, 2)"])
def test_a_check_line_may_hand_over_what_it_likes(source: str):
    assert role_of('check="lrp_0" points=3', source) == Role("check", "lrp_0", 3)


def test_the_message_quotes_the_cell_header():
    with pytest.raises(BuildError, match=r'10_lrp.py, cell 4 \(check="lrp_0"\)'):
        role_of('check="lrp_0"', CHECK)
