"""A broker from its start to its end: listeners, the application, the store's own work, and leaving."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator

from aiohttp import web

from mayfly.errors import ListenError, UsageError
from mayfly.extras import how_to_install
from mayfly.runtime import descriptors
from mayfly.runtime.events import Draining, Listening, Reporter, Warned
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import TaskSet, first_of, rest
from mayfly_broker import sockets
from mayfly_broker.drain import Drain
from mayfly_broker.gate import Gate
from mayfly_broker.handlers import Handlers
from mayfly_broker.limits import Room
from mayfly_broker.metrics import Tally
from mayfly_broker.options import BrokerOptions, Place
from mayfly_broker.prefixes import Prefixes
from mayfly_broker.refusals import RefusedError
from mayfly_broker.store import MemoryStore, Store
from mayfly_broker.web import Guard, application, metrics_application

BACKLOG = 4096

MEASURED_EVERY = 5.0
"""Seconds between two looks at the store for /metrics."""

LINGER = 1.0
"""Seconds for which the rest of a refused body is read, so that the refusal arrives."""

MEMORY = "memory"

SILENT = logging.getLogger("mayfly_broker.aiohttp")
"""What aiohttp would log of its own: it names addresses."""


async def run_broker(options: BrokerOptions, reporter: Reporter, shutdown: Shutdown) -> None:
    """Serve until told to leave. Raises ListenError, UsageError."""
    config = options.config
    enough = descriptors.raise_limit(config.max_connections + sockets.SPARE)
    if enough < config.max_connections + sockets.SPARE:
        reporter.report(Warned("listen", f"This process may open only {enough} files, so no more can connect.",
                               "Raise the limit of open files (ulimit -n, or LimitNOFILE of its unit)."))  # fmt: skip
    SILENT.disabled = True
    store = await _store(options)
    drain, tally, tasks = Drain(), Tally(), TaskSet()
    known = Prefixes(options.trusted)
    gate = Gate(known, Room(min(config.max_connections, enough - sockets.SPARE), config.prefix_connections))
    handlers = Handlers(store, config, drain, tally, tasks)
    guard = Guard(known, config, store.daily_key)
    app = application(handlers, guard, tally, with_metrics=options.metrics is None)
    counted = [0, 0, 0]
    tally.gauges = {
        "postings": ("Relays that wait.", lambda: counted[0]),
        "postings_free": ("Relays of the pool with a free seat.", lambda: counted[1]),
        "matches_open": ("Matches that are open.", lambda: counted[2]),
        "polls": ("Long polls that wait here.", lambda: len(store.waiters)),
        "connections": ("Connections that are open here.", lambda: gate.connections),
    }
    try:
        async with contextlib.AsyncExitStack() as stack:
            address = await stack.enter_async_context(_serving(app, options.listen, options, gate))
            if options.metrics is not None:
                own = metrics_application(tally)
                await stack.enter_async_context(_serving(own, options.metrics, BrokerOptions(), None))
            secure = options.tls is not None
            reporter.report(Listening("https" if secure else "http", address))
            await first_of(
                store.run(), _measure(store, counted), _until_told(store, options, reporter, shutdown, drain)
            )
    finally:
        await tasks.aclose()
        await store.aclose()


async def _store(options: BrokerOptions) -> Store:
    if options.store == MEMORY:
        return MemoryStore(options.config, time.monotonic)
    try:
        from mayfly_broker.redis_store import open_redis  # noqa: PLC0415 - an extra, loaded where it is asked for
    except ModuleNotFoundError as error:
        message = "The package redis, which a store on Redis needs, is not installed."
        raise UsageError(message, hint=how_to_install("redis")) from error
    return await open_redis(options.store, options.config)


@contextlib.asynccontextmanager
async def _serving(
    app: web.Application, place: Place, options: BrokerOptions, gate: Gate | None
) -> AsyncGenerator[str, None]:
    """Serve an application while the block runs; gives the address in use. Raises ListenError."""
    context = None if options.tls is None else sockets.tls_context(options.tls)
    sock = sockets.listening(place, BACKLOG)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=SILENT,
        handler_cancellation=True,
        keepalive_timeout=options.config.idle_timeout,
        lingering_time=LINGER,
        shutdown_timeout=LINGER,
    )
    await runner.setup()
    try:
        make = runner.server
        if make is None:
            raise ListenError("the server could not be set up", hint="Start it again; if it fails again, report it.")
        tasks = TaskSet()
        server: asyncio.Server | None = None
        loop = asyncio.get_running_loop()
        factory = make if gate is None else gate.guarded(make)
        if context is not None and gate is not None:
            tasks.spawn(gate.serve_tls(sock, make, context, options.config.handshake_timeout))
        elif place.path is None:
            server = await loop.create_server(factory, sock=sock, ssl=context, backlog=BACKLOG)
        else:
            server = await loop.create_unix_server(factory, sock=sock, ssl=context, backlog=BACKLOG)
        try:
            yield sockets.address(sock, place)
        finally:
            if server is not None:
                server.close()
            await tasks.aclose()
    finally:
        await runner.cleanup()
        sock.close()
        if place.path is not None:
            place.path.unlink(missing_ok=True)


async def _measure(store: Store, counted: list[int]) -> None:
    while True:
        with contextlib.suppress(RefusedError):
            counted[:] = await store.counts()
        await rest(MEASURED_EVERY)


async def _until_told(
    store: Store, options: BrokerOptions, reporter: Reporter, shutdown: Shutdown, drain: Drain
) -> None:
    """Wait for the first Ctrl-C; then let open matches end, or the time for that, or the second Ctrl-C."""
    await shutdown.drain.wait()
    drain.begin(options.config.drain)
    matches = await _open_matches(store)
    reporter.report(Draining(matches, options.config.drain))
    store.waiters.wake_all()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(options.config.drain):
            await first_of(shutdown.stop.wait(), _settled(store))


async def _settled(store: Store) -> None:
    """Until all polls have heard that we leave and, where nobody else can go on with them, no match is open."""
    while len(store.waiters) or (not store.lasting and await _open_matches(store)):
        await rest(0.05)


async def _open_matches(store: Store) -> int:
    with contextlib.suppress(RefusedError):
        return (await store.counts())[2]
    return 0
