"""Calling a student's function: its prints are kept, its errors explained, its time limited, its changes noticed.

Nothing that the function does may reach the student as a stack trace of ours or stop *Run All*.
"""

from __future__ import annotations

import _thread
import contextlib
import io
import threading
import time
import traceback
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from vitrina.judging import Reply
from vitrina.messages import _
from vitrina.protocol import MAX_ARRAY_BYTES
from vitrina.values import Array, realise

#: CPU seconds that one call may take; on a busy machine the clock may show `_PATIENCE` times as much.
CALL_SECONDS = 5.0
_PATIENCE = 4.0
_POLL_SECONDS = 0.25
_ERROR_LENGTH = 400
_PRINTED_LENGTH = 2000


class _TimedOutError(Exception):
    """The student's function took longer than allowed."""


@dataclass
class Call:
    """What one call gave: the reply and what the function printed."""

    reply: Reply
    printed: str = ""


def ask(answer: object, arguments: Mapping[str, Any], *, seconds: float = CALL_SECONDS) -> Call:
    """Put one case to the student's answer.

    Parameters
    ----------
    answer : callable or mapping or other
        A function is called with copies of the arguments; a mapping is looked up by the one argument
        (multiple choice); anything else is the answer itself.
    arguments : mapping
        Argument names and values; a `ModelSpec` is built first.
    seconds : float
        CPU seconds before the call is interrupted.
    """
    prepared = realise(arguments)
    before = {name: value.copy() for name, value in prepared.items() if isinstance(value, np.ndarray)}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        reply = _reply(answer, prepared, seconds)
    mutated = [name for name, old in before.items() if not _same(old, prepared[name])]
    if reply.status == "answered" and mutated:
        reply = Reply("answered", reply.value, mutated=mutated)
    return Call(reply, printed.getvalue()[:_PRINTED_LENGTH])


def _same(old: Array, new: Array) -> bool:
    return old.shape == new.shape and np.array_equal(old, new, equal_nan=True)


def _reply(answer: object, arguments: Mapping[str, Any], seconds: float) -> Reply:
    try:
        with _limited(seconds):
            value = _value(answer, arguments)
            if not callable(answer) and _is_blank(value):
                return Reply("unanswered")
            return _readable(value)
    except NotImplementedError:
        return Reply("unanswered")
    except _TimedOutError:
        message = _("no answer after {seconds:.0f} seconds: does a loop never end?").format(seconds=seconds)
        return Reply("timed out", error=message)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Reply("raised", error=explain(error))


def _value(answer: object, arguments: Mapping[str, Any]) -> object:
    if isinstance(answer, Mapping):
        return cast(Mapping[Any, object], answer).get(next(iter(arguments.values())))
    if callable(answer):
        return answer(*arguments.values())
    return answer


def _is_blank(value: object) -> bool:
    return value is None or value is ... or (isinstance(value, str) and not value)


def _readable(value: object) -> Reply:
    """Make plain data of what the function returned."""
    if _is_blank(value):
        return Reply("unreadable", error=_("your function returned nothing: is the `return` missing?"))
    if isinstance(value, str):
        return Reply("answered", value[:1000])
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        message = _("your function returned {kind}; an array of numbers is expected")
        return Reply("unreadable", error=message.format(kind=type(value).__name__))
    if array.nbytes > MAX_ARRAY_BYTES:
        message = _("your function returned {size} values: far more than expected")
        return Reply("unreadable", error=message.format(size=array.size))
    return Reply("answered", np.array(array, dtype=_plain(array.dtype)))


def _plain(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Half and long double floats travel as double."""
    return np.dtype(float) if dtype.kind == "f" and dtype.itemsize not in (4, 8) else dtype.newbyteorder("=")


def explain(error: BaseException) -> str:
    """Say what an exception means for the student: its kind, its text and the line of theirs that raised it."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    text = text[:_ERROR_LENGTH].rstrip()
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame.filename)]
    if not frames:
        return _("your function stopped with {error}").format(error=text)
    last = frames[-1]
    return _("your function stopped with {error} (line {line}: `{source}`)").format(
        error=text, line=last.lineno, source=(last.line or "").strip()[:120]
    )


def _is_theirs(filename: str) -> bool:
    """Whether code comes from a notebook cell rather than from a file of a library."""
    return "ipykernel_" in filename or filename.startswith("<ipython-input")


@contextlib.contextmanager
def _limited(seconds: float) -> Generator[None]:
    """Interrupt the main thread when the block has used its CPU seconds; works on Windows too."""
    done = threading.Event()
    expired = threading.Event()
    watcher = threading.Thread(target=_watch, args=(seconds, done, expired), daemon=True)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt:
        if expired.is_set():
            raise _TimedOutError from None
        raise
    finally:
        done.set()


def _watch(seconds: float, done: threading.Event, expired: threading.Event) -> None:
    start, start_cpu = time.monotonic(), time.process_time()
    while not done.wait(_POLL_SECONDS):
        busy = time.process_time() - start_cpu >= seconds
        if busy or time.monotonic() - start >= _PATIENCE * seconds:
            expired.set()
            _thread.interrupt_main()
            return
