"""A student's function may do what it likes: the caller gets a reply, within its time, and its streams back."""

import _thread
import linecache
import signal
import sys
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

from vitrina import calling
from vitrina.calling import TimedOutError, explain, limited
from vitrina.judging import Reply
from vitrina.protocol import MAX_ARRAY_BYTES

X = {"x": np.array([1.0, 2.0])}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(calling, "_POLL_SECONDS", 0.02)


@pytest.fixture(autouse=True)
def quiet(capfd):
    """Nothing a student's function prints gets past the caller."""
    yield
    assert capfd.readouterr() == ("", "")


def ask(answer, arguments, **options):
    """As in the module, and the streams are put back whatever happens."""
    streams = sys.stdout, sys.stderr
    try:
        return calling.ask(answer, arguments, **options)
    finally:
        assert (sys.stdout, sys.stderr) == streams


def from_cell(source: str, name: str = "f"):
    """Compile a function as a notebook cell does."""
    filename = "/tmp/ipykernel_4711/123456789.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = {}
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def test_what_a_function_prints_is_kept():
    def f(x):
        print("hello", x.shape)
        print("warned", file=sys.stderr)
        return x

    call = ask(f, X)
    assert call.reply.status == "answered"
    assert call.printed == "hello (2,)\nwarned\n"


def test_a_progress_bar_is_kept_as_it_was_left():
    def f(x):
        print("\r\x1b[1m1/2\x1b[0m ━━━ 3s/step" + "\b" * 14 + "\r\x1b[1m2/2\x1b[0m ━━━ 1s/step" + "\b" * 14)
        print("done")
        return x

    assert ask(f, X).printed == "2/2 ━━━ 1s/step\ndone\n"


def test_tensorflow_s_own_names_for_the_place_are_left_out():
    error = tf.errors.InvalidArgumentError(None, None, "{{function_node __wrapped__RealDiv}} Bad. [Op:RealDiv] name:")
    assert explain(error) == "your function stopped with InvalidArgumentError: Bad."


def test_what_is_printed_before_an_error_is_kept_and_cut():
    def f(_x):
        print("y" * 10_000)
        raise ValueError

    call = ask(f, X)
    assert call.printed == "y" * 2000
    assert "ValueError" in call.reply.error


def test_a_function_that_ruins_its_streams_gets_a_reply():
    def close(x):
        sys.stdout.close()
        return x

    def replace(x):
        sys.stdout = sys.stderr = None
        return x

    def surrogate(x):
        print("\ud800")
        return x

    for f in (close, replace, surrogate):
        call = ask(f, X)
        assert call.reply.status == "answered"
        call.printed.encode("utf-8")


def test_an_error_names_the_students_own_line():
    f = from_cell("import numpy as np\n\ndef f(x):\n    y = x + 1\n    return np.reshape(y, (5, 5))\n")
    reply = ask(f, X).reply
    assert reply.status == "raised"
    assert "ValueError: cannot reshape" in reply.error
    assert "line 5: `return np.reshape(y, (5, 5))`" in reply.error
    assert "site-packages" not in reply.error
    assert "Traceback" not in reply.error


def test_an_error_without_a_line_of_theirs_is_still_named():
    reply = ask(lambda x: x["key"], X).reply
    assert reply.error.startswith("your function stopped with IndexError: ")
    assert "line" not in reply.error


def test_a_long_error_is_cut():
    f = from_cell("def f(x):\n    raise ValueError('z' * 10_000)" + " # " + "c" * 1000 + "\n")
    error = ask(f, X).reply.error
    assert len(error) < 700
    assert error.endswith("ccc…`)")


class HostileError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Weird(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (SystemExit(0), "SystemExit"),
        (GeneratorExit(), "GeneratorExit"),
        (StopIteration(), "StopIteration"),
        (Weird("own"), "Weird: own"),
        (HostileError(), "HostileError"),
        (MemoryError(), "MemoryError"),
        (RecursionError("deep"), "RecursionError"),
        (ValueError("\ud800"), "ValueError: ?"),
        (Warning("w"), "Warning: w"),
    ],
)
def test_whatever_is_raised_is_a_reply(error, name):
    def f(_x):
        raise error

    reply = ask(f, X).reply
    assert reply.status == "raised"
    assert name in reply.error
    reply.error.encode("utf-8")


