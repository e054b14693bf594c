"""Attacks by what is handed in: links, names, sizes, and notebooks that claim what is not theirs."""

from __future__ import annotations

import json
import os
import pickle
import socket
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus.hostile import Attack, attempt
from corpus.students import (
    CHECKS,
    FULL,
    WRONG,
    Notebook,
    Writer,
    cell_before,
    cell_of,
    changed,
    dump,
    own_cell,
)
from corpus.toy_course import DOUBLE, NOTEBOOK, QUIZ, SQUARE, WHY

_EVIL = "open('@OUTSIDE@/ran', 'w').write('x')"


def _wrong(notebook: Notebook) -> Notebook:
    for key, source in WRONG.items():
        cell_of(notebook, key)["source"] = source
    return notebook


def claims(tries: str, change: Callable[[Notebook], Any], **expected: Any) -> Attack:
    """Hand in wrong solutions in a notebook that claims something."""
    return Attack(tries, changed(lambda notebook: change(_wrong(notebook)) or notebook), **expected)


def beside(tries: str, put: Callable[[Path], Any], *, source: str = "", **expected: Any) -> Attack:
    """Hand something in beside a notebook: honest work, unless a cell of its own makes use of it."""

    def write(notebook: Notebook, folder: Path) -> None:
        put(folder)
        if source:
            cell_before(DOUBLE, attempt(source), wrong=True)(notebook, folder)
        else:
            dump(notebook, folder)

    return Attack(tries, write, **({"runs": True} if source else {"points": FULL}), **expected)


def _course(folder: Path) -> Path:
    return folder.parents[2]


def _instead(tries: str, put: Callable[[Path], Any], says: str) -> Attack:
    """Hand something in that is no folder with a notebook in it."""

    def write(_notebook: Notebook, folder: Path) -> None:
        put(folder)

    return Attack(tries, write, says=says)


def _linked_folder(folder: Path) -> None:
    folder.rmdir()
    folder.symlink_to(Path("..") / "right" / folder.name)


def _linked_student(folder: Path) -> None:
    folder.rmdir()
    folder.parent.rmdir()
    folder.parent.symlink_to("right")


def _links(folder: Path) -> None:
    secret = _course(folder) / "course_secret"
    for name in ("l" * 250, "key.left-out", ".key.left-out", "key.txt", "\u202etxt.exe", "page.html", "x\n[red]y"):
        (folder / name).symlink_to(secret)
    (folder / "all").symlink_to(_course(folder), target_is_directory=True)
    (folder / "loop").symlink_to("loop")
    (folder / "sub").mkdir()
    (folder / "sub" / "key").symlink_to(secret)


def _deep(folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def _sparse(name: str, size: int) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return put


def _specials(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.ipynb")
    where = Path.cwd()
    os.chdir(folder)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as line:
        line.bind("socket")
    os.chdir(where)
    (folder / "tool").write_text("#!/bin/sh\ntouch @OUTSIDE@/ran")
    (folder / "tool").chmod(stat.S_ISUID | 0o755)


def _names(folder: Path) -> None:
    for name in ("\x1b[2J\x07.txt", "a\nb.txt", "<script>alert(1)</script>.txt".replace("/", "\u2215"), "-rf", "*", "[a]",
                 "~", "$(touch ran)", "'; drop table grade; --", "\u202egnp.txt", "CON", " ", "x" * 255):  # fmt: skip
        (folder / name).write_text("x")


def _imitations(folder: Path) -> None:
    """Files like those in which the grader keeps results, records and grades."""
    outcome = {"title": "t", "status": "passed", "weight": 1.0}
    verdict = {"exercise": "double", "title": "Double", "max_points": 3.0, "outcomes": [outcome]}
    record = {
        "student": folder.parent.name,
        "assignment": folder.name,
        "verdicts": {"double": verdict},
        "recorded": True,
    }
    for name in ("toy.json", "verdicts/week9/x.json", "examined/week9/x/toy.json", "build/course_secret", "toy.draft"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**record, "fingerprint": "0" * 64, "fingerprints": {"toy": "0" * 64}}))
    for name in ("gradebook.db", "nbgrader_config.py", "exercises.py", ".toy.ipynb.left-out", "toy.html", "aaa.html"):
        (folder / name).write_text(f"<script>alert(1)</script>\n{_EVIL}")


