"""What the warm parent of an assignment's kernels imports: what every kernel needs, and what the release imports.

Never what a submission imports: student code runs in forked kernels only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import cast

import nbformat
from nbformat import NotebookNode

_KERNEL = ("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "tornado.platform.asyncio")
_IPYTHON = (
    "IPython.core.completerlib",
    "IPython.core.oinspect",
    "IPython.core.logger",
    "IPython.extensions.storemagic",
)
# Not matplotlib_inline: it looks for its kernel when it is imported, and would show no figures in kernels forked later.
_FIGURES = ("matplotlib.pyplot", "matplotlib.backends.backend_agg", "IPython.core.pylabtools", "PIL.PngImagePlugin")
_ALWAYS = (*_KERNEL, *_IPYTHON, *_FIGURES, "sqlite3", "numpy.random", "vitrina.practice", "vitrina.grading")


def modules_of(release: Path) -> tuple[str, ...]:
    """List the modules to import before a kernel is forked.

    Parameters
    ----------
    release : Path
        The notebook as it was released.
    """
    return _modules_of(release, release.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _modules_of(release: Path, _modified: int) -> tuple[str, ...]:
    notebook = cast(NotebookNode, nbformat.read(release, as_version=4))
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return tuple(dict.fromkeys([*_ALWAYS, *(name for source in sources for name in _imported(source))]))


def _imported(source: str) -> Iterator[str]:
    """Find the modules that a cell imports; one with IPython's magics is no Python, and has none."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
