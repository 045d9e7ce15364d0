"""A store with relays and clients around it, and a clock that the test moves."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace

from mayfly.rendezvous.messages import (
    About,
    Arrived,
    Ended,
    ErrorName,
    FriendMatch,
    FriendPosting,
    MatchCreated,
    Opened,
    PoolMatch,
    PoolPosting,
    Want,
)
from mayfly_broker.config import BrokerConfig
from mayfly_broker.refusals import RefusedError
from mayfly_broker.store import Store

KEY = "k" * 43
ABOUT = About("direct", "open", ("web", "high"), 3600, 0)
CONFIG = replace(
    BrokerConfig(),
    max_postings=12,
    prefix_postings=8,
    prefix_matches=6,
    max_matches=10,
    prefix_claims=9,
    max_nameplate=7,
)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Relay:
    """A posting as its relay holds it."""

    def __init__(self, scene: Scene, posting: str, token: str, nameplate: str | None, stands: float) -> None:
        self.store, self.posting, self.token = scene.store, posting, token
        self.nameplate, self.stands = nameplate, stands

    async def events(self, after: int = 0) -> list[Opened | Arrived | Ended]:
        """Its news."""
        return list((await self.store.news(self.posting, self.token, after)).events)

    async def close(self, match: MatchCreated, outcome: str = "done") -> None:
        """Its word on a match."""
        await self.store.close(match.match, self.token, outcome)  # type: ignore[arg-type]  # cases name them plainly


class Scene:
    """A fresh store and its clock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    async def pool(self, capacity: int = 1, about: About = ABOUT, lifetime: float = 3600, owner: str = "r") -> Relay:
        """A relay comes to the pool."""
        posting, token = secrets.token_urlsafe(12), secrets.token_urlsafe(16)
        request = PoolPosting(1, KEY, capacity, lifetime, about)
        return Relay(self, posting, token, *await self.store.post(request, posting, token, owner))

    async def friend(self, lifetime: float = 3600, owner: str = "r", wish: str | None = None) -> Relay:
        """A relay waits for a friend."""
        posting, token = secrets.token_urlsafe(12), secrets.token_urlsafe(16)
        return Relay(
            self, posting, token, *await self.store.post(FriendPosting(1, lifetime, wish), posting, token, owner)
        )

    async def client(
        self, want: Want | None = None, exclude: Sequence[Relay] = (), owner: str = "c", nameplate: str | None = None
    ) -> MatchCreated:
        """A client is matched."""
        request = (
            PoolMatch(1, want or Want(), tuple(relay.posting for relay in exclude))
            if nameplate is None
            else FriendMatch(1, nameplate)
        )
        return await self.store.match(request, secrets.token_urlsafe(12), secrets.token_urlsafe(16), owner)

    async def clients(self, count: int) -> list[MatchCreated]:
        """Several."""
        return [await self.client(owner=f"c{number}") for number in range(count)]


Case = Callable[[Scene], Awaitable[None]]


@contextlib.asynccontextmanager
async def refused(name: ErrorName) -> AsyncGenerator[RefusedError, None]:
    """The block must be refused with that name; yields an error that takes the values of the one raised."""
    seen = RefusedError(name)
    try:
        yield seen
    except RefusedError as error:
        assert error.name is name, f"refused with {error.name} and not {name}"
        seen.retry_after = error.retry_after
        return
    raise AssertionError(f"not refused with {name}")
