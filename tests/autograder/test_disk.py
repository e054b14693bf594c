"""What a kernel writes to the grader's own disk is counted, and too much of it ends the kernel."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from vitrina_autograder.disk import FreeSpace, processes_below, used_bytes
from vitrina_autograder.examiner import Invigilator
from vitrina_autograder.job import Job, Limits, make_job
from vitrina_autograder.run import NotebookRun
from vitrina_autograder.sandbox import LANDLOCK, SANDBOX, SANDBOX_VARIABLE

MEBIBYTE = 1 << 20
MODULES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "vitrina.practice")
REMARK = "cell 1 cost the kernel: it wrote more than 30 MB of files"


@pytest.fixture
def job() -> Iterator[Job]:
    with make_job() as made:
        yield made


def used(folder: Path) -> int:
    return used_bytes([folder], processes_below(os.getpid())) // MEBIBYTE


def test_files_in_folders_are_counted(tmp_path: Path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_bytes(b"x" * 3 * MEBIBYTE)
    (tmp_path / "link").symlink_to(__file__)
    (tmp_path / "hole").open("wb").truncate(1 << 40)
    assert used(tmp_path) == 3


def test_many_empty_files_count(tmp_path: Path):
    for number in range(600):
        (tmp_path / str(number)).touch()
    assert used(tmp_path) == 2


def test_removed_files_that_are_still_open_or_mapped_count_once(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3 * MEBIBYTE)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 3 * MEBIBYTE) as mapped:
        path.unlink()
        assert used(tmp_path) == 3
        file.close()
        assert used(tmp_path) == 3
        assert mapped[0] == ord("x")
    assert used(tmp_path) == 0


def run_cells(job: Job, sources: list[str], modules: tuple[str, ...] | None) -> NotebookRun:
    invigilator: Any = Invigilator  # no cell is graded: nobody looks
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    run = NotebookRun(notebook, job, invigilator, Limits(disk_bytes=30 * MEBIBYTE), modules=modules)
    run.execute()
    return run


@pytest.mark.parametrize("modules", [MODULES, None], ids=["warm", "cold"])
@pytest.mark.parametrize(
    "source",
    [
        "n = 0\nwhile True:\n    open(f'{n}', 'wb').write(bytes(1 << 20)); n += 1",
        "import tempfile as t\nheld = []\nwhile True:\n    held += [t.TemporaryFile()]; held[-1].write(bytes(1 << 20))",
    ],
    ids=["lying", "removed"],
)
def test_a_disk_bomb_costs_its_kernel(
    job: Job, source: str, modules: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(SANDBOX_VARIABLE, LANDLOCK)
    run = run_cells(job, [source, "print(1)"], modules)
    assert run.remarks == [REMARK]
    assert run.notebook.cells[1].outputs[0].text == "1\n"


@pytest.mark.parametrize("modules", [MODULES, None], ids=["warm", "cold"])
def test_the_folder_of_sockets_is_no_way_out(
    job: Job, modules: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(SANDBOX_VARIABLE, SANDBOX)
    source = "import os, time\nfrom ipykernel import get_connection_file\n"
    source += "open(os.path.dirname(get_connection_file()) + '/big', 'wb').write(bytes(60 << 20)); time.sleep(0.2)"
    run = run_cells(job, [source, "print(1)"], modules)
    refused = any(output.get("ename") == "PermissionError" for output in run.notebook.cells[0].outputs)
    if os.geteuid() == 0:  # then the folder is the grader's once the kernel runs
        assert refused
        assert run.remarks == []
    else:
        assert run.remarks == [REMARK]
    assert run.notebook.cells[1].outputs[0].text == "1\n"


def test_a_new_kernel_finds_no_files_of_an_earlier_one(job: Job, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SANDBOX_VARIABLE, LANDLOCK)
    look = "import os, pathlib; print(os.listdir(), os.listdir(os.environ['TMPDIR']))"
    write = "open('a', 'w'); open(os.environ['TMPDIR'] + '/b', 'w'); os.symlink('/usr', 'c'); os.kill(os.getpid(), 9)"
    run = run_cells(job, [f"import os; {write}", look], MODULES)
    assert run.notebook.cells[1].outputs[0].text == "[] []\n"


def test_somebody_counts_where_free_space_shrinks_and_now_and_then_anyway(tmp_path: Path):
    space = FreeSpace(tmp_path)
    assert sum(space.may_have_shrunk(1 << 40) for _look in range(80)) == 10
    (tmp_path / "big").write_bytes(bytes(60 * MEBIBYTE))
    os.sync()
    assert all(space.may_have_shrunk(30 * MEBIBYTE) for _look in range(20))
