"""What notebook cells use: quiet imports, and cells that wait for what the student has still to write."""

import contextlib
import os
import sys
import traceback
from collections.abc import Generator

from vitrina.messages import _


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Drop what C++ code writes to standard error while the block runs; Python's errors still show.

    TensorFlow prints start-up notices that no setting of its own silences.

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


@contextlib.contextmanager
def when_written() -> Generator[None]:
    """Run a cell that needs the student's functions; say what is missing instead of stopping the notebook.

    Examples
    --------
    >>> with when_written():
    ...     show(my_function(3))
    """
    try:
        yield
    except NotImplementedError as missing:
        name = traceback.extract_tb(missing.__traceback__)[-1].name
        print(_("○ Not yet: this cell waits for `{name}`, which you have still to write.").format(name=name))
    except Exception as error:
        text = _("✗ This cell stopped with {error}\n  What do the checks above say?")
        print(text.format(error=f"{type(error).__name__}: {error}"))
