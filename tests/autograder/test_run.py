"""Running one notebook: what a cell does costs that cell, and what was earned stays."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from inspect import signature
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import zmq
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from corpus.toy_course import ASSIGNMENT, DOUBLE, SQUARE
from vitrina import when_written
from vitrina_autograder.client import Client
from vitrina_autograder.course import Course
from vitrina_autograder.examiner import examiner_for
from vitrina_autograder.exercise import exam_seeds
from vitrina_autograder.job import Limits, make_job
from vitrina_autograder.kernel import SandboxedKernelManager
from vitrina_autograder.run import NotebookRun, Patience

pytestmark = pytest.mark.slow
Execute = Callable[..., NotebookRun]
POINTS = {"double": 3.0, "square": 2.0, "quiz": 2.0}


@pytest.fixture
def notebook(solved: dict[str, Any]) -> NotebookNode:
    return nbformat.reads(json.dumps(solved), as_version=4)


@pytest.fixture
def execute(toy_course: Course) -> Execute:
    """Run a notebook under the examiner's eyes."""

    def run(notebook: NotebookNode, patience: Patience | None = None, limits: Limits | None = None) -> NotebookRun:
        examiner = examiner_for(toy_course.assignment_folder(ASSIGNMENT))
        seeds = exam_seeds(toy_course.secret, "ana", POINTS)
        with make_job() as job, examiner.exam("ana", seeds, job.examiner_address) as invigilator:
            job.hand_over(job.examiner_address)
            made = NotebookRun(notebook, job, invigilator, limits or Limits(), patience or Patience())
            made.execute()
        return made

    return run


