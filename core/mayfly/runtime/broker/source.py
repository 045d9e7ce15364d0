"""Links to relays from a broker, one after the other: for a client with a friend's code, or a transport of Tor.

::

    async with BrokerSource(options, engine, link, reporter) as source:      # strangers
        met = (await source.next()).met                                      # as often as one is needed
    BrokerSource(…, code="7-copper-tulip")                                   # a friend's relay, once
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from types import TracebackType
from typing import Self

from mayfly.errors import (
    BrokerDownError,
    BrokerRefusedError,
    CodeGoneError,
    LinkError,
    RendezvousError,
    WrongWordsError,
)
from mayfly.rendezvous.messages import ErrorName
from mayfly.rendezvous.shortcode import ShortCode, parse
from mayfly.runtime.broker.brokers import Brokers
from mayfly.runtime.broker.guest import Found, Guest
from mayfly.runtime.broker.options import BrokerOptions, Wish
from mayfly.runtime.broker.persistence import Persistence
from mayfly.runtime.broker.refusals import PASSING
from mayfly.runtime.events import Reporter
from mayfly.runtime.tasks import TaskSet
from mayfly.transport.base import Engine, LinkSettings

_REMEMBERED = 24
_ABSENT = 3
"""Times that a friend may seem absent: a broker that was just restarted gets the posting back in a moment."""


class BrokerSource:
    """One source. Use as an async context manager. Raises MistypedCodeError for a code that is none."""

    def __init__(
        self,
        options: BrokerOptions,
        engine: Engine,
        link: LinkSettings,
        reporter: Reporter,
        *,
        code: str | None = None,
        wish: Wish | None = None,
    ) -> None:
        self._code: ShortCode | None = None if code is None else parse(code)
        self._wish = wish or Wish()
        self._reporter = reporter
        self._brokers = Brokers(options)
        self._tasks = TaskSet()
        self._guest = Guest(self._brokers, engine, link, self._tasks)
        self._given: deque[str] = deque(maxlen=_REMEMBERED)

    async def __aenter__(self) -> Self:
        await self._brokers.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.aclose()
        await self._brokers.__aexit__(kind, error, trace)

    async def next(self) -> Found:
        """A new link. Says what stands in the way and tries again, for as long as it may get better.

        With a friend's code it raises what does not: WrongWordsError, CodeGoneError, RefusedError, ForgedError,
        ConnectError. Without one it raises GatheringError only.
        """
        return await (self._stranger() if self._code is None else self._friend(self._code))

    async def _stranger(self) -> Found:
        persistence = Persistence(self._reporter, self._brokers.config)
        while True:
            try:
                return await self._guest.stranger(self._wish, tuple(self._given), self._given.append)
            except BrokerRefusedError as error:
                self._given.clear()  # there is no other: those that we know will do
                await persistence.failed(error)
            except (RendezvousError, LinkError) as error:
                if error.stage == "gather":
                    raise
                await persistence.failed(error)

    async def _friend(self, code: ShortCode) -> Found:
        config = self._brokers.config
        persistence = Persistence(self._reporter, replace(config, max_backoff=config.friend_backoff))
        absent = 0
        while True:
            try:
                return await self._guest.friend(code)
            except CodeGoneError as error:
                absent += 1
                if error.code != ErrorName.NO_SUCH_NAMEPLATE or absent >= _ABSENT:
                    raise
                await persistence.failed(error, said=False)  # it is said once, where it stays so
            except WrongWordsError:
                raise
            except BrokerRefusedError as error:
                if error.code not in PASSING:
                    raise
                await persistence.failed(error)
            except BrokerDownError as error:
                await persistence.failed(error)
