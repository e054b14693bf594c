"""How fast a class is graded: stock nbgrader and ours, side by side on the same submissions.

    make bench-grading                       40 submissions, once: about six minutes on two cores
    make bench-grading ARGS="--rounds 3"     medians of three rounds
    make bench-grading ARGS="--class 40 --class 400 --no-stock"     whether cost grows in proportion

Stock is `nbgrader autograde` as it comes: one notebook after the other, a new kernel for each, no sandbox, no examiner,
no feedback pages. Ours is `vitrina grade`, from start to the report: sandbox, examiner and feedback included. CPU
seconds and memory are sampled over all processes of a run; what a process uses in its last moment is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import matplotlib as mpl
import nbformat
import psutil
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from vitrina_autograder.build import build_assignment
from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.demo import CLASS, solved
from vitrina_autograder.exercise import load_exercises
from vitrina_autograder.materials import write_materials
from vitrina_autograder.release import release_assignment

ASSIGNMENT = "week2"
_EVERY = 0.05
_MEGABYTE = 1 << 20
#: Who ends the kernel or never ends would measure limits, not speed; a copied cell stops stock nbgrader's whole run.
_UNUSUAL = ("gala-endless-loop", "hugo-exit", "ines-copied-cells")
_COLD = (
    "from vitrina_autograder import provisioner, grade, cli\n"
    "provisioner.warm_parent = grade.warm_parent = lambda *_given: None\n"
    "cli.app()"
)
#: A submission's own computation: its cells in one process that has everything imported, as after a fork.
_OWN = """
import gc, sys, time, nbformat, keras, tensorflow, matplotlib.pyplot, vitrina.practice
from IPython.core.interactiveshell import InteractiveShell
cells = [cell.source for cell in nbformat.read(sys.argv[1], as_version=4).cells if cell.cell_type == "code"]
shell = InteractiveShell.instance()
gc.collect(); gc.freeze()
start = time.process_time()
for source in cells:
    shell.run_cell(source)
print("own", time.process_time() - start)
"""

console = Console(width=max(90, Console().width))


@dataclass
class Cost:
    """What one run took: seconds on the clock, CPU seconds, megabytes of one kernel alone, megabytes of all."""

    wall: float = 0.0
    cpu: float = 0.0
    kernel: float = 0.0
    memory: float = 0.0


@dataclass
class Meter:
    """Samples the CPU time and memory of a process and of everything it starts."""

    pid: int
    cost: Cost = field(default_factory=Cost)
    _seen: dict[tuple[int, float], float] = field(default_factory=dict[tuple[int, float], float])
    _done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Sample until `stop` is called."""
        for turn in itertools.count():
            if self._done.wait(_EVERY):
                break
            with contextlib.suppress(psutil.Error):
                main = psutil.Process(self.pid)
                self._sample([main, *main.children(recursive=True)], memory=turn % 20 == 0)

    def stop(self) -> Cost:
        """Give what was used up to now."""
        self._done.set()
        self.cost.cpu = sum(self._seen.values())
        return self.cost

    def _sample(self, processes: Sequence[psutil.Process], *, memory: bool) -> None:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                self._seen[process.pid, process.create_time()] = sum(process.cpu_times()[:2])
        if memory:
            shares = [(_megabytes(process), process) for process in processes]
            self.cost.memory = max(self.cost.memory, sum(pss for (_uss, pss), _process in shares))
            self.cost.kernel = max(self.cost.kernel, *(uss for (uss, _pss), one in shares if _is_kernel(one)), 0.0)


def _is_kernel(process: psutil.Process) -> bool:
    """Whether a process is a kernel: of a forked one command and parent's command are the warm parent's."""
    with contextlib.suppress(psutil.Error):
        command, parent = process.cmdline(), process.parent()
        if "ipykernel_launcher" in command:
            return True
        return "warm" in command and parent is not None and parent.cmdline() == command
    return False


def _megabytes(process: psutil.Process) -> tuple[float, float]:
    """Memory that only this process has, and its share of all."""
    with contextlib.suppress(psutil.Error):
        full = process.memory_full_info()
        return full.uss / _MEGABYTE, full.pss / _MEGABYTE
    return 0.0, 0.0


