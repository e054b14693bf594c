"""Importing TensorFlow without its start-up notices, which no setting of its own silences."""

import contextlib
import os
import sys
from collections.abc import Generator


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Drop what is written to standard error by C++ code while the block runs; Python's errors still show.

    Examples
    --------
    >>> with quiet():
    ...     import tensorflow as tf
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
