"""Two multiplexers joined in memory on a virtual clock: no loop, no socket, no waiting.

Each direction has a latency, a jitter that reorders whole messages (the channel is reliable and unordered), a
bandwidth, and a channel buffer whose free part is the budget. The same seed gives the same run. Every message is
checked on its way: its size against what the receiver said it takes, and the sender against its budget.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random

from mayfly.config import KIB, MuxConfig
from mayfly.mux.events import Event, HelloReceived
from mayfly.mux.multiplexer import Multiplexer
from mayfly.runtime.introduction import LocalHello, own_hello
from mayfly.wire.hello import Hello, Role

STEPS = 2_000_000
"""More than any test needs: a run that takes more does not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One direction. Seconds, bytes, bytes a second; `bandwidth` None is without limit."""

    latency: float = 0.01
    jitter: float = 0.0
    bandwidth: float | None = None
    high_water: int = 256 * KIB


PLAIN = Path()


def hello_of(config: MuxConfig) -> Hello:
    """The HELLO that fits a configuration. It is the same each time."""
    return replace(own_hello(config, LocalHello(role=Role.PEER)), session_id=bytes(16))


@dataclass(eq=False)
class End:
    """One end: its multiplexer, its application, and the channel buffer towards the other end."""

    name: str
    mux: Multiplexer
    path: Path
    app: Callable[[Event], None] | None = None
    events: list[Event] = field(default_factory=list)
    buffered: int = 0
    opened: int = 0
    """Streams that applications opened here."""
    sent: int = 0
    """Bytes that were put into the channel."""
    paused: bool = False
    """The channel takes nothing: its budget is zero."""
    leaves_at: float = 0.0
    largest: int = 0
    """What the other end takes in one message."""

    def seen(self, kind: type[Event]) -> list[Event]:
        """The events of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]


class Pair:
    """Both ends, the messages between them, and the clock."""

    def __init__(
        self,
        config: MuxConfig | None = None,
        other: MuxConfig | None = None,
        *,
        path: Path = PLAIN,
        back: Path | None = None,
        seed: int = 0,
        start: float = 1000.0,
        restrained: bool = False,
    ) -> None:
        # Reports that wait for company would keep `settle` from its end.
        config = replace(config or MuxConfig(), report_delay=0.0)
        other = replace(other or config, report_delay=0.0)
        self.now = start
        self.silent = False
        """Messages vanish, and nobody is told."""
        self._random = Random(seed)
        self._number = count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._waiting = 0
        self._restrained = restrained
        self.a = self._end("a", config, other, path, offerer=True)
        self.b = self._end("b", other, config, back or path, offerer=False)

    def _end(self, name: str, config: MuxConfig, far: MuxConfig, path: Path, *, offerer: bool) -> End:
        mux = Multiplexer(
            config,
            hello_of(config),
            offerer=offerer,
            hello_size=self._random.randint(1300, 2500),
            now=self.now,
            restrained=self._restrained,
        )
        return End(name, mux, path, largest=min(config.max_message, far.max_receive_message))

    @property
    def ends(self) -> tuple[End, End]:
        """Both."""
        return self.a, self.b

    def far(self, end: End) -> End:
        """The other one."""
        return self.b if end is self.a else self.a

    # Time

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Call later, on the virtual clock. The pair does not settle before that."""
        heapq.heappush(self._agenda, (when, next(self._number), call))

    def connect(self) -> Pair:
        """Exchange HELLO and let all be quiet."""
        self.settle()
        assert all(end.seen(HelloReceived) for end in self.ends)
        return self

    def settle(self) -> None:
        """Run until nothing is under way and nobody has anything to send. Timers of silence do not run."""
        self.flush()
        for _ in range(STEPS):
            if not self._agenda:
                return
            self._step()
        raise AssertionError("the two ends never come to rest")

    def run_until(self, end: float) -> None:
        """Run with all timers until that time."""
        self.flush()
        for _ in range(STEPS):
            due = [(when, side) for side in self.ends if (when := side.mux.next_timeout()) is not None]
            timer = min((when for when, _ in due), default=end + 1)
            message = self._agenda[0][0] if self._agenda else end + 1
            if min(timer, message) > end:
                self.now = max(self.now, end)
                return
            if message <= timer:
                self._step()
                continue
            self.now = max(self.now, timer)
            for when, side in due:
                if when <= self.now:
                    self.dispatch(side, side.mux.handle_timeout(self.now))
                    after = side.mux.next_timeout()
                    assert after is None or after > self.now, "a timeout that stays in the past makes a driver spin"
            self.flush()
        raise AssertionError("the clock does not move")

    def _step(self) -> None:
        when, _, call = heapq.heappop(self._agenda)
        self.now = max(self.now, when)
        call()

    # Messages

    def flush(self) -> None:
        """Let both ends send what they may. To be called after anything that an application did on its own."""
        for end in self.ends:
            self.pump(end)

    def pump(self, end: End) -> None:
        """Give an end its budget, and its messages to the path."""
        while True:
            budget = 0 if end.paused else end.path.high_water - end.buffered
            pressing = end.mux.pressing(self.now)
            messages = end.mux.messages_to_send(budget, self.now)
            assert pressing or not messages, "or the driver would leave them"
            for number, message in enumerate(messages):
                greeting = end.sent == 0
                assert greeting or len(message) <= end.largest, f"{len(message)} bytes are more than the peer takes"
                assert number == 0 or budget > 0, "more than one message beyond the budget"
                budget -= len(message)
                self._put(end, message)
            events = end.mux.writable_events()
            self.dispatch(end, events)
            if not events:
                return

    def _put(self, end: End, message: bytes) -> None:
        end.sent += len(message)
        end.buffered += len(message)
        takes = 0.0 if end.path.bandwidth is None else len(message) / end.path.bandwidth
        end.leaves_at = max(self.now, end.leaves_at) + takes
        arrives = end.leaves_at + end.path.latency + self._random.random() * end.path.jitter
        self.at(end.leaves_at, lambda: self._left(end, len(message)))
        if not self.silent:
            self.at(arrives, lambda: self.deliver(self.far(end), message))

    def _left(self, end: End, size: int) -> None:
        end.buffered -= size
        self.pump(end)

    def deliver(self, end: End, message: bytes) -> None:
        """A message comes to an end, from the other or out of a test's hand."""
        if self.silent:
            return
        self.dispatch(end, end.mux.receive_message(message, self.now))
        self.pump(end)

    def dispatch(self, end: End, events: Iterable[Event]) -> None:
        """Keep the events, and tell the application."""
        for event in events:
            end.events.append(event)
            if end.app is not None:
                end.app(event)

    # The link

    def cut(self) -> None:
        """The link is gone, with what was under way, and both transports say so."""
        self.silent = True
        for end in self.ends:
            self.dispatch(end, end.mux.lose_link("the link is gone"))
