from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from mayfly.config import SocksConfig
from mayfly.errors import ExitCode, ListenError, Reply
from mayfly.wire.header import Answer
from mayfly_client.listener import ProxyListener
from unit.client.conftest import Applications, Proxies, Splice, port_of
from unit.client.fakes import FakeDialler

GREETING = b"\x05\x01\x00"
CONNECT = b"\x05\x01\x00\x05\x01\x00\x03\x0bexample.com\x00\x50"


async def test_port_0_takes_a_free_one_and_tells_it(listener: ProxyListener) -> None:
    host, _, port = listener.address.rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0
    assert listener.connections == 0


async def test_ipv6(proxies: Proxies, apps: Applications) -> None:
    listener = await proxies.start("::1")
    assert listener.address == f"[::1]:{port_of(listener)}"
    app = await apps.start(listener, GREETING, "::1")
    assert await app.reader.readexactly(2) == b"\x05\x00"


async def test_a_busy_port_is_told_in_plain_words(listener: ProxyListener, dialler: FakeDialler) -> None:
    with pytest.raises(ListenError) as caught:
        await ProxyListener(dialler).start("127.0.0.1", port_of(listener))
    assert caught.value.message == f"port {port_of(listener)} on 127.0.0.1 is in use"
    assert caught.value.hint == "Choose another with --socks 127.0.0.1:0."
    assert caught.value.exit_code is ExitCode.CANNOT_LISTEN


async def test_a_listener_that_never_started_closes() -> None:
    await ProxyListener(FakeDialler()).aclose()


async def test_too_many_applications_are_turned_away_until_one_leaves(
    proxies: Proxies, apps: Applications, dialler: FakeDialler
) -> None:
    listener = await proxies.start(config=SocksConfig(max_connections=1))
    first = await apps.start(listener, GREETING)
    await first.reader.readexactly(2)
    second = await apps.start(listener)
    assert await second.everything() == b""
    assert listener.connections == 1

    first.writer.write(CONNECT[3:])
    stream = await dialler.opened.get()
    await first.leave()
    await stream.was_reset.wait()
    while listener.connections:
        await asyncio.sleep(0)
    third = await apps.start(listener, GREETING)
    assert await third.reader.readexactly(2) == b"\x05\x00"


async def test_drain_waits_for_streams_and_drops_those_who_have_not_asked(
    apps: Applications, listener: ProxyListener, dialler: FakeDialler, splices: asyncio.Queue[Splice]
) -> None:
    await apps.start(listener, CONNECT)
    (await dialler.opened.get()).answer.set_result(Answer(Reply.SUCCEEDED))
    splice = await splices.get()
    idle = await apps.start(listener, GREETING)
    await idle.reader.readexactly(2)

    draining = asyncio.get_running_loop().create_task(listener.drain())
    assert await idle.reader.read() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port_of(listener))
    assert not draining.done()
    assert listener.connections == 1
    splice.finish.set()
    await draining
    assert listener.connections == 0


async def test_aclose_ends_everything_at_once(
    proxies: Proxies, apps: Applications, dialler: FakeDialler, splices: asyncio.Queue[Splice]
) -> None:
    tasks = asyncio.all_tasks()
    listener = await proxies.start()
    for said in (b"", b"\x05", CONNECT, CONNECT, b"GET / HTTP/1.1\r\n\r\n"):
        await apps.start(listener, said)
    spliced, opening = await dialler.opened.get(), await dialler.opened.get()
    spliced.answer.set_result(Answer(Reply.SUCCEEDED))
    splice = await splices.get()
    while listener.connections < 5:
        await asyncio.sleep(0)

    await listener.aclose()
    await listener.aclose()
    assert listener.connections == 0
    assert opening.reset_with is not None
    assert splice.transport.is_closing()
    assert asyncio.all_tasks() == tasks
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port_of(listener))


async def test_aclose_meets_applications_that_are_just_being_accepted(apps: Applications, proxies: Proxies) -> None:
    listener = await proxies.start()
    starting = [asyncio.get_running_loop().create_task(apps.start(listener)) for _ in range(20)]
    while not listener.connections:
        await asyncio.sleep(0)
    await listener.aclose()
    await asyncio.gather(*starting, return_exceptions=True)
    assert listener.connections == 0


async def test_a_busy_listener_leaks_no_socket(listener: ProxyListener, dialler: FakeDialler) -> None:
    with socket.socket() as probe:
        before = probe.fileno()
    for _ in range(3):
        with pytest.raises(ListenError) as caught:
            await ProxyListener(dialler).start("127.0.0.1", port_of(listener))
        assert isinstance(caught.value.__cause__, OSError)
        assert caught.value.__cause__.errno == errno.EADDRINUSE
    with socket.socket() as probe:
        assert probe.fileno() == before
