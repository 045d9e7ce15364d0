"""The relay's end of one posting: a poll that is always open, and a conversation for each client that comes.

The poll brings everything, in order and numbered; one that breaks off is asked again from where it was. The posting is
over when the broker says that it does not know it (it was restarted), that it is burnt or used, or when it cannot be
reached any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from mayfly.config import RendezvousConfig
from mayfly.errors import BrokerDownError, BrokerRefusedError, ForgedError, RefusedError, RendezvousError
from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous.backoff import Backoff
from mayfly.rendezvous.envelope import Envelope, Reason, Refusal, Sealed
from mayfly.rendezvous.messages import (
    Arrived,
    CloseReason,
    ErrorName,
    NewMessage,
    Opened,
    Outcome,
    PostingCreated,
    PostingEvent,
    PostingUpdate,
)
from mayfly.runtime.broker.answering import Coming
from mayfly.runtime.broker.brokers import Broker, Brokers, chance
from mayfly.runtime.broker.exchange import closed, envelope, to_text
from mayfly.runtime.broker.refusals import LEAVING, PASSING
from mayfly.runtime.tasks import TaskSet

_PATIENCE = 3
"""Failed polls in a row after which a relay goes to another broker, or says that there is trouble if it knows none."""

_SENDS = 3
"""Tries to send one message."""

_GOODBYE = 2.0
"""Seconds for telling a broker that we leave; it finds out by itself if it must."""


def standing(seconds: float) -> float:
    """A posting's lifetime within what brokers take; who stays longer posts again."""
    limits = RendezvousConfig()
    return min(max(seconds, limits.min_lifetime), limits.max_lifetime)


class Conversation:
    """The relay's end of one match."""

    def __init__(self, posting: Posting, match: str) -> None:
        self._posting = posting
        self._inbox: asyncio.Queue[str | RendezvousError] = asyncio.Queue()
        self._sent = 0
        self._heard = False
        self.match = match

    async def hear(self) -> Envelope:
        """The client's next message. Raises RefusedError where none comes, and ForgedError for what is none."""
        config = self._posting.config
        try:
            async with asyncio.timeout(config.exchange_timeout if self._heard else config.first_timeout):
                message = await self._inbox.get()
        except TimeoutError:
            raise RefusedError("The client did not go on.", hint="The relay waits for the next one.") from None
        if isinstance(message, RendezvousError):
            raise message
        self._heard = True
        return envelope(message)

    async def say(self, message: Envelope) -> None:
        """Send a message. Raises BrokerDownError after some tries, and BrokerRefusedError."""
        self._sent += 1
        await self._posting.say(self.match, NewMessage(n=self._sent, body=to_text(message.encode())))

    async def answer(self, seal: Callable[[bytes], Sealed], coming: Coming) -> None:
        """Seal our answer and send it. Raises as both do, and then lets the client that would have come by it go."""
        try:
            await self.say(seal(coming.answer.body))
        except BaseException:
            await coming.close()
            raise

    async def refuse(self, reason: Reason, outcome: Outcome = "failed") -> None:
        """Say no, and end the match."""
        with contextlib.suppress(RendezvousError):
            await self.say(Refusal(reason))
        await self.end(outcome)

    async def end(self, outcome: Outcome) -> None:
        """End the match. A broker that cannot be told lets it end by itself."""
        with contextlib.suppress(RendezvousError):
            await self._posting.end(self.match, outcome)

    @property
    def waiting(self) -> int:
        """Messages that nobody has heard yet."""
        return self._inbox.qsize()

    # From the posting

    def deliver(self, body: str) -> None:
        """A message has come. More than the protocol allows are dropped."""
        if self.waiting < RendezvousConfig().max_messages:
            self._inbox.put_nowait(body)

    def close(self, reason: CloseReason) -> None:
        """The match is over."""
        self._inbox.put_nowait(closed(reason))


