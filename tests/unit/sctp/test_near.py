"""The bound for near paths: short queues where nothing is lost, and no harm where it has nothing to say."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from mayfly.config import KIB, MIB, SctpConfig
from mayfly.sctp.congestion import CongestionControl
from mayfly.sctp.cubic import Cubic
from mayfly.sctp.near import NearBound
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
