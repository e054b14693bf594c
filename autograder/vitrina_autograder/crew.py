"""The workers of a Dask cluster: who is there, and who may work because nothing that counts is different there.

Workers come and go at any time. Each is looked at once, before it gets its first task.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import uuid4

from distributed import Client, Future

from vitrina.values import plain_text
from vitrina_autograder.course import CourseError
from vitrina_autograder.environment import differences, environment
from vitrina_autograder.remote import describe_worker

_log = logging.getLogger(__name__)

#: A worker that is busy with somebody else's work does not answer; nor is it of use.
_LOOK_SECONDS = 180.0
#: How long to wait for a new worker after the last one was lost.
_PATIENCE_SECONDS = 60.0
_GATHER_SECONDS = 30.0
_SHOWN_DIFFERENCES = 5
_TEXT_LENGTH = 500
_START_WORKERS = "On each machine, in the environment that `make setup` made, run `dask worker {address}`"


@dataclass(eq=False)
class Worker:
    """One worker, as far as it is known.

    Attributes
    ----------
    address : str
        Where Dask finds it; one that is started again may have the same.
    threads : int
        How many tasks it runs at once.
    look : Future
        What it says about itself.
    since : float
        When it was asked, in seconds of the monotonic clock.
    mark : str
        Tells it from others at the same address; empty until it is known to be fit.
    refused : str
        Why it gets no tasks.
    """

    address: str
    threads: int
    look: Future[bytes]
    since: float = field(default_factory=monotonic)
    mark: str = ""
    refused: str = ""

    @property
    def undecided(self) -> bool:
        """Whether it has not been looked at yet."""
        return not self.mark and not self.refused


class Crew:
    """The workers of a cluster.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    address : str
        Of the scheduler, as the instructor gave it.
    wake : callable
        Called when a worker has answered.
    """

    def __init__(self, client: Client, address: str, wake: Callable[[Any], None]) -> None:
        self._client: Any = client
        self._address = address
        self._wake = wake
        self._ours = environment()
        self._workers: dict[str, Worker] = {}
        self._hope_until = monotonic()

    @property
    def fit(self) -> list[Worker]:
        """Those that may get tasks."""
        return [worker for worker in self._workers.values() if worker.mark and not worker.refused]

    def muster(self) -> None:
        """Find out who came and who left, and look at those that are new.

        Raises
        ------
        CourseError
            When the scheduler is gone, or there is nobody fit and nobody to hope for.
        """
        present = self._present()
        for address in self._workers.keys() - present.keys():
            del self._workers[address]
        for address, threads in present.items():
            if address not in self._workers:
                self._workers[address] = Worker(address, threads, self._look_at(address))
        for worker in self._workers.values():
            if worker.undecided:
                self._judge(worker)
        self._refuse_hopelessness()

    def has(self, worker: Worker) -> bool:
        """Whether a worker is still the one at its address."""
        return self._workers.get(worker.address) is worker

    def forget(self, worker: Worker) -> None:
        """Have a worker looked at again: it is not the one it was."""
        self._workers.pop(worker.address, None)

    def refuse(self, worker: Worker, reason: str) -> None:
        """Give a worker no more tasks, and say why."""
        worker.refused = plain_text(reason, _TEXT_LENGTH)
        _log.warning("the worker at %s is not used: %s", worker.address, worker.refused)

    def _present(self) -> Mapping[str, int]:
        try:
            return self._client.nthreads()
        except Exception as error:
            raise self.lost_scheduler(error) from error

    def lost_scheduler(self, error: Exception) -> CourseError:
        """Say that the scheduler is gone, and what to do."""
        return CourseError(
            f"The scheduler at {self._address} was lost ({error}). What was examined is kept: start it and its "
            "workers again, then run the same command."
        )

    def _look_at(self, address: str) -> Future[bytes]:
        key = f"vitrina-look-{uuid4().hex}"
        look: Any = self._client.submit(describe_worker, key=key, workers=[address], allow_other_workers=False)
        look.add_done_callback(self._wake)
        return look

    def _judge(self, worker: Worker) -> None:
        """Decide on a worker once it has answered."""
        look: Any = worker.look
        if not look.done():
            if monotonic() - worker.since > _LOOK_SECONDS:
                self.refuse(worker, f"it did not answer within {_LOOK_SECONDS:.0f} seconds; is it busy?")
            return
        try:
            facts = json.loads(look.result(timeout=_GATHER_SECONDS))
            problems = self._problems(facts)
            mark = str(facts["mark"])
        except Exception as error:  # whatever it may be that comes from there
            problems, mark = [f"it cannot say what it is ({type(error).__name__}: {error})"], ""
        if problems:
            more = len(problems) - _SHOWN_DIFFERENCES
            shown = [*problems[:_SHOWN_DIFFERENCES], *([f"and {more} more"] if more > 0 else [])]
            self.refuse(worker, "; ".join(shown))
        worker.mark = mark

    def _problems(self, facts: Mapping[str, Any]) -> list[str]:
        problem = facts["sandbox problem"]
        return [*([f"it has no sandbox: {problem}"] if problem else []), *differences(self._ours, facts["environment"])]

    def _refuse_hopelessness(self) -> None:
        if self.fit:
            self._hope_until = monotonic() + _PATIENCE_SECONDS
        elif monotonic() > self._hope_until and not any(worker.undecided for worker in self._workers.values()):
            raise CourseError(self._nobody())

    def _nobody(self) -> str:
        advice = _START_WORKERS.format(address=self._address)
        if not self._workers:
            return f"The cluster at {self._address} has no workers. {advice}."
        refused = "\n".join(f"  {worker.address}: {worker.refused}" for worker in self._workers.values())
        return f"No worker of the cluster at {self._address} can be used:\n{refused}\n{advice}, from the same sources."
