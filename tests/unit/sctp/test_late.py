"""Ends that answer late, on a path of 200 Mbit/s: it is filled all the same, and its queue stays bounded where near.

Both machines are quick at first, so the least round trip is known, and then become busy.
"""

from __future__ import annotations

from random import Random

import pytest

from mayfly.config import KIB, SctpConfig
from support.associations import join
from support.late import LateEnd, Wakes, every, in_turns
from support.network import Wire, World

RATE = 25e6
QUEUE = int(RATE / 10)
NEAR = (0.00005, 0.001)
"""Seconds each way."""
ALLOWED = 384 * KIB / RATE
"""Seconds that may wait on a near path for ends that answer late."""
SMALL = SctpConfig(base_packet=1432, packet_sizes=())
LARGE = SctpConfig(base_packet=4 * KIB, packet_sizes=())


class Transfer:
    """A sender that always has something to send, over a wire of its own, after a quick start."""

    def __init__(self, delay: float, config: SctpConfig = LARGE) -> None:
        self.world = World()
        self.wire = Wire(self.world, Random(1), delay=delay, rate=RATE, queue=QUEUE, keep=False)
        self.back = Wire(self.world, Random(2), delay=delay, keep=False)
        self.left = LateEnd(self.world, self.wire, 1, config=config)
        self.right = LateEnd(self.world, self.back, 2, config=config)
        join(self.world, self.left, self.right)
        self.left.send_without_end()
        self.world.rest(0.5)

    def become_late(self, left: Wakes | None, right: Wakes | None) -> None:
        for end, wakes in ((self.left, left), (self.right, right)):
            if wakes is not None:
                end.wakes = wakes

    def share(self, seconds: float) -> float:
        """What the next seconds carry of what the wire could."""
        before = self.right.received_bytes
        self.world.rest(seconds)
        return (self.right.received_bytes - before) / seconds / RATE

    def waiting(self, seconds: float) -> float:
        """How long a packet that left now would wait for those before it, at most, in the next seconds."""
        longest = 0.0
        for _ in range(int(seconds / 0.001)):
            self.world.rest(0.001)
            longest = max(longest, self.wire._free - self.world.now)
        return longest


@pytest.mark.parametrize(
    ("period", "delay", "least"),
    [
        *((period, delay, 0.9) for period in (0.002, 0.005) for delay in (0.001, 0.003, 0.01, 0.05)),
        *((0.01, delay, 0.7 if delay < 0.003 else 0.9) for delay in (0.001, 0.003, 0.01, 0.05)),
        *((0.02, delay, 0.4 if delay < 0.003 else 0.8) for delay in (0.001, 0.003, 0.01, 0.05)),
    ],
)
def test_ends_that_wake_now_and_then_fill_the_path(period: float, delay: float, least: float) -> None:
    transfer = Transfer(delay)
    transfer.become_late(every(period, 0.37 * period), every(period, 0.77 * period))
    transfer.world.rest(1 if delay < 0.01 else 4)
    assert transfer.share(1) >= least


@pytest.mark.parametrize("delay", NEAR)
@pytest.mark.parametrize("who", ["both", "sender", "receiver"])
def test_ends_that_sleep_in_turns_fill_a_near_path(delay: float, who: str) -> None:
    """As on a machine with a load of 10: the bound, taking this for a slow path, used to shrink to 2 of 25 MB/s."""
    transfer = Transfer(delay, SMALL)
    transfer.become_late(
        in_turns(0.004, 0.012, 1) if who != "receiver" else None,
        in_turns(0.004, 0.012, 2) if who != "sender" else None,
    )
    transfer.world.rest(1)
    assert transfer.share(1.5) >= 0.7


@pytest.mark.parametrize("delay", NEAR)
@pytest.mark.parametrize("wakes", [every(0.005, 0.001), every(0.01, 0.003), in_turns(0.004, 0.012, 1)])
def test_the_queue_of_a_near_path_stays_bounded_when_ends_are_late(delay: float, wakes: Wakes) -> None:
    transfer = Transfer(delay)
    transfer.become_late(wakes, None)
    transfer.world.rest(1)
    assert transfer.waiting(0.5) < 1.2 * ALLOWED, "rates are taken to no more than that"


@pytest.mark.parametrize("delay", NEAR)
def test_a_machine_that_is_quick_again_has_a_short_queue_again(delay: float) -> None:
    transfer = Transfer(delay)
    assert transfer.waiting(0.2) < 0.006
    late = in_turns(0.004, 0.012, 3)
    transfer.become_late(late, late)
    transfer.world.rest(1)
    transfer.become_late(lambda now: now, lambda now: now)
    transfer.world.rest(0.5)
    assert transfer.waiting(0.2) < 0.006
    assert transfer.share(0.5) >= 0.9
