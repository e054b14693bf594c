"""One student's exam: cases go to the student's kernel over a Unix socket, answers come back, verdicts stay here.

Never a line of a student's code runs in this process. A verdict is given only for the exercise whose graded cell is
running, and once.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from vitrina.calling import CALL_SECONDS
from vitrina.judging import REPLY_STATUSES, Case, Reply, ReplyStatus, Verdict, examine
from vitrina.messages import _
from vitrina.protocol import ProtocolError, receive, send
from vitrina.values import plain_text
from vitrina_autograder.exercise import AnyExercise

_log = logging.getLogger(__name__)

#: A kernel limits each call by itself, and the executor each cell; unlike the clock they know how busy the machine is.
_ANSWER_SECONDS = 600.0
_HANG_UP_SECONDS = 30.0
_TEXT_LENGTH = 1000
_REASON_LENGTH = 200
_MAX_NAMES = 10
_NAME_LENGTH = 50


class Exam:
    """The exam of one student.

    Parameters
    ----------
    exercises : mapping
        The assignment's exercises by id.
    student : str
        Whose exam it is.
    seeds : mapping
        What the student's cases are drawn from, by exercise (`exam_seed`): never the secret that they come from.
    address : Path
        Where to listen: a Unix socket that only this student's sandbox sees.
    """

    def __init__(
        self, exercises: Mapping[str, AnyExercise], student: str, seeds: Mapping[str, bytes], address: Path
    ) -> None:
        self._exercises = exercises
        self._student = student
        self._seeds = seeds
        self._state = threading.Condition()
        self._running: tuple[str, float] | None = None
        self._verdicts: dict[str, Verdict] = {}
        self._connection: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(address))
        address.chmod(0o600)  # the executor gives it to the kernel's user
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def enter_cell(self, exercise: str, points: float) -> None:
        """Allow the verdict of one exercise: its graded cell starts running."""
        with self._state:
            self._running = (exercise, points)

    def leave_cell(self) -> Verdict | None:
        """Hang up, and give the verdict of the cell that ran, if its kernel asked for one."""
        with self._state:
            cell, self._running = self._running, None
            if self._connection is not None:
                with contextlib.suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)
            self._state.wait_for(lambda: self._connection is None, timeout=_HANG_UP_SECONDS)
            return self._verdicts.get(cell[0]) if cell else None

    def close(self) -> None:
        """Stop listening."""
        self.leave_cell()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        """Serve one connection after the other until the exam is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = self._listener.accept()
                with connection:
                    self._serve_one(connection)

    def _serve_one(self, connection: socket.socket) -> None:
        connection.settimeout(_ANSWER_SECONDS)
        with self._state:
            self._connection = connection
        try:
            self._hold(connection)
        except (ProtocolError, OSError) as error:
            _log.info("%s: connection given up: %s", self._student, error)
        finally:
            with self._state:
                self._connection = None
                self._state.notify_all()

    def _hold(self, connection: socket.socket) -> None:
        exercise = str(receive(connection, max_arrays=0).get("exercise"))[:_TEXT_LENGTH]
        points = self._admit(exercise)
        if points is None:
            send(connection, {"note": _("not scored here: only the exercise's own graded cell is")})
            return
        verdict = self._question(connection, exercise, points)
        with self._state:
            self._verdicts[exercise] = verdict
        send(connection, {"note": _("sent to the examiner")})

    def _admit(self, exercise: str) -> float | None:
        """Give the points of the exercise if it may be examined now, and only the first time."""
        with self._state:
            if self._running is None or self._running[0] != exercise or exercise in self._verdicts:
                return None
            points = self._running[1]
            self._verdicts[exercise] = Verdict(exercise, exercise, points, note=_("the exam was broken off"))
            return points

    def _question(self, connection: socket.socket, exercise_id: str, points: float) -> Verdict:
        exercise = self._exercises.get(exercise_id)
        if exercise is None:
            return Verdict(exercise_id, exercise_id, points, note=_("the assignment declares no such exercise"))
        try:
            cases = exercise.cases(self._seeds[exercise_id])
            outcomes = examine(cases, Questioner(connection), reveal=False)
        except Exception:
            _log.exception("%s: the examiner failed on %s", self._student, exercise_id)
            note = _("the examiner itself failed: this is no fault of yours, and your work will be graded again")
            return Verdict(exercise_id, exercise.title, points, note=note)
        return Verdict(exercise_id, exercise.title, points, exercise.formula, outcomes)


class Questioner:
    """Puts cases to a kernel; once the kernel is lost, every further case has no answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lost = ""

    def __call__(self, case: Case) -> Reply:
        """Get the reply to one case; a lost kernel is a reply too, never an error of ours."""
        if not self._lost:
            try:
                question = {"ask": True, "arguments": dict(case.arguments), "seconds": CALL_SECONDS}
                send(self._connection, question)
                return read_reply(receive(self._connection, max_arrays=1))
            except TimeoutError:
                self._lost = _("no answer in time")
            except (ProtocolError, OSError) as error:
                self._lost = _("no answer: the kernel stopped or sent no answer that can be read ({error})").format(
                    error=plain_text(error, _REASON_LENGTH)
                )
        return Reply("raised", error=self._lost)


def read_reply(message: Mapping[str, Any]) -> Reply:
    """Make a reply of what a kernel sent; nothing in it is trusted."""
    status = message.get("status")
    if not isinstance(status, str) or status not in REPLY_STATUSES:
        return Reply("unreadable", error=_("the answer cannot be read"))
    value = message.get("value")
    mutated = message.get("mutated")
    return Reply(
        cast(ReplyStatus, status),
        value if isinstance(value, np.ndarray) else plain_text(value, _TEXT_LENGTH),
        plain_text(message.get("error", ""), _TEXT_LENGTH),
        [plain_text(name, _NAME_LENGTH) for name in cast(list[Any], mutated)[:_MAX_NAMES]]
        if isinstance(mutated, list)
        else (),
    )
