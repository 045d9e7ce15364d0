"""JSON objects, one a line, over a connected Unix socket, with descriptors passed along (SCM_RIGHTS).

asyncio's streams drop ancillary data, so this reads and writes the socket itself. All is bounded: a line, what waits to
be sent to a reader that does not read, and descriptors that nobody asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

from mayfly.errors import ControlError

MAX_LINE = 8 * 1024 * 1024
"""Bytes of a line. A text of 1 MiB that was received takes six times as many when all of it must be escaped."""

MAX_WAITING = 16 * 1024 * 1024
"""Bytes that may wait for a reader; then the connection is given up, since the reader has stopped."""

MAX_DESCRIPTORS = 4
"""Descriptors that were passed and not taken yet; more are closed."""


class JsonLines:
    """One end of a connection. Owns the socket: `close` closes it, and all descriptors that nobody has taken."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._searched = 0
        self._descriptors: list[int] = []
        self._out: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._writing = False
        self._drained = asyncio.Event()
        self._drained.set()
        self._reader: asyncio.Future[None] | None = None
        self.waiting = 0
        """Bytes that wait to be sent."""
        self.closed = False

    # Reading

    async def read(self) -> dict[str, Any] | None:
        """The next object; None at the end, also when we closed. Raises ControlError for what is no such line."""
        while True:
            line = self._take_line()
            if line is not None:
                return _parse(line)
            if not await self._fill():
                return None

    def take_descriptors(self, count: int) -> list[int]:
        """The next `count` descriptors, now the caller's. Raises ControlError when fewer were passed."""
        if not 0 <= count <= len(self._descriptors):
            raise ControlError("The request came without the open file that it speaks of.")
        taken, self._descriptors = self._descriptors[:count], self._descriptors[count:]
        return taken

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > MAX_LINE:
                raise ControlError("A line on the control socket is too long.", hint="Name fewer files at once.")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    async def _fill(self) -> bool:
        while not self.closed:
            try:
                data, descriptors, _flags, _address = socket.recv_fds(self._sock, 65536, MAX_DESCRIPTORS)
            except BlockingIOError:
                await self._readable()
                continue
            except OSError:
                return False
            self._keep(descriptors)
            self._buffer += data
            return bool(data)
        return False

    def _keep(self, descriptors: Sequence[int]) -> None:
        room = MAX_DESCRIPTORS - len(self._descriptors)
        self._descriptors += descriptors[:room]
        for descriptor in descriptors[:room]:
            os.set_inheritable(descriptor, False)  # recv_fds cannot say so at once: it ignores its flags
        for descriptor in descriptors[room:]:
            os.close(descriptor)

    async def _readable(self) -> None:
        self._reader = self._loop.create_future()
        self._loop.add_reader(self._sock.fileno(), _wake, self._reader)
        try:
            await self._reader
        finally:
            self._reader = None
            if not self.closed:
                self._loop.remove_reader(self._sock.fileno())

    # Writing

    def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Queue one object. Never blocks and never raises; a reader that has stopped or is gone loses the connection.

        The descriptors are duplicated by the system when they are sent: keep them open until `flush` returns.
        """
        if self.closed:
            return
        line = json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        self._out.append((memoryview(line), tuple(descriptors)))
        self.waiting += len(line)
        self._drained.clear()
        if self.waiting > MAX_WAITING:
            self.close()
        elif not self._writing:
            self._write()

    async def flush(self) -> None:
        """Wait until all that was queued has been handed to the system, or the connection is closed."""
        await self._drained.wait()

    def _write(self) -> None:
        try:
            while self._out:
                view, descriptors = self._out[0]
                sent = socket.send_fds(self._sock, [view], list(descriptors))
                self.waiting -= sent
                if sent == len(view):
                    self._out.popleft()
                else:
                    self._out[0] = (view[sent:], ())
        except BlockingIOError:
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._sock.fileno(), self._write)
            return
        except OSError:
            self.close()
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sock.fileno())
        self._drained.set()

    def close(self) -> None:
        """End the connection at once. Idempotent."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        # A shutdown also ends it for a process that has inherited the descriptor.
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self._out.clear()
        self.waiting = 0
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        self._drained.set()
        if self._reader is not None:
            _wake(self._reader)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        raise ControlError("A line on the control socket is not JSON.") from None
    if not isinstance(value, dict):
        raise ControlError("A line on the control socket is not an object.")
    return cast("dict[str, Any]", value)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
