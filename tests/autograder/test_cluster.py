"""`vitrina grade --cluster`: a real scheduler and real workers, on this machine's loopback; the toy course."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client
from distributed.client import ClosedClientError

from corpus.small_class import outcome
from corpus.students import CLASS, student_id
from corpus.toy_course import ASSIGNMENT, NOTEBOOK
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.examination import Paper, fingerprint, restored
from vitrina_autograder.grade import Grading, read_grades, submitted_students
from vitrina_autograder.remote import examine_task
from vitrina_autograder.verdicts import load_record

pytestmark = pytest.mark.slow

NAMES = ["right", "wrong", "partly", "exception", "own numpy", "corrupt", "renamed", "os._exit"]


@dataclass
class Cluster:
    """A scheduler and its workers, each in a process of its own."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])

    def start_scheduler(self) -> None:
        self._start("scheduler", "--port", "0", "--scheduler-file", str(self._file))

    @property
    def address(self) -> str:
        wait_until(lambda: self._file.exists() and self._file.read_text())  # it is there before it is written
        return json.loads(self._file.read_text())["address"]

    @property
    def _file(self) -> Path:
        return self.folder / "scheduler.json"

    def start_worker(self, *options: str, **variables: str) -> subprocess.Popen[bytes]:
        folder = ["--local-directory", str(self.folder)]
        return self._start("worker", self.address, "--no-dashboard", *folder, *options, **variables)

    def _start(self, what: str, *options: str, **variables: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", *options]
        log = (self.folder / f"{len(self.processes)}.log").open("wb")
        self.processes.append(subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log))
        return self.processes[-1]

    def stop(self, first: int = 0) -> None:
        """Kill what was started as the first, or later, with all its children."""
        for process in self.processes[first:]:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
            process.wait()


def wait_until(happened: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def started(folder: Path) -> Cluster:
    cluster = Cluster(folder)
    cluster.start_scheduler()
    return cluster


@pytest.fixture(scope="module")
def lasting_cluster(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cluster]:
    cluster = started(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(lasting_cluster: Cluster) -> Generator[Cluster]:
    """A scheduler without workers."""
    yield lasting_cluster
    lasting_cluster.stop(first=1)
    with Client(lasting_cluster.address, set_as_default=False) as client:
        wait_until(lambda: not client.nthreads())


def hand_in(course: Course, names: list[str], solved: dict[str, Any]) -> list[str]:
    for name in names:
        folder = course.submitted / student_id(name) / ASSIGNMENT
        folder.mkdir(parents=True)
        CLASS[name].write(json.loads(json.dumps(solved)), folder)
    return sorted(map(student_id, names))


class Steps(list[tuple[str, str]]):
    """Notes the progress of a run."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self._then = then

    def __call__(self, student: str, step: str) -> None:
        self.append((student, step))
        self._then()

    def of(self, step: str) -> list[str]:
        return [student for student, done in self if done == step]


def grade(course: Course, cluster: str = "", steps: Steps | None = None) -> Steps:
    steps = Steps() if steps is None else steps
    students = submitted_students(course, ASSIGNMENT)
    Grading(course, ASSIGNMENT, progress=steps, cluster=cluster).run(students)
    return steps


def test_a_class_is_graded_as_on_one_machine_though_a_worker_is_killed(
    toy: Course, solved: dict[str, Any], tmp_path: Path, cluster: Cluster
):
    students = hand_in(toy, NAMES, solved)
    other = Course(Path(shutil.copytree(toy.root, tmp_path / "other", symlinks=True)))
    first, _second = (cluster.start_worker("--no-nanny", "--nthreads", "1") for _ in range(2))

    def kill_one() -> None:
        if len(steps.of("examined")) == 2:
            first.kill()

    steps = Steps(kill_one)
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2)
    grade(other, cluster.address, steps)
    assert first.poll() == -signal.SIGKILL
    assert sorted(steps.of("examined")) == sorted(steps.of("recorded")) == students
    assert sorted(grade(toy).of("recorded")) == students
    assert outcome(other) == outcome(toy)
    assert {student: grade.score for student, (grade, _record) in outcome(other).items()} == {
        student_id(name): sum(CLASS[name].points) for name in NAMES
    }
    assert grade(other, cluster.address).of("skipped") == students


#: A worker that dies whenever it begins a certain task.
DEADLY = """
import os, signal
from distributed import WorkerPlugin

class Deadly(WorkerPlugin):
    def transition(self, key, start, finish, **_more):
        if finish == "executing" and str(key).startswith("vitrina-{target}"):
            os.kill(os.getpid(), signal.SIGKILL)

async def dask_setup(worker):
    await worker.plugin_add(Deadly())
"""


def test_who_costs_three_workers_is_quarantined_and_the_others_are_not_blamed(
    toy: Course, solved: dict[str, Any], cluster: Cluster, tmp_path: Path
):
    students = hand_in(toy, ["exception", "partly", "right", "wrong"], solved)
    paper = Paper(toy, ASSIGNMENT, "exception", Path(NOTEBOOK).stem)
    target = fingerprint(paper, restored(paper))[:16]
    (tmp_path / "deadly.py").write_text(DEADLY.format(target=target))
    cluster.start_worker("--nthreads", "3", "--preload", str(tmp_path / "deadly.py"))  # its nanny starts it again
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1)
    steps = grade(toy, cluster.address)
    assert sorted(steps.of("recorded")) == [student for student in students if student != "exception"]
    record = load_record(toy, ASSIGNMENT, "exception")
    assert record
    assert record.state == "quarantined"
    assert "3 workers were lost" in record.quarantine
    assert read_grades(toy, ASSIGNMENT)["right"].score == 7
    assert grade(toy).of("recorded") == ["exception"]  # the next run tries again
    assert read_grades(toy, ASSIGNMENT)["exception"].score == sum(CLASS["exception"].points)


@pytest.fixture
def other_versions(tmp_path: Path) -> str:
    """A folder of packages with another version of NumPy's metadata and another source of the solutions."""
    import vitrina_solutions

    folder = tmp_path / "packages"
    copy = shutil.copytree(Path(vitrina_solutions.__file__).parent, folder / "vitrina_solutions")
    (copy / "extra.py").write_text("# not there on the grader's machine\n")
    metadata = folder / "numpy-0.0.1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    return str(folder)


def test_a_worker_with_other_versions_is_named_and_not_used(
    toy: Course, solved: dict[str, Any], cluster: Cluster, other_versions: str, caplog: pytest.LogCaptureFixture
):
    students = hand_in(toy, ["right", "wrong"], solved)
    with pytest.raises(CourseError, match=r"has no workers.*dask worker"):
        grade(toy, cluster.address)
    stranger = cluster.start_worker("--no-nanny", "--nthreads", "1", PYTHONPATH=other_versions)
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1)
        (name,) = client.nthreads()
        with pytest.raises(CourseError, match=r"No worker .* can be used") as refusal:
            grade(toy, cluster.address)
        assert f"{name}: numpy is 0.0.1, here " in str(refusal.value)
        assert "source of vitrina_solutions is " in str(refusal.value)
        assert "make setup" in str(refusal.value)
        cluster.start_worker("--no-nanny", "--nthreads", "1")
        client.wait_for_workers(2)
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="vitrina_autograder"):
        assert sorted(grade(toy, cluster.address).of("recorded")) == students
    assert f"the worker at {name} is not used: numpy is 0.0.1" in caplog.text
    children = psutil.Process(stranger.pid).children(recursive=True)
    assert not [child for child in children if "vitrina_autograder.examiner" in child.cmdline()]


