"""What is read once for a whole class: no submission changes what the next one is compared with."""

from __future__ import annotations

import asyncio
import copy
import json
import os
from queue import Empty
from typing import Any

import nbformat
import pytest
import zmq.asyncio
from jupyter_client.session import Session

from corpus.small_class import hand_in
from corpus.toy_course import ASSIGNMENT, NOTEBOOK, SQUARE
from vitrina_autograder.course import Course
from vitrina_autograder.examination import Paper, restored
from vitrina_autograder.kernel import PromptChannel


def paper(course: Course, student: str = "ana") -> Paper:
    return Paper(course, ASSIGNMENT, student, NOTEBOOK.removesuffix(".ipynb"))


def test_what_is_done_to_one_submission_does_not_reach_the_next(toy: Course, solved: dict[str, Any]):
    hand_in(toy, "ana", solved, {})
    first = restored(paper(toy))
    expected = copy.deepcopy(first)
    first.metadata.clear()
    for cell in first.cells:
        cell.source = "gone"
        cell.metadata.get("nbgrader", {}).update(points=99)
    assert restored(paper(toy)) == expected


def test_a_cell_that_is_put_back_is_no_part_of_the_release(toy: Course, solved: dict[str, Any]):
    solved["cells"] = [cell for cell in solved["cells"] if cell["id"] != SQUARE]
    hand_in(toy, "ana", solved, {})
    first = restored(paper(toy))
    expected = copy.deepcopy(first)
    for cell in first.cells:
        cell.source = "gone"
        cell.metadata.clear()
    assert restored(paper(toy)) == expected


def test_a_new_release_is_read(toy: Course, solved: dict[str, Any]):
    hand_in(toy, "ana", solved, {})
    restored(paper(toy))
    path = paper(toy).release
    release = json.loads(path.read_text(encoding="utf-8"))
    marked = next(cell for cell in release["cells"] if "nbgrader" in cell["metadata"])
    marked["metadata"]["nbgrader"]["points"] = 77
    path.write_text(json.dumps(release), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    points = [cell.metadata.get("nbgrader", {}).get("points") for cell in restored(paper(toy)).cells]
    assert 77 in points
    assert nbformat.read(path, as_version=4).cells


def test_a_channel_waits_for_a_message_or_for_as_long_as_it_was_told():
    async def exchange() -> list[Any]:
        session = Session(key=b"key")
        with zmq.asyncio.Context() as context, context.socket(zmq.PAIR) as ours, context.socket(zmq.PAIR) as theirs:
            theirs.bind("inproc://kernel")
            ours.connect("inproc://kernel")
            channel = PromptChannel(ours, session.clone())
            with pytest.raises(Empty):
                await channel.get_msg(timeout=0.01)
            waiting = asyncio.ensure_future(channel.get_msg())
            await asyncio.sleep(0.01)
            assert not waiting.done()
            for number in range(3):
                await theirs.send_multipart(session.serialize(session.msg("status", {"number": number})))
            later = [await channel.get_msg(timeout=5), await channel.get_msg()]
            return [message["content"]["number"] for message in (await waiting, *later)]

    assert asyncio.run(asyncio.wait_for(exchange(), 20)) == [0, 1, 2]
