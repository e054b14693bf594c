"""Many small fits: several threads would mostly wait for each other."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from importlib import import_module
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Let the numerical libraries, scikit-learn's among them, compute on one thread within a `with` block."""
    return _thread_pools().limit(limits=1)


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    """The threads of the numerical libraries; to look for them takes as long as a fit."""
    import_module("sklearn.utils")  # brings threads of its own, which are only found once it is there
    return ThreadpoolController()
