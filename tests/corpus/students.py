"""A class of students: honest, clumsy, unlucky and dishonest; what each hands in and what it has to earn.

Cheats come with wrong solutions: whatever they earn was gained by the cheat.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus import attacks
from corpus.toy_course import DOUBLE, NOTEBOOK, QUIZ, SQUARE, WHY

Notebook = dict[str, Any]
Change = Callable[[Notebook], Notebook | None]
Writer = Callable[[Notebook, Path], None]

CHECKS = ("check-double", "check-square", "check-quiz")
FULL, NOTHING = (3.0, 2.0, 2.0), (0.0, 0.0, 0.0)
WRONG = {DOUBLE: "def double(x):\n    return x + 1", SQUARE: "def square(x):\n    return -x - 7", QUIZ: "answers = {}"}
ONERROR = "onerror=alert(1)"


@dataclass(frozen=True)
class Student:
    """What one student hands in.

    Attributes
    ----------
    write : callable
        Writes the submission into its folder, given the solved notebook.
    points : tuple of float
        For `check-double`, `check-square` and `check-quiz`.
    says : str
        A pattern that the record (remarks, notes and messages) must match.
    """

    write: Writer
    points: tuple[float, float, float] = FULL
    says: str = ""


def dump(notebook: Notebook, folder: Path, name: str = NOTEBOOK) -> None:
    (folder / name).write_text(json.dumps(notebook), encoding="utf-8")


def cell_of(notebook: Notebook, grade_id: str) -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if cell["id"] == grade_id)


def own_cell(source: str, kind: str = "code") -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": source, **({"outputs": []} if kind == "code" else {})}


def changed(change: Change) -> Writer:
    """Hand in the notebook after a change made in place."""

    def write(notebook: Notebook, folder: Path) -> None:
        dump(change(notebook) or notebook, folder)

    return write


def solved_with(sources: dict[str, str]) -> Writer:
    """Hand in other solutions."""

    def change(notebook: Notebook) -> None:
        for grade_id, source in sources.items():
            cell_of(notebook, grade_id)["source"] = source

    return changed(change)


def double(source: str) -> Writer:
    return solved_with({DOUBLE: source})


def cell_before(grade_id: str, source: str, *, wrong: bool = False) -> Writer:
    """Hand in a cell of one's own before a released one; with wrong solutions where it is to cheat."""

    def change(notebook: Notebook) -> None:
        for key, wrong_source in WRONG.items() if wrong else ():
            cell_of(notebook, key)["source"] = wrong_source
        notebook["cells"].insert(notebook["cells"].index(cell_of(notebook, grade_id)), own_cell(source))

    return changed(change)


def cheat(source: str, says: str = "") -> Student:
    """Run a cell first that is to make wrong solutions right."""
    return Student(cell_before(DOUBLE, source, wrong=True), NOTHING, says)


def _content(data: bytes) -> Writer:
    return lambda _notebook, folder: (folder / NOTEBOOK).write_bytes(data) and None


def _marks(grade_id: str, **marks: Any) -> Writer:
    return changed(lambda notebook: cell_of(notebook, grade_id)["metadata"]["nbgrader"].update(marks))


def _copy_of(grade_id: str) -> Change:
    return lambda notebook: notebook["cells"].append(copy.deepcopy(cell_of(notebook, grade_id)))