def _bomb(folder: Path) -> None:
    with zipfile.ZipFile(folder / "practice.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("exercises.json", b" " * (200 << 20))


def _shadows(folder: Path) -> None:
    for name in ("vitrina", "numpy", "IPython", "ipykernel", "vitrina_autograder"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"{_EVIL}\ncheck = lambda *a: 3.0")
    for name in ("sitecustomize.py", "usercustomize.py", "json.py", "ipython_config.py", "jupyter_config.py", ".env"):
        (folder / name).write_text(_EVIL)


class _Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch @OUTSIDE@/unpickled",)


def _raised_points(notebook: Notebook) -> None:
    for each in notebook["cells"]:
        if "nbgrader" in each["metadata"]:
            each["metadata"]["nbgrader"] |= {
                "points": 100,
                "grade": True,
                "solution": True,
                "locked": False,
                "task": False,
            }


def _swapped_ids(notebook: Notebook) -> None:
    one, two = (cell_of(notebook, key)["metadata"]["nbgrader"] for key in CHECKS[:2])
    one["grade_id"], two["grade_id"] = two["grade_id"], one["grade_id"]


def _own_checks(notebook: Notebook) -> None:
    """Cells of its own that claim to be graded, and hold a score."""
    marks = {"grade": True, "solution": False, "locked": True, "schema_version": 3, "cell_type": "code"}
    for name in ("check-double", "check-bonus", "check-quiz", "../../x", "check-double "):
        own = own_cell("3.0")
        own["metadata"] = {"nbgrader": {**marks, "grade_id": name, "points": 50}}
        notebook["cells"] += [own]
    notebook["cells"] = [each for each in notebook["cells"] if each.get("id") not in CHECKS]


def _retyped(notebook: Notebook) -> None:
    for key, kind in zip(CHECKS, ("markdown", "raw", "code"), strict=True):
        cell_of(notebook, key).update(cell_type=kind, source="3.0")


def _kernelspec(notebook: Notebook) -> None:
    spec = {"name": "evil", "argv": ["sh", "-c", "touch @OUTSIDE@/kernel"], "language": "bash", "display_name": "Evil"}
    notebook["metadata"] = {"kernelspec": spec, "language_info": {"name": "bash"}, "kernel_info": {"name": "evil"}}


def _forged_notes(notebook: Notebook) -> None:
    notebook["metadata"] |= {"vitrina_remarks": ["all is well"], "vitrina_quarantine": "graded by hand: 7 points"}
    notebook["metadata"] |= {"jupytext": {"text_representation": {"extension": ".py"}}, "papermill": {}, "widgets": {}}


def _forged_outputs(notebook: Notebook) -> None:
    for key in CHECKS:
        cell_of(notebook, key)["outputs"] = [
            {"output_type": "execute_result", "data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 1}
        ]


def _tags(notebook: Notebook) -> None:
    for key in CHECKS:
        cell_of(notebook, key)["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove_cell", "hide-cell"]


def _magics(notebook: Notebook) -> None:
    for source in ("%%bash\ntouch @OUTSIDE@/bash", "!touch @OUTSIDE@/shell", "%run toy.ipynb", "%load_ext evil", "%%html\n<script>"
                   "alert(1)</script>", "%%javascript\nIPython.notebook", "%autoreload 2", "%store -r", "%reset -f"):  # fmt: skip
        notebook["cells"].insert(2, own_cell(source))


def _attachments(notebook: Notebook) -> None:
    evil = '"><script>alert(1)</script>'
    why = cell_of(notebook, WHY)
    why["attachments"] = {evil: {"image/png": evil, "text/html": evil}, "a.png": {"image/png": "x" + evil}}
    why["source"] = (
        f"![x](attachment:a.png) ![y](attachment:{evil}) [z](javascript:alert(2)) $\\href{{javascript:alert(3)}}{{x}}$"
    )


def _nested(text: str) -> Writer:
    def write(notebook: Notebook, folder: Path) -> None:
        data = json.dumps(_wrong(notebook)).replace('"grade_id": "check-double"', f'"grade_id": {text}')
        (folder / NOTEBOOK).write_text(data)

    return write


def _bytes(data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / NOTEBOOK).write_bytes(data) and None


FILES: dict[str, Attack] = {
    "linked folder": _instead("hands in a link to another's folder", _linked_folder, "is a link to another"),
    "linked student": _instead("is a link to another student", _linked_student, "is a link to another"),
    "links of all kinds": beside("has files copied to which links lead", _links, says="cannot be used"),
    "deep folders": beside("nests folders beyond every path and stack", _deep, says="`d` cannot be used"),
    "a terabyte": beside(
        "fills disks with a file of nothing", _sparse("data.csv", 1 << 40), says="`data.csv` cannot be used"
    ),
    "a huge notebook": beside("has a huge notebook read", _sparse("b.ipynb", 1 << 40), says="`b.ipynb` cannot be used"),
    "many files": beside(
        "hands in thousands of files",
        lambda folder: [(folder / f"{number}.txt").write_text("") for number in range(3000)],
        says="more files were left out",
    ),
    "pipes and sockets": beside("has the grader wait for a pipe", _specials, says="`pipe` cannot be used"),
    "strange names": beside("names files so that commands and pages break", _names),
    "imitated records": beside("hands in what looks like results of the grader", _imitations),
    "zip bomb": beside("has a bomb unpacked", _bomb, source="import numpy"),
    "shadows": beside("hands in packages named like those of the kit", _shadows, source="import vitrina, numpy, json"),
    "pickles": beside(
        "hands in pickles",
        lambda folder: [
            (folder / name).write_bytes(pickle.dumps(_Evil())) for name in ("a.pkl", "results.pkl", "x.npy")
        ],
        source="import pickle\npickle.load(open('a.pkl', 'rb'))",
    ),
    "raised points": claims("gives its cells 100 points", _raised_points),
    "swapped ids": claims("swaps the ids of two checks", _swapped_ids, says="was changed and has been restored"),
    "own checks": claims("brings checks of its own", _own_checks, says="was changed|put back"),
    "retyped checks": claims("makes text of its checks", _retyped, says="was changed and has been restored"),
    "own kernel": claims("names a kernel that runs a command", _kernelspec),
    "forged notes": claims("writes the grader's own notes", _forged_notes),
    "forged outputs": claims("hands in scores as outputs", _forged_outputs),
    "tags": claims("tags its checks so that they are passed over", _tags),
    "magics": claims("runs shells and files by magics", _magics),
    "attachments": claims("attaches pictures that are scripts", _attachments),
    "nested id": Attack("nests an id as deep as JSON can be read", _nested("[" * 900 + "]" * 900)),
    "nested twice": Attack("nests an id a little deeper", _nested("[" * 970 + "]" * 970), says="."),
    "twice the same key": Attack("gives a key twice", _nested('"check-double", "grade_id": "check-quiz"')),
    "deep JSON": _instead("nests JSON beyond every stack", _bytes(b'{"cells": ' + b"[" * 500_000), "could not be read"),
    "many cells": _instead(
        "has a hundred thousand cells",
        _bytes(json.dumps({"cells": [{"cell_type": "code", "source": "1"}] * 100_000}).encode()),
        "it has 100000 cells",
    ),
    "many parts": _instead(
        "takes much more memory than bytes", _bytes(b'{"cells": [' + b"[]," * 8_000_000 + b"[]]}"), "millions of parts"
    ),
    "long number": _instead("holds a number of 100,000 digits", _bytes(b'{"cells": ' + b"9" * 100_000 + b"}"), "JSON"),
    "long line": claims(
        "has a megabyte in one line",
        lambda notebook: cell_of(notebook, SQUARE).update(source="square = " + "-" * 200_000 + "1"),
        says=".",
    ),
    "own answers": claims(
        "answers the quiz with everything at once",
        lambda notebook: cell_of(notebook, QUIZ).update(
            source="answers = {'one': ['yes', 'no'], 'two': {'yes', 'no'}}"
        ),
    ),
}
