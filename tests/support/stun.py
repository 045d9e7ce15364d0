"""A STUN server for tests: on loopback, where it says whatever mapping the test wants, or as a program."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from aioice import stun

from support.news import News

Address = tuple[str, int]

PORT = 3478
"""Of servers that run as a program."""


class StunServer(asyncio.DatagramProtocol):
    """`mapping` turns the true source into what the server answers; None is silence."""

    def __init__(self, mapping: Callable[[Address], Address | None]) -> None:
        self.mapping = mapping
        self.asked: list[Address] = []
        self.indications: list[Address] = []
        self.news = News()
        self.address: Address = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.address = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        source = (str(addr[0]), int(addr[1]))
        message = stun.parse_message(data)
        if message.message_class == stun.Class.INDICATION:
            self.indications.append(source)
        else:
            self.asked.append(source)
            mapped = self.mapping(source)
            if mapped is not None and self._transport is not None:
                response = stun.Message(
                    stun.Method.BINDING,
                    stun.Class.RESPONSE,
                    message.transaction_id,
                    {"XOR-MAPPED-ADDRESS": mapped},
                )
                self._transport.sendto(bytes(response), addr)
        self.news.ring()

    @property
    def url(self) -> str:
        """As in `--stun`."""
        return f"{self.address[0]}:{self.address[1]}"


@asynccontextmanager
async def stun_server(
    mapping: Callable[[Address], Address | None] = lambda source: source,
) -> AsyncIterator[StunServer]:
    """Run one on 127.0.0.1 for the length of a `with`."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: StunServer(mapping), local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()


async def main(*hosts: str) -> None:
    """Servers at these addresses that tell the truth, until standard input ends."""
    loop = asyncio.get_running_loop()
    for host in hosts:
        await loop.create_datagram_endpoint(lambda: StunServer(lambda source: source), local_addr=(host, PORT))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
