"""A notebook client that expects anything of a kernel: runaway output, loops without end, cells that end the kernel."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_output

from vitrina.messages import _
from vitrina_autograder.kernel import SandboxedKernelManager
from vitrina_autograder.stopwatch import Stopwatch

_START_SECONDS = 180
_IOPUB_SECONDS = 20
#: Until a cell has taken this long nobody asks how much of that was waiting for a processor.
_SLICE_SECONDS = 2
_PAUSE_SECONDS = 0.1
#: A whole notebook may print as much as so many cells.
_OUTPUTS_OF_A_NOTEBOOK = 8
#: What a message takes besides its text.
_MESSAGE_BYTES = 200
_TIMEOUT = _("the cell took too long and was interrupted")
_TIMEOUT_ERROR = {"ename": "CellTimeoutError", "evalue": _TIMEOUT, "traceback": [_TIMEOUT]}


class StoppedError(Exception):
    """Whoever wanted the result does not want it any more."""


class Client(NotebookClient):
    """Runs the cells of a notebook one by one.

    Parameters
    ----------
    nb : NotebookNode
        Its outputs are written in place.
    km : SandboxedKernelManager
        Starts the kernel.
    output_bytes : int
        What one cell may print and show; the rest is cut.
    stop : threading.Event, optional
        Soon after it is set, `run` raises `StoppedError`.

    Attributes
    ----------
    left : bool
        Whether a cell has called `exit()`: the kernel is about to end.
    manager : SandboxedKernelManager
        Of its kernel.
    """

    def __init__(
        self, nb: NotebookNode, km: SandboxedKernelManager, *, output_bytes: int, stop: threading.Event | None = None
    ) -> None:
        super().__init__(
            nb,
            km,
            on_cell_executed=self._notice_exit,
            timeout=_SLICE_SECONDS,
            startup_timeout=_START_SECONDS,
            iopub_timeout=_IOPUB_SECONDS,
            interrupt_on_timeout=True,
            error_on_timeout=_TIMEOUT_ERROR,
            raise_on_iopub_timeout=True,
            allow_errors=True,
            shutdown_kernel="immediate",
            record_timing=False,
        )
        self.left = False
        self.manager = km
        self._output_bytes = output_bytes
        self._stop = stop or threading.Event()
        self._received: Counter[int] = Counter()
        self._cut: set[int] = set()
        self._limit = 0.0
        self._stopwatch: Stopwatch | None = None

    def run(self, cell: NotebookNode, index: int, limit: float) -> float:
        """Run a cell.

        Parameters
        ----------
        cell : NotebookNode
            The cell.
        index : int
            Its place in the notebook.
        limit : float
            After so many seconds, but for those of waiting for a processor, it is interrupted.

        Returns
        -------
        float
            The seconds it took.
        """
        self._limit = limit
        self._stopwatch = None
        self._go_on()
        start = time.monotonic()
        self.execute_cell(cell, index)
        return self._taken() if self._stopwatch else time.monotonic() - start

    def _taken(self) -> float:
        """Give the seconds of the running cell, of which the first were counted by the clock."""
        if self._stopwatch is None:
            self._stopwatch = Stopwatch(self.manager.pid)
        return _SLICE_SECONDS + self._stopwatch.seconds()

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise StoppedError

    async def _async_handle_timeout(self, timeout: int, cell: NotebookNode | None = None) -> dict[str, Any] | None:
        """Let the cell go on for another while, unless its time is up."""
        self._go_on()
        if self._taken() >= self._limit:
            return await super()._async_handle_timeout(timeout, cell)
        await asyncio.sleep(_PAUSE_SECONDS)  # a kernel that sends nonsense leaves no waiting time
        return None

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Leave out what would only fill our memory: messages of widgets, which nothing shows, too many updates."""
        kind = str(msg.get("msg_type"))
        if kind.startswith("comm") or (kind == "update_display_data" and not self._has_room(msg, cell_index)):
            return None
        return super().process_message(msg, cell, cell_index)

    def _has_room(self, msg: dict[str, Any], cell_index: int) -> bool:
        """Count a message; whether it may still be kept."""
        self._received[cell_index] += _size(msg["content"])
        room = self._received.total() <= _OUTPUTS_OF_A_NOTEBOOK * self._output_bytes
        return room and self._received[cell_index] <= self._output_bytes

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """Keep an output unless its cell has printed too much already."""
        if self._has_room(msg, cell_index):
            return super().output(outs, msg, display_id, cell_index)
        if cell_index not in self._cut:
            self._cut.add(cell_index)
            outs.append(
                new_output("stream", name="stdout", text="\n" + _("[too much output: the rest was cut]") + "\n")
            )
        return None

    def _notice_exit(self, execute_reply: dict[str, Any], **_hook: Any) -> None:
        """Note that the cell called `exit()`: the kernel is about to end."""
        payload = execute_reply["content"].get("payload") or []
        self.left = self.left or any(item.get("source") == "ask_exit" for item in payload)


def _size(content: dict[str, Any]) -> int:
    """Size of an output in bytes, without copying a long text; an empty one takes room too."""
    text = content.get("text")
    return _MESSAGE_BYTES + (len(text) if isinstance(text, str) else len(json.dumps(content, default=str)))
