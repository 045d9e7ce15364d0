"""UDP ASSOCIATE from an application's seat, with a relay that the test plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from ipaddress import IPv4Address
from typing import Any

import pytest

from mayfly.errors import Reply
from mayfly.socks import udp
from mayfly.wire.address import NOWHERE, Destination
from mayfly.wire.header import Answer, Header, Service
from mayfly_client.listener import ProxyListener
from mayfly_client.udp import UdpAssociation
from unit.client.conftest import Application, Applications, Proxies
from unit.client.fakes import FakeDatagrams, FakeDialler

DNS = Destination("dns.example", 53)
SERVER = Destination(IPv4Address("192.0.2.53"), 53)
ASSOCIATE = b"\x05\x01\x00\x05\x03\x00" + NOWHERE.encode()


class Socket(asyncio.DatagramProtocol):
    """One of the application's UDP sockets."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport

    @classmethod
    async def open(cls, host: str = "127.0.0.1") -> Socket:
        self = cls()
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        return self

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self.heard.put_nowait(b"error")


class Associated:
    """An application with an association that the relay has granted."""

    def __init__(self, control: Application, relay: FakeDatagrams) -> None:
        self.control = control
        self.reader = control.reader
        self.relay = relay
        self.address = ("", 0)
        self.sockets: list[Socket] = []

    @classmethod
    async def ask(
        cls, apps: Applications, listener: ProxyListener, dialler: FakeDialler, host: str = "127.0.0.1"
    ) -> Associated:
        control = await apps.start(listener, ASSOCIATE, host)
        return cls(control, await dialler.associations.get())

    async def granted(self) -> None:
        self.relay.fake.answer.set_result(Answer(Reply.SUCCEEDED))
        assert await self.reader.readexactly(5) == b"\x05\x00\x05\x00\x00"
        found = None
        data = b""
        while found is None:
            data += await self.reader.readexactly(1)
            found = Destination.decode(data)
        self.address = (str(found[0].host), found[0].port)

    async def socket(self, host: str = "127.0.0.1") -> Socket:
        self.sockets.append(await Socket.open(host))
        return self.sockets[-1]

    def close(self) -> None:
        for sock in self.sockets:
            sock.transport.close()


@pytest.fixture
async def app(apps: Applications, listener: ProxyListener, dialler: FakeDialler) -> AsyncIterator[Associated]:
    associated = await Associated.ask(apps, listener, dialler)
    await associated.granted()
    yield associated
    associated.close()


async def test_the_reply_tells_the_real_address(app: Associated) -> None:
    assert app.relay.fake.header == Header(Service.UDP)
    assert app.address[0] == "127.0.0.1"
    assert app.address[1] > 0


async def test_there_and_back(app: Associated) -> None:
    sock = await app.socket()
    sock.transport.sendto(udp.encode(DNS, b"query"), app.address)
    assert await app.relay.sent.get() == DNS.encode() + b"query"
    app.relay.deliver(SERVER.encode() + b"answer")
    assert await sock.heard.get() == udp.encode(SERVER, b"answer")


async def test_ipv6(proxies: Proxies, apps: Applications, dialler: FakeDialler) -> None:
    listener = await proxies.start("::1")
    app = await Associated.ask(apps, listener, dialler, "::1")
    await app.granted()
    assert app.address[0] == "::1"
    sock = await app.socket("::1")
    sock.transport.sendto(udp.encode(DNS, b"query"), app.address)
    assert await app.relay.sent.get() == DNS.encode() + b"query"
    app.relay.deliver(SERVER.encode() + b"answer")
    assert await sock.heard.get() == udp.encode(SERVER, b"answer")
    app.close()


async def test_only_the_first_port_is_heard(app: Associated) -> None:
    first, other = await app.socket(), await app.socket()
    first.transport.sendto(udp.encode(DNS, b"1"), app.address)
    assert (await app.relay.sent.get()).endswith(b"1")
    other.transport.sendto(udp.encode(DNS, b"intruder"), app.address)
    first.transport.sendto(udp.encode(DNS, b"2"), app.address)
    assert (await app.relay.sent.get()).endswith(b"2")


async def test_only_the_address_of_the_tcp_connection_is_heard(app: Associated) -> None:
    stranger, own = await app.socket("127.0.0.2"), await app.socket()
    stranger.transport.sendto(udp.encode(DNS, b"intruder"), app.address)
    own.transport.sendto(udp.encode(DNS, b"mine"), app.address)
    assert (await app.relay.sent.get()).endswith(b"mine")


