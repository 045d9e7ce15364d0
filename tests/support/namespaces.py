"""Network namespaces: one without a way out, for programs that want more than loopback, and several joined ones."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from support.programs import program, run

ADDRESS = "10.99.0.1"


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace whose veth has ADDRESS. There is no default route: a dead one makes Chromium wait for seconds."""

    name: str

    def command(self, *argv: str) -> list[str]:
        """The argv that runs a command inside."""
        return [program("ip"), "netns", "exec", self.name, *argv]


@contextlib.asynccontextmanager
async def joined(spaces: Sequence[str], commands: str) -> AsyncIterator[None]:
    """Namespaces that shell commands make and join, while the block lasts; then they go, with all that runs in them."""
    searched = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    try:
        await run("sh", "-ec", commands, env={"PATH": searched})
        yield
    finally:
        for space in spaces:
            inside = await run(program("ip"), "netns", "pids", space, check=False)
            for pid in inside.text.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            await run(program("ip"), "netns", "del", space, check=False)


@contextlib.asynccontextmanager
async def namespace() -> AsyncIterator[Namespace]:
    """A namespace while the block lasts; needs root."""
    ip = program("ip")
    name = f"mayfly-{os.getpid()}"
    await run(ip, "netns", "add", name)
    try:
        for line in (
            "link set lo up",
            "link add here type veth peer name there",
            f"addr add {ADDRESS}/30 dev here",
            "link set here up",
            "link set there up",
        ):
            await run(ip, "-n", name, *line.split())
        yield Namespace(name)
    finally:
        await run(ip, "netns", "del", name)
