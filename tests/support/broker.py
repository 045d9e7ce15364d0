"""A broker as those who use it see it: its HTTP interface, spoken from core/PROTOCOL.md, and the real command."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from mayfly.runtime.events import Event, Listening
from mayfly.runtime.shutdown import Shutdown
from mayfly_broker.app import run_broker
from mayfly_broker.config import BrokerConfig
from mayfly_broker.options import BrokerOptions, Place
from support.mayfly import MayflyProcess
from support.news import News

ABOUT = {"upstream": "direct", "nat": "open", "serves": ["web"], "remaining": 600, "load": 0}
KEY = "k" * 43
CROWD = (
    *("--prefix-postings", "1000000", "--prefix-matches", "1000000", "--prefix-rate", "1000000/s"),
    *("--prefix-connections", "1000000", "--prefix-claims", "1000000"),
)
"""Options for tests whose whole crowd comes from one network."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, its JSON (None where there is none), its headers."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def ok(self) -> Any:
        """The body, which must not be a refusal."""
        assert self.status < 300, self
        return self.body

    def refused(self, error: str) -> Any:
        """The body, which must be that refusal."""
        assert self.status >= 400, self
        assert self.body["error"] == error, self
        assert self.body["message"].endswith(".")
        return self.body


class Api:
    """One broker's interface."""

    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self.base, self.session = base, session

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request."""
        sent = dict(headers or {}) | ({} if token is None else {"Authorization": f"Bearer {token}"})
        async with self.session.request(method, self.base + path, json=body, headers=sent) as response:
            content = None if response.status == 204 else await response.json(content_type=None)
            return Answer(response.status, content, dict(response.headers))

    async def post_pool(self, capacity: int = 1, **about: Any) -> Any:
        """A relay comes to the pool."""
        posting = {
            "version": 1,
            "mode": "pool",
            "key": KEY,
            "capacity": capacity,
            "lifetime": 600,
            "about": ABOUT | about,
        }
        return (await self.call("POST", "/v1/postings", posting)).ok()

    async def post_friend(self) -> Any:
        """A relay waits for a friend."""
        return (await self.call("POST", "/v1/postings", {"version": 1, "mode": "friend", "lifetime": 600})).ok()

    async def match(self, nameplate: str | None = None, **pool: Any) -> Answer:
        """A client wants a relay."""
        asked = {"mode": "pool", **pool} if nameplate is None else {"mode": "friend", "nameplate": nameplate}
        return await self.call("POST", "/v1/matches", {"version": 1, **asked})

    async def news(self, posting: Any, after: int = 0, wait: float = 0) -> Answer:
        """A relay's poll."""
        path = f"/v1/postings/{posting['posting']}/next?wait={wait}&after={after}"
        return await self.call("GET", path, token=posting["token"])

    async def send(self, match: str, token: str, n: int, body: str, wait: float = 0, after: int = 0) -> Answer:
        """A message to the other side."""
        path = f"/v1/matches/{match}/messages?wait={wait}&after={after}"
        return await self.call("POST", path, {"n": n, "body": body}, token)

    async def mailbox(self, match: str, token: str, after: int = 0, wait: float = 0) -> Answer:
        """The other side's messages."""
        return await self.call("GET", f"/v1/matches/{match}/messages?wait={wait}&after={after}", token=token)

    async def close(self, match: str, token: str, outcome: str = "done") -> Answer:
        """The end of a match."""
        return await self.call("DELETE", f"/v1/matches/{match}?outcome={outcome}", token=token)

    async def leave(self, posting: Any) -> Answer:
        """A relay leaves."""
        return await self.call("DELETE", f"/v1/postings/{posting['posting']}", token=posting["token"])


@contextlib.asynccontextmanager
async def api(base: str, **session: Any) -> AsyncGenerator[Api, None]:
    """The interface at an address; as many connections as there are calls."""
    options = {"connector": aiohttp.TCPConnector(limit=0)} | session
    async with aiohttp.ClientSession(**options) as opened:
        yield Api(base, opened)


@contextlib.asynccontextmanager
async def broker_process(*args: str, listen: str = "127.0.0.1:0") -> AsyncGenerator[tuple[MayflyProcess, str], None]:
    """The real command; gives the process and the address of its interface."""
    async with MayflyProcess.running("broker", "--listen", listen, *args) as process:
        event = await process.event("listening")
        yield process, f"{event['protocol']}://{event['address']}"


class Collected:
    """A Reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = News()

    def report(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)
        self._news.ring()

    async def listening(self) -> Listening:
        """The event that says where."""
        return await self._news.nth(1, lambda: (event for event in self.events if isinstance(event, Listening)))


@dataclass(frozen=True, slots=True)
class Inside:
    """A broker in this process, with limits that no option sets."""

    base: str
    reporter: Collected
    shutdown: Shutdown
    task: asyncio.Task[None]


@contextlib.asynccontextmanager
async def broker_inside(options: BrokerOptions | None = None, **limits: Any) -> AsyncGenerator[Inside, None]:
    """Run one while the block runs, on a free port."""
    reporter, shutdown = Collected(), Shutdown()
    free = {"prefix_rate": 1e6, "prefix_burst": 1e6}
    chosen = replace(options or BrokerOptions(listen=Place(port=0)), config=replace(BrokerConfig(), **(free | limits)))
    task = asyncio.get_running_loop().create_task(run_broker(chosen, reporter, shutdown))
    listening = asyncio.get_running_loop().create_task(reporter.listening())
    try:
        await asyncio.wait([task, listening], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        event = await listening
        yield Inside(f"{event.protocol}://{event.address}", reporter, shutdown, task)
        shutdown.request_stop()
        async with asyncio.timeout(20):
            await task
    finally:
        for each in (task, listening):
            each.cancel()
        await asyncio.gather(task, listening, return_exceptions=True)


async def serve_clients(api: Api, posting: Any, count: int | None = None) -> list[str]:
    """A relay: answer each client's first message with the same text, and say that it is done. Returns the matches."""
    served: list[str] = []
    cursor = 0
    for _ in itertools.count():
        news = (await api.news(posting, cursor, wait=20)).ok()
        cursor = news["cursor"]
        for event in news["events"]:
            if event["type"] == "message":
                (await api.send(event["match"], posting["token"], 1, f"to-{event['body']}")).ok()
                (await api.close(event["match"], posting["token"])).ok()
                served.append(event["match"])
        if count is not None and len(served) >= count:
            break
    return served
