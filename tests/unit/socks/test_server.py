from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mayfly.config import SocksConfig
from mayfly.errors import LocalProtocolError, Reply
from mayfly.socks.events import Close, Command, End, Event, Request, Send
from mayfly.socks.server import ProxyServer
from mayfly.wire.address import NOWHERE, Destination

SOCKS5 = b"\x05\x01\x00\x05\x01\x00\x03\x0bexample.com\x00\x50"
SOCKS5_LOGIN = b"\x05\x02\x00\x02\x01\x01u\x01p\x05\xf0\x00\x03\x0bexample.com\x00\x00"
SOCKS4A = b"\x04\x01\x00\x50\x00\x00\x00\x01user\x00example.com\x00"
HTTP = b"CONNECT example.com:80 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
DESTINATION = Destination("example.com", 80)


def only_request(events: list[Event]) -> Request:
    (request,) = [event for event in events if isinstance(event, Request)]
    return request


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (SOCKS5, b"\x05\x00\x00\x01\0\0\0\0\0\0"),
        (SOCKS4A, b"\x00\x5a\0\0\0\0\0\0"),
        (HTTP, b"HTTP/1.1 200 Connection established\r\n\r\n"),
    ],
    ids=["socks5", "socks4a", "http"],
)
def test_dialects_are_told_apart_by_the_first_byte(said: bytes, reply: bytes) -> None:
    server = ProxyServer(SocksConfig())
    assert server.receive(b"") == []
    request = only_request(server.receive(said + b"early"))
    assert (request.command, request.destination) == (Command.CONNECT, DESTINATION)
    assert server.leftover == b"early"
    assert server.reply(Reply.SUCCEEDED, NOWHERE) == reply


@pytest.mark.parametrize("first", [0x00, 0x03, 0x06, 0x16, 0x20, 0x30, 0x5B, 0x7F, 0x80, 0xC3, 0xFF])
def test_another_first_byte_ends_it_without_a_word(first: int) -> None:
    server = ProxyServer(SocksConfig())
    assert server.receive(bytes([first]) + b"whatever") == [Close(End.UNKNOWN_PROTOCOL)]
    assert server.receive(SOCKS5) == []
    assert server.leftover == b""
    with pytest.raises(LocalProtocolError):
        server.reply(Reply.SUCCEEDED, NOWHERE)


@pytest.mark.parametrize("said", [SOCKS5, SOCKS4A, HTTP.replace(b"dTpw", b"eDp5")], ids=["socks5", "socks4a", "http"])
def test_a_required_login_holds_in_every_dialect(said: bytes) -> None:
    events = ProxyServer(SocksConfig(), ("u", "p")).receive(said)
    assert events[-1] == Close(End.LOGIN)
    assert not any(isinstance(event, Request) for event in events)


# Any bytes in any pieces


def whole(data: bytes, auth: tuple[str, str] | None, limit: int) -> tuple[list[Event], bytes]:
    return pieces([data], auth, limit)


def pieces(parts: list[bytes], auth: tuple[str, str] | None, limit: int) -> tuple[list[Event], bytes]:
    server = ProxyServer(SocksConfig(max_handshake=limit), auth)
    events: list[Event] = []
    for part in parts:
        events += server.receive(part)
        if not any(isinstance(event, Request) for event in events):
            assert held(server) < limit
    return events, server.leftover


def held(server: ProxyServer) -> int:
    return len(server._dialect._buffer) if server._dialect is not None else 0


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


valid = st.sampled_from([SOCKS5, SOCKS5_LOGIN, SOCKS4A, HTTP, GET])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real handshake with a few bytes changed, taken out, or put in: it gets further than chance does."""
    data = bytearray(draw(valid))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data) + draw(st.binary(max_size=40))


anything = st.one_of(
    st.binary(max_size=300),
    mutated(),
    st.builds(
        bytes.__add__, st.sampled_from([b"\x05", b"\x04", b"C", b"CONNECT a:1 HTTP/1.1\r\n"]), st.binary(max_size=300)
    ),
)
logins = st.sampled_from([None, ("u", "p"), ("x", "y")])


@given(anything, st.lists(st.integers(0, 400), max_size=12), logins, st.integers(1, 200) | st.just(8192))
@example(SOCKS5_LOGIN + b"early", list(range(60)), None, 8192)
@example(HTTP, list(range(120)), ("u", "p"), len(HTTP))
@example(HTTP, list(range(120)), None, len(HTTP) - 1)
def test_the_pieces_never_change_the_outcome(
    data: bytes, places: list[int], auth: tuple[str, str] | None, limit: int
) -> None:
    assert pieces(cut(data, places), auth, limit) == whole(data, auth, limit)


@given(anything, logins, st.sampled_from(Reply), st.sampled_from([NOWHERE, DESTINATION]))
def test_any_bytes_end_in_at_most_one_request_or_one_close(
    data: bytes, auth: tuple[str, str] | None, reply: Reply, bound: Destination
) -> None:
    server = ProxyServer(SocksConfig(), auth)
    events = server.receive(data)
    finals = [event for event in events if not isinstance(event, Send)]
    assert len(finals) <= 1
    assert finals == events[-1:] or not finals
    if finals and isinstance(finals[0], Request):
        assert data.endswith(server.leftover)
        assert server.reply(reply, bound)
    else:
        assert server.leftover == b""


@given(st.sampled_from([b"\x05", b"\x04", b"C"]), st.lists(st.binary(min_size=1, max_size=64), max_size=200))
def test_a_program_that_never_stops_talking_is_not_stored(first: bytes, parts: list[bytes]) -> None:
    pieces([first, *parts], None, 256)


@pytest.mark.parametrize("first", [b"\x04", b"C"], ids=["socks4", "http"])
def test_a_request_without_end_is_refused_exactly_at_the_limit(first: bytes) -> None:
    server = ProxyServer(SocksConfig(max_handshake=1000))
    server.receive(first)
    for _ in range(998):
        assert server.receive(b"x") == []
    assert server.receive(b"x")[-1] == Close(End.TOO_LONG)
    assert held(server) == 0
