"""The local proxy's listener: accepts applications, counts them, lets them go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mayfly.config import SocksConfig
from mayfly.runtime import descriptors
from mayfly.runtime.tasks import TaskSet
from mayfly.socks.events import Request
from mayfly_client import local
from mayfly_client.connection import Phase, ProxyConnection
from mayfly_client.dialler import Dialler

Chooser = Callable[[Request], Dialler]

_SPARE = 256
"""Descriptors for links, files and the control socket."""


class ProxyListener:
    """Serves SOCKS5, SOCKS4a and HTTP CONNECT on one port. `start()`, `drain()`, `aclose()`.

    `dialler` opens the streams: one for all, or a function that chooses one for each request. `auth` is the user name
    and password that applications must show; None admits any.
    """

    def __init__(
        self,
        dialler: Dialler | Chooser,
        *,
        config: SocksConfig | None = None,
        auth: tuple[str, str] | None = None,
    ) -> None:
        self._choose = dialler if callable(dialler) else _always(dialler)
        self._config = config or SocksConfig()
        self._auth = auth
        self._tasks = TaskSet()
        self._connections: set[ProxyConnection] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._server: asyncio.Server | None = None
        self._address = ("", 0)

    async def start(self, host: str, port: int) -> None:
        """Listen on an address; port 0 takes a free one. Raises ListenError with words for people."""
        descriptors.raise_limit(2 * self._config.max_connections + _SPARE)  # an association has two sockets
        sock = local.listening_socket(host, port, self._config.max_connections)
        self._address = sock.getsockname()[:2]
        try:
            self._server = await asyncio.get_running_loop().create_server(self._accept, sock=sock)
        except BaseException:
            sock.close()
            raise

    @property
    def address(self) -> str:
        """The address in use as `host:port`, an IPv6 host in brackets."""
        return local.show(self._address)

    @property
    def connections(self) -> int:
        """Applications that are connected, whatever they are doing."""
        return len(self._connections)

    def stop_accepting(self) -> None:
        """Take no new application. Those connected go on."""
        if self._server is not None:
            self._server.close()

    async def drain(self) -> None:
        """Take no new application, drop those that have asked for nothing yet, and wait until the others are done."""
        self.stop_accepting()
        for connection in list(self._connections):
            if connection.phase is Phase.HANDSHAKE:
                connection.abort()
        await self._idle.wait()

    async def aclose(self) -> None:
        """End everything now. Idempotent."""
        self.stop_accepting()
        for connection in list(self._connections):
            connection.abort()
        await self._tasks.aclose()
        await self._idle.wait()
        if self._server is not None:
            await self._server.wait_closed()

    def _accept(self) -> asyncio.BaseProtocol:
        if len(self._connections) >= self._config.max_connections:
            return _Full()
        connection = ProxyConnection(self._choose, self._tasks, self._forget, config=self._config, auth=self._auth)
        self._connections.add(connection)
        self._idle.clear()
        return connection

    def _forget(self, connection: ProxyConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._idle.set()


def _always(dialler: Dialler) -> Chooser:
    def choose(_request: Request) -> Dialler:
        return dialler

    return choose


class _Full(asyncio.Protocol):
    """What an application meets when too many are connected."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
