"""Whatever is handed in is read or refused with a reason, and put back into the shape of the release."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import CheckCellMetadata

from corpus.mutations import SEEDS, SINGLE, mutate
from corpus.odd_files import READABLE, UNREADABLE
from corpus.toy_course import ASSIGNMENT, DOUBLE, NOTEBOOK, POINTS, QUIZ, SQUARE, WHY
from vitrina_autograder.course import Course
from vitrina_autograder.intake import UnreadableError, blank_submission, read_submission, restore, take_remarks

Tree = dict[str, Any]
CHECK = "check-double"
SOURCES = {DOUBLE: "return x + x", SQUARE: "return x * x", QUIZ: '"one": "yes"', WHY: "Because I say so."}
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])

KEYS = st.sampled_from(
    ["cells", "worksheets", "cell_type", "source", "input", "metadata", "nbgrader", "grade_id", "id", "attachments"]
)
LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=8)
TYPES = st.sampled_from(["code", "markdown", "raw", "check-double", "solution-double", "cell-1"])


def _branches(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    cells = st.fixed_dictionaries({"cell_type": TYPES, "source": inner, "metadata": inner, "id": inner})
    return st.lists(inner | cells, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5)


TREES = st.recursive(LEAVES | TYPES, _branches, max_leaves=30) | st.fixed_dictionaries(
    {"cells": st.lists(st.recursive(LEAVES | TYPES, _branches, max_leaves=15), max_size=6)}
)


def by_id(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


def cell_of(tree: Tree, grade_id: str) -> Tree:
    return next(c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


@pytest.fixture
def submitted(tmp_path: Path, release: NotebookNode) -> Callable[[Tree], tuple[NotebookNode, list[str]]]:
    """Write a notebook, read it and restore it; everything that a restored notebook must be is checked on the way."""

    def submit(tree: Tree) -> tuple[NotebookNode, list[str]]:
        path = tmp_path / NOTEBOOK
        path.write_text(json.dumps(tree), encoding="utf-8")
        notebook = read_submission(path)
        remarks = restore(notebook, release)
        assert_restored(notebook, release)
        return notebook, remarks

    return submit


def assert_restored(notebook: NotebookNode, release: NotebookNode) -> None:
    """nbgrader accepts it, each released cell is there once with the release's marks, and nothing claims others."""
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    CheckCellMetadata().preprocess(notebook, {})
    ids = [c.metadata.nbgrader.grade_id for c in notebook.cells if "nbgrader" in c.metadata]
    assert sorted(ids) == sorted(by_id(release))
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)
    for grade_id, template in by_id(release).items():
        cell = by_id(notebook)[grade_id]
        assert cell.metadata == template.metadata
        assert cell.cell_type == template.cell_type
        if template.metadata.nbgrader.locked:
            assert cell.source == template.source
    points = {key: c.metadata.nbgrader.points for key, c in by_id(notebook).items() if key in POINTS}
    assert points == POINTS
    again = copy.deepcopy(notebook)
    assert restore(again, release) == []
    assert again.cells == notebook.cells


