"""Each test is a transcript: what the application says, what it hears, what the driver is told."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from mayfly.errors import Reply
from mayfly.socks.events import Close, Command, Credentials, End, Request, Send
from mayfly.socks.handshake import State
from mayfly.socks.login import Login
from mayfly.socks.socks4 import Socks4
from mayfly.wire.address import NOWHERE, Destination

REJECTED = b"\x00\x5b\x00\x00\x00\x00\x00\x00"
V4 = Destination(IPv4Address("192.0.2.7"), 80)
CONNECT_V4 = b"\x04\x01\x00\x50\xc0\x00\x02\x07"
CONNECT_4A = b"\x04\x01\x00\x50\x00\x00\x00\x01"


def machine(auth: tuple[str, str] | None = None, limit: int = 8192) -> Socks4:
    return Socks4(Login(auth), limit)


def test_connect() -> None:
    socks = machine()
    assert socks.receive(CONNECT_V4) == []
    assert socks.receive(b"\0early") == [Request(Command.CONNECT, V4)]
    assert socks.leftover == b"early"
    bound = Destination(IPv4Address("198.51.100.1"), 4321)
    assert socks.reply(Reply.SUCCEEDED, bound) == b"\x00\x5a\x10\xe1\xc6\x33\x64\x01"
    assert socks.state is State.ANSWERED


def test_the_user_id_is_told() -> None:
    request = Request(Command.CONNECT, V4, Credentials(b"al\xffice", b""))
    assert machine().receive(CONNECT_V4 + b"al\xffice\0") == [request]


def test_socks4a_connect_by_name() -> None:
    socks = machine()
    assert socks.receive(CONNECT_4A + b"\0") == []
    assert socks.receive(b"Example.com\0early") == [Request(Command.CONNECT, Destination("example.com", 80))]
    assert socks.leftover == b"early"
    # Bound to an IPv6 address, which this reply cannot hold.
    assert socks.reply(Reply.SUCCEEDED, Destination(IPv6Address("::1"), 1)) == b"\x00\x5a\x00\x01\x00\x00\x00\x00"


def test_the_address_of_all_zeros_is_no_name() -> None:
    request = Request(Command.CONNECT, Destination(IPv4Address(0), 80))
    assert machine().receive(b"\x04\x01\x00\x50\x00\x00\x00\x00\x00") == [request]


@pytest.mark.parametrize("name", [b"", b"a b", b"\xff.com", b"\x1b[31m", b"x" * 300])
def test_a_name_that_is_none_is_rejected(name: bytes) -> None:
    assert machine().receive(CONNECT_4A + b"\0" + name + b"\0") == [Send(REJECTED), Close(End.ADDRESS)]


@pytest.mark.parametrize("reply", [reply for reply in Reply if reply is not Reply.SUCCEEDED])
def test_every_failure_is_a_rejection(reply: Reply) -> None:
    socks = machine()
    socks.receive(CONNECT_V4 + b"\0")
    assert socks.reply(reply, NOWHERE) == REJECTED
    assert socks.state is State.CLOSED


@pytest.mark.parametrize("command", [0, 2, 3, 0xF1, 0xFF])
def test_bind_and_unknown_commands_are_rejected(command: int) -> None:
    assert machine().receive(b"\x04" + bytes([command]) + CONNECT_V4[2:] + b"\0") == [
        Send(REJECTED),
        Close(End.COMMAND),
    ]


def test_a_login_cannot_be_given_here() -> None:
    heard = b"\x00\x5d\x00\x00\x00\x00\x00\x00"
    assert machine(("alice", "")).receive(CONNECT_V4 + b"alice\0") == [Send(heard), Close(End.LOGIN)]


@pytest.mark.parametrize(
    ("bound", "heard"),
    [
        (Destination(IPv4Address("192.0.2.7"), 0), b"\x00\x5a\x00\x00\xc0\x00\x02\x07"),
        (Destination(IPv6Address("2001:db8::7"), 0), REJECTED),
        (Destination("a.name", 0), REJECTED),
    ],
)
def test_resolve(bound: Destination, heard: bytes) -> None:
    socks = machine()
    request = Request(Command.RESOLVE, Destination("example.com", 0))
    assert socks.receive(b"\x04\xf0" + CONNECT_4A[2:] + b"\0example.com\0") == [request]
    assert socks.reply(Reply.SUCCEEDED, bound) == heard
    assert socks.state is State.CLOSED


def test_resolving_an_address_gives_it_back_without_the_relay() -> None:
    heard = b"\x00\x5a\x00\x00\xc0\x00\x02\x07"
    assert machine().receive(b"\x04\xf0" + CONNECT_V4[2:] + b"\0") == [Send(heard), Close(End.ANSWERED)]


@pytest.mark.parametrize("start", [CONNECT_V4, CONNECT_4A + b"\0"], ids=["user", "name"])
def test_an_endless_text_is_rejected(start: bytes) -> None:
    assert machine(limit=64).receive(start + b"x" * 64) == [Send(REJECTED), Close(End.TOO_LONG)]
