"""Hostile kernels: whatever they send, the examiner goes on, and no point is earned that was not answered for."""

import contextlib
import logging
import socket
import struct
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.judging import Case, Reply, judge
from vitrina.protocol import MAX_ARRAY_BYTES, ProtocolError, receive, send
from vitrina_autograder import exam as exam_module
from vitrina_autograder.exam import Exam, Questioner, read_reply
from vitrina_autograder.exercise import Draw, DrawnQuiz, Exercise, Question, exam_seed, exam_seeds
from vitrina_autograder.verdicts import verdict_from_data, verdict_to_data

SECRET = b"secret"


def draw(generator):
    return [Draw(f"case {number}", (generator.standard_normal((2, 3)),)) for number in range(4)]


def exercise(name, reference=lambda x: 2 * x):
    return Exercise(id=name, title=f"Title of {name}", formula="", competences=[], reference=reference, draw=draw)


def broken(_x):
    raise RuntimeError("our own bug")


@pytest.fixture
def place(monkeypatch):
    monkeypatch.setattr(exam_module, "_ANSWER_SECONDS", 0.2)
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        yield Path(folder) / "examiner"


@pytest.fixture
def exam(place):
    exercises = {"double": exercise("double"), "other": exercise("other"), "broken": exercise("broken", broken)}
    exam = Exam(exercises, "ana", exam_seeds(SECRET, "ana", exercises), place)
    yield exam
    exam.close()


@contextlib.contextmanager
def dialled(place):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(place))
        yield connection


def reply(value, **fields):
    return {"status": "answered", "value": value, "error": "", "mutated": [], **fields}


def sit(place, answers, name="double"):
    """Answer the cases one after the other, each by a message made from its input; give the closing note."""
    with dialled(place) as connection:
        send(connection, {"exercise": name})
        for answer in answers:
            send(connection, answer(receive(connection)["arguments"]["x"]))
        return receive(connection).get("note")


def right(x):
    return reply(2 * x)


def test_a_verdict_keeps_the_name_for_which_something_was_drawn(place):
    quiz = DrawnQuiz(
        id="own",
        title="Own",
        formula="",
        competences=[],
        named="drawn for",
        ask=lambda _name: [Question("shape", ("round", "square"), "square")],
    )
    exam = Exam({"own": quiz}, "ana", exam_seeds(SECRET, "ana", ["own"]), place)
    exam.enter_cell("own", 2.0)
    with dialled(place) as connection:
        send(connection, {"exercise": "own"})
        for answer in ("Ada\x1b Lovelace", "square"):
            receive(connection)
            send(connection, reply(answer))
        receive(connection)
    verdict = exam.leave_cell()
    exam.close()
    assert verdict.points == 2
    assert verdict.drawn_for == "Ada\ufffd Lovelace"
    assert verdict_from_data(verdict_to_data(verdict)) == verdict


def statuses(verdict):
    return [outcome.status for outcome in verdict.outcomes]


def test_right_answers_earn_all_points(exam, place):
    exam.enter_cell("double", 8.0)
    assert sit(place, [right] * 4) == "sent to the examiner"
    verdict = exam.leave_cell()
    assert (verdict.exercise, verdict.title, verdict.points) == ("double", "Title of double", 8.0)


def test_a_regrade_asks_the_same_and_another_student_is_asked_otherwise(place):
    asked = {}
    for attempt, (student, secret) in enumerate([("ana", SECRET), ("ana", SECRET), ("ben", SECRET), ("ana", b"other")]):
        address = place.with_name(str(attempt))
        exam = Exam({"double": exercise("double")}, student, exam_seeds(secret, student, ["double"]), address)
        seen = asked.setdefault(attempt, [])
        exam.enter_cell("double", 1.0)
        sit(address, [lambda x, seen=seen: seen.append(x) or right(x)] * 4)
        exam.close()
    np.testing.assert_array_equal(asked[0], asked[1])
    np.testing.assert_array_equal(
        asked[0][0], exercise("double").cases(exam_seed(SECRET, "ana", "double"))[0].arguments["x"]
    )
    for other in (2, 3):
        assert not np.any(np.isclose(asked[0], asked[other]))


