"""words.py: the same words at both ends, others when anything differs."""

from __future__ import annotations

from dataclasses import replace
from hashlib import pbkdf2_hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mayfly.signaling import words
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.signaling.wordlist import WORDS
from mayfly.signaling.words import verification_words
from support.descriptions import MDNS, NOW, answer_code, codes, offer_code

OFFER = offer_code()
ANSWER = answer_code(OFFER)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "ITERATIONS", 1)


def test_known_words() -> None:
    """A vector for other implementations; it stands in core/PROTOCOL.md."""
    assert OFFER.text == (
        "mf1yqvxttcqqypqxpq9qcrsszg2pvxq6rs0zqg3yyc5z5tpwxqergd3c8g7ruqqq6dhr4q3fy632ktkr8f4mdlrn6al8halqqxq4"
        "qqsfs7tq89squg8aueq0ym7l4"
    )
    assert ANSWER.text == (
        "mf1y5vxttamjxeer006qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sqqrfkuw5z9yn292ewcvaxhdhuw0th"
        "u7lhuqqcz5qzpxrevqukqr3qlhnyxh96xp"
    )
    assert verification_words(OFFER, ANSWER) == ("echo", "orbit", "galaxy", "palace", "ivory")


def test_each_try_costs_200_000_rounds() -> None:
    secret = len(OFFER.body).to_bytes(2, "big") + OFFER.body + ANSWER.body
    key = pbkdf2_hmac("sha256", secret, b"mayfly verification words 1", 200_000, dklen=5)
    assert verification_words(OFFER, ANSWER) == tuple(WORDS[byte] for byte in key)


@pytest.mark.usefixtures("quick")
def test_the_same_at_both_ends() -> None:
    there = parse(OFFER.text.upper(), wanted=Kind.OFFER, now=NOW)
    here = parse(f"> {ANSWER.text}", wanted=Kind.ANSWER, now=NOW, offers=[OFFER])
    assert verification_words(there, ANSWER) == verification_words(OFFER, here)
    assert len(verification_words(OFFER, ANSWER)) == 5


@pytest.mark.usefixtures("quick")
def test_others_when_anything_differs() -> None:
    shown = ANSWER.description
    others = [
        replace(ANSWER, expires=ANSWER.expires + 60),
        replace(ANSWER, description=replace(shown, fingerprint=bytes(32))),
        replace(ANSWER, description=replace(shown, ufrag="efgh")),
        replace(ANSWER, description=replace(shown, candidates=(MDNS,))),
        replace(ANSWER, description=replace(shown, candidates=())),
    ]
    offer = replace(OFFER, description=replace(OFFER.description, fingerprint=bytes(32)))
    found = {verification_words(OFFER, answer) for answer in [ANSWER, *others]}
    found.add(verification_words(offer, replace(ANSWER, offer=offer.digest)))
    assert len(found) == 7


@settings(max_examples=30)
@given(codes().filter(lambda code: code.description.kind is Kind.OFFER), st.integers(0, 31))
def test_one_bit_of_a_fingerprint_changes_the_words(offer: Code, position: int) -> None:
    changed = bytearray(ANSWER.description.fingerprint)
    changed[position] ^= 1
    answer = replace(ANSWER, offer=offer.digest)
    forged = replace(answer, description=replace(answer.description, fingerprint=bytes(changed)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "ITERATIONS", 1)
        assert verification_words(offer, answer) != verification_words(offer, forged)


@pytest.mark.parametrize(
    ("offer", "answer"),
    [(ANSWER, OFFER), (OFFER, OFFER), (ANSWER, ANSWER), (offer_code(MDNS), ANSWER)],
)
def test_only_for_an_offer_and_its_answer(offer: Code, answer: Code) -> None:
    with pytest.raises(ValueError, match="the answer to it"):
        verification_words(offer, answer)
