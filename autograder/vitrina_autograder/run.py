"""Running a submission: every cell in a sandboxed kernel, graded cells under the examiner's eyes.

A kernel that dies or can no longer be interrupted costs the cell that killed it: a new kernel repeats the cells before
it (but no graded one: their verdicts stand) and the run goes on with the next cell.
"""

from __future__ import annotations

import copy
import json
import subprocess
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from vitrina.judging import Verdict
from vitrina.messages import _
from vitrina_autograder.examiner import ExaminerError, Invigilator
from vitrina_autograder.job import Job, Limits
from vitrina_autograder.kernel import SandboxedKernelManager
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.sandbox import open_variables

_MAX_KERNELS = 4
_IOPUB_SECONDS = 6
_START_SECONDS = 60
#: A whole notebook may print as much as so many cells.
_OUTPUTS_OF_A_NOTEBOOK = 8
_TIMEOUT = _("the cell took too long and was interrupted")
_TIMEOUT_ERROR = {"ename": "CellTimeoutError", "evalue": _TIMEOUT, "traceback": [_TIMEOUT]}


@dataclass(frozen=True)
class Patience:
    """How long a submission may take, in seconds of wall time, and how much it may print.

    Attributes
    ----------
    cell : int
        One cell that is not graded.
    graded : int
        One graded cell: ample, as every call in it has a limit of its own in CPU seconds.
    notebook : int
        The whole notebook.
    output_bytes : int
        What one cell may print and show; the rest is cut.
    """

    cell: int = 30
    graded: int = 120
    notebook: int = 600
    output_bytes: int = 4 << 20


class KernelLostError(Exception):
    """A cell cost the kernel; carries what happened, for the report."""


