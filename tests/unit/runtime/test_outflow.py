"""What leaves a session, when and how much: over a link that only takes down what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

import pytest

from mayfly.config import KIB, MuxConfig
from mayfly.errors import ErrorCode
from mayfly.mux.events import Event, Priority, SessionClosed, Side
from mayfly.mux.multiplexer import Multiplexer
from mayfly.runtime.outflow import Outflow
from mayfly.runtime.rate import ByteLimiter
from mayfly.transport.base import PathInfo
from support.network import World
from support.pair import hello_of
from support.timers import Timers

CONFIG = MuxConfig()


class AbsorbingLink:
    """Passes everything on at once while it is `open`; otherwise all that is sent waits in it."""

    offerer = True
    overruns = False
    high_water = 8 * KIB

    def __init__(self) -> None:
        self.open = True
        self.sent: list[bytes] = []
        self.flushed = 0
        self.arrival = asyncio.Event()

    @property
    def size(self) -> int:
        return sum(map(len, self.sent))

    @property
    def buffered_amount(self) -> int:
        return 0 if self.open else self.size

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        raise AssertionError("an outflow starts no link")

    def send(self, message: bytes) -> None:
        self.sent.append(message)
        self.arrival.set()

    def flush(self) -> None:
        self.flushed = len(self.sent)

    def path(self) -> PathInfo:
        return PathInfo(None, None, None, 0, 0)

    async def close(self) -> None:
        raise AssertionError("an outflow closes no link")


class Scene:
    """An outflow whose multiplexer has an open stream, and both HELLOs behind it unless `met` is false."""

    def __init__(
        self, *, config: MuxConfig | None = None, limiter: ByteLimiter | None = None, met: bool = True
    ) -> None:
        config = config or MuxConfig()
        now = asyncio.get_running_loop().time()
        self.link = AbsorbingLink()
        self.mux = Multiplexer(config, hello_of(config), offerer=True, hello_size=1400, now=now)
        self.flushes = 0
        self.told: list[Event] = []
        self.telling = asyncio.Event()
        self.outflow = Outflow(self.mux, self.link, limiter, flushed=self._flushed, dispatch=self._dispatch)
        if met:
            self.mux.receive_message(hello_of(config).encode().encode(), now)
            self.stream = self.mux.open_stream(Priority.INTERACTIVE)
            self.mux.messages_to_send(1 << 20, now)

    def _flushed(self) -> None:
        self.flushes += 1

    def _dispatch(self, events: Iterable[Event]) -> None:
        self.told += events
        if self.told:
            self.telling.set()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A clock that stands still until a test lets time pass."""
    made = World()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: Timers(made))
    return made


