"""A class of attackers, graded in one run with honest students: nothing gained or reached, everything explained."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest

from corpus.hostile import CANARY, LOOT, SURVIVOR, TRIED, Attack, place
from corpus.hostile_examiner import EXAMINER
from corpus.hostile_files import FILES
from corpus.hostile_insider import INSIDER
from corpus.hostile_kernel import KERNEL
from corpus.hostile_machine import MACHINE
from corpus.students import CHECKS, FULL, NOTHING, Student, cell_before, changed, double, student_id
from corpus.toy_course import ASSIGNMENT, NOTEBOOK, SQUARE
from vitrina_autograder import client, folders, sandbox
from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.grade import Grade, Grading, read_grades, submitted_students
from vitrina_autograder.job import jobs_folder, remove_tree
from vitrina_autograder.verdicts import Record, load_record
from vitrina_autograder.warm import forget_parents

pytestmark = pytest.mark.slow

HOSTILE: dict[str, Attack] = {**MACHINE, **KERNEL, **EXAMINER, **FILES, **INSIDER}
#: Graded with the attackers, and harmed by none of them; what they do by mistake raises no alarm.
BYSTANDERS: dict[str, Student] = {
    "right": Student(changed(lambda _notebook: None)),
    "checks in cells of their own": Student(
        cell_before(SQUARE, "check('double', double)\ncheck('double', double); check('nothing', 3)\ncheck(3, None)")
    ),
    "checks in a function": Student(
        double("def double(x):\n    return x + x\nfor _ in range(3): check('double', double)")
    ),
    "interrupted check": Student(
        cell_before(SQUARE, "import signal\nsignal.alarm(0)\ntry:\n    check('double', 1 / 0)\nexcept Exception: pass")
    ),
}
SETTINGS = """
c.Examination.cell_seconds = 8
c.Examination.graded_seconds = 20
c.Examination.memory_gigabytes = 2
"""
_ENVIRONMENT = "VITRINA_CANARY"


@dataclass
class World:
    """A course with a class of attackers, and what lies around it.

    Attributes
    ----------
    outside : Path
        A folder beside the course.
    connections : list
        Who connected to our services.
    """

    course: Course
    outside: Path
    port: int
    connections: list[str] = field(default_factory=list[str])
    grown: int = 0

    def signs(self) -> dict[str, str]:
        neighbour = self.course.submitted / "right" / ASSIGNMENT / NOTEBOOK
        return {
            "@PORT@": str(self.port),
            "@COURSE@": str(self.course.root),
            "@OUTSIDE@": str(self.outside),
            "@NEIGHBOUR@": str(neighbour),
        }

    def hand_in(self, name: str, student: Attack | Student, solved_text: str) -> str:
        folder = self.course.submitted / student_id(name) / ASSIGNMENT
        folder.mkdir(parents=True)
        student.write(json.loads(solved_text), folder)
        if folder.is_dir() and not folder.is_symlink() and not folder.parent.is_symlink():
            place(folder, self.signs())
        return student_id(name)

    def record(self, name: str) -> Record:
        record = load_record(self.course, ASSIGNMENT, student_id(name))
        assert record is not None
        return record

    def graded(self, name: str) -> Path:
        return self.course.autograded / student_id(name) / ASSIGNMENT / NOTEBOOK

    def printed(self, name: str) -> str:
        """What the notebook of a student printed and showed."""
        path = self.graded(name)
        cells = nbformat.read(path, as_version=4).cells if path.exists() else []
        return json.dumps([cell.get("outputs") for cell in cells], ensure_ascii=False)


@contextlib.contextmanager
def watched(world: World) -> Iterator[World]:
    """Listen for whoever reaches the network or a socket of ours."""
    with (
        socket.create_server(("127.0.0.1", world.port)) as tcp,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        abstract.bind(f"\0vitrina-{world.port}")
        abstract.listen()
        udp.bind(("127.0.0.1", world.port))
        for each in (tcp, abstract, udp):
            threading.Thread(target=_watch, args=(each, world.connections), daemon=True).start()
        yield world


def _watch(listener: socket.socket, connections: list[str]) -> None:
    with contextlib.suppress(OSError):
        while True:
            if listener.type == socket.SOCK_DGRAM:
                connections.append(f"datagram {listener.recv(100)!r}")
            else:
                connection, _peer = listener.accept()
                connections.append(f"connection to {listener.getsockname()}")
                connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def make_world(original: Course, root: Path) -> World:
    """Copy the course, with a canary in every file that is not for students."""
    shutil.copytree(original.root, root / "course")
    course = Course(root / "course")
    with (course.root / CONFIG_NAME).open("a") as config:
        config.write(SETTINGS)
    for path in (course.root / "assignments" / "week9_toy" / "exercises.py", course.root / CONFIG_NAME):
        path.write_text(path.read_text() + f"# {CANARY}-sec-source\n")
    outside = root / "outside"
    outside.mkdir()
    (outside / "note.txt").write_text(f"{CANARY}-sec-beside")
    (course.build / "note.txt").write_text(f"{CANARY}-sec-inbuild")
    return World(course, outside, free_port())


def snapshot(world: World) -> dict[str, str]:
    """Hash every file of the course and beside it that grading has no reason to change."""
    course = world.course
    kept = [course.root / "assignments", course.source, course.release, course.build / "materials", world.outside]
    files = [path for folder in kept for path in folder.rglob("*") if path.is_file()]
    files += [course.build / "course_secret", course.root / CONFIG_NAME, course.build / "note.txt"]
    files += [course.submitted / "right" / ASSIGNMENT / NOTEBOOK]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "_IOPUB_SECONDS", 4)
        patch.setenv(_ENVIRONMENT, f"{CANARY}-env-secret")
        forget_parents()  # the next one, with the canary around, must not know it
        yield
    forget_parents()


@pytest.fixture(scope="module")
def world(
    toy_course: Course, solved_text: str, tmp_path_factory: pytest.TempPathFactory, quick: None
) -> Iterator[World]:
    del quick
    made = make_world(toy_course, tmp_path_factory.mktemp("hostile"))
    for name, student in {**BYSTANDERS, **HOSTILE}.items():
        made.hand_in(name, student, solved_text)
    before = snapshot(made)
    with watched(made):
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        Grading(made.course, ASSIGNMENT, jobs=4).run(submitted_students(made.course, ASSIGNMENT))
        made.grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used) << 10
        assert snapshot(made) == before
        yield made
    remove_tree(made.course.root)  # pytest's own cleaning gives up on thousands of folders in each other


@pytest.fixture(scope="module")
def grades(world: World) -> dict[str, Grade]:
    return read_grades(world.course, ASSIGNMENT)


def points(grades: dict[str, Grade], name: str) -> tuple[float, ...]:
    grade = grades.get(student_id(name))
    return tuple(grade.points[check] for check in CHECKS) if grade else NOTHING


def unexplained(record: Record) -> list[str]:
    """Which exercises lost points without a word."""
    if record.quarantine:
        return []
    lost = {key: each for key, each in record.verdicts.items() if each.points < each.max_points}
    said = {key: [each.note, *(o.message for o in each.outcomes if o.status != "passed")] for key, each in lost.items()}
    return [key for key, texts in said.items() if not any(texts)]


def survivors() -> list[int]:
    """Find the processes that attacks have left behind."""
    processes = psutil.process_iter(["cmdline"])
    return [each.pid for each in processes if SURVIVOR in " ".join(each.info["cmdline"] or [])]


def told(record: Record) -> str:
    """All that a teacher reads about a submission but for its alarms."""
    verdicts = record.verdicts.values()
    messages = [text for each in verdicts for text in (each.note, *(outcome.message for outcome in each.outcomes))]
    return "\n".join([*record.remarks, record.quarantine, *messages])


def test_there_are_enough_and_each_is_another():
    assert len(HOSTILE) == sum(map(len, (MACHINE, KERNEL, EXAMINER, FILES, INSIDER))) >= 100
    assert len({attack.tries for attack in HOSTILE.values()}) == len(HOSTILE)
    assert len({student_id(name) for name in {**HOSTILE, **BYSTANDERS}}) == len(HOSTILE) + len(BYSTANDERS)


class TestAttacks:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_nothing_is_gained(self, grades: dict[str, Grade], name: str):
        assert points(grades, name) == HOSTILE[name].points

    @pytest.mark.parametrize("name", HOSTILE)
    def test_the_teacher_learns_why(self, world: World, name: str):
        record, attack = world.record(name), HOSTILE[name]
        assert unexplained(record) == []
        text = told(record)
        assert re.search(attack.says, text), text
        assert record.quarantine or len(record.verdicts) == len(CHECKS)

    @pytest.mark.parametrize("name", HOSTILE)
    def test_what_only_a_tamperer_does_raises_an_alarm(self, world: World, name: str):
        alarms, attack = world.record(name).alarms, HOSTILE[name]
        wanted = attack.alarm
        if wanted and (alarms or not attack.perhaps):
            assert any(re.search(wanted, alarm) for alarm in alarms), alarms
            assert all(alarm.startswith("something in the notebook talked to the examiner") for alarm in alarms)
        else:
            assert alarms == []

    @pytest.mark.parametrize("name", [name for name, attack in HOSTILE.items() if attack.runs])
    def test_it_was_tried_and_got_hold_of_nothing(self, world: World, name: str):
        printed = world.printed(name)
        assert TRIED in printed, printed
        assert LOOT not in printed, printed

    def test_no_secret_is_in_what_students_get_back(self, world: World):
        secret = world.course.secret
        for folder in (world.course.autograded, world.course.feedback):
            files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
            assert len(files) > len(HOSTILE) / 2
            for path in files:
                data = path.read_bytes()
                assert secret not in data, path
                assert not re.search(rf"{CANARY}-\w{{3}}-\w+".encode(), data), path

    def test_stored_outputs_hold_nothing_that_a_page_would_run(self, world: World):
        kept = {"text/plain", "text/html", "image/png", "image/jpeg"}
        for path in world.course.autograded.glob(f"*/{ASSIGNMENT}/{NOTEBOOK}"):
            cells = nbformat.read(path, as_version=4).cells
            for output in (output for cell in cells for output in cell.get("outputs", [])):
                assert set(output.get("data", {})) <= kept, path
                html = output.get("data", {}).get("text/html", "")
                assert not re.search(r"<(script|base|meta|iframe|svg|form)|\bon\w+\s*=|javascript:", html), path

    def test_nothing_was_reached_on_the_network(self, world: World):
        assert world.connections == []
        socket.create_connection(("127.0.0.1", world.port), timeout=5).close()  # it would have been noticed
        for _ in range(100):
            if world.connections:
                break
            threading.Event().wait(0.05)
        assert world.connections
        world.connections.clear()

    def test_nothing_was_written_outside(self, world: World):
        assert [path.name for path in world.outside.iterdir()] == ["note.txt"]
        find = ["find", str(world.course.root), "-name", "hacked*"]  # some folders are too deep for Python
        assert subprocess.run(find, capture_output=True, text=True, check=True).stdout == ""

    def test_nothing_stays_behind(self, world: World):
        del world
        assert [
            each.pid for each in psutil.process_iter(["cmdline"]) if SURVIVOR in " ".join(each.info["cmdline"] or [])
        ] == []
        assert not [path for path in jobs_folder().iterdir() if (path / "work").exists()]

    def test_the_graders_own_memory_stays_small(self, world: World):
        assert world.grown < 1 << 30
        assert max(path.stat().st_size for path in world.course.autograded.rglob("*.ipynb")) < 40 << 20

    def test_texts_hold_nothing_that_a_terminal_obeys(self, world: World):
        for name in HOSTILE:
            record = world.record(name)
            text = "".join([*record.alarms, told(record)])
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), name
            assert all(len(each) <= 1000 for each in [*record.remarks, *record.alarms])


class TestBystanders:
    @pytest.mark.parametrize("name", BYSTANDERS)
    def test_who_is_honest_is_not_harmed(self, world: World, grades: dict[str, Grade], name: str):
        record = world.record(name)
        assert points(grades, name) == FULL
        assert (record.alarms, record.remarks, record.state) == ([], [], "graded")


class TestWithoutTheDefence:
    """The attacks are real: where a defence is off, they succeed."""

    @pytest.fixture
    def open_world(self, toy_course: Course, tmp_path: Path) -> Iterator[World]:
        with watched(make_world(toy_course, tmp_path)) as made:
            yield made

    def grade(self, world: World, name: str, solved_text: str) -> None:
        world.hand_in("right", BYSTANDERS["right"], solved_text)
        Grading(world.course, ASSIGNMENT).run(["right", world.hand_in(name, HOSTILE[name], solved_text)])

    @pytest.fixture
    def _no_sandbox(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv(sandbox.SANDBOX_VARIABLE, "none")
        monkeypatch.setenv(sandbox.UNSAFE_VARIABLE, "1")
        monkeypatch.setenv(_ENVIRONMENT, f"{CANARY}-env-secret")
        forget_parents()
        yield
        forget_parents()

    @pytest.mark.usefixtures("_no_sandbox")
    @pytest.mark.parametrize("name", ["reads the course", "reads a neighbour", "reads environments"])
    def test_without_the_sandbox_everything_is_read(self, open_world: World, solved_text: str, name: str):
        self.grade(open_world, name, solved_text)
        printed = open_world.printed(name)
        assert LOOT in printed or f"{CANARY}-env-secret" in printed

    @pytest.mark.usefixtures("_no_sandbox")
    @pytest.mark.parametrize("name", ["loopback", "abstract sockets"])
    def test_without_the_sandbox_the_network_is_reached(self, open_world: World, solved_text: str, name: str):
        self.grade(open_world, name, solved_text)
        assert open_world.connections

    def test_a_linked_folder_would_earn_anothers_points(
        self, open_world: World, solved_text: str, monkeypatch: pytest.MonkeyPatch
    ):
        for module in ("folders", "examination"):
            monkeypatch.setattr(f"vitrina_autograder.{module}.refuse_links", lambda _folder: None)
        self.grade(open_world, "linked folder", solved_text)
        assert points(read_grades(open_world.course, ASSIGNMENT), "linked folder") == FULL

    def test_links_that_are_not_set_aside_bring_the_secret_back_to_the_student(
        self, open_world: World, solved_text: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(folders, "is_aside", lambda name: name.endswith(".left-out"))
        self.grade(open_world, "links of all kinds", solved_text)
        files = [path for path in open_world.course.feedback.rglob("*") if path.is_file()]
        assert [path for path in files if open_world.course.secret in path.read_bytes()]

    def test_updates_that_are_not_counted_fill_the_notebook(
        self, open_world: World, solved_text: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(client.Client, "_has_room", lambda *_arguments: True)
        self.grade(open_world, "growing displays", solved_text)
        assert open_world.graded("growing displays").stat().st_size > 30 << 20

    def test_a_kernel_is_watched_for_what_it_leaves(self):
        """A process like those that attacks leave behind would be found."""
        with subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(60)  # {SURVIVOR}"]) as process:
            found = survivors()
            process.kill()
        assert process.pid in found


def test_a_canary_is_seen_where_it_is():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"{CANARY}-env-secret")
        file.flush()
        assert re.search(rf"{CANARY}-\w{{3}}-\w+", Path(file.name).read_text())
    assert os.environ.get(_ENVIRONMENT) in (None, f"{CANARY}-env-secret")