FORGED = [
    {"status": "passed", "value": None},
    {"status": "passed", "points": 8.0, "verdict": {"points": 8.0}},
    {"verdict": {"exercise": "double", "points": 8.0, "outcomes": []}},
    {"status": "recorded", "value": "anything"},
    {"status": ["answered"]},
    {"status": {"answered": 1}},
    {"status": np.array([1.0, 2.0])},
    {"status": np.array(True), "value": np.zeros(3)},
    {"status": None},
    {"status": "answered", "value": None},
    {"status": "answered", "value": [[1, 2], [3, 4]]},
    {"status": "answered", "value": {"a": np.zeros(2)}},
    {"status": "answered", "value": True},
    {"status": "answered", "value": np.full((2, 3), np.nan)},
    {"status": "answered", "value": np.full((2, 3), np.inf, "g")},
    {"status": "answered", "value": np.zeros((2, 3), "?")},
    {"status": "answered", "value": np.zeros((0, 3))},
    {"status": "answered", "value": np.zeros((1,) * 64)},
    {"status": "answered", "value": np.zeros((2, 3)), "mutated": "x"},
    {"status": "answered", "value": np.zeros((2, 3)), "mutated": [np.zeros(2), {"a": 1}] * 99},
    {"status": "raised", "error": {"deep": ["x" * 10_000]}},
    {"status": "raised", "error": "\ud800<script>"},
    {"status": "timed out", "value": np.zeros((2, 3))},
    {"status": "unreadable", "error": None},
    {"ask": True},
    {},
]


@pytest.mark.parametrize("forged", FORGED, ids=range(len(FORGED)))
def test_a_forged_reply_earns_nothing(exam, place, forged, caplog):
    exam.enter_cell("double", 8.0)
    with caplog.at_level(logging.INFO), contextlib.suppress(ProtocolError, OSError, KeyError):
        sit(place, [lambda _x: forged] * 4)
    verdict = exam.leave_cell()
    assert verdict.points == 0.0
    assert set(statuses(verdict)) == {"failed"}
    for outcome in verdict.outcomes:
        assert len(outcome.message) < 1200
        outcome.message.encode("utf-8")
    assert "the examiner failed" not in caplog.text


def test_one_right_answer_is_not_worth_more_by_being_replayed(exam, place):
    first = []
    exam.enter_cell("double", 8.0)
    sit(place, [lambda x: first.append(right(x)) or first[0]] * 4)
    assert statuses(exam.leave_cell()) == ["passed", "failed", "failed", "failed"]


def test_answers_sent_before_the_question_are_still_judged_in_order(exam, place):
    exam.enter_cell("double", 8.0)
    with dialled(place) as connection:
        send(connection, {"exercise": "double"})
        with contextlib.suppress(ProtocolError, OSError):
            for _case in range(6):
                send(connection, reply(np.ones((2, 3))))
            while True:
                receive(connection)
    assert exam.leave_cell().points == 0.0


def frame(data):
    return struct.pack(">Q", len(data)) + data


def npy_frame(descr, shape, body):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return frame(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body)


