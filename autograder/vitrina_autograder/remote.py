"""The worker's side of a cluster: says what the worker is, and examines what arrives as bytes.

A worker keeps what is costly for the next task: the assignment's files, the examiner and the warm parent of kernels.
"""

from __future__ import annotations

import json
import threading
import weakref
from functools import lru_cache
from uuid import uuid4

from vitrina_autograder.bundle import unpack, unpack_task
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.environment import environment
from vitrina_autograder.examination import examine
from vitrina_autograder.job import new_folder, remove_tree, sweep_jobs
from vitrina_autograder.sandbox import sandbox_name, sandbox_problem
from vitrina_autograder.verdicts import text_with_verdicts

#: A worker that was started again may have the address of the one before it, but never its mark.
_MARK = uuid4().hex
_KEPT_ASSIGNMENTS = 4
_unpacking = threading.Lock()


def describe_worker() -> bytes:
    """Describe this worker as JSON: which process, its environment, its sandbox."""
    sweep_jobs()
    problem = sandbox_problem()
    sandbox = "" if problem else sandbox_name()
    facts = {"mark": _MARK, "environment": environment(), "sandbox": sandbox, "sandbox problem": problem}
    return json.dumps(facts).encode()


def examine_task(mark: str, assignment: bytes, task: bytes) -> bytes:
    """Examine a packed submission and give the result as JSON, or why there is none: `stranger`, `fault` or `failed`.

    Parameters
    ----------
    mark : str
        Of the worker that was meant; another one has not been looked at yet, and says that it is a stranger.
    assignment, task : bytes
        From `pack_assignment` and `pack_task`.
    """
    if mark != _MARK:
        return json.dumps({"stranger": True}).encode()
    try:
        return _examined(assignment, task).encode()
    except CourseError as error:
        return json.dumps({"fault": str(error)}).encode()
    except Exception as error:
        return json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode()


def _examined(assignment: bytes, packed: bytes) -> str:
    copy = _assignment_copy(assignment)
    folder = new_folder()
    try:
        unpacked = unpack_task(packed, folder, Course(copy.root))
        task = unpacked.task
        examined = examine(task.paper, task.notebook, unpacked.rules, seeds=unpacked.seeds)
    finally:
        remove_tree(folder)
    return text_with_verdicts({"student": task.paper.student, "fingerprint": task.fingerprint, **vars(examined)})


class _AssignmentCopy:
    """The files of an assignment, on disk for as long as somebody holds this."""

    def __init__(self, bundle: bytes) -> None:
        self.root = new_folder()
        weakref.finalize(self, remove_tree, self.root)
        unpack(bundle, self.root)


def _assignment_copy(bundle: bytes) -> _AssignmentCopy:
    with _unpacking:
        return _unpacked(bundle)


@lru_cache(maxsize=_KEPT_ASSIGNMENTS)
def _unpacked(bundle: bytes) -> _AssignmentCopy:
    return _AssignmentCopy(bundle)
