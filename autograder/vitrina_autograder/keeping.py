"""Files of the course that cannot be made again: written whole or not at all, by one process at a time."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from vitrina_autograder.course import CourseError


@contextmanager
def sole_writer(path: Path) -> Generator[None]:
    """Keep other processes from changing a file while the block runs; they wait.

    Parameters
    ----------
    path : Path
        The file; a lock file beside it, `.NAME.lock`, stays behind empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that `write_json` wrote; one that is not there is empty.

    Raises
    ------
    CourseError
        If the file is damaged: going on would lose what it held.
    """
    if not path.exists():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CourseError(f"{path} is damaged ({error}). Restore it from a backup.") from error
    if not isinstance(data, dict):
        raise CourseError(f"{path} is damaged (no table of names). Restore it from a backup.")
    return cast(dict[str, Any], data)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Replace a file; it is on the disk when this returns, and no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:  # a name may be no text
        json.dump(data, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)


def whoami() -> str:
    """Name the user of the operating system, and the machine: `ana@lab3`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
