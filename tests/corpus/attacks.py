"""Cells by which a student tries to earn what was not done, or to keep the grader from its work."""

FLOOD = "for _ in range(1000):\n    print('x' * 100_000, flush=True)"
SWALLOW = """
def forever():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""
FORGE = """
import os, socket
from vitrina.protocol import receive, send
from vitrina.judging import Verdict
outcome = {"title": "t", "status": "passed", "weight": 1.0}
for exercise in ("double", "square", "quiz"):
    for message in (
        {"exercise": exercise, "verdict": {"points": 3, "outcomes": [outcome]}, "points": 3},
        {"do": "leave"}, {"do": "enter", "exercise": exercise, "points": 99}, {"status": "passed"},
    ):
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(2)
            connection.connect(os.environ["VITRINA_EXAMINER"])
            send(connection, message)
            receive(connection)
        except Exception:
            pass
"""
FORGED_CLIENT = """
import numpy as np, vitrina, vitrina.grading, vitrina.calling
from vitrina.protocol import send
class Passed:
    status, value, error, mutated = "passed", np.ones(3), "", ()
    reply = None
Passed.reply = Passed
vitrina.grading.ask = lambda *a, **k: Passed
vitrina.grading._frame = lambda reply: {"status": "passed", "points": 3, "value": {"verdict": "passed"}}
"""
STEAL = """
import glob, os, re
places = ["../..", "../../..", "../../../..", "/data", "/tmp", "/home", "/root", "/proc/1/cwd", os.path.expanduser("~")]
for place in places:
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name not in ("lib", "share", "include")]
        for name in names:
            if name.endswith((".ipynb", "exercises.py", "gradebook.db")):
                text = open(os.path.join(folder, name), errors="replace").read()
                print("found", folder, name)
                if "doubled = 2 * x" in text:
                    exec(text)
"""
EQUAL = """
class Equal:
    shape, dtype, ndim, size = (3,), float, 1, 3
    def __eq__(self, other): return True
    def __array__(self, *args, **kwargs):
        import numpy
        return numpy.ones(3)
    def __float__(self): return 2.0
    def __abs__(self): return 0
    def __sub__(self, other): return 0
    __rsub__ = __sub__
class Text(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
def double(x): return Equal()
def square(x):
    import numpy
    class Array(numpy.ndarray):
        __eq__ = lambda self, other: True
        __sub__ = __rsub__ = lambda self, other: 0
    return numpy.ones(x.shape).view(Array)
answers = {"one": Text("maybe"), "two": Text("perhaps")}
"""
AGAIN = f"""
import time
while True:
    try:
        exec({FORGE!r})
    except BaseException:
        pass
    time.sleep(0.05)
"""
BACKGROUND = f"""
import subprocess, sys
for _ in range(3):
    subprocess.Popen([sys.executable, "-c", {AGAIN!r}], start_new_session=True)
"""
GC = """
import gc, sys
for thing in gc.get_objects():
    if callable(thing) and getattr(thing, "__name__", "") in ("reference", "<lambda>"):
        try:
            if thing(3) == 6:
                double = thing
        except Exception:
            pass
"""
