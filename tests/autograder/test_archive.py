"""Zips from anywhere: nothing leaves the folder, nothing fills the disk, what is well comes out."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vitrina_autograder.archive import Room, unpack
from vitrina_autograder.course import CourseError

ZONE = ZoneInfo("Europe/Madrid")


def packed(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 12, 1, 20, 30, 0)), data, compression)
    return path


def found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/evil", "C:/evil", "..\\evil", "a\\..\\..\\evil", "a/" * 20 + "evil"],
)
def test_no_name_leads_out(tmp_path: Path, name: str):
    archive = packed(tmp_path / "a.zip", {name: b"x", "ok.ipynb": b"y"})
    (problem,) = unpack(archive, tmp_path / "out", ZONE, Room())
    assert "leads out of the folder" in problem
    assert found(tmp_path / "out") == {"ok.ipynb": b"y"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out"]


def test_a_bomb_stops_at_the_limit_whatever_its_header_says(tmp_path: Path):
    archive = packed(tmp_path / "a.zip", {"bomb": bytes(30 << 20), "ok.ipynb": b"y"})
    data = archive.read_bytes()
    size = struct.pack("<L", 30 << 20)
    assert size in data
    archive.write_bytes(data.replace(size, struct.pack("<L", 10)))
    problems = unpack(archive, tmp_path / "out", ZONE, Room(file_bytes=1 << 20))
    assert len(problems) == 1
    assert found(tmp_path / "out") == {"ok.ipynb": b"y"}
    problems = unpack(packed(tmp_path / "b.zip", {"bomb": bytes(30 << 20)}), tmp_path / "b", ZONE, Room(bytes=1 << 20))
    assert "too large" in problems[0]
    assert found(tmp_path / "b") == {}


def test_files_are_counted(tmp_path: Path):
    archive = packed(tmp_path / "a.zip", {f"file-{number}": b"" for number in range(20)})
    assert len(unpack(archive, tmp_path / "out", ZONE, Room(files=5))) == 15
    assert len(found(tmp_path / "out")) == 5


def test_links_and_encrypted_and_damaged_members_are_named(tmp_path: Path):
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("damaged.ipynb", b"A" * 100)
        archive.writestr("locked.ipynb", b"secret")
        archive.writestr("ok.ipynb", b"y")
    data = bytearray((tmp_path / "a.zip").read_bytes().replace(b"A" * 100, b"A" * 99 + b"B"))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # set the bit that says it is encrypted
        position = -1
        while (position := data.find(signature, position + 1)) >= 0:
            name = data[position + (30 if flags == 6 else 46) :][:6]
            data[position + flags] |= name == b"locked"
    (tmp_path / "a.zip").write_bytes(data)
    problems = unpack(tmp_path / "a.zip", tmp_path / "out", ZONE, Room())
    assert [problem.split(": ")[1] for problem in problems] == ["link.ipynb", "damaged.ipynb", "locked.ipynb"]
    assert found(tmp_path / "out") == {"ok.ipynb": b"y"}


def test_names_of_any_length_and_encoding_come_out(tmp_path: Path):
    long = "n" * 500 + ".ipynb"
    archive = packed(tmp_path / "a.zip", {long: b"1", "Núñez/tarea.ipynb": b"2", "bell\x07.txt": b"3", "same": b"4"})
    with zipfile.ZipFile(archive, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("same", b"5")
    archive.write_bytes(clear_utf8_flags(archive.read_bytes()))
    assert unpack(archive, tmp_path / "out", ZONE, Room()) == []
    names = found(tmp_path / "out")
    assert names["Núñez/tarea.ipynb"] == b"2"
    assert names["bell_.txt"] == b"3"
    assert {names["same"], names["same-2"]} == {b"4", b"5"}
    (cut,) = [name for name in names if name.startswith("nnn")]
    assert len(cut) == 120
    assert cut.endswith(".ipynb")


def test_a_long_name_of_large_characters_keeps_its_ending(tmp_path: Path):
    archive = packed(tmp_path / "a.zip", {"中" * 110 + ".ipynb": b"1", "ñ" * 100 + ".txt": b"2", "𝄞" * 200: b"3"})
    assert unpack(archive, tmp_path / "out", ZONE, Room()) == []
    names = sorted(found(tmp_path / "out"), key=len)
    assert all(len(name.encode()) <= 200 for name in names)
    assert "中" * 64 + ".ipynb" in names
    assert "ñ" * 98 + ".txt" in names


def test_a_file_in_the_place_of_a_folder_costs_only_what_is_in_it(tmp_path: Path):
    archive = packed(tmp_path / "a.zip", {"a": b"1", "a/b": b"2", "c": b"3"})
    (problem,) = unpack(archive, tmp_path / "out", ZONE, Room())
    assert problem == "a.zip: a/b: another one has the name of its folder"
    assert found(tmp_path / "out") == {"a": b"1", "c": b"3"}


def clear_utf8_flags(data: bytes) -> bytes:
    """Make names be UTF-8 without saying so, as some systems write them."""
    changed = bytearray(data)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = -1
        while (position := changed.find(signature, position + 1)) >= 0:
            changed[position + flags + 1] &= ~0x08
    return bytes(changed)


def test_times_are_those_of_the_courses_clock(tmp_path: Path):
    unpack(packed(tmp_path / "a.zip", {"a": b""}), tmp_path / "out", ZONE, Room())
    assert (tmp_path / "out" / "a").stat().st_mtime == datetime(2026, 12, 1, 20, 30, tzinfo=ZONE).timestamp()


def test_litter_is_not_worth_a_word(tmp_path: Path):
    archive = packed(tmp_path / "a.zip", {"__MACOSX/._a": b"", "a/.DS_Store": b"", "a/": b"", "a/b": b"x"})
    assert unpack(archive, tmp_path / "out", ZONE, Room()) == []
    assert found(tmp_path / "out") == {"a/b": b"x"}


def test_no_zip_says_so(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(b"PK nothing")
    with pytest.raises(CourseError, match="cannot be read as a zip"):
        unpack(tmp_path / "a.zip", tmp_path / "out", ZONE, Room())


def test_an_archive_cut_short_says_so(tmp_path: Path):
    whole = io.BytesIO(packed(tmp_path / "a.zip", {"a": b"x" * 1000}).read_bytes()).getvalue()
    (tmp_path / "a.zip").write_bytes(whole[:-30])
    with pytest.raises(CourseError, match="cannot be read as a zip"):
        unpack(tmp_path / "a.zip", tmp_path / "out", ZONE, Room())
