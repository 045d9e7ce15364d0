from __future__ import annotations

from typing import cast

import pytest

from mayfly.errors import LinkLostError
from mayfly.mux.events import Priority
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.wire.address import Destination
from mayfly.wire.header import Header, Service
from mayfly_client.dialler import SessionDialler
from unit.client.fakes import FakeStream

TCP = Header(Service.TCP, Destination("example.com", 80))


class FakeSession:
    def __init__(self) -> None:
        self.opened: list[tuple[Header, Priority]] = []
        self.streams: list[FakeStream] = []
        self.sent: list[tuple[int, bytes]] = []

    async def open_stream(self, header: Header, priority: Priority = Priority.INTERACTIVE) -> Stream:
        self.opened.append((header, priority))
        self.streams.append(FakeStream(2 * len(self.opened), header))
        return cast("Stream", self.streams[-1])

    def send_datagram(self, stream_id: int, payload: bytes) -> None:
        self.sent.append((stream_id, payload))


def attached() -> tuple[SessionDialler, FakeSession]:
    dialler, session = SessionDialler(), FakeSession()
    dialler.attach(cast("Session", session))
    return dialler, session


async def test_without_a_session_there_is_no_stream() -> None:
    dialler = SessionDialler()
    with pytest.raises(LinkLostError):
        await dialler.open_stream(TCP)
    with pytest.raises(LinkLostError):
        await dialler.open_datagrams(print)
    dialler.deliver(2, b"dropped")


async def test_streams_are_the_sessions() -> None:
    dialler, session = attached()
    stream: object = await dialler.open_stream(TCP, Priority.BULK)
    assert stream is session.streams[0]
    assert session.opened == [(TCP, Priority.BULK)]


async def test_datagrams_find_their_association() -> None:
    dialler, session = attached()
    first: list[bytes] = []
    second: list[bytes] = []
    one = await dialler.open_datagrams(first.append)
    two = await dialler.open_datagrams(second.append)
    assert session.opened[0][0] == Header(Service.UDP)
    one.send(b"a")
    two.send(b"b")
    assert session.sent == [(2, b"a"), (4, b"b")]
    dialler.deliver(4, b"to two")
    dialler.deliver(2, b"to one")
    dialler.deliver(6, b"to nobody")
    assert (first, second) == ([b"to one"], [b"to two"])


async def test_a_closed_association_hears_no_more() -> None:
    dialler, session = attached()
    heard: list[bytes] = []
    datagrams = await dialler.open_datagrams(heard.append)
    datagrams.close()
    datagrams.close()
    assert session.streams[0].was_reset.is_set()
    dialler.deliver(2, b"late")
    assert heard == []


async def test_another_session_does_not_speak_for_the_first_ones_associations() -> None:
    dialler, first = attached()
    heard: list[bytes] = []
    old = await dialler.open_datagrams(heard.append)
    dialler.attach(cast("Session", FakeSession()))
    dialler.deliver(2, b"of another session, whose stream has the same number")
    assert heard == []
    old.send(b"x")
    assert first.sent == [(2, b"x")]
    old.close()
    assert first.streams[0].was_reset.is_set()
