"""Time is counted as if the machine were free, however busy it is."""

import subprocess
import sys
import time

import psutil

from vitrina.load import waited_seconds
from vitrina_autograder.stopwatch import Stopwatch


def spin(count: int) -> list[subprocess.Popen[bytes]]:
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]


def test_work_counts_and_waiting_for_a_processor_does_not():
    cores = len(psutil.Process().cpu_affinity())
    crowd = spin(6 * cores)
    try:
        watch = Stopwatch(crowd[0].pid)
        start = time.monotonic()
        time.sleep(3)
        taken = watch.seconds()
        clock = time.monotonic() - start
    finally:
        for process in crowd:
            process.kill()
    assert taken < clock / 2
    assert taken > clock / 30


def test_doing_nothing_counts_and_children_too():
    code = (
        "import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', 'import time; t = time.process_time()\\n"
    )
    code += "while time.process_time() < t + 1: pass'])\nprint(1, flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        watch = Stopwatch(process.pid)
        assert process.stdout
        process.stdout.readline()
        worked = watch.seconds()
        time.sleep(0.5)
        slept = watch.seconds()
        process.kill()
    assert worked >= 1
    assert slept >= worked + 0.4


def test_a_process_that_is_gone_took_no_more_than_the_clock():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        watch = Stopwatch(process.pid)
    assert 0 <= watch.seconds() < 60


def test_a_process_that_there_is_not_has_not_waited():
    assert waited_seconds() >= 0
    assert waited_seconds(2**22 + 1) == 0
