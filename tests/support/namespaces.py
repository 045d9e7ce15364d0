"""A network namespace with an interface and no way out, for programs that want more of a network than loopback."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
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
