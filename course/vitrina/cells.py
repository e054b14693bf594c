"""What notebook cells use: quiet imports, and cells that wait for what the student has still to write."""

import contextlib
import os
import sys
import traceback
from collections.abc import Generator
from typing import Any

from vitrina.messages import _

#: Less than the 30 that a cell has while it is graded, so that a cell is stopped with a word and not with its kernel.
_CELL_SECONDS = 25.0


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
def when_written(*, seconds: float = _CELL_SECONDS) -> Generator[None]:
    """Run a cell that needs the student's functions; say what is missing instead of stopping the notebook.

    Parameters
    ----------
    seconds : float
        CPU seconds after which it is stopped. Fewer where a loop without end may keep what it finds: that fills the
        memory, and costs the kernel.

    Examples
    --------
    >>> with when_written():
    ...     show(my_function(3))
    """
    try:
        with _limited(seconds):
            yield
    except NotImplementedError as missing:
        _drop_figures()
        print(_("○ Not yet: this cell waits for `{name}`, which you have still to write.").format(name=_where(missing)))
    except Exception as error:
        _drop_figures()
        if isinstance(error, NameError) and _where(error) == _CELL:
            print(_("○ Not yet: this cell needs `{name}` of a cell above, which waits too.").format(name=error.name))
            return
        text = _("✗ This cell stopped with {error}\n  What do the checks above say?")
        print(text.format(error=f"{type(error).__name__}: {error}"))


@contextlib.contextmanager
def _limited(seconds: float) -> Generator[None]:
    from vitrina.calling import TimedOutError, limited  # which cells that only want quiet do without

    try:
        with limited(seconds):
            yield
    except TimedOutError:
        _drop_figures()
        text = _(
            "✗ This cell was stopped after {seconds:g} seconds: does a loop never end?\n  What do the checks above say?"
        )
        print(text.format(seconds=seconds))


#: What Python calls the code of a cell, outside all functions.
_CELL = "<module>"


def _where(error: BaseException) -> str:
    """Name the function that raised."""
    return traceback.extract_tb(error.__traceback__)[-1].name


def _drop_figures() -> None:
    """Show no half-drawn figure."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot:
        pyplot.close("all")
