"""System calls that Python has no functions for."""

from __future__ import annotations

import ctypes
import os
from typing import Any

# from <linux/prctl.h> and <linux/capability.h>
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_PR_SET_KEEPCAPS, _PR_CAP_AMBIENT = 8, 47
_PR_CAP_AMBIENT_RAISE, _PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> int:
    """Call a function of the C library.

    Raises
    ------
    OSError
        When it gives a negative number.
    """
    result = getattr(_libc, name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def system_call(number: int, *arguments: Any) -> int:
    """Make a system call by its number; see `call`."""
    whole = (ctypes.c_long(each) if isinstance(each, int) else each for each in (number, *arguments))
    return call("syscall", *whole)


def become(owner: int, *, may_search: bool = False) -> None:
    """Become the job's user where there is one, and lose every privilege for good.

    Parameters
    ----------
    owner : int
        The user; 0 where there is none.
    may_search : bool
        Whether one privilege stays: to read what only its owner could, within what the job is shown.
    """
    call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if may_search:
        call("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
    if owner:
        os.setgroups([])
        os.setresgid(owner, owner, owner)
        os.setresuid(owner, owner, owner)
    kept = 1 << _CAP_DAC_READ_SEARCH if may_search else 0
    call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)(kept, kept, kept))
    if may_search:
        call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
