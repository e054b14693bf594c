"""A kernel provisioner of jupyter_client: kernels in the sandbox, forked from a warm parent where there is one."""

from __future__ import annotations

from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from vitrina_autograder.warm import WarmError, WarmKernel, warm_parent

#: A warm parent that was lost is replaced, once.
_ATTEMPTS = 2


class SandboxProvisioner(LocalProvisioner):
    """Starts the kernel of a `SandboxedKernelManager`; everything else is as with a local process."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a warm kernel, or start the command where that is not possible."""
        for _attempt in range(_ATTEMPTS):
            kernel = self._forked()
            if kernel is not None:
                self.process, self.pid = kernel, kernel.pid
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def poll(self) -> int | None:
        """Get the exit status, or `None` while it runs; whoever waits asks every second, and so the disk is watched."""
        manager: Any = self.parent
        status = await super().poll()
        if status is None and self.process and not manager.filled_disk and manager.has_filled_disk():
            await self.kill()
        return status

    def _forked(self) -> WarmKernel | None:
        manager: Any = self.parent
        parent = warm_parent(manager.modules, manager.limits.absent) if manager.modules is not None else None
        if parent is None:
            return None
        try:
            return parent.fork(manager.job, manager.limits, manager.wires, manager.arguments, manager.group)
        except WarmError as error:
            self.log.warning("%s", error)
            return None
