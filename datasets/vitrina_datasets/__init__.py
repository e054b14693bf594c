"""Data sets of the course: one module each, with its source, checksum, licence, data sheet and loader."""

import os
from pathlib import Path

import platformdirs

__all__ = ["CACHE_VARIABLE", "cache_folder"]

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