async def turns() -> None:
    """What was asked of the loop's next turn is done."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_what_happens_together_leaves_together_in_the_next_turn() -> None:
    scene = Scene()
    for _ in range(3):
        scene.mux.write(scene.stream, bytes(100))
        scene.outflow.wake()
    assert not scene.link.sent
    await turns()
    assert len(scene.link.sent) == scene.link.flushed == scene.flushes == 1


async def test_what_may_wait_a_turn_leaves_with_what_comes_in_it() -> None:
    scene = Scene()
    scene.mux.write(scene.stream, bytes(100))
    scene.outflow.wake_later()
    scene.outflow.wake_later()
    await asyncio.sleep(0)
    assert not scene.link.sent
    scene.mux.write(scene.stream, bytes(100))
    scene.outflow.wake()
    await turns()
    await turns()
    assert len(scene.link.sent) == scene.flushes == 1
    scene.mux.write(scene.stream, bytes(100))
    scene.outflow.wake_later()
    scene.outflow.flush()
    scene.mux.write(scene.stream, bytes(100))
    scene.outflow.wake_later()
    await turns()
    await turns()
    assert scene.flushes == 3, "each is asked for anew"


def test_where_nothing_presses_nothing_leaves_but_the_time_is_kept(world: World) -> None:
    scene = Scene()
    scene.outflow.wake_later()
    assert not world.run(lambda: bool(scene.link.sent), within=1.0) and scene.flushes == 1
    assert world.run(lambda: bool(scene.told), within=2 * CONFIG.dead_after), "nobody else would notice a dead peer"


async def test_what_is_flushed_leaves_at_once_and_once() -> None:
    scene = Scene()
    scene.mux.write(scene.stream, bytes(1000))
    scene.outflow.wake()
    scene.outflow.flush()
    assert len(scene.link.sent) == scene.link.flushed == 1
    await turns()
    assert scene.flushes == 1, "the flush that was asked for has been done"


async def test_a_link_that_is_never_full_gets_everything() -> None:
    scene = Scene()
    scene.mux.write(scene.stream, bytes(60_000))
    scene.outflow.flush()
    assert scene.link.size > 60_000


async def test_a_link_that_fills_up_gets_its_mark_and_one_message_at_most() -> None:
    scene = Scene()
    scene.link.open = False
    scene.mux.write(scene.stream, bytes(60_000))
    scene.outflow.flush()
    scene.outflow.flush()
    assert scene.link.high_water <= scene.link.size <= scene.link.high_water + CONFIG.usual_message
    scene.link.open = True
    scene.outflow.flush()
    assert scene.link.size > 60_000


def test_a_limiter_holds_back_what_the_link_would_take_and_lets_it_go_later(world: World) -> None:
    scene = Scene(limiter=ByteLimiter(rate=40_000, burst=20_000))
    scene.mux.write(scene.stream, bytes(60_000))
    for _ in range(3):
        scene.outflow.flush()
    begin, once = world.now, scene.link.size
    assert 20_000 <= once <= 20_000 + CONFIG.usual_message
    assert not world.run(lambda: scene.link.size > 60_000, within=0.5)
    assert world.run(lambda: scene.link.size > 60_000, within=2.0), "nobody wakes it but its own timer"
    assert scene.link.size <= 20_000 + 40_000 * (world.now - begin) + CONFIG.usual_message


def test_a_link_that_is_full_gets_nothing_however_much_the_rate_allows(world: World) -> None:
    scene = Scene(limiter=ByteLimiter(rate=1e9, burst=1e9))
    scene.link.open = False
    scene.mux.write(scene.stream, bytes(60_000))
    for _ in range(3):
        scene.outflow.flush()
    assert scene.link.high_water <= scene.link.size <= scene.link.high_water + CONFIG.usual_message


async def test_what_is_left_of_a_rate_wakes_nobody_who_has_nothing_to_send() -> None:
    scene = Scene(limiter=ByteLimiter(rate=1000, burst=6000))  # less than the link has room for
    scene.mux.write(scene.stream, bytes(100))
    scene.outflow.flush()
    for _ in range(20):
        await turns()
    assert scene.flushes == 1


async def test_the_last_word_is_said_and_nothing_behind_it() -> None:
    scene = Scene()
    scene.outflow.flush()
    scene.mux.write(scene.stream, bytes(1000))
    scene.outflow.wake()
    scene.mux.close(ErrorCode.NO_ERROR, "bye")
    scene.outflow.stop()
    assert scene.outflow._timer is not None and scene.outflow._timer.cancelled()
    assert len(scene.link.sent) == 1 and scene.link.sent[0].endswith(b"bye")
    scene.outflow.wake()
    scene.outflow.flush()
    await turns()
    assert len(scene.link.sent) == scene.flushes == 1


async def test_the_multiplexer_is_told_when_its_time_has_come() -> None:
    scene = Scene(config=MuxConfig(hello_timeout=0.02), met=False)
    scene.outflow.flush()
    await scene.telling.wait()
    (event,) = scene.told
    assert isinstance(event, SessionClosed) and (event.by, event.code) == (Side.LINK, ErrorCode.LIVENESS_TIMEOUT)
    assert scene.flushes == 2


class Deadlines:
    """A multiplexer that has nothing to say, and has its time come at those times one by one."""

    def __init__(self, *due: float) -> None:
        self.due = [*due]
        self.told: list[float] = []

    def outflow(self) -> Outflow:
        """One for it and a link."""
        mux = cast("Multiplexer", self)
        return Outflow(mux, AbsorbingLink(), None, flushed=lambda: None, dispatch=lambda _: None)

    def messages_to_send(self, budget: int, now: float) -> list[bytes]:
        return []

    def next_timeout(self) -> float | None:
        return self.due[0] if self.due else None

    def handle_timeout(self, now: float) -> list[Event]:
        self.told.append(round(now, 6))
        if self.due and self.due[0] <= now:
            self.due.pop(0)
        return []


def test_the_time_comes_once_it_is_due_and_again_for_the_next(world: World) -> None:
    mux = Deadlines(world.now + 5, world.now + 8)
    mux.outflow().flush()
    world.rest(60)
    assert mux.told == [1005.001, 1008.001]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([60], [2, 60], id="nearer: the old one is forgotten"),
        pytest.param([2], [60], id="away: the old one comes, and costs nothing until then"),
    ],
)
def test_a_time_that_has_moved_is_kept(world: World, before: list[float], after: list[float]) -> None:
    mux = Deadlines(*(world.now + seconds for seconds in before))
    outflow = mux.outflow()
    outflow.flush()
    mux.due = [world.now + seconds for seconds in after]
    for _ in range(5):
        outflow.flush()
    world.rest(90)
    assert mux.told == [1002.001, 1060.001]
