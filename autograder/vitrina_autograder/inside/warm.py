"""The warm parent: imports what every kernel needs once, and forks a kernel for each order.

It never runs an operation of what it imports: after one, TensorFlow hangs in every forked child.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import itertools
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence

from . import guard, namespaces
from .entry import Order, enter, go_first
from .figures import draw_figures_once

_ORDER_BYTES = 1 << 18
_FONT_SIZES = range(6, 13)
_FIRST_FREE_FD = 3


def serve(control: socket.socket, modules: Sequence[str]) -> None:
    """Import, say so, and fork a kernel for every order until the grader hangs up."""
    for module in modules:
        with contextlib.suppress(ImportError):  # a course without it has kernels without it
            importlib.import_module(module)
    _draw_once()
    gc.collect()
    gc.freeze()  # else every kernel's collector would go through all that was imported, and copy its memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by themselves
    control.send(b"!")
    while True:
        message, descriptors, _flags, _peer = socket.recv_fds(control, _ORDER_BYTES, 1)
        if not message:
            return
        line = socket.socket(fileno=descriptors[0])
        if os.fork() == 0:
            control.close()
            guard.finally_exit(_guard, json.loads(message), line)
        line.close()


def _draw_once() -> None:
    """Have matplotlib find its fonts and build its parser of formulas, which takes as long as drawing a figure."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    with contextlib.suppress(Exception):  # a kernel will meet the same, and say it
        draw_figures_once()
        figure = importlib.import_module("matplotlib.figure").Figure()
        axes = figure.subplots()
        for size, text in itertools.product(_FONT_SIZES, ("x", "$x^2$")):
            axes.text(0, 0, text, fontsize=size)
        figure.savefig(io.BytesIO())


def _guard(order: Order, line: socket.socket) -> int:
    """Keep a kernel; end all of it when the grader hangs up, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    go_first()
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(_FIRST_FREE_FD):
        os.dup2(silence, descriptor)
    line.send(b"!")  # the grader learns our process id from this, and may put us into a control group
    if not line.recv(1):
        return 0
    status = _in_namespaces(order, line) if order["apart"] else _in_sight(order, line)
    with contextlib.suppress(OSError):
        line.send(bytes([status % 256]))
    return 0


def _in_namespaces(order: Order, line: socket.socket) -> int:
    namespaces.leave()
    first = os.fork()
    if first == 0:
        line.close()
        guard.finally_exit(namespaces.first_process, order, lambda: _kernel(order))
    ended = os.pidfd_open(first)
    select.select([line, ended], [], [])  # the grader says nothing more: there is news only when it hangs up
    with contextlib.suppress(ProcessLookupError):
        os.kill(first, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])


def _in_sight(order: Order, line: socket.socket) -> int:
    os.setsid()
    return guard.guard_kernel(line.fileno(), order["examiner"], lambda gate: _kernel(order, gate))


def _kernel(order: Order, gate: socket.socket | None = None) -> None:
    last = os.sysconf("SC_OPEN_MAX")
    kept = gate.fileno() if gate else last
    os.closerange(_FIRST_FREE_FD, kept)
    os.closerange(kept + 1, last)
    if not gate:
        os.setsid()
    os.environ.clear()
    os.environ.update(order["variables"])
    enter(order, gate)
    importlib.invalidate_caches()  # of folders that can no longer be read
    _fresh_random_numbers()
    sys.argv = ["ipykernel_launcher", *order["arguments"]]
    kernel = importlib.import_module("ipykernel.kernelapp")
    kernel.launch_new_instance(argv=order["arguments"])


def _fresh_random_numbers() -> None:
    """Without this all kernels would draw the same: NumPy seeds itself when it is imported."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
