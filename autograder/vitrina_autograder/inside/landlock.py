"""Landlock: which files a process and all it starts may reach, and that it may signal nobody outside.

Landlock needs neither root nor namespaces. It forbids to read, write, make, remove and run files; what it cannot forbid
is to look up whether a file exists and how large it is, and to change modes, owners and times: see `seccomp`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from typing import Literal

from .system import system_call

#: What may be done below a path. `sockets`: make Unix sockets and remove them, and read.
Right = Literal["read", "list", "write", "devices", "sockets"]
Rule = tuple[str, Right]

#: From this version on, nobody outside can be signalled.
SCOPED = 6
#: From this version on, files that may only be read cannot be cut short by their owner.
SAFE_FOR_OWNERS = 3

# from <linux/landlock.h>
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_CHAR, _MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = (1 << bit for bit in range(6, 13))
_REFER, _TRUNCATE, _IOCTL_DEV = (1 << bit for bit in range(13, 16))
_ALL_BITS = {1: 13, 2: 14, 3: 15, 4: 15}  # number of rights on files by version of the interface; 16 from 5 on
_NO_TCP, _SCOPE = 3, 3

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_CHANGE = _WRITE_FILE | _TRUNCATE | _REMOVE_DIR | _REMOVE_FILE | _REFER
_MAKE = _MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_FIFO | _MAKE_SYM
_RIGHTS: dict[Right, int] = {
    "read": _READ,
    "list": _READ_DIR,
    "write": _READ | _CHANGE | _MAKE,
    "devices": _READ_FILE | _WRITE_FILE,
    "sockets": _READ_FILE | _READ_DIR | _MAKE_SOCK | _REMOVE_FILE,
}
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


def version() -> int:
    """Get the version of the interface; 0 where there is no Landlock.

    1 forbids files; 3 (Linux 6.2) cutting files short; 4 network ports; 6 (Linux 6.12) signals and abstract sockets.
    """
    try:
        return system_call(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(rules: Iterable[Rule], *, ports: bool = False) -> None:
    """Forbid this process, and all it will start, every file but those below the given paths, for good.

    Paths that do not exist are left out. Needs `PR_SET_NO_NEW_PRIVS`.

    Parameters
    ----------
    rules : iterable of (str, Right)
        Paths, and what may be done there.
    ports : bool
        Whether TCP stays as it is: where the process has a network of its own.
    """
    supported = version()
    handled = (1 << _ALL_BITS.get(supported, 16)) - 1
    attributes = struct.pack(
        "QQQ", handled, _NO_TCP if supported >= 4 and not ports else 0, _SCOPE if supported >= SCOPED else 0
    )
    size = 24 if supported >= SCOPED else 16 if supported >= 4 else 8
    ruleset = system_call(_CREATE_RULESET, ctypes.c_char_p(attributes), size, 0)
    for path, right in rules:
        _allow(ruleset, path, _RIGHTS[right] & handled)
    system_call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return
        raise
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= _OF_FILES
    beneath = struct.pack("=Qi", rights, descriptor)
    system_call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(beneath), 0)
    os.close(descriptor)
