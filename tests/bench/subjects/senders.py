"""What carries a file from one folder to another: our own command over a tunnel, magic-wormhole, scp."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import psutil

from bench.subjects.proxies import ProxySubject, engine_arguments
from support.homes import Home
from support.http import Origin
from support.mayfly import OPEN_LOOPBACK, MayflyProcess, introduce, split_address
from support.moving import move
from support.programs import Program, accepts, free_port, program, run
from support.ssh import SshServer

LONG = 3600.0


class Carrier(Protocol):
    """Something that carries files."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    async def carry(self, what: Path, into: Path) -> float:
        """Seconds until it stands whole in that folder, from when both ends had agreed on it."""
        ...


@dataclass(frozen=True, slots=True)
class Friends:
    """A relay and a client with a home each, and the tunnel between them as a SOCKS proxy."""

    name: str
    proxy: ProxySubject
    sender: Home
    receiver: Home
    relay: psutil.Process
    client: psutil.Process

    async def carry(self, what: Path, into: Path) -> float:
        """From the relay to the client. `into` has to be the receiver's folder."""
        assert into == self.receiver.files
        return await move(what, self.sender, self.receiver, LONG)


@contextlib.asynccontextmanager
async def friends(name: str, engine: str, origin: Origin, folder: Path) -> AsyncIterator[Friends]:
    """Connected. `engine` is the tunnel's name in the table of speeds."""
    sender, receiver = Home.made(folder / "anna"), Home.made(folder / "ben")
    arguments = engine_arguments(engine)
    async with (
        MayflyProcess.running("relay", *arguments, *OPEN_LOOPBACK, env=sender.env) as relay,
        MayflyProcess.running("client", "-", *arguments, "--socks", "127.0.0.1:0", env=receiver.env) as client,
    ):
        await introduce(relay, client)
        await relay.event("connected")
        address = split_address((await client.event("listening"))["address"])
        ends = [relay.process, client.process]
        proxy = ProxySubject(name, address, origin, folder, lambda: ends)
        yield Friends(name, proxy, sender, receiver, relay.process, client.process)


@dataclass(frozen=True, slots=True)
class Wormhole:
    """magic-wormhole with a mailbox server of its own; the two ends connect directly."""

    name: str
    mailbox: str

    async def carry(self, what: Path, into: Path) -> float:
        """From the receiver's word that it receives to its end: what goes before is people and the server."""
        options = ("--relay-url", self.mailbox, "--transit-helper", "")
        command = (sys.executable, "-m", "wormhole", *options)
        code = f"7-bench-{time.monotonic_ns()}"
        async with (
            Program.running(*command, "send", "--hide-progress", "--code", code, what),
            Program.running(*command, "receive", "--hide-progress", "--accept-file", "-o", into, code) as receiver,
        ):
            await receiver.wait_for_line("Receiving")
            started = time.perf_counter()
            if await receiver.wait(LONG):
                raise receiver.error("failed")
            return time.perf_counter() - started


def has_wormhole() -> bool:
    """Whether both magic-wormhole and its mailbox server are installed."""
    return all(find_spec(name) for name in ("wormhole", "wormhole_mailbox_server"))


@contextlib.asynccontextmanager
async def wormhole(name: str, folder: Path) -> AsyncIterator[Wormhole]:
    """With the mailbox server running."""
    port = free_port()
    server = ("wormhole-mailbox", f"--port=tcp:{port}:interface=127.0.0.1", "--channel-db=:memory:")
    async with Program.running(sys.executable, "-m", "twisted", *server, cwd=folder):
        await accepts("127.0.0.1", port)
        yield Wormhole(name, f"ws://127.0.0.1:{port}/v1")


@dataclass(frozen=True, slots=True)
class Scp:
    """scp to the server that `ssh -D` uses. Its start and its log-in count too: it has no other way."""

    name: str
    server: SshServer

    async def carry(self, what: Path, into: Path) -> float:
        """From its start to its end."""
        target = f"{self.server.host}:{into}/"
        started = time.perf_counter()
        await run(
            program("scp"), "-q", *_with_user(self.server), "-P", str(self.server.port), what, target, timeout=LONG
        )
        return time.perf_counter() - started


def _with_user(server: SshServer) -> tuple[str, ...]:
    """scp has no -l for the user."""
    at = server.options.index("-l")
    user = server.options[at + 1]
    return (*server.options[:at], *server.options[at + 2 :], "-o", f"User={user}")
