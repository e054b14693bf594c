"""A stopwatch for a kernel, which stands still while the kernel waits for a processor that others use."""

from __future__ import annotations

import contextlib
import time

import psutil

from vitrina.load import waited_seconds


class Stopwatch:
    """Tells how long a process with all it has started took since now, as if the machine were its own.

    Parameters
    ----------
    pid : int
        The process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._start = time.monotonic()
        self._cpu, self._waited = _used(pid)

    def seconds(self) -> float:
        """Get the time used: CPU seconds, or those on the clock but for the waiting, whatever is more."""
        cpu, waited = _used(self._pid)
        clock = time.monotonic() - self._start - max(0.0, waited - self._waited)
        return max(cpu - self._cpu, clock)


def _used(pid: int) -> tuple[float, float]:
    """CPU seconds, those of ended children included, and seconds of waiting for a processor."""
    cpu = waited = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                cpu += sum(each.cpu_times()[:4])
                waited += waited_seconds(each.pid)
    return cpu, waited
