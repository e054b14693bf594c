"""Hostile notebooks: what each tries, how it is handed in, and what must be true afterwards.

All come with wrong solutions, so whatever they earn was gained by the attack. Text in `@SIGNS@` is replaced when they
are handed in (see `place`). What an attack gets hold of it prints after `LOOT`; that it ran at all it says by `TRIED`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.students import NOTHING, Writer, cell_before
from corpus.toy_course import DOUBLE

TRIED = "tried it"
LOOT = "loot:"
#: Stands in every file and variable that is not for students; followed by where it stood.
CANARY = "canary-4c1f"
#: Stands in the command line of every process that an attack leaves behind.
SURVIVOR = "survivor-4c1f"

_NOTEBOOK_SIGNS = ("@PORT@", "@COURSE@", "@OUTSIDE@", "@NEIGHBOUR@")


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Attributes
    ----------
    tries : str
        What it is after.
    write : callable
        Writes the submission into its folder, given the solved notebook.
    points : tuple of float
        For `check-double`, `check-square` and `check-quiz`.
    says : str
        A pattern that the record's remarks, notes and messages must match.
    alarm : str
        A pattern that one of the record's alarms must match; where it is empty there must be none.
    perhaps : bool
        Whether the alarm may as well be missing, as it depends on who is faster.
    runs : bool
        Whether its cell says `TRIED`: then it must be in what the notebook printed.
    """

    tries: str
    write: Writer
    points: tuple[float, float, float] = NOTHING
    says: str = ""
    alarm: str = ""
    perhaps: bool = False
    runs: bool = False


def attempt(source: str) -> str:
    """Let a cell say that it was run to its end, or to which error."""
    body = textwrap.indent(textwrap.dedent(source).strip(), "    ")
    return (
        f"TRIED, LOOT = {TRIED!r}, {LOOT[:2]!r} + {LOOT[2:]!r}\ntry:\n{body}\nexcept BaseException as error:\n"
        "    print(TRIED, type(error).__name__, str(error)[:200])\nelse:\n    print(TRIED)"
    )


def cell(tries: str, source: str, **expected: Any) -> Attack:
    """Run a cell before everything that is graded."""
    return Attack(tries, cell_before(DOUBLE, attempt(source), wrong=True), runs=True, **expected)


def silent_cell(tries: str, source: str, **expected: Any) -> Attack:
    """Run a cell that may cost the kernel, so that nothing of what it says need arrive."""
    return Attack(tries, cell_before(DOUBLE, textwrap.dedent(source).strip(), wrong=True), **expected)


_LINE = '''
import json, os, socket, struct, threading, time
import numpy as np
address = os.environ["VITRINA_EXAMINER"]
def dial():
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(3)
    line.connect(address)
    return line
def frame(data):
    return struct.pack(">Q", len(data)) + data
def message(tree, *arrays):
    return frame(json.dumps({"arrays": len(arrays), "message": tree}).encode()) + b"".join(map(frame, arrays))
def npy(text, body=b""):
    head = text.encode() + b"\\n"
    return b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", len(head)) + head + body
def header(shape, kind="'<f8'"):
    return "{'descr': %s, 'fortran_order': False, 'shape': %s, }" % (kind, shape)
def answer(value, **other):
    return {"status": "answered", "value": value, "error": "", "mutated": [], **other}
def listen(line):
    (length,) = struct.unpack(">Q", line.recv(8, socket.MSG_WAITALL))
    return json.loads(line.recv(length, socket.MSG_WAITALL))
def ask(exercise):
    """Open a line and wait for the first question with its array."""
    line = dial()
    line.sendall(message({"exercise": exercise}))
    for _ in range(listen(line)["arrays"]):
        line.recv(*struct.unpack(">Q", line.recv(8, socket.MSG_WAITALL)), socket.MSG_WAITALL)
    return line
ARRAY = {"$array": 0}
ONES = npy(header("(3,)"), np.ones(3).tobytes())
'''


def line(tries: str, body: str, *, before: str = "", **expected: Any) -> Attack:
    """Speak to the examiner by oneself when a graded cell runs: `check` is the student's own."""
    inner = textwrap.indent(textwrap.dedent(body).strip(), "        ")
    source = (
        f"{_LINE}{textwrap.dedent(before)}\ndef check(exercise, given):\n    try:\n{inner}\n"
        f"    except BaseException as error:\n        print(type(error).__name__, error)\nprint({TRIED!r})"
    )
    return Attack(tries, cell_before(DOUBLE, source, wrong=True), runs=True, **expected)


def place(folder: Path, signs: Mapping[str, str]) -> None:
    """Replace the signs in a submission's notebooks: the loopback port, the course, a place outside, a neighbour."""
    for path in folder.glob("*.ipynb"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20:
            data = path.read_bytes()
            for sign in _NOTEBOOK_SIGNS:
                data = data.replace(sign.encode(), signs[sign].encode())
            path.write_bytes(data)
