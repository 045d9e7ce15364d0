"""The client's side: find a relay through a broker, and make the link.

::

    guest                                            broker                                  relay
    engine.offer()
    POST matches  ---------------------------------->  seat held  --------------------------> opened
    (friend: element, and back an element)
    POST messages?wait  sealed offer  -------------->  ------------------------------------>  engine.answer()
                        <--------------------------------------------------  sealed answer
    ================================= the link, past the broker ==================================
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from mayfly.errors import ForgedError, RefusedError
from mayfly.rendezvous import nat, offers
from mayfly.rendezvous.friend import FriendClient
from mayfly.rendezvous.messages import About, FriendMatch, MatchCreated, NewMatch, PoolMatch, Want
from mayfly.rendezvous.shortcode import ShortCode
from mayfly.rendezvous.stranger import StrangerClient
from mayfly.runtime.broker.brokers import Broker, Brokers
from mayfly.runtime.broker.exchange import Exchange, to_bytes
from mayfly.runtime.broker.options import Wish
from mayfly.runtime.meeting import Met
from mayfly.runtime.tasks import TaskSet
from mayfly.signaling.codes import Code
from mayfly.signaling.words import verification_words
from mayfly.transport.base import Engine, LinkSettings, PendingOffer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """A link to a relay, with the posting that it was found by and what the relay says of itself."""

    met: Met
    posting: str
    about: About | None = field(default=None)
    key: str | None = None
    """The key of a relay of the pool, which it keeps when it posts anew."""


class Guest:
    """Finds relays. `tasks` are ended by whoever made them."""

    def __init__(self, brokers: Brokers, engine: Engine, settings: LinkSettings, tasks: TaskSet) -> None:
        self._brokers = brokers
        self._engine = engine
        self._tasks = tasks
        config = replace(settings.config, connect_timeout=brokers.config.connect_link)
        self._settings = replace(settings, config=config)

    async def stranger(
        self,
        wish: Wish,
        exclude: Iterable[str] = (),
        on_match: Callable[[str], None] = lambda _posting: None,
        ours: Collection[str] = (),
    ) -> Found:
        """A link to a relay of the pool, but none of the postings to exclude. `on_match` hears which one was given.

        `ours` are keys of relays that are not wanted either: one that has posted anew has another posting.

        Raises RendezvousError (BrokerRefusedError `no-relay` where none is free), GatheringError, ConnectError.
        """
        async with self._offer() as (pending, offer):
            kind = nat.kind(pending.description, pending.symmetric_nat)
            want = Want(nat=kind, upstream=wish.upstream, serves=wish.serves)
            broker, match = await self._match(PoolMatch(version=1, want=want, exclude=tuple(exclude)))
            on_match(match.posting)
            if match.key is None:
                raise ForgedError
            stranger = StrangerClient(to_bytes(match.key), match.match, offer.body)
            exchange = Exchange(broker, match, self._brokers.config)
            if match.key in ours:
                self._tasks.spawn(exchange.end())
                raise RefusedError("The relay that the broker gives is in use already.", hint="Another one is tried.")
            answer = stranger.answer(await self._ended(exchange, exchange.ask(stranger.offer)))
            return Found(await _connect(pending, offer, _answer(answer, offer)), match.posting, match.about, match.key)

    async def friend(self, code: ShortCode) -> Found:
        """A link to the relay that shows this code. A call that gets as far as its offer costs the code a try.

        Raises WrongWordsError, other RendezvousErrors, GatheringError, ConnectError.
        """
        async with self._offer() as (pending, offer):
            broker, match = await self._match(FriendMatch(version=1, nameplate=code.nameplate))
            friend = FriendClient(code, secrets.token_bytes)
            exchange = Exchange(broker, match, self._brokers.config)

            async def agree() -> bytes:
                sealed = friend.offer(await exchange.ask(friend.first), offer.body)
                return friend.answer(await exchange.ask(sealed))

            answer = await self._ended(exchange, agree())
            return Found(await _connect(pending, offer, _answer(answer, offer)), match.posting)

    @contextlib.asynccontextmanager
    async def _offer(self) -> AsyncGenerator[tuple[PendingOffer, Code]]:
        pending = await self._engine.offer(self._settings)
        try:
            yield pending, offers.offer(pending.description)
        finally:
            await pending.close()  # of an accepted offer nothing is left to close

    async def _match(self, wanted: NewMatch) -> tuple[Broker, MatchCreated]:
        return await self._brokers.first(lambda broker: broker.match(wanted))

    async def _ended(self, exchange: Exchange, work: Awaitable[T]) -> T:
        """The result of the exchange; whatever comes of it, the broker is told meanwhile that it is over."""
        try:
            return await work
        finally:
            self._tasks.spawn(exchange.end())


async def _connect(pending: PendingOffer, offer: Code, answer: Code) -> Met:
    """The link, and meanwhile the words, which take their time by design."""
    words = asyncio.get_running_loop().create_task(asyncio.to_thread(verification_words, offer, answer))
    try:
        return Met(await pending.accept(answer.description), await words)
    finally:
        words.cancel()


def _answer(body: bytes, offer: Code) -> Code:
    try:
        return offers.read_answer(body, offer)
    except offers.OfferError as error:
        raise ForgedError from error
