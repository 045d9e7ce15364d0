"""The broker's application on a free port, and what is inside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace

from aiohttp import ClientSession, web

from mayfly.runtime.tasks import TaskSet
from mayfly_broker.config import BrokerConfig
from mayfly_broker.drain import Drain
from mayfly_broker.handlers import Handlers
from mayfly_broker.metrics import Tally
from mayfly_broker.prefixes import Prefixes
from mayfly_broker.store import MemoryStore
from mayfly_broker.web import Guard, application
from support.broker import Api

CONFIG = replace(BrokerConfig(), prefix_rate=1e6, prefix_burst=1e6)


@contextlib.asynccontextmanager
async def served() -> AsyncGenerator[tuple[Api, MemoryStore, Drain, Tally], None]:
    """The application on a free port, and what is inside it."""
    loop = asyncio.get_running_loop()
    store, drain, tally, tasks = MemoryStore(CONFIG, loop.time), Drain(), Tally(), TaskSet()
    guard = Guard(Prefixes(()), CONFIG, store.daily_key)
    app = application(Handlers(store, CONFIG, drain, tally, tasks), guard, tally, with_metrics=True)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with ClientSession() as session:
            yield Api(f"http://{host}:{port}", session), store, drain, tally
    finally:
        await runner.cleanup()
        await tasks.aclose()
