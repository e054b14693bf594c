"""A real browser without a window, to see what the scripts of a page do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--virtual-time-budget=4000", "--dump-dom"),
]
MARK = "the-student-was-here"
SCRIPT = f"document.body.setAttribute('data-{MARK}', '1')"

needs_browser = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; .ci/run installs Debian's package `chromium`"),
]


def opened(page: Path, profile: Path) -> str:
    """Open a page and give its document as it is after its scripts ran."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def was_there(page: Path, profile: Path) -> bool:
    """Whether `SCRIPT` ran in a page."""
    return re.search(rf"<body[^>]*data-{MARK}", opened(page, profile)) is not None
