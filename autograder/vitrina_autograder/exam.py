"""One student's exam: cases go to the student's kernel over a Unix socket, answers come back, verdicts stay here.

Never a line of a student's code runs in this process. A verdict is given only for the exercise whose graded cell is
running, and once.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from vitrina.calling import CALL_SECONDS
from vitrina.judging import REPLY_STATUSES, Case, Reply, ReplyStatus, Verdict
from vitrina.messages import _
from vitrina.protocol import HungUpError, ProtocolError, receive, send
from vitrina.values import plain_text
from vitrina_autograder.alarms import Alarms, has_caller, has_hung_up, is_speaking
from vitrina_autograder.exercise import AnyExercise, DrawnQuiz, HandedIn

_log = logging.getLogger(__name__)

#: A kernel limits each call by itself, and the executor each cell; unlike the clock they know how busy the machine is.
_ANSWER_SECONDS = 600.0
_HANG_UP_SECONDS = 30.0
_WAIT_SECONDS = 0.02
#: A notebook that connects faster than that is left to itself.
_MOST_DROPPED = 50
_TEXT_LENGTH = 1000
_REASON_LENGTH = 200
_MAX_NAMES = 10
#: Replies that come with a reason, so that nobody loses points without a word.
_WITH_REASON = ("raised", "timed out", "unreadable")
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

    Attributes
    ----------
    alarms : Alarms
        What only somebody who tampers with the grading does.
    """

    def __init__(
        self, exercises: Mapping[str, AnyExercise], student: str, seeds: Mapping[str, bytes], address: Path
    ) -> None:
        self.alarms = Alarms()
        self._exercises = exercises
        self._student = student
        self._seeds = seeds
        self._state = threading.Condition()
        self._running: tuple[str, float] | None = None
        self._leaving = False
        self._verdicts: dict[str, Verdict] = {}
        self._connection: socket.socket | None = None
        self._examined: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(address))
        address.chmod(0o600)  # the executor gives it to the kernel's user
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def enter_cell(self, exercise: str, points: float) -> None:
        """Allow the verdict of one exercise: its graded cell starts running."""
        self._clear_line()
        with self._state:
            self._running = (exercise, points)

    def leave_cell(self) -> Verdict | None:
        """Hang up, and give the verdict of the cell that ran, if its kernel asked for one."""
        with self._state:
            self._leaving = True
        self._clear_line()
        with self._state:
            cell, self._running, self._leaving = self._running, None, False
            return self._verdicts.get(cell[0]) if cell else None

    def forget(self, exercise: str) -> None:
        """Let an exercise be examined once more; the cases are the same."""
        with self._state:
            self._verdicts.pop(exercise, None)

    def close(self) -> None:
        """Stop listening."""
        self.leave_cell()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _clear_line(self) -> None:
        """Hang up on whoever is connected or waits to be: between cells nobody is, but for who did it by themselves."""
        end = time.monotonic() + _HANG_UP_SECONDS
        dropped: list[socket.socket] = []
        with self._state:
            while time.monotonic() < end and len(dropped) < _MOST_DROPPED:
                if self._connection is None and not has_caller(self._listener):
                    return
                if self._connection is not None and self._connection not in dropped:
                    dropped.append(self._connection)
                    self._hang_up(self._connection)
                self._state.wait(_WAIT_SECONDS)

    def _hang_up(self, connection: socket.socket) -> None:
        if connection is not self._examined and not has_hung_up(connection):
            self.alarms(_("it kept a connection open while no `check(...)` was running"))
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

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
        except (HungUpError, OSError) as error:
            _log.info("%s: connection given up: %s", self._student, error)
        except ProtocolError as error:
            self.alarms(_("what it sent was no message ({error})").format(error=plain_text(error, _REASON_LENGTH)))
        except Exception:  # whatever a kernel sends, the next connection is served
            _log.exception("%s: a connection failed", self._student)
        finally:
            with self._state:
                self._connection = self._examined = None
                self._state.notify_all()

    def _hold(self, connection: socket.socket) -> None:
        request = receive(connection, max_arrays=0)
        exercise = request.get("exercise")
        if request.keys() != {"exercise"} or not isinstance(exercise, str):
            self.alarms(_("it sent a request that `check` never sends"))
        points = self._admit(exercise, connection) if isinstance(exercise, str) else None
        if points is None:
            send(connection, {"note": _("not scored here: only the exercise's own graded cell is")})
            return
        verdict = self._question(connection, str(exercise), points)
        with self._state:
            self._verdicts[str(exercise)] = verdict
        send(connection, {"note": _("sent to the examiner")})

    def _admit(self, exercise: str, connection: socket.socket) -> float | None:
        """Give the points of the exercise if it may be examined now, and only the first time."""
        with self._state:
            if self._running is None:
                return None  # a check in a cell of the student's own
            running, points = self._running
            name = plain_text(exercise, _NAME_LENGTH)
            if running != exercise:
                text = _("it asked for `{name}` while the cell of `{running}` ran")
                self.alarms(text.format(name=name, running=running))
            elif exercise in self._verdicts or self._leaving:
                self.alarms(_("it asked for `{name}` besides the `check(...)` in its cell").format(name=name))
            else:
                self._examined = connection
                self._verdicts[exercise] = Verdict(exercise, exercise, points, note=_("the exam was broken off"))
                return points
            return None

    def _question(self, connection: socket.socket, exercise_id: str, points: float) -> Verdict:
        exercise = self._exercises.get(exercise_id)
        if exercise is None:
            return Verdict(exercise_id, exercise_id, points, note=_("the assignment declares no such exercise"))
        try:
            questioner = Questioner(connection, self.alarms)
            outcomes = exercise.examine(self._seeds[exercise_id], questioner)
            questioner.listen()
        except Exception:
            _log.exception("%s: the examiner failed on %s", self._student, exercise_id)
            note = _("the examiner itself failed: this is no fault of yours, and your work will be graded again")
            return Verdict(exercise_id, exercise.title, points, note=note)
        name = questioner.words.get(exercise.named, "") if isinstance(exercise, DrawnQuiz | HandedIn) else ""
        return Verdict(exercise_id, exercise.title, points, exercise.formula, outcomes, drawn_for=name)


