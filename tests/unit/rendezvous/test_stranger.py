"""Strangers, a curious broker between them, and one that is worse."""

from __future__ import annotations

import pytest
from hypothesis import example, given

from mayfly.errors import ForgedError, RefusedError
from mayfly.rendezvous.envelope import Element, EnvelopeError, Reason, Refusal, Sealed, decode
from mayfly.rendezvous.sealing import ReceivingKey, seal_to
from mayfly.rendezvous.stranger import StrangerClient, StrangerRelay
from unit.rendezvous.strategies import foreign

KEY = ReceivingKey()


def test_strangers_meet() -> None:
    client = StrangerClient(KEY.public, "match", b"offer")
    relay = StrangerRelay(KEY, "match", client.offer)
    assert relay.body == b"offer"
    assert client.answer(relay.seal(b"answer")) == b"answer"


def test_nothing_of_an_offer_can_be_read_and_its_length_tells_nothing() -> None:
    short, long = (
        StrangerClient(KEY.public, "match", body).offer.ciphertext for body in (b"10.1.2.3", b"10.1.2.3" * 9)
    )
    assert len(short) == len(long)
    assert b"10.1.2.3" not in long


def test_an_offer_is_good_in_its_own_match_only() -> None:
    client = StrangerClient(KEY.public, "one", b"offer")
    with pytest.raises(ForgedError):
        StrangerRelay(KEY, "two", client.offer)


def test_another_key_in_the_relay_s_place_opens_nothing_for_the_relay() -> None:
    client = StrangerClient(ReceivingKey().public, "match", b"offer")
    with pytest.raises(ForgedError):
        StrangerRelay(KEY, "match", client.offer)


def test_only_who_opened_the_offer_can_answer() -> None:
    client = StrangerClient(KEY.public, "match", b"offer")
    # A broker knows the relay's key and the match, but not the reply key inside the offer.
    with pytest.raises(ForgedError):
        client.answer(Sealed(seal_to(KEY.public, b"answer", b"")))
    with pytest.raises(ForgedError):
        client.answer(client.offer)


def test_an_answer_to_another_client_is_refused() -> None:
    first, second = (StrangerClient(KEY.public, "match", b"offer") for _ in range(2))
    with pytest.raises(ForgedError):
        second.answer(StrangerRelay(KEY, "match", first.offer).seal(b"answer"))


def test_an_answer_to_an_earlier_offer_with_the_same_reply_key_is_refused() -> None:
    reply = ReceivingKey()
    first, second = (StrangerClient(KEY.public, "match", b"offer", reply) for _ in range(2))
    with pytest.raises(ForgedError):
        second.answer(StrangerRelay(KEY, "match", first.offer).seal(b"answer"))


@pytest.mark.parametrize("key", [b"", bytes(32), b"x" * 33], ids=["none", "zero", "long"])
def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    with pytest.raises(ForgedError):
        StrangerClient(key, "match", b"offer")


def test_a_reply_key_that_is_none_is_refused() -> None:
    message = Sealed(seal_to(KEY.public, bytes(40), b"mayfly/1 pool offer match"))
    with pytest.raises(ForgedError):
        StrangerRelay(KEY, "match", message).seal(b"answer")


def test_a_refusal_is_told() -> None:
    with pytest.raises(RefusedError):
        StrangerClient(KEY.public, "match", b"offer").answer(Refusal(Reason.FULL))


@given(foreign)
@example(Element(b"A" + bytes(32)).encode())
@example(Refusal(Reason.FULL).encode())
def test_any_bytes_end_in_a_documented_error(data: bytes) -> None:
    try:
        message = decode(data)
    except EnvelopeError:
        return
    with pytest.raises(ForgedError):
        StrangerRelay(KEY, "match", message)
    with pytest.raises((ForgedError, RefusedError)):
        StrangerClient(KEY.public, "match", b"offer").answer(message)
