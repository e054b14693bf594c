"""What a kernel is shown, whatever shuts it in: the system, the Python environment, the student kit, the data."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from vitrina_autograder.course import CourseError
from vitrina_datasets import CACHE_VARIABLE, cache_folder

#: Packages of ours that a kernel may import, and the parts of the kit that students have to write themselves.
KIT = ("vitrina", "vitrina_datasets")
WITHHELD_PARTS = ("explain", "automata", "axioms")
#: Stands where those parts are on a student's machine.
WITHHELD = Path(__file__).parent / "withheld"
HIDDEN = ("vitrina_solutions", "vitrina_autograder")
SYSTEM = ("/usr", "/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl")
ROOT_LINKS = tuple(map(Path, ("/bin", "/lib", "/lib32", "/lib64", "/sbin")))

_FONTS = "matplotlib-fonts"
#: Kernels share the processors, one each: more threads would only wait for each other, and add up in another order.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def package_folder(name: str) -> Path:
    """Find a package of ours without importing it; `CourseError` where it is not installed."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CourseError(f"the package {name} is not installed; `vitrina doctor` tells more")
    return Path(spec.origin).parent


def absent_paths(names: Iterable[str]) -> dict[str, Path]:
    """Find the folders, or single files, of the libraries among these that are installed, without importing them."""
    specs = {name: importlib.util.find_spec(name) for name in names}
    found = {name: Path(spec.origin) for name, spec in specs.items() if spec and spec.origin}
    return {name: path.parent if path.stem == "__init__" else path for name, path in found.items()}


def environment_folders() -> list[str]:
    """Find the virtual environment and the interpreter behind its symbolic links, but for what is in `/usr` anyway."""
    prefixes = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent)}
    return sorted(prefix for prefix in prefixes if not Path(prefix).is_relative_to("/usr"))


def font_lists() -> list[Path]:
    """Find matplotlib's list of fonts; without it every kernel would spend seconds on its own."""
    return sorted(font_folder().glob("fontlist*.json"))


@lru_cache(maxsize=1)
def font_folder() -> Path:
    """Make matplotlib's list of fonts, once."""
    folder = cache_folder() / _FONTS
    if not any(folder.glob("fontlist*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        script = "import matplotlib.font_manager"
        subprocess.run([sys.executable, "-c", script], env={**os.environ, "MPLCONFIGDIR": str(folder)}, check=False)
    return folder


def shared_variables() -> dict[str, str]:
    """Make the environment variables that all kernels have in common."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        **dict.fromkeys(_THREADS, "1"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "NBGRADER_EXECUTION": "autograde",
        CACHE_VARIABLE: str(cache_folder()),
    }
