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
def lay_wheel(tmp_path: Path) -> Callable[..., Wheel]:
    """Put a wheel of these files where a cache at `tmp_path` looks for it."""

    def lay(members: Mapping[str, bytes], project: str = "made-up", version: str = "1.0") -> Wheel:
        content = zipped(members)
        wheel = Wheel(project, version, hashlib.sha256(content).hexdigest())
        (tmp_path / "wheels").mkdir(exist_ok=True)
        (tmp_path / "wheels" / f"{project}-{version}-{wheel.sha256[:12]}.whl").write_bytes(content)
        return wheel

    return lay


@pytest.fixture
def cached_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lay_wheel: Callable[..., Wheel]
) -> Callable[..., Wheel]:
    """Put a wheel of these files into the cache of the test, where there is no network."""
    monkeypatch.setenv("VITRINA_CACHE", str(tmp_path))
    monkeypatch.setattr(wheels, "_pip_download", lambda *_: pytest.fail("asked pip"))
    return lay_wheel


@pytest.fixture
def no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a cache nor an index: pip runs, and finds nothing."""
    monkeypatch.setenv("VITRINA_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