ANSWER = b'{"arrays": 1, "message": {"status": "answered", "value": {"$array": 0}, "error": "", "mutated": []}}'
GARBAGE = {
    "noise": b"nonsense" * 9,
    "huge frame": struct.pack(">Q", 1 << 62) + b"x" * 100,
    "huge array": frame(ANSWER) + struct.pack(">Q", MAX_ARRAY_BYTES * 2),
    "many arrays": frame(b'{"arrays": 100000, "message": {}}'),
    "not JSON": frame(b"\xff{"),
    "deep JSON": frame(b"[" * 100_000),
    "a list": frame(b"[]"),
    "a long name": frame(b'{"arrays": 0, "message": {"$array": "' + b"x" * 500_000 + b'"}}'),
    "an object array": frame(ANSWER) + npy_frame("|O", (1,), b"\x80\x04N."),
    "65 axes": frame(ANSWER) + npy_frame("<f8", (1,) * 65, bytes(8)),
    "an endless empty axis": frame(ANSWER) + npy_frame("<f8", (0, 10**30), b""),
    "a true axis": frame(ANSWER) + npy_frame("<f8", (True,), bytes(8)),
    "a lying header": frame(ANSWER) + npy_frame("<f8", (10**12,), bytes(8)),
    "half a frame": struct.pack(">Q", 100) + b"{",
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("after", [0, 2])
def test_garbage_keeps_the_earlier_points_and_the_examiner_alive(exam, place, name, after, caplog):
    exam.enter_cell("double", 8.0)
    tracemalloc.start()
    with caplog.at_level(logging.INFO), dialled(place) as connection:
        send(connection, {"exercise": "double"})
        for _case in range(after):
            send(connection, right(receive(connection)["arguments"]["x"]))
        receive(connection)
        with contextlib.suppress(ProtocolError, OSError):
            connection.sendall(GARBAGE[name])
            receive(connection)
        verdict = exam.leave_cell()
    assert tracemalloc.get_traced_memory()[1] < MAX_ARRAY_BYTES
    tracemalloc.stop()
    assert statuses(verdict) == ["passed"] * after + ["failed"] * (4 - after)
    assert verdict.points == 2.0 * after
    assert all(len(outcome.message) < 400 for outcome in verdict.outcomes)
    assert "the examiner failed" not in caplog.text
    _still_works(exam, place)


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_instead_of_a_greeting_costs_only_itself(exam, place, name):
    exam.enter_cell("double", 8.0)
    with dialled(place) as connection, contextlib.suppress(ProtocolError, OSError):
        connection.sendall(GARBAGE[name])
        receive(connection)
    assert exam.leave_cell() is None
    _still_works(exam, place)


def _still_works(exam, place):
    exam.enter_cell("other", 4.0)
    assert sit(place, [right] * 4, "other") == "sent to the examiner"
    assert exam.leave_cell().points == 4.0


def test_a_kernel_that_hangs_up_keeps_its_points(exam, place):
    exam.enter_cell("double", 8.0)
    with dialled(place) as connection:
        send(connection, {"exercise": "double"})
        for _case in range(3):
            send(connection, right(receive(connection)["arguments"]["x"]))
    verdict = exam.leave_cell()
    assert verdict.points == 6.0
    assert "no answer" in verdict.outcomes[3].message
    _still_works(exam, place)


def test_a_silent_kernel_is_given_up(exam, place):
    exam.enter_cell("double", 8.0)
    with dialled(place) as connection:
        send(connection, {"exercise": "double"})
        send(connection, right(receive(connection)["arguments"]["x"]))
        receive(connection)
        assert receive(connection)["note"] == "sent to the examiner"
    verdict = exam.leave_cell()
    assert verdict.points == 2.0
    assert verdict.outcomes[1].message == "no answer in time"


def test_a_kernel_that_sends_without_end_is_cut_off_when_its_cell_ends(exam, place):
    stop = threading.Event()

    def pour(connection):
        with contextlib.suppress(OSError):
            connection.sendall(frame(ANSWER) + struct.pack(">Q", MAX_ARRAY_BYTES))
            while not stop.wait(0.01):
                connection.sendall(b"x")

    exam.enter_cell("double", 8.0)
    with dialled(place) as connection:
        send(connection, {"exercise": "double"})
        receive(connection)
        thread = threading.Thread(target=pour, args=(connection,))
        thread.start()
        time.sleep(0.4)  # longer than one answer may take, byte by byte
        start = time.monotonic()
        verdict = exam.leave_cell()
        assert time.monotonic() - start < 20
        stop.set()
        thread.join()
    assert verdict.points == 0.0
    _still_works(exam, place)


@pytest.mark.parametrize("name", ["other", "", "double ", "../double", None, ["double"], {"double": 1}, "x" * 100_000])
def test_only_the_exercise_of_the_running_cell_is_examined(exam, place, name):
    exam.enter_cell("double", 8.0)
    assert "not scored here" in sit(place, [], name)
    assert exam.leave_cell() is None


def test_no_exercise_is_examined_between_cells_or_twice(exam, place):
    assert "not scored here" in sit(place, [])
    exam.enter_cell("double", 8.0)
    sit(place, [lambda x: reply(x)] * 4)
    assert "not scored here" in sit(place, [])
    assert exam.leave_cell().points == 0.0
    assert "not scored here" in sit(place, [])
    exam.enter_cell("double", 8.0)
    assert "not scored here" in sit(place, [])
    assert exam.leave_cell().points == 0.0


def test_an_exercise_that_is_forgotten_is_examined_once_more_with_the_same_cases(exam, place):
    asked = []

    def wrong(x):
        asked.append(x)
        return reply(x)

    exam.enter_cell("double", 8.0)
    sit(place, [wrong] * 4)
    assert exam.leave_cell().points == 0
    exam.forget("double")
    exam.enter_cell("double", 8.0)
    sit(place, [lambda x: asked.append(x) or right(x)] * 4)
    assert exam.leave_cell().points == 8
    assert np.array_equal(asked[:4], asked[4:])
    assert exam.alarms.take() == []


def test_a_connection_kept_open_scores_nothing_in_a_later_cell(exam, place):
    exam.enter_cell("other", 8.0)
    with dialled(place) as connection:
        send(connection, {"exercise": "other"})
        receive(connection)
        exam.leave_cell()
        exam.enter_cell("double", 8.0)
        with contextlib.suppress(OSError):
            send(connection, {"exercise": "double"})
        with pytest.raises((ProtocolError, OSError)):
            receive(connection)
        assert exam.leave_cell() is None


def test_an_exercise_nobody_declared_is_named(exam, place):
    exam.enter_cell("unknown", 8.0)
    sit(place, [], "unknown")
    verdict = exam.leave_cell()
    assert verdict.points == 0.0
    assert "declares no such exercise" in verdict.note


def test_our_own_failure_is_owned(exam, place, caplog):
    exam.enter_cell("broken", 8.0)
    sit(place, [], "broken")
    verdict = exam.leave_cell()
    assert "the examiner itself failed" in verdict.note
    assert "no fault of yours" in verdict.note
    assert "our own bug" in caplog.text
    _still_works(exam, place)


def test_the_socket_is_open_to_the_kernels_user_and_closed_at_the_end(place):
    exam = Exam({}, "ana", {}, place)
    assert place.stat().st_mode & 0o777 == 0o600
    exam.close()
    exam.close()
    with pytest.raises(OSError, match="refused"), dialled(place):
        pass


SCRAPS = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["answered", "raised", "timed out"]),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.text(max_size=4), items, max_size=3),
    max_leaves=5,
) | st.builds(np.full, st.integers(0, 3), st.floats())