class TestReading:
    @pytest.mark.parametrize("name", UNREADABLE)
    def test_what_is_no_notebook_is_refused_with_a_reason(self, tmp_path: Path, name: str):
        data, reason = UNREADABLE[name]
        path = tmp_path / NOTEBOOK
        path.write_bytes(data)
        with pytest.raises(UnreadableError, match=reason):
            read_submission(path)

    @pytest.mark.parametrize("name", READABLE)
    def test_however_it_was_saved_nothing_of_it_is_lost(
        self, tmp_path: Path, solved: Tree, release: NotebookNode, name: str
    ):
        path = tmp_path / NOTEBOOK
        path.write_bytes(READABLE[name](solved))
        notebook = read_submission(path)
        assert restore(notebook, release) == []
        assert_restored(notebook, release)
        cells = by_id(notebook)
        if name != "version 3":  # which has no ids, but keeps the marks
            assert all(text in cells[key].source for key, text in SOURCES.items())
        assert "\r" not in "".join(cell.source for cell in notebook.cells)
        nbformat.writes(notebook).encode()

    def test_latin_letters_stay_letters(self, tmp_path: Path, solved: Tree):
        path = tmp_path / NOTEBOOK
        path.write_bytes(READABLE["latin-1"](solved))
        assert read_submission(path).cells[0].source == "# corazón"

    def test_links_folders_and_missing_files_are_refused(self, tmp_path: Path, toy_course: Course):
        link, folder = tmp_path / "link.ipynb", tmp_path / "folder.ipynb"
        link.symlink_to(toy_course.source / ASSIGNMENT / NOTEBOOK)
        folder.mkdir()
        for path in (link, folder, tmp_path / "none.ipynb"):
            with pytest.raises(UnreadableError, match="not a file"):
                read_submission(path)

    def test_a_huge_file_is_refused_unread(self, tmp_path: Path):
        path = tmp_path / NOTEBOOK
        with path.open("wb") as file:
            file.truncate(300 << 20)
        with pytest.raises(UnreadableError, match="larger"):
            read_submission(path)

    def test_attached_pictures_are_kept_and_nothing_else(
        self, solved: Tree, submitted: Callable[[Tree], tuple[NotebookNode, list[str]]]
    ):
        cell_of(solved, WHY)["attachments"] = {
            "a.png": {"image/png": "aGk=", "text/html": "<script>"},
            "b.svg": {"image/svg+xml": "<svg onload=x>"},
            "c": 3,
        }
        notebook, _ = submitted(solved)
        assert by_id(notebook)[WHY].attachments == {"a.png": {"image/png": "aGk="}, "b.svg": {}}

    def test_nothing_but_sources_is_believed(
        self, solved: Tree, submitted: Callable[[Tree], tuple[NotebookNode, list[str]]]
    ):
        for cell in solved["cells"]:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "100"}]
            cell["metadata"]["vitrina"] = "own"
        solved["metadata"] = {"vitrina_remarks": ["forged"], "kernelspec": {"name": "own"}}
        notebook, remarks = submitted(solved)
        assert remarks == take_remarks(notebook) == []
        assert notebook.metadata.kernelspec.name == "python3"
        assert all(not cell.get("outputs") and "vitrina" not in cell.metadata for cell in notebook.cells)

    def test_a_blank_submission_says_why(self, toy_course: Course, release: NotebookNode):
        notebook = blank_submission(toy_course.release / ASSIGNMENT / NOTEBOOK, "it is empty")
        assert notebook.cells[0].source == "**The submitted file could not be read: it is empty.**"
        assert restore(notebook, release) == []
        assert take_remarks(notebook) == ["the submitted file could not be read: it is empty"]
        assert_restored(notebook, release)

    @QUICK
    @example({"worksheets": [{"cells": None}]})
    @given(TREES)
    def test_random_trees_are_read_or_refused(self, tmp_path: Path, release: NotebookNode, tree: object):
        assert_read_or_refused(tmp_path / NOTEBOOK, json.dumps(tree).encode("utf-8", "surrogatepass"), release)

    @QUICK
    @given(st.data())
    def test_damaged_bytes_are_read_or_refused(
        self, tmp_path: Path, release: NotebookNode, solved_text: str, data: st.DataObject
    ):
        content = bytearray(solved_text, "utf-8")
        for _ in range(data.draw(st.integers(1, 5))):
            position = data.draw(st.integers(0, len(content) - 1))
            content[position : position + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=5))
        assert_read_or_refused(tmp_path / NOTEBOOK, bytes(content), release)


def assert_read_or_refused(path: Path, content: bytes, release: NotebookNode) -> None:
    path.write_bytes(content)
    try:
        notebook = read_submission(path)
    except UnreadableError as error:
        assert str(error)  # noqa: PT017 (either way is right)
        return
    restore(notebook, release)
    assert_restored(notebook, release)
    nbformat.writes(notebook).encode()


