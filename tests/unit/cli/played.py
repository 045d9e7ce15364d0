"""A running program that a test plays behind its control socket, and who listens to a command."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from mayfly.errors import MayflyError
from mayfly.runtime.control import ControlConnection, ControlServer, Request
from mayfly.runtime.control_client import ControlClient
from mayfly_cli.attaching import Desk
from mayfly_cli.machines import Machines
from mayfly_cli.people import People

Answer = dict[str, Any] | MayflyError | Callable[[dict[str, Any]], dict[str, Any]]

TRANSFER = "ab" * 16
OFFER: dict[str, Any] = {
    "event": "offered",
    "transfer": TRANSFER,
    "peer": 1,
    "from": "anna",
    "kind": "files",
    "name": "film.mkv",
    "size": 2000,
    "files": 1,
}
STATUS: dict[str, Any] = {
    "event": "status",
    "session": "relay",
    "program": "relay",
    "pid": 4711,
    "uptime": 60.0,
    "draining": False,
    "name": "relay",
    "who": ["anna"],
    "peers": [
        {
            "peer": 1,
            "role": "client",
            "name": "anna",
            "path": {"local": "host", "remote": "srflx"},
            "rtt_ms": 12.3,
            "streams": 1,
            "sent": 1200,
            "received": 3_400_000,
            "seconds": 50.0,
        }
    ],
    "transfers": [
        {
            "transfer": TRANSFER,
            "peer": 1,
            "direction": "out",
            "name": "film.mkv",
            "bytes": 1000,
            "total": 2000,
            "rate": 500.0,
            "state": "accepted",
        }
    ],
}


def change(state: str, reason: str = "", peer: int = 1) -> dict[str, Any]:
    """A `transfer` event."""
    return {"event": "transfer", "transfer": TRANSFER, "peer": peer, "state": state, "reason": reason}


def progress(done: int, total: int | None = 2000, rate: float = 500.0) -> dict[str, Any]:
    """A `progress` event."""
    return {"event": "progress", "transfer": TRANSFER, "peer": 1, "bytes": done, "total": total, "rate": rate}


class Played:
    """The program. `answers` has a reply for each request, `then` the events that follow it; `end` hangs up after them.

    Requests are kept without their numbers, and without `status`, which only looks. What descriptors bring is read, or
    `written` into them.
    """

    def __init__(self, program: str = "relay") -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: dict[str, Answer] = {"status": {"status": STATUS}, "receive": {"offers": []}}
        self.answers["chat"] = {"name": "relay", "who": ["anna"], "missed": []}
        self.answers["who"] = {"name": "relay", "who": ["anna"]}
        self.then: dict[str, list[dict[str, Any]]] = {}
        self.end_after: str | None = None
        self.written = b""
        self.read: list[bytes] = []
        self.server = ControlServer(program, self._serve, lambda _connection: None)
        self._closing: list[asyncio.Task[None]] = []
        self.asked = asyncio.Condition()

    async def _serve(self, connection: ControlConnection, request: Request) -> dict[str, Any]:
        for descriptor in request.descriptors:
            if self.written:
                os.write(descriptor, self.written)
            else:
                self.read.append(os.read(descriptor, 65536))
        if request.what != "status":
            self.requests.append({name: value for name, value in request.items() if name != "id"})
        asyncio.get_running_loop().call_soon(self._after, connection, request.what)
        async with self.asked:
            self.asked.notify_all()
        answer = self.answers.get(request.what, {})
        if isinstance(answer, MayflyError):
            raise answer
        return answer(dict(request)) if callable(answer) else answer

    def _after(self, connection: ControlConnection, what: str) -> None:
        for event in self.then.get(what, []):
            connection.send(event)
        if what == self.end_after:
            self._closing.append(asyncio.get_running_loop().create_task(self.server.aclose()))

    def tell(self, *events: dict[str, Any]) -> None:
        """Send events to every command."""
        for event in events:
            self.server.publish(event, lambda _connection: True)

    async def until_asked(self, what: str) -> None:
        """Wait for a request."""
        async with self.asked:
            await self.asked.wait_for(lambda: any(request["request"] == what for request in self.requests))

    @contextlib.asynccontextmanager
    async def desk(self, teller: People | Machines, *, own: bool = False) -> AsyncIterator[Desk]:
        """A command's desk at this program."""
        client = ControlClient(self.server.join())
        await client.start()
        try:
            yield Desk(client, teller, own=own)
        finally:
            await client.aclose()
            await self.server.aclose()
            await asyncio.gather(*self._closing)

    @contextlib.contextmanager
    def listening(self, directory: Path, name: str | None = None) -> Iterator[None]:
        """Let commands attach, while the block lasts: it runs on a loop of its own, in a thread."""
        ready, stop = threading.Event(), threading.Event()

        async def run() -> None:
            self.server.listen(name, directory)
            ready.set()
            await asyncio.to_thread(stop.wait)
            await self.server.aclose()
            await asyncio.gather(*self._closing)

        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        try:
            assert ready.wait(10)
            yield
        finally:
            stop.set()
            thread.join()


class Listener:
    """A person or a machine, and what it was told."""

    def __init__(self, program: str = "chat", *, width: int = 120, terminal: bool = False, **more: Any) -> None:
        """On a console of that width; `more` is for People."""
        self._out, self._err = io.StringIO(), io.StringIO()
        console: dict[str, Any] = {"highlight": False, "emoji": False, "markup": False, "width": width}
        console |= {"color_system": None, "force_terminal": terminal, "_environ": {"TERM": "xterm"}}
        out, err = Console(file=self._out, **console), Console(file=self._err, **console)
        self.people = People(program, out=out, err=err, **more)
        self.machines = Machines(self._out)

    @property
    def out(self) -> str:
        """What stands on standard output."""
        return self._out.getvalue()

    @property
    def err(self) -> str:
        """What stands on standard error."""
        return self._err.getvalue()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What a machine has read."""
        return [json.loads(line) for line in self.out.splitlines()]
