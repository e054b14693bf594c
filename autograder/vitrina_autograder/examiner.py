"""The examiner: the process that holds the reference implementation, and the handle by which it is steered.

The executor starts it once a batch (importing TensorFlow costs seconds) and tells it over a socket pair whose work is
examined and which graded cell is running.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from vitrina.judging import Verdict
from vitrina.protocol import ProtocolError, receive, send
from vitrina_autograder.course import Course
from vitrina_autograder.exam import Exam
from vitrina_autograder.exercise import load_exercises
from vitrina_autograder.verdicts import verdict_from_data, verdict_to_data

_START_SECONDS = 120.0
_REPLY_SECONDS = 120.0
_END_SECONDS = 5.0


class ExaminerError(Exception):
    """The examiner could not be started, or was lost."""


class Examiner:
    """Handle of an examiner process for one assignment.

    Parameters
    ----------
    course : Course
        Whose secret seeds the exams.
    folder : Path
        The assignment's folder with its `exercises.py`.
    """

    def __init__(self, course: Course, folder: Path) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(course.root), str(folder), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
            )
        atexit.register(self.close)
        self._control.settimeout(_START_SECONDS)
        self._hear()
        self._control.settimeout(_REPLY_SECONDS)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def open_exam(self, student: str, address: Path) -> None:
        """Begin a student's exam, listening at `address`."""
        self._tell(do="open", student=student, address=str(address))

    def enter_cell(self, exercise: str, points: float) -> None:
        """Say that the graded cell of an exercise starts running."""
        self._tell(do="enter", exercise=exercise, points=points)

    def leave_cell(self) -> Verdict | None:
        """Say that the cell has ended; get its verdict, if there is one."""
        data = self._tell(do="leave").get("verdict")
        return verdict_from_data(data) if data else None

    def close_exam(self) -> None:
        """End the student's exam."""
        self._tell(do="close")

    def close(self) -> None:
        """End the process."""
        atexit.unregister(self.close)
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()

    def _tell(self, **message: Any) -> dict[str, Any]:
        try:
            send(self._control, message)
        except OSError as error:
            raise ExaminerError(f"the examiner was lost: {error}") from error
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        try:
            return receive(self._control)
        except (OSError, ProtocolError) as error:
            raise ExaminerError(f"the examiner does not answer: {error}") from error


def examiner_for(course: Course, folder: Path) -> Examiner:
    """Get the examiner of an assignment: the one that runs already, unless it ended or its exercises changed."""
    modified = (folder / "exercises.py").stat().st_mtime_ns
    examiner = _started(course, folder, modified)
    if not examiner.alive:
        _started.cache_clear()
        examiner = _started(course, folder, modified)
    return examiner


@lru_cache(maxsize=1)
def _started(course: Course, folder: Path, _modified: int) -> Examiner:
    return Examiner(course, folder)


def _obey(control: socket.socket, course: Course, folder: Path) -> None:
    """Serve the executor until it hangs up."""
    exercises = load_exercises(folder)
    exam: Exam | None = None
    send(control, {"ready": True})
    while True:
        message = receive(control)
        answer: dict[str, Any] = {}
        match message.pop("do"):
            case "open":
                exam = Exam(exercises, message["student"], course.secret, Path(message["address"]))
            case "enter" if exam:
                exam.enter_cell(message["exercise"], message["points"])
            case "leave" if exam:
                verdict = exam.leave_cell()
                answer["verdict"] = verdict_to_data(verdict) if verdict else None
            case "close" if exam:
                exam.close()
                exam = None
            case order:
                raise ProtocolError(f"unknown order {order!r}")
        send(control, answer)


def _main(root: str, folder: str, descriptor: str) -> None:
    with socket.socket(fileno=int(descriptor)) as control, contextlib.suppress(ProtocolError):
        _obey(control, Course(Path(root)), Path(folder))


if __name__ == "__main__":
    _main(*sys.argv[1:])
