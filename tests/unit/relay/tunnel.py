"""A service behind two real sessions joined in memory, and servers for it to reach."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

from mayfly.errors import Reply
from mayfly.runtime.stream import Stream
from mayfly.transport.memory import MemoryLink, memory_links
from mayfly.wire.address import NOWHERE, Destination
from mayfly.wire.header import Answer, Header, Service
from mayfly.wire.hello import Role
from mayfly_relay.direct import DirectUpstream
from mayfly_relay.guard import Guard
from mayfly_relay.limits import RelayLimits
from mayfly_relay.service import ClientService
from support.sessions import session_on
from support.tcp import echo, serving
from unit.relay.scripted import ScriptedResolver, guard_of


class Tunnel:
    """A client's session and the relay's, with the service under test on the relay's side."""

    def __init__(self, service: ClientService) -> None:
        self.service = service
        self.links: tuple[MemoryLink, MemoryLink] = memory_links()
        self.datagrams: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self.client = session_on(
            self.links[0],
            Role.CLIENT,
            on_datagram=lambda stream_id, payload: self.datagrams.put_nowait((stream_id, payload)),
        )
        self.relay = session_on(self.links[1], Role.RELAY, on_stream=service.on_stream, on_datagram=service.on_datagram)
        service.attach(self.relay.send_datagram)

    async def start(self) -> None:
        await asyncio.gather(self.client.start(), self.relay.start())
        self._own = asyncio.all_tasks()

    async def ask(self, header: Header) -> tuple[Stream, Answer]:
        stream = await self.client.open_stream(header)
        return stream, await asyncio.wait_for(stream.read_answer(), 10)

    async def connect(self, destination: Destination) -> Stream:
        stream, answer = await self.ask(Header(Service.TCP, destination))
        assert answer == Answer(Reply.SUCCEEDED, NOWHERE), "the relay's own address is nobody's business"
        return stream

    async def settled(self) -> None:
        """Wait until both sides hold no stream any more, and nothing that served one runs."""
        async with asyncio.timeout(10):
            while self.relay.open_streams or self.client.open_streams or asyncio.all_tasks() - self._own:
                await asyncio.sleep(0.001)

    async def close(self) -> None:
        await asyncio.gather(self.client.close(), self.relay.close())
        await self.service.aclose()
        assert self.relay.open_streams == 0
        assert not self.service._associations


@contextlib.asynccontextmanager
async def tunnel_to(service: ClientService) -> AsyncIterator[Tunnel]:
    """A tunnel that must leave no socket and no task."""
    await asyncio.sleep(0)
    tasks, sockets = asyncio.all_tasks(), open_sockets()
    tunnel = Tunnel(service)
    await tunnel.start()
    yield tunnel
    await tunnel.close()
    del tunnel
    async with asyncio.timeout(10):
        while asyncio.all_tasks() - tasks or open_sockets() != sockets:
            await asyncio.sleep(0.001)


def open_sockets() -> int:
    gc.collect()
    found = 0
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(fd.readlink()).startswith("socket:")
    return found


def service_of(resolver: ScriptedResolver, *rules: str, limits: RelayLimits | None = None) -> ClientService:
    guard: Guard = guard_of(resolver, *rules)
    return ClientService(DirectUpstream(guard), guard, limits or RelayLimits())


@contextlib.asynccontextmanager
async def echo_server(host: str = "127.0.0.1") -> AsyncIterator[Destination]:
    async with serving(echo, host) as (_, port):
        yield Destination.parse_host(host, port)


class UdpEcho(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data.upper(), addr)


@contextlib.asynccontextmanager
async def udp_echo() -> AsyncIterator[Destination]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(UdpEcho, local_addr=("127.0.0.1", 0))
    try:
        yield Destination.parse_host("127.0.0.1", transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
        await asyncio.sleep(0)
