"""The words that both ends show, for two people to compare by voice or in another chat: nobody sits between them."""

from __future__ import annotations

from hashlib import pbkdf2_hmac

from mayfly.signaling.codes import Code
from mayfly.signaling.description import Kind
from mayfly.signaling.wordlist import WORDS

COUNT = 5
ITERATIONS = 200_000
SALT = b"mayfly verification words 1"


def verification_words(offer: Code, answer: Code) -> tuple[str, ...]:
    """Five words, 40 bits, from everything that both codes say: the same at both ends, others when anything differs.

    Somebody who replaces both codes on their way holds one link to each end, and needs the words of the two to be
    equal. The codes that he makes are his to choose, so he can try as many as he has time for while the people wait:
    about 2⁴⁰ tries for one hit, and plain SHA-256 does that in minutes. So each try is made to cost 200,000 rounds of
    PBKDF2-HMAC-SHA256 (RFC 8018 §5.2), which puts the whole near 2⁵⁹ hashes, out of reach within the life of an offer.
    A memory-hard function would be dearer still, but PBKDF2 is what a browser's WebCrypto has. It takes a good part of
    a second on a slow computer: call it from a thread.

    Raises ValueError when the two are not an offer and an answer to it.
    """
    if offer.description.kind is not Kind.OFFER or answer.offer != offer.digest:
        raise ValueError("the words need an offer and the answer to it")
    first, second = offer.body, answer.body
    secret = len(first).to_bytes(2, "big") + first + second
    return tuple(WORDS[value] for value in pbkdf2_hmac("sha256", secret, SALT, ITERATIONS, dklen=COUNT))
