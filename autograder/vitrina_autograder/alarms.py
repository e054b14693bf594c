"""Alarms: what only somebody who tampers with the grading does, said in sentences for the teacher.

They change no score. What an honest student may do by mistake, such as a `check(...)` in a cell of their own, raises
none.
"""

from __future__ import annotations

import select
import socket
import threading

from vitrina.messages import _
from vitrina.values import plain_text

_MOST = 10
_LENGTH = 300


class Alarms:
    """Collects what was noticed during one exam: every sentence once, and not more than a teacher would read."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._said: set[str] = set()
        self._waiting: list[str] = []

    def __call__(self, what: str) -> None:
        """Raise an alarm: something in the notebook talked to the examiner by itself."""
        text = _("something in the notebook talked to the examiner by itself: {what}").format(what=what)
        with self._turn:
            if text not in self._said and len(self._said) < _MOST:
                self._said.add(text)
                self._waiting.append(plain_text(text, _LENGTH))

    def take(self) -> list[str]:
        """Take the alarms that were raised since they were taken last."""
        with self._turn:
            taken, self._waiting = self._waiting, []
            return taken


def has_hung_up(connection: socket.socket) -> bool:
    """Whether the other side has closed its end, be it that something it sent is still unread."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP | select.POLLHUP)
    return bool(poll.poll(0))


def is_speaking(connection: socket.socket) -> bool:
    """Whether the other side has sent something that is still unread."""
    try:
        return _is_readable(connection) and bool(connection.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def has_caller(listener: socket.socket) -> bool:
    """Whether a connection waits to be accepted."""
    return listener.fileno() >= 0 and _is_readable(listener)


def _is_readable(connection: socket.socket) -> bool:
    poll = select.poll()  # not `select`, which knows only the first 1024 files of a process
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
