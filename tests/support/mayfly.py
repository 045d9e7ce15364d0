"""The `mayfly` command driven as a machine would drive it: --json events out, codes in on standard input."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.homes import at_home
from support.programs import Program, ProgramError

if TYPE_CHECKING:
    import psutil

Event = dict[str, Any]

LOOPBACK = ("--engine", "aiortc", "--bind", "127.0.0.1")
"""The engine is named because `auto`, where wrtc is installed, says that it takes this one for the sake of --bind."""
OPEN_LOOPBACK = ("--allow", "127.0.0.1:*")


def command() -> list[str]:
    """The installed script where this interpreter has one, else the module."""
    script = Path(sys.executable).with_name("mayfly")
    return [str(script)] if script.exists() else [sys.executable, "-m", "mayfly_cli"]


class MayflyProcess:
    """One `mayfly` process under --json. Each event is handed out once for its name, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.garbage: list[str] = []
        self._taken: dict[str, int] = {}
        self._program: Program | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls,
        *args: str | Path,
        env: Mapping[str, str] | None = None,
        redirect: str | None = None,
        within: Sequence[str] = (),
    ) -> AsyncIterator[MayflyProcess]:
        """Start `mayfly ARGS --json`; killed and reaped at the end of the block.

        It has a home of its own unless `env` is a Home's. `redirect` is what a shell would have behind the command,
        `within` what stands before it: another network's, for example.
        """
        self = cls()
        argv: list[str | Path] = [*within, *command(), *args, "--json"]
        if redirect is not None:
            argv = ["sh", "-c", f'exec "$0" "$@" {redirect}', *argv]
        with at_home(env) as variables:
            async with Program.running(*argv, env=variables, on_line=self.take_line) as program:
                program.name = f"mayfly {args[0]}"
                self.attach(program)
                yield self

    def attach(self, program: Program) -> None:
        """Take over a process that was started otherwise, with `take_line` as its `on_line`."""
        self._program = program

    @property
    def program(self) -> Program:
        """The child process."""
        assert self._program is not None
        return self._program

    def take_line(self, line: str) -> None:
        """One line of its standard output."""
        try:
            event = json.loads(line)
        except ValueError:
            self.garbage.append(line)
            return
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            self.events.append(event)
        else:
            self.garbage.append(line)

    def named(self, name: str) -> list[Event]:
        """All events of that name so far."""
        return [event for event in self.events if event["event"] == name]

    async def event(self, name: str, timeout: float = 30.0) -> Event:
        """The next event of that name. An error event that nobody waits for fails the test at once."""
        at = self._taken.get(name, 0)
        errors = len(self.named("error"))

        def arrived() -> bool:
            if name != "error" and len(self.named("error")) > errors and len(self.named(name)) <= at:
                raise ProgramError(f"an error came while a test waited for {name!r}: {self.named('error')[-1]}")
            return len(self.named(name)) > at

        await self.program.until(arrived, f"the event {name!r}", timeout)
        self._taken[name] = at + 1
        return self.named(name)[at]

    async def code(self, kind: str = "offer") -> str:
        """The next code that it gives away, which must be of that kind."""
        event = await self.event("code")
        assert event["kind"] == kind, event
        return str(event["code"])

    async def send_code(self, code: str) -> None:
        """Paste the other side's code."""
        await self.program.write_line(code)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.program.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """As a crash or an empty battery would: no goodbye."""
        self.program.send_signal(signal.SIGKILL)

    def pause(self) -> None:
        """Stop it from running, sockets open: a link that goes silent."""
        self.program.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run again."""
        self.program.send_signal(signal.SIGCONT)

    async def ends(self, status: int, timeout: float = 30.0) -> None:
        """Wait for its end, which must be with that exit status."""
        found = await self.wait(timeout)
        if found != status:
            raise self.program.error(f"ended with status {found} instead of {status}")

    async def wait(self, timeout: float = 30.0) -> int:
        """Its exit status, once it has ended."""
        return await self.program.wait(timeout)

    @property
    def process(self) -> psutil.Process:
        """For memory, descriptors and processor time. The demo runs without psutil, a developer's tool."""
        import psutil

        return psutil.Process(self.program.pid)

    def resident(self) -> int:
        """Resident memory in bytes."""
        return int(self.process.memory_info().rss)

    def cpu_seconds(self) -> float:
        """Processor time so far, user and system."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass(slots=True)
class Tunnel:
    """A relay and a client that are connected, and where the client's proxy listens."""

    relay: MayflyProcess
    client: MayflyProcess
    relay_connected: Event
    client_connected: Event
    host: str
    port: int

    @property
    def proxy(self) -> str:
        """HOST:PORT as curl takes it."""
        return f"{self.host}:{self.port}"


async def introduce(offerer: MayflyProcess, answerer: MayflyProcess, offer: str | None = None) -> None:
    """Carry the codes between two processes, as two people would. With `offer`, the answerer has it already."""
    if offer is None:
        await answerer.send_code(await offerer.code("offer"))
    await offerer.send_code(await answerer.code("answer"))


def split_address(address: str) -> tuple[str, int]:
    """HOST:PORT of a listening event."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


@contextlib.asynccontextmanager
async def connected_client(
    relay: MayflyProcess, *args: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[Tunnel]:
    """One more client on a relay that offers: the relay's next code is given to it on the command line."""
    offer = await relay.code("offer")
    argv = ("client", offer, *LOOPBACK, "--socks", "127.0.0.1:0", *args)
    async with MayflyProcess.running(*argv, env=env) as client:
        await introduce(relay, client, offer)
        yield await _settled(relay, client)


async def _settled(relay: MayflyProcess, client: MayflyProcess) -> Tunnel:
    client_connected = await client.event("connected")
    relay_connected = await relay.event("connected")
    host, port = split_address((await client.event("listening"))["address"])
    return Tunnel(relay, client, relay_connected, client_connected, host, port)


@contextlib.asynccontextmanager
async def tunnel(
    relay_args: Sequence[str] = OPEN_LOOPBACK,
    client_args: Sequence[str] = (),
    *,
    client_offers: bool = False,
    env: Mapping[str, str] | None = None,
    client_env: Mapping[str, str] | None = None,
) -> AsyncIterator[Tunnel]:
    """A relay and a client on loopback, connected. With `client_offers` the reverse direction: the relay answers.

    `env` is for both, `client_env` for the client instead.
    """
    client_env = env if client_env is None else client_env
    relay_argv = ("relay", *LOOPBACK, *relay_args)
    if not client_offers:
        async with (
            MayflyProcess.running(*relay_argv, env=env) as relay,
            connected_client(relay, *client_args, env=client_env) as pair,
        ):
            yield pair
        return
    client_argv = ("client", *LOOPBACK, "--socks", "127.0.0.1:0", *client_args)
    async with MayflyProcess.running(*client_argv, env=client_env) as client:
        offer = await client.code("offer")
        async with MayflyProcess.running("relay", offer, *relay_argv[1:], env=env) as relay:
            await introduce(client, relay, offer)
            yield await _settled(relay, client)