def test_exit_and_endless_recursion_are_replies():
    def recursive(x):
        return recursive(x)

    assert "SystemExit" in ask(lambda _x: sys.exit(), X).reply.error
    assert "RecursionError" in ask(recursive, X).reply.error


def test_an_error_of_two_words_is_explained():
    assert explain(KeyError("a")) == "your function stopped with KeyError: 'a'"
    assert explain(ValueError()) == "your function stopped with ValueError"


def test_a_function_that_is_not_written_yet_is_unanswered():
    def f(x):
        raise NotImplementedError

    assert ask(f, X).reply.status == "unanswered"
    assert ask(lambda x: f(x), X).reply.status == "unanswered"
    for blank in (None, ..., "", {}, {"other": "a"}):
        assert ask(blank, {"question": "q"}).reply.status == "unanswered"


@pytest.mark.parametrize("value", [None, ...])
def test_a_missing_return_is_named(value):
    reply = ask(lambda _x: value, X).reply
    assert reply.status == "unreadable"
    assert "return" in reply.error


def test_an_empty_text_is_text_and_no_missing_return():
    assert ask(lambda _x: "", X).reply == Reply("answered", "")


def test_parts_of_different_shapes_are_named():
    assert "are some of another shape" in ask(lambda _x: (np.eye(2), np.ones(3)), X).reply.error
    assert "shapes" not in ask(lambda _x: {1, 2}, X).reply.error


def test_a_dictionary_with_other_keys_is_not_unanswered_without_a_word():
    asked = {"question": "table"}
    assert ask({"name": "Ada", "rows": [[0, 0]]}, asked).reply.error == "the key `table` is missing in your dictionary"
    for begun in ({}, {"name": "Ada"}, {"name": "Ada", "rows": ...}, {"table": None, "name": "Ada", "rows": [1]}):
        assert ask(begun, asked).reply == Reply("unanswered")


@pytest.mark.parametrize("answer", [[1, 2], np.eye(2), "Moore", 3])
def test_what_is_no_dictionary_is_named_where_one_is_asked(answer):
    reply = ask(answer, {"question": "table"}).reply
    assert reply.status == "raised"
    assert "a dictionary is expected" in reply.error


class Unconvertible:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no")


class Tensor:
    """As TensorFlow's and PyTorch's tensors do."""

    def __array__(self, dtype=None, copy=None):
        return np.arange(3, dtype="f4")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"a": 1}, "dict"),
        ((i for i in range(3)), "generator"),
        ([[1, 2], [3]], "list"),
        ([1, None], "list"),
        (object(), "object"),
        (print, "builtin_function_or_method"),
        (Unconvertible(), "Unconvertible"),
        (1 + 2j, "complex"),
        (b"bytes", "bytes"),
        (10**30, "int"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_of_numbers_is_named(value, kind):
    reply = ask(lambda _x: value, X).reply
    assert reply.status == "unreadable"
    assert f"your function returned {kind};" in reply.error


@pytest.mark.parametrize("value", [np.array(["a"]), np.array([{}]), np.array([1j])], ids=lambda value: str(value.dtype))
def test_an_array_of_no_real_numbers_is_named(value):
    reply = ask(lambda _x: value, X).reply
    assert reply.status == "unreadable"
    assert reply.error == f"your function returned an array of {value.dtype}; real numbers are expected"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2], np.array([1, 2])),
        (((1.5, 2), (3, 4)), np.array([[1.5, 2], [3, 4]])),
        (3, np.array(3)),
        (True, np.array(True)),
        (np.float32(1.5), np.array(1.5, "f4")),
        (np.array([1], ">f4"), np.array([1], "f4")),
        (np.array([1], "f2"), np.array([1.0])),
        (np.array([1], "g"), np.array([1.0])),
        (np.array([np.nan]), np.array([np.nan])),
        (np.ma.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (Tensor(), np.arange(3, dtype="f4")),
        ([Tensor(), Tensor()], np.tile(np.arange(3, dtype="f4"), (2, 1))),
        ([], np.zeros(0)),
    ],
    ids=range(13),
)
def test_what_is_like_an_array_becomes_one(value, expected):
    reply = ask(lambda _x: value, X).reply
    assert reply.status == "answered"
    assert type(reply.value) is np.ndarray
    assert reply.value.dtype == expected.dtype
    np.testing.assert_array_equal(reply.value, expected)


