"""A project may lie anywhere: below places that every kernel has for itself, such as the temporary folder, too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PARTS = ("course", "datasets", "solutions", "autograder")
_RUN = """
import subprocess, sys
from nbformat.v4 import new_code_cell, new_notebook
from vitrina_autograder.client import Client
from vitrina_autograder.job import Limits, make_job
from vitrina_autograder.kernel import SandboxedKernelManager

modules = ("ipykernel.kernelapp", "ipykernel.ipkernel") if sys.argv[1] == "warm" else None
cell = new_code_cell(sys.argv[2])
with make_job() as job:
    manager = SandboxedKernelManager(job, Limits(), modules=modules)
    client = Client(new_notebook(cells=[cell]), manager, output_bytes=1 << 20)
    with client.setup_kernel(cleanup_kc=True, stderr=subprocess.DEVNULL):
        client.run(cell, 0, limit=60)
        print(type(manager.provisioner.process).__name__)
print(*(output.get("text", output) for output in cell.outputs), sep="")
"""


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Copy the project with its environment; the files of the environment are only linked."""
    root = tmp_path_factory.mktemp("moved")
    linked = subprocess.run(["cp", "-al", sys.prefix, root / ".venv"], capture_output=True, text=True, check=False)
    if linked.returncode:
        pytest.skip("the temporary folder lies on another disk than the environment")
    for part in PARTS:
        shutil.copytree(PROJECT / part, root / part)
    for path in (root / ".venv").rglob("_editable_impl_vitrina*.pth"):
        text = path.read_text()
        path.unlink()  # else the original would be changed
        path.write_text(text.replace(str(PROJECT), str(root)))
    yield root
    shutil.rmtree(root)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "process"), [("warm", "WarmKernel"), ("cold", "Popen")])
def test_a_project_in_the_temporary_folder(moved: Path, how: str, process: str):
    source = "import wave, vitrina.practice\nprint(vitrina.practice.__file__)"
    command = [moved / ".venv/bin/python", "-c", _RUN, how, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=moved)
    assert done.returncode == 0, done.stderr
    kind, practice = done.stdout.split()
    assert kind == process
    assert Path(practice).is_relative_to(moved)
