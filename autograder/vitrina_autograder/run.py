"""Running a submission: every cell in a sandboxed kernel, graded cells under the examiner's eyes.

A kernel that dies or can no longer be interrupted costs the cell that killed it: a new kernel repeats the cells before
it (but no graded one: their verdicts stand) and the run goes on with the next cell. As a kernel may also be killed from
outside, the first one of a notebook that just dies costs nothing: its cell is run once more.
"""

from __future__ import annotations

import copy
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import zmq
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from vitrina.judging import Verdict
from vitrina.messages import _
from vitrina_autograder.client import Client, StoppedError
from vitrina_autograder.examiner import ExaminerError, Invigilator
from vitrina_autograder.job import Job, Limits
from vitrina_autograder.kernel import SandboxedKernelManager
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.sandbox import open_variables

_MAX_KERNELS = 4
#: So long may cells run, in a long one or in many short ones, before somebody looks at the disk.
_UNWATCHED_SECONDS = 0.2


@dataclass(frozen=True)
class Patience:
    """How long a submission may take, and how much it may print.

    Seconds are those of the clock, but for waiting for a processor; or CPU seconds, where these are more.

    Attributes
    ----------
    cell : int
        One cell that is not graded.
    graded : int
        One graded cell: ample, as every call in it has a limit of its own.
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


class KernelDiedError(KernelLostError):
    """A kernel is gone, and nothing tells why."""


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
    modules : sequence of str, optional
        What the warm parent of its kernels has imported; without, they start cold.
    stop : threading.Event
        Whoever sets it does not want the result any more.
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
    modules: Sequence[str] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    verdicts: dict[str, Verdict] = field(default_factory=dict[str, Verdict])
    remarks: list[str] = field(default_factory=list[str])
    _deadly: set[int] = field(default_factory=set[int])
    _died: bool = False
    _seconds: float = 0.0
    _unwatched: float = 0.0

    def execute(self) -> None:
        """Run all cells, with new kernels where one is lost; never raises for what a student's code does.

        Raises
        ------
        StoppedError
            Soon after `stop` is set.
        """
        position, lost = 0, 0
        while lost < _MAX_KERNELS:
            died = self._died
            position = self._run_from(position)
            if position >= len(self.notebook.cells):
                return
            lost += died == self._died  # the first that dies does not count
        self.remarks.append(_("the kernel was lost {count} times; the rest was not run").format(count=_MAX_KERNELS))

    def _run_from(self, start: int) -> int:
        """Run the cells from `start` in a new kernel; give the cell to go on with."""
        end = len(self.notebook.cells)
        index = -1
        try:
            with self._kernel() as client:
                for index in range(end):
                    self._run_cell(client, index, replay=index < start)
                    if self._seconds > self.patience.notebook:
                        self.remarks.append(_("the notebook took longer than allowed; the rest was not run"))
                        return end
        except KernelLostError as lost:
            if index < 0:
                remark = _("the kernel did not start: {reason}").format(reason=lost)
                self.remarks += [] if remark in self.remarks else [remark]
                return start
            if isinstance(lost, KernelDiedError) and not self._died:
                return self._once_more(start, index)
            self._deadly.add(index)
            self.remarks.append(_("cell {number} cost the kernel: {reason}").format(number=index + 1, reason=lost))
            return max(start, index + 1)
        return end

    def _once_more(self, start: int, index: int) -> int:
        """Take back what the cell gave in which a kernel died for the first time; give the cell to go on with."""
        self._died = True
        self.remarks.append(_("the kernel died in cell {number}, which was run once more").format(number=index + 1))
        exercise = graded_exercise(self.notebook.cells[index])
        if exercise is not None and index >= start:
            self.invigilator.forget(exercise)
            self.verdicts.pop(exercise, None)
        return max(start, index)

    @contextmanager
    def _kernel(self) -> Generator[Client]:
        manager = SandboxedKernelManager(self.job, self.limits, modules=self.modules)
        client = Client(self.notebook, manager, output_bytes=self.patience.output_bytes, stop=self.stop)
        with ExitStack() as stack:
            stack.callback(manager.close)
            # what a kernel writes past its own channels must not reach the instructor's terminal
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            folder = {"env": open_variables(self.job), "cwd": str(self.job.work)}
            try:
                stack.enter_context(client.setup_kernel(cleanup_kc=True, **folder, **quiet))
            except Exception as error:
                reason = self._used_up(manager) or str(error).split("\n")[0] or type(error).__name__
                raise KernelLostError(reason) from error
            manager.seal_wires()
            yield client

    def _run_cell(self, client: Client, index: int, *, replay: bool) -> None:
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

    def _execute(self, client: Client, index: int, *, replay: bool) -> None:
        original = self.notebook.cells[index]
        limit = self.patience.graded if graded_exercise(original) else self.patience.cell
        seconds = 0.0
        try:
            seconds = client.run(copy.deepcopy(original) if replay else original, index, limit)
        except (ExaminerError, StoppedError):
            raise
        except CellTimeoutError:
            reason = _("it could not be interrupted, or sent more than can be received")
            raise KernelLostError(reason) from None
        except zmq.Again:
            raise KernelLostError(_("it takes no messages any more")) from None
        except DeadKernelError:
            reason = self._used_up(client.manager)
            raise (KernelLostError(reason) if reason else KernelDiedError(_("the kernel died"))) from None
        except Exception as error:
            raise KernelLostError(f"{type(error).__name__}: {error}"[:200]) from error
        finally:
            self.notebook.cells[index] = original
            self._seconds += seconds
        self._unwatched += seconds
        if self._unwatched > _UNWATCHED_SECONDS:
            self._unwatched = 0.0
            if client.manager.has_filled_disk():
                raise KernelLostError(self._used_up(client.manager))
        if client.left:
            raise KernelLostError(_("it ends the kernel (`exit()` or the like)"))

    def _used_up(self, manager: SandboxedKernelManager) -> str:
        """Say what a kernel that ended had used more of than it may; nothing if it was something else."""
        if manager.ran_out_of_memory:
            return _("it used more than {size} GB of memory").format(size=f"{self.limits.resident_bytes / 2**30:.3g}")
        if manager.filled_disk:
            return _("it wrote more than {size} MB of files").format(size=self.limits.disk_bytes >> 20)
        return ""
