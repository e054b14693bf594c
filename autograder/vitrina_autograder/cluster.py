"""Examining on an existing Dask cluster: each task goes to a worker as bytes, and its result comes back as JSON.

A worker gets as many tasks at a time as it has threads, so that when it dies only what it was running can be blamed;
Dask itself would blame the tasks that wait there too.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vitrina.messages import _
from vitrina_autograder.bundle import Task, pack_assignment, pack_task
from vitrina_autograder.course import CourseError
from vitrina_autograder.examination import Paper, Rules, fingerprint, has_result, keep_result, restored
from vitrina_autograder.examiner import ExaminerError
from vitrina_autograder.remote import examine_task
from vitrina_autograder.returned import ReturnError, StrangerError, read_result

if TYPE_CHECKING:  # they need the extra `cluster`
    from distributed import Client, Future

    from vitrina_autograder.crew import Crew, Worker

_log = logging.getLogger(__name__)

#: A task is quarantined after this many workers were lost while they ran it.
MAX_LOSSES = 3
_CONNECT_SECONDS = 5
_RESULT_SECONDS = 30
_TICK_SECONDS = 0.5


def examine_on_cluster(
    address: str, papers: Sequence[Paper], rules: Rules, *, force: bool = False
) -> Generator[tuple[Paper, str]]:
    """Examine papers of one assignment on a cluster; their results wait for nbgrader's pipeline.

    Parameters
    ----------
    address : str
        Of the scheduler, for example `tcp://10.0.0.1:8786`.
    papers : sequence of Paper
        What to examine.
    rules : Rules
        What a submission may use.
    force : bool
        Whether to examine again what a result waits for.

    Yields
    ------
    tuple of Paper and str
        Each paper once it is done, with the reason if it has to be quarantined.

    Raises
    ------
    CourseError
        When there is no such cluster, or none of its workers can be used.
    """
    if not papers:
        return
    with _connected(address) as client:
        foreman = _Foreman(client, address, pack_assignment(papers[0].course, papers[0].assignment), rules)
        skipped: list[Paper] = []
        for task, reason in foreman.examine(_tasks(papers, skipped, force=force)):
            yield task.paper, reason
        for paper in skipped:
            yield paper, ""


@contextmanager
def _connected(address: str) -> Generator[Client]:
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        raise CourseError(
            "`--cluster` needs Dask, which is not installed here: run `make setup`, or "
            "`pip install -c constraints.txt -e './autograder[cluster]'`."
        ) from None
    try:
        get_address_host_port(address)  # a client with an address of no form would not close
        with warnings.catch_warnings(action="ignore"):  # of other versions: each worker is looked at
            client: Any = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except Exception as error:
        raise CourseError(
            f"There is no Dask scheduler at {address} ({error}). Start one with `dask scheduler`; it says its address."
        ) from error
    try:
        yield client
    finally:
        client.close()  # whatever still runs for us is given up


def _tasks(papers: Iterable[Paper], skipped: list[Paper], *, force: bool) -> Iterator[Task]:
    """Read what was handed in; `skipped` gets the papers that there is nothing to do for, or nothing to be done."""
    for paper in papers:
        try:
            notebook = restored(paper)
            task = Task(paper, notebook, fingerprint(paper, notebook))
            if force or not has_result(paper, task.fingerprint):
                yield task
                continue
        except Exception:  # recording tries once more, and remarks what fails again
            _log.exception("%s: cannot be read", paper.student)
        skipped.append(paper)


class _Pile:
    """Tasks that wait for a worker.

    One whose worker was lost is a suspect from then on: it runs alone, so that no other is blamed for what it does.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self._fresh = deque[Task]()
        self._suspects = deque[Task]()
        self._losses = Counter[str]()

    def __bool__(self) -> bool:
        return bool(self._suspects) or self._has_fresh()

    def take(self, running: Sequence[Task], threads: int) -> Task | None:
        """Take a task for a worker that runs some already, if there is one that it should have now."""
        if not running and self._suspects:
            return self._suspects.popleft()
        alone = any(self._losses[task.fingerprint] for task in running)
        if alone or len(running) >= threads or not self._has_fresh():
            return None
        return self._fresh.popleft()

    def put_back(self, task: Task) -> bool:
        """Have a task tried again whose worker was lost, unless it has cost too many."""
        self._losses[task.fingerprint] += 1
        if self._losses[task.fingerprint] >= MAX_LOSSES:
            return False
        self._suspects.append(task)
        return True

    def _has_fresh(self) -> bool:
        if not self._fresh:
            self._fresh.extend(task for task in [next(self._tasks, None)] if task)
        return bool(self._fresh)


