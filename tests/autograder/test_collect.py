"""From a platform's download to the submissions' folders, with names and without."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from corpus.toy_course import ASSIGNMENT, DOUBLE, NOTEBOOK
from vitrina_autograder.collect import collect, newest_file
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.deadlines import FILE_NAME
from vitrina_autograder.folders import TIMESTAMP
from vitrina_autograder.grade import Grading, feedback_pages, submitted_students
from vitrina_autograder.identities import read_identities
from vitrina_autograder.lateness import received
from vitrina_autograder.verdicts import load_record

MOODLE = {
    "Ana García López_1234567_assignsubmission_file/my work.ipynb": "ana",
    "Ana García López_1234567_assignsubmission_file/helper.py": "help = 1",
    "Ana García López_1234567_assignsubmission_onlinetext/onlinetext.html": "hello",
    "Bea_Ruiz_1234568_assignsubmission_file_/toy.ipynb": "bea",
    "Carl Sanz_1234569_assignsubmission_file_toy.ipynb": "carl",
}
CANVAS = {
    "garcialopezana_2001_90001_toy.ipynb": "ana",
    "ruizbea_LATE_2002_90002_my_toy-1.ipynb": "bea",
    "anon_Ab3xY_90003_toy.ipynb": "nobody",
}


def download(path: Path, files: dict[str, str], when: tuple[int, ...] = (2026, 12, 1, 20, 0, 0)) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, when), text)
    return path


def submitted(course: Course) -> dict[str, str]:
    root = course.submitted
    return {str(path.relative_to(root)): path.read_text("utf-8") for path in root.rglob("*") if path.is_file()}


def test_moodles_download_in_all_its_forms(toy: Course, tmp_path: Path):
    result = collect(toy, ASSIGNMENT, download(tmp_path / "m.zip", MOODLE))
    assert submitted(toy) == {
        "ana-garcia-lopez/week9/my work.ipynb": "ana",
        "ana-garcia-lopez/week9/helper.py": "help = 1",
        "bea-ruiz/week9/toy.ipynb": "bea",
        "carl-sanz/week9/toy.ipynb": "carl",
    }
    assert sorted(result.new) == sorted(result.untimed) == ["ana-garcia-lopez", "bea-ruiz", "carl-sanz"]
    assert result.left_out == []
    ana = read_identities(toy)["ana-garcia-lopez"]
    assert (ana.name, ana.number) == ("Ana García López", "1234567")
    assert ana.folders == {ASSIGNMENT: "Ana García López_1234567_assignsubmission_file"}


def test_canvas_download(toy: Course, tmp_path: Path):
    result = collect(toy, ASSIGNMENT, download(tmp_path / "c.zip", CANVAS))
    assert submitted(toy) == {
        "garcialopezana-2001/week9/toy.ipynb": "ana",
        "ruizbea-2002/week9/my_toy-1.ipynb": "bea",
        "anon_Ab3xY/week9/toy.ipynb": "nobody",
    }
    assert result.marked_late == ["ruizbea-2002"]


def test_a_plain_folder_and_one_that_wraps_it(toy: Course, tmp_path: Path):
    plain, wrapped = tmp_path / "plain", tmp_path / "wrapped" / "inner"
    for root in (plain, wrapped):
        (root / "dora").mkdir(parents=True)
        (root / "dora" / "toy.ipynb").write_text("dora")
    (plain / "dora" / TIMESTAMP).write_text("2000-01-01 UTC")
    (plain / "emil.ipynb").write_text("emil")
    (plain / "notes.txt").write_text("?")
    (plain / "link.ipynb").symlink_to("/etc/passwd")
    result = collect(toy, ASSIGNMENT, plain)
    assert sorted(submitted(toy)) == ["dora/week9/toy.ipynb", "emil/week9/emil.ipynb"]
    assert [line.split(":")[0] for line in result.left_out] == ["notes.txt", "dora"]
    assert collect(toy, ASSIGNMENT, wrapped.parent).unchanged == ["dora"]


def test_collecting_again_loses_nothing(toy: Course, tmp_path: Path):
    collect(toy, ASSIGNMENT, download(tmp_path / "1.zip", MOODLE))
    folder = toy.submitted / "bea-ruiz" / ASSIGNMENT
    (folder / "copy.ipynb").write_text("bea")  # what grading leaves there changes nothing
    again = download(tmp_path / "2.zip", {**MOODLE, "Carl Sanz_1234569_assignsubmission_file_toy.ipynb": "better"})
    result = collect(toy, ASSIGNMENT, again)
    assert (result.replaced, sorted(result.unchanged)) == (["carl-sanz"], ["ana-garcia-lopez", "bea-ruiz"])
    assert submitted(toy)["carl-sanz/week9/toy.ipynb"] == "better"
    (earlier,) = (toy.build / "collected_before" / "carl-sanz" / ASSIGNMENT).glob("*/toy.ipynb")
    assert earlier.read_text() == "carl"


def test_two_students_of_one_name_hide_nobody(toy: Course, tmp_path: Path):
    twice = {**MOODLE, "Bea Ruiz_999_assignsubmission_file/toy.ipynb": "another"}
    result = collect(toy, ASSIGNMENT, download(tmp_path / "m.zip", twice))
    assert sorted(result.new) == ["ana-garcia-lopez", "carl-sanz"]
    assert len(result.left_out) == 2
    assert all("rename their folders" in line for line in result.left_out)


def test_times_only_where_someone_vouches_for_them(toy: Course, tmp_path: Path):
    (toy.assignments / FILE_NAME).write_text('timezone = "Europe/Madrid"\n')
    archive = download(tmp_path / "m.zip", MOODLE, (2026, 7, 1, 20, 0, 0))
    collect(toy, ASSIGNMENT, archive)
    assert received(toy, ASSIGNMENT, "bea-ruiz") is None
    collect(toy, ASSIGNMENT, archive, clock=newest_file)
    assert received(toy, ASSIGNMENT, "bea-ruiz") == datetime(2026, 7, 1, 18, 0)
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert collect(toy, ASSIGNMENT, archive, clock=lambda _handed: noon).untimed == []
    assert received(toy, ASSIGNMENT, "bea-ruiz") == noon.replace(tzinfo=None)


def test_a_zip_that_a_student_packed_is_opened(toy: Course, tmp_path: Path):
    inner = download(tmp_path / "inner.zip", {"week 9/toy.ipynb": "packed", "../evil": "x", TIMESTAMP: "2000-01-01"})
    folder = tmp_path / "all" / "Ana Gil_7_assignsubmission_file"
    folder.mkdir(parents=True)
    (folder / "entrega.zip").write_bytes(inner.read_bytes())
    result = collect(toy, ASSIGNMENT, tmp_path / "all")
    assert submitted_text(toy, "ana-gil/week9/toy.ipynb") == "packed"
    assert "leads out" in result.left_out[0]
    assert received(toy, ASSIGNMENT, "ana-gil") is None
    assert not list(toy.build.rglob("evil"))


@pytest.mark.parametrize(
    "files",
    [
        {"中" * 100 + ".ipynb": "x"},
        {"a": "x", "a/b.ipynb": "y"},
        {"a.zip": {"x/toy.ipynb": "y"}, "a-unpacked": "x"},
        {"a.zip": {"x/a.ipynb/b.ipynb": "y"}},
        {"a.zip": {"timestamp.txt/x": "y", "toy.ipynb": "z"}},
        {"timestamp.txt/x": "y", "toy.ipynb": "z"},
    ],
)
def test_no_names_of_files_stop_the_class(toy: Course, tmp_path: Path, files: dict[str, Any]):
    packed = {
        name: download(tmp_path / "inner.zip", text).read_bytes() if isinstance(text, dict) else text
        for name, text in files.items()
    }
    own = {f"Ana_1_assignsubmission_file/{name}": text for name, text in packed.items()}
    result = collect(toy, ASSIGNMENT, download(tmp_path / "m.zip", {**own, **MOODLE}))
    assert {"ana", "bea-ruiz", "carl-sanz"} <= set(result.new)
    assert list((toy.submitted / "ana" / ASSIGNMENT).rglob("*.ipynb")) or "name of its folder" in result.left_out[0]
    assert received(toy, ASSIGNMENT, "ana") is None
    assert "ana" in result.untimed


def test_who_hands_in_hidden_files_alone_is_a_student_without_a_notebook(toy: Course, tmp_path: Path):
    hidden = {"Ana_1_assignsubmission_file/.toy.ipynb": "x", ".git/config": "y"}
    result = collect(toy, ASSIGNMENT, download(tmp_path / "m.zip", {**MOODLE, **hidden}))
    assert "ana" in result.new
    assert list((toy.submitted / "ana" / ASSIGNMENT).iterdir()) == []
    assert len(result.new) == 4


def submitted_text(course: Course, path: str) -> str:
    return (course.submitted / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("files", [{}, {"readme.txt": "x"}])
def test_nothing_to_collect_says_what_is_expected(toy: Course, tmp_path: Path, files: dict[str, str]):
    with pytest.raises(CourseError, match="Moodle's or Canvas'"):
        collect(toy, ASSIGNMENT, download(tmp_path / "m.zip", files))
    with pytest.raises(CourseError, match="there is no"):
        collect(toy, ASSIGNMENT, tmp_path / "nowhere.zip")


def test_without_names_nothing_tells_who_it_is(toy: Course, tmp_path: Path):
    files = {**MOODLE, "Ana García López_1234567_assignsubmission_file/Garcia_Lopez_notes.txt": "notes"}
    result = collect(toy, ASSIGNMENT, download(tmp_path / "m.zip", files), anonymous=True)
    assert len(result.new) == 3
    paths = " ".join(submitted(toy))
    assert not any(name in paths.casefold() for name in ("ana", "garc", "bea", "ruiz", "carl", "my work"))
    assert all(path.count(".ipynb") == path.count(f"/{NOTEBOOK}") for path in submitted(toy))
    names = {identity.name: folder for folder, identity in read_identities(toy).items()}
    assert set(names) == {"Ana García López", "Bea_Ruiz", "Carl Sanz"}
    assert submitted_text(toy, f"{names['Carl Sanz']}/week9/toy.ipynb") == "carl"
    again = collect(toy, ASSIGNMENT, tmp_path / "m.zip", anonymous=True)
    assert sorted(again.unchanged) == sorted(result.new)


def test_nobody_is_there_twice_with_and_without_a_name(toy: Course, tmp_path: Path):
    archive = download(tmp_path / "m.zip", MOODLE)
    collect(toy, ASSIGNMENT, archive, anonymous=True)
    with pytest.raises(CourseError, match="--anonymous again"):
        collect(toy, ASSIGNMENT, archive)
    os.rename(toy.submitted, toy.build / "away")  # noqa: PTH104
    collect(toy, ASSIGNMENT, archive)
    with pytest.raises(CourseError, match="under the students' names before"):
        collect(toy, ASSIGNMENT, archive, anonymous=True)


@pytest.mark.slow
def test_an_anonymous_class_is_graded_without_a_name_anywhere(toy: Course, tmp_path: Path, solved: dict[str, Any]):
    for cell in solved["cells"]:
        if cell["id"] == DOUBLE:
            cell["source"] = "# Ana García López\n" + cell["source"]
    solved["metadata"]["authors"] = [{"name": "Ana García López"}]
    text = json.dumps(solved)
    archive = download(tmp_path / "m.zip", dict.fromkeys(list(MOODLE)[:1], text))
    (folder,) = collect(toy, ASSIGNMENT, archive, anonymous=True).new
    assert submitted_students(toy, ASSIGNMENT) == [folder]
    Grading(toy, ASSIGNMENT).run([folder])
    record = load_record(toy, ASSIGNMENT, folder)
    assert record is not None
    assert record.remarks == ["cell 4 gives away whose work this is"]
    (page,) = feedback_pages(toy, ASSIGNMENT, folder)
    shown = page.read_text(encoding="utf-8") + (toy.autograded / folder / ASSIGNMENT / NOTEBOOK).read_text("utf-8")
    assert "authors" not in shown
    assert shown.count("García") == 2  # in the student's own code, in both files: it is remarked, not rewritten
