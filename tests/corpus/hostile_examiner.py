"""Attacks on the examiner's socket: whatever is sent, no point is earned by it, and a teacher learns of it."""

from __future__ import annotations

from typing import Any

from corpus.hostile import Attack, cell, line

_FORM = "form that `check` never sends|request that `check` never sends"
_NO_ANSWER = "what it sent was no (answer|message)"
_REPR = "line.sendall(message(answer([ARRAY] * 50_000), npy(header((2,) * 18), bytes(8 << 18))))\nlisten(line)"


def answers(tries: str, data: str, **expected: Any) -> Attack:
    """Send bytes in the place of the first answer."""
    return line(tries, f"line = ask(exercise)\nline.sendall({data})\ntime.sleep(0.2)", **expected)


EXAMINER: dict[str, Attack] = {
    "forged reply": line(
        "says that it passed",
        "line = ask(exercise)\nfor _ in range(5):\n"
        "    line.sendall(message({'status': 'passed', 'points': 3, 'verdict': {'points': 3}}))\n    listen(line)",
        alarm=_FORM,
    ),
    "forged verdict": line(
        "sends a verdict with its request",
        "line = dial()\n"
        "line.sendall(message({'exercise': exercise, 'points': 3, 'outcomes': [{'status': 'passed'}]}))\nlisten(line)",
        alarm=_FORM,
    ),
    "executor's orders": line(
        "gives the examiner the orders that its executor gives",
        "for order in ({'do': 'leave'}, {'do': 'enter', 'exercise': exercise, 'points': 99}, {'student': 'right'}):\n"
        "    line = dial()\n    line.sendall(message(order))\n    print(listen(line))",
        alarm="request that `check` never sends",
    ),
    "status recorded": line(
        "uses the status that counts as passed",
        "line = ask(exercise)\nfor _ in range(5):\n    line.sendall(message(answer('yes', status='recorded')))\n"
        "    listen(line)",
        alarm=_FORM,
    ),
    "replayed answer": line(
        "sends one answer again and again, before it is asked",
        "line = ask(exercise)\nline.sendall(message(answer(ARRAY), ONES) * 6)\nlisten(line)\ntime.sleep(0.3)",
        alarm="before they were asked for",
    ),
    "answers at once": line(
        "does not wait for a question",
        "line = dial()\nline.sendall(message({'exercise': exercise}) + message(answer(ARRAY), ONES) * 20)\n"
        "time.sleep(0.3)\nlisten(line)",
        alarm="before they were asked for",
    ),
    "many frames": line(
        "floods the examiner with frames",
        "line = ask(exercise)\nfor _ in range(300):\n    line.sendall(message(answer(ARRAY), ONES))",
        alarm="before they were asked for",
    ),
    "endless length": answers(
        "announces more than there is memory",
        "struct.pack('>Q', 1 << 63) + b'x' * 1000",
        alarm=_NO_ANSWER,
        says="the limit is",
    ),
    "negative length": answers(
        "announces a negative length",
        "struct.pack('>q', -1)",
        alarm=_NO_ANSWER,
    ),
    "noise": line("sends noise", "line = dial()\nline.sendall(os.urandom(5000))\ntime.sleep(0.2)", alarm=_NO_ANSWER),
    "nested JSON": answers(
        "nests a frame beyond every stack",
        "frame(b'[' * 900_000)",
        alarm=_NO_ANSWER,
    ),
    "nested message": line(
        "nests a message just so deep that it can be read",
        "line = ask(exercise)\ndeep = 1\nfor _ in range(900):\n    deep = [deep]\nline.sendall(message(answer(deep)))\n"
        "time.sleep(0.2)",
        alarm=_NO_ANSWER,
    ),
    "endless number": answers(
        "sends a number of a million digits",
        "frame(b'{\"arrays\": ' + b'9' * 1_000_000 + b'}')",
        alarm=_NO_ANSWER,
    ),
    "array as text": line(
        "has the examiner print a large array 50,000 times", f"line = ask(exercise)\n{_REPR}", alarm=_FORM
    ),
    "array as error": line(
        "has it printed as the text of an error",
        "line = ask(exercise)\n"
        "line.sendall(message({'status': 'raised', 'value': None, 'error': [ARRAY] * 50_000, 'mutated': [ARRAY]},"
        " npy(header((2,) * 18), bytes(8 << 18))))\nlisten(line)",
        alarm=_FORM,
    ),
    "array of objects": line(
        "sends a pickle in an array",
        "line = ask(exercise)\nimport pickle\n"
        "class Evil:\n    def __reduce__(self): return os.system, ('touch @OUTSIDE@/pickled',)\n"
        "body = npy(header('(1,)', \"'|O'\"), pickle.dumps([Evil()]))\n"
        "line.sendall(message(answer(ARRAY), body))\ntime.sleep(0.2)",
        alarm=_NO_ANSWER,
    ),
    "huge shape": answers(
        "promises an array of exabytes",
        "message(answer(ARRAY), npy(header((1 << 60,)), bytes(8)))",
        alarm=_NO_ANSWER,
    ),
    "negative shape": answers(
        "sends an array with negative axes",
        "message(answer(ARRAY), npy(header((-1, -3)), bytes(24)))",
        alarm=_NO_ANSWER,
    ),
    "true shape": answers(
        "sends an array whose axis is `True`",
        "message(answer(ARRAY), npy(header((True,)), bytes(8)))",
        alarm=_NO_ANSWER,
    ),
    "empty shape": answers(
        "sends an empty array of endless width",
        "message(answer(ARRAY), npy(header((0, 10**40))))",
        alarm=_NO_ANSWER,
    ),
    "header as program": answers(
        "puts an expression into an array's header",
        "message(answer(ARRAY), npy('(' * 900))",
        alarm=_NO_ANSWER,
    ),
    "many arrays": line(
        "announces a million arrays",
        'line = ask(exercise)\nline.sendall(frame(b\'{"arrays": 1000000, "message": {}}\'))\ntime.sleep(0.2)',
        alarm=_NO_ANSWER,
    ),
    "model as answer": line(
        "answers with a model, so that the examiner builds it",
        "line = ask(exercise)\nline.sendall(message(answer({'$model': {'builder': 'eval', 'options': {}}})))\nlisten(line)",
        alarm=_FORM,
    ),
    "numbers that are none": line(
        "answers NaN, infinities and huge numbers",
        "line = ask(exercise)\nfor value in (np.nan, np.inf, -np.inf, 1e308):\n"
        "    line.sendall(message(answer(ARRAY), npy(header((3,)), np.full(3, value).tobytes())))\n    time.sleep(0.1)",
        alarm="",
    ),
    "ugly text": line(
        "writes to terminals and pages by its errors",
        "line = ask(exercise)\n"
        "ugly = '\\x1b[2J\\x1b]0;title\\x07\\u202eslarutan\\u2028<script>alert(1)</script>[red]{0}%s' * 5000\n"
        "for _ in range(4):\n"
        "    line.sendall(message({'status': 'raised', 'value': None, 'mutated': [], 'error': ugly}))\n"
        "    time.sleep(0.1)",
    ),
    "ugly names": answers(
        "names what it changed so that reports break",
        "message(answer(ARRAY, mutated=['<script>alert(2)</script>\\n\\x1b[31m' * 99] * 99), ONES)",
        alarm=_FORM,
    ),
    "ugly request": line(
        "asks for an exercise whose name is an attack",
        "for name in ('../../gradebook', '\\x1b[2J', '\\u202e', '<script>', 'x' * 500_000, '', None, 7, ['double']):\n"
        "    line = dial()\n    line.sendall(message({'exercise': name}))\n    listen(line)",
        alarm="while the cell of `double` ran",
    ),
    "other exercise": line(
        "asks for the quiz in the cell of another exercise",
        "line = dial()\nline.sendall(message({'exercise': 'double' if exercise == 'quiz' else 'quiz'}))\nlisten(line)",
        alarm="asked for `quiz` while the cell of `double` ran",
    ),
    "second try": line(
        "asks again when the first answers were wrong",
        "for attempt in ('yes', 'no', 'maybe'):\n    line = ask(exercise)\n    for _ in range(4):\n"
        "        line.sendall(message(answer('?')))\n        time.sleep(0.05)",
        alarm="besides the `check",
    ),
    "slow sender": line(
        "sends a byte now and then",
        "line = ask(exercise)\nline.sendall(struct.pack('>Q', 1000))\nfor _ in range(8):\n    line.sendall(b' ')\n"
        "    time.sleep(0.1)",
    ),
    "thousand connections": line(
        "opens a thousand connections",
        "lines = []\nfor _ in range(1000):\n    line = socket.socket(socket.AF_UNIX)\n    line.setblocking(False)\n"
        "    lines.append(line)\n    try:\n        line.connect(address)\n    except BlockingIOError:\n        pass\n"
        "keep.append(lines)",
        before="keep = []",
        alarm="kept a connection open",
    ),
    "descriptors": line(
        "hands its descriptors over to the examiner",
        "line = dial()\nrequest = message({'exercise': exercise})\n"
        "socket.send_fds(line, [request], [0, 1, 2, line.fileno()] * 10)\nlisten(line)",
    ),
    "half closed": line(
        "closes one direction only",
        "line = ask(exercise)\nline.shutdown(socket.SHUT_WR)\ntime.sleep(0.2)",
    ),
    "kept line": cell(
        "opens a line in a cell of its own and uses it when the graded cell runs",
        "import os, socket, builtins\nbuiltins.kept = socket.socket(socket.AF_UNIX)\n"
        "builtins.kept.connect(os.environ['VITRINA_EXAMINER'])",
        alarm="kept a connection open",
    ),
    "thread asks": line(
        "lets a thread ask while the graded cell waits",
        "time.sleep(0.6)",
        before="""
        def again():
            while True:
                try:
                    line = dial()
                    for name in ('double', 'square', 'quiz'):
                        line.sendall(message({'exercise': name, 'verdict': 'passed'}))
                        listen(line)
                except Exception:
                    time.sleep(0.05)
        threading.Thread(target=again, daemon=True).start()
        """,
        alarm="request that `check` never sends",
    ),
    "other process asks": line(
        "lets another process answer in its place",
        "time.sleep(1.2)",
        before="""
        import subprocess, sys
        script = '''
        import os, socket, struct, json, time
        while True:
            for name in ("double", "square", "quiz"):
                try:
                    line = socket.socket(socket.AF_UNIX)
                    line.settimeout(1)
                    line.connect(os.environ["VITRINA_EXAMINER"])
                    data = json.dumps({"arrays": 0, "message": {"exercise": name, "by": "survivor-4c1f"}}).encode()
                    line.sendall(struct.pack(">Q", len(data)) + data)
                    line.recv(100)
                except OSError:
                    time.sleep(0.05)
        '''
        import textwrap
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], start_new_session=True)
        """,
        alarm="request that `check` never sends",
    ),
    "own examiner": cell(
        "puts an examiner of its own in the place of ours",
        """
        import os, socket, threading
        for place in (os.environ["VITRINA_EXAMINER"], "own-examiner"):
            try:
                if os.path.exists(place):
                    os.unlink(place)
                server = socket.socket(socket.AF_UNIX)
                server.bind(place)
                if place != "own-examiner":
                    print(LOOT, "took the examiner's place")
            except OSError as error:
                print(error)
        os.environ["VITRINA_EXAMINER"] = "own-examiner"
        """,
        says="no answer reached the examiner",
    ),
    "no examiner": cell(
        "practises instead of being graded",
        "import os\ndel os.environ['VITRINA_EXAMINER']",
        says="no answer reached the examiner",
    ),
}
