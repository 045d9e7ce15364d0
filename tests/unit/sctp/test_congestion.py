"""The sender on simulated networks: how much of a link it takes, how it shares, and what loss does to it.

Packets are large here so that minutes pass in seconds; what is shown are shares, not packets.
"""

from __future__ import annotations

from random import Random

import pytest

from mayfly.config import KIB, SctpConfig
from support.associations import OurEnd, join
from support.network import Wire, World

RATE = 25e6  # 200 Mbit/s
ROUND_TRIP = 0.1
PRODUCT = int(RATE * ROUND_TRIP)
LARGE = SctpConfig(base_packet=8 * KIB, packet_sizes=())


class Flow:
    """A sender that always has something to send."""

    def __init__(self, world: World, there: Wire, seed: int) -> None:
        back = Wire(world, Random(seed), delay=ROUND_TRIP / 2, keep=False)
        self.left = OurEnd(world, there, seed, config=LARGE)
        self.right = OurEnd(world, back, seed + 1, config=LARGE)
        self.right.keep = False
        self._last = 0

    def run(self) -> None:
        self.left.send_without_end()

    def carried(self) -> int:
        """Bytes received since the last call."""
        last, self._last = self._last, self.right.received_bytes
        return self._last - last


def single(*, queue: int, loss: float = 0.0, rate: float = RATE) -> tuple[World, Flow]:
    world = World()
    flow = Flow(world, Wire(world, Random(7), delay=ROUND_TRIP / 2, rate=rate, queue=queue, keep=False), 1)
    join(world, flow.left, flow.right)
    flow.left.wire.suffer(loss=loss)
    flow.run()
    return world, flow


def test_a_long_fat_path_is_filled() -> None:
    world, flow = single(queue=PRODUCT)
    world.rest(10)
    assert flow.carried() / RATE / 10 >= 0.85
    world.rest(5)
    assert flow.carried() / RATE / 5 >= 0.93


@pytest.mark.parametrize("part", [0.1, 0.5])
def test_short_queues_are_overrun_once_and_then_shared(part: float) -> None:
    world, flow = single(queue=int(part * PRODUCT))
    world.rest(5)
    flow.carried()
    dropped = flow.left.wire.dropped
    world.rest(15)
    assert flow.carried() / RATE / 15 >= 0.8
    assert flow.left.wire.dropped - dropped < 100
    sender = flow.left.association._sender
    assert sender._order - sender._board.next < 2 * flow.left.wire.dropped, "little is sent twice that had arrived"


def test_one_percent_loss_is_slow_and_does_not_stall() -> None:
    world, flow = single(queue=PRODUCT, loss=0.01)
    for _ in range(10):
        world.rest(3)
        assert flow.carried() / 3 > 100_000


class Fork:
    """Two flows behind one wire: whose packet it is, its tag tells."""

    def __init__(self, flows: list[Flow]) -> None:
        self._by_tag = {flow.right.association._ours.tag: flow.right for flow in flows}
        self._flows = flows

    def take(self, packets: list[bytes]) -> None:
        for packet in packets:
            tag = int.from_bytes(packet[4:8], "big")
            if tag:
                self._by_tag[tag].take([packet])
            else:
                for flow in self._flows:
                    if packet[16:20] == flow.left.association._ours.tag.to_bytes(4, "big"):
                        flow.right.take([packet])


def test_two_flows_share() -> None:
    world = World()
    wire = Wire(world, Random(7), delay=ROUND_TRIP / 2, rate=RATE / 8, queue=PRODUCT // 8, keep=False)
    flows = [Flow(world, wire, 1), Flow(world, wire, 11)]
    for flow in flows:
        flow.right.wire.to(flow.left)
    wire.to(Fork(flows))
    for flow in flows:
        flow.left.start()
        flow.right.start()
        assert world.run(lambda flow=flow: flow.left.established and flow.right.established, 10)  # type: ignore[misc]
        flow.run()
        world.rest(5)
    world.rest(60)
    for flow in flows:
        flow.carried()
    world.rest(60)
    one, other = (flow.carried() for flow in flows)
    assert one + other >= 0.85 * RATE / 8 * 60
    assert 0.33 < one / other < 3