@pytest.mark.parametrize("dtype", ["f8", "f2"])
def test_a_huge_array_is_refused_without_being_copied(dtype):
    largest = MAX_ARRAY_BYTES // 8
    assert ask(lambda _x: np.broadcast_to(np.zeros((), dtype), largest), X).reply.status == "answered"
    for size in (largest + 1, 10**15):
        reply = ask(lambda _x, size=size: np.broadcast_to(np.zeros((), dtype), size), X).reply
        assert reply.status == "unreadable"
        assert f"{size} values" in reply.error


def test_a_string_is_an_answer_and_a_mapping_is_looked_up():
    assert ask("zB", {}).reply.value == "zB"
    assert ask({"q": "zB"}, {"question": "q"}).reply.value == "zB"
    assert len(ask(lambda _x: "a" * 9999, X).reply.value) == 1000
    np.testing.assert_array_equal(ask([1, 2], {}).reply.value, [1, 2])


def test_a_changed_input_is_noticed_and_the_case_keeps_its_own():
    original = np.array([1.0, np.nan, 3.0])
    arguments = {"x": original, "y": np.zeros(2), "n": 3}

    def f(x, *_rest):
        x *= 2
        return x

    reply = ask(f, arguments).reply
    assert reply.mutated == ["x"]
    np.testing.assert_array_equal(original, [1.0, np.nan, 3.0])
    assert ask(lambda x, *_rest: x * 2, arguments).reply.mutated == ()


def test_a_changed_list_is_noticed_and_the_case_keeps_its_own():
    class Rude:
        def __eq__(self, other):
            raise RuntimeError("do not compare me")

        __hash__ = None

    coalition = [0, 2]
    changes = [lambda c: c.append(1), lambda c: c.clear(), lambda c: c.reverse(), lambda c: c.__setitem__(0, Rude())]
    for change in changes:
        assert ask(lambda c, change=change: change(c) or 1.0, {"coalition": coalition}).reply.mutated == ["coalition"]
    assert ask(lambda c: len([*c, 1]), {"coalition": coalition}).reply.mutated == ()
    assert coalition == [0, 2]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_input_that_was_made_something_else_is_noticed():
    def reshape(x):
        x.shape = (2, 1)
        return 1

    def retype(x):
        x.dtype = "S8"
        return 1

    def resize(x):
        x.resize(5, refcheck=False)
        return 1

    for f in (reshape, retype, resize):
        assert ask(f, X).reply.mutated == ["x"]


def spin(_x):
    while True:
        pass


def spin_deaf(x):
    """Swallow the first interrupts, as a bare `except:` in a loop does."""
    for _attempt in range(3):
        try:
            spin(x)
        except:  # noqa: E722
            x = x + 1
    spin(x)


def test_an_endless_loop_is_interrupted_by_its_cpu_time(monkeypatch):
    monkeypatch.setattr(calling, "_PATIENCE", 1000.0)
    start = time.monotonic()
    reply = ask(spin, X, seconds=0.2).reply
    assert reply.status == "timed out"
    assert "loop" in reply.error
    assert 0.15 < time.monotonic() - start < 60


def test_a_loop_that_catches_everything_is_interrupted_again_and_again():
    assert ask(spin_deaf, X, seconds=0.1).reply.status == "timed out"


def test_sleeping_costs_patience_and_not_cpu(monkeypatch):
    monkeypatch.setattr(calling, "_PATIENCE", 3.0)

    def nap(seconds):
        def f(x):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(0.01)
            return x

        return f

    assert ask(nap(0.3), X, seconds=0.2).reply.status == "answered"
    assert ask(nap(30), X, seconds=0.2).reply.status == "timed out"


