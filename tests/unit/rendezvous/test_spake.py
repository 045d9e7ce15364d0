"""The thin module around SPAKE2."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.rendezvous.spake import ELEMENT_SIZE, ElementError, Side, Spake


def pair(
    client: bytes = b"copper-tulip", relay: bytes = b"copper-tulip", *, number: bytes = b"7"
) -> tuple[Spake, Spake]:
    return (
        Spake(Side.CLIENT, client, b"client 7", b"relay 7", os.urandom),
        Spake(Side.RELAY, relay, b"client " + number, b"relay 7", os.urandom),
    )


def test_the_same_words_give_the_same_key() -> None:
    client, relay = pair()
    key = client.finish(relay.message)
    assert key == relay.finish(client.message)
    assert len(key) == 32
    assert len(client.message) == ELEMENT_SIZE


@pytest.mark.parametrize(("client", "relay"), [pair(relay=b"copper-zero"), pair(number=b"8")], ids=["words", "number"])
def test_other_words_or_another_number_give_another_key(client: Spake, relay: Spake) -> None:
    assert client.finish(relay.message) != relay.finish(client.message)


def test_keys_are_fresh() -> None:
    first, second = pair(), pair()
    assert first[0].message != second[0].message
    assert first[0].finish(first[1].message) != second[0].finish(second[1].message)


def test_a_message_cannot_be_sent_back() -> None:
    client, _ = pair()
    with pytest.raises(ElementError):
        client.finish(client.message)
    with pytest.raises(ElementError):
        client.finish(b"B" + client.message[1:])


def test_a_message_of_another_length_is_refused() -> None:
    client, relay = pair()
    for message in (relay.message + b"\0", relay.message[:-1], b""):  # the library reads no further than it needs
        with pytest.raises(ElementError):
            client.finish(message)


# The encodings of points of small order on edwards25519, with the neutral element.
SMALL = [
    bytes.fromhex("01" + "00" * 31),
    bytes.fromhex("ec" + "ff" * 30 + "7f"),
    bytes(32),
    bytes.fromhex("00" * 31 + "80"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
]


@pytest.mark.parametrize("point", SMALL, ids=[point.hex()[:8] for point in SMALL])
def test_points_of_small_order_are_refused(point: bytes) -> None:
    client, _ = pair()
    with pytest.raises(ElementError):
        client.finish(b"B" + point)


@given(st.binary(max_size=80) | st.binary(min_size=32, max_size=32).map(lambda point: b"B" + point))
def test_any_bytes_give_a_key_or_the_documented_error(message: bytes) -> None:
    client, _ = pair()
    with contextlib.suppress(ElementError):
        assert len(client.finish(message)) == 32
