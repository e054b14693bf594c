"""The examiner: the process that holds the reference implementation, and the handles by which it is steered.

The executor starts it once a batch (importing TensorFlow costs seconds) and opens an exam for each submission: over a
control socket of that exam it tells which graded cell is running and gets the verdict.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Generator, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from vitrina.judging import Verdict
from vitrina.protocol import ProtocolError, receive, send
from vitrina_autograder.course import CourseError
from vitrina_autograder.exam import Exam
from vitrina_autograder.exercise import AnyExercise, Outline, load_exercises, outline
from vitrina_autograder.job import new_folder, remove_tree
from vitrina_autograder.verdicts import verdict_from_data, verdict_to_data

_START_SECONDS = 120.0
_REPLY_SECONDS = 120.0
_END_SECONDS = 5.0


class ExaminerError(Exception):
    """The examiner could not be started, or was lost."""


class Invigilator:
    """The executor's handle of one exam: says which graded cell is running.

    Attributes
    ----------
    alarms : list of str
        What only somebody who tampers with the grading does, as far as the examiner has noticed it.
    """

    def __init__(self, control: socket.socket) -> None:
        self.alarms: list[str] = []
        self._control = control

    def enter_cell(self, exercise: str, points: float) -> None:
        """Say that the graded cell of an exercise starts running."""
        self.tell(do="enter", exercise=exercise, points=points)

    def leave_cell(self) -> Verdict | None:
        """Say that the cell has ended; get its verdict, if there is one."""
        data = self.tell(do="leave").get("verdict")
        return verdict_from_data(data) if data else None

    def forget(self, exercise: str) -> None:
        """Let an exercise be examined once more, as its kernel was killed."""
        self.tell(do="forget", exercise=exercise)

    def tell(self, **order: Any) -> dict[str, Any]:
        """Give an order and wait for the answer.

        Raises
        ------
        ExaminerError
            When the examiner does not answer.
        """
        try:
            send(self._control, order)
            answer = receive(self._control)
        except (OSError, ProtocolError) as error:
            raise ExaminerError(f"the examiner does not answer: {error}") from error
        self.alarms += answer.pop("alarms", [])
        return answer


class Examiner:
    """Handle of an examiner process for one assignment; many exams may be open at once.

    Parameters
    ----------
    folder : Path
        The assignment's folder with its `exercises.py`.

    Raises
    ------
    CourseError
        When the process does not get ready, for example because `exercises.py` has an error.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = new_folder()
        self._address = self._folder / "control"
        self._life, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, folder, self._address, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
            )
        self._end = weakref.finalize(self, _end, self._process, self._life, self._folder)
        self._life.settimeout(_START_SECONDS)
        if not self._life.recv(1):
            self.close()
            raise CourseError(f"the examiner of {folder} does not start; the error stands above")

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @contextlib.contextmanager
    def exam(self, student: str, seeds: Mapping[str, bytes], address: Path) -> Generator[Invigilator]:
        """Hold a student's exam with the cases of these seeds, listening for the kernel at `address`."""
        with self._connected() as invigilator:
            written = {exercise: seed.hex() for exercise, seed in seeds.items()}
            invigilator.tell(student=student, seeds=written, address=str(address))
            yield invigilator
            invigilator.leave_cell()  # for the last alarms

    def outlines(self) -> dict[str, Outline]:
        """Ask what exercises there are, by id: only the examiner needs to import what they are made of."""
        with self._connected() as connection:
            found = [Outline(**fields) for fields in connection.tell(do="outline")["outlines"]]
        return {outline.id: outline for outline in found}

    @contextlib.contextmanager
    def _connected(self) -> Generator[Invigilator]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(_REPLY_SECONDS)
            try:
                control.connect(str(self._address))
            except OSError as error:
                raise ExaminerError(f"the examiner was lost: {error}") from error
            yield Invigilator(control)

    def close(self) -> None:
        """End the process; it ends by itself when nobody holds this handle any more."""
        self._end()


def _end(process: subprocess.Popen[bytes], life: socket.socket, folder: Path) -> None:
    life.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
    process.kill()
    process.wait()
    remove_tree(folder)


def examiner_for(folder: Path) -> Examiner:
    """Get the examiner of an assignment: the one that runs already, unless it ended or its exercises changed."""
    with _starting:
        modified = (folder / "exercises.py").stat().st_mtime_ns
        examiner = _started(folder, modified)
        if not examiner.alive:
            _started.cache_clear()
            examiner = _started(folder, modified)
        return examiner


_starting = threading.Lock()


@lru_cache(maxsize=1)
def _started(folder: Path, _modified: int) -> Examiner:
    return Examiner(folder)


class _Office:
    """The process's own side: an exam for every executor that connects."""

    def __init__(self, folder: Path) -> None:
        self._exercises: dict[str, AnyExercise] = load_exercises(folder)

    def serve(self, listener: socket.socket) -> None:
        """Take executors in until the process ends."""
        while True:
            control, _peer = listener.accept()
            threading.Thread(target=self._hold, args=(control,), daemon=True).start()

    def _hold(self, control: socket.socket) -> None:
        """Hold one exam until its executor hangs up."""
        with control, contextlib.suppress(ProtocolError, OSError):
            opening = receive(control)
            if opening.get("do") == "outline":
                send(control, {"outlines": [asdict(outline(exercise)) for exercise in self._exercises.values()]})
                return
            seeds = {exercise: bytes.fromhex(seed) for exercise, seed in opening["seeds"].items()}
            exam = Exam(self._exercises, opening["student"], seeds, Path(opening["address"]))
            with contextlib.closing(exam):
                send(control, {})
                while True:
                    answer = _obey(exam, receive(control))
                    send(control, {**answer, "alarms": exam.alarms.take()})


def _obey(exam: Exam, order: dict[str, Any]) -> dict[str, Any]:
    match order:
        case {"do": "enter", "exercise": exercise, "points": points}:
            exam.enter_cell(exercise, points)
            return {}
        case {"do": "leave"}:
            verdict = exam.leave_cell()
            return {"verdict": verdict_to_data(verdict) if verdict else None}
        case {"do": "forget", "exercise": exercise}:
            exam.forget(exercise)
            return {}
        case _:
            raise ProtocolError(f"unknown order {order!r}")


def _main(folder: str, address: str, life: str) -> None:
    office = _Office(Path(folder))
    gc.freeze()  # else the collector goes through all of TensorFlow again and again
    with socket.socket(fileno=int(life)) as alive, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen()
        threading.Thread(target=office.serve, args=(listener,), daemon=True).start()
        alive.send(b"!")
        alive.recv(1)  # returns when the executor is gone


if __name__ == "__main__":
    _main(*sys.argv[1:])
