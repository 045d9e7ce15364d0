"""Strangers meet: the client seals its offer to the key of a relay in the pool, and inside it a key for the answer.

Both seals are bound to the match and to their direction, the answer to the very offer as well. A broker that reads
along learns neither addresses nor how many there are; one that puts its own key in a relay's place *is* that relay
(core/THREATS.md).
"""

from __future__ import annotations

from hashlib import sha256

from mayfly.errors import ForgedError
from mayfly.rendezvous.envelope import Envelope, Refusal, Sealed
from mayfly.rendezvous.refusals import refused
from mayfly.rendezvous.sealing import KEY_SIZE, ReceivingKey, SealError, seal_to

_CONTEXT = b"mayfly/1 pool "


class StrangerClient:
    """The client's side. Raises ForgedError for a relay's key that cannot be used."""

    def __init__(self, relay_key: bytes, match: str, body: bytes, reply_key: ReceivingKey | None = None) -> None:
        self._reply_key = reply_key or ReceivingKey()
        self._match = match
        try:
            ciphertext = seal_to(relay_key, self._reply_key.public + body, _offer_info(match))
        except SealError as error:
            raise ForgedError from error
        self.offer = Sealed(ciphertext)

    def answer(self, reply: Envelope) -> bytes:
        """The body of the answer. Raises RefusedError, and ForgedError for all that the relay has not sealed."""
        if isinstance(reply, Refusal):
            raise refused(reply.reason)
        if not isinstance(reply, Sealed):
            raise ForgedError
        try:
            return self._reply_key.open(reply.ciphertext, _answer_info(self._match, self.offer.ciphertext))
        except SealError as error:
            raise ForgedError from error


class StrangerRelay:
    """The relay's side: `body` is the client's offer. Raises ForgedError for all that is no offer in this match."""

    def __init__(self, key: ReceivingKey, match: str, message: Envelope) -> None:
        if not isinstance(message, Sealed):
            raise ForgedError
        try:
            plaintext = key.open(message.ciphertext, _offer_info(match))
        except SealError as error:
            raise ForgedError from error
        self._info = _answer_info(match, message.ciphertext)
        self._reply_key = plaintext[:KEY_SIZE]
        self.body = plaintext[KEY_SIZE:]

    def seal(self, body: bytes) -> Sealed:
        """The sealed answer. Raises ForgedError where the client's reply key is none."""
        try:
            return Sealed(seal_to(self._reply_key, body, self._info))
        except SealError as error:
            raise ForgedError from error


def _offer_info(match: str) -> bytes:
    return _CONTEXT + b"offer " + match.encode()


def _answer_info(match: str, offer: bytes) -> bytes:
    return _CONTEXT + b"answer " + sha256(offer).digest() + match.encode()
