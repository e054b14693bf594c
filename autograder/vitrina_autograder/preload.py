"""What an assignment's kernels import before they are forked, and which libraries are not there for them.

The warm parent imports what every kernel needs, and what the release imports.

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

from vitrina_autograder.course import CourseError

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


def absent_libraries(folder: Path) -> tuple[str, ...]:
    """List the libraries that are not there while an assignment is graded, because they do what it asks for.

    They are read from `ABSENT = ["..."]` in its `exercises.py`, without running it; none where it has no such line.

    Raises
    ------
    CourseError
        When that is anything but a list of names written out.
    """
    path = folder / "exercises.py"
    return _absent_libraries(path, path.stat().st_mtime_ns) if path.is_file() else ()


@lru_cache(maxsize=16)
def _absent_libraries(path: Path, _modified: int) -> tuple[str, ...]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "ABSENT" for t in node.targets):
            return _names(node.value, path)
    return ()


def _names(value: ast.expr, path: Path) -> tuple[str, ...]:
    try:
        names = ast.literal_eval(value)
    except ValueError:
        names = None
    if not isinstance(names, list | tuple) or not all(isinstance(n, str) and n.isidentifier() for n in names):
        raise CourseError(f'{path}: ABSENT must be a list of libraries by name, written out: ABSENT = ["shap", "lime"]')
    return tuple(cast(list[str], names))
