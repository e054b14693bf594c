"""Entering a job: become its user, within its limits, in its folder, with every door shut."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import landlock, seccomp, system

#: What `Job.order` says, and `rules` of Landlock; `apart` tells whether there are namespaces.
Order = dict[str, Any]


def enter(order: Order, gate: socket.socket | None = None) -> None:
    """Become the job's user for good.

    Parameters
    ----------
    order : dict
        Where, as whom, within what limits.
    gate : socket, optional
        The way to the guard, where there are no namespaces.
    """
    for name, value in order["limits"].items():
        _limit(getattr(resource, f"RLIMIT_{name}"), value)
    system.become(order["owner"], may_search=order["may_search"])
    take_files(order)
    _shut_doors(order, gate)


def go_first() -> None:
    """Be the first to go where the machine is out of memory, with all that is started from here."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def take_files(order: Order) -> None:
    """Go to the job's folder with a copy of its files in it."""
    with contextlib.suppress(shutil.Error, OSError):  # a disk that its files fill already
        shutil.copytree(order["given"], order["work"], dirs_exist_ok=True, copy_function=shutil.copyfile)
    os.chdir(order["work"])


def _limit(number: int, value: int) -> None:
    hardest = resource.getrlimit(number)[1]
    value = value if hardest == resource.RLIM_INFINITY else min(value, hardest)
    resource.setrlimit(number, (value, value))


def _shut_doors(order: Order, gate: socket.socket | None) -> None:
    """Restrict files and system calls; behind bubblewrap's walls as far as the system can, else or not at all."""
    if not order["apart"] or landlock.version():
        landlock.restrict(order["rules"], ports=order["apart"])
    if gate:
        with gate:
            questions = seccomp.ask_about_connecting()
            socket.send_fds(gate, [b"!"], [questions])
            os.close(questions)
    with contextlib.suppress(OSError) if order["apart"] else contextlib.nullcontext():
        if not order["apart"] or seccomp.supported():
            seccomp.forbid(list(_forbidden(order)))


def _forbidden(order: Order) -> Iterator[seccomp.Rule]:
    yield from seccomp.ALWAYS
    if not order["apart"]:
        yield from seccomp.UNDIVIDED
        if not order["owner"]:
            yield from seccomp.SAME_USER
            yield from () if landlock.version() >= landlock.SCOPED else seccomp.own_signals_only(os.getpid())
