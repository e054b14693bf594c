"""Calling a student's function: its prints are kept, its errors explained, its time limited, its changes noticed.

Nothing that the function does may reach the student as a stack trace of ours or stop *Run All*.
"""

from __future__ import annotations

import _thread
import contextlib
import io
import re
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, cast

import numpy as np

from vitrina.judging import Reply
from vitrina.load import waited_seconds
from vitrina.messages import _
from vitrina.protocol import MAX_ARRAY_BYTES
from vitrina.values import QUESTION, Array, plain_text, realise

#: CPU seconds that one call may take; waiting, but not for a processor, it may spend `_PATIENCE` times as much.
CALL_SECONDS = 5.0
_PATIENCE = 4.0
_POLL_SECONDS = 0.25
_ERROR_LENGTH = 400
_LINE_LENGTH = 120
_PRINTED_LENGTH = 2000
#: How a warning names the cell it comes from: a file that does not exist.
_CELL_FILE = re.compile(r"\S*ipykernel_\d+\S*?\.py:(\d+): ")

#: Where libraries are installed, in front of a warning's file.
_LIBRARY = re.compile(r"\S*site-packages[/\\]")
#: TensorFlow's names for the place of an error, which only it understands.
_OPERATION = re.compile(r"\{\{function_node [^}]*\}\} ?| ?\[Op:\w+\]( name:)?")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_OVERWRITTEN = re.compile(r"^.*[\r\x08](?=.)")


class TimedOutError(Exception):
    """What a student wrote took longer than allowed."""


@contextlib.contextmanager
def limited(seconds: float) -> Generator[None]:
    """Stop a block after some CPU seconds, with a `TimedOutError`.

    Parameters
    ----------
    seconds : float
        CPU seconds that it may take; waiting, but not for a processor, it may spend four times as much.
    """
    with _Watch(seconds).block():
        yield


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
    before = {name: value.copy() for name, value in prepared.items() if _can_change(value)}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        reply = _reply(answer, prepared, seconds)
    mutated = [name for name, old in before.items() if not _same(old, prepared[name])]
    if reply.status == "answered" and mutated:
        reply = Reply("answered", reply.value, mutated=mutated)
    return Call(reply, "" if printed.closed else _as_printed(printed.getvalue()))


def _as_printed(text: str) -> str:
    """Give what stays on a terminal: no colours, no progress bar that was written over, no name of a cell's file."""
    lines = _COLOURS.sub("", text[: 10 * _PRINTED_LENGTH]).split("\n")
    kept = "\n".join(_OVERWRITTEN.sub("", line.rstrip("\r\b")) for line in lines)
    return _CELL_FILE.sub(r"line \1: ", _LIBRARY.sub("", plain_text(kept, _PRINTED_LENGTH)))


def _can_change(value: object) -> bool:
    """Whether it is an array, or a list of plain numbers such as a coalition."""
    return isinstance(value, np.ndarray) or (isinstance(value, list) and not any(map(_can_change, _items(value))))


def _items(value: object) -> list[object]:
    return cast(list[object], value)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, list):  # types first: what a student put into it may not like to be compared
        pairs = zip(_items(old), _items(new), strict=False)
        return len(_items(old)) == len(_items(new)) and all(type(a) is type(b) and a == b for a, b in pairs)
    return old.dtype == new.dtype and old.shape == new.shape and np.array_equal(old, new, equal_nan=True)


def _reply(answer: object, arguments: Mapping[str, Any], seconds: float) -> Reply:
    try:
        return _Watch(seconds).limit(lambda: _answer(answer, arguments))
    except NotImplementedError:
        return Reply("unanswered")
    except TimedOutError:
        message = _("no answer after {seconds:.0f} seconds: does a loop never end?").format(seconds=seconds)
        return Reply("timed out", error=message)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Reply("raised", error=explain(error))


def _answer(answer: object, arguments: Mapping[str, Any]) -> Reply:
    if callable(answer):
        return _readable(answer(*arguments.values()))
    value = answer
    if isinstance(answer, Mapping):
        entries, key = cast(Mapping[Any, object], answer), next(iter(arguments.values()))
        if key not in entries and sum(not _is_blank(entry) for entry in entries.values()) > 1:  # begun: not just a name
            return Reply("unanswered", error=_("the key `{key}` is missing in your dictionary").format(key=key))
        value = entries.get(key)
    elif arguments and not _is_blank(answer):
        message = _("your function itself is asked: write its name without brackets after it; yours is of type {kind}")
        if tuple(arguments) == (QUESTION,):
            message = _("a dictionary is expected, with the keys that the cell came with; yours is of type {kind}")
        return Reply("raised", error=message.format(kind=type(answer).__name__))
    return Reply("unanswered") if _is_blank(value) else _readable(value)


