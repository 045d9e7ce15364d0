"""A command's end of the control socket. The protocol stands in `control.py`."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from mayfly.errors import ControlError, ExitCode
from mayfly.runtime import control_socket
from mayfly.runtime.control import VERSION
from mayfly.runtime.jsonlines import JsonLines
from mayfly.runtime.tasks import TaskSet

MAX_EVENTS = 4096
"""Events that a command has not looked at; then its end reads no more unless a reply is awaited."""

GREETING_TIMEOUT = 10.0
"""Seconds for a program to greet."""


class ControlClient:
    """A command's end. Use as an async context manager, or call `aclose`."""

    def __init__(self, sock: socket.socket) -> None:
        self._lines = JsonLines(sock)
        self._tasks = TaskSet()
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._events: deque[dict[str, Any]] = deque()
        self._changed = asyncio.Condition()
        self._ended = False
        self._next = 0

    @classmethod
    async def attach(cls, name: str | None = None, directory: Path | None = None) -> Self:
        """Connect to a running program: that session, or the only one. Raises ControlError, NoSessionError."""
        client = cls(control_socket.connect(name, directory or control_socket.default_directory()))
        await client.start()
        return client

    async def start(self) -> None:
        """Wait for the greeting. Raises ControlError."""
        try:
            async with asyncio.timeout(GREETING_TIMEOUT):
                greeting = await self._lines.read()
        except TimeoutError:
            greeting = None
        if greeting is None or greeting.get("control") != VERSION:
            await self.aclose()
            raise ControlError(
                "The program that runs here does not answer.",
                hint="Its version may differ, or too many commands attached.",
            )
        self._tasks.spawn(self._read())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Leave. What was begun goes on in the program."""
        self._lines.close()
        await self._tasks.aclose()

    async def request(self, what: str, /, *, fds: Sequence[int] = (), **members: Any) -> dict[str, Any]:
        """Ask, and give the reply's members. `fds` are passed along and stay the caller's.

        Raises ControlError with the program's own words when it refuses, and when it has gone.
        """
        if self._ended:
            raise _gone()
        self._next += 1
        number = self._next
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        await self._look()
        extra = {"fds": len(fds)} if fds else {}
        self._lines.send({"request": what, "id": number} | members | extra, fds)
        try:
            return await reply
        finally:
            self._replies.pop(number, None)

    async def event(self) -> dict[str, Any] | None:
        """The next event, in the order in which they happened; None when the program has gone."""
        async with self._changed:
            while not self._events:
                if self._ended:
                    return None
                await self._changed.wait()
            event = self._events.popleft()
            self._changed.notify_all()
            return event

    async def _look(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _read(self) -> None:
        try:
            while (message := await self._lines.read()) is not None:
                if "reply" in message:
                    self._take_reply(message)
                    continue
                async with self._changed:
                    while len(self._events) >= MAX_EVENTS and not self._replies:
                        await self._changed.wait()
                    self._events.append(message)
                    self._changed.notify_all()
        except ControlError:
            pass  # told below, as an end
        finally:
            self._ended = True
            self._lines.close()
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_exception(_gone())
            async with self._changed:
                self._changed.notify_all()

    def _take_reply(self, message: dict[str, Any]) -> None:
        reply = self._replies.get(message["reply"])
        if reply is None or reply.done():
            return
        if message.get("ok") is True:
            reply.set_result({name: value for name, value in message.items() if name not in ("reply", "ok")})
        else:
            reply.set_exception(RefusedError.of(message))


class RefusedError(ControlError):
    """The program said no; its words, stage and exit code."""

    @classmethod
    def of(cls, message: dict[str, Any]) -> Self:
        """From a reply."""
        error = cls(
            str(message.get("message", "The program refused.")),
            hint=str(message.get("hint", "")),
            stage=str(message.get("stage", cls.stage)),
        )
        codes = [code for code in ExitCode if code == message.get("exit")]
        error.exit_code = codes[0] if codes else cls.exit_code
        return error


def _gone() -> ControlError:
    return ControlError("The program that was asked has ended.", hint="Its own terminal shows why.")