def test_an_endless_conversion_is_interrupted():
    class Slow:
        def __array__(self, dtype=None, copy=None):
            spin(None)

    assert ask(lambda _x: Slow(), X, seconds=0.1).reply.status == "timed out"


def test_the_next_call_after_a_timeout_is_unharmed():
    ask(spin, X, seconds=0.1)
    for _attempt in range(3):
        assert ask(lambda x: x, X, seconds=0.1).reply.status == "answered"
        time.sleep(0.05)


@pytest.fixture
def eager():
    """The watcher and the call take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager")
def test_a_call_that_ends_just_as_its_time_does_is_never_interrupted_afterwards(monkeypatch):
    """The watcher decides to interrupt while the call returns: the call may time out, but nothing comes later."""
    monkeypatch.setattr(calling, "_POLL_SECONDS", 0)
    seen = set()
    try:
        for attempt in range(600):
            end = time.perf_counter() + 0.0015 + attempt % 10 * 1e-4

            def f(x, end=end):
                while time.perf_counter() < end:
                    pass
                return x

            seen.add(ask(f, X, seconds=0.0015).reply.status)
            time.sleep(0.0005)
    except KeyboardInterrupt:
        pytest.fail("an interrupt came after the call")
    assert seen <= {"answered", "timed out"}


@pytest.mark.usefixtures("eager")
def test_a_block_that_ends_just_as_its_time_does_is_never_interrupted_afterwards(monkeypatch):
    monkeypatch.setattr(calling, "_POLL_SECONDS", 0)
    before, ended = signal.getsignal(signal.SIGINT), []
    try:
        for attempt in range(600):
            end = time.perf_counter() + 0.0015 + attempt % 10 * 1e-4
            try:
                with limited(0.0015):
                    while time.perf_counter() < end:
                        pass
                ended.append("in time")
            except TimedOutError:
                ended.append("stopped")
            assert signal.getsignal(signal.SIGINT) is before
            time.sleep(0.0005)
    except KeyboardInterrupt:
        pytest.fail("an interrupt came after the block")
    assert set(ended) <= {"in time", "stopped"}


def test_an_interrupt_that_was_sent_in_time_and_comes_too_late_is_dropped(monkeypatch):
    late = []
    monkeypatch.setattr(calling._thread, "interrupt_main", lambda: late.append(signal.getsignal(signal.SIGINT)))

    def wait_for_it(x):
        while not late:
            time.sleep(0.001)
        return x

    before = signal.getsignal(signal.SIGINT)
    assert ask(wait_for_it, X, seconds=0.001).reply.status == "answered"
    assert signal.getsignal(signal.SIGINT) is before
    sent = len(late)
    late[0](signal.SIGINT, None)  # would raise if it were still meant
    time.sleep(0.1)
    assert len(late) == sent


def test_in_another_thread_a_call_has_no_limit_and_interrupts_nobody():
    replies = []
    pause = threading.Thread(target=lambda: replies.append(ask(lambda x: time.sleep(0.3) or x, X, seconds=0.01).reply))
    pause.start()
    pause.join()
    assert replies[0].status == "answered"


def test_the_users_own_interrupt_passes_through():
    def f(x):
        threading.Timer(0.05, _thread.interrupt_main).start()
        spin(x)

    with pytest.raises(KeyboardInterrupt):
        ask(f, X, seconds=60)


def test_no_watcher_is_left_behind():
    before = threading.active_count()
    for _attempt in range(5):
        ask(lambda x: x, X)
    time.sleep(0.1)
    assert threading.active_count() <= before


@pytest.mark.parametrize("answer", [np.zeros(3), 1.5, "text", [1, 2]], ids=lambda answer: type(answer).__name__)
def test_the_result_of_a_function_in_its_place_is_named(answer):
    reply = ask(answer, X).reply
    assert reply.status == "raised"
    assert "without brackets" in reply.error
    assert type(answer).__name__ in reply.error
