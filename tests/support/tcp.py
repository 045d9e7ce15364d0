"""TCP servers inside the test's own process, for what HTTP cannot show: half-close, reset, a reader that stops."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from support.bodies import BLOCK, body

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Handler, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[tuple[str, int]]:
    """Serve while the block lasts and give host and port. Connections still open at its end are aborted."""
    open_now: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now[task] = writer
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            del open_now[task]
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(accepted, host, port)
    async with server:
        try:
            yield server.sockets[0].getsockname()[:2]
        finally:
            server.close()
            for task, writer in list(open_now.items()):
                writer.transport.abort()
                task.cancel()
            await asyncio.gather(*open_now, return_exceptions=True)


def set_reset(writer: asyncio.StreamWriter) -> None:
    """Make the end of a connection an RST instead of a FIN, and end it."""
    found: socket.socket = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give back what comes, then end."""
    while data := await reader.read(BLOCK):
        writer.write(data)
        await writer.drain()


async def hash_at_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read until the peer ends its half, and only then answer with the SHA-256 and size of what came."""
    digest = hashlib.sha256()
    size = 0
    while data := await reader.read(BLOCK):
        digest.update(data)
        size += len(data)
    writer.write(f"{digest.hexdigest()} {size}\n".encode())
    await writer.drain()


def tagged(tag: int, size: int) -> Iterator[bytes]:
    """A body that differs from that of every other tag."""
    yield tag.to_bytes(8, "big")
    yield from body(size)


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mine: int, theirs: int, size: int
) -> None:
    """Send the body tagged `mine` and receive the one tagged `theirs`, at once; end our half.

    Raises AssertionError when anything but exactly that body came.
    """

    async def send() -> None:
        for block in tagged(mine, size):
            writer.write(block)
            await writer.drain()
        writer.write_eof()

    async def receive() -> None:
        expected, found = hashlib.sha256(), hashlib.sha256()
        for block in tagged(theirs, size):
            expected.update(block)
        count = 0
        while data := await reader.read(BLOCK):
            found.update(data)
            count += len(data)
        assert (count, found.digest()) == (size + 8, expected.digest()), f"{count} bytes came, or other ones"

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
        group.create_task(receive())
