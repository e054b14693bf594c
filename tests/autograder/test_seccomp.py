"""The filter of system calls, on both kinds of machines: its program is run here step by step."""

from __future__ import annotations

import errno
import struct

import pytest

from vitrina_autograder.inside.seccomp import ALWAYS, SAME_USER, UNDIVIDED, Check, Rule, assemble, own_signals_only

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED = "allowed"
UNSHARE, SOCKET, CLONE, IOCTL, CLONE3 = (
    {"x86_64": first, "aarch64": second} for first, second in [(272, 97), (41, 198), (56, 220), (16, 29), (435, 435)]
)
READ = {"x86_64": 0, "aarch64": 63}
UNIX, INTERNET, VIRTUAL_MACHINE = 1, 2, 40
STREAM, DATAGRAM, NON_BLOCKING = 1, 2, 0x800


def run(program: bytes, machine: str, number: int, *arguments: int) -> str:
    """Give what the filter says to a call: "allowed", or the name of its error ("success" if it only pretends)."""
    seen = struct.pack("iIQ6Q", number, MACHINES[machine], 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    steps = list(struct.iter_unpack("HBBI", program))
    value = place = 0
    while True:
        operation, if_true, if_not, constant = steps[place]
        place += 1
        match operation:
            case 0x20:
                (value,) = struct.unpack_from("I", seen, constant)
            case 0x54:
                value &= constant
            case 0x05:
                place += constant
            case 0x15:
                place += if_true if value == constant else if_not
            case 0x35:
                place += if_true if value >= constant else if_not
            case 0x06:
                error = constant & 0xFFFF
                return ALLOWED if constant == 0x7FFF0000 else errno.errorcode[error] if error else "success"
            case _:
                raise AssertionError(f"no such operation: {operation:#x}")


@pytest.mark.parametrize("machine", MACHINES)
class TestFilter:
    def test_what_is_not_named_is_allowed(self, machine: str):
        for rules in (ALWAYS, (*ALWAYS, *UNDIVIDED, *SAME_USER, *own_signals_only(1))):
            assert run(assemble(rules, machine), machine, READ[machine]) == ALLOWED

    def test_what_is_named_fails(self, machine: str):
        program = assemble(ALWAYS, machine)
        assert run(program, machine, UNSHARE[machine], 0) == "EPERM"
        assert run(program, machine, CLONE3[machine]) == "ENOSYS"

    def test_calls_of_another_architecture_fail(self, machine: str):
        other = next(name for name in MACHINES if name != machine)
        assert run(assemble(ALWAYS, machine), other, READ[machine]) == "ENOSYS"

    def test_processes_and_threads_but_no_namespaces(self, machine: str):
        program = assemble(ALWAYS, machine)
        for flags, expected in [(17, ALLOWED), (0x3D0F00, ALLOWED), (0x10000011, "EPERM"), (0x20011, "EPERM")]:
            assert run(program, machine, CLONE[machine], flags) == expected

    @pytest.mark.parametrize(
        ("family", "kind", "with_namespaces", "without"),
        [
            (UNIX, STREAM | NON_BLOCKING, ALLOWED, ALLOWED),
            (UNIX, DATAGRAM, ALLOWED, "ENOTSUP"),
            (INTERNET, STREAM, ALLOWED, "ENOTSUP"),
            (VIRTUAL_MACHINE, STREAM, "ENOTSUP", "ENOTSUP"),
        ],
    )
    def test_sockets(self, machine: str, family: int, kind: int, with_namespaces: str, without: str):
        for rules, expected in ((ALWAYS, with_namespaces), ((*ALWAYS, *UNDIVIDED), without)):
            assert run(assemble(rules, machine), machine, SOCKET[machine], family, kind) == expected

    def test_of_terminals_all_but_typing_for_others(self, machine: str):
        program = assemble(ALWAYS, machine)
        for request, expected in [(0x5401, ALLOWED), (0x5412, "EPERM"), (0x541C, "EPERM"), (1 << 32 | 0x5412, "EPERM")]:
            assert run(program, machine, IOCTL[machine], 0, request) == expected

    def test_signals_to_itself(self, machine: str):
        program = assemble(own_signals_only(77), machine)
        kill = {"x86_64": 62, "aarch64": 129}[machine]
        answers = [run(program, machine, kill, process) for process in (77, 0, 78, 1, 0xFFFFFFFF)]
        assert answers == [ALLOWED, ALLOWED, "EPERM", "EPERM", "EPERM"]

    def test_modes_and_times_of_files_only_seem_to_change(self, machine: str):
        program = assemble(SAME_USER, machine)
        fchmod, setxattr = {"x86_64": (91, 188), "aarch64": (52, 5)}[machine]
        assert run(program, machine, fchmod) == "success"
        assert run(program, machine, setxattr) == "ENOTSUP"

    def test_of_two_rules_for_one_call_the_last_counts(self, machine: str):
        rules = (Rule("read 0 63"), Rule("read 0 63", errno.EIO, (Check(1, [5, 6], among=False), Check(2, [7]))))
        program = assemble(rules, machine)
        answers = [run(program, machine, READ[machine], 0, *each) for each in ((4, 7), (5, 7), (6, 7), (4, 8))]
        assert answers == [ALLOWED, "EIO", "EIO", "EIO"]