def test_a_scheduler_that_is_lost_is_said_and_what_was_examined_is_kept(
    toy: Course, solved: dict[str, Any], tmp_path: Path
):
    students = hand_in(toy, ["right", "wrong", "partly"], solved)
    cluster = started(tmp_path)
    cluster.start_worker("--no-nanny", "--nthreads", "1")
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1)
    steps = Steps(lambda: cluster.processes[0].kill())
    with pytest.raises(CourseError, match=r"scheduler at .* was lost.*same command"):
        grade(toy, cluster.address, steps)
    cluster.stop()
    done = steps.of("examined")
    assert done == steps.of("recorded")
    assert sorted(grade(toy).of("recorded")) == sorted(set(students) - set(done))


def test_a_scheduler_that_is_lost_while_work_is_handed_out_is_said_too(
    toy: Course, solved: dict[str, Any], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    hand_in(toy, ["right"], solved)
    cluster.start_worker("--no-nanny", "--nthreads", "1")
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1)
    submit = Client.submit

    def submit_some(client: Client, function: Any, *arguments: Any, **options: Any) -> Any:
        if function is examine_task:
            raise ClosedClientError("Client is closed")
        return submit(client, function, *arguments, **options)

    monkeypatch.setattr(Client, "submit", submit_some)
    with pytest.raises(CourseError, match=r"scheduler at .* was lost.*same command"):
        grade(toy, cluster.address)


def test_no_cluster_there_is_said_within_seconds(toy: Course, solved: dict[str, Any]):
    hand_in(toy, ["right"], solved)
    for address in ("nonsense://", "127.0.0.1"):
        with pytest.raises(CourseError, match=f"There is no Dask scheduler at {address}"):
            grade(toy, address)
    vitrina = str(Path(sys.executable).parent / "vitrina")
    command = [vitrina, "grade", ASSIGNMENT, "--cluster", "tcp://127.0.0.1:1"]
    run = subprocess.run(command, cwd=toy.root, capture_output=True, text=True, check=False, timeout=60)
    said = " ".join(run.stdout.split())
    assert run.returncode == 1
    assert "There is no Dask scheduler at tcp://127.0.0.1:1" in said
    assert "Start one with `dask scheduler`" in said
    assert "Traceback" not in run.stdout + run.stderr


def test_without_dask_the_command_that_installs_it_is_said(
    toy: Course, solved: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    hand_in(toy, ["right"], solved)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CourseError, match=r"make setup.*pip install .*autograder\[cluster\]"):
        grade(toy, "tcp://127.0.0.1:1")
    assert grade(toy).of("recorded") == ["right"]  # it is not needed by default
