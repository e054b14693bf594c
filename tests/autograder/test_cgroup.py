"""Control groups: found in both of their layouts, and a memory bomb that costs its own kernel only."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from vitrina_autograder import cgroup
from vitrina_autograder.cgroup import Groups, control_groups, find_groups, remove_groups
from vitrina_autograder.client import Client
from vitrina_autograder.examiner import Invigilator
from vitrina_autograder.job import Job, Limits, make_job, sweep_jobs
from vitrina_autograder.run import NotebookRun
from vitrina_autograder.sandbox import SANDBOX, SANDBOX_VARIABLE

MEBIBYTE = 1 << 20
LIMIT = Limits(resident_bytes=300 * MEBIBYTE)
MODULES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "vitrina.practice")
BOMB = "held = []\nwhile True: held.append(bytearray(b'x') * (16 << 20))"

needs_groups = pytest.mark.skipif(control_groups() is None, reason="no control groups here")


class Tree:
    """Files as the system has them; every folder is a group."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.own = root / "own"
        self.mounts = root / "mounts"
        self.own.write_text("")
        self.mounts.write_text("30 1 0:1 / / rw - ext4 /dev/root rw\n")

    def mount(self, kind: str, options: str, at: str, root: str = "/") -> Path:
        place = self.root / at
        place.mkdir()
        with self.mounts.open("a") as file:
            file.write(f"31 30 0:2 {root} {place} rw shared:9 - {kind} {kind} {options}\n")
        return place

    def group(self, folder: Path, controllers: str | None = None) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.procs").write_text("")
        if controllers is not None:
            (folder / "cgroup.subtree_control").write_text(controllers)
        return folder

    def is_in(self, line: str) -> None:
        with self.own.open("a") as file:
            file.write(line + "\n")

    def find(self) -> Groups | None:
        return find_groups("vitrina-1", self.own, self.mounts)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.setattr(Path, "rmdir", shutil.rmtree)  # a group can be removed with its files in it
    return Tree(tmp_path)


class TestVersion2:
    @pytest.fixture
    def mounted(self, tree: Tree) -> Path:
        place = tree.group(tree.mount("cgroup2", "rw,nsdelegate", "unified"), "memory pids")
        tree.is_in("0::/user/app/shell.scope")
        tree.group(place / "user", "memory pids")
        tree.group(place / "user/app", "memory pids")
        tree.group(place / "user/app/shell.scope").joinpath("cgroup.subtree_control").mkdir()  # cannot be written
        return place

    def test_the_next_group_above_us_that_can_have_limits_is_taken(self, tree: Tree, mounted: Path):
        groups = tree.find()
        assert groups == Groups(2, (mounted / "user/app/vitrina-1",))
        assert (mounted / "user/app/vitrina-1/cgroup.subtree_control").read_text() == "+pids"  # the last one written

    @pytest.mark.usefixtures("mounted")
    def test_limits_of_memory_swap_and_processes(self, tree: Tree):
        groups = tree.find()
        assert groups
        group = groups.new("job", 1000, 20)
        files = {path.name: path.read_text() for path in group.folders[0].iterdir()}
        assert files == {"memory.max": "1000", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "20"}

    @pytest.mark.usefixtures("mounted")
    def test_what_the_system_killed_is_read(self, tree: Tree):
        groups = tree.find()
        assert groups
        group = groups.new("job", 1000, 20)
        assert group.memory_kills == 0
        (group.folders[0] / "memory.events").write_text("low 0\nhigh 0\nmax 19\noom 1\noom_kill 2\noom_group_kill 1\n")
        assert group.memory_kills == 2

    def test_what_was_not_delegated_is_left_alone(self, tree: Tree, mounted: Path, monkeypatch: pytest.MonkeyPatch):
        del mounted
        monkeypatch.setattr(cgroup.os, "access", lambda *_: False)
        assert tree.find() is None

    def test_without_the_memory_controller_there_is_none(self, tree: Tree):
        place = tree.mount("cgroup2", "rw", "unified")
        tree.group(place).joinpath("cgroup.subtree_control").mkdir()
        tree.is_in("0::/")
        assert tree.find() is None
        assert not (place / "vitrina-1").exists()


