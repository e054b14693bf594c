"""How long a process had to wait for a processor: on a busy machine the clock alone says little about its work."""

from __future__ import annotations

from pathlib import Path

_NANOSECONDS = 1e-9


def waited_seconds(process: int | str = "self") -> float:
    """Sum the time that the threads of a process were ready to run, but others ran.

    Parameters
    ----------
    process : int or str
        Its number; by default this process.

    Returns
    -------
    float
        Seconds; 0 where the system does not tell (it does on Linux).
    """
    nanoseconds = 0
    for thread in Path("/proc", str(process), "task").glob("*/schedstat"):
        try:
            nanoseconds += int(thread.read_text().split()[1])
        except (OSError, ValueError, IndexError):  # the thread has just ended
            continue
    return nanoseconds * _NANOSECONDS
