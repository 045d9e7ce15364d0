"""A TCP relay in front of a server that cuts connections: at one request, in both directions, without a word."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Cutter:
    """Counts the requests that pass. `cut_at` are those whose connection is cut; `after` the answer's first bytes come
    or before the request goes on."""

    def __init__(self, server: tuple[str, int], cut_at: set[int], *, after: bool) -> None:
        self._server = server
        self._cut_at = cut_at
        self._after = after
        self.requests = 0
        self.cuts = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Its URL, while the block lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        try:
            yield f"http://{host}:{port}"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = False
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._server)
        except OSError:
            writer.close()
            return

        async def forth() -> None:
            nonlocal cut
            while data := await reader.read(65536):
                if data.split(b" ", 1)[0] in (b"GET", b"POST", b"PATCH", b"DELETE"):
                    self.requests += 1
                    cut = self.requests in self._cut_at
                    if cut and not self._after:
                        self.cuts += 1
                        return
                far_writer.write(data)

        async def back() -> None:
            while data := await far_reader.read(65536):
                if cut:
                    self.cuts += 1
                    return
                writer.write(data)

        with contextlib.suppress(OSError):
            tasks = [asyncio.ensure_future(work) for work in (forth(), back())]  # noqa: TID251 - awaited right here
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for each in (writer, far_writer):
            each.transport.abort()