class Questioner:
    """Puts cases to a kernel; once the kernel is lost, every further case has no answer.

    Parameters
    ----------
    connection : socket
        To the kernel.
    alarm : callable
        Told what no `check` does.

    Attributes
    ----------
    words : dict
        What was answered in words, by the case's title.
    """

    def __init__(self, connection: socket.socket, alarm: Callable[[str], None]) -> None:
        self._connection = connection
        self._alarm = alarm
        self._lost = ""
        self.words: dict[str, str] = {}

    def __call__(self, case: Case) -> Reply:
        """Get the reply to one case; a lost kernel is a reply too, never an error of ours."""
        if not self._lost:
            try:
                return self._answer(case)
            except TimeoutError:
                self._lost = _("no answer in time")
            except (ProtocolError, OSError) as error:
                reason = plain_text(error, _REASON_LENGTH)
                self._lost = _("no answer: the kernel stopped or sent no answer that can be read ({error})").format(
                    error=reason
                )
                if isinstance(error, ProtocolError) and not isinstance(error, HungUpError):
                    self._alarm(_("what it sent was no answer ({error})").format(error=reason))
        return Reply("raised", error=self._lost)

    def _answer(self, case: Case) -> Reply:
        self.listen()
        send(self._connection, {"ask": True, "arguments": dict(case.arguments), "seconds": CALL_SECONDS})
        message = receive(self._connection, max_arrays=1)
        reply = read_reply(message)
        mutated = [name if name in case.arguments else "?" for name in reply.mutated]  # no way to tell a case's values
        if not _is_reply(message) or "?" in mutated:
            self._alarm(_("it sent an answer of a form that `check` never sends"))
        if isinstance(reply.value, str):
            self.words[case.title] = reply.value
        return replace(reply, mutated=mutated)

    def listen(self) -> None:
        """Notice whoever speaks without having been asked."""
        if is_speaking(self._connection):
            self._alarm(_("it sent answers before they were asked for"))


def _is_reply(message: Mapping[str, Any]) -> bool:
    """Whether a message has the form of those that the kit's client sends."""
    status, mutated = message.get("status"), message.get("mutated")
    return (
        set(message) == {"status", "value", "error", "mutated"}
        and isinstance(status, str)
        and status in REPLY_STATUSES
        and isinstance(message["value"], str | np.ndarray | None)
        and isinstance(message["error"], str)
        and isinstance(mutated, list)
        and all(isinstance(name, str) for name in cast(list[Any], mutated))
    )


def read_reply(message: Mapping[str, Any]) -> Reply:
    """Make a reply of what a kernel sent; nothing in it is trusted, and of nothing but text a text is made."""
    status, value, error = (message.get(key) for key in ("status", "value", "error"))
    unreadable = _("the answer cannot be read")
    if not isinstance(status, str) or status not in REPLY_STATUSES or not isinstance(value, str | np.ndarray | None):
        return Reply("unreadable", error=unreadable)
    said = plain_text(error, _TEXT_LENGTH) if isinstance(error, str) else ""
    if status in _WITH_REASON and not said.strip():
        said = unreadable
    mutated = message.get("mutated")
    names = cast(list[Any], mutated)[:_MAX_NAMES] if isinstance(mutated, list) else []
    return Reply(
        cast(ReplyStatus, status),
        plain_text(value, _TEXT_LENGTH) if isinstance(value, str) else value,
        said,
        [plain_text(name, _NAME_LENGTH) if isinstance(name, str) else "?" for name in names],
    )
