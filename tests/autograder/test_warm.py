"""Kernels forked from a parent that has imported everything: fast, and as far apart as if each were alone."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from vitrina_autograder import sandbox, warm
from vitrina_autograder.client import Client
from vitrina_autograder.job import Job, Limits, make_job, sweep_jobs
from vitrina_autograder.kernel import SandboxedKernelManager
from vitrina_autograder.preload import modules_of
from vitrina_autograder.sandbox import SANDBOX, SANDBOX_VARIABLE, UNSAFE_VARIABLE
from vitrina_autograder.warm import WarmKernel, forget_parents, warm_parent

MODULES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "colorsys", "matplotlib.pyplot", "no_such_module")
TENSORFLOW = (*MODULES, "tensorflow", "keras")
Ask = Callable[[str], Any]


@contextmanager
def kernel(job: Job, modules: tuple[str, ...] = MODULES) -> Generator[tuple[Ask, Any]]:
    """Start a kernel; give a function that runs code, which prints JSON last, and the kernel's process."""
    notebook = new_notebook()
    manager = SandboxedKernelManager(job, Limits(), modules=modules)
    client = Client(notebook, manager, output_bytes=1 << 20)

    def ask(source: str) -> Any:
        cell = new_code_cell(source)
        notebook.cells.append(cell)
        client.run(cell, len(notebook.cells) - 1, limit=60)
        assert [output.output_type for output in cell.outputs] == ["stream"], cell.outputs
        return json.loads(cell.outputs[0].text)

    with client.setup_kernel(cleanup_kc=True, cwd=str(job.work), env=sandbox.open_variables(job)):
        provisioner: Any = manager.provisioner
        yield ask, provisioner.process


@pytest.fixture
def job() -> Iterator[Job]:
    with make_job() as made:
        yield made