def _old_schema(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["schema_version"] = 1


def _stripped(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        del cell["id"]


def _edited_check(notebook: Notebook) -> None:
    for key, wrong_source in WRONG.items():
        cell_of(notebook, key)["source"] = wrong_source
    cell_of(notebook, CHECKS[0])["source"] = "3.0"


def _link_to_solution(_notebook: Notebook, folder: Path) -> None:
    (folder / NOTEBOOK).symlink_to(folder.parents[2] / "source" / folder.name / NOTEBOOK)


def _link_under_another_name(_notebook: Notebook, folder: Path) -> None:
    (folder / "mine.ipynb").symlink_to(folder.parents[2] / "source" / folder.name / NOTEBOOK)
    (folder / NOTEBOOK).write_text("")


def _links_beside(notebook: Notebook, folder: Path) -> None:
    (folder / "key.txt").symlink_to(folder.parents[2] / "course_secret")
    (folder / "gone.txt").symlink_to("/nowhere")
    (folder / "folder").symlink_to(folder.parents[2] / "source")
    dump(notebook, folder)


def _own_numpy(notebook: Notebook, folder: Path) -> None:
    (folder / "numpy.py").write_text("asarray = lambda value: 2 * value\n")
    cell_before(DOUBLE, "import numpy", wrong=True)(notebook, folder)


def _bad_timestamp(notebook: Notebook, folder: Path) -> None:
    (folder / "timestamp.txt").write_text("yesterday, before noon")
    dump(notebook, folder)


def _pages(notebook: Notebook) -> None:
    cell_of(notebook, WHY)["source"] = f"Because <img src=x {ONERROR}> <script>alert(2)</script> it is so."
    script = 'from IPython.display import HTML, Javascript, display\ndisplay(HTML("<script>alert(3)</script>hello"))\n'
    script += f"display(HTML('<img src=x {ONERROR}>'), Javascript('alert(4)'))\n"
    script += (
        "display({'image/svg+xml': '<svg onload=alert(5)></svg>', 'text/latex': '<script>alert(6)</script>'}, raw=True)"
    )
    notebook["cells"] += [own_cell(script), own_cell(f"[x](javascript:alert(7)) <b {ONERROR}>bold</b>", "markdown")]
    notebook["cells"] += [own_cell(f"raw <script>alert(8)</script> <img src=x {ONERROR}>", "raw")]


HONEST: dict[str, Student] = {
    "right": Student(changed(lambda _notebook: None)),
    "alternative": Student(double("import numpy\ndouble = lambda values: numpy.add(values, values)")),
    "wrong": Student(
        solved_with(
            {DOUBLE: "def double(x):\n    return x**2", SQUARE: WRONG[SQUARE], QUIZ: 'answers = {"one": "no"}'}
        ),
        (0.75, 0.0, 0.0),  # zero is its own square
        "That is the square",
    ),
    "partly": Student(
        solved_with(
            {
                DOUBLE: "def double(x):\n    return 2 * x if x.ndim == 1 else x",
                QUIZ: 'answers = {"one": "yes", "two": "yes"}',
            }
        ),
        (2.25, 2.0, 1.0),
    ),
    "exception": Student(double("def double(x):\n    return 1 / 0"), (0.0, 2.0, 2.0), "ZeroDivisionError"),
    "raising cell": Student(cell_before(DOUBLE, "import nowhere")),
    "syntax error": Student(double("def double(x) return 2"), (0.0, 2.0, 2.0), "double.*is not defined|NameError"),
    "mutating": Student(double("def double(x):\n    x += x\n    return x"), (0.75, 2.0, 2.0), "changes its input"),
    "returns nothing": Student(double("def double(x):\n    2 * x"), (0.0, 2.0, 2.0), "is the `return` missing"),
    "warns": Student(
        double(
            "import warnings, sys\ndef double(x):\n    warnings.warn('x')\n"
            "    print('e', file=sys.stderr)\n    return 2 * x"
        )
    ),
    "prints": Student(double("def double(x):\n    print(x)\n    return 2 * x\ndouble(3)")),
    "surrogate": Student(cell_before(DOUBLE, "print('\\ud800')")),
    "asks": Student(cell_before(DOUBLE, "name = input('Who?')")),
    "NaN": Student(double("def double(x):\n    return x * float('nan')"), (0.0, 2.0, 2.0), "NaN or infinite"),
    "object": Student(double("def double(x):\n    return [object()]"), (0.0, 2.0, 2.0), "array of numbers"),
    "ragged": Student(double("def double(x):\n    return [[1], [1, 2]]"), (0.0, 2.0, 2.0), "."),
    "huge": Student(
        double("import numpy\ndef double(x):\n    return numpy.zeros(5_000_000)"), (0.0, 2.0, 2.0), "far more"
    ),
    "many digits": Student(double("def double(x):\n    return 10**5000"), (0.0, 2.0, 2.0), "."),
}

CLUMSY: dict[str, Student] = {
    "copied check": Student(changed(_copy_of(CHECKS[0])), says="is there 2 times"),
    "copied solution": Student(changed(_copy_of(DOUBLE)), says="is there 2 times"),
    "old schema": Student(changed(_old_schema)),
    "changed points": Student(_marks(CHECKS[0], points=300)),
    "not graded": Student(_marks(CHECKS[0], grade=False)),
    "answer made a check": Student(_marks(WHY, solution=False)),
    "deleted check": Student(
        changed(lambda nb: nb["cells"].remove(cell_of(nb, CHECKS[0]))), says="`check-double` was missing"
    ),
    "stripped": Student(changed(_stripped), says="`solution-double` was missing"),
    "no cells": Student(changed(lambda nb: {**nb, "cells": []}), NOTHING, "was missing"),
    "corrupt": Student(_content(b'{"cells": ['), NOTHING, "could not be read"),
    "empty file": Student(_content(b""), NOTHING, "it is empty"),
    "page": Student(_content(b"<html>Sign in</html>"), NOTHING, "could not be read"),
    "renamed": Student(lambda nb, folder: dump(nb, folder, "toy (1).ipynb"), says=r"submitted as `toy \(1\).ipynb`"),
    "bad timestamp": Student(_bad_timestamp, says="`timestamp.txt` cannot be used"),
}

UNLUCKY: dict[str, Student] = {
    "loop in function": Student(
        double("def double(x):\n    while True:\n        pass"), (0.0, 2.0, 2.0), "loop never end|interrupted"
    ),
    "loop in cell": Student(cell_before(DOUBLE, "while True: pass")),
    "swallows": Student(cell_before(DOUBLE, attacks.SWALLOW + "forever()"), says="cost the kernel"),
    "exits": Student(cell_before(SQUARE, "exit()"), says="ends the kernel"),
    "sys.exit": Student(cell_before(SQUARE, "import sys; sys.exit(1)")),
    "exits in function": Student(double("def double(x):\n    exit()"), (0.0, 2.0, 2.0), "ends the kernel"),
    "os._exit": Student(cell_before(SQUARE, "import os; os._exit(0)"), says="the kernel died"),
    "os._exit in function": Student(
        double("import os\ndef double(x):\n    os._exit(0)"), (0.0, 2.0, 2.0), "the kernel died"
    ),
    "segfault": Student(cell_before(QUIZ, "import ctypes; ctypes.string_at(0)"), says="the kernel died"),
    "dies in the second case": Student(
        double("import os\ndef double(x):\n    return 2 * x if x.ndim == 1 else os.abort()"),
        (0.75, 2.0, 2.0),
        "the kernel",
    ),
    "prints without end": Student(cell_before(DOUBLE, attacks.FLOOD)),
    "prints 100 MB at once": Student(cell_before(DOUBLE, "print('x' * 10**8)")),
}

DISHONEST: dict[str, Student] = {
    "edited check": Student(changed(_edited_check), NOTHING, "was changed and has been restored"),
    "patched check": cheat(
        "from vitrina import Verdict\ncheck = lambda *a: 7\nimport vitrina\nvitrina.check = check\n3.0",
        "no answer reached",
    ),
    "patched verdict": cheat(
        "import vitrina\nvitrina.Verdict.points = vitrina.Verdict.max_points = 3.0\n"
        "vitrina.Verdict.__repr__ = lambda self: '3.0'"
    ),
    "patched judge": cheat(
        "import numpy\nnumpy.max = numpy.abs = lambda *a, **k: 0.0\nnumpy.allclose = lambda *a: True"
    ),
    "equal to all": Student(solved_with({DOUBLE: attacks.EQUAL, SQUARE: "", QUIZ: ""}), NOTHING),
    "input transformer": cheat(
        "get_ipython().input_transformers_cleanup.append(lambda lines: ['3.0\\n'])", "no answer reached"
    ),
    "ast transformer": cheat(
        "import ast\nclass Drop(ast.NodeTransformer):\n"
        "    def visit_Expr(self, node): return ast.parse('3.0').body[0]\n"
        "get_ipython().ast_transformers.append(Drop())",
        "no answer reached",
    ),
    "forged client": cheat(attacks.FORGE),
    "forged replies": cheat(attacks.FORGED_CLIENT),
    "background": cheat(attacks.BACKGROUND),
    "steals": cheat(attacks.STEAL),
    "searches memory": cheat(attacks.GC),
    "own numpy": Student(_own_numpy, NOTHING),
    "link": Student(_link_to_solution, NOTHING, "it is not a file"),
    "link under another name": Student(_link_under_another_name, NOTHING, "it is empty"),
    "links beside": Student(_links_beside, says="`key.txt` cannot be used"),
    "scripts": Student(changed(_pages)),
    "other exercise's cell": Student(
        solved_with({DOUBLE: WRONG[DOUBLE], SQUARE: "square = lambda x: x * x\ncheck('double', lambda x: 2 * x)\n"}),
        (0.0, 2.0, 2.0),
    ),
}

CLASS: dict[str, Student] = {**HONEST, **CLUMSY, **UNLUCKY, **DISHONEST}


def student_id(name: str) -> str:
    """The folder name of a student."""
    return "".join(letter if letter.isalnum() else "-" for letter in name).lower()
