"""The messages between client and relay, as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given

from mayfly.rendezvous.envelope import Element, EnvelopeError, Reason, Refusal, Sealed, decode
from unit.rendezvous.strategies import foreign


@pytest.mark.parametrize("message", [Element(b"A" + bytes(32)), Sealed(b"x"), *map(Refusal, Reason)])
def test_there_and_back(message: Element | Sealed | Refusal) -> None:
    assert decode(message.encode()) == message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        b"\x00x",
        b"\x04x",
        b"\x01short",
        b"\x01" + bytes(34),
        b"\x03\x00",
        b"\x03\x06",
        b"\x03\x01\x01",
        b"\x02" + bytes(4096),
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(EnvelopeError):
        decode(data)


@given(foreign)
def test_any_bytes_are_a_message_or_the_documented_error(data: bytes) -> None:
    try:
        message = decode(data)
    except EnvelopeError:
        return
    assert message.encode() == data
