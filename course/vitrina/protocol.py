"""Messages over a socket: one JSON frame, then as many `.npy` frames as it announces. Never pickle.

A frame is its length (8 bytes, big-endian) followed by its bytes. Limits hold before anything is read, so that a
hostile peer can neither fill the memory nor make the reader wait for more than it was promised.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from typing import Any

from vitrina.values import Array, ValueFormatError, decode, encode, pack_array, unpack_array

#: Environment variable that tells the student kit where the examiner listens.
EXAMINER_VARIABLE = "VITRINA_EXAMINER"

_LENGTH = struct.Struct(">Q")
_MAX_JSON = 1 << 20
_MAX_ARRAYS = 64
_MAX_ARRAY_HEADER = 1 << 10
MAX_ARRAY_BYTES = 32 << 20


class ProtocolError(Exception):
    """The other side does not speak the protocol, broke a limit or hung up."""


class HungUpError(ProtocolError):
    """The other side is gone: that happens to honest ones too."""


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one message: a mapping of plain data and arrays (see `vitrina.values`)."""
    arrays: list[Array] = []
    tree = encode(message, arrays)
    head = json.dumps({"arrays": len(arrays), "message": tree}).encode()
    for frame in [head, *map(pack_array, arrays)]:
        connection.sendall(_LENGTH.pack(len(frame)) + frame)


def receive(connection: socket.socket, *, max_arrays: int = _MAX_ARRAYS) -> dict[str, Any]:
    """Receive one message.

    Parameters
    ----------
    connection : socket
        Where from.
    max_arrays : int
        How many arrays the message may hold.

    Raises
    ------
    ProtocolError
        When the bytes are not a message, exceed a limit, or the other side hung up.
    """
    head = _parse(_frame(connection, _MAX_JSON))
    count = head.get("arrays")
    if not isinstance(count, int) or not 0 <= count <= max_arrays:
        raise ProtocolError(f"{count!r} arrays announced")
    try:
        arrays = [unpack_array(_frame(connection, MAX_ARRAY_BYTES + _MAX_ARRAY_HEADER)) for _ in range(count)]
        message = decode(head.get("message"), arrays)
    except ValueFormatError as error:
        raise ProtocolError(str(error)) from error
    if not isinstance(message, dict):
        raise ProtocolError("a message is a JSON object")
    return message


def _parse(data: bytes) -> dict[str, Any]:
    try:
        head = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    if not isinstance(head, dict):
        raise ProtocolError("a frame is a JSON object")
    return head


def _frame(connection: socket.socket, limit: int) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > limit:
        raise ProtocolError(f"a frame of {length} bytes; the limit is {limit}")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = connection.recv(min(length - len(data), 1 << 16))
        if not part:
            raise HungUpError("the other side hung up")
        data += part
    return bytes(data)