Submit = Callable[[Tree], tuple[NotebookNode, list[str]]]


class TestRestoring:
    def test_an_honest_notebook_stays_as_it_is(self, solved: Tree, submitted: Submit):
        notebook, remarks = submitted(solved)
        assert remarks == []
        assert [cell.source for cell in notebook.cells] == [cell["source"] for cell in solved["cells"]]
        assert [cell.id for cell in notebook.cells] == [cell["id"] for cell in solved["cells"]]

    @pytest.mark.parametrize("grade_id", [CHECK, DOUBLE, "readonly-given"])
    def test_of_copies_the_last_one_counts(self, solved: Tree, submitted: Submit, grade_id: str):
        original = cell_of(solved, grade_id)
        index = solved["cells"].index(original)
        solved["cells"].insert(index, {**copy.deepcopy(original), "source": "first = 1"})
        notebook, remarks = submitted(solved)
        assert remarks == [f"`{grade_id}` is there 2 times; the last one counts"]
        assert by_id(notebook)[grade_id].source == original["source"]
        assert sum(cell.source == "first = 1" for cell in notebook.cells) == 1  # stays, as a plain cell

    def test_of_copied_answers_the_last_written_one_counts(
        self, solved: Tree, submitted: Submit, release: NotebookNode
    ):
        blank = by_id(release)[WHY].source
        answer = cell_of(solved, WHY)
        texts = ["First thought.", "Second thought.", blank, "  "]
        solved["cells"] += [{**copy.deepcopy(answer), "source": text} for text in texts]
        notebook, remarks = submitted(solved)
        assert by_id(notebook)[WHY].source == "Second thought."
        assert remarks == [f"`{WHY}` is there 5 times; the last one counts"]

    @pytest.mark.parametrize("grade_id", [CHECK, DOUBLE, WHY, "readonly-given", "check-quiz"])
    def test_deleted_cells_are_put_back_in_their_place(
        self, solved: Tree, submitted: Submit, release: NotebookNode, grade_id: str
    ):
        solved["cells"].remove(cell_of(solved, grade_id))
        notebook, remarks = submitted(solved)
        assert remarks == [f"`{grade_id}` was missing and has been put back"]
        order = [c.id for c in release.cells if "nbgrader" in c.metadata]
        assert [c.id for c in notebook.cells if "nbgrader" in c.metadata] == order
        assert by_id(notebook)[grade_id].source == by_id(release)[grade_id].source

    @pytest.mark.parametrize("flag", ["grade", "solution", "locked", "task"])
    @pytest.mark.parametrize("grade_id", [CHECK, DOUBLE, WHY])
    def test_flipped_flags_flip_nothing(self, solved: Tree, submitted: Submit, grade_id: str, flag: str):
        marks = cell_of(solved, grade_id)["metadata"]["nbgrader"]
        marks[flag] = not marks[flag]
        assert submitted(solved)[1] == []

    @pytest.mark.parametrize(
        ("key", "value"),
        [("points", 100), ("points", -3), ("points", float("nan")), ("cell_type", "markdown"), ("schema_version", 1),
         ("schema_version", 99), ("schema_version", "3"), ("checksum", "own")],
    )  # fmt: skip
    def test_changed_marks_change_nothing(self, solved: Tree, submitted: Submit, key: str, value: object):
        cell_of(solved, CHECK)["metadata"]["nbgrader"][key] = value
        assert submitted(solved)[1] == []

    def test_stripped_metadata_are_found_by_cell_ids(self, solved: Tree, submitted: Submit):
        for cell in solved["cells"]:
            cell["metadata"] = {}
        notebook, remarks = submitted(solved)
        assert remarks == []
        assert by_id(notebook)[DOUBLE].source == solved["cells"][3]["source"]

    def test_checks_without_any_mark_are_found_by_their_text(self, solved: Tree, submitted: Submit):
        for cell in solved["cells"]:
            cell["metadata"] = {}
            del cell["id"]
        notebook, remarks = submitted(solved)
        missing = {remark.split("`")[1] for remark in remarks}
        assert missing == {DOUBLE, SQUARE, QUIZ, WHY, "readonly-given"}
        assert all("put back" in remark for remark in remarks)
        texts = [cell.source for cell in notebook.cells]
        assert texts.count('check("double", double)') == 1  # found, not added
        assert solved["cells"][3]["source"] in texts

    def test_a_stub_put_back_does_not_undo_what_the_student_wrote(self, solved: Tree, submitted: Submit):
        """Cells without any mark: the stub of a solution runs before the student's own cell, not after it."""
        for cell in solved["cells"]:
            cell["metadata"] = {}
            del cell["id"]
        notebook, _ = submitted(solved)
        order = [cell.source for cell in notebook.cells]
        assert order.index(by_id(notebook)[DOUBLE].source) < order.index(solved["cells"][3]["source"])
        assert order.index(solved["cells"][3]["source"]) < order.index('check("double", double)')

    def test_a_retyped_check_is_a_check_again(self, solved: Tree, submitted: Submit):
        cell_of(solved, CHECK)["cell_type"] = "markdown"
        assert submitted(solved)[1] == [f"`{CHECK}` was changed and has been restored"]

    def test_a_retyped_solution_is_code_again(self, solved: Tree, submitted: Submit):
        cell_of(solved, DOUBLE)["cell_type"] = "raw"
        notebook, _ = submitted(solved)
        assert "return x + x" in by_id(notebook)[DOUBLE].source

    @pytest.mark.parametrize("text", ["", "3.0", "check = print", "check('double', lambda x: 2)  # mine"])
    def test_an_edited_check_is_restored(self, solved: Tree, submitted: Submit, text: str):
        cell_of(solved, CHECK)["source"] = text
        assert submitted(solved)[1] == [f"`{CHECK}` was changed and has been restored"]

    def test_the_students_order_stays(self, solved: Tree, submitted: Submit):
        solved["cells"].reverse()
        notebook, remarks = submitted(solved)
        assert remarks == []
        assert [cell.source for cell in notebook.cells] == [cell["source"] for cell in solved["cells"]]

    def test_claims_of_other_cells_are_dropped(self, solved: Tree, submitted: Submit):
        marks = {**cell_of(solved, CHECK)["metadata"]["nbgrader"], "grade_id": "check-mine", "points": 50}
        solved["cells"].append({"cell_type": "code", "id": "m", "source": "50", "metadata": {"nbgrader": marks}})
        notebook, remarks = submitted(solved)
        assert remarks == []
        assert notebook.cells[-1].metadata == {}

    def test_it_is_the_restoring_that_makes_nbgrader_accept_a_copy(self, tmp_path: Path, solved: Tree):
        """The proof that the tests above would notice: without it, the copied cell is refused."""
        solved["cells"].append(copy.deepcopy(cell_of(solved, CHECK)))
        path = tmp_path / NOTEBOOK
        path.write_text(json.dumps(solved), encoding="utf-8")
        with pytest.raises(Exception, match="schema version"):
            CheckCellMetadata().preprocess(read_submission(path), {})


