"""Two friends meet: SPAKE2 over the words of a short code, then an offer and an answer under its key.

::

    client                                                relay
    FriendClient   element X  ------------------------->  FriendRelay
                   <------------------------  element Y
    offer()        sealed offer  ---------------------->  open(): the words were right, or one try is burnt
    answer()       <----------------  sealed answer, or a refusal

The client commits first: the relay's Y tells nobody whether a guess is right, and the relay says more only to who has
sealed an offer under the right key. So each guess costs a try, and an exchange that breaks off before costs none.
"""

from __future__ import annotations

from collections.abc import Callable

from mayfly.errors import ForgedError, WrongWordsError
from mayfly.rendezvous import sealing
from mayfly.rendezvous.envelope import Element, Envelope, Reason, Refusal, Sealed
from mayfly.rendezvous.refusals import refused
from mayfly.rendezvous.shortcode import ShortCode
from mayfly.rendezvous.spake import ElementError, Side, Spake

_CONTEXT = b"mayfly/1 friend "
_OFFER, _ANSWER = _CONTEXT + b"offer", _CONTEXT + b"answer"

Entropy = Callable[[int], bytes]


class FriendClient:
    """The client's side: send `first`, then what `offer` gives for the reply, then give the next reply to `answer`."""

    def __init__(self, code: ShortCode, entropy: Entropy) -> None:
        self._spake = _spake(Side.CLIENT, code, entropy)
        self._secret = b""
        self.first = Element(self._spake.message)

    def offer(self, reply: Envelope, body: bytes) -> Sealed:
        """The sealed offer. Raises RefusedError for a refusal and ForgedError for all that is no element."""
        if isinstance(reply, Refusal):
            raise refused(reply.reason)
        if not isinstance(reply, Element):
            raise ForgedError
        try:
            self._secret = self._spake.finish(reply.value)
        except ElementError as error:
            raise ForgedError from error
        return Sealed(sealing.seal_with(sealing.direction_key(self._secret, _OFFER), body))

    def answer(self, reply: Envelope) -> bytes:
        """The body of the answer. Raises WrongWordsError, RefusedError, and ForgedError."""
        if isinstance(reply, Refusal):
            raise WrongWordsError if reply.reason is Reason.WRONG_WORDS else refused(reply.reason)
        if not isinstance(reply, Sealed):
            raise ForgedError
        try:
            return sealing.open_with(sealing.direction_key(self._secret, _ANSWER), reply.ciphertext)
        except sealing.SealError as error:
            raise ForgedError from error


class FriendRelay:
    """The relay's side: made of the client's first message, it sends `reply`, opens the offer, seals the answer.

    Raises ForgedError for a first message that is no element.
    """

    def __init__(self, code: ShortCode, first: Envelope, entropy: Entropy) -> None:
        if not isinstance(first, Element):
            raise ForgedError
        spake = _spake(Side.RELAY, code, entropy)
        try:
            self._secret = spake.finish(first.value)
        except ElementError as error:
            raise ForgedError from error
        self.reply = Element(spake.message)

    def open(self, message: Envelope) -> bytes:
        """The body of the offer. Raises WrongWordsError, which costs a try, for all that the right key has not sealed.

        After that nothing may be sealed with this exchange's key.
        """
        if not isinstance(message, Sealed):
            raise WrongWordsError
        try:
            return sealing.open_with(sealing.direction_key(self._secret, _OFFER), message.ciphertext)
        except sealing.SealError as error:
            raise WrongWordsError from error

    def seal(self, body: bytes) -> Sealed:
        """The sealed answer, to send to a client whose offer was opened."""
        return Sealed(sealing.seal_with(sealing.direction_key(self._secret, _ANSWER), body))


def _spake(side: Side, code: ShortCode, entropy: Entropy) -> Spake:
    client = f"mayfly/1 client {code.nameplate}".encode()
    relay = f"mayfly/1 relay {code.nameplate}".encode()
    return Spake(side, code.password, client, relay, entropy)
