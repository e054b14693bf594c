"""The way in. Two ways lead to a kernel.

*Cold*: this program becomes the kernel's command. *Warm*: it imports what every kernel needs once, and then forks a
kernel for each order. Without any walls (`open`) it only takes the job's files along.
"""

from __future__ import annotations

import json
import os
import socket

from . import guard, warm
from .entry import Order, enter, go_first, take_files


def main(how: str, text: str, *command: str) -> None:
    """Become a command (`cold` or `open`), or fork kernels on order (`warm`)."""
    order = json.loads(text)
    if how == "warm":
        os.umask(0o022)
        warm.serve(socket.socket(fileno=order["control"]), order["modules"])
    elif how == "open":
        take_files(order)
        os.execv(command[0], command)
    elif order["apart"]:
        _become(order, command)
    else:
        guard.guard_command(order["examiner"], lambda gate: _become(order, command, gate))


def _become(order: Order, command: tuple[str, ...], gate: socket.socket | None = None) -> None:
    go_first()
    enter(order, gate)
    os.execv(command[0], command)
