"""Two friends, and all who would like to be one of them."""

from __future__ import annotations

import os

import pytest
from hypothesis import given

from mayfly.errors import ForgedError, RefusedError, WrongWordsError
from mayfly.rendezvous.envelope import Element, Envelope, EnvelopeError, Reason, Refusal, Sealed, decode
from mayfly.rendezvous.friend import FriendClient, FriendRelay
from mayfly.rendezvous.shortcode import ShortCode
from unit.rendezvous.strategies import foreign

CODE = ShortCode("7", ("copper", "tulip"))
GUESS = ShortCode("7", ("copper", "zero"))
OTHER_NUMBER = ShortCode("8", ("copper", "tulip"))


def begun(code: ShortCode = CODE) -> tuple[FriendClient, FriendRelay, Sealed]:
    client = FriendClient(code, os.urandom)
    relay = FriendRelay(CODE, client.first, os.urandom)
    return client, relay, client.offer(relay.reply, b"offer")


def test_friends_meet() -> None:
    client, relay, offer = begun()
    assert relay.open(offer) == b"offer"
    assert client.answer(relay.seal(b"answer")) == b"answer"


def test_nothing_of_an_offer_or_an_answer_can_be_read_and_lengths_tell_nothing() -> None:
    passed: list[tuple[bytes, bytes]] = []
    for said in (b"10.1.2.3", b"10.1.2.3" * 9):
        client = FriendClient(CODE, os.urandom)
        relay = FriendRelay(CODE, client.first, os.urandom)
        offer = client.offer(relay.reply, said)
        relay.open(offer)
        passed.append((offer.encode(), relay.seal(said).encode()))
    short, long = passed
    assert [len(each) for each in short] == [len(each) for each in long]
    assert not any(b"10.1.2.3" in each for each in (*short, *long))


@pytest.mark.parametrize("code", [GUESS, OTHER_NUMBER], ids=["words", "number"])
def test_a_wrong_guess_is_told_apart_by_the_relay_alone(code: ShortCode) -> None:
    client, relay, offer = begun(code)
    with pytest.raises(WrongWordsError):
        relay.open(offer)
    with pytest.raises(WrongWordsError):
        client.answer(Refusal(Reason.WRONG_WORDS))


def test_the_relay_says_nothing_that_confirms_a_guess_before_the_client_has_sealed() -> None:
    # The reply's form and length are the same for right and wrong words: a point that depends on the relay's secret.
    for code in (CODE, GUESS):
        relay = FriendRelay(CODE, FriendClient(code, os.urandom).first, os.urandom)
        assert len(relay.reply.encode()) == 34


def test_a_broker_that_puts_itself_between_with_a_guess_is_found_out_by_both() -> None:
    victim = FriendClient(CODE, os.urandom)
    fake_relay = FriendRelay(GUESS, victim.first, os.urandom)
    offer = victim.offer(fake_relay.reply, b"offer")
    with pytest.raises(WrongWordsError):
        fake_relay.open(offer)  # it learns that its one guess was wrong, and nothing of the offer
    with pytest.raises(ForgedError):
        victim.answer(fake_relay.seal(b"answer"))


def test_an_offer_of_an_earlier_exchange_is_refused() -> None:
    _, _, old = begun()
    _, relay, _ = begun()
    with pytest.raises(WrongWordsError):
        relay.open(old)


def test_an_offer_sent_back_is_no_answer() -> None:
    client, _, offer = begun()
    with pytest.raises(ForgedError):
        client.answer(offer)


def test_an_element_sent_back_is_no_reply() -> None:
    client = FriendClient(CODE, os.urandom)
    with pytest.raises(ForgedError):
        client.offer(client.first, b"offer")


@pytest.mark.parametrize("message", [Sealed(b"x" * 300), Element(b"A" + bytes(32)), Refusal(Reason.WRONG_WORDS)])
def test_messages_in_the_wrong_place(message: Envelope) -> None:
    with pytest.raises((ForgedError, RefusedError)):
        FriendClient(CODE, os.urandom).offer(message, b"offer")
    with pytest.raises(ForgedError):
        FriendRelay(CODE, message, os.urandom)
    client, relay, _ = begun()
    with pytest.raises(WrongWordsError):
        relay.open(message)
    with pytest.raises((ForgedError, WrongWordsError)):
        client.answer(message)


@pytest.mark.parametrize("reason", [Reason.FULL, Reason.LEAVING, Reason.NO_ADDRESS])
def test_refusals_are_told(reason: Reason) -> None:
    with pytest.raises(RefusedError):
        FriendClient(CODE, os.urandom).offer(Refusal(reason), b"offer")
    client, _, _ = begun()
    with pytest.raises(RefusedError):
        client.answer(Refusal(reason))


@given(foreign)
def test_any_bytes_end_in_a_documented_error(data: bytes) -> None:
    try:
        message = decode(data)
    except EnvelopeError:
        return
    client, relay, _ = begun()
    with pytest.raises((ForgedError, RefusedError, WrongWordsError)):
        client.answer(message)
    with pytest.raises(WrongWordsError):
        relay.open(message)