@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_notebooks_are_restored(solved: Tree, submitted: Submit, seed: int):
    submitted(mutate(solved, seed))


def test_mutations_are_the_same_every_time_and_change_something(solved: Tree):
    for seed in range(len(SINGLE)):
        assert repr(mutate(solved, seed)) == repr(mutate(solved, seed))
    assert sum(repr(mutate(solved, seed)) == repr(solved) for seed in SEEDS) <= 6


class TestAddedCode:
    def test_code_written_into_a_check_is_kept_before_it(self, solved: Tree, submitted: Submit):
        check, solution = cell_of(solved, CHECK), cell_of(solved, DOUBLE)
        check["source"] = f"{solution['source']}\n{check['source']}"
        solved["cells"].remove(solution)
        notebook, remarks = submitted(solved)
        order = [cell.source for cell in notebook.cells]
        stub, kept = order.index(by_id(notebook)[DOUBLE].source), order.index(check["source"])
        assert stub < kept < order.index('check("double", double)')
        assert f"`{CHECK}` was changed and has been restored; the code that was added to it runs before it" in remarks

    def test_a_cell_merged_with_the_check_before_it_is_not_undone(self, solved: Tree, submitted: Submit):
        check, after = cell_of(solved, CHECK), cell_of(solved, SQUARE)
        check["source"] = f"{check['source']}\n{after['source']}"
        solved["cells"].remove(after)
        notebook, _ = submitted(solved)
        order = [cell.source for cell in notebook.cells]
        assert order.index(by_id(notebook)[SQUARE].source) < order.index(check["source"])

    def test_a_check_is_found_under_an_editors_comments(self, solved: Tree, submitted: Submit):
        for cell in solved["cells"]:
            cell |= {"metadata": {}, "id": f"{cell['id']}-x", "source": f"#| label: x\n{cell['source']}"}
        notebook, remarks = submitted(solved)
        assert not any("check-" in remark and "missing" in remark for remark in remarks)
        order = [cell.source for cell in notebook.cells]
        assert order.index(solved["cells"][3]["source"]) < order.index('check("double", double)')

    def test_a_check_that_is_lost_with_its_solution_comes_last(self, solved: Tree, submitted: Submit):
        check = cell_of(solved, CHECK)
        for cell in solved["cells"]:
            cell |= {"metadata": {}, "id": f"{cell['id']}-x"}
        solved["cells"].remove(check)
        notebook, _ = submitted(solved)
        assert notebook.cells[-1].source == 'check("double", double)'

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b'{"cells": [\n<<<<<<< HEAD\n]}', "merge conflict"),
            (json.dumps({"cells": [{"cell_type": "code", "source": ""}] * 6000}).encode(), "6000 cells"),
            (b'{"cells": [' + b"[]," * 6_000_000 + b"[]]}", "millions of parts"),
        ],
    )
    def test_what_is_no_notebook_any_more(self, tmp_path: Path, data: bytes, reason: str):
        (path := tmp_path / NOTEBOOK).write_bytes(data)
        with pytest.raises(UnreadableError, match=reason):
            read_submission(path)

    @pytest.mark.parametrize("depth", range(900, 1000, 9))
    def test_an_id_nested_as_deep_as_can_be_read_is_no_id(self, tmp_path: Path, release: NotebookNode, depth: int):
        text = json.dumps(release).replace(json.dumps(CHECK), "[" * depth + "]" * depth)
        assert_read_or_refused(tmp_path / NOTEBOOK, text.encode(), release)


def test_what_is_cut_of_a_long_cell_is_said(tmp_path: Path):
    sources = ["x" * (1 << 20), "y" * ((1 << 20) + 1), "z"]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    (tmp_path / NOTEBOOK).write_text(json.dumps({"cells": cells}))
    notebook = read_submission(tmp_path / NOTEBOOK)
    assert [len(cell.source) for cell in notebook.cells] == [1 << 20, 1 << 20, 1]
    assert take_remarks(notebook) == ["cell 2 was cut: it has more than 1 million characters"]


def test_half_characters_in_pictures_are_replaced(tmp_path: Path):
    picture = {"a\ud800.png": {"image/png": "\ud800"}}
    cells = [{"cell_type": "markdown", "source": "", "attachments": picture}]
    (tmp_path / NOTEBOOK).write_text(json.dumps({"cells": cells}))
    assert read_submission(tmp_path / NOTEBOOK).cells[0].attachments == {"a?.png": {"image/png": "?"}}