@given(st.dictionaries(st.sampled_from(["status", "value", "error", "mutated", "points"]), SCRAPS))
def test_every_message_makes_a_reply_that_can_be_judged(message):
    reply = read_reply(message)
    assert isinstance(reply, Reply)
    outcome = judge(Case("c", expected=np.full(4, 0.5)), reply, reveal=False)
    assert outcome.status in ("failed", "unanswered")


def test_a_case_cannot_be_told_as_the_name_of_what_was_changed(exam, place):
    exam.enter_cell("double", 8.0)
    sit(place, [lambda x: reply(2 * x, mutated=["x", *map(str, x.ravel().tolist())])] * 4)
    verdict = exam.leave_cell()
    assert verdict.outcomes[0].message == "your function changes its input `x, ?, ?, ?, ?, ?, ?`"
    assert any("form that `check` never sends" in alarm for alarm in exam.alarms.take())


@pytest.mark.parametrize("status", ["raised", "timed out", "unreadable"])
@pytest.mark.parametrize("error", ["", " \n\t", None, 3])
def test_no_point_is_lost_without_a_word(status, error):
    outcome = judge(Case("c", expected=np.ones(3)), read_reply({"status": status, "error": error}), reveal=False)
    assert (outcome.status, outcome.message) == ("failed", "the answer cannot be read")


def test_a_lost_kernel_is_not_asked_again():
    alarms = []
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        questioner = Questioner(ours, alarms.append)
        replies = [questioner(Case("c", {"x": np.zeros(2)})) for _case in range(2)]
    assert replies[0] == replies[1]
    assert replies[0].status == "raised"
    assert alarms == []


