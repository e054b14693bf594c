"""Whatever a peer sends, the reader gets a message or a `ProtocolError`, and waits for no more than was promised."""

import contextlib
import json
import socket
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.protocol import MAX_ARRAY_BYTES, ProtocolError, receive, send
from vitrina.values import ValueFormatError, pack_array


@pytest.fixture
def wire():
    left, right = socket.socketpair()
    right.settimeout(5)
    with left, right:
        yield left, right


def frame(data: bytes) -> bytes:
    return struct.pack(">Q", len(data)) + data


def head(**fields) -> bytes:
    return frame(json.dumps(fields).encode())


def received(*frames: bytes):
    """What a reader makes of these bytes when the peer then hangs up."""
    left, right = socket.socketpair()
    with right:
        right.settimeout(5)
        with left:
            left.sendall(b"".join(frames))
        return receive(right)


def written(message) -> bytes:
    left, right = socket.socketpair()
    with right:
        with left:
            send(left, message)
        return b"".join(iter(lambda: right.recv(1 << 16), b""))


def test_messages_arrive_one_after_the_other(wire):
    left, right = wire
    array = np.asfortranarray(np.array([[1.0, np.nan], [np.inf, -0.0]]))
    send(left, {"ask": True, "arguments": {"x": array, "empty": np.zeros((0, 3)), "n": np.int64(4)}})
    send(left, {"note": "é\ud800", "none": None})
    first, second = receive(right), receive(right)
    np.testing.assert_array_equal(first["arguments"]["x"], array)
    assert first["arguments"]["empty"].shape == (0, 3)
    assert first["arguments"]["n"] == 4
    assert second == {"note": "é\ud800", "none": None}


def test_a_message_in_pieces_arrives_whole(wire):
    left, right = wire
    data = written({"x": np.arange(4.0)})

    def drip():
        for position in range(0, len(data), 7):
            left.sendall(data[position : position + 7])
            time.sleep(0.0005)

    thread = threading.Thread(target=drip)
    thread.start()
    np.testing.assert_array_equal(receive(right)["x"], np.arange(4.0))
    thread.join()


def test_the_largest_array_arrives(wire):
    left, right = wire
    largest = np.zeros(MAX_ARRAY_BYTES // 8)
    thread = threading.Thread(target=send, args=(left, {"x": largest}))
    thread.start()
    assert receive(right)["x"].nbytes == MAX_ARRAY_BYTES
    thread.join()


def test_what_is_not_data_is_not_sent(wire):
    with pytest.raises(ValueFormatError):
        send(wire[0], {"x": np.array([object()])})
    with pytest.raises(ValueFormatError):
        send(wire[0], {"x": print})


@pytest.mark.parametrize("length", [1 << 21, 1 << 40, (1 << 64) - 1])
def test_an_oversized_frame_is_refused_before_it_is_read(wire, length):
    left, right = wire
    left.sendall(struct.pack(">Q", length) + b"{")
    with pytest.raises(ProtocolError, match="limit"):
        receive(right)


def test_an_oversized_array_is_refused_before_it_is_read(wire):
    left, right = wire
    left.sendall(head(arrays=1, message={}) + struct.pack(">Q", MAX_ARRAY_BYTES + 4096))
    with pytest.raises(ProtocolError, match="limit"):
        receive(right)


@pytest.mark.parametrize("count", [-1, 65, 10**30, "1", 1.0, None, [1]])
def test_a_lie_about_the_number_of_arrays_is_refused(count):
    with pytest.raises(ProtocolError, match="announced"):
        received(head(arrays=count, message={}), frame(pack_array(np.zeros(1))))


@pytest.mark.parametrize(
    "frames",
    [
        [head(arrays=2, message={}), frame(pack_array(np.zeros(1)))],
        [head(arrays=0, message={"x": {"$array": 0}})],
        [head(arrays=1, message={}), frame(b"no array")],
        [head(arrays=0, message=[1])],
        [head(arrays=0)],
        [head(arrays=0, message={"$model": "m"})],
        [head(arrays=0, message={"$pickle": "x"})],
        [frame(b"[1]")],
        [frame(b"nonsense")],
        [frame(b"\xff\xfe\x00")],
        [frame(b"[" * 100_000)],
        [frame(b'{"arrays": 0, "message": {"a": ' + b"[" * 50 + b"]" * 50 + b"}}")],
        [frame(b'{"arrays": 0, "message": ' + b"9" * 5000 + b"}")],
        [frame(b"")],
        [b""],
    ],
    ids=range(15),
)
def test_what_is_no_message_is_a_protocol_error(frames):
    with pytest.raises(ProtocolError):
        received(*frames)


def test_a_cut_message_is_a_protocol_error_wherever_it_is_cut():
    data = written({"status": "answered", "value": np.arange(3.0)})
    for length in range(len(data)):
        with pytest.raises(ProtocolError):
            received(data[:length])


@given(st.binary(max_size=60), st.integers(0, 300), st.integers(0, 255))
def test_no_bytes_raise_anything_else(noise, position, value):
    damaged = bytearray(written({"status": "answered", "value": np.arange(3.0)}))
    damaged[position % len(damaged)] = value
    for data in (noise, frame(noise), head(arrays=1, message={}) + frame(noise), bytes(damaged)):
        with contextlib.suppress(ProtocolError):
            assert isinstance(received(data), dict)


def test_a_silent_peer_is_waited_for_only_as_long_as_the_reader_wants(wire):
    wire[1].settimeout(0.05)
    wire[0].sendall(struct.pack(">Q", 10) + b"{")
    with pytest.raises(TimeoutError):
        receive(wire[1])
