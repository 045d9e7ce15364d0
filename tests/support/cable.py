"""Two network namespaces joined by a cable that can be pulled, and that counts what goes through it. Needs root.

No address leads anywhere else, and the kernel counts: nothing that the programs under test say of themselves is needed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from support.namespaces import inside
from support.programs import Program, program, run

NEAR, FAR = "10.97.0.1", "10.97.0.2"
_numbers = itertools.count()
_DEVICE = "eth0"
_SENT = 8
"""Which number behind a device's name in /proc/net/dev is its transmitted bytes."""


@dataclass(frozen=True, slots=True)
class Plug:
    """One end of the cable: where a program runs, and its address."""

    namespace: str
    address: str
    _holder: int

    def command(self) -> list[str]:
        """What stands before a command that shall run here."""
        return inside(self.namespace)

    def sent(self) -> int:
        """Bytes that have left here so far, all headers with them."""
        for line in Path(f"/proc/{self._holder}/net/dev").read_text(encoding="ascii").splitlines():
            name, _, numbers = line.partition(":")
            if name.strip() == _DEVICE:
                return int(numbers.split()[_SENT])
        raise AssertionError("the cable is gone")


@dataclass(frozen=True, slots=True)
class Cable:
    """Both ends."""

    near: Plug
    far: Plug

    async def pull(self) -> None:
        """Nothing passes any more."""
        await self._set("down")

    async def plug_in(self) -> None:
        """It passes again."""
        await self._set("up")

    async def _set(self, state: str) -> None:
        await run(program("ip"), "-n", self.near.namespace, *f"link set {_DEVICE} {state}".split())


@contextlib.asynccontextmanager
async def cable() -> AsyncIterator[Cable]:
    """A cable while the block lasts. Several may be there at once: each has namespaces of its own."""
    ip = program("ip")
    tag = f"mfc{os.getpid()}x{next(_numbers)}"
    names = {f"{tag}n": NEAR, f"{tag}f": FAR}
    near, far = names
    async with contextlib.AsyncExitStack() as stack:
        for name in names:
            stack.push_async_callback(run, ip, "netns", "del", name, check=False)
            await run(ip, "netns", "add", name)
            await run(ip, "-n", name, *["link", "set", "lo", "up"])
        await run(ip, *f"link add {_DEVICE} netns {near} type veth peer name {_DEVICE} netns {far}".split())
        plugs = []
        for name, address in names.items():
            await run(ip, "-n", name, *f"addr add {address}/24 dev {_DEVICE}".split())
            await run(ip, "-n", name, *f"link set {_DEVICE} up".split())
            waiter = (sys.executable, "-c", "print('here', flush=True); input()")
            holder = await stack.enter_async_context(Program.running(*inside(name, *waiter)))
            await holder.wait_for_line("here")
            plugs.append(Plug(name, address, holder.pid))
        yield Cable(*plugs)
