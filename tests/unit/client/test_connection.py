"""The proxy from an application's seat, with a relay that the test plays."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from mayfly.config import SocksConfig
from mayfly.errors import LinkLostError, Reply, StreamCode, StreamResetError
from mayfly.runtime.tasks import TaskSet
from mayfly.wire.address import NOWHERE, Destination
from mayfly.wire.header import Answer, Header, Service
from mayfly_client import connection
from mayfly_client.connection import ProxyConnection
from mayfly_client.listener import ProxyListener
from unit.client.conftest import Application, Applications, Proxies, Splice
from unit.client.fakes import FakeDialler

BOUND = Destination(IPv4Address("198.51.100.1"), 4321)
NAME = Destination("example.com", 80)


def request(destination: Destination, command: int = 1) -> bytes:
    """A whole SOCKS5 handshake in one piece."""
    return b"\x05\x01\x00\x05" + bytes([command, 0]) + destination.encode()


def told(reply: Reply, bound: Destination = NOWHERE) -> bytes:
    """What a SOCKS5 application hears in all."""
    return b"\x05\x00\x05" + bytes([reply, 0]) + bound.encode()


# CONNECT


@pytest.mark.parametrize(
    "destination",
    [NAME, Destination(IPv4Address("192.0.2.1"), 443), Destination(IPv6Address("2001:db8::1"), 443)],
    ids=["name", "ipv4", "ipv6"],
)
async def test_a_destination_goes_to_the_relay_as_it_came(
    apps: Applications,
    listener: ProxyListener,
    dialler: FakeDialler,
    splices: asyncio.Queue[Splice],
    destination: Destination,
) -> None:
    app = await apps.start(listener, request(destination) + b"early")
    stream = await dialler.opened.get()
    assert stream.header == Header(Service.TCP, destination)
    stream.answer.set_result(Answer(Reply.SUCCEEDED, BOUND))
    splice = await splices.get()
    assert splice.stream is stream
    assert splice.early == b"early"
    assert await app.reader.readexactly(12) == told(Reply.SUCCEEDED, BOUND)
    splice.finish.set()
    assert await app.everything() == b""
    await listener.drain()
    assert stream.reset_with is None


async def test_names_are_never_resolved_here(
    proxies: Proxies,
    apps: Applications,
    listener: ProxyListener,
    dialler: FakeDialler,
    splices: asyncio.Queue[Splice],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_arguments: Any, **_more: Any) -> Any:
        raise AssertionError("a name was resolved locally")

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo"):
        monkeypatch.setattr(socket, name, refuse)
    other = await proxies.start("localhost")
    for said in (
        request(NAME),
        b"\x04\x01\x00\x50\x00\x00\x00\x01\x00example.com\x00",
        b"CONNECT example.com:80 HTTP/1.1\r\n\r\n",
    ):
        app = await apps.start(other, said)
        stream = await dialler.opened.get()
        assert stream.header == Header(Service.TCP, NAME)
        stream.answer.set_result(Answer(Reply.SUCCEEDED))
        (await splices.get()).finish.set()
        await app.everything()


@pytest.mark.parametrize("reply", [reply for reply in Reply if reply is not Reply.SUCCEEDED])
async def test_the_relays_refusal_is_told_verbatim(
    apps: Applications, listener: ProxyListener, dialler: FakeDialler, reply: Reply
) -> None:
    app = await apps.start(listener, request(NAME))
    stream = await dialler.opened.get()
    stream.answer.set_result(Answer(reply, BOUND))
    assert await app.everything() == told(reply, BOUND)
    await stream.was_reset.wait()
    await listener.drain()


@pytest.mark.parametrize("error", [StreamResetError(StreamCode.DRAINING), LinkLostError("the link was lost")])
@pytest.mark.parametrize("command", [1, 3, 0xF0])
async def test_a_relay_that_cannot_be_asked_is_a_general_failure(
    apps: Applications, listener: ProxyListener, dialler: FakeDialler, error: Exception, command: int
) -> None:
    dialler.error = error
    app = await apps.start(listener, request(NAME, command))
    assert await app.everything() == told(Reply.GENERAL_FAILURE)


async def test_a_stream_that_is_reset_instead_of_answered_is_a_general_failure(
    apps: Applications, listener: ProxyListener, dialler: FakeDialler
) -> None:
    app = await apps.start(listener, request(NAME))
    stream = await dialler.opened.get()
    stream.fail()
    assert await app.everything() == told(Reply.GENERAL_FAILURE)
    await stream.was_reset.wait()


# RESOLVE, RESOLVE_PTR


@pytest.mark.parametrize(
    ("command", "asked", "found"),
    [
        (0xF0, Destination("example.com", 0), Destination(IPv6Address("2001:db8::1"), 0)),
        (0xF1, Destination(IPv4Address("192.0.2.1"), 0), Destination("one.example", 0)),
    ],
    ids=["resolve", "resolve_ptr"],
)
async def test_look_ups(
    apps: Applications,
    listener: ProxyListener,
    dialler: FakeDialler,
    command: int,
    asked: Destination,
    found: Destination,
) -> None:
    app = await apps.start(listener, request(asked, command))
    stream = await dialler.opened.get()
    assert stream.header == Header(Service.RESOLVE, asked)
    stream.answer.set_result(Answer(Reply.SUCCEEDED, found))
    assert await app.everything() == told(Reply.SUCCEEDED, found)
    await stream.was_reset.wait()


# An application that leaves


@pytest.mark.parametrize("leave", [Application.leave, Application.vanish])
@pytest.mark.parametrize("command", [1, 3, 0xF0])
async def test_leaving_while_the_stream_is_opened_gives_it_up(
    apps: Applications, listener: ProxyListener, dialler: FakeDialler, leave: Any, command: int
) -> None:
    dialler.hold = asyncio.Event()
    app = await apps.start(listener, request(NAME, command))
    await dialler.asked.wait()
    await leave(app)
    await dialler.gave_up.wait()
    await listener.drain()


@pytest.mark.parametrize("leave", [Application.leave, Application.vanish])
@pytest.mark.parametrize("command", [1, 0xF0])
async def test_leaving_before_the_answer_resets_the_stream(
    apps: Applications, listener: ProxyListener, dialler: FakeDialler, leave: Any, command: int
) -> None:
    app = await apps.start(listener, request(NAME, command))
    stream = await dialler.opened.get()
    await leave(app)
    await stream.was_reset.wait()
    await listener.drain()


# Refusals by the proxy itself


async def test_a_refusal_is_read_even_by_a_program_that_sends_on(apps: Applications, listener: ProxyListener) -> None:
    app = await apps.start(listener, b"POST / HTTP/1.1\r\n\r\n" + b"x" * 200_000)
    heard = await app.everything()
    assert heard.startswith(b"HTTP/1.1 405 ")
    assert b"SOCKS5" in heard


async def test_a_program_that_does_not_read_its_refusal_is_cut_off(
    apps: Applications, listener: ProxyListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINGER", 0.01)
    app = await apps.start(listener, b"\x05\x01\x09")
    assert await app.reader.read() == b"\x05\xff"
    await listener.drain()


async def test_an_unknown_protocol_is_closed_without_a_word(apps: Applications, listener: ProxyListener) -> None:
    app = await apps.start(listener, b"\x16\x03\x01 hello")
    assert await app.everything() == b""


async def test_a_login_is_required_where_one_is_set(proxies: Proxies, apps: Applications, dialler: FakeDialler) -> None:
    listener = await proxies.start(auth=("alice", "sesame"))
    app = await apps.start(listener, b"\x05\x01\x02\x01\x05alice\x05wrong")
    assert await app.everything() == b"\x05\x02\x01\x01"
    app = await apps.start(listener, b"\x05\x01\x02\x01\x05alice\x06sesame" + request(NAME)[3:])
    (await dialler.opened.get()).answer.set_result(Answer(Reply.NOT_ALLOWED))
    assert await app.everything() == b"\x05\x02\x01\x00" + told(Reply.NOT_ALLOWED)[2:]


async def test_a_handshake_has_its_time(proxies: Proxies, apps: Applications) -> None:
    listener = await proxies.start(config=SocksConfig(handshake_timeout=0.01))
    app = await apps.start(listener, b"\x05")
    assert await app.everything() == b""
    await listener.drain()


async def test_the_relay_may_take_longer_than_a_handshake(
    proxies: Proxies, apps: Applications, dialler: FakeDialler, splices: asyncio.Queue[Splice]
) -> None:
    listener = await proxies.start(config=SocksConfig(handshake_timeout=0.02))
    app = await apps.start(listener, request(NAME))
    stream = await dialler.opened.get()
    late = await apps.start(listener, b"\x05")
    assert await late.everything() == b""
    stream.answer.set_result(Answer(Reply.SUCCEEDED))
    (await splices.get()).finish.set()
    assert await app.everything() == told(Reply.SUCCEEDED)


# Against a transport that only notes


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self._reading = True
        self._closed = False
        self.written = b""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        assert not self._closed, "uvloop raises here"
        assert not self._reading, "and here"
        self._reading = True

    def write_eof(self) -> None:
        assert not self._closed, "uvloop raises here"

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True

    def abort(self) -> None:
        self._closed = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


def connect(dialler: FakeDialler, tasks: TaskSet, limit: int = 64) -> tuple[ProxyConnection, FakeTransport, list[Any]]:
    gone: list[Any] = []
    config = SocksConfig(max_handshake=limit)
    proxy = ProxyConnection(lambda _request: dialler, tasks, gone.append, config=config, auth=None)
    transport = FakeTransport()
    proxy.connection_made(transport)
    return proxy, transport, gone


@pytest.mark.parametrize("pieces", [[b"x" * 65], [b"x" * 64, b"x"], [b"", b"x" * 65]])
async def test_early_data_is_bounded_and_nothing_of_it_is_lost(
    dialler: FakeDialler, splices: asyncio.Queue[Splice], pieces: list[bytes]
) -> None:
    tasks = TaskSet()
    proxy, transport, gone = connect(dialler, tasks)
    proxy.data_received(request(NAME) + pieces[0])
    for piece in pieces[1:]:
        assert transport.is_reading()
        proxy.data_received(piece)
    assert not transport.is_reading()
    (await dialler.opened.get()).answer.set_result(Answer(Reply.SUCCEEDED))
    splice = await splices.get()
    assert splice.early == b"x" * 65
    assert transport.written == told(Reply.SUCCEEDED)
    await tasks.aclose()
    await asyncio.sleep(0)
    assert gone == [proxy]
    assert transport.is_closing()


async def test_a_connection_lost_in_the_turn_of_its_request_is_forgotten(dialler: FakeDialler) -> None:
    tasks = TaskSet()
    proxy, transport, gone = connect(dialler, tasks)
    proxy.data_received(request(NAME))
    transport.abort()
    proxy.connection_lost(None)
    await tasks.aclose()
    await asyncio.sleep(0)
    assert gone == [proxy]
    assert dialler.opened.empty()


async def test_an_answer_to_an_application_that_is_just_going_is_lost_quietly(dialler: FakeDialler) -> None:
    tasks = TaskSet()
    proxy, transport, gone = connect(dialler, tasks)
    proxy.data_received(request(NAME) + b"x" * 65)
    stream = await dialler.opened.get()
    transport.close()
    stream.answer.set_result(Answer(Reply.NOT_ALLOWED))
    await stream.was_reset.wait()
    while len(tasks):
        await asyncio.sleep(0)
    assert gone == []
    proxy.connection_lost(None)
    assert gone == [proxy]


async def test_an_abort_may_come_before_the_connection(dialler: FakeDialler) -> None:
    gone: list[Any] = []
    proxy = ProxyConnection(lambda _request: dialler, TaskSet(), gone.append, config=SocksConfig(), auth=None)
    proxy.abort()
    transport = FakeTransport()
    proxy.connection_made(transport)
    assert transport.is_closing()
    proxy.connection_lost(None)
    assert gone == [proxy]


async def test_an_association_hears_nothing_more_on_its_connection(dialler: FakeDialler) -> None:
    tasks = TaskSet()
    proxy, transport, gone = connect(dialler, tasks)
    transport.get_extra_info = lambda name, default=None: ("127.0.0.1", 1)  # type: ignore[method-assign]
    proxy.data_received(request(NOWHERE, 3))
    association = await dialler.associations.get()
    proxy.data_received(b"x" * 65)
    assert not transport.is_reading()
    association.fake.answer.set_result(Answer(Reply.SUCCEEDED))
    while not transport.written.startswith(b"\x05\x00\x05\x00\x00\x01"):
        await asyncio.sleep(0)
    assert transport.is_reading()
    for _ in range(10):
        proxy.data_received(b"x" * 65)
    assert transport.is_reading()
    assert len(proxy._server.leftover) == 65
    transport.abort()
    proxy.connection_lost(None)
    await association.fake.was_reset.wait()
    await tasks.aclose()
    assert gone == [proxy]
