"""The store on Redis, for several brokers at once, and for one that may be restarted. The one module that knows redis.

Every call is one run of `registry.lua`, so it happens whole or not at all, whenever a broker or its connection
dies. News goes to all brokers by publish and subscribe: each wakes those long polls that wait with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from importlib import resources
from typing import Any, cast

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from mayfly.errors import StoreError
from mayfly.rendezvous import messages
from mayfly.rendezvous.messages import (
    About,
    ErrorName,
    FriendMatch,
    Mail,
    Mailbox,
    MatchCreated,
    NewMatch,
    NewMessage,
    NewPosting,
    Outcome,
    PoolPosting,
    PostingNews,
    PostingUpdate,
)
from mayfly.runtime.tasks import rest
from mayfly_broker.config import BrokerConfig
from mayfly_broker.refusals import RefusedError
from mayfly_broker.registry import GUESS, RETRY, digest
from mayfly_broker.shelf import FITTING, LEVELS
from mayfly_broker.states import MATCH, POSTING
from mayfly_broker.store import DAY, KEY_SIZE, Clock, Waiters

_redis: Any = redis.asyncio  # its annotations are incomplete

CHANNEL = "mayfly:news"
DAILY_KEY = "mayfly:daily-key"

CONNECTIONS = 16
PATIENCE = 5.0
"""Seconds for one call, and for a free connection."""

EXPIRE_EVERY = 1.0
RECONNECT_AFTER = 0.5


async def open_redis(url: str, config: BrokerConfig, clock: Clock | None = None) -> RedisStore:
    """A store on a Redis that answers. Raises StoreError. With a clock, its time is used in place of the server's."""
    try:
        store = RedisStore(url, config, clock)
    except ValueError:
        raise StoreError("the URL of the store cannot be understood", hint=_FORM) from None
    try:
        await store.counts()
    except RefusedError:
        await store.aclose()
        raise StoreError(
            "the store does not answer, or refuses", hint="See that Redis 7 or newer runs there, and lets this user in."
        ) from None
    return store


_FORM = "It looks like redis://HOST:PORT/DB, rediss://USER:PASSWORD@HOST:PORT/DB or unix:///PATH."


