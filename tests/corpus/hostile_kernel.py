"""Attacks from within the kernel: on the kit, on Python, on IPython, and on the client that listens to the kernel."""

from __future__ import annotations

from corpus.hostile import Attack, attempt, cell, silent_cell
from corpus.students import NOTHING, cell_before, solved_with
from corpus.toy_course import DOUBLE, QUIZ, SQUARE

_PANEL = "<div style='border-left: 4px solid green'><b>Double</b> 3 of 3 points</div>"

KIT: dict[str, Attack] = {
    "patched asserts": cell(
        "makes every comparison of NumPy true",
        """
        import numpy
        for name in ("allclose", "array_equal", "isclose", "all", "any", "isfinite", "max", "abs", "testing"):
            setattr(numpy, name, lambda *a, **k: True)
        import numpy.linalg
        """,
    ),
    "patched builtins": cell(
        "makes built-in functions lie",
        """
        import builtins
        for name in ("abs", "min", "round", "sum"):
            setattr(builtins, name, lambda *a, **k: 3.0)
        builtins.float = lambda *a: 3.0
        """,
    ),
    "patched kit": cell(
        "replaces every function of the kit",
        """
        import sys
        for name, module in list(sys.modules.items()):
            if name.startswith("vitrina."):
                for key, value in list(vars(module).items()):
                    if callable(value) and not isinstance(value, type) and not key.startswith("__"):
                        setattr(module, key, lambda *a, **k: "passed")
        """,
    ),
    "patched socket": cell(
        "answers for the examiner",
        """
        import sys, vitrina.grading
        from vitrina.judging import Outcome, Verdict
        verdict = Verdict("double", "Double", 3.0, outcomes=[Outcome("t", "passed", 1.0)])
        vitrina.grading.sit_exam = sys.modules["vitrina.check"].sit_exam = lambda *a: verdict
        vitrina.grading.receive = lambda *a, **k: {"ask": False, "note": "3 of 3 points"}
        """,
        says="no answer reached",
    ),
    "patched IPython": cell(
        "replaces the way cells are run",
        """
        ip = get_ipython()
        kind = type(ip)
        real = kind.run_cell_async
        async def fake(self, source, *a, **k):
            return await real(self, "3.0" if "check(" in source else source, *a, **k)
        kind.run_cell_async = fake
        """,
    ),
    "patched kernel": cell(
        "replaces the way the kernel answers",
        """
        kernel = get_ipython().kernel
        real = type(kernel).do_execute
        async def fake(self, code, *a, **k):
            if "check(" in code:
                return {"status": "ok", "execution_count": 3, "payload": [], "user_expressions": {}}
            return await real(self, code, *a, **k)
        type(kernel).do_execute = fake
        """,
        says="no answer reached",
    ),
    "input transformer": cell(
        "rewrites graded cells before they are parsed",
        "get_ipython().input_transformers_post.append("
        "lambda lines: ['3.0\\n'] if any('check(' in each for each in lines) else lines)",
        says="no answer reached",
    ),
    "AST transformer": cell(
        "rewrites graded cells after they are parsed",
        """
        import ast
        class Full(ast.NodeTransformer):
            def visit_Call(self, node):
                return ast.Constant(3.0) if getattr(node.func, "id", "") == "check" else node
        get_ipython().ast_transformers.append(Full())
        """,
        says="no answer reached",
    ),
    "cell hooks": cell(
        "changes what is defined just before a graded cell",
        """
        ip = get_ipython()
        def before(info):
            ip.user_ns["check"] = lambda *a: 3.0
        ip.events.register("pre_run_cell", before)
        ip.events.register("post_run_cell", lambda result: setattr(result, "result", 3.0))
        """,
        says="no answer reached",
    ),
    "history as answer": cell(
        "runs what stands in the history of inputs",
        """
        for source in [*In, *_ih, *map(str, Out.values())]:
            if "BEGIN " + "SOLUTION" in source or "doubled = " + "2 * x" in source:
                print(LOOT, source)
                exec(source)
        """,
    ),
    "traced calls": cell(
        "changes the variables of the function that asks",
        """
        import sys
        def trace(frame, event, argument):
            for name in ("status", "expected", "verdict", "points"):
                if name in frame.f_locals:
                    frame.f_locals[name] = "passed"
            return trace
        sys.settrace(trace)
        """,
    ),
    "import hook": cell(
        "serves modules of its own",
        """
        import importlib.abc, importlib.util, sys
        class Finder(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                if name.startswith("vitrina"):
                    return importlib.util.spec_from_loader(name, Loader())
        class Loader(importlib.abc.Loader):
            def exec_module(self, module):
                module.check = lambda *a: 3.0
                module.points = 3.0
        sys.meta_path.insert(0, Finder())
        for name in [each for each in sys.modules if each.startswith("vitrina")]:
            del sys.modules[name]
        from vitrina import check
        """,
        says="no answer reached",
    ),
    "equal to everything": Attack(
        "answers with objects that equal everything",
        solved_with(
            {
                DOUBLE: "class All:\n    __eq__ = __ge__ = __le__ = lambda self, other: True\n    __hash__ = None\n"
                "    __array_priority__ = 1e9\n    def __array__(self, *a, **k): return __import__('numpy').ones(3)\n"
                "    def __array_ufunc__(self, *a, **k): return True\n"
                "    def __array_function__(self, *a, **k): return True\n"
                "def double(x): return All()",
                SQUARE: "def square(x): return double(x)",
                QUIZ: "class Answers(dict):\n    def get(self, *a): return All()\nanswers = Answers(one=1, two=2)",
            }
        ),
    ),
    "strange arrays": Attack(
        "answers with arrays of types of its own",
        solved_with(
            {
                DOUBLE: "import numpy\nclass Own(numpy.ndarray):\n    __eq__ = __sub__ = __rsub__ = lambda self, o: self * 0\n"
                "    dtype = shape = property(lambda self: 3)\n    def astype(self, *a, **k): return self\n"
                "    def tobytes(self, *a): return b''\ndef double(x): return numpy.ones(3).view(Own)",
                SQUARE: "import numpy\ndef square(x): return numpy.ma.masked_array(x * 0 - 1, mask=True)",
                QUIZ: "class Text(str):\n    __eq__ = lambda self, other: True\n    __hash__ = str.__hash__\n"
                "    encode = __str__ = lambda self, *a: '?'\nanswers = {'one': Text('?'), 'two': Text('?')}",
            }
        ),
    ),
    "walks frames": Attack(
        "looks for the right answer in the frames of who calls",
        solved_with(
            {
                DOUBLE: "import inspect, sys\ndef double(x):\n"
                "    for frame in [each.frame for each in inspect.stack()] + list(sys._current_frames().values()):\n"
                "        while frame:\n            for name, value in {**frame.f_globals, **frame.f_locals}.items():\n"
                "                if name in ('expected', 'case', 'cases', 'reference'): return value\n"
                "            frame = frame.f_back\n    return x - 1",
                SQUARE: "def square(x): return double(x)",
                QUIZ: "answers = {}",
            }
        ),
    ),
    "public cases": Attack(
        "answers what the public cases expect",
        solved_with(
            {
                DOUBLE: "from vitrina.practice import _load\nfrom pathlib import Path\n"
                "known = _load(Path('practice.zip'))\ndef double(x): return known['double'].cases[0].expected",
                SQUARE: "def square(x): return known['square'].cases[0].expected",
                QUIZ: "answers = {'one': known['quiz'].cases[0].expected, 'two': None}",
            }
        ),
        points=(0.75, 0.5, 0.0),  # in the first case one value is so large that the others do not matter
    ),
    "answers at the end": cell(
        "does its work in destructors and at the exit",
        """
        import atexit, vitrina.grading
        class Late:
            def __del__(self):
                vitrina.grading.sit_exam("double", lambda x: x, "@OUTSIDE@/socket")
        late = Late()
        atexit.register(lambda: open("@OUTSIDE@/exit", "w").write("x"))
        """,
    ),
    "forged panel": cell(
        "shows a panel with full marks",
        f"from IPython.display import HTML, display\ndisplay(HTML({_PANEL!r}))\nprint('3.0')",
    ),
}  # fmt: skip