def cell_of(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def insert(notebook: NotebookNode, before: str, source: str) -> NotebookNode:
    cell = new_code_cell(source)
    notebook.cells.insert(notebook.cells.index(cell_of(notebook, before)), cell)
    return cell


def points(run: NotebookRun) -> dict[str, float]:
    return {exercise: verdict.points for exercise, verdict in run.verdicts.items()}


def kill_family(pid: int) -> None:
    """Kill a sandbox with the kernel in it, and wait until both are dead: an end that comes late ends a later cell."""
    sandbox = psutil.Process(pid)
    family = [*sandbox.children(recursive=True), sandbox]
    for process in reversed(family):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    while not all(map(is_dead, family)):
        time.sleep(0.01)


def is_dead(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_new_kernel_repeats_the_cells_but_no_graded_one(notebook: NotebookNode, execute: Execute):
    source = "print('defined')\ncalls = 0\ndef double(x):\n    global calls; calls += 1\n    return 2 * x"
    cell_of(notebook, DOUBLE).source = source
    before = insert(notebook, SQUARE, "print(calls); open('runs', 'a').write('x')")
    insert(notebook, "check-square", "exit()")
    after = insert(notebook, "check-square", "print(calls, open('runs').read())")
    run = execute(notebook)
    assert points(run) == POINTS
    assert before.outputs[0].text == "4\n"  # the four cases
    assert after.outputs[0].text == "0 x\n"  # in the new kernel there were none; it has a new disk too
    assert len(cell_of(notebook, DOUBLE).outputs) == 1  # what the repetition printed is not added


def test_after_too_many_kernels_what_was_earned_stays(notebook: NotebookNode, execute: Execute):
    for _ in range(4):
        insert(notebook, SQUARE, "import os; os.kill(os.getpid(), 9)")
    run = execute(notebook)
    assert points(run) == {"double": 3.0}
    assert run.remarks[-1] == "the kernel was lost 4 times; the rest was not run"


@pytest.mark.parametrize("where", [SQUARE, "check-square"])
def test_a_kernel_that_somebody_killed_costs_nothing_once(
    notebook: NotebookNode, execute: Execute, monkeypatch: pytest.MonkeyPatch, where: str
):
    """The system does so, when the machine is out of memory."""
    killed, whole = list[int](), NotebookRun._execute
    wanted = notebook.cells.index(cell_of(notebook, where))

    def kill(self: NotebookRun, client: Any, index: int, *, replay: bool) -> None:
        if index == wanted and not killed:
            killed.append(index)
            kill_family(client.manager.provisioner.process.pid)
        whole(self, client, index, replay=replay)

    monkeypatch.setattr(NotebookRun, "_execute", kill)
    run = execute(notebook)
    assert killed == [wanted]
    assert points(run) == POINTS
    assert run.remarks == [f"the kernel died in cell {wanted + 1}, which was run once more"]


def test_a_kernel_that_takes_no_messages_costs_its_cell(
    notebook: NotebookNode, execute: Execute, monkeypatch: pytest.MonkeyPatch
):
    deaf = notebook.cells.index(insert(notebook, DOUBLE, "pass"))
    whole = Client.run

    def run(self: Client, cell: NotebookNode, index: int, limit: float) -> float:
        if index == deaf:
            raise zmq.Again
        return whole(self, cell, index, limit)

    monkeypatch.setattr(Client, "run", run)
    made = execute(notebook)
    assert points(made) == POINTS
    assert made.remarks == [f"cell {deaf + 1} cost the kernel: it takes no messages any more"]


def test_what_dies_again_costs_its_cell(notebook: NotebookNode, execute: Execute):
    cell_of(notebook, DOUBLE).source = "import os\ndef double(x):\n    return 2 * x if x.ndim == 1 else os.abort()"
    run = execute(notebook)
    assert points(run) == {**POINTS, "double": 0.75}
    assert ["once more" in remark for remark in run.remarks] == [True, False]
    assert run.remarks[1].endswith("cost the kernel: the kernel died")


def test_a_notebook_has_its_time(notebook: NotebookNode, execute: Execute):
    insert(notebook, SQUARE, "import time; time.sleep(8)")
    run = execute(notebook, Patience(notebook=7))
    assert points(run) == {"double": 3.0}
    assert run.remarks == ["the notebook took longer than allowed; the rest was not run"]


def test_a_cell_that_waits_for_the_student_stops_before_it_costs_the_kernel():
    assert signature(when_written).parameters["seconds"].default < Patience().cell


@pytest.mark.parametrize(
    "source",
    [
        "for _ in range(50): print('x' * 500, flush=True)",
        "print('x' * 100_000)",
        "from IPython.display import display\nfor _ in range(50): display({'text/plain': 'x' * 500}, raw=True)",
        "from IPython.display import HTML\nHTML('x' * 100_000)",
        "raise ValueError('x' * 100_000)",
        "for n in range(500): display(n)",
    ],
)
def test_a_cells_output_is_cut(notebook: NotebookNode, execute: Execute, source: str):
    cell = insert(notebook, DOUBLE, source)
    run = execute(notebook, Patience(output_bytes=5000))
    assert points(run) == POINTS
    assert len(json.dumps(cell.outputs)) < 60_000
    shown = json.dumps(cell.outputs)
    assert "too much output" in shown or len(shown) < 5000 * 12


def test_a_kernel_that_does_not_start_is_a_remark(notebook: NotebookNode, execute: Execute):
    run = execute(notebook, limits=Limits(memory_bytes=60 << 20))
    assert points(run) == {}
    assert "the kernel did not start" in run.remarks[0]
    assert "\n" not in run.remarks[0]


def test_what_a_kernel_writes_past_its_channels_does_not_reach_us(
    notebook: NotebookNode, execute: Execute, capfd: pytest.CaptureFixture[str]
):
    insert(notebook, DOUBLE, "print('\\ud800')\nimport sys\nsys.__stderr__.write('past')\nsys.__stderr__.flush()")
    assert points(execute(notebook)) == POINTS
    captured = capfd.readouterr()
    assert "past" not in captured.err + captured.out
    assert "surrogates" not in captured.err + captured.out


def test_a_run_leaves_no_thread_and_no_file_open(solved: dict[str, Any], execute: Execute):
    """A class of hundreds runs in one process: what one run left behind would add up."""

    def held() -> tuple[int, int]:
        execute(nbformat.reads(json.dumps(solved), as_version=4))
        return len(list(Path("/proc/self/task").iterdir())), len(list(Path("/proc/self/fd").iterdir()))

    first = held()
    assert held() <= first


def test_what_a_whole_notebook_shows_is_cut_too(notebook: NotebookNode, execute: Execute):
    cells = [insert(notebook, DOUBLE, "print('x' * 4000)") for _number in range(20)]
    execute(notebook, Patience(output_bytes=5000))
    assert sum(len(output.get("text", "")) for cell in cells for output in cell.outputs) < 50_000


def test_messages_of_widgets_are_left_out(notebook: NotebookNode, execute: Execute):
    source = (
        "from comm import create_comm\nfor _ in range(30):\n    create_comm(target_name='x', data={'a': 'b' * 10**6})"
    )
    insert(notebook, DOUBLE, source)
    run = execute(notebook)
    assert points(run) == POINTS
    assert "widgets" not in run.notebook.metadata


def test_memory_that_runs_out_is_the_students_error(notebook: NotebookNode, execute: Execute):
    cell = insert(notebook, DOUBLE, "import numpy\nnumpy.ones(1 << 31)")
    run = execute(notebook, limits=Limits(memory_bytes=4 << 30))
    assert points(run) == POINTS
    assert "MemoryError" in cell.outputs[0].ename


def test_the_client_takes_no_huge_message_and_few_at_a_time():
    """Of its own accord it makes a context of its own, in which no limit holds: then a flood fills our memory."""
    with make_job() as job:
        manager = SandboxedKernelManager(job, Limits())
        manager.write_connection_file()
        client = manager.client()
        client.start_channels(shell=False, stdin=False, hb=False, control=False)
        socket = client.iopub_channel.socket
        assert 0 < socket.getsockopt(zmq.MAXMSGSIZE) <= 64 << 20
        assert 0 < socket.getsockopt(zmq.RCVHWM) <= 16
        client.stop_channels()


@pytest.mark.skipif(os.geteuid() != 0, reason="a kernel that is no user of its own keeps the folder")
def test_nobody_waits_for_heartbeats():
    """A kernel that breaks their connection would have whoever stops the client wait without end."""
    with make_job() as job:
        manager = SandboxedKernelManager(job, Limits())
        client = manager.client()
        client.start_channels()
        assert client.shell_channel.is_alive()
        assert not client.hb_channel.is_alive()
        client.stop_channels()
        manager.close()


def test_a_kernel_cannot_put_anything_in_the_place_of_its_sockets(execute: Execute, notebook: NotebookNode):
    cell = insert(
        notebook,
        "check-double",
        "import ipykernel.connect, os\n"
        "wires = os.path.dirname(ipykernel.connect.get_connection_file())\n"
        "for change in (lambda: os.unlink(wires + '/kernel-1'), lambda: os.symlink('/etc', wires + '/link'),\n"
        "               lambda: os.rename(wires, wires + '-moved'), lambda: os.chmod(wires, 0o777)):\n"
        "    try:\n        change()\n    except OSError as error:\n        print(type(error).__name__)",
    )
    assert points(execute(notebook)) == POINTS
    assert cell.outputs[0].text.split() == 4 * ["PermissionError"]
