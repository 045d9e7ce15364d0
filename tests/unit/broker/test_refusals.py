"""Every refusal has words."""

from __future__ import annotations

from mayfly.rendezvous.messages import ErrorBody, ErrorName
from mayfly_broker.refusals import WORDS, RefusedError


def test_every_error_has_a_sentence() -> None:
    assert set(WORDS) == set(ErrorName)
    assert all(words.endswith(".") and words[0].isupper() for words in WORDS.values())


def test_the_body_says_it_all() -> None:
    assert RefusedError(ErrorName.BUSY, retry_after=3).body == ErrorBody(ErrorName.BUSY, WORDS[ErrorName.BUSY], 3)
    assert RefusedError(ErrorName.BAD_REQUEST, message="Other words.").body.message == "Other words."