_WIRE = """
import json, time
kernel = get_ipython().kernel
session = kernel.session
parent = kernel.get_parent("shell")
def say(kind, content, parent=parent, **more):
    session.send(kernel.iopub_socket, kind, content, parent=parent, **more)
def later(number):
    header = dict(parent["header"])
    start, _, count = header["msg_id"].rpartition("_")
    return {**parent, "header": {**header, "msg_id": f"{start}_{int(count) + number}"}}
"""


def wire(tries: str, source: str, **expected: object) -> Attack:
    """Speak on the kernel's own channels, with its own key."""
    text = _WIRE + "\n" + attempt(source)
    return Attack(tries, cell_before(DOUBLE, text, wrong=True), NOTHING, **expected)  # type: ignore[arg-type]


CHANNELS: dict[str, Attack] = {
    "forged results": wire(
        "sends results of cells to come",
        """
        for number in range(1, 30):
            say("execute_result", {"data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 1}, later(number))
            say("status", {"execution_state": "idle"}, later(number))
        """,
    ),
    "forged replies": wire(
        "says that cells to come have been run",
        """
        for number in range(1, 12):
            for name in ("shell_stream", "shell_socket"):
                if getattr(kernel, name, None) is not None:
                    session.send(getattr(kernel, name), "execute_reply",
                                 {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}, later(number))
        """,
    ),
    "forged exit": wire(
        "says that it called exit()",
        """
        session.send(kernel.shell_stream, "execute_reply", {"status": "ok", "execution_count": 1, "user_expressions": {},
                     "payload": [{"source": "ask_exit", "keepkernel": False}, 3, None]}, parent)
        """,
    ),
    "idle at once": wire(
        "says that its cell is done, and goes on",
        "say('status', {'execution_state': 'idle'})\nfor number in range(100):\n    say('stream', {'name': 'stdout', 'text': 'x'})",
    ),
    "never idle": wire(
        "never says that a cell is done", "type(kernel)._publish_status = lambda *a, **k: None", says="cost the kernel"
    ),
    "strange parents": wire(
        "sends messages with parents that are none",
        "for strange in ({}, {'header': {'msg_id': None}}, {'header': {'msg_id': 'x' * 100_000}}):\n"
        "    say('stream', {'name': 'stdout', 'text': 'x'}, strange)",
    ),
    "strange contents": wire(
        "sends contents that nothing expects",
        """
        for content in ({}, {"data": []}, {"data": 3, "metadata": 4}, {"text": 5, "name": ["stdout"]}, {"text": None},
                        {"execution_count": "x" * 1000}, {"transient": 7}, {"data": {"text/plain": {"a": 1}}, "metadata": {}}):
            for kind in ("display_data", "execute_input", "error", "clear_output", "unknown_kind"):
                say(kind, content)
        """,
    ),
    "a list as content": wire("sends a list as content", "say('stream', ['x'])"),
    "no execution count": wire("sends inputs without a count", "say('execute_input', {'code': 'x', 'execution_count': [1]})"),
    "nested output": wire(
        "sends a message nested beyond every stack",
        "deep = []\nfor _ in range(900):\n    deep = [deep]\nsay('display_data', {'data': {'text/plain': deep}, 'metadata': {}})",
    ),
    "wrong signature": wire(
        "signs messages with another key",
        "key, session.key = session.key, b'wrong'\nsay('stream', {'name': 'stdout', 'text': 'x'})\nsession.key = key",
    ),
    "huge message": wire(
        "sends more than can be received", "say('stream', {'name': 'stdout', 'text': 'x' * (40 << 20)})"
    ),
    "many lists": wire(
        "sends a message that takes much more memory than bytes",
        "say('display_data', {'data': {'text/plain': [[]] * (1 << 20)}, 'metadata': {}})",
    ),
    "empty messages": wire(
        "sends messages that hold nothing, without end",
        "start = time.monotonic()\nwhile time.monotonic() < start + 2:\n    say('stream', {'name': 'stdout', 'text': ''})",
    ),
    "growing displays": wire(
        "lets many small displays grow to be large",
        """
        for number in range(12):
            transient = {"display_id": f"d{number}"}
            say("display_data", {"data": {"text/plain": "x"}, "metadata": {}, "transient": transient})
            say("update_display_data", {"data": {"text/plain": "y" * (3 << 20)}, "metadata": {}, "transient": transient})
        """,
    ),
    "cleared displays": wire(
        "changes displays that are cleared, and of other cells",
        """
        for number in range(50):
            transient = {"display_id": "same"}
            say("display_data", {"data": {"text/plain": "x"}, "metadata": {}, "transient": transient}, later(number % 3))
            say("clear_output", {"wait": bool(number % 2)})
            say("update_display_data", {"data": {"text/plain": "y"}, "metadata": {}, "transient": transient})
        """,
    ),
    "widgets": wire(
        "opens widgets without end",
        """
        for number in range(1000):
            say("comm_open", {"comm_id": str(number), "target_name": "jupyter.widget", "data": {"state": {"x": "y" * 1000}}})
        say("comm_msg", {})
        """,
    ),
    "asks the grader": wire(
        "asks the grader for an input",
        """
        for name in ("stdin_socket",):
            session.send(getattr(kernel, name), "input_request", {"prompt": "password?", "password": True}, parent)
        """,
    ),
    "no heartbeat": wire(
        "ends the threads of its channels", "app = kernel.parent\napp.heartbeat.socket.close(linger=0)"
    ),
    "own sockets": silent_cell(
        "puts links in the place of its sockets",
        """
        import ipykernel.connect, os
        wires = os.path.dirname(ipykernel.connect.get_connection_file())
        for name in os.listdir(wires):
            os.unlink(os.path.join(wires, name))
            os.symlink(os.environ["VITRINA_EXAMINER"], os.path.join(wires, name))
        """,
        alarm="what it sent was no message",  # of the grader's own client, if it connects once more
        perhaps=True,
    ),
    "pages": cell(
        "puts scripts into every kind of output",
        """
        from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display
        evil = "<img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)></svg><iframe srcdoc='alert(4)'>"
        for kind in (HTML, Latex, Markdown, Javascript):
            display(kind(evil))
        kinds = ["text/html", "text/latex", "text/markdown", "image/svg+xml", "application/javascript", "text/plain",
                 "image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json", "application/pdf"]
        display({kind: 'x"' + evil for kind in kinds}, raw=True)
        display({"text/html": "<a href='java\\tscript:alert(5)'>x</a><form action=//x><input autofocus onfocus=alert(6)>"}, raw=True)
        display(Latex("$\\\\href{javascript:alert(7)}{x}$ $\\\\require{html}\\\\class{x}{y}$"))
        raise ValueError(evil)
        """,
    ),
    "terminals": cell(
        "writes to the terminal of whoever looks at it",
        r"print('\x1b[2J\x1b]0;owned\x07\x1b]8;;http://x\x07link\x1b]8;;\x07 \u202eslarutan \u2066 \x9b31m [red]x[/red]')",
    ),
}  # fmt: skip

KERNEL: dict[str, Attack] = {**KIT, **CHANNELS}
