from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mayfly.errors import TorError
from mayfly.runtime.tasks import TaskSet
from mayfly.tor.driver import Tor
from mayfly.tor.settings import ControlAddress, TorSettings
from mayfly.tor.status import Backoff, Circuit, OnionService, TorPhase, TorStatus, bootstrapping
from support.fake_tor import FakeTor
from support.programs import ROOT, poll

FAKE = str(ROOT / "tests/support/fake_tor.py")


class FakeControl:
    """A control connection; the test says what tor says."""

    def __init__(self, socks: tuple[str, int] | None = ("127.0.0.1", 9999)) -> None:
        self._socks = socks
        self.onions: list[OnionService] = []
        self.owned = self.closed = False
        self.advance: Callable[[TorStatus], None] = lambda _: None
        self.published: Callable[[str], None] = lambda _: None
        self.lose: Callable[[], None] = lambda: None

    def watch(
        self,
        on_status: Callable[[TorStatus], None],
        on_published: Callable[[str], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.advance, self.published, self.lose = on_status, on_published, on_lost

    def take_ownership(self) -> None:
        self.owned = True

    def socks(self) -> tuple[str, int] | None:
        return self._socks

    def version(self) -> str:
        return "0.4.9.11"

    def new_identity(self) -> float:
        return 3.0

    def circuits(self) -> tuple[Circuit, ...]:
        return (Circuit("1", "BUILT", "GENERAL", ()),)

    def add_onion(self, port: int, target: str, key: str = "") -> OnionService:
        self.onions.append(OnionService("abc.onion", port, target, key or "fresh"))
        return self.onions[-1]

    def close(self) -> None:
        self.closed = True


class Played:
    """A Tor over controls that the test plays, and all that it told."""

    def __init__(self, *controls: FakeControl | TorError) -> None:
        self._controls = list(controls)
        self.told: asyncio.Queue[TorStatus] = asyncio.Queue()
        self.tor = Tor(
            TorSettings(control=ControlAddress(port=1)),
            self.told.put_nowait,
            connect=lambda _: self._connect(),
            backoff=Backoff(first=0.001),
        )

    def _connect(self) -> FakeControl:
        control = self._controls.pop(0)
        if isinstance(control, TorError):
            raise control
        return control

    async def until(self, phase: TorPhase) -> TorStatus:
        """The next status of that phase."""
        async with asyncio.timeout(10):
            while True:
                status = await self.told.get()
                if status.phase is phase:
                    return status


READY = bootstrapping("100", "done")


async def test_not_ready_before_it_is() -> None:
    control = FakeControl()
    played = Played(control)
    async with played.tor as tor:
        control.advance(bootstrapping("50", "loading_descriptors"))
        assert (await played.until(TorPhase.BOOTSTRAPPING)).percent == 50
        with pytest.raises(TorError, match="not ready: learning about its relays"):
            _ = tor.socks
        control.advance(READY)
        await tor.wait_ready()
        assert tor.socks == ("127.0.0.1", 9999)
        assert tor.version == "0.4.9.11"
        assert not control.owned  # it was there before us, and stays
    assert control.closed


async def test_steps_that_come_out_of_order_go_forward_only() -> None:
    control = FakeControl()
    played = Played(control)
    async with played.tor as tor:
        control.advance(READY)
        control.advance(bootstrapping("50", "loading_descriptors"))
        await tor.wait_ready()
        assert tor.status == READY


async def test_questions() -> None:
    control = FakeControl()
    async with Played(control).tor as tor:
        assert await tor.new_identity() == 3.0
        assert [circuit.id for circuit in await tor.circuits()] == ["1"]


async def test_a_first_start_that_fails_is_for_good() -> None:
    played = Played(TorError("Nothing takes commands."))
    with pytest.raises(TorError, match="Nothing takes commands"):
        async with played.tor:
            pass


async def test_a_tor_that_mixes_clients_is_not_used() -> None:
    with pytest.raises(TorError, match="keeps clients apart"):
        async with Played(FakeControl(socks=None)).tor:
            pass


async def test_one_that_is_lost_is_asked_again_and_gets_its_onion_services_back() -> None:
    first, second = FakeControl(), FakeControl()
    played = Played(first, TorError("Still nothing."), second)
    tasks = TaskSet()
    async with played.tor as tor:
        first.advance(READY)
        await tor.wait_ready()
        adding = tasks.spawn(tor.add_onion(80, "127.0.0.1:8080"))
        await poll(lambda: bool(first.onions), "the onion service")
        assert not adding.done()
        first.published("abc")
        onion = await adding
        first.lose()
        down = await played.until(TorPhase.DOWN)
        assert (down.problem, down.retry) == ("The connection to tor was lost.", 0.001)
        with pytest.raises(TorError, match="not ready"):
            await tor.new_identity()
        with pytest.raises(TorError, match="not ready"):
            _ = tor.socks
        again = await played.until(TorPhase.DOWN)
        assert (again.problem, again.retry) == ("Still nothing.", 0.002)
        await poll(lambda: second.onions == [onion], "the onion service to be back")
        second.advance(READY)
        await tor.wait_ready()


async def test_a_tor_of_our_own_lives_and_ends_with_us(tmp_path: Path) -> None:
    settings = TorSettings(program=FAKE, directory=tmp_path)
    async with Tor(settings, lambda _: None) as tor:
        await tor.wait_ready()
        started = [child for child in psutil.Process().children() if FAKE in child.cmdline()]
        assert len(started) == 1
    assert not started[0].is_running()


async def test_a_wrong_torrc_fails_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    before = psutil.Process().children()
    with pytest.raises(TorError, match="BadOption"):
        async with Tor(TorSettings(program=FAKE, directory=tmp_path, torrc=("BadOption 1",)), lambda _: None):
            pass
    assert psutil.Process().children() == before


async def test_attached_by_stem() -> None:
    with FakeTor() as fake:
        async with Tor(TorSettings(control=ControlAddress(port=fake.port)), lambda _: None) as tor:
            await tor.wait_ready()
            assert tor.socks == ("127.0.0.1", 9999)
        assert "TAKEOWNERSHIP" not in fake.seen


async def test_one_that_is_given_up_while_it_connects_leaves_no_connection() -> None:
    connecting, go_on = threading.Event(), threading.Event()
    control = FakeControl()

    def connect(_: ControlAddress) -> FakeControl:
        connecting.set()
        go_on.wait(10)
        return control

    tor = Tor(TorSettings(control=ControlAddress(port=1)), lambda _: None, connect=connect)
    tasks = TaskSet()
    starting = tasks.spawn(tor.start())
    await poll(connecting.is_set, "the connection to begin")
    starting.cancel()
    await tor.aclose()
    go_on.set()
    await poll(lambda: control.closed, "the connection to be closed")
