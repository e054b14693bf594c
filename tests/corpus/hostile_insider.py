"""Attacks by somebody who has read the grader's source: below its channels, with forged words, with what costs time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus.hostile import Attack, cell, line, silent_cell
from corpus.hostile_files import beside
from corpus.hostile_kernel import wire
from corpus.students import FULL, Notebook, cell_of, changed, own_cell, solved_with
from corpus.toy_course import CASE_VALUE, DOUBLE, QUIZ, SQUARE, WHY


def _answers(tries: str, double: str, square: str, quiz: str = "answers = {}", **expected: Any) -> Attack:
    return Attack(tries, solved_with({DOUBLE: double, SQUARE: square, QUIZ: quiz}), **expected)


ANSWERS: dict[str, Attack] = {
    "shapes that change": _answers(
        "answers with what has another shape whenever it is looked at",
        "import numpy\nclass Own:\n    times = 0\n    def __array__(self, *a, **k):\n        Own.times += 1\n"
        "        return numpy.ones(Own.times)\ndef double(x): return Own()",
        "def square(x): return (number for number in x.ravel())",
        "class Answers(dict):\n    def get(self, *a): return __import__('sys')._getframe(1).f_locals.get('expected')\n"
        "answers = Answers(one=1)",
        says="expected the shape",
    ),
    "sizes that lie": _answers(
        "answers with what says that it is small",
        "import numpy\nclass Own(numpy.ndarray):\n    size = nbytes = itemsize = property(lambda self: 0)\n"
        "def double(x): return numpy.zeros(1 << 23).view(Own)",
        "import numpy\ndef square(x): return numpy.lib.stride_tricks.as_strided(numpy.ones(1), (10**9,), (0,))",
        says="far more than expected",
    ),
    "numbers beyond": _answers(
        "answers with numbers that a double cannot hold",
        "import numpy\ndef double(x): return numpy.float128('1e4000') * numpy.ones(x.shape)",
        "class Own(float):\n    __float__ = lambda self: 2.0\ndef square(x): return [Own(1) for _ in range(x.size)]",
        "answers = {'one': b'yes', 'two': 'no\\u200b'}",
        says="NaN or infinite",
    ),
    "endless words": _answers(
        "raises what cannot be said",
        "class Own(Exception):\n    def __str__(self): return str(self)\ndef double(x): raise Own",
        "def square(x): raise ExceptionGroup('x' * 10**6, [ValueError(i) for i in range(1000)])",
        "class Kind(type):\n    __name__ = property(lambda self: 1 / 0)\nclass Own(metaclass=Kind): pass\n"
        "answers = {'one': Own(), 'two': Own}",
        says="your function stopped with",
    ),
    "answers twice": cell(
        "forks when it is asked, so that two processes answer",
        """
        import os, vitrina.grading
        real = vitrina.grading.ask
        def ask(*arguments, **options):
            os.fork()
            return real(*arguments, **options)
        vitrina.grading.ask = ask
        """,
        alarm="before they were asked|was no answer",
        perhaps=True,
    ),
    "audit hook": cell(
        "forbids what the kit does",
        """
        import sys
        def hook(event, arguments):
            if event.startswith(("socket.", "open")):
                raise RuntimeError("no")
        sys.addaudithook(hook)
        """,
        says="no answer reached",
    ),
    "stopped clocks": cell(
        "stops the clocks by which a call is timed",
        "import time, vitrina.load\ntime.monotonic = time.process_time = time.time = lambda: 0.0\n"
        "vitrina.load.waited_seconds = lambda: 1e12",
    ),
}

#: Wait for the next question, with its array.
_NEXT = (
    "try:\n        listen(line)\n    except Exception:\n        break\n"
    "    line.settimeout(0.2)\n    try:\n        line.recv(9999)\n    except OSError:\n        pass"
)
WORDS: dict[str, Attack] = {
    "values as names": line(
        "tells the values of a case as the names of what it changed",
        f"line = ask(exercise)\nline.sendall(message(answer(ARRAY, mutated=['{CASE_VALUE}'] * 3), ONES))\nlisten(line)",
        alarm="form that `check` never sends",
        says=r"changes its input `\?",
    ),
    "no words": line(
        "loses its points without a reason",
        "line = ask(exercise)\nfor _ in range(4):\n"
        "    line.sendall(message({'status': 'raised', 'value': None, 'error': ' \\t', 'mutated': []}))\n"
        f"    {_NEXT}",
        says="the answer cannot be read",
    ),
    "long doubles": line(
        "answers with long doubles that no processor makes",
        "line = ask(exercise)\nfor bits, more in ((0, 0x7FFF), (2**63 - 1, 0x7FFE), (2**64 - 1, 0xFFFF), (0, 1)):\n"
        "    body = struct.pack('<QH6x', bits, more) * 3\n"
        "    line.sendall(message(answer(ARRAY), npy(header((3,), \"'<f16'\"), body)))\n"
        f"    {_NEXT}",
        says="NaN or infinite",
    ),
    "look-alike exercises": line(
        "asks for exercises whose names look alike",
        "for name in ('d\\u043euble', 'double\\u200b', 'DOUBLE', 'double ', '\\uff44ouble', 'double\\x00'):\n"
        "    line = dial()\n    line.sendall(message({'exercise': name}))\n    listen(line)",
        alarm="while the cell of `double` ran",
    ),
    "every exercise in turn": line(
        "asks for all exercises two hundred times, to hear how they are judged",
        "for name in ('quiz', 'square', 'double') * 66:\n    line = dial()\n"
        "    line.sendall(message({'exercise': name}))\n    print(listen(line).get('note', 'asked'))\n    line.close()",
        alarm="besides the `check",
    ),
    "a game as answer": line(
        "answers with a game of twenty players, so that the examiner fills its table",
        "line = ask(exercise)\n"
        "line.sendall(message(answer({'$game': {'worths': ARRAY}}), npy(header((1 << 20,)), bytes(8 << 20))))\n"
        "time.sleep(0.2)",
        alarm="was no answer",
    ),
    "a cell as request": line(
        "asks with a network in the place of a name",
        "line = dial()\n"
        "line.sendall(message({'exercise': {'$cell': {'W': [[1]], 'U': [[1]], 'b': [1], 'v': [1], 'c': 1}}}))\nlisten(line)",
        alarm="request that `check` never sends",
    ),
}

TRANSPORT: dict[str, Attack] = {
    "below the channels": silent_cell(
        "breaks the connections of its channels, and answers them with noise",
        r"""
        import os, socket, threading, time
        def ours():
            for number in os.listdir("/proc/self/fd"):
                try:
                    line = socket.socket(fileno=os.dup(int(number)))
                except OSError:
                    continue
                if line.family == socket.AF_UNIX:
                    yield line, line.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        NOISE = [b"\xff" + bytes(8) + b"\x7f\3\1NULL" + bytes(48), bytes(4096), b"\xff" * 100, b"\1\0",
                 b"\xff" + bytes(7) + b"\1\x7f\3\0PLAIN" + bytes(47)]
        def serve(line):
            while True:
                for noise in NOISE:
                    peer, _ = line.accept()
                    try:
                        peer.sendall(noise + b"\4\x26\5READY\x0bSocket-Type\0\0\0\6ROUTER\x08Identity" + b"\xff" * 20)
                        peer.sendall(b"\2\x7f" + b"\xff" * 7 + bytes(9999))
                    except OSError:
                        pass
                    peer.close()
        for line, listens in list(ours()):
            if listens:
                threading.Thread(target=serve, args=(line,), daemon=True).start()
            else:
                line.shutdown(2)
        time.sleep(1)
        """,
    ),
    "deaf": silent_cell(
        "answers those who connect again so that they never try once more, and keeps the grader waiting",
        r"""
        import os, socket, threading, time
        def serve(line):
            while True:
                peer, _ = line.accept()
                peer.sendall(bytes(4096))
                peer.close()
        empty = socket.socket(socket.AF_UNIX)
        empty.bind("empty")
        empty.listen()
        empty.setblocking(False)
        lines = []
        for number in map(int, os.listdir("/proc/self/fd")):
            try:
                line = socket.socket(fileno=os.dup(number))
            except OSError:
                continue
            if line.family == socket.AF_UNIX and line.getsockname().startswith("/") and number != empty.fileno():
                lines.append((number, line))
        for number, line in lines:
            if line.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                os.dup2(empty.fileno(), number)  # ZeroMQ gets no connection any more: they are all ours
                line.setblocking(True)
                threading.Thread(target=serve, args=(line,), daemon=True).start()
        for _number, line in lines:
            if not line.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                line.shutdown(2)
        time.sleep(1000)
        """,
        says="could not be interrupted",
    ),
    "no frames": wire(
        "sends messages that lack their parts",
        """
        for frames in ([b""], [b"<IDS|MSG>"], [b"x"] * 500, [b"x", b"<IDS|MSG>", b"signature"]):
            kernel.iopub_thread.send_multipart(frames)
        """,
        says="cost the kernel",
    ),
    "counts below zero": cell(
        "counts its cells backwards",
        "import IPython\nIPython.core.displayhook.DisplayHook.prompt_count = property(lambda self: -1)\n"
        "get_ipython().execution_count = -10**30",
        says=".",
    ),
    "strange displays": wire(
        "names displays and kinds of output so that tables of them break",
        """
        say("display_data", {"data": {"../../x": "y", "a" * 100_000: "z"}, "metadata": {}, "transient": {"display_id": ["x"]}})
        say("error", {"ename": "\\x1b[2J" * 50, "evalue": {"a": 1}, "traceback": ["\\x1b]0;x\\x07"] * 10_000})
        """,
        says="cost the kernel",
    ),
}

SYSTEM: dict[str, Attack] = {
    "namespaces by clone": cell(
        "makes itself namespaces by every call that can",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        for flags in (0x10000000, 0x40000000, 0x20000, 0x02000000, 0x08000000, 0x04000000, 0x20000000):
            made = libc.syscall(56, flags | 17, 0, 0, 0, 0)
            if made == 0:
                os._exit(0)
            if made > 0:
                print(LOOT, hex(flags))
        """,
    ),
    "queues and keys": cell(
        "leaves words for others in the system's queues, shared memory and key rings",
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for name, arguments in {"shmget": (1, 4096, 950), "semget": (1, 10, 950), "msgget": (1, 950)}.items():
            if getattr(libc, name)(*arguments) >= 0:
                print(LOOT, name)
        for number, arguments in {250: (0, -3, 1), 240: (b"q", 66, 438, 0), 425: (8, 0), 319: (b"x", 0), 447: (0,)}.items():
            if libc.syscall(number, *arguments) >= 0:
                print(LOOT, number)
        """,
    ),
    "terminals of its own": cell(
        "takes all the terminals that the system has",
        "import os\nkept = [os.openpty() for _ in range(20_000)]\nprint(LOOT, len(kept))",
    ),
    "shields itself": cell(
        "has others killed in its place when the memory is full",
        "open('/proc/self/oom_score_adj', 'w').write('-1000')\nprint(LOOT)",
    ),
}  # fmt: skip


def _deep_lists(notebook: Notebook) -> None:
    cell_of(notebook, WHY)["source"] = "".join("  " * depth + "- - \n" for depth in range(140))


def _half_characters(notebook: Notebook) -> None:
    cell_of(notebook, WHY).update(
        attachments={"\ud800.png": {"image/png": "\ud800"}}, source="Because \ud800 \0 it is."
    )
    notebook["metadata"]["\ud800"] = "\ud800"


def _honest(tries: str, change: Callable[[Notebook], Any], **expected: Any) -> Attack:
    return Attack(tries, changed(lambda notebook: change(notebook) and None), FULL, **expected)


def _folders(folder: Path) -> None:
    for name in ("timestamp.txt", "practice.zip", "toy.html", "sub.ipynb"):
        (folder / name).mkdir()
        (folder / name / ("x.txt" if name == "timestamp.txt" else "x.ipynb")).write_text("{}")


def _formulas(folder: Path) -> None:
    for name in ("=cmd|calc", "@SUM(1)", "{{7*7}}", "%n%s", "\t.txt", "a\rb", "..;", "[link=file]x.ipynb", "~$toy.ipynb",
                 "toy.ipynb~", "TOY.IPYNB", "\x1b]8;;x\x07.ipynb"):  # fmt: skip
        (folder / name).write_text('{"cells": []}')


HANDED_IN: dict[str, Attack] = {
    "blank lines": _honest(
        "keeps whoever colours code going over blank lines",
        lambda notebook: notebook["cells"].append(own_cell(" \n" * 300_000 + "1")),
    ),
    "blanks": _honest(
        "keeps whoever sets text going over blanks",
        lambda notebook: cell_of(notebook, WHY).update(source="because" + " " * 190_000 + "it is so"),
    ),
    "deep lists": _honest("nests lists in its answer beyond every stack", _deep_lists),
    "half characters": _honest("puts half characters where text is kept", _half_characters),
    "a long cell": Attack(
        "has more in a cell than is read",
        changed(lambda notebook: cell_of(notebook, DOUBLE).update(source="#" + "x" * (1 << 20) + "\ndouble = abs")),
        (0.0, 2.0, 2.0),
        says="was cut",
    ),
    "set aside by itself": beside(
        "names a file as those are that are set aside, and uses it",
        lambda folder: (folder / ".helper.left-out").write_text("def double(x): return 2 * x"),
        source="exec(open('.helper.left-out').read())\nprint(LOOT)",
        says="`helper` cannot be used",
    ),
    "folders for files": beside(
        "has folders where files are looked for", _folders, says="`timestamp.txt` cannot be used"
    ),
    "formulas": beside("names files so that tables, templates and terminals obey", _formulas, says="is not graded"),
}

INSIDER: dict[str, Attack] = {**ANSWERS, **WORDS, **TRANSPORT, **SYSTEM, **HANDED_IN}