def measure(command: Sequence[str | Path], folder: Path) -> Cost:
    """Run a command in a folder; its output is shown only when it fails."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        meter = Meter(process.pid)
        threading.Thread(target=meter.run, daemon=True).start()
        status = process.wait()
        cost = meter.stop()
        cost.wall = time.monotonic() - start
        if status:
            output.seek(0)
            raise SystemExit(f"{command} failed:\n{output.read().decode(errors='replace')[-3000:]}")
    return cost


@contextlib.contextmanager
def courses(folder: Path) -> Generator[tuple[Course, Path]]:
    """Make two courses with the same release: ours, and one that stock nbgrader finds with its own settings."""
    project = Course.find()
    ours, stock = Course(folder / "ours"), folder / "stock"
    shutil.copytree(project.assignments, ours.assignments)
    shutil.copyfile(project.root / CONFIG_NAME, ours.root / CONFIG_NAME)
    build_assignment(ours, ASSIGNMENT, write_materials(ours, ASSIGNMENT))
    release_assignment(ours, ASSIGNMENT)
    stock.mkdir()
    (stock / CONFIG_NAME).write_text("c = get_config()\nc.CourseDirectory.course_id = 'stock'\n")
    shutil.copytree(ours.source, stock / "source")
    subprocess.run([_script("nbgrader"), "generate_assignment", ASSIGNMENT], cwd=stock, check=True, capture_output=True)
    yield ours, stock


def _script(name: str) -> Path:
    return Path(sys.executable).parent / name


def hand_in(course: Course, folder: Path, count: int) -> Path:
    """Write submissions: right ones, right in another way, and wrong ones; give the solved notebook."""
    (source,) = (course.source / ASSIGNMENT).glob("*.ipynb")
    exercises = load_exercises(course.assignment_folder(ASSIGNMENT))
    kinds = [classmate for classmate in CLASS if classmate.name not in _UNUSUAL]
    shutil.rmtree(folder, ignore_errors=True)
    for number, classmate in zip(range(count), itertools.cycle(kinds), strict=False):
        notebook = solved(source, exercises)
        classmate.change(notebook)
        path = folder / f"student-{number:03d}" / ASSIGNMENT / source.name
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return folder / "student-000" / ASSIGNMENT / source.name


def grade_ours(course: Course, count: int, *, jobs: int, warm: bool = True) -> Cost:
    """Grade a class with `vitrina grade`."""
    hand_in(course, course.submitted, count)
    program = [_script("vitrina")] if warm else [sys.executable, "-c", _COLD]
    return measure([*program, "grade", ASSIGNMENT, "--force", "--jobs", str(jobs)], course.root)


def grade_stock(course: Course, stock: Path, count: int) -> Cost:
    """Grade the same class with `nbgrader autograde`."""
    hand_in(course, stock / "submitted", count)
    return measure([_script("nbgrader"), "autograde", ASSIGNMENT, "--force"], stock)


def own_seconds(course: Course) -> float:
    """CPU seconds of a submission's own computation, the median of three."""
    notebook = hand_in(course, course.submitted, 1)
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, "1"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    command = [sys.executable, "-c", _OWN, notebook]
    seconds: list[float] = []
    for _round in range(3):
        done = subprocess.run(
            command, cwd=course.release / ASSIGNMENT, env=environment, capture_output=True, text=True, check=True
        )
        seconds.append(float(done.stdout.split("own ")[-1]))
    return median(seconds)


@dataclass
class Row:
    """One line of the table: what was run, on how many submissions, and what it cost in each round."""

    name: str
    count: int
    costs: list[Cost] = field(default_factory=list[Cost])

    def of(self, what: str) -> float:
        """Median of a cost over the rounds."""
        return median(getattr(cost, what) for cost in self.costs)


def run(sizes: Sequence[int], rounds: int, jobs: int, *, stock: bool) -> tuple[list[Row], float]:
    """Run everything, the rounds interleaved; give the rows and a submission's own CPU seconds."""
    with tempfile.TemporaryDirectory() as folder, courses(Path(folder)) as (ours, theirs):
        rows = [Row(f"vitrina, {jobs} jobs", size) for size in sizes]
        first = min(sizes)
        single = Row("vitrina, 1 job", first)
        cold = Row("vitrina, 1 job, cold", max(1, first // 4))
        other = Row("nbgrader autograde", first)
        for number in range(rounds):
            console.print(f"round {number + 1} of {rounds}", style="dim")
            for row in rows:
                row.costs.append(grade_ours(ours, row.count, jobs=jobs))
            if stock:
                other.costs.append(grade_stock(ours, theirs, first))
                single.costs.append(grade_ours(ours, first, jobs=1))
                cold.costs.append(grade_ours(ours, cold.count, jobs=1, warm=False))
        return [*([other, cold, single] if stock else []), *rows], own_seconds(ours)


def show(rows: Sequence[Row], own: float) -> None:
    """Print the table."""
    table = Table("run", "class", "wall s", "a minute", "ratio", "CPU s each", "kernel MB", "all MB", box=SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    base = rows[0].of("wall") / rows[0].count
    for row in rows:
        each = row.of("wall") / row.count
        cells = (row.of("wall"), 60 / each, base / each, row.of("cpu") / row.count, row.of("kernel"), row.of("memory"))
        table.add_row(row.name, str(row.count), *(f"{cell:.4g}" for cell in cells))
    console.print(table)
    console.print(f"A submission's own computation: {own:.2f} CPU seconds, in a process that has all imported.")


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw how many submissions each way grades a minute."""
    mpl.use("agg")
    import matplotlib.pyplot as plt

    names = [f"{row.name}, {row.count}" for row in rows]
    speeds = [60 * row.count / row.of("wall") for row in rows]
    figure, axes = plt.subplots(figsize=(7, 0.5 + 0.45 * len(rows)), layout="constrained")
    bars = axes.barh(names, speeds, color=["0.7" if "nbgrader" in name else "#28629c" for name in names])
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("submissions a minute")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    console.print(f"plot: {os.path.relpath(path)}")


def main() -> None:
    """Read the options, run, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="make bench-grading"
    )
    parser.add_argument("--class", dest="sizes", type=int, action="append", help="size of a class; may be repeated")
    parser.add_argument("--rounds", type=int, default=1, help="how often everything is run")
    parser.add_argument("--jobs", type=int, default=1 + (os.cpu_count() or 1), help="submissions at once")
    parser.add_argument("--no-stock", action="store_true", help="leave out all that is there to compare with")
    options = parser.parse_args()
    rows, own = run(options.sizes or [40], options.rounds, options.jobs, stock=not options.no_stock)
    show(rows, own)
    draw(rows, Course.find().build / "benchmarks" / "grading.png")


if __name__ == "__main__":
    main()
