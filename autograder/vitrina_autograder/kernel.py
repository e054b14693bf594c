"""A kernel manager whose kernels run in the sandbox: sockets instead of network ports, all in the job's folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

from vitrina_autograder.disk import FreeSpace, processes_below, used_bytes
from vitrina_autograder.job import Job, Limits
from vitrina_autograder.sandbox import sandboxed

#: A message beyond this never enters the grader's memory: the connection is dropped instead.
_MAX_MESSAGE_BYTES = 16 << 20
#: Nor do more messages than this at a time: a kernel that sends faster than we read has to wait.
_MAX_WAITING_MESSAGES = 8
#: A kernel that takes no message for so long is lost: of its own accord ZeroMQ would keep us waiting for ever.
_SEND_SECONDS = 5


class PromptChannel(AsyncZMQSocketChannel):
    """Takes a message as soon as it is there, where the wait has no limit: of its own accord it would poll first."""

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Get the next message; `queue.Empty` when there was none for so many seconds."""
        return await (self._recv() if timeout is None else super().get_msg(timeout))


class SilentClient(AsyncKernelClient):
    """Asks for no heartbeats: whoever breaks that connection would have us wait for one without end."""

    iopub_channel_class = Type(PromptChannel)  # pyright: ignore[reportAssignmentType]

    def start_channels(self, *channels: bool, **named: bool) -> None:
        """Start all channels but that of heartbeats."""
        super().start_channels(*channels, **{**named, "hb": False})


class SandboxedKernelManager(AsyncKernelManager):
    """Starts an IPython kernel for one job.

    Parameters
    ----------
    job : Job
        The folders of the run.
    limits : Limits
        What the kernel may use.
    modules : sequence of str, optional
        What the warm parent that forks the kernel has imported; without, the kernel starts cold.
    """

    def __init__(self, job: Job, limits: Limits, *, modules: Sequence[str] | None = None, **kwargs: Any) -> None:
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, _MAX_MESSAGE_BYTES)
        context.setsockopt(zmq.RCVHWM, _MAX_WAITING_MESSAGES)
        context.setsockopt(zmq.SNDTIMEO, 1000 * _SEND_SECONDS)
        wires = job.new_wires()
        connection_file = str(wires / "kernel.json")
        super().__init__(
            context=context,
            client_factory=SilentClient,
            transport="ipc",
            ip=str(wires / "kernel"),
            connection_file=connection_file,
            **kwargs,
        )
        self.job = job
        self.limits = limits
        self.wires = wires
        self.modules = modules
        self.group = job.new_group(limits)
        self.filled_disk = False
        self._free_space = FreeSpace(wires)
        self.arguments = ["-f", connection_file, "--log-level=CRITICAL", "--HistoryManager.enabled=False"]
        launcher = [sys.executable, "-m", "ipykernel_launcher", *self.arguments]
        self._spec = KernelSpec(
            argv=sandboxed(launcher, job, limits, wires=wires, group=self.group),
            display_name="Python (sandboxed)",
            language="python",
            interrupt_mode="message",
            metadata={"kernel_provisioner": {"provisioner_name": "vitrina-sandbox"}},
        )

    def write_connection_file(self, **kwargs: Any) -> None:
        """Write the connection file so that the kernel's user can read it."""
        super().write_connection_file(**kwargs)
        self.job.hand_over(Path(self.connection_file))

    def client(self, **kwargs: Any) -> AsyncKernelClient:
        """Get a client with this manager's limits; of its own accord it would make a context without them."""
        return super().client(context=self.context, **kwargs)

    async def _async_interrupt_kernel(self) -> None:
        """Interrupt the kernel if it takes messages; whoever waits for it finds out by themselves if it does not."""
        with suppress(zmq.Again):
            await super()._async_interrupt_kernel()

    interrupt_kernel = _async_interrupt_kernel

    def seal_wires(self) -> None:
        """Take the folder of its sockets from the kernel once they are there: our client would follow links in it.

        A kernel that runs as the grader's own user keeps it.
        """
        if self.job.owner:
            os.chown(self.wires, os.geteuid(), os.getegid())
            self.wires.chmod(0o711)

    def close(self) -> None:
        """Remove what the kernel leaves: its control group with whatever is in it, our ends of its sockets."""
        self.context.destroy(linger=0)
        if self.group:
            self.group.remove()

    def has_filled_disk(self) -> bool:
        """Look whether the kernel has written more than it may to the grader's own disk."""
        if not self._free_space.may_have_shrunk(self.limits.disk_bytes):
            return self.filled_disk
        processes = set(self.group.processes if self.group else processes_below(self.pid))
        used = used_bytes((*self.job.writable, self.wires), processes - {self.pid})  # that one is ours
        self.filled_disk = self.filled_disk or used > self.limits.disk_bytes
        return self.filled_disk

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether the system ended a process of the kernel's because they used more memory than they may."""
        return self.group is not None and self.group.memory_kills > 0

    @property
    def pid(self) -> int:
        """The process below which the kernel and all it starts are."""
        provisioner: Any = self.provisioner
        return provisioner.pid

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command of this job's kernel; there is no such kernel on disk."""
        return self._spec
