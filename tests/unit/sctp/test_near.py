"""The bound for near paths: short queues where nothing is lost, and no harm where it has nothing to say."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from mayfly.config import KIB, MIB, SctpConfig
from mayfly.sctp.congestion import CongestionControl
from mayfly.sctp.cubic import Cubic
from mayfly.sctp.near import NearBound
from mayfly.sctp.samples import AckSample, Departure, LossSample
from support.associations import OurEnd, join
from support.network import Wire, World

RATE = 10e6
NEAR = 0.0005
"""Seconds each way."""
SMALL = SctpConfig(packet_sizes=())


class Transfer:
    """A sender that always has something to send, over a wire of its own."""

    def __init__(
        self,
        *,
        delay: float = NEAR,
        rate: float = RATE,
        queue: int = 64 * MIB,
        control: Callable[[int], CongestionControl] = NearBound,
    ) -> None:
        self.world = World()
        self.wire = Wire(self.world, Random(1), delay=delay, rate=rate, queue=queue, keep=False)
        self.back = Wire(self.world, Random(2), delay=delay, keep=False)
        self.left = OurEnd(self.world, self.wire, 1, config=SMALL, control=control)
        self.right = OurEnd(self.world, self.back, 2, config=SMALL)
        self.right.keep = False
        join(self.world, self.left, self.right)
        self.left.send_without_end()

    def share(self, seconds: float) -> float:
        """What the next seconds carry of what the wire could."""
        before = self.right.received_bytes
        self.world.rest(seconds)
        assert self.wire.rate is not None
        return (self.right.received_bytes - before) / seconds / self.wire.rate

    def waiting(self) -> float:
        """How long a packet that left now would wait for those before it, at most, in the next half second."""
        longest = 0.0
        for _ in range(50):
            self.world.rest(0.01)
            longest = max(longest, self.wire._free - self.world.now)
        return longest


def test_the_queue_of_a_near_path_stays_short_and_the_path_full() -> None:
    transfer = Transfer()
    transfer.world.rest(0.5)
    assert transfer.waiting() < 0.006
    assert transfer.share(1) >= 0.9
    alone = Transfer(control=Cubic)
    alone.world.rest(0.5)
    assert alone.waiting() > 0.006, "without it there is something to bound"


def test_a_rate_that_rose_is_found_and_one_that_fell_leaves_no_queue() -> None:
    transfer = Transfer(rate=RATE / 5)
    transfer.world.rest(1)
    transfer.wire.suffer(rate=RATE)
    transfer.world.rest(0.5)
    assert transfer.share(0.5) >= 0.9
    transfer.wire.suffer(rate=RATE / 2)
    transfer.world.rest(0.5)
    assert transfer.waiting() < 0.008


@pytest.mark.parametrize("delay", [0.002, 0.02])
def test_a_path_that_became_longer_is_filled_again(delay: float) -> None:
    transfer = Transfer()
    transfer.world.rest(0.5)
    for wire in (transfer.wire, transfer.back):
        wire.suffer(delay=delay)
    transfer.world.rest(5)
    assert transfer.share(1) >= 0.9


def test_a_path_that_is_not_near_is_the_other_controllers() -> None:
    bounded, alone = Transfer(delay=0.02), Transfer(delay=0.02, control=Cubic)
    assert bounded.share(1) == alone.share(1)


def test_where_packets_are_lost_the_other_controller_decides() -> None:
    transfer = Transfer()
    transfer.world.rest(0.5)
    control = transfer.left.association._sender.control
    assert isinstance(control, NearBound)
    assert control.window < control._inner.window
    transfer.wire.suffer(loss=0.01)
    transfer.world.rest(0.5)
    assert control.window == control._inner.window
    transfer.wire.suffer(loss=0.0)
    transfer.world.rest(12)
    assert transfer.waiting() < 0.006, "and is bounded again once nothing is lost any more"


def test_it_shares_with_one_that_fills_the_queue() -> None:
    world = World()
    wire = Wire(world, Random(1), delay=NEAR, rate=RATE / 5, queue=32 * KIB, keep=False)
    ends: list[tuple[OurEnd, OurEnd]] = []
    for seed, control in ((1, NearBound), (11, Cubic)):
        left = OurEnd(world, wire, seed, config=SMALL, control=control)
        right = OurEnd(world, Wire(world, Random(seed), delay=NEAR, keep=False), seed + 1, config=SMALL)
        right.keep = False
        join(world, left, right)
        ends.append((left, right))
    by_tag = {right.association._ours.tag.to_bytes(4, "big"): right for _, right in ends}

    class Fork:
        def take(self, packets: list[bytes]) -> None:
            for packet in packets:
                by_tag[packet[4:8]].take([packet])

    wire.to(Fork())
    for left, _ in ends:
        left.send_without_end(64 * KIB)
    world.rest(10)
    before = [right.received_bytes for _, right in ends]
    world.rest(20)
    bounded, filling = (right.received_bytes - was for (_, right), was in zip(ends, before, strict=True))
    assert bounded > filling / 3
    assert bounded + filling > 0.85 * 20 * RATE / 5


def test_what_was_idle_is_not_held_to_a_trickle() -> None:
    transfer = Transfer()
    transfer.world.rest(0.5)
    association, feed = transfer.left.association, transfer.left.hungry

    def trickle() -> None:
        if not association.unacknowledged:
            association.send(b"key")

    transfer.left.hungry = trickle
    transfer.world.rest(5)
    transfer.left.hungry = feed
    transfer.left.pump()
    assert transfer.share(0.2) >= 0.85


class Inner:
    """A controller that has a window and keeps what it is told."""

    def __init__(self, packet: int) -> None:
        self.packet = packet
        self.window = MIB
        self.pacing_rate = 7.0
        self.samples: list[AckSample] = []
        self.told: list[str] = []

    def resize(self, packet: int) -> None:
        self.packet = packet

    def on_acknowledged(self, sample: AckSample) -> None:
        self.samples.append(sample)

    def on_lost(self, sample: LossSample) -> None:
        self.told.append("lost")

    def on_timeout(self, now: float, in_flight: int) -> None:
        self.told.append("timeout")

    def on_idle(self, now: float, idle: float, timeout: float) -> None:
        self.told.append("idle")


class Feed:
    """A bound around such a one, and acknowledgements for it. A millisecond is the least round trip."""

    def __init__(self) -> None:
        self.control = NearBound(1200, Inner)
        assert isinstance(self.control._inner, Inner)
        self.inner = self.control._inner
        self.now = 1000.0
        self.delivered = 0

    def acknowledge(
        self,
        rate: float,
        seconds: float,
        *,
        every: float = 0.001,
        round_trip: float | None = 0.001,
        app_limited: bool = False,
        limited: bool = True,
        idle: float | None = None,
    ) -> None:
        """So many bytes a second, at that interval; `idle` is how long nothing was in flight before each."""
        for _ in range(round(seconds / every)):
            self.now += every
            self.delivered += round(rate * every)
            if idle is not None:
                self.control.on_idle(self.now, idle, 1.0)
            departure = Departure(self.now - 0.001, 0, 0.0, 0.0, 0, app_limited=app_limited)
            sample = AckSample(
                now=self.now,
                acknowledged=round(rate * every),
                lost=0,
                delivered=self.delivered,
                in_flight=0,
                departure=departure,
                round_trip=round_trip,
                smoothed=0.001,
                minimum=0.001,
                limited=limited,
            )
            self.control.on_acknowledged(sample)

    def lose(self) -> None:
        departure = Departure(self.now, 0, 0.0, 0.0, 0, app_limited=False)
        self.control.on_lost(LossSample(now=self.now, lost=1, sent=self.now, in_flight=0, departure=departure))


def about(size: float) -> object:
    return pytest.approx(size, rel=0.02)


def test_what_a_round_trip_and_four_milliseconds_carry_may_be_in_flight() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.02)
    assert feed.control.window == MIB, "no rate has been taken yet"
    feed.acknowledge(RATE, 0.1)
    assert feed.control.window == about(50_000)
    feed.inner.window = 30_000
    assert feed.control.window == 30_000
    assert feed.control.pacing_rate == 7.0


def test_sixteen_packets_may_be_in_flight_on_the_slowest_path() -> None:
    feed = Feed()
    feed.acknowledge(RATE / 100, 0.1)
    assert feed.control.window == 16 * 1200
    feed.control.resize(1400)
    feed.acknowledge(RATE / 100, 0.1)
    assert feed.control.window == 16 * 1400
    assert feed.inner.packet == 1400


@pytest.mark.parametrize(
    ("rate", "every", "allowed"),
    [
        (10e6, 0.001, 0.004),
        (10e6, 0.010, 0.020),  # twice what comes at once
        (40e6, 0.010, 384 * KIB / 40e6),
        (5e6, 0.020, 0.025),
    ],
)
def test_ends_that_answer_late_may_have_more_in_flight(rate: float, every: float, allowed: float) -> None:
    feed = Feed()
    feed.acknowledge(rate, 1.0, every=every)
    assert feed.control.window == about(rate * (0.001 + allowed))


def test_ends_that_are_quick_again_may_have_less() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.5, every=0.01)
    feed.acknowledge(RATE, 0.1)
    assert feed.control.window == about(210_000), "not before eight spells"
    feed.acknowledge(RATE, 0.4)
    assert feed.control.window == about(50_000)


@pytest.mark.parametrize(
    ("window", "limited", "grows"), [(90_000, True, True), (110_000, True, False), (1, False, False)]
)
def test_the_other_controller_grows_up_to_twice_the_bound(window: int, limited: bool, grows: bool) -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.1)
    feed.inner.window = window
    feed.acknowledge(RATE, 0.001, limited=limited)
    assert feed.inner.samples[-1].limited is grows


@pytest.mark.parametrize("what", ["lost", "timeout"])
def test_the_other_controller_decides_alone_for_ten_seconds_after_a_loss(what: str) -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.1)
    if what == "lost":
        feed.lose()
    else:
        feed.control.on_timeout(feed.now, 0)
    assert feed.inner.told == [what]
    for seconds in (0.0, 0.1, 9.8):
        feed.acknowledge(RATE, seconds)
        assert feed.control.window == MIB
    feed.acknowledge(RATE, 0.2)
    assert feed.control.window == about(50_000)


def test_pauses_do_not_count_as_slowness() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.1)
    for _ in range(20):
        feed.now += 0.05
        feed.control.on_idle(feed.now, 0.05, 1.0)
        feed.acknowledge(RATE, 0.02)
    assert feed.control.window == about(50_000)
    assert feed.inner.told == ["idle"] * 20


def test_a_moment_without_anything_in_flight_is_no_pause() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.1)
    feed.acknowledge(2 * RATE, 0.3, idle=0.001)
    assert feed.control.window == about(100_000)


def test_an_application_with_little_to_send_lowers_no_rate_and_may_raise_it() -> None:
    feed = Feed()
    feed.acknowledge(RATE / 10, 0.1, app_limited=True)
    assert feed.control.window == 16 * 1200, "the first rate counts in any case"
    feed.acknowledge(RATE, 0.1)
    feed.acknowledge(RATE / 2, 0.031)
    feed.acknowledge(RATE * 0.7, 1.0, app_limited=True)
    assert feed.control.window == about(50_000)
    feed.acknowledge(2 * RATE, 0.1, app_limited=True)
    assert feed.control.window == about(100_000)


def test_a_rate_that_fell_is_believed_after_eight_spells() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.3)
    feed.acknowledge(RATE / 2, 0.2)
    assert feed.control.window == about(50_000)
    feed.acknowledge(RATE / 2, 0.1)
    assert feed.control.window == about(25_000)


def test_what_is_not_near_is_not_bounded() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.5, round_trip=0.006)
    assert feed.control.window == MIB


def test_a_path_whose_round_trips_stay_long_is_measured_anew() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.5)
    feed.acknowledge(RATE, 0.4, round_trip=0.02)
    assert feed.control.window == about(50_000), "not before sixteen spells"
    feed.acknowledge(RATE, 0.4, round_trip=0.02)
    assert feed.control.window == MIB, "it is not near any more"


@pytest.mark.parametrize("short", [0.001, 0.004])
def test_a_path_that_is_short_now_and_then_has_a_queue(short: float) -> None:
    """Round trips of the least one and a few queues of ours do not make a longer path."""
    feed = Feed()
    feed.acknowledge(RATE, 0.5)
    for _ in range(10):
        feed.acknowledge(RATE, 0.3, round_trip=0.02)
        feed.acknowledge(RATE, 0.03, round_trip=short)
    assert feed.control.window == about(50_000)


def test_round_trips_from_before_a_loss_and_soon_after_it_say_nothing_of_the_path() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.5)
    feed.acknowledge(RATE, 0.3, round_trip=0.02)
    feed.lose()
    feed.acknowledge(RATE, 10.0, every=0.01, round_trip=0.02)
    feed.acknowledge(RATE, 0.3, round_trip=0.02)
    assert feed.control.window < MIB


def test_an_acknowledgement_that_tells_no_round_trip_tells_a_rate() -> None:
    feed = Feed()
    feed.acknowledge(RATE, 0.1)
    feed.acknowledge(2 * RATE, 0.1, round_trip=None)
    assert feed.control.window == about(100_000)
