"""One method for each operation of the interface: from a request to the store, and back to a response."""

from __future__ import annotations

import asyncio
import math
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from mayfly.rendezvous import messages
from mayfly.rendezvous.messages import (
    LIMITS,
    OUTCOMES,
    ErrorName,
    FriendMatch,
    Health,
    Mailbox,
    Message,
    MessageError,
    NewMessage,
    PostingCreated,
    PostingNews,
    PostingUpdate,
    Renewed,
)
from mayfly.runtime.tasks import TaskSet
from mayfly_broker.config import BrokerConfig
from mayfly_broker.drain import POLL, Drain
from mayfly_broker.metrics import Tally
from mayfly_broker.refusals import RefusedError
from mayfly_broker.store import Store

OWNER = web.RequestKey("owner", str)
"""Where the middleware leaves the name of the address prefix that a request came from."""

_TOKEN = re.compile(messages.TOKEN, re.ASCII)
_ID = re.compile(messages.ID, re.ASCII)
_COUNT = re.compile(r"[0-9]{1,10}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,20})?(?:[eE]-?[0-9]{1,3})?", re.ASCII)

T = TypeVar("T", Mailbox, PostingNews)


class Handlers:
    """The operations of `routes.ROUTES`, by their names."""

    def __init__(self, store: Store, config: BrokerConfig, drain: Drain, tally: Tally, tasks: TaskSet) -> None:
        self._store = store
        self._config = config
        self._drain = drain
        self._tally = tally
        self._tasks = tasks

    async def post(self, request: web.Request) -> web.Response:
        """POST /v1/postings"""
        wanted = _parsed(messages.parse_new_posting, await self._body(request))
        self._stay()
        posting, token = secrets.token_urlsafe(12), secrets.token_urlsafe(16)
        nameplate, stands = await self._store.post(wanted, posting, token, request[OWNER])
        return _json(PostingCreated(posting, token, stands, nameplate), 201)

    async def update(self, request: web.Request) -> web.Response:
        """PATCH /v1/postings/{posting}"""
        posting, token = _id(request, "posting"), _token(request)
        change = _parsed(lambda body: messages.parse(PostingUpdate, body), await self._body(request))
        return _json(Renewed(await self._store.update(posting, token, change)))

    async def leave(self, request: web.Request) -> web.Response:
        """DELETE /v1/postings/{posting}"""
        await self._store.leave(_id(request, "posting"), _token(request))
        return web.Response(status=204)

    async def news(self, request: web.Request) -> web.Response:
        """GET /v1/postings/{posting}/next"""
        posting, token, after = _id(request, "posting"), _token(request), _after(request)

        async def read() -> PostingNews:
            return await self._store.news(posting, token, after)

        try:
            return _json(await self._poll(read, posting, _wait(request), lambda news: bool(news.events)))
        except asyncio.CancelledError:
            if not self._drain:
                self._tasks.spawn(self._cut(posting))
            raise

    async def match(self, request: web.Request) -> web.Response:
        """POST /v1/matches"""
        wanted = _parsed(messages.parse_new_match, await self._body(request))
        self._stay()
        match, token = secrets.token_urlsafe(12), secrets.token_urlsafe(16)
        made = await self._store.match(wanted, match, token, request[OWNER])
        self._tally.matches["friend" if isinstance(wanted, FriendMatch) else "pool"] += 1
        return _json(made, 201)

    async def send(self, request: web.Request) -> web.Response:
        """POST /v1/matches/{match}/messages"""
        match, token, after, wait = _id(request, "match"), _token(request), _after(request), _wait(request)
        message = _parsed(lambda body: messages.parse(NewMessage, body), await self._body(request))
        await self._store.send(match, token, message)
        return _json(await self._mail(match, token, after, wait))

    async def mailbox(self, request: web.Request) -> web.Response:
        """GET /v1/matches/{match}/messages"""
        return _json(await self._mail(_id(request, "match"), _token(request), _after(request), _wait(request)))

    async def close(self, request: web.Request) -> web.Response:
        """DELETE /v1/matches/{match}"""
        outcome = request.query.get("outcome", "failed")
        if outcome not in OUTCOMES:
            raise RefusedError(ErrorName.BAD_REQUEST, message=f"outcome is one of {', '.join(OUTCOMES)}.")
        await self._store.close(_id(request, "match"), _token(request), outcome)
        return web.Response(status=204)

    async def health(self, _: web.Request) -> web.Response:
        """GET /healthz"""
        await self._store.counts()
        return _json(Health("draining" if self._drain else "ok", messages.VERSION))

    def _stay(self) -> None:
        if self._drain:
            raise RefusedError(ErrorName.DRAINING, retry_after=self._config.drain)

    async def _cut(self, posting: str) -> None:
        try:
            await self._store.cut(posting)
        except RefusedError:
            return  # the store is out of reach; the lease ends by itself

    async def _mail(self, match: str, token: str, after: int, wait: float) -> Mailbox:
        async def read() -> Mailbox:
            return await self._store.mailbox(match, token, after)

        return await self._poll(read, match, wait, lambda box: bool(box.messages) or box.closed is not None)

    async def _poll(self, read: Callable[[], Awaitable[T]], name: str, wait: float, has_news: Callable[[T], bool]) -> T:
        """Read at once, and again after each news, until there is something or the wait is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        with self._store.waiters.watch(name) as changed:
            while True:
                changed.clear()
                result = await read()
                if self._drain:
                    deadline = min(deadline, loop.time() + POLL)
                    result = messages.leaving(result, self._drain.left())
                if has_news(result) or loop.time() >= deadline:
                    return result
                try:
                    async with asyncio.timeout_at(deadline):
                        await changed.wait()
                except TimeoutError:
                    continue

    async def _body(self, request: web.Request) -> bytes:
        if request.content_type != "application/json" or "Content-Encoding" in request.headers:
            raise RefusedError(ErrorName.MEDIA_TYPE)
        if (request.content_length or 0) > LIMITS.max_body:
            raise RefusedError(ErrorName.TOO_LARGE)
        try:
            async with asyncio.timeout(self._config.request_timeout):
                return await request.read()
        except TimeoutError:
            raise RefusedError(ErrorName.TIMEOUT) from None


def _json(message: Message, status: int = 200) -> web.Response:
    return web.Response(body=messages.serialise(message), status=status, content_type="application/json")


M = TypeVar("M")


def _parsed(parse: Callable[[bytes], M], body: bytes) -> M:
    try:
        return parse(body)
    except MessageError as error:
        raise RefusedError(error.name, message=str(error)) from None


def _id(request: web.Request, kind: str) -> str:
    text = request.match_info[kind]
    if not _ID.fullmatch(text):
        raise RefusedError(ErrorName.UNKNOWN_POSTING if kind == "posting" else ErrorName.UNKNOWN_MATCH)
    return text


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        raise RefusedError(ErrorName.UNAUTHORIZED)
    return token


def _after(request: web.Request) -> int:
    text = request.query.get("after", "0")
    if not _COUNT.fullmatch(text) or int(text) > 2**31 - 1:
        raise RefusedError(ErrorName.BAD_REQUEST, message="after is the cursor of an earlier answer.")
    return int(text)


def _wait(request: web.Request) -> float:
    text = request.query.get("wait", "0")
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not 0 <= number <= LIMITS.max_wait:
        raise RefusedError(ErrorName.BAD_REQUEST, message=f"wait is a number of seconds up to {LIMITS.max_wait:g}.")
    return number
