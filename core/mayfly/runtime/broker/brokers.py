"""Several brokers as one: they are tried in their order, beginning with the one that worked last."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self, TypeVar

from mayfly.errors import BrokerDownError, BrokerRefusedError, RendezvousError
from mayfly.rendezvous.messages import (
    Mailbox,
    MatchCreated,
    NewMatch,
    NewMessage,
    NewPosting,
    Outcome,
    PostingCreated,
    PostingNews,
    PostingUpdate,
    Renewed,
)
from mayfly.runtime.broker.options import BrokerOptions

T = TypeVar("T")


class Broker(Protocol):
    """What BrokerClient can do, and the tests' broker in memory."""

    @property
    def url(self) -> str:
        """As the user gave it."""
        ...

    async def post(self, posting: NewPosting) -> PostingCreated: ...
    async def news(self, posting: PostingCreated, after: int) -> PostingNews: ...
    async def update(self, posting: PostingCreated, update: PostingUpdate) -> Renewed: ...
    async def leave(self, posting: PostingCreated) -> None: ...
    async def match(self, wanted: NewMatch) -> MatchCreated: ...
    async def say(
        self, match: str, token: str, message: NewMessage, *, after: int = 0, wait: float = 0.0
    ) -> Mailbox: ...
    async def hear(self, match: str, token: str, *, after: int, wait: float) -> Mailbox: ...
    async def end(self, match: str, token: str, outcome: Outcome) -> None: ...


class BrokerConnections(Protocol):
    """What BrokerSession is."""

    @property
    def clients(self) -> tuple[Broker, ...]:
        """All brokers."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Brokers:
    """The brokers of one program. Use as an async context manager."""

    def __init__(self, options: BrokerOptions) -> None:
        self.config = options.config
        self._connections = connect(options)
        self._order: list[Broker] = list(self._connections.clients)

    async def __aenter__(self) -> Self:
        await self._connections.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.__aexit__(kind, error, trace)

    async def first(self, ask: Callable[[Broker], Awaitable[T]]) -> tuple[Broker, T]:
        """What the first broker gives that can be reached and does not refuse, with that broker.

        Raises the error that says most: a refusal before a broker that is down.
        """
        errors: list[RendezvousError] = []
        for broker in list(self._order):
            try:
                result = await ask(broker)
            except (BrokerDownError, BrokerRefusedError) as error:
                errors.append(error)
                continue
            self._prefer(broker)
            return broker, result
        errors.sort(key=lambda error: isinstance(error, BrokerDownError))
        raise errors[0]

    def avoid(self, broker: Broker) -> bool:
        """Try this one last from now on; tells whether there is another."""
        self._order.sort(key=lambda each: each is broker)
        return len(self._order) > 1

    def _prefer(self, broker: Broker) -> None:
        self._order.sort(key=lambda each: each is not broker)


def connect(options: BrokerOptions) -> BrokerConnections:
    """The connections to real brokers; tests put others in the place of this function."""
    from mayfly.runtime.broker.client import BrokerSession  # noqa: PLC0415 - aiohttp takes a fifth of a second to load

    return BrokerSession(options)


def chance() -> float:
    """A random number from [0, 1) for pauses; nothing secret hangs on it."""
    return random.random()  # noqa: S311 - spreads tries over time
