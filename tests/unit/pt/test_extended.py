"""The extended ORPort, against a bridge written here from the specification, and against whatever else may answer."""

from __future__ import annotations

import contextlib
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.pt.extended import COOKIE_HEADER, MAX_BODY, MAX_TYPES, ExtendedPortError, Introduction, parse_cookie

COOKIE = bytes(range(32))
NONCE = b"c" * 32
SERVER_NONCE = b"s" * 32
OKAY = bytes.fromhex("10000000")
DENY = bytes.fromhex("10010000")


def proof(direction: str, cookie: bytes = COOKIE) -> bytes:
    """The hashes of section 2.1.3."""
    text = f"ExtORPort authentication {direction} hash".encode() + NONCE + SERVER_NONCE
    return hmac.new(cookie, text, hashlib.sha256).digest()


def talk(machine: Introduction, said: bytes) -> tuple[bytes, bytes]:
    """Feed all that a bridge says; what we said, and what of the bridge's bytes was not read."""
    ours = b""
    while not machine.done:
        size = machine.wanted
        ours += machine.receive(said[:size])
        said = said[size:]
    return ours, said


def bridge(
    types: bytes = b"\1\0", server_hash: bytes | None = None, status: bytes = b"\1", reply: bytes = OKAY
) -> bytes:
    """All that a bridge says."""
    return types + (proof("server-to-client") if server_hash is None else server_hash) + SERVER_NONCE + status + reply


def test_a_bridge_that_knows_the_cookie_lets_us_in() -> None:
    ours, rest = talk(Introduction(COOKIE, NONCE, "mayfly"), bridge() + b"an OR connection")
    assert ours == b"\1" + NONCE + proof("client-to-server") + b"\0\2\0\6mayfly" + b"\0\0\0\0"
    assert rest == b"an OR connection"


def test_the_client_s_address_is_told_only_when_it_is_given() -> None:
    ours, _ = talk(Introduction(COOKIE, NONCE, "mayfly", "203.0.0.0:1"), bridge())
    assert ours.endswith(b"\0\1\0\x0b203.0.0.0:1" + b"\0\2\0\6mayfly" + b"\0\0\0\0")


@pytest.mark.parametrize("types", [b"\1\0", b"\2\1\0", bytes(range(1, 256)) + b"\0"])
def test_our_kind_of_proof_may_be_one_of_several(types: bytes) -> None:
    assert talk(Introduction(COOKIE, NONCE, "mayfly"), bridge(types=types))[1] == b""


@pytest.mark.parametrize("reply", [b"\x10\x02\0\3abc" + OKAY, b"\x20\0\0\0" + OKAY, b"\x10\0\0\4body"])
def test_unknown_replies_and_bodies_are_passed_over(reply: bytes) -> None:
    assert talk(Introduction(COOKIE, NONCE, "mayfly"), bridge(reply=reply))[1] == b""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (bridge(types=b"\2\0"), "another kind of proof"),
        (bridge(types=b"\0"), "another kind of proof"),
        (b"S" * (MAX_TYPES + 1), "not an extended ORPort"),
        (bridge(server_hash=b"x" * 32), "does not know the cookie"),
        (bridge(server_hash=proof("client-to-server")), "does not know the cookie"),
        (bridge(status=b"\0"), "does not accept"),
        (bridge(reply=DENY), "no more connections"),
        (bridge(reply=b"\x10\0" + (MAX_BODY + 1).to_bytes(2, "big")), "its protocol"),
        (bridge()[:-1], "closed the connection"),
        (b"", "closed the connection"),
    ],
)
def test_what_ends_the_handshake(said: bytes, words: str) -> None:
    with pytest.raises(ExtendedPortError, match=words):
        talk(Introduction(COOKIE, NONCE, "mayfly"), said)


def test_a_stranger_on_that_port_never_gets_our_proof() -> None:
    machine = Introduction(COOKIE, NONCE, "mayfly")
    said = b""
    with pytest.raises(ExtendedPortError):
        for piece in (b"\1", b"\0", b"x" * 64):
            said += machine.receive(piece)
    assert said == b"\1" + NONCE


@given(st.binary(max_size=2000))
def test_whatever_a_stranger_says_ends_in_the_documented_error(said: bytes) -> None:
    machine = Introduction(COOKIE, NONCE, "mayfly")
    with pytest.raises(ExtendedPortError):  # nobody guesses a hash
        talk(machine, said)


@given(st.lists(st.binary(min_size=4, max_size=40), max_size=8))
def test_whatever_an_honest_cookie_is_followed_by_stays_bounded(replies: list[bytes]) -> None:
    machine = Introduction(COOKIE, NONCE, "mayfly")
    with contextlib.suppress(ExtendedPortError):
        talk(machine, bridge(reply=b"".join(replies)))
    assert machine.wanted <= MAX_BODY


def test_after_the_end_nothing_is_read() -> None:
    machine = Introduction(COOKIE, NONCE, "mayfly")
    talk(machine, bridge())
    assert machine.wanted == 0
    with pytest.raises(ExtendedPortError):
        machine.receive(b"")


def test_a_cookie_file() -> None:
    assert parse_cookie(COOKIE_HEADER + COOKIE) == COOKIE


@pytest.mark.parametrize("content", [b"", COOKIE, COOKIE_HEADER + COOKIE[1:], COOKIE_HEADER + COOKIE + b"\n"])
def test_another_file_is_no_cookie_file(content: bytes) -> None:
    with pytest.raises(ExtendedPortError, match="cookie file"):
        parse_cookie(content)


@pytest.mark.parametrize(("nonce", "name"), [(b"short", "mayfly"), (NONCE, "may fly"), (NONCE, "")])
def test_our_own_mistakes(nonce: bytes, name: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        Introduction(COOKIE, nonce, name)
