"""Unpacking a zip that a learning platform or a student made: nothing leaves the folder, nothing fills the disk.

Every member is read in pieces and counted as it really is, whatever its header says; names are made harmless; links,
encrypted and damaged members are left out and named. What is well comes out all the same.
"""

from __future__ import annotations

import contextlib
import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO
from zoneinfo import ZoneInfo

from vitrina.messages import _
from vitrina.values import whole_text
from vitrina_autograder.course import CourseError

_PIECE = 1 << 20
_LONGEST_NAME = 120
#: File systems count bytes, of which a character may take four; some are left for what is added to a name.
_LONGEST_BYTES = 200
_LONGEST_SUFFIX = 10
_DEEPEST = 12
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


@dataclass
class Room:
    """What may still be unpacked.

    Attributes
    ----------
    files : int
        How many more files.
    bytes : int
        How many more bytes, of all files together.
    file_bytes : int
        The size of the largest one.
    """

    files: int = 50_000
    bytes: int = 8 << 30
    file_bytes: int = 200 << 20


class _TooLargeError(ValueError):
    """A member holds more than there is room for."""


def unpack(archive: Path, target: Path, zone: ZoneInfo, room: Room) -> list[str]:
    """Unpack a zip into a folder; files get the times that the zip holds, taken as a clock in `zone`.

    Returns
    -------
    list of str
        What was left out, and why, a sentence each.

    Raises
    ------
    CourseError
        If the file is no zip at all.
    """
    left_out: list[str] = []
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                name = _name(member)
                if member.is_dir() or _is_litter(name):
                    continue
                problem = _problem(member, name, room) or _extract(opened, member, target / _harmless(name), zone, room)
                if problem:
                    left_out.append(f"{archive.name}: {name[:_LONGEST_NAME]}: {problem}")
    except _BROKEN as error:
        raise CourseError(f"{archive} cannot be read as a zip: {error}") from error
    return left_out


def _name(member: zipfile.ZipInfo) -> str:
    """Give a member's name; where it does not say that it is UTF-8 but is, take it as that."""
    name = member.filename
    if not member.flag_bits & _UTF8_FLAG:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))


def _problem(member: zipfile.ZipInfo, name: str, room: Room) -> str:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or ":" in parts[0] or "\0" in name or len(parts) > _DEEPEST:
        return _("its name leads out of the folder")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return _("it is a link or a device")
    if member.flag_bits & _ENCRYPTED_FLAG:
        return _("it is encrypted")
    return "" if room.files > 0 else _("there are too many files")


def _harmless(name: str) -> Path:
    return Path(*(_cut(part) for part in name.split("/") if part not in ("", ".")))


def _cut(part: str) -> str:
    """Cut a name to a length that every file system takes, but keep how it ends."""
    kept = whole_text("".join(character if character.isprintable() else "_" for character in part))
    if _fits(kept):
        return kept
    stem, dot, suffix = kept.rpartition(".")
    ending = f"{dot}{suffix}" if dot and len(suffix) < _LONGEST_SUFFIX else ""
    beginning = (stem if ending else kept)[: _LONGEST_NAME - len(ending)]
    return beginning.encode()[: _LONGEST_BYTES - len(ending.encode())].decode(errors="ignore") + ending


def _fits(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and len(name.encode()) <= _LONGEST_BYTES


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, zone: ZoneInfo, room: Room) -> str:
    """Write one member; what cannot be read whole is removed again, and the reason returned."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:  # its folder has the name of a file
        return _("another one has the name of its folder")
    path = free_name(path)
    try:
        with opened.open(member) as source, path.open("xb") as file:
            for piece in _pieces(source, room):
                file.write(piece)
        room.files -= 1
        _set_time(path, member, zone)
    except _BROKEN as error:
        path.unlink(missing_ok=True)
        return str(error) or type(error).__name__
    return ""


def _pieces(source: IO[bytes], room: Room) -> Iterator[bytes]:
    size = 0
    while piece := source.read(_PIECE):
        size += len(piece)
        room.bytes -= len(piece)
        if size > room.file_bytes or room.bytes < 0:
            raise _TooLargeError(_("it is too large unpacked"))
        yield piece


def free_name(path: Path) -> Path:
    """Give a name like this one that nothing has yet."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def _set_time(path: Path, member: zipfile.ZipInfo, zone: ZoneInfo) -> None:
    with contextlib.suppress(ValueError, OverflowError):  # a zip may hold the 31st of February
        moment = datetime(*member.date_time, tzinfo=zone).timestamp()
        os.utime(path, (moment, moment))
