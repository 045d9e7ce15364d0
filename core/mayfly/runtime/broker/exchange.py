"""The client's end of a match: one message out, one message back."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from mayfly.errors import (
    BrokerDownError,
    BrokerRefusedError,
    ForgedError,
    RefusedError,
    RendezvousError,
    WrongWordsError,
)
from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous.backoff import Backoff
from mayfly.rendezvous.envelope import Envelope, EnvelopeError, decode
from mayfly.rendezvous.messages import CloseReason, Mailbox, MatchCreated, NewMessage
from mayfly.rendezvous.refusals import TRY_AGAIN
from mayfly.runtime.broker.brokers import Broker, chance

_ANOTHER = "Another one is tried, if there is one."


class Exchange:
    """Asks and hears, and bridges broken connections: what was sent twice counts once."""

    def __init__(self, broker: Broker, match: MatchCreated, config: MeetingConfig) -> None:
        self._broker = broker
        self._match = match
        self._config = config
        self._sent = 0
        self._heard = 0

    async def ask(self, question: Envelope) -> Envelope:
        """Send a message and wait for the reply.

        Raises RefusedError when the relay keeps silent or has ended the match, WrongWordsError when it has ended it for
        that, ForgedError for what is no message, BrokerDownError and BrokerRefusedError.
        """
        self._sent += 1
        message = NewMessage(n=self._sent, body=to_text(question.encode()))
        backoff = Backoff(self._config)
        said = False
        try:
            async with asyncio.timeout(self._config.exchange_timeout):
                while True:
                    try:
                        box = await self._turn(None if said else message)
                    except BrokerDownError:
                        await asyncio.sleep(backoff.pause(chance()))
                        continue
                    said = True
                    if box.messages:
                        self._heard = box.messages[0].n
                        return envelope(box.messages[0].body)
                    if box.closed is not None:
                        raise closed(box.closed)
        except TimeoutError:
            raise RefusedError("The relay did not answer.", hint=_ANOTHER) from None

    async def end(self) -> None:
        """Say that we are through with it. Whoever fails to say so loses nothing: a match ends by itself."""
        with contextlib.suppress(RendezvousError):
            await self._broker.end(self._match.match, self._match.token, "done")

    async def _turn(self, message: NewMessage | None) -> Mailbox:
        match, token, wait = self._match.match, self._match.token, self._config.exchange_timeout
        if message is None:
            return await self._broker.hear(match, token, after=self._heard, wait=wait)
        try:
            return await self._broker.say(match, token, message, after=self._heard, wait=wait)
        except BrokerRefusedError as error:
            if error.code != "closed":
                raise
            # The match was ended before our message came; what the relay said before may still be there.
            return await self._broker.hear(match, token, after=self._heard, wait=0.0)


def closed(reason: CloseReason) -> RendezvousError:
    """The error for a match that the other side or the broker has ended."""
    if reason == "wrong-word":
        return WrongWordsError()
    if reason == "left":
        return RefusedError("The relay has left.", hint=_ANOTHER)
    return RefusedError("The relay has given the exchange up.", hint=TRY_AGAIN)


def to_text(data: bytes) -> str:
    """Base64url without padding, RFC 4648 §5."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def to_bytes(text: str) -> bytes:
    """The reverse, for text that `messages` has let in. Raises ForgedError."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise ForgedError from None


def envelope(text: str) -> Envelope:
    """A message's body as what it says. Raises ForgedError."""
    try:
        return decode(to_bytes(text))
    except EnvelopeError:
        raise ForgedError from None
