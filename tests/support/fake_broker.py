"""A broker in memory, without HTTP, limits or clocks, that can be told to fail, to forget, and to tamper."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from mayfly.errors import BrokerDownError
from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous.address import parse
from mayfly.rendezvous.messages import (
    Arrived,
    CloseReason,
    Ended,
    ErrorName,
    FriendMatch,
    FriendPosting,
    Mail,
    Mailbox,
    MatchCreated,
    NewMatch,
    NewMessage,
    NewPosting,
    Opened,
    Outcome,
    PoolPosting,
    PostingCreated,
    PostingEvent,
    PostingNews,
    PostingUpdate,
    Renewed,
)
from mayfly.runtime.broker.options import BrokerOptions
from mayfly.runtime.broker.refusals import refusal

T = TypeVar("T")


@dataclass
class _Posting:
    created: PostingCreated
    posting: NewPosting
    events: list[PostingEvent] = field(default_factory=list)
    over: ErrorName | None = None
    capacity: int = 1


@dataclass
class _Match:
    created: MatchCreated
    posting: _Posting
    to_client: list[Mail] = field(default_factory=list)
    closed: CloseReason | None = None


class FakeBroker:
    """Fulfils `brokers.Broker`. `calls` has the name of every call.

    `down` fails all calls; a name in `lost` makes the next call of that name happen and its answer be lost;
    `tamper(sender, body)` may change what `client` or `relay` sends.
    """

    def __init__(self, url: str = "https://broker.example") -> None:
        self._url = url
        self.down = False
        self.lost: list[str] = []
        self.calls: list[str] = []
        self.tamper: Callable[[str, str], str] = lambda _sender, body: body
        self.swap_key: str | None = None
        self.postings: dict[str, _Posting] = {}
        self.matches: dict[str, _Match] = {}
        self.updates: list[PostingUpdate] = []
        self._count = 0
        self._news: set[asyncio.Event] = set()

    @property
    def url(self) -> str:
        return self._url

    def restart(self) -> None:
        """Forget everything, as a broker does that keeps it in memory."""
        self.postings.clear()
        self.matches.clear()
        self._tell()

    def close(self, match: str, reason: CloseReason = "expired") -> None:
        """End a match."""
        found = self.matches[match]
        if found.closed is None:
            found.closed = reason
            self._event(found.posting, lambda seq: Ended(seq=seq, match=match, reason=reason))

    # Postings

    async def post(self, posting: NewPosting) -> PostingCreated:
        async def work() -> PostingCreated:
            nameplate = None
            if isinstance(posting, FriendPosting):
                taken = {each.created.nameplate for each in self.postings.values()}
                free = next(str(number) for number in range(1, 100) if str(number) not in taken)
                nameplate = posting.nameplate if posting.nameplate not in (None, *taken) else free
            created = PostingCreated(posting=self._id(), token="t" * 22, expires_in=45.0, nameplate=nameplate)
            capacity = posting.capacity if isinstance(posting, PoolPosting) else 1
            self.postings[created.posting] = _Posting(created, posting, capacity=capacity)
            self._tell()
            return created

        return await self._call("post", work)

    async def news(self, posting: PostingCreated, after: int) -> PostingNews:
        async def work() -> PostingNews:
            while True:
                found = self._posting(posting.posting)
                events = tuple(event for event in found.events if event.seq > after)
                if events:
                    return PostingNews(events=events, cursor=events[-1].seq, expires_in=45.0)
                if found.over is not None:
                    raise refusal(found.over)
                await self._wait()

        return await self._call("news", work)

    async def update(self, posting: PostingCreated, update: PostingUpdate) -> Renewed:
        async def work() -> Renewed:
            found = self._posting(posting.posting)
            self.updates.append(update)
            if update.capacity is not None:
                found.capacity = update.capacity
            self._tell()
            return Renewed(expires_in=45.0)

        return await self._call("update", work)

    async def leave(self, posting: PostingCreated) -> None:
        async def work() -> None:
            self.postings.pop(posting.posting, None)
            self._tell()

        await self._call("leave", work)

    # Matches

    async def match(self, wanted: NewMatch) -> MatchCreated:
        async def work() -> MatchCreated:
            found = self._choose(wanted)
            key = found.posting.key if isinstance(found.posting, PoolPosting) else None
            about = found.posting.about if isinstance(found.posting, PoolPosting) else None
            created = MatchCreated(
                match=self._id(),
                token="c" * 22,
                posting=found.created.posting,
                expires_in=60.0,
                key=self.swap_key or key,
                about=about,
            )
            found.capacity -= 1
            self.matches[created.match] = _Match(created, found)
            self._event(found, lambda seq: Opened(seq=seq, match=created.match))
            return created

        return await self._call("match", work)

    async def say(self, match: str, token: str, message: NewMessage, *, after: int = 0, wait: float = 0.0) -> Mailbox:
        async def work() -> Mailbox:
            found = self._match(match)
            if found.closed is not None:
                raise refusal(ErrorName.CLOSED)
            sender = "client" if token == found.created.token else "relay"
            body = self.tamper(sender, message.body)
            if sender == "relay":
                if message.n > len(found.to_client):
                    found.to_client.append(Mail(n=message.n, body=body))
                self._tell()
                return Mailbox(messages=(), cursor=0)
            seen = any(isinstance(e, Arrived) and e.match == match and e.n == message.n for e in found.posting.events)
            if not seen:
                self._event(found.posting, lambda seq: Arrived(seq=seq, match=match, n=message.n, body=body))
            return await self._mail(match, after, wait)

        return await self._call("say", work)

    async def hear(self, match: str, token: str, *, after: int, wait: float) -> Mailbox:
        return await self._call("hear", lambda: self._mail(match, after, wait))

    async def end(self, match: str, token: str, outcome: Outcome) -> None:
        async def work() -> None:
            found = self._match(match)
            if found.closed is None:
                ours = token != found.created.token
                found.closed = outcome if ours else "done"
                self._event(found.posting, lambda seq: Ended(seq=seq, match=match, reason=found.closed or "done"))
                if ours and outcome == "done" and isinstance(found.posting.posting, FriendPosting):
                    found.posting.over = ErrorName.USED
                self._tell()

        await self._call("end", work)

    # Inside

    async def _call(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        self.calls.append(name)
        self._tell()
        if self.down:
            raise BrokerDownError("The broker cannot be reached.")
        result = await work()
        if name in self.lost:
            self.lost.remove(name)
            raise BrokerDownError("The connection to the broker broke off.")
        return result

    async def _mail(self, match: str, after: int, wait: float) -> Mailbox:
        while True:
            found = self._match(match)
            messages = tuple(mail for mail in found.to_client if mail.n > after)
            if messages or found.closed is not None or not wait:
                cursor = messages[-1].n if messages else after
                return Mailbox(messages=messages, cursor=cursor, closed=found.closed)
            await self._wait()

    def _choose(self, wanted: NewMatch) -> _Posting:
        if isinstance(wanted, FriendMatch):
            for each in self.postings.values():
                if each.created.nameplate == wanted.nameplate:
                    return each
            raise refusal(ErrorName.NO_SUCH_NAMEPLATE)
        for each in self.postings.values():
            if (
                isinstance(each.posting, PoolPosting)
                and each.capacity > 0
                and each.created.posting not in wanted.exclude
            ):
                return each
        raise refusal(ErrorName.NO_RELAY)

    def _posting(self, name: str) -> _Posting:
        if name not in self.postings:
            raise refusal(ErrorName.UNKNOWN_POSTING)
        return self.postings[name]

    def _match(self, name: str) -> _Match:
        if name not in self.matches:
            raise refusal(ErrorName.UNKNOWN_MATCH)
        return self.matches[name]

    def _event(self, posting: _Posting, make: Callable[[int], PostingEvent]) -> None:
        posting.events.append(make(len(posting.events) + 1))
        self._tell()

    def _id(self) -> str:
        self._count += 1
        return f"{self._count:016d}"

    async def _wait(self) -> None:
        news = asyncio.Event()
        self._news.add(news)
        try:
            await news.wait()
        finally:
            self._news.discard(news)

    def _tell(self) -> None:
        for news in self._news:
            news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something about the broker is so."""
        while not condition():
            await self._wait()


class FakeConnections:
    """Fulfils `brokers.BrokerConnections`; takes the place of `brokers.connect`."""

    def __init__(self, *brokers: FakeBroker) -> None:
        self.clients = brokers

    def __call__(self, _options: BrokerOptions) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


HASTY = MeetingConfig(
    backoff=0.001, max_backoff=0.01, exchange_timeout=0.4, first_timeout=0.4, friend_backoff=0.01, connect_link=2.0
)
"""Pauses that no test notices."""


def broker_options(*urls: str) -> BrokerOptions:
    """Options that name as many brokers as there are."""
    return BrokerOptions(brokers=tuple(parse(url) for url in urls or ("https://broker.example",)), config=HASTY)