class _Client(NotebookClient):
    """A notebook client that cuts runaway output and sees a cell that ends its own kernel."""

    def __init__(self, nb: NotebookNode, km: SandboxedKernelManager, *, output_bytes: int, **settings: Any) -> None:
        super().__init__(nb, km, on_cell_executed=self._notice_exit, **settings)
        self._output_bytes = output_bytes
        self._received: Counter[int] = Counter()
        self._cut: set[int] = set()
        self.left = False

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Leave the messages of widgets out: nothing shows them, and they would only fill our memory."""
        if str(msg.get("msg_type")).startswith("comm"):
            return None
        return super().process_message(msg, cell, cell_index)

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """Keep an output unless its cell has printed too much already."""
        size = _size(msg["content"])
        self._received[cell_index] += size
        room = self._received.total() <= _OUTPUTS_OF_A_NOTEBOOK * self._output_bytes
        if room and self._received[cell_index] <= self._output_bytes:
            return super().output(outs, msg, display_id, cell_index)
        if cell_index not in self._cut:
            self._cut.add(cell_index)
            outs.append(
                new_output("stream", name="stdout", text="\n" + _("[too much output: the rest was cut]") + "\n")
            )
        return None

    def _notice_exit(self, execute_reply: dict[str, Any], **_hook: Any) -> None:
        """Note that the cell called `exit()`: the kernel is about to end."""
        payload = execute_reply["content"].get("payload") or []
        self.left = self.left or any(item.get("source") == "ask_exit" for item in payload)


@dataclass
class NotebookRun:
    """One run of one notebook.

    Attributes
    ----------
    notebook : NotebookNode
        Its outputs are written in place.
    job : Job
        The folders of the run.
    invigilator : Invigilator
        Of this student's exam.
    verdicts : dict
        The verdicts given, by exercise.
    remarks : list of str
        What was unusual.
    """

    notebook: NotebookNode
    job: Job
    invigilator: Invigilator
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    verdicts: dict[str, Verdict] = field(default_factory=dict[str, Verdict])
    remarks: list[str] = field(default_factory=list[str])
    _deadly: set[int] = field(default_factory=set[int])
    _deadline: float = 0.0

    def execute(self) -> None:
        """Run all cells, with new kernels where one is lost; never raises for what a student's code does."""
        self._deadline = time.monotonic() + self.patience.notebook
        position = 0
        for _attempt in range(_MAX_KERNELS):
            position = self._run_from(position)
            if position >= len(self.notebook.cells):
                return
        self.remarks.append(_("the kernel was lost {count} times; the rest was not run").format(count=_MAX_KERNELS))

    def _run_from(self, start: int) -> int:
        """Run the cells from `start` in a new kernel; give the cell to go on with."""
        end = len(self.notebook.cells)
        index = -1
        try:
            with self._kernel() as client:
                for index in range(end):
                    self._run_cell(client, index, replay=index < start)
                    if time.monotonic() > self._deadline:
                        self.remarks.append(_("the notebook took longer than allowed; the rest was not run"))
                        return end
        except KernelLostError as lost:
            if index < 0:
                remark = _("the kernel did not start: {reason}").format(reason=lost)
                self.remarks += [] if remark in self.remarks else [remark]
                return start
            self._deadly.add(index)
            self.remarks.append(_("cell {number} cost the kernel: {reason}").format(number=index + 1, reason=lost))
            return max(start, index + 1)
        return end

    @contextmanager
    def _kernel(self) -> Generator[_Client]:
        manager = SandboxedKernelManager(self.job, self.limits)
        client = self._new_client(manager)
        with ExitStack() as stack:
            stack.callback(manager.context.destroy, linger=0)
            # what a kernel writes past its own channels must not reach the instructor's terminal
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            folder = {"env": open_variables(self.job), "cwd": str(self.job.work)}
            try:
                stack.enter_context(client.setup_kernel(cleanup_kc=True, **folder, **quiet))
            except Exception as error:
                raise KernelLostError(str(error).split("\n")[0] or type(error).__name__) from error
            yield client

    def _new_client(self, manager: SandboxedKernelManager) -> _Client:
        return _Client(
            self.notebook,
            manager,
            output_bytes=self.patience.output_bytes,
            timeout_func=self._seconds,
            startup_timeout=_START_SECONDS,
            iopub_timeout=_IOPUB_SECONDS,
            interrupt_on_timeout=True,
            error_on_timeout=_TIMEOUT_ERROR,
            raise_on_iopub_timeout=True,
            allow_errors=True,
            shutdown_kernel="immediate",
            record_timing=False,
        )

    def _seconds(self, cell: NotebookNode) -> int:
        return self.patience.graded if graded_exercise(cell) else self.patience.cell

    def _run_cell(self, client: _Client, index: int, *, replay: bool) -> None:
        cell = self.notebook.cells[index]
        exercise = graded_exercise(cell)
        if cell.cell_type != "code" or index in self._deadly or (replay and exercise):
            return
        if exercise is None:
            self._execute(client, index, replay=replay)
            return
        self.invigilator.enter_cell(exercise, float(cell.metadata.nbgrader.points))
        try:
            self._execute(client, index, replay=False)
        finally:
            verdict = self.invigilator.leave_cell()
            if verdict is not None:
                self.verdicts[exercise] = verdict

    def _execute(self, client: _Client, index: int, *, replay: bool) -> None:
        original = self.notebook.cells[index]
        try:
            client.execute_cell(copy.deepcopy(original) if replay else original, index)
        except ExaminerError:
            raise
        except CellTimeoutError:
            reason = _("it could not be interrupted, or sent more than can be received")
            raise KernelLostError(reason) from None
        except DeadKernelError:
            raise KernelLostError(_("the kernel died")) from None
        except Exception as error:
            raise KernelLostError(f"{type(error).__name__}: {error}"[:200]) from error
        finally:
            self.notebook.cells[index] = original
        if client.left:
            raise KernelLostError(_("it ends the kernel (`exit()` or the like)"))


def _size(content: dict[str, Any]) -> int:
    """Size of an output in bytes, without copying a long text."""
    if "text" in content:
        return len(str(content["text"]))
    return len(json.dumps(content, default=str))
