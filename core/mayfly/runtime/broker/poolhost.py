"""The relay's side for strangers: a posting in the pool, kept true, and put up again whenever the broker loses it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from mayfly.config import RendezvousConfig
from mayfly.errors import BrokerDownError, BrokerRefusedError, ForgedError, LinkError, RendezvousError
from mayfly.rendezvous.envelope import Reason
from mayfly.rendezvous.messages import About, PoolPosting, PostingUpdate
from mayfly.rendezvous.sealing import ReceivingKey
from mayfly.rendezvous.stranger import StrangerRelay
from mayfly.runtime.broker.answering import Answerer, Coming
from mayfly.runtime.broker.brokers import Brokers
from mayfly.runtime.broker.exchange import to_text
from mayfly.runtime.broker.persistence import Persistence
from mayfly.runtime.broker.posting import Conversation, Posting, standing
from mayfly.runtime.events import Posted, Reporter, Warned
from mayfly.runtime.tasks import TaskSet, first_of

_REFRESH = 20.0
"""Seconds after which load and remaining time are told again, if nothing changes before."""


class PoolHost:
    """Stands in the pool as long as it is open. `about()` says what the relay offers at that moment."""

    def __init__(
        self,
        brokers: Brokers,
        answerer: Answerer,
        reporter: Reporter,
        seats: int,
        about: Callable[[float], About],
    ) -> None:
        self._brokers = brokers
        self._answerer = answerer
        self._reporter = reporter
        self._seats = seats
        self._about = about
        self._key = ReceivingKey()
        self._taken = 0  # seats of clients that have our answer
        self._held = 0  # seats of clients that do not have it yet
        self._changed = asyncio.Event()
        self._coming: asyncio.Queue[Coming] = asyncio.Queue()
        self._tasks = TaskSet()

    async def invite(self) -> Coming:
        """The next client. The relay is in the pool from the first call on."""
        if not self._tasks:
            self._tasks.spawn(self._stand())
            self._tasks.spawn(self._look())
        return await self._coming.get()

    def freed(self) -> None:
        """A client that was handed out has left."""
        self._taken -= 1
        self._changed.set()

    async def aclose(self) -> None:
        """Leave the pool."""
        await self._tasks.aclose()
        while not self._coming.empty():
            await self._coming.get_nowait().close()

    async def _stand(self) -> None:
        persistence = Persistence(self._reporter, self._brokers.config)
        while True:
            try:
                broker, created = await self._brokers.first(lambda broker: broker.post(self._posting()))
            except (BrokerDownError, BrokerRefusedError) as error:
                await persistence.failed(error)
                continue
            persistence.worked()
            self._reporter.report(Posted(broker.url))
            posting = Posting(self._brokers, broker, created, self._talk, self._say)
            why: list[RendezvousError] = []
            try:
                await first_of(self._poll(posting, why), self._keep_true(posting))
                await posting.settle()
            finally:
                await posting.aclose(leave=not why)
            await persistence.failed(why[0])

    async def _look(self) -> None:
        """Whom our NAT lets come is worth knowing before anybody does."""
        with contextlib.suppress(LinkError):  # offers say it to each client, too
            await self._answerer.look()
            self._changed.set()

    def _say(self, error: RendezvousError) -> None:
        self._reporter.report(Warned.of(error))

    async def _poll(self, posting: Posting, why: list[RendezvousError]) -> None:
        why.append(await posting.run())

    async def _keep_true(self, posting: Posting) -> None:
        while True:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REFRESH):
                    await self._changed.wait()
            with contextlib.suppress(RendezvousError):  # the poll finds out what it means
                await posting.update(PostingUpdate(capacity=self._capacity, about=self._about(self._load)))

    def _posting(self) -> PoolPosting:
        about = self._about(self._load)
        key = to_text(self._key.public)
        return PoolPosting(version=1, key=key, capacity=self._capacity, lifetime=standing(about.remaining), about=about)

    @property
    def _capacity(self) -> int:
        return min(max(self._seats - self._taken, 0), RendezvousConfig().max_capacity)

    @property
    def _load(self) -> float:
        return min(self._taken / self._seats, 1.0)

    async def _talk(self, talk: Conversation) -> None:
        if self._taken + self._held >= self._seats:
            await talk.refuse(Reason.FULL)
            return
        self._held += 1
        try:
            await self._serve(talk)
        finally:
            self._held -= 1

    async def _serve(self, talk: Conversation) -> None:
        try:
            relay = StrangerRelay(self._key, talk.match, await talk.hear())
            coming = await self._answerer.answer(relay.body)
        except ForgedError:
            await talk.refuse(Reason.UNREADABLE)
            return
        except LinkError as error:
            self._reporter.report(Warned.of(error))
            await talk.refuse(Reason.NO_ADDRESS)
            return
        await talk.answer(relay.seal, coming)
        self._taken += 1
        self._coming.put_nowait(coming)
        await talk.end("done")
        self._changed.set()
