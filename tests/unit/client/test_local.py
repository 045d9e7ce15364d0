from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from mayfly.errors import ListenError
from mayfly_client import local


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("LOCALHOST", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::", "::"),
    ],
)
def test_addresses_to_listen_on(host: str, address: str) -> None:
    assert str(local.parse_local(host)) == address


@pytest.mark.parametrize("host", ["", "example.com", "127.0.0.1:80", "*"])
def test_a_name_is_no_address(host: str) -> None:
    with pytest.raises(ListenError, match="not on a name") as caught:
        local.parse_local(host)
    assert "--socks" in caught.value.hint


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_warning(host: str) -> None:
    assert local.exposure_warning(host, login_required=False) is None


@pytest.mark.parametrize(
    ("host", "login", "words"),
    [
        ("0.0.0.0", False, ["every address", "can use your relay", "--socks-auth"]),
        ("::", False, ["every address", "can use your relay"]),
        ("192.0.2.1", False, ["192.0.2.1", "can use your relay"]),
        ("192.0.2.1", True, ["192.0.2.1", "unencrypted"]),
    ],
)
def test_anything_else_does(host: str, login: bool, words: list[str]) -> None:
    warning = local.exposure_warning(host, login_required=login)
    assert warning is not None
    message, hint = warning
    assert [word for word in words if word not in f"{message} {hint}"] == []
    assert ("can use your relay" in message) is not login
    assert "127.0.0.1" in hint


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "port 80 on 127.0.0.1 is kept for the system's own services"),
        (errno.EADDRNOTAVAIL, "127.0.0.1 is not an address of this computer"),
        (errno.EAFNOSUPPORT, "this computer has no IPv4"),
        (errno.ENOBUFS, "cannot listen on port 80 of 127.0.0.1: "),
    ],
)
def test_what_the_system_says_is_told_in_plain_words(number: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(_self: socket.socket, _address: Any) -> None:
        raise OSError(number, "the system's own words")

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(ListenError) as caught:
        local.listening_socket("127.0.0.1", 80, 5)
    assert caught.value.message.startswith(words)
    assert "--socks 127.0.0.1:0" in caught.value.hint


def test_a_datagram_socket_stands_beside_the_connection() -> None:
    for name in (("127.0.0.1", 9), ("::1", 9, 0, 0)):
        with local.datagram_socket(name) as sock:
            assert sock.type == socket.SOCK_DGRAM
            host, port = sock.getsockname()[:2]
            assert host == name[0]
            assert port not in (0, 9)


def test_an_address_that_is_not_ours_has_no_datagram_socket() -> None:
    with pytest.raises(OSError, match=r".+"):
        local.datagram_socket(("192.0.2.1", 9))


def test_show() -> None:
    assert local.show(("127.0.0.1", 1080)) == "127.0.0.1:1080"
    assert local.show(("::1", 1080, 0, 0)) == "[::1]:1080"
