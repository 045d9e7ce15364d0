"""Offers and answers without their text form."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.rendezvous import offers
from mayfly.signaling.body import EPOCH
from mayfly.signaling.description import Kind
from support.descriptions import description
from support.spoilt import spoilt

OFFER = offers.offer(description(Kind.OFFER))
ANSWER = offers.answer(description(Kind.ANSWER), OFFER)


def test_there_and_back() -> None:
    assert offers.read_offer(OFFER.body) == OFFER
    assert offers.read_answer(ANSWER.body, OFFER) == ANSWER


def test_no_clock_is_told() -> None:
    assert OFFER.expires == ANSWER.expires == EPOCH


def test_one_for_the_other_is_refused() -> None:
    with pytest.raises(offers.OfferError):
        offers.read_offer(ANSWER.body)
    with pytest.raises(offers.OfferError):
        offers.read_answer(OFFER.body, OFFER)


def test_an_answer_to_another_offer_is_refused() -> None:
    other = offers.offer(description(Kind.OFFER, ufrag=5))
    with pytest.raises(offers.OfferError):
        offers.read_answer(ANSWER.body, other)


@given(st.binary(max_size=400) | spoilt(st.sampled_from([OFFER.body, ANSWER.body])))
def test_any_bytes_are_an_offer_or_the_documented_error(body: bytes) -> None:
    for read in (offers.read_offer, lambda data: offers.read_answer(data, OFFER)):
        with contextlib.suppress(offers.OfferError):
            read(body)
