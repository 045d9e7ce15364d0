"""The control socket: how `mayfly status`, `stop`, `chat`, `send` and `receive` speak to a program that runs.

A running relay, client or peer owns one Unix socket, `NAME.sock`, mode 0600 in a directory of mode 0700
(`control_socket.py`). NAME is `relay`, `client` or `peer`, with `-2`, `-3` … when taken, or what `--name` says.
Both directions carry JSON objects, one a line, UTF-8, at most 8 MiB a line. There are four kinds:

::

    greeting  program -> command, once, first:  {"control":1,"program":"relay"|"client"|"peer","session":NAME,"pid":N}
    request   command -> program:               {"request":WHAT,"id":N, …}       N is the command's choice, an integer
    reply     program -> command, one a request: {"reply":N,"ok":true, …}
                                            or  {"reply":N,"ok":false,"stage":…,"message":…,"hint":…,"exit":CODE}
    event     program -> command, at any time:  {"event":…, …}                   the events of `--json`, see events.py

Replies may come in another order than their requests. The connection ends when the command closes it, or when the
program has ended: the command reads an end. What a command began (a transfer, a message) goes on without it.
Unknown members are ignored; an unknown request is refused. Peer text is passed raw in strings: who shows it escapes it.

Requests, the members that each takes (`?`: may be left out, then null or false) and what its reply holds:

::

    status                                  {"status": the `status` event's object}
    stop     now?                           {}   drains; with now, ends at once. Events: draining, leaving, closed.
                                                 Read on to the end to know that the program has gone.
    newnym                                  {"seconds":N}   a relay's with upstream tor: new streams take new circuits
    watch                                   {}   from now on every event of the program but other commands' progress
    chat                                    {"name":OWN,"who":[NAMES],"missed":[`message` objects]}
                                                 attaches: message, delivered, undelivered, joined, left, offered,
                                                 transfer, progress, connected, leaving, draining, closed.
                                                 `missed` came while no command was attached for chat.
    say      text, to?                      {"id":ID,"to":[NAMES]}   to the room, or to one name. For each name in `to`
                                                 connections that are attached with `chat` are told `delivered` {id, by}
                                                 or `undelivered` {id, to, final, certain}. One that is not final says
                                                 that the link is lost; the message is kept, and another one follows.
    who                                     {"name":OWN,"who":[NAMES]}
    send     paths | text | fds:1, to?, all?, name?, symlinks?
                                            {"transfers":[{"transfer":ID,"peer":N,"to":NAME}],"name":NAME,
                                             "total":BYTES or null,"files":N,"left_out":[PATHS]}
                                                 attaches to these transfers: progress, transfer. `paths` are absolute;
                                                 fds:1 sends what can be read from the descriptor that is passed along,
                                                 shown as `name`. `to` is a chat name or a peer's number as the
                                                 `connected` event says it; with one peer only it may be left out. `all`
                                                 sends to every peer that is connected.
    receive  yes?, into?, overwrite?
                                            {"offers":[`offered` objects that wait]}
                                                 attaches: offered, transfer, progress (of what comes in). With `yes`,
                                                 each offer, also one that waits, is accepted as if by `accept` with
                                                 the same members, while this connection lasts.
    accept   transfer, peer?, into | fds:1, overwrite?
                                            {}   attaches to this transfer. `into` is an absolute directory; fds:1
                                                 writes to the descriptor that is passed along (one file only).
    decline  transfer, peer?                {}
    pause, resume   transfer, peer?         {}   either direction; without `peer` all transfers of that ID
    cancel   transfer, peer?                {}   of an offer that waits: declines it

An offer that nobody accepts stays until it is declined, its sender takes it back, or the peer leaves; nothing is
accepted by itself. Every transfer ends in one `transfer` event whose state is `completed`, `declined`, `cancelled` or
`interrupted` (the last can be taken up again by the same `send`); before that come `accepted`, `paused`, `resumed` as
they happen, and `progress` at most four times a second.

With `all`, `send` gives one (transfer, peer) pair for each receiver: the pair names one transfer, ID alone all of them.

Passing a descriptor: it travels as SCM_RIGHTS with the first byte of the request's line, whose `fds` member counts
them. The receiver owns its copy. `ControlClient.request(..., fds=[0])` does this.

For commands: `control_client.ControlClient.attach(name)` connects to a running program; `services.peer.run_peer` is one
of one's own and hands over a ControlClient that is joined to it, so that a command is written once for both.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from mayfly.errors import ControlError, MayflyError
from mayfly.runtime import control_socket
from mayfly.runtime.jsonlines import JsonLines
from mayfly.runtime.tasks import TaskSet

VERSION = 1

MAX_CONNECTIONS = 32
"""Commands that may be attached at once; one more is refused."""

MAX_REQUESTS = 16
"""Requests of one connection that may be under way; then no more are read until one is done."""


class Request(dict[str, Any]):
    """A request's members, with their types checked. Each getter raises ControlError for what has the wrong type."""

    def __init__(self, members: dict[str, Any], descriptors: list[int]) -> None:
        super().__init__(members)
        self.descriptors = descriptors
        """What was passed along; whoever takes one out owns it, the rest is closed when the request has been served."""

    @property
    def what(self) -> str:
        """The request's name."""
        return str(self.get("request", ""))

    def text(self, name: str) -> str | None:
        """A string, or None where it is left out."""
        value: str | None = self._typed(name, str)
        return value

    def flag(self, name: str) -> bool:
        """A truth value; false where it is left out."""
        return self._typed(name, bool) or False

    def texts(self, name: str) -> list[str] | None:
        """A list of strings, or None where it is left out."""
        values: list[Any] | None = self._typed(name, list)
        if values is not None and not all(isinstance(value, str) for value in values):
            raise ControlError(f"The request's member {name} is no list of texts.")
        return values

    def number(self, name: str) -> int | None:
        """An integer, or None where it is left out."""
        value: int | None = self._typed(name, int)
        if isinstance(value, bool):
            raise _wrong_type(name)
        return value

    def needed(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            raise ControlError(f"The request lacks its member {name}.")
        return value

    def _typed(self, name: str, kind: type[Any]) -> Any:
        value = self.get(name)
        if value is not None and not isinstance(value, kind):
            raise _wrong_type(name)
        return value


def _wrong_type(name: str) -> ControlError:
    return ControlError(f"The request's member {name} has the wrong type.")


class ControlConnection:
    """One command at the program's end. `topics` belongs to whoever serves it."""

    def __init__(self, lines: JsonLines) -> None:
        self._lines = lines
        self.topics: set[str] = set()

    @property
    def waiting(self) -> int:
        """Bytes that the command has not read yet."""
        return self._lines.waiting

    def send(self, message: dict[str, Any]) -> None:
        """Queue an event; never blocks, never raises."""
        self._lines.send(message)

    async def flush(self) -> None:
        """Wait until the system has taken all."""
        await self._lines.flush()


Serve = Callable[[ControlConnection, Request], Coroutine[Any, Any, dict[str, Any]]]
"""Serves one request and gives the reply's members. A MayflyError becomes a refusal."""


class ControlServer:
    """The program's end: accepts commands, reads their requests, sends replies and events."""

    def __init__(self, program: str, serve: Serve, on_gone: Callable[[ControlConnection], None]) -> None:
        self._program = program
        self._serve = serve
        self._on_gone = on_gone
        self._tasks = TaskSet()
        self._directory: Path | None = None
        self._listener: socket.socket | None = None
        self.connections: set[ControlConnection] = set()
        self.name = program
        """The session's name; final once it listens."""

    def listen(self, name: str | None = None, directory: Path | None = None) -> None:
        """Open the socket: under `name` exactly, or under the program's own. Raises ControlError."""
        self._directory = directory or control_socket.default_directory()
        self.name, self._listener = control_socket.claim(name or self._program, self._directory, exact=name is not None)
        asyncio.get_running_loop().add_reader(self._listener.fileno(), self._accept, self._listener)

    def join(self) -> socket.socket:
        """A connection for a command in this process: its end of a socket pair."""
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        self._begin(ours)
        return theirs

    def publish(self, message: dict[str, Any], wanted: Callable[[ControlConnection], bool]) -> None:
        """Send an event to the connections that want it."""
        for connection in list(self.connections):
            if wanted(connection):
                connection.send(message)

    async def aclose(self, linger: float = 1.0) -> None:
        """Remove the socket, let what was said be read for at most `linger` seconds, and end all connections."""
        if self._listener is not None and self._directory is not None:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            control_socket.release(self.name, self._directory, self._listener)
            self._listener = None
        flushes = [asyncio.wait_for(connection.flush(), linger) for connection in self.connections]
        await asyncio.gather(*flushes, return_exceptions=True)
        await self._tasks.aclose()

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _address = listener.accept()
        except OSError:
            return  # it has left before we came to it, or we are out of descriptors and another turn will do
        try:
            control_socket.check_user(sock)
        except (ControlError, OSError):
            sock.close()
            return
        self._begin(sock)

    def _begin(self, sock: socket.socket) -> None:
        self._tasks.spawn(self._attend(JsonLines(sock)))

    async def _attend(self, lines: JsonLines) -> None:
        """One connection from its greeting to its end."""
        connection = ControlConnection(lines)
        requests = TaskSet()
        try:
            if len(self.connections) >= MAX_CONNECTIONS:
                return
            lines.send({"control": VERSION, "program": self._program, "session": self.name, "pid": os.getpid()})
            self.connections.add(connection)
            slots = asyncio.Semaphore(MAX_REQUESTS)
            while (members := await lines.read()) is not None:
                request = Request(members, _descriptors(lines, members))
                await slots.acquire()
                task = requests.spawn(self._answer(lines, connection, request))
                task.add_done_callback(partial(_served, request, slots))
        except ControlError as error:  # no such line: nothing that follows can be trusted
            lines.send(_refusal(None, error))
            await lines.flush()
        finally:
            self.connections.discard(connection)
            self._on_gone(connection)
            await requests.aclose()
            lines.close()

    async def _answer(self, lines: JsonLines, connection: ControlConnection, request: Request) -> None:
        number = request.get("id")
        try:
            lines.send({"reply": number, "ok": True} | await self._serve(connection, request))
        except MayflyError as error:
            lines.send(_refusal(number, error))
        except Exception as error:
            lines.send(
                _refusal(
                    number,
                    MayflyError(
                        f"{type(error).__name__}: this is a bug in Mayfly.", hint="Please report it with this line."
                    ),
                )
            )
            raise


def _refusal(number: object, error: MayflyError) -> dict[str, Any]:
    return {
        "reply": number,
        "ok": False,
        "stage": error.stage,
        "message": error.message,
        "hint": error.hint,
        "exit": int(error.exit_code),
    }


def _descriptors(lines: JsonLines, members: dict[str, Any]) -> list[int]:
    count = members.get("fds", 0)
    return lines.take_descriptors(count if type(count) is int else -1)


def _served(request: Request, slots: asyncio.Semaphore, _task: asyncio.Task[None]) -> None:
    """After a request. A callback, because a task that is cancelled before its first step runs no `finally`."""
    slots.release()
    for descriptor in request.descriptors:
        os.close(descriptor)
