"""A real Redis for one test: in a directory of its own, on a port of its own, gone at the end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from support.programs import Program, accepts, free_port, program


class RedisServer:
    """A server that can be stopped and started again on the same port and files."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.port = free_port()
        self._folder = folder
        self._durable = durable

    @property
    def url(self) -> str:
        """What `--store` takes."""
        return f"redis://127.0.0.1:{self.port}/0"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[Program, None]:
        """Serve while the block runs."""
        argv = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        argv += ["--save", "", "--appendonly", "yes" if self._durable else "no", "--appendfsync", "always"]
        async with Program.running(*argv) as server:
            await accepts("127.0.0.1", self.port)
            yield server


@contextlib.asynccontextmanager
async def redis_server(folder: Path, *, durable: bool = False) -> AsyncGenerator[RedisServer, None]:
    """A fresh server. `durable` as in our compose.yaml: what was acknowledged survives its end."""
    server = RedisServer(folder, durable=durable)
    async with server.running():
        yield server