class RedisStore:
    """A Store that all brokers with the same URL share."""

    lasting = True

    def __init__(self, url: str, config: BrokerConfig, clock: Clock | None = None) -> None:
        self.waiters = Waiters()
        self._clock = clock
        shared: dict[str, Any] = {"socket_connect_timeout": PATIENCE, "decode_responses": True}
        pool = _redis.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=PATIENCE,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 1),  # a script that is run twice takes the second run for the first
            **shared,
        )
        self._redis = _redis.Redis(connection_pool=pool)
        self._listener = _redis.Redis.from_url(url, health_check_interval=15, socket_timeout=None, **shared)
        self._script = self._redis.register_script(_source(config))

    async def post(self, request: NewPosting, posting: str, token: str, owner: str) -> tuple[str | None, float]:
        """See Store."""
        arguments = _named(posting=posting, token=token, owner=owner, lifetime=request.lifetime, capacity=1)
        if isinstance(request, PoolPosting):
            arguments |= {"key": request.key, "capacity": request.capacity} | _about(request.about)
        elif request.nameplate is not None:
            arguments["wish"] = request.nameplate
        nameplate, stands = await self._call("post", arguments)
        return nameplate or None, float(stands)

    async def update(self, posting: str, token: str, update: PostingUpdate) -> float:
        """See Store."""
        arguments = _named(posting=posting, token=token)
        if update.about is not None:
            arguments |= _about(update.about)
        changed = {"capacity": update.capacity, "lifetime": update.lifetime}
        arguments |= {name: value for name, value in changed.items() if value is not None}
        (stands,) = await self._call("update", arguments)
        return float(stands)

    async def leave(self, posting: str, token: str) -> None:
        """See Store."""
        await self._call("leave", _named(posting=posting, token=token))

    async def news(self, posting: str, token: str, after: int) -> PostingNews:
        """See Store."""
        seq, stands, events = await self._call("news", _named(posting=posting, token=token, after=after))
        news = f'{{"events":{events},"cursor":{seq},"expires_in":{float(stands)}}}'
        return messages.parse(PostingNews, news.encode())

    async def cut(self, posting: str) -> None:
        """See Store."""
        await self._call("cut", {"posting": posting})

    async def match(self, request: NewMatch, match: str, token: str, owner: str) -> MatchCreated:
        """See Store."""
        arguments = _named(match=match, token=token, owner=owner)
        if isinstance(request, FriendMatch):
            arguments["nameplate"] = request.nameplate
        else:
            want = {"nat": request.want.nat, "upstream": request.want.upstream, "serves": request.want.serves}
            arguments |= {
                "want": {name: value for name, value in want.items() if value is not None},
                "exclude": list(request.exclude),
                "draw": secrets.randbelow(2**31),
            }
        posting, left, key, about = await self._call("match", arguments)
        offers = messages.parse_about(about.encode()) if about else None
        return MatchCreated(match, token, posting, float(left), key or None, offers)

    async def send(self, match: str, token: str, message: NewMessage) -> None:
        """See Store."""
        await self._call("send", _named(match=match, token=token, n=message.n, body=message.body))

    async def mailbox(self, match: str, token: str, after: int) -> Mailbox:
        """See Store."""
        reason, *bodies = await self._call("mailbox", _named(match=match, token=token, after=after))
        mail = tuple(Mail(n, body) for n, body in enumerate(bodies, after + 1))
        return Mailbox(mail, after + len(mail), reason or None)

    async def close(self, match: str, token: str, outcome: Outcome) -> None:
        """See Store."""
        await self._call("close", _named(match=match, token=token, outcome=outcome))

    async def counts(self) -> tuple[int, int, int]:
        """See Store."""
        postings, free, matches = await self._call("counts", {})
        return int(postings), int(free), int(matches)

    async def daily_key(self) -> bytes:
        """See Store. All brokers of a day share it, and Redis forgets it."""
        try:
            await self._redis.set(DAILY_KEY, secrets.token_hex(KEY_SIZE), nx=True, ex=int(DAY))
            return bytes.fromhex(str(await self._redis.get(DAILY_KEY) or ""))
        except (RedisError, OSError, TimeoutError):
            raise _down() from None

    async def run(self) -> None:
        """Hear of news and end what is due, until cancelled. A Redis that is gone is waited for."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._expire())

    async def aclose(self) -> None:
        """See Store."""
        await self._redis.aclose()
        await self._redis.connection_pool.aclose()
        await self._listener.aclose()

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                async with self._listener.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    self.waiters.wake_all()  # what was said while nobody listened is found by looking
                    async for said in channel.listen():
                        self.waiters.wake(str(said["data"]))
            self.waiters.wake_all()
            await rest(RECONNECT_AFTER)

    async def _expire(self) -> None:
        while True:
            with contextlib.suppress(RefusedError):
                await self._call("counts", {})
            await rest(EXPIRE_EVERY)

    async def _call(self, operation: str, arguments: Mapping[str, Any]) -> list[Any]:
        now = "" if self._clock is None else repr(self._clock())
        try:
            answer = cast("list[Any]", await self._script(args=[operation, now, json.dumps(arguments)]))
        except (RedisError, OSError, TimeoutError):
            raise _down() from None
        kind, *rest = answer
        if kind == "refused":
            raise RefusedError(ErrorName(rest[0]), retry_after=float(rest[1]) if rest[1] else None)
        return rest


def _down() -> RefusedError:
    return RefusedError(ErrorName.STORE_DOWN, retry_after=RETRY)


def _named(*, token: str, **arguments: Any) -> dict[str, Any]:
    return arguments | {"digest": digest(token).hex()}


def _about(about: About) -> dict[str, Any]:
    serves = "+".join(("", *sorted(set(about.serves)), ""))
    kind = f"{about.nat}:{about.upstream}:{serves}"
    return {"about": messages.serialise(about).decode(), "kind": kind, "load": about.load}


def _source(config: BrokerConfig) -> str:
    """The script, with the limits and tables of the Python side before it."""
    tables: dict[str, Any] = asdict(config) | {
        "channel": CHANNEL,
        "retry": RETRY,
        "guess": GUESS,
        "levels": LEVELS,
        "max_events": messages.LIMITS.max_events,
        "fitting": FITTING,
        "posting": {f"{state} {step}": after for (state, step), after in POSTING.items()},
        "match": {f"{state} {reason}": after for (state, reason), after in MATCH.items()},
    }
    script = resources.files("mayfly_broker").joinpath("registry.lua").read_text(encoding="utf-8")
    return f"local C = {_lua(tables)}\n{script}"


def _lua(value: Any) -> str:
    """A value as a Lua expression; all text here is ours and plain ASCII."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return "{" + ",".join(f"[{_lua(name)}]={_lua(inner)}" for name, inner in items) + "}"
    if isinstance(value, tuple):
        return "{" + ",".join(_lua(inner) for inner in cast("tuple[object, ...]", value)) + "}"
    return f'"{value}"' if isinstance(value, str) else repr(value)