class TestVersion1:
    @pytest.fixture
    def mounted(self, tree: Tree) -> tuple[Path, Path]:
        memory = tree.mount("cgroup", "rw,memory", "memory", root="/docker/abc")
        pids = tree.mount("cgroup", "rw,pids", "pids")
        tree.mount("cgroup2", "rw", "unified")  # without controllers, as on many systems
        for line in ("5:cpu:/", "4:memory:/docker/abc/shell", "3:pids:/", "0::/"):
            tree.is_in(line)
        tree.group(memory / "shell")
        return memory / "shell/vitrina-1", pids / "vitrina-1"

    def test_it_lies_below_our_own_groups(self, tree: Tree, mounted: tuple[Path, Path]):
        assert tree.find() == Groups(1, mounted)

    def test_limits_of_memory_swap_and_processes(self, tree: Tree, mounted: tuple[Path, Path]):
        groups = tree.find()
        assert groups
        group = groups.new("job", 1000, 20)
        memory, pids = group.folders
        assert memory.parent == mounted[0]
        files = {path.name: path.read_text() for path in (*memory.iterdir(), *pids.iterdir())}
        assert files == {"memory.limit_in_bytes": "1000", "memory.memsw.limit_in_bytes": "1000", "pids.max": "20"}

    @pytest.mark.usefixtures("mounted")
    def test_what_the_system_killed_is_read(self, tree: Tree):
        groups = tree.find()
        assert groups
        group = groups.new("job", 1000, 20)
        (group.folders[0] / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
        assert group.memory_kills == 3

    @pytest.mark.usefixtures("mounted")
    def test_a_process_enters_all_of_them(self, tree: Tree):
        groups = tree.find()
        assert groups
        group = groups.new("job", 1000, 20)
        for folder in group.folders:
            (folder / "cgroup.procs").write_text("")
        done = subprocess.run(group.entering(["echo", "in"]), capture_output=True, text=True, check=True)
        assert done.stdout == "in\n"
        assert [(folder / "cgroup.procs").read_text() for folder in group.folders] == ["0\n", "0\n"]

    @pytest.mark.usefixtures("mounted")
    def test_no_group_no_command(self, tree: Tree):
        groups = tree.find()
        assert groups
        group = groups.new("job", 1000, 20)
        groups.remove()
        done = subprocess.run(group.entering(["echo", "in"]), capture_output=True, text=True, check=False)
        assert done.returncode
        assert not done.stdout

    def test_memory_and_processes_may_be_one_hierarchy(self, tree: Tree):
        both = tree.mount("cgroup", "rw,memory,pids", "both")
        tree.is_in("4:memory,pids:/")
        assert tree.find() == Groups(1, (both / "vitrina-1",))


def test_where_there_is_nothing_there_are_none(tree: Tree):
    assert tree.find() is None
    assert find_groups("vitrina-1", tree.root / "no file", tree.mounts) is None


def test_no_other_folder_is_swept(tree: Tree):
    other, ours = tree.group(tree.root / "other"), tree.group(tree.root / "vitrina-7")
    plain = tree.root / "vitrina-8"
    plain.mkdir()
    remove_groups([other, ours, plain, tree.root / "vitrina-9"])
    assert other.exists()
    assert plain.exists()
    assert not ours.exists()


@pytest.fixture
def job() -> Iterator[Job]:
    with make_job() as made:
        yield made


def run_cells(job: Job, sources: list[str], modules: tuple[str, ...] | None) -> NotebookRun:
    """Run cells; a new kernel goes on where one is lost."""
    invigilator: Any = Invigilator  # no cell is graded: nobody looks
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    run = NotebookRun(notebook, job, invigilator, LIMIT, modules=modules)
    run.execute()
    return run


def text_of(run: NotebookRun, cell: int) -> str:
    return "".join(output.get("text", "") for output in run.notebook.cells[cell].outputs)


@needs_groups
@pytest.mark.parametrize("modules", [MODULES, None], ids=["warm", "cold"])
class TestMemory:
    def test_a_bomb_costs_its_own_kernel_and_says_why(self, job: Job, modules: tuple[str, ...] | None):
        run = run_cells(job, ["print(1)", BOMB, "print(2)"], modules)
        assert run.remarks == ["cell 2 cost the kernel: it used more than 0.293 GB of memory"]
        assert text_of(run, 2) == "2\n"

    def test_many_processes_count_together(self, job: Job, modules: tuple[str, ...] | None):
        source = f"import os, time\nfor _ in range(8):\n    if not os.fork():\n        held = b'x' * {60 * MEBIBYTE}\n"
        run = run_cells(job, [source + "        time.sleep(60)\nprint(os.wait()[1])", "print(2)"], modules)
        assert text_of(run, 0) == "9\n" or "GB of memory" in run.remarks[0]  # one is killed, or all together
        assert text_of(run, 1) == "2\n"

    def test_files_in_memory_count(self, job: Job, modules: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv(SANDBOX_VARIABLE, SANDBOX)
        source = "for n in range(10): open(f'/tmp/{n}', 'wb').write(bytes(64 << 20))"
        run = run_cells(job, [source, "print(2)"], modules)
        assert run.remarks == ["cell 1 cost the kernel: it used more than 0.293 GB of memory"]

    def test_whoever_dies_of_something_else_has_not_used_too_much(self, job: Job, modules: tuple[str, ...] | None):
        run = run_cells(job, ["import os; os.kill(os.getpid(), 9)"], modules)
        again = "the kernel died in cell 1, which was run once more"
        assert run.remarks == [again, "cell 1 cost the kernel: the kernel died"]

    def test_nothing_of_a_group_stays(self, job: Job, modules: tuple[str, ...] | None):
        run_cells(job, ["import subprocess; subprocess.Popen(['setsid', '-f', 'sleep', '1000'])"], modules)
        groups = control_groups()
        assert groups
        assert not [path for folder in groups.folders for path in folder.glob(f"{job.root.name}*")]


@needs_groups
def test_a_bomb_leaves_the_other_kernels_and_their_parent_alone(job: Job):
    from vitrina_autograder.kernel import SandboxedKernelManager

    cell = new_code_cell("x = 1")
    again = new_code_cell("print(x)")
    manager = SandboxedKernelManager(job, Limits(), modules=MODULES)
    client = Client(new_notebook(cells=[cell, again]), manager, output_bytes=MEBIBYTE)
    with client.setup_kernel(cleanup_kc=True):
        client.run(cell, 0, limit=60)
        parent = psutil.Process(manager.pid).parent()
        with make_job() as other:
            assert run_cells(other, [BOMB], MODULES).remarks
        client.run(again, 1, limit=60)
        assert again.outputs[0].text == "1\n"
        assert parent
        assert parent.is_running()


@needs_groups
def test_groups_of_a_killed_grader_are_swept(tmp_path: Path):
    script = tmp_path / "grader.py"
    script.write_text(
        "import json, subprocess, time\n"
        "from vitrina_autograder.job import Limits, make_job\n"
        "with make_job() as job:\n"
        "    group = job.new_group(Limits())\n"
        "    subprocess.Popen(group.entering(['sleep', '1000']))\n"
        "    print(json.dumps([str(folder) for folder in group.folders]), flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout
        folders = [Path(folder) for folder in json.loads(grader.stdout.readline())]
        until(lambda: all((folder / "cgroup.procs").read_text() for folder in folders))
        grader.kill()
    assert all(folder.exists() for folder in folders)
    sweep_jobs()
    assert not any(folder.exists() or folder.parent.exists() for folder in folders)


@needs_groups
def test_empty_groups_whose_grader_is_gone_are_swept():
    groups = control_groups()
    assert groups
    with subprocess.Popen(["true"]) as gone:
        pass
    left = [folder.parent / f"vitrina-{gone.pid}" for folder in groups.folders]
    for folder in left:
        (folder / "job").mkdir(parents=True)
    sweep_jobs()
    assert not any(folder.exists() for folder in left)
    assert all(folder.exists() for folder in groups.folders)


def until(happened: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.05)
    assert happened()