def named(marker: str) -> list[psutil.Process]:
    """Find processes by a word of their command line."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            found += [process] if marker in " ".join(process.cmdline()) else []
        except psutil.Error:
            continue
    return found


def is_gone(marker: str, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while named(marker) and time.monotonic() < end:
        time.sleep(0.1)
    return not named(marker)


def test_a_kernel_has_what_its_parent_imported(job: Job):
    with kernel(job) as (ask, process):
        assert isinstance(process, WarmKernel)
        assert ask("import sys, json; print(json.dumps('colorsys' in sys.modules))")


def test_nothing_that_one_does_shows_in_the_next():
    change = (
        "import json, colorsys, builtins\nbefore = hasattr(builtins, 'spoilt')\nbuiltins.spoilt = colorsys.spoilt = 1\n"
    )
    with make_job() as one, make_job() as two:
        for each in (one, two):
            with kernel(each) as (ask, _process):
                assert ask(f"{change}print(json.dumps(before))") is False


def test_every_kernel_draws_other_random_numbers_but_hashes_alike():
    source = "import json, random, numpy; print(json.dumps([random.random(), numpy.random.rand(), hash('a')]))"
    found: list[list[float]] = []
    for _ in range(2):
        with make_job() as job, kernel(job) as (ask, _process):
            found.append(ask(source))
    (first, second), (third, fourth) = found[0][:2], found[1][:2]
    assert first != third
    assert second != fourth
    assert found[0][2] == found[1][2]


def test_two_at_once_cannot_see_each_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SANDBOX_VARIABLE, SANDBOX)
    look = "import json, os; print(json.dumps([os.getpid(), sorted(os.listdir('/proc')), os.listdir('{jobs}')]))"
    with make_job() as one, make_job() as two, kernel(one) as (ask_one, _one), kernel(two) as (ask_two, _two):
        seen = [ask(look.format(jobs=job.root.parent)) for ask, job in ((ask_one, one), (ask_two, two))]
    for (pid, processes, folders), job in zip(seen, (one, two), strict=True):
        assert [number for number in processes if number.isdigit()] == ["1", str(pid)]
        assert folders == [job.root.name]


def test_figures_are_shown(job: Job, tmp_path: Path):
    release = tmp_path / "release.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("import vitrina.plots")]), release)
    sources = "plt.plot([1, 2]);", "figure = plt.gcf(); figure.gca(); plt.close(figure); figure"
    notebook = new_notebook(cells=[new_code_cell(f"import matplotlib.pyplot as plt\n{source}") for source in sources])
    manager = SandboxedKernelManager(job, Limits(), modules=modules_of(release))
    client = Client(notebook, manager, output_bytes=1 << 20)
    with client.setup_kernel(cleanup_kc=True):
        for index, cell in enumerate(notebook.cells):
            client.run(cell, index, limit=60)
    shown = [["image/png" in output.data for output in cell.outputs] for cell in notebook.cells]
    assert shown == [[True], [True]]


@pytest.mark.slow
def test_tensorflow_computes_in_a_forked_kernel(job: Job):
    source = (
        "import json, keras, tensorflow as tf\nmodel = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])\n"
    )
    source += "model.compile('adam', 'mse'); model.fit(tf.ones((8, 2)), tf.ones((8, 1)), verbose=0)\n"
    source += "print(json.dumps(float(tf.reduce_sum(tf.ones((3, 3)) @ tf.ones((3, 3))))))"
    with kernel(job, TENSORFLOW) as (ask, process):
        assert isinstance(process, WarmKernel)
        assert ask(source) == 27


class TestTheEnd:
    def test_what_a_kernel_has_started_ends_with_it(self, job: Job):
        marker = f"{os.getpid()}.01"
        start = f"import subprocess; p = subprocess.Popen(['setsid', '-f', 'sleep', '{marker}']); p.wait(); print(0)"
        with kernel(job) as (ask, _process):
            ask(start)
            assert named(marker)
        assert is_gone(marker)

    def test_a_kernel_that_dies_says_so(self, job: Job):
        with kernel(job) as (_ask, process):
            psutil.Process(process.pid).children(recursive=True)[-1].kill()
            assert process.wait(timeout=60) == -signal.SIGKILL % 256
            assert process.poll() == -signal.SIGKILL % 256

    def test_a_parents_death_costs_no_kernel(self, job: Job):
        with kernel(job) as (ask, process):
            parent = psutil.Process(process.pid).parent()
            assert parent
            parent.kill()
            parent.wait()
            with make_job() as next_job, kernel(next_job) as (ask_next, next_process):
                assert isinstance(next_process, WarmKernel)
                assert ask_next("print(1)") == 1
            assert ask("print(2)") == 2

    def test_a_grader_killed_without_warning_leaves_nothing(self, tmp_path: Path):
        marker = f"{os.getpid()}.02"
        script = tmp_path / "grader.py"
        script.write_text(
            "import sys, time\n"
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "from test_warm import kernel, make_job\n"
            "with make_job() as job, kernel(job) as (ask, process):\n"
            f"    ask(\"import os; os.system('setsid -f sleep {marker}'); print(0)\")\n"
            "    print('up', flush=True)\n"
            "    time.sleep(60)\n"
        )
        with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as grader:
            assert grader.stdout
            assert grader.stdout.readline() == "up\n"
            below = psutil.Process(grader.pid).children(recursive=True)
            assert named(marker)
            grader.kill()
        assert is_gone(marker)
        _gone, alive = psutil.wait_procs(below, timeout=60)
        assert not alive
        sweep_jobs()
        assert not list(Path(tempfile.gettempdir()).glob(f"vitrina-{grader.pid}-*"))


class TestWithout:
    @pytest.fixture(autouse=True)
    def _no_sandbox(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv(UNSAFE_VARIABLE, "1")
        monkeypatch.setenv(SANDBOX_VARIABLE, "none")
        forget_parents()
        yield
        forget_parents()

    def test_kernels_start_cold_and_that_is_said_once(self, caplog: pytest.LogCaptureFixture):
        with caplog.at_level(logging.WARNING, logger="vitrina_autograder.warm"):
            for _ in range(2):
                with make_job() as job, kernel(job) as (ask, process):
                    assert isinstance(process, subprocess.Popen)
                    assert ask("print(1)") == 1
        assert [record.message for record in caplog.records] == [
            "kernels start cold, which takes some seconds each: no warm parent here (it needs a sandbox)"
        ]


def _no_command(_control: int, _modules: object, _absent: object) -> list[str]:
    return [sys.executable, "-c", "import sys; sys.exit('no way')"]


def test_a_parent_that_cannot_start_is_none(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(warm, "warm_command", _no_command)
    forget_parents()
    assert warm_parent(["colorsys"]) is None
    assert "no way" in caplog.text
    forget_parents()
