from __future__ import annotations

from ipaddress import IPv4Address

from mayfly.socks.events import Command, Credentials, End, Request
from mayfly.wire.address import Destination


def test_a_request_never_shows_the_credentials() -> None:
    request = Request(Command.CONNECT, Destination(IPv4Address("192.0.2.1"), 80), Credentials(b"alice", b"sesame"))
    assert "alice" not in repr(request)
    assert "sesame" not in repr(request)


def test_credentials_are_told_apart() -> None:
    assert Credentials(b"a", b"b") == Credentials(b"a", b"b")
    assert Credentials(b"a", b"b") != Credentials(b"a", b"c")


def test_each_end_has_its_own_words() -> None:
    assert len({end.value for end in End}) == len(End) == len(End.__members__)
