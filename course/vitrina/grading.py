"""The student's side of grading: answer the examiner's questions over its socket.

Nothing here knows a right answer or writes a score: the examiner judges what arrives and keeps the verdict.
"""

from __future__ import annotations

import socket

from vitrina.calling import ask
from vitrina.judging import Reply, Verdict
from vitrina.messages import _
from vitrina.protocol import ProtocolError, receive, send

_CONNECT_SECONDS = 30.0


def sit_exam(exercise_id: str, answer: object, address: str) -> Verdict:
    """Let the examiner put its cases to the student's answer.

    Parameters
    ----------
    exercise_id : str
        The exercise named in the notebook's `check(...)` cell.
    answer : object
        The student's function or value.
    address : str
        Path of the examiner's Unix socket.

    Returns
    -------
    Verdict
        Without points: the verdict stays with the examiner.
    """
    name = str(exercise_id)  # what a student names by mistake need not be a text
    note = _("sent to the examiner")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(address)
            send(connection, {"exercise": name})
            while (message := receive(connection)).get("ask"):
                reply = ask(answer, message["arguments"], seconds=float(message["seconds"])).reply
                send(connection, _frame(reply))
            note = str(message.get("note") or note)
    except (OSError, ProtocolError) as error:
        note = _("the examiner cannot be reached: {error}").format(error=error)
    return Verdict(name, name, 0.0, note=note)


def _frame(reply: Reply) -> dict[str, object]:
    return {
        "status": reply.status,
        "value": reply.value,
        "error": reply.error,
        "mutated": list(reply.mutated),
    }
