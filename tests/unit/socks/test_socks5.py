"""Each test is a transcript: what the application says, what it hears, what the driver is told."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from mayfly.errors import Reply
from mayfly.socks.events import Close, Command, Credentials, End, Request, Send
from mayfly.socks.handshake import State
from mayfly.socks.login import Login
from mayfly.socks.socks5 import Socks5, encode_reply
from mayfly.wire.address import NOWHERE, Destination

V4 = Destination(IPv4Address("192.0.2.7"), 443)
V6 = Destination(IPv6Address("2001:db8::7"), 443)
NAME = Destination("example.com", 443)


def machine(auth: tuple[str, str] | None = None, limit: int = 8192) -> Socks5:
    return Socks5(Login(auth), limit)


def greeted(auth: tuple[str, str] | None = None) -> Socks5:
    socks = machine(auth)
    assert socks.receive(b"\x05\x01\x00") == [Send(b"\x05\x00")]
    return socks


def request(command: int, destination: Destination) -> bytes:
    return bytes([5, command, 0]) + destination.encode()


# Method negotiation, RFC 1928 §3


@pytest.mark.parametrize(
    ("methods", "answer", "state"),
    [
        (b"\x00", b"\x05\x00", State.REQUEST),
        (b"\x02", b"\x05\x02", State.PASSWORD),
        (b"\x00\x02", b"\x05\x02", State.PASSWORD),
        (b"\x01\x00", b"\x05\x00", State.REQUEST),
    ],
)
def test_a_method_is_chosen(methods: bytes, answer: bytes, state: State) -> None:
    socks = machine()
    assert socks.receive(bytes([5, len(methods)]) + methods) == [Send(answer)]
    assert socks.state is state


@pytest.mark.parametrize("methods", [b"", b"\x01", b"\x80\xfe"])
def test_no_acceptable_method(methods: bytes) -> None:
    socks = machine()
    assert socks.receive(bytes([5, len(methods)]) + methods) == [Send(b"\x05\xff"), Close(End.LOGIN)]
    assert socks.state is State.CLOSED


def test_no_authentication_is_refused_where_a_login_is_required() -> None:
    assert machine(("u", "p")).receive(b"\x05\x01\x00") == [Send(b"\x05\xff"), Close(End.LOGIN)]


# User name and password, RFC 1929


def test_any_user_name_is_taken_and_told() -> None:
    socks = machine()
    assert socks.receive(b"\x05\x02\x00\x02") == [Send(b"\x05\x02")]
    assert socks.receive(b"\x01\x05alice\x03\xff\x00!") == [Send(b"\x01\x00")]
    assert socks.receive(request(1, V4)) == [Request(Command.CONNECT, V4, Credentials(b"alice", b"\xff\x00!"))]


def test_the_required_pair_opens() -> None:
    socks = machine(("alice", "sesame"))
    assert socks.receive(b"\x05\x01\x02") == [Send(b"\x05\x02")]
    assert socks.receive(b"\x01\x05alice\x06sesame") == [Send(b"\x01\x00")]


@pytest.mark.parametrize("login", [b"\x01\x05alice\x06SESAME", b"\x01\x00\x00", b"\x01\x03bob\x06sesame"])
def test_another_pair_does_not(login: bytes) -> None:
    socks = machine(("alice", "sesame"))
    socks.receive(b"\x05\x01\x02")
    assert socks.receive(login + request(1, V4)) == [Send(b"\x01\x01"), Close(End.LOGIN)]
    assert socks.state is State.CLOSED


def test_a_login_of_another_version_is_malformed() -> None:
    socks = machine()
    socks.receive(b"\x05\x01\x02")
    assert socks.receive(b"\x05") == [Send(b"\x01\x01"), Close(End.MALFORMED)]


def test_the_longest_login_fits_and_an_empty_one_is_taken() -> None:
    for size in (255, 0):
        socks = machine()
        socks.receive(b"\x05\x01\x02")
        field = bytes([size]) + b"x" * size
        assert socks.receive(b"\x01" + field + field) == [Send(b"\x01\x00")]


# Requests, RFC 1928 §4


@pytest.mark.parametrize("destination", [V4, V6, NAME], ids=["ipv4", "ipv6", "name"])
def test_connect(destination: Destination) -> None:
    socks = greeted()
    assert socks.receive(request(1, destination) + b"early") == [Request(Command.CONNECT, destination)]
    assert socks.leftover == b"early"
    bound = Destination(IPv4Address("198.51.100.1"), 4321)
    assert socks.reply(Reply.SUCCEEDED, bound) == b"\x05\x00\x00\x01\xc6\x33\x64\x01\x10\xe1"
    assert socks.state is State.ANSWERED


def test_a_name_that_is_an_address_becomes_one() -> None:
    socks = greeted()
    assert socks.receive(b"\x05\x01\x00\x03\x09192.0.2.7\x01\xbb") == [Request(Command.CONNECT, V4)]


@pytest.mark.parametrize("reply", [reply for reply in Reply if reply is not Reply.SUCCEEDED])
def test_the_relays_reason_is_told_verbatim(reply: Reply) -> None:
    socks = greeted()
    socks.receive(request(1, NAME))
    assert socks.reply(reply, NOWHERE) == bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
    assert socks.state is State.CLOSED


def test_udp_associate() -> None:
    socks = greeted()
    assert socks.receive(request(3, NOWHERE)) == [Request(Command.UDP_ASSOCIATE, NOWHERE)]
    bound = Destination(IPv6Address("::1"), 5353)
    assert socks.reply(Reply.SUCCEEDED, bound) == b"\x05\x00\x00\x04" + b"\0" * 15 + b"\x01\x14\xe9"


@pytest.mark.parametrize("command", [2, 0, 4, 0x7F, 0xF2, 0xFF], ids=hex)
def test_bind_and_unknown_commands_are_refused(command: int) -> None:
    socks = greeted()
    refusal = b"\x05\x07\x00\x01\0\0\0\0\0\0"
    assert socks.receive(request(command, V4)) == [Send(refusal), Close(End.COMMAND)]


@pytest.mark.parametrize("kind", [0, 2, 5, 255])
def test_an_unknown_address_type_is_refused(kind: int) -> None:
    refusal = b"\x05\x08\x00\x01\0\0\0\0\0\0"
    assert greeted().receive(bytes([5, 1, 0, kind])) == [Send(refusal), Close(End.ADDRESS)]


@pytest.mark.parametrize("name", [b"", b"a b", b"\x1b[31m.com", "é.com".encode(), b"a\0b", b"-", b".com"])
def test_a_name_that_is_none_is_unreachable(name: bytes) -> None:
    refusal = b"\x05\x04\x00\x01\0\0\0\0\0\0"
    data = b"\x05\x01\x00\x03" + bytes([len(name)]) + name + b"\x00\x50"
    assert greeted().receive(data) == [Send(refusal), Close(End.ADDRESS)]


def test_a_request_of_another_version_is_malformed() -> None:
    refusal = b"\x05\x01\x00\x01\0\0\0\0\0\0"
    assert greeted().receive(b"\x04") == [Send(refusal), Close(End.MALFORMED)]


# Tor's socks-extensions


def test_resolve() -> None:
    socks = greeted()
    assert socks.receive(request(0xF0, NAME)) == [Request(Command.RESOLVE, Destination("example.com", 0))]
    assert socks.reply(Reply.SUCCEEDED, Destination(IPv4Address("192.0.2.7"), 0)) == b"\x05\0\0\x01\xc0\0\x02\x07\0\0"
    assert socks.state is State.CLOSED


@pytest.mark.parametrize("destination", [V4, V6], ids=["ipv4", "ipv6"])
def test_resolving_an_address_gives_it_back_without_the_relay(destination: Destination) -> None:
    socks = greeted()
    answer = encode_reply(Reply.SUCCEEDED, Destination(destination.host, 0))
    assert socks.receive(request(0xF0, destination)) == [Send(answer), Close(End.ANSWERED)]


def test_resolve_ptr() -> None:
    socks = greeted()
    assert socks.receive(request(0xF1, V6)) == [Request(Command.RESOLVE_PTR, Destination(V6.host, 0))]
    assert socks.reply(Reply.SUCCEEDED, Destination("dns.example", 0)) == b"\x05\0\0\x03\x0bdns.example\0\0"
    assert socks.state is State.CLOSED


def test_resolve_ptr_of_a_name_is_refused() -> None:
    refusal = b"\x05\x08\x00\x01\0\0\0\0\0\0"
    assert greeted().receive(request(0xF1, NAME)) == [Send(refusal), Close(End.ADDRESS)]


# Limits


@pytest.mark.parametrize(
    ("said", "limit", "heard"),
    [
        (b"\x05\xff", 2, b"\x05\xff"),
        (b"\x05\x01\x02\x01\xff", 5, b"\x01\x01"),
        (b"\x05\x01\x00\x05\x01", 5, b"\x05\x01\x00\x01\0\0\0\0\0\0"),
    ],
)
def test_the_limit_is_told_in_the_words_of_the_state(said: bytes, limit: int, heard: bytes) -> None:
    events = machine(limit=limit).receive(said)
    assert events[-2:] == [Send(heard), Close(End.TOO_LONG)]
