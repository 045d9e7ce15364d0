"""HOST:PORT, STUN and TURN."""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.transport.base import TurnServer
from mayfly_cli import endpoints
from support.spoilt import spoilt_text


def test_addresses() -> None:
    assert endpoints.address("127.0.0.1") == IPv4Address("127.0.0.1")
    assert endpoints.address("[::1]") == endpoints.address("::1") == IPv6Address("::1")
    for text in ("localhost", "127.0.0.1:80", "", "10.0.0.0/8"):
        with pytest.raises(ValueError, match="not an IPv4 or IPv6 address"):
            endpoints.address(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:1080", ("127.0.0.1", 1080)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("localhost:80", ("localhost", 80)),
    ],
)
def test_host_and_port(text: str, expected: tuple[str, int]) -> None:
    assert endpoints.host_port(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "1080", ":1080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1]", "[x]:1", "a b:1", "a:-1"],
)
def test_what_is_no_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        endpoints.host_port(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stun.example.com:19302", "stun.example.com:19302"),
        ("stun:stun.example.com", "stun.example.com:3478"),
        ("[2001:db8::1]", "[2001:db8::1]:3478"),
        ("192.0.2.1", "192.0.2.1:3478"),
    ],
)
def test_stun_servers(text: str, expected: str) -> None:
    assert endpoints.stun_server(text) == expected


def test_the_usual_stun_servers_are_in_the_form_that_links_take() -> None:
    assert tuple(map(endpoints.stun_server, endpoints.STUN_SERVERS)) == endpoints.STUN_SERVERS
    assert len({server.rsplit(".", 2)[-2] for server in endpoints.STUN_SERVERS}) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("turn:u:p@turn.example.com:3479", TurnServer("turn:turn.example.com:3479", "u", "p")),
        ("turn:u:p@turn.example.com", TurnServer("turn:turn.example.com:3478", "u", "p")),
        ("turns:u:p@turn.example.com", TurnServer("turns:turn.example.com:5349", "u", "p")),
        (
            "turn:u:p@192.0.2.1:3478?transport=tcp",
            TurnServer("turn:192.0.2.1:3478?transport=tcp", "u", "p"),
        ),
        ("turn:1700%3Au:a:b@c@[::1]:1", TurnServer("turn:[::1]:1", "1700:u", "a:b@c")),
    ],
)
def test_turn_servers(text: str, expected: TurnServer) -> None:
    assert endpoints.turn_server(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "turn:host:1", "turn:u@host:1", "turn:u:@host:1", "stun:u:s3cret@host", "turn:u:s3cret@",
        "turn:u:s3cret@host?transport=sctp", "turn:u:s3cret@host?x=y", "turn:u:s3cret@host?",
        "turn:u:s3cret@h?transport=udp&a=b", "turn:u:s3cret@h:99999",
    ],
)  # fmt: skip
def test_a_wrong_turn_server_is_refused_without_showing_its_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        endpoints.turn_server(text)
    assert "s3cret" not in str(caught.value)


def test_user_and_password() -> None:
    assert endpoints.user_password("me:a:b") == ("me", "a:b")
    for text in ("me", "me:", ":x", "", f"{'é' * 128}:x", f"me:{'x' * 256}"):
        with pytest.raises(ValueError, match="USER:PASSWORD"):
            endpoints.user_password(text)


PLACES = st.sampled_from(
    ["192.0.2.1", "[2001:db8::1]:80", "stun:stun.example", "turn:me:word@turn.example?transport=tcp"]
)


@given(st.text(max_size=60) | spoilt_text(PLACES))
def test_any_text_gives_a_value_or_a_value_error(text: str) -> None:
    for convert in (
        endpoints.address, endpoints.host_port, endpoints.stun_server, endpoints.turn_server, endpoints.user_password
    ):  # fmt: skip
        with contextlib.suppress(ValueError):
            convert(text)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_join_is_undone_by_host_port(address: IPv4Address | IPv6Address, port: int) -> None:
    if getattr(address, "scope_id", None) is None:
        assert endpoints.host_port(endpoints.join(str(address), port)) == (str(address), port)
