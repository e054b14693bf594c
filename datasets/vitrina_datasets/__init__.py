"""Data sets of the course: one module each, with its source, checksum, licence, data sheet and loader."""

import contextlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs

__all__ = ["CACHE_VARIABLE", "cache_arrays", "cache_file", "cache_folder"]

#: Environment variable that moves the cache.
CACHE_VARIABLE = "VITRINA_CACHE"


def cache_folder() -> Path:
    """
    Folder for parsed data: VITRINA_CACHE if that variable is set, else the user's cache folder of this system.

    Returns
    -------
    Path
        May not exist yet.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("vitrina")


def cache_file(path: Path, content: bytes) -> None:
    """
    Write a file in one step, so that no reader ever sees half of it; do without if it cannot be.

    Everybody may read it: a graded notebook runs as a user of its own.

    Parameters
    ----------
    path
        The file, in a folder that may not exist yet.
    content
        What it holds.
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)


def cache_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """
    Write arrays to an `.npz` file, as `cache_file` does.

    Parameters
    ----------
    path
        The file, in a folder that may not exist yet.
    arrays
        The arrays by name.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    cache_file(path, buffer.getvalue())
