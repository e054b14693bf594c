"""Wheels in a prepared cache: what the package index would give, made up."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from vitrina_datasets import wheels
from vitrina_datasets.wheels import Wheel


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def cached_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, bytes]], Wheel]:
    """Put a wheel of these files into the cache of the test, where there is no network."""
    monkeypatch.setenv("VITRINA_CACHE", str(tmp_path))
    monkeypatch.setattr(wheels, "_pip_download", lambda *_: pytest.fail("asked pip"))

    def put(members: Mapping[str, bytes]) -> Wheel:
        content = zipped(members)
        wheel = Wheel("made-up", "1.0", hashlib.sha256(content).hexdigest())
        (tmp_path / "wheels").mkdir(exist_ok=True)
        (tmp_path / "wheels" / f"made-up-1.0-{wheel.sha256[:12]}.whl").write_bytes(content)
        return wheel

    return put


@pytest.fixture
def no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a cache nor an index: pip runs, and finds nothing."""
    monkeypatch.setenv("VITRINA_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