@dataclass(frozen=True, eq=False)
class _Run:
    """A task at a worker."""

    task: Task
    worker: Worker
    future: Future[bytes]


class _Foreman:
    """Hands tasks out to the fit workers of a cluster and takes their results in."""

    def __init__(self, client: Client, address: str, assignment: bytes, rules: Rules) -> None:
        from vitrina_autograder.crew import Crew

        self._client: Any = client
        self._rules = rules
        self._wake = threading.Event()
        self._crew: Crew = Crew(client, address, self._awake)
        # a task of its own: each worker that needs it fetches it once, and it is made again where its holder is lost
        self._assignment: Any = self._client.submit(bytes, assignment, key=f"vitrina-assignment-{uuid4().hex}")
        self._runs: list[_Run] = []

    def examine(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, str]]:
        """Examine tasks; give each once it is done, with a reason where it is to be quarantined."""
        from distributed.client import ClosedClientError

        try:
            yield from self._rounds(_Pile(tasks))
        except ClosedClientError as error:  # the client knew before the crew was mustered
            raise self._crew.lost_scheduler(error) from error

    def _rounds(self, pile: _Pile) -> Iterator[tuple[Task, str]]:
        while pile or self._runs:
            self._crew.muster()
            for run in self._ended():
                if self._take_in(run):
                    yield run.task, ""
                elif not pile.put_back(run.task):
                    yield run.task, _("{count} workers were lost while they ran this").format(count=MAX_LOSSES)
            yield from self._hand_out(pile)
            self._wake.wait(_TICK_SECONDS)
            self._wake.clear()

    def _awake(self, _future: object) -> None:
        self._wake.set()

    def _hand_out(self, pile: _Pile) -> Iterator[tuple[Task, str]]:
        """Give every fit worker what it has threads for; give those tasks that cannot be sent."""
        for worker in self._crew.fit:
            while task := pile.take([run.task for run in self._runs if run.worker is worker], worker.threads):
                try:
                    self._runs.append(_Run(task, worker, self._submit(task, worker)))
                except OSError:  # recording tries once more, and remarks what fails again
                    _log.exception("%s: cannot be sent", task.paper.student)
                    yield task, ""

    def _submit(self, task: Task, worker: Worker) -> Future[bytes]:
        # the fingerprint says nothing of the student to whoever looks at Dask's pages
        key = f"vitrina-{task.fingerprint[:16]}-{uuid4().hex}"
        where = {"workers": [worker.address], "allow_other_workers": False}
        packed = pack_task(task, self._rules)
        future: Any = self._client.submit(examine_task, worker.mark, self._assignment, packed, key=key, **where)
        future.add_done_callback(self._awake)
        return future

    def _ended(self) -> list[_Run]:
        ended = [run for run in self._runs if run.future.done() or not self._crew.has(run.worker)]
        self._runs = [run for run in self._runs if run not in ended]
        return ended

    def _take_in(self, run: _Run) -> bool:
        """Take in what has ended, unless its worker was lost with it."""
        if not self._crew.has(run.worker):
            self._client.cancel([run.future], force=True)
            return False
        future: Any = run.future
        try:
            data = future.result(timeout=_RESULT_SECONDS)
        except Exception as error:  # lost at this moment, or it could not take the task
            _log.info("the worker at %s gave no result: %s", run.worker.address, error)
            return False
        return self._keep(run, data)

    def _keep(self, run: _Run, data: bytes) -> bool:
        """Keep the result, if it is one."""
        task = run.task
        try:
            keep_result(task.paper, task.fingerprint, read_result(data, task))
        except StrangerError:
            self._crew.forget(run.worker)
            return False
        except ReturnError as error:
            self._crew.refuse(run.worker, f"it sent no result: {error}")
            return False
        except ExaminerError as error:  # recording tries once more, and remarks what fails again
            _log.error("%s: examining failed at %s: %s", task.paper.student, run.worker.address, error)
        return True
