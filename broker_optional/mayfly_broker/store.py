"""Where postings and matches are kept: the contract of a store, those who wait for news, and the store in memory."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Generator
from typing import Protocol

from mayfly.rendezvous.messages import (
    Mailbox,
    MatchCreated,
    NewMatch,
    NewMessage,
    NewPosting,
    Outcome,
    PostingNews,
    PostingUpdate,
)
from mayfly_broker.config import BrokerConfig
from mayfly_broker.registry import Registry

Clock = Callable[[], float]

DAY = 24 * 3600.0
KEY_SIZE = 32


class Waiters:
    """Long polls that wait for news about one posting or match."""

    def __init__(self) -> None:
        self._events: dict[str, set[asyncio.Event]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._events.values()))

    @contextlib.contextmanager
    def watch(self, name: str) -> Generator[asyncio.Event, None, None]:
        """An event that is set at each news about that id, while the block runs."""
        event = asyncio.Event()
        watching = self._events.setdefault(name, set())
        watching.add(event)
        try:
            yield event
        finally:
            watching.discard(event)
            if not watching:
                self._events.pop(name, None)

    def wake(self, name: str) -> None:
        """There is news about an id."""
        for event in self._events.get(name, ()):
            event.set()

    def wake_all(self) -> None:
        """There may be news about anything: the store was out of reach, or the broker leaves."""
        for name in self._events:
            self.wake(name)


class Store(Protocol):
    """The calls of `registry.Registry`, which has them in words. Each may raise RefusedError, also STORE_DOWN."""

    waiters: Waiters
    lasting: bool
    """Whether what is kept outlives this process, so that another can go on with it."""

    async def post(self, request: NewPosting, posting: str, token: str, owner: str) -> tuple[str | None, float]:
        """Take in a posting. Returns its nameplate, and the seconds that it stands."""
        ...

    async def update(self, posting: str, token: str, update: PostingUpdate) -> float:
        """Change and renew a posting. Returns the seconds that it stands."""
        ...

    async def leave(self, posting: str, token: str) -> None:
        """Take a posting out."""
        ...

    async def news(self, posting: str, token: str, after: int) -> PostingNews:
        """What has happened to a posting; renews it."""
        ...

    async def cut(self, posting: str) -> None:
        """A posting's poll was cut."""
        ...

    async def match(self, request: NewMatch, match: str, token: str, owner: str) -> MatchCreated:
        """Bring a client to a posting."""
        ...

    async def send(self, match: str, token: str, message: NewMessage) -> None:
        """Put a message into the other side's mailbox."""
        ...

    async def mailbox(self, match: str, token: str, after: int) -> Mailbox:
        """The other side's messages."""
        ...

    async def close(self, match: str, token: str, outcome: Outcome) -> None:
        """End a match."""
        ...

    async def counts(self) -> tuple[int, int, int]:
        """Postings, those of the pool with a free seat, and open matches."""
        ...

    async def daily_key(self) -> bytes:
        """The key under which address prefixes are hashed; another one each day."""
        ...

    async def run(self) -> None:
        """What the store does by itself, until cancelled."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


class MemoryStore:
    """A Store in this process's memory: nothing to install, and all is forgotten at its end."""

    lasting = False

    def __init__(self, config: BrokerConfig, clock: Clock) -> None:
        self.waiters = Waiters()
        self._registry = Registry(config, secrets.randbelow)
        self._clock = clock
        self._sooner = asyncio.Event()
        self._sleeping_until: float | None = None
        self._key = secrets.token_bytes(KEY_SIZE)
        self._key_until = clock() + DAY

    @contextlib.contextmanager
    def _now(self) -> Generator[float, None, None]:
        try:
            yield self._clock()
        finally:
            for name in self._registry.take_news():
                self.waiters.wake(name)
            due = self._registry.next_timeout()
            if due is not None and (self._sleeping_until is None or due < self._sleeping_until):
                self._sooner.set()

    async def post(self, request: NewPosting, posting: str, token: str, owner: str) -> tuple[str | None, float]:
        """See Store."""
        with self._now() as now:
            nameplate = self._registry.post(request, posting, token, owner, now)
            return nameplate, self._registry.stands(posting, now)

    async def update(self, posting: str, token: str, update: PostingUpdate) -> float:
        """See Store."""
        with self._now() as now:
            return self._registry.update(posting, token, update, now)

    async def leave(self, posting: str, token: str) -> None:
        """See Store."""
        with self._now() as now:
            self._registry.leave(posting, token, now)

    async def news(self, posting: str, token: str, after: int) -> PostingNews:
        """See Store."""
        with self._now() as now:
            return self._registry.news(posting, token, after, now)

    async def cut(self, posting: str) -> None:
        """See Store."""
        with self._now() as now:
            self._registry.cut(posting, now)

    async def match(self, request: NewMatch, match: str, token: str, owner: str) -> MatchCreated:
        """See Store."""
        with self._now() as now:
            return self._registry.match(request, match, token, owner, now)

    async def send(self, match: str, token: str, message: NewMessage) -> None:
        """See Store."""
        with self._now() as now:
            self._registry.send(match, token, message, now)

    async def mailbox(self, match: str, token: str, after: int) -> Mailbox:
        """See Store."""
        with self._now() as now:
            return self._registry.mailbox(match, token, after, now)

    async def close(self, match: str, token: str, outcome: Outcome) -> None:
        """See Store."""
        with self._now() as now:
            self._registry.close(match, token, outcome, now)

    async def counts(self) -> tuple[int, int, int]:
        """See Store."""
        with self._now() as now:
            self._registry.expire(now)
            return self._registry.counts()

    async def daily_key(self) -> bytes:
        """See Store."""
        if self._clock() >= self._key_until:
            self._key = secrets.token_bytes(KEY_SIZE)
            self._key_until = self._clock() + DAY
        return self._key

    async def run(self) -> None:
        """End what is due at its time, so that those who wait hear of it."""
        while True:
            with self._now() as now:
                self._registry.expire(now)
            self._sleeping_until = due = self._registry.next_timeout()
            self._sooner.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                    await self._sooner.wait()

    async def aclose(self) -> None:
        """See Store."""