class Posting:
    """One posting at one broker. `run()` until it is over; `talk` serves each client.

    `trouble` is told, once each time, when the broker does not answer but the posting may still stand.
    """

    def __init__(
        self,
        brokers: Brokers,
        broker: Broker,
        created: PostingCreated,
        talk: Callable[[Conversation], Coroutine[Any, Any, None]],
        trouble: Callable[[RendezvousError], None] = lambda _error: None,
    ) -> None:
        self.config: MeetingConfig = brokers.config
        self._trouble = trouble
        self._brokers = brokers
        self._broker = broker
        self._created = created
        self._talk = talk
        self._tasks = TaskSet()
        self._turns = asyncio.Lock()  # the broker wants what changes a posting one by one
        self._conversations: dict[str, Conversation] = {}

    async def run(self) -> RendezvousError:
        """Poll until the posting is over, and tell why it is."""
        backoff = Backoff(self.config)
        failures = cursor = 0
        while True:
            try:
                news = await self._broker.news(self._created, cursor)
            except BrokerRefusedError as error:
                if error.code not in PASSING:
                    return error
                failures += 1
                self._say(failures, error)
                await asyncio.sleep(backoff.pause(chance(), error.retry_after))
                continue
            except BrokerDownError as error:
                failures += 1
                if failures >= _PATIENCE and self._brokers.avoid(self._broker):
                    return error
                self._say(failures, error)
                await asyncio.sleep(backoff.pause(chance()))
                continue
            failures = 0
            backoff.reset()
            cursor = max(cursor, news.cursor)
            for event in news.events:
                self._take(event)
            if news.closing is not None and self._brokers.avoid(self._broker):
                return BrokerDownError(LEAVING, hint="The relay goes to another one.")

    def _say(self, failures: int, error: RendezvousError) -> None:
        if failures == _PATIENCE:
            self._trouble(error)

    async def aclose(self, *, leave: bool = True) -> None:
        """End all conversations, and take the posting down where the broker can be told."""
        await self._tasks.aclose()
        if leave:
            with contextlib.suppress(RendezvousError, TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self._broker.leave(self._created)

    async def settle(self) -> None:
        """Wait until no conversation is left."""
        await self._tasks.join()

    async def update(self, update: PostingUpdate) -> None:
        """Tell what has changed. Raises RendezvousError."""
        async with self._turns:
            await self._broker.update(self._created, update)

    # For Conversation

    async def say(self, match: str, message: NewMessage) -> None:
        """Send a message, over broken connections too. Raises BrokerDownError after some tries."""
        backoff = Backoff(self.config)
        for failures in range(_SENDS):
            try:
                await self._broker.say(match, self._created.token, message)
            except BrokerDownError:
                if failures == _SENDS - 1:
                    raise
                await asyncio.sleep(backoff.pause(chance()))
            except BrokerRefusedError as error:
                if failures and error.code == ErrorName.CLOSED:
                    return  # it arrived the first time, and the client was through with it before we knew
                raise
            else:
                return

    async def end(self, match: str, outcome: Outcome) -> None:
        """End a match. Raises RendezvousError."""
        async with self._turns:
            await self._broker.end(match, self._created.token, outcome)

    def _take(self, event: PostingEvent) -> None:
        known = self._conversations.get(event.match)
        if isinstance(event, Opened):
            if known is None and len(self._conversations) < self.config.max_matches:
                conversation = self._conversations[event.match] = Conversation(self, event.match)
                self._tasks.spawn(self._serve(conversation))
        elif known is not None:
            if isinstance(event, Arrived):
                known.deliver(event.body)
            else:
                known.close(event.reason)

    async def _serve(self, conversation: Conversation) -> None:
        try:
            await self._talk(conversation)
        except (ForgedError, RefusedError, BrokerDownError, BrokerRefusedError):
            await conversation.end("failed")  # of one client; the next may do better
        finally:
            self._conversations.pop(conversation.match, None)