class TestAlarms:
    """What only a tamperer does raises an alarm; what an honest student may do raises none."""

    def test_honest_work_raises_none(self, exam, place):
        sit(place, [])
        sit(place, [], "nothing")
        exam.enter_cell("double", 8.0)
        sit(place, [right] * 4)
        exam.leave_cell()
        sit(place, [])
        exam.enter_cell("other", 8.0)
        with dialled(place) as connection:  # a kernel that dies while it is asked
            send(connection, {"exercise": "other"})
            receive(connection)
        exam.leave_cell()
        exam.enter_cell("broken", 8.0)
        exam.leave_cell()
        assert exam.alarms.take() == []

    @pytest.mark.parametrize(
        ("answers", "name", "said"),
        [
            ([lambda _x: {"status": "passed"}], "double", "form that `check` never sends"),
            ([lambda _x: reply(None, status=np.zeros(3))], "double", "form that `check` never sends"),
            ([lambda _x: reply([np.zeros(3)] * 50)], "double", "was no answer (50 arrays announced)"),
            ([lambda _x: reply([np.zeros(3)])], "double", "form that `check` never sends"),
            ([lambda x: reply(2 * x, points=3)], "double", "form that `check` never sends"),
            ([], "other", "asked for `other` while the cell of `double` ran"),
            ([], ["double"], "request that `check` never sends"),
        ],
    )
    def test_forgeries(self, exam, place, answers, name, said):
        exam.enter_cell("double", 8.0)
        with contextlib.suppress(ProtocolError, OSError, KeyError):
            sit(place, answers, name)
        exam.leave_cell()
        assert said in exam.alarms.take()[0]  # what of it was left unread may raise another
        assert exam.alarms.take() == []

    def test_a_second_request(self, exam, place):
        exam.enter_cell("double", 8.0)
        sit(place, [right] * 4)
        sit(place, [])
        exam.leave_cell()
        assert "besides the `check(...)`" in exam.alarms.take()[0]

    def test_answers_before_the_question(self, exam, place):
        exam.enter_cell("double", 8.0)
        with dialled(place) as connection:
            send(connection, {"exercise": "double"})
            with contextlib.suppress(ProtocolError, OSError):  # hung up on, perhaps before all is sent
                for _case in range(5):
                    send(connection, reply(np.ones((2, 3))))
                while True:
                    receive(connection)
        exam.leave_cell()
        assert "before they were asked for" in exam.alarms.take()[0]

    @pytest.mark.parametrize("name", GARBAGE)
    def test_garbage(self, exam, place, name):
        exam.enter_cell("double", 8.0)
        with dialled(place) as connection:
            send(connection, {"exercise": "double"})
            receive(connection)
            with contextlib.suppress(ProtocolError, OSError):
                connection.sendall(GARBAGE[name])
                connection.shutdown(socket.SHUT_WR)
                receive(connection)
        exam.leave_cell()
        assert bool(exam.alarms.take()) == (name != "half a frame")  # cut off, as an honest one may be

    def test_a_line_that_is_kept_open_is_cut_before_the_next_cell(self, exam, place):
        with dialled(place), dialled(place), dialled(place):
            start = time.monotonic()
            exam.enter_cell("double", 8.0)
            assert time.monotonic() - start < 20
            assert "kept a connection open" in exam.alarms.take()[0]
            assert sit(place, [right] * 4) == "sent to the examiner"
        assert exam.leave_cell().points == 8.0

    def test_a_teacher_is_told_no_more_than_can_be_read(self, exam, place):
        exam.enter_cell("double", 8.0)
        for number in range(30):
            sit(place, [], f"\u202e\x1b[2J{number}")
        exam.leave_cell()
        alarms = exam.alarms.take()
        assert len(alarms) == 10
        assert not any("\x1b" in alarm or "\u202e" in alarm for alarm in alarms)


def test_no_reply_makes_the_examiner_print_arrays():
    """Eighteen axes of length two: NumPy abbreviates none of them."""
    many = [np.zeros((2,) * 18)] * 50_000
    start = time.thread_time()
    assert read_reply({"status": "answered", "value": many}).status == "unreadable"
    assert read_reply({"status": "raised", "value": None, "error": many, "mutated": [many]}).mutated == ["?"]
    assert time.thread_time() - start < 30  # printed, they take hours
