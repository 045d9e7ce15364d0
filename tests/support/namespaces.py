"""Network namespaces: one without a way out, for programs that want more than loopback, and several joined ones."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from support.programs import program, run

ADDRESS = "10.99.0.1"


def inside(space: str, *argv: str) -> list[str]:
    """The argv that runs a command in a namespace."""
    return [program("ip"), "netns", "exec", space, *argv]


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace whose veth has ADDRESS. There is no default route: a dead one makes Chromium wait for seconds."""

    name: str

    def command(self, *argv: str) -> list[str]:
        """The argv that runs a command inside."""
        return inside(self.name, *argv)


def uplink(space: str, device: str, router: str, port: str, network: str) -> list[str]:
    """The commands that join a namespace, NETWORK.2, to its router, NETWORK.1, through which it reaches all others."""
    return [
        f"ip -n {space} link add {device} type veth peer name {port} netns {router}",
        f"ip -n {space} addr add {network}.2/24 dev {device}",
        f"ip -n {space} link set {device} up",
        f"ip -n {router} addr add {network}.1/24 dev {port}",
        f"ip -n {router} link set {port} up",
        f"ip -n {space} route add default via {network}.1",
    ]


@contextlib.asynccontextmanager
async def joined(spaces: Sequence[str], commands: str) -> AsyncIterator[None]:
    """Namespaces that shell commands make and join, while the block lasts; then they go, with all that runs in them."""
    searched = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    try:
        await run("sh", "-ec", commands, env={"PATH": searched})
        yield
    finally:
        for space in spaces:
            found = await run(program("ip"), "netns", "pids", space, check=False)
            for pid in found.text.split():
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
