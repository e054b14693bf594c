"""What lies in a submission's folder: found, set aside with a word, or refused; nothing of it is lost or followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from corpus.toy_course import ASSIGNMENT, NOTEBOOK
from vitrina_autograder.course import Course
from vitrina_autograder.examination import Paper, fingerprint, restored
from vitrina_autograder.folders import left_out, no_notebook, notebooks_in, set_aside
from vitrina_autograder.intake import UnreadableError, take_remarks
from vitrina_autograder.preprocessors import adopt_notebooks


@pytest.fixture
def released(tmp_path: Path) -> Path:
    (folder := tmp_path / "release").mkdir()
    (folder / "toy.ipynb").write_text("{}")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "ana" / "week9").mkdir(parents=True)
    return folder


def test_what_is_as_expected_stays(folder: Path, released: Path):
    for name in ("toy.ipynb", "data.csv", "helper.py", ".hidden"):
        (folder / name).write_text("x")
    set_aside(folder, released)
    assert left_out(folder) == []
    assert sorted(path.name for path in folder.iterdir()) == [".hidden", "data.csv", "helper.py", "toy.ipynb"]


@pytest.mark.parametrize("name", ["key.txt", "key.left-out", ".key.left-out.txt", "k" * 255, "\udcff"])
def test_links_are_set_aside_whatever_their_name(folder: Path, released: Path, tmp_path: Path, name: str):
    (folder / name).symlink_to(tmp_path / "secret")
    set_aside(folder, released)
    (path,) = folder.iterdir()
    assert path.name.startswith(".")
    assert path.name.endswith(".left-out")
    assert len(left_out(folder)) == 1


def test_of_two_that_would_get_the_same_name_both_stay(folder: Path, released: Path):
    (folder / ".key.left-out").mkdir()
    (folder / "key").symlink_to("nowhere")
    set_aside(folder, released)
    assert len(list(folder.iterdir())) == 2


def test_what_is_too_large_too_much_or_too_deep_is_set_aside(folder: Path, released: Path):
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
    with (folder / "other.ipynb").open("wb") as file:
        file.truncate(1 << 40)
    for number in range(2010):
        (folder / f"{number:04}.txt").touch()
    (folder / "/".join("d" * 100)).mkdir(parents=True)
    set_aside(folder, released)
    remarks = left_out(folder)
    assert remarks[-1] == "3 more files were left out"
    assert max(len(Path(place).relative_to(folder).parts) for place, _folders, _names in os.walk(folder)) == 20
    assert notebooks_in(folder) == []
    set_aside(folder, released)
    assert left_out(folder) == remarks


@pytest.mark.parametrize("name", ["timestamp.txt", "practice.zip"])
def test_a_folder_in_the_place_of_a_file_is_set_aside(folder: Path, released: Path, name: str):
    (released / "practice.zip").touch()
    (folder / name).mkdir()
    set_aside(folder, released)
    assert [path.name for path in folder.iterdir()] == [f".{name}.left-out"]


@pytest.mark.parametrize("level", ["student", "assignment"])
def test_a_folder_that_is_a_link_is_refused(folder: Path, released: Path, tmp_path: Path, level: str):
    (tmp_path / "ben").mkdir()
    link = tmp_path / "ben" / "week9" if level == "assignment" else tmp_path / "cem"
    link.symlink_to(folder if level == "assignment" else folder.parent)
    with pytest.raises(UnreadableError, match="is a link"):
        set_aside(link if level == "assignment" else link / "week9", released)


def test_who_hands_in_no_notebook_is_told_what_there_is(folder: Path):
    assert no_notebook(folder) == "no notebook was handed in"
    (folder / "toy.ipynb.txt").touch()
    (folder / "\x1b[2J").touch()
    assert no_notebook(folder) == "no notebook was handed in, only `\ufffd[2J`, `toy.ipynb.txt`"


class TestSubmission:
    @pytest.fixture
    def paper(self, toy: Course, solved_text: str) -> Paper:
        paper = Paper(toy, ASSIGNMENT, "ana", Path(NOTEBOOK).stem)
        paper.submitted.parent.mkdir(parents=True)
        paper.submitted.write_text(solved_text)
        return paper

    def test_a_notebook_in_a_folder_of_the_same_name_is_found(self, paper: Paper):
        folder, inside = paper.submitted.parent, paper.submitted.name
        paper.submitted.rename(folder / "kept")
        (folder / inside).mkdir()
        (folder / "kept").rename(folder / inside / inside)
        (folder / f"{inside} (folder)").mkdir()
        for _again in range(2):
            adopt_notebooks(paper.course, ASSIGNMENT, folder)
            assert take_remarks(restored(paper)) == [f"submitted as `{inside} (folder1)/{inside}`"]

    def test_a_notebook_in_a_folder_of_its_own_is_found(self, paper: Paper):
        folder = paper.submitted.parent
        (folder / "homework").mkdir()
        paper.submitted.rename(folder / "homework" / "mine.ipynb")
        adopt_notebooks(paper.course, ASSIGNMENT, folder)
        assert take_remarks(restored(paper)) == ["submitted as `homework/mine.ipynb`"]

    def test_a_notebook_that_is_not_graded_is_remarked(self, paper: Paper):
        """Both are there: the blank one under the right name, and what may be the real work under another."""
        (paper.submitted.parent / "toy (1).ipynb").write_text("{}")
        adopt_notebooks(paper.course, ASSIGNMENT, paper.submitted.parent)
        assert take_remarks(restored(paper)) == ["`toy (1).ipynb` was handed in too, and is not graded"]

    def test_a_file_moved_to_another_folder_is_another_submission(self, paper: Paper):
        folder = paper.submitted.parent
        (folder / "wrong").mkdir()
        (folder / "wrong" / "data.csv").write_text("1")
        before = fingerprint(paper, restored(paper))
        (folder / "wrong" / "data.csv").rename(folder / "data.csv")
        assert fingerprint(paper, restored(paper)) != before
