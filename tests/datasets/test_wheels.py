import hashlib
import io
import subprocess
import zipfile
from pathlib import Path

import pytest

from vitrina_datasets import wheels
from vitrina_datasets.wheels import DataUnavailableError, Wheel


def make_wheel(text: str = "five words of real data") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("made_up/data.txt", text)
    return buffer.getvalue()


CONTENT = make_wheel()
WHEEL = Wheel("made-up", "1.0", hashlib.sha256(CONTENT).hexdigest())
PLACE = Path("wheels", f"made-up-1.0-{WHEEL.sha256[:12]}.whl")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder in the place of the package index, which pip really fetches from."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def no_pip(monkeypatch):
    monkeypatch.setattr(wheels, "_pip_download", lambda *_: pytest.fail("asked pip"))


def test_pip_fetches_once_and_the_cache_serves_from_then_on(index, tmp_path, monkeypatch):
    (index / "made_up-1.0-py3-none-any.whl").write_bytes(installable := installable_wheel())
    wheel = Wheel("made-up", "1.0", hashlib.sha256(installable).hexdigest())
    assert wheel.read("made_up/data.txt", cache=tmp_path) == b"real"
    monkeypatch.setattr(wheels, "_pip_download", lambda *_: pytest.fail("asked pip again"))
    assert wheel.read("made_up/data.txt", cache=tmp_path) == b"real"
    assert [path.suffix for path in (tmp_path / "wheels").iterdir()] == [".whl"]


def test_a_wheel_with_another_hash_is_refused_by_pip(index, tmp_path):
    (index / "made_up-1.0-py3-none-any.whl").write_bytes(installable_wheel())
    with pytest.raises(DataUnavailableError, match=r"made-up 1\.0 is not in the cache"):
        Wheel("made-up", "1.0", "0" * 64).read("made_up/data.txt", cache=tmp_path)
    assert not (tmp_path / "wheels").exists()


@pytest.mark.usefixtures("index")
def test_without_an_index_it_is_said_what_to_do(tmp_path):
    with pytest.raises(DataUnavailableError, match=r"could not fetch it \(ERROR.*pip download made-up==1\.0"):
        WHEEL.open(cache=tmp_path)


@pytest.mark.usefixtures("no_pip")
def test_a_prepared_cache_needs_no_pip(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINA_CACHE", str(tmp_path))
    (tmp_path / PLACE).parent.mkdir()
    (tmp_path / PLACE).write_bytes(CONTENT)
    assert WHEEL.read("made_up/data.txt") == b"five words of real data"


@pytest.mark.parametrize("damage", [b"", CONTENT[:-1], make_wheel("other data")])
def test_a_damaged_cache_is_replaced(damage, tmp_path, monkeypatch):
    (tmp_path / PLACE).parent.mkdir()
    (tmp_path / PLACE).write_bytes(damage)
    monkeypatch.setattr(wheels, "_pip_download", deliver)
    assert WHEEL.read("made_up/data.txt", cache=tmp_path) == b"five words of real data"
    assert (tmp_path / PLACE).read_bytes() == CONTENT


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(wheels, "_pip_download", deliver)
    assert WHEEL.read("made_up/data.txt", cache=tmp_path / "file" / "folder") == b"five words of real data"


def deliver(_, folder):
    Path(folder, "made_up-1.0-py3-none-any.whl").write_bytes(CONTENT)
    return subprocess.CompletedProcess([], 0, "", "")


def installable_wheel() -> bytes:
    """The least that pip takes for a wheel."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        about = "made_up-1.0.dist-info"
        archive.writestr("made_up/data.txt", "real")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: made-up\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return buffer.getvalue()