def _is_blank(value: object) -> bool:
    return value is None or value is ... or (isinstance(value, str) and not value)


def _readable(value: object) -> Reply:
    """Make plain data of what the function returned."""
    if value is None or value is ...:
        return Reply("unreadable", error=_("your function returned nothing: is the `return` missing?"))
    if isinstance(value, str):
        return Reply("answered", plain_text(value, 1000))
    array = _numbers(value)
    if array is None:
        return Reply("unreadable", error=_unlike_an_array(value))
    dtype = _plain(array.dtype)
    if array.size * dtype.itemsize > MAX_ARRAY_BYTES:
        message = _("your function returned {size} values: far more than expected")
        return Reply("unreadable", error=message.format(size=array.size))
    return Reply("answered", np.array(array, dtype=dtype))


def _unlike_an_array(value: object) -> str:
    """Say what was returned in place of an array of numbers."""
    message = _("your function returned {kind}; an array of numbers is expected")
    if isinstance(value, list | tuple):
        message = _(
            "your function returned {kind}; its parts do not make an array of numbers: are some of another shape, or "
            "no numbers?"
        )
    if isinstance(value, np.ndarray):
        message = _("your function returned an array of {kind}; real numbers are expected")
        return message.format(kind=value.dtype)
    return message.format(kind=type(value).__name__)


def _numbers(value: object) -> Array | None:
    try:
        array = np.asarray(value)
    except Exception:  # rows of different lengths, or an object that cannot be made an array
        return None
    return array if array.dtype.kind in "biuf" else None


def _plain(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Half and long double floats travel as double."""
    return np.dtype(float) if dtype.kind == "f" and dtype.itemsize not in (4, 8) else dtype.newbyteorder("=")


def explain(error: BaseException) -> str:
    """Say what an exception means for the student: its kind, its text and the line of theirs that raised it."""
    text = plain_text(": ".join(filter(None, [type(error).__name__, _said(error)])), _ERROR_LENGTH).rstrip()
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame.filename)]
    if not frames:
        return _("your function stopped with {error}").format(error=text)
    last, source = frames[-1], (frames[-1].line or "").strip()
    return _("your function stopped with {error} (line {line}: `{source}`)").format(
        error=text, line=last.lineno, source=source if len(source) <= _LINE_LENGTH else source[: _LINE_LENGTH - 1] + "…"
    )


def _said(error: BaseException) -> str:
    try:
        return _OPERATION.sub("", str(error))
    except Exception:  # an exception of the student's own may not know how to say what it is
        return ""


def _is_theirs(filename: str) -> bool:
    """Whether code comes from a notebook cell rather than from a file of a library."""
    return "ipykernel_" in filename or filename.startswith("<ipython-input")


#: Where a block is entered and left: an interrupt there would not come from the block.
_OURS = (__file__, contextlib.__file__)


def _is_ours(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename in _OURS


class _Watch:
    """Interrupts a block of the main thread when it has used its CPU seconds, and nothing before or after it.

    Python delivers an interrupt some time after it was sent, perhaps when the block is over, or is just being left: so
    the handler decides whether it is still meant. Works on Windows too. In another thread nobody can be interrupted.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._seconds = seconds
        self._running = False
        self._before = signal.getsignal(signal.SIGINT)
        self._done = threading.Event()
        self._turn = threading.Lock()

    def limit(self, call: Callable[[], Reply]) -> Reply:
        """Call, within its seconds."""
        with self.block():
            return call()

    @contextlib.contextmanager
    def block(self) -> Generator[None]:
        """Run a block within its seconds."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.signal(signal.SIGINT, self._interrupted)
        try:
            threading.Thread(target=self._run, daemon=True).start()
            self._running = True
            yield
        except KeyboardInterrupt:
            if self.expired:
                raise TimedOutError from None
            raise
        finally:
            self._running = False
            with self._turn:
                self._done.set()
            signal.signal(signal.SIGINT, self._before)  # delivers, to us, what was sent until here

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self.expired:
            if self._running and not _is_ours(frame):
                raise KeyboardInterrupt
        elif callable(self._before):  # the user's own
            self._before(number, frame)

    def _run(self) -> None:
        start, start_cpu = time.monotonic() - waited_seconds(), time.process_time()
        while not self._done.wait(_POLL_SECONDS):
            busy = time.process_time() - start_cpu >= self._seconds
            if busy or time.monotonic() - waited_seconds() - start >= _PATIENCE * self._seconds:
                self._interrupt()

    def _interrupt(self) -> None:
        """Interrupt, again and again if need be: a bare `except:` in a loop swallows some of them."""
        with self._turn:
            if not self._done.is_set():
                self.expired = True
                _thread.interrupt_main()
