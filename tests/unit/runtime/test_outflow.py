"""What leaves a session, when and how much: over a link that only takes down what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from mayfly.config import KIB, MuxConfig
from mayfly.errors import ErrorCode
from mayfly.mux.events import Event, Priority, SessionClosed, Side
from mayfly.mux.multiplexer import Multiplexer
from mayfly.runtime.outflow import Outflow
from mayfly.runtime.rate import ByteLimiter
from mayfly.transport.base import PathInfo
from support.pair import hello_of

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
    assert scene.link.high_water <= scene.link.size <= scene.link.high_water + CONFIG.max_message
    scene.link.open = True
    scene.outflow.flush()
    assert scene.link.size > 60_000


async def test_a_limiter_holds_back_what_the_link_would_take_and_lets_it_go_later() -> None:
    limiter = ByteLimiter(400_000, 20_000)
    scene = Scene(limiter=limiter)
    scene.mux.write(scene.stream, bytes(60_000))
    scene.outflow.flush()
    assert 0 < scene.link.size <= 20_000 + CONFIG.max_message
    while scene.link.size < 60_000:  # nobody wakes it but its own timer
        scene.link.arrival.clear()
        await scene.link.arrival.wait()


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