async def test_what_is_no_datagram_of_socks_is_dropped_and_takes_no_port(app: Associated) -> None:
    broken, own = await app.socket(), await app.socket()
    for datagram in (b"", b"\0\0", b"\0\0\x01" + udp.encode(DNS, b"fragment")[3:], b"\0\0\0\x07rubbish"):
        broken.transport.sendto(datagram, app.address)
    own.transport.sendto(udp.encode(DNS, b"mine"), app.address)
    assert (await app.relay.sent.get()).endswith(b"mine")


async def test_rubbish_from_the_relay_is_dropped(app: Associated) -> None:
    app.relay.deliver(SERVER.encode() + b"before any port is known")
    sock = await app.socket()
    sock.transport.sendto(udp.encode(DNS, b"query"), app.address)
    await app.relay.sent.get()
    for payload in (b"", b"\x01\x02", b"\x09" * 20, b"\x03\x00\x00\x00"):
        app.relay.deliver(payload)
    app.relay.deliver(SERVER.encode() + b"good")
    assert await sock.heard.get() == udp.encode(SERVER, b"good")


async def test_an_application_that_stopped_listening_harms_nothing(app: Associated) -> None:
    gone = await app.socket()
    gone.transport.sendto(udp.encode(DNS, b"query"), app.address)
    await app.relay.sent.get()
    gone.transport.close()
    await asyncio.sleep(0)
    for _ in range(3):
        app.relay.deliver(SERVER.encode() + b"x")
    app.relay.fake.incoming.put_nowait(b"")
    assert await app.reader.read() == b""


async def test_the_end_of_the_tcp_connection_ends_it(listener: ProxyListener, app: Associated) -> None:
    await app.control.leave()
    await app.relay.fake.was_reset.wait()
    await listener.drain()
    sock = await app.socket()
    sock.transport.sendto(udp.encode(DNS, b"too late"), app.address)
    app.relay.deliver(SERVER.encode() + b"too late")
    assert app.relay.sent.empty()


@pytest.mark.parametrize("how", ["finish", "reset"])
async def test_the_end_of_the_stream_ends_it(listener: ProxyListener, app: Associated, how: str) -> None:
    app.relay.fake.incoming.put_nowait(b"nothing belongs here")
    if how == "finish":
        app.relay.fake.incoming.put_nowait(b"")
    else:
        app.relay.fake.fail()
    assert await app.reader.read() == b""
    await app.relay.fake.was_reset.wait()
    await app.control.leave()
    await listener.drain()


async def test_a_refusal_is_told_verbatim(apps: Applications, listener: ProxyListener, dialler: FakeDialler) -> None:
    app = await Associated.ask(apps, listener, dialler)
    app.relay.fake.answer.set_result(Answer(Reply.NOT_ALLOWED))
    assert await app.reader.read() == b"\x05\x00\x05\x02\x00" + NOWHERE.encode()
    await app.relay.fake.was_reset.wait()


async def test_leaving_before_the_answer_resets_the_stream(
    apps: Applications, listener: ProxyListener, dialler: FakeDialler
) -> None:
    app = await Associated.ask(apps, listener, dialler)
    await app.control.leave()
    await app.relay.fake.was_reset.wait()
    await listener.drain()


async def test_without_a_socket_it_is_a_general_failure(
    apps: Applications, listener: ProxyListener, dialler: FakeDialler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_beside: Any) -> Any:
        raise OSError("no socket")

    monkeypatch.setattr("mayfly_client.udp.datagram_socket", none_left)
    app = await apps.start(listener, ASSOCIATE)
    assert await app.everything() == b"\x05\x00\x05\x01\x00" + NOWHERE.encode()
    assert dialler.associations.empty()


async def test_a_full_socket_drops_instead_of_queueing() -> None:
    class Control(asyncio.Transport):
        def get_extra_info(self, name: str, default: Any = None) -> Any:
            return ("127.0.0.1", 1)

    class Out(asyncio.DatagramTransport):
        sent = 0

        def sendto(self, data: Any, addr: Any = None) -> None:
            self.sent += 1

    dialler = FakeDialler()
    association = UdpAssociation(Control())
    opening = asyncio.get_running_loop().create_task(association.open(dialler))
    relay = await dialler.associations.get()
    relay.fake.answer.set_result(Answer(Reply.SUCCEEDED))
    assert (await opening).reply is Reply.SUCCEEDED
    association.datagram_received(udp.encode(DNS, b""), ("127.0.0.1", 2))
    real, out = association._socket, Out()
    association._socket = out
    relay.deliver(SERVER.encode())
    association.pause_writing()
    relay.deliver(SERVER.encode())
    assert out.sent == 1
    association.resume_writing()
    relay.deliver(SERVER.encode())
    assert out.sent == 2
    association._socket = real
    association.close()
    association.close()
