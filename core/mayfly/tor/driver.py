"""A tor for as long as a program needs one: started or attached to, watched, started again when it has died.

    async with Tor(settings, on_status) as tor:     commands are taken; the bootstrap goes on, and is told
        await tor.wait_ready()
        host, port = tor.socks                      its SOCKS port
        onion = await tor.add_onion(80, "127.0.0.1:8080")
        await tor.new_identity()

All of stem happens in one thread of this object's own (`control.py` blocks); what it calls back is handed to the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol, Self, TypeVar

from mayfly.errors import TorError
from mayfly.runtime.tasks import TaskSet, first_of
from mayfly.tor.process import TorDirectory, TorProcess
from mayfly.tor.settings import ControlAddress, TorSettings
from mayfly.tor.status import LOST, Backoff, Circuit, OnionService, TorPhase, TorStatus

T = TypeVar("T")


class Control(Protocol):
    """What the driver needs of `control.TorControl`."""

    def watch(
        self,
        on_status: Callable[[TorStatus], None],
        on_published: Callable[[str], None],
        on_lost: Callable[[], None],
    ) -> None: ...
    def take_ownership(self) -> None: ...
    def socks(self) -> tuple[str, int] | None: ...
    def version(self) -> str: ...
    def new_identity(self) -> float: ...
    def circuits(self) -> tuple[Circuit, ...]: ...
    def add_onion(self, port: int, target: str, key: str = "") -> OnionService: ...
    def close(self) -> None: ...


Connect = Callable[[ControlAddress], Control]


def _connect(address: ControlAddress) -> Control:
    from mayfly.tor.control import TorControl  # noqa: PLC0415 - stem takes a while to load

    return TorControl.connect(address)


def _close_unwanted(connecting: Future[Control]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()


class Tor:
    """One tor. `on_status` is called in the loop at every change of `status`, and never raises."""

    def __init__(
        self,
        settings: TorSettings,
        on_status: Callable[[TorStatus], None],
        *,
        connect: Connect = _connect,
        backoff: Backoff | None = None,
    ) -> None:
        self._settings = settings
        self._on_status = on_status
        self._connect = connect
        self._backoff = backoff or Backoff()
        self._thread = ThreadPoolExecutor(1, "mayfly-tor")
        self._tasks = TaskSet()
        self._directory: TorDirectory | None = None
        self._control: Control | None = None
        self._socks: tuple[str, int] | None = None
        self._onions: dict[str, OnionService] = {}
        self._published: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Event()
        self.status = TorStatus()
        """What is known of it now."""
        self.version = ""
        """Tor's version, once known."""

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Start it, or attach. Raises TorError when that fails: no tor, wrong torrc, wrong password. Then aclose()."""
        self._tell(TorStatus())
        began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks.spawn(self._keep(began))
        await began

    async def aclose(self) -> None:
        """End a tor of our own, or let an attached one be. Idempotent."""
        await self._tasks.aclose()
        self._thread.shutdown(wait=False)
        if self._directory is not None:
            self._directory.release()

    @property
    def socks(self) -> tuple[str, int]:
        """Host and port of its SOCKS port. Raises TorError while streams cannot be sent through it."""
        if self._socks is None or not self.status.ready:
            raise TorError(self.status.not_ready)
        return self._socks

    async def wait_ready(self) -> None:
        """Wait until streams can be sent through it."""
        while not self.status.ready:
            self._changed.clear()
            await self._changed.wait()

    async def new_identity(self) -> float:
        """Have new streams use new circuits; gives the seconds after which tor does it. Raises TorError."""
        return await self._ask(lambda control: control.new_identity())

    async def circuits(self) -> tuple[Circuit, ...]:
        """All circuits of the moment. Raises TorError."""
        return await self._ask(lambda control: control.circuits())

    async def add_onion(self, port: int, target: str) -> OnionService:
        """An onion service for as long as this object lives, also when tor is started again; returns when published.

        `target` is `HOST:PORT` or `unix:PATH`. Raises TorError.
        """
        onion = await self._ask(lambda control: control.add_onion(port, target))
        self._onions[onion.address] = onion
        await self._published_event(onion.address).wait()
        return onion

    # Keeping it

    async def _keep(self, began: asyncio.Future[None]) -> None:
        """Run it again and again. Only the first start may fail for good: `began` says so."""
        loop = asyncio.get_running_loop()
        while True:
            ready_at: float | None = None
            try:
                async with self._running() as lost:
                    if not began.done():
                        began.set_result(None)
                    await first_of(self.wait_ready(), lost.wait())
                    ready_at = loop.time() if self.status.ready else None
                    await lost.wait()
                problem = "Tor has ended." if self._settings.control is None else LOST
            except TorError as error:
                if not began.done():
                    began.set_exception(error)
                    return
                problem = error.message
            delay = self._backoff.after(0.0 if ready_at is None else loop.time() - ready_at)
            again = "it is started again" if self._settings.control is None else "it is asked again"
            self._tell(TorStatus(TorPhase.DOWN, 0, f"not running; {again} in {delay:.0f} s", problem, delay))
            await asyncio.sleep(delay)
            self._tell(TorStatus())

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncGenerator[asyncio.Event, None]:
        """One tor from its start until the block ends. Gives what is set when it is lost. Raises TorError."""
        async with contextlib.AsyncExitStack() as stack:
            lost = asyncio.Event()
            address = self._settings.control or await self._start(stack)
            control = await self._connected(address)
            stack.push_async_callback(self._let_go, control)
            if self._settings.control is None:
                await self._call(control.take_ownership)
            await self._begin(control, lost)
            yield lost

    async def _start(self, stack: contextlib.AsyncExitStack) -> ControlAddress:
        """Start a tor of our own, which ends with `stack`. Raises TorError."""
        if self._directory is None:
            self._directory = TorDirectory(self._settings.directory)
        process = await TorProcess.start(self._settings, self._directory.path)
        stack.push_async_callback(process.end, self._settings.end_timeout)
        return await process.control_address(self._settings.start_timeout)

    async def _connected(self, address: ControlAddress) -> Control:
        """A connection, closed again where nobody waits for it any more when it is there."""
        connecting = self._thread.submit(self._connect, address)
        try:
            return await asyncio.wrap_future(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(_close_unwanted)
            raise

    async def _begin(self, control: Control, lost: asyncio.Event) -> None:
        """Everything that a new connection needs, before it is used."""
        loop = asyncio.get_running_loop()

        def on_loop(function: Callable[..., None]) -> Callable[..., None]:
            def call(*arguments: object) -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is interested any more
                    loop.call_soon_threadsafe(function, *arguments)

            return call

        self.version = await self._call(control.version)
        self._socks = await self._call(control.socks)
        if self._socks is None:
            raise TorError(
                "This tor has no SOCKS port that keeps clients apart.",
                hint="Its torrc needs a SocksPort with a port number, and without NoIsolateSOCKSAuth.",
            )
        await self._call(control.watch, on_loop(self._advance), on_loop(self._set_published), on_loop(lost.set))
        self._control = control
        for onion in list(self._onions.values()):
            await self._call(control.add_onion, onion.port, onion.target, onion.key)

    async def _let_go(self, control: Control) -> None:
        self._control = self._socks = None
        # Not in the thread, which may be waiting for an answer: closing is what ends that wait.
        await asyncio.get_running_loop().run_in_executor(None, control.close)

    def _advance(self, status: TorStatus) -> None:
        """A bootstrap phase. They may be told out of order, and only go forward while a tor runs."""
        if self.status.phase is TorPhase.DOWN or status.percent < self.status.percent:
            return
        self._tell(status)

    def _set_published(self, address: str) -> None:
        self._published_event(f"{address}.onion").set()

    def _published_event(self, address: str) -> asyncio.Event:
        return self._published.setdefault(address, asyncio.Event())

    def _tell(self, status: TorStatus) -> None:
        if status.problem:
            status = replace(status, problem=status.problem.strip())
        self.status = status
        self._changed.set()
        self._on_status(status)

    async def _ask(self, question: Callable[[Control], T]) -> T:
        control = self._control
        if control is None:
            raise TorError(self.status.not_ready)
        return await self._call(question, control)

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
