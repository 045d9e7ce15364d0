"""The accounts of the sender: what is in flight, what is sent again, and what wakes it."""

from __future__ import annotations

from math import inf
from random import Random
from struct import pack

import pytest

from mayfly.config import KIB, EngineConfig, SctpConfig
from mayfly.sctp import receive
from support.associations import OurEnd, Pair, data_chunks, ends, forge, join
from support.chunks import raw_chunk
from support.network import Wire, World

CONFIG = SctpConfig()
PAYLOAD = CONFIG.base_packet - 28


def sack(end: OurEnd, up_to: int, *blocks: tuple[int, int], window: int = 1 << 20) -> bytes:
    """A SACK for an end whose first TSN was -100; `up_to` counts from there."""
    head = pack("!LLHH", (2**32 - 101 + up_to) % 2**32, window, len(blocks), 0)
    return forge(end, raw_chunk(3, head + b"".join(pack("!HH", *block) for block in blocks)))


def alone(pair: Pair) -> OurEnd:
    """The left end, with a test as its far end."""
    left, _ = pair
    left.wire.suffer(loss=1.0)
    left.wire.carried.clear()
    return left


def test_ten_packets_leave_at_first(pair: Pair) -> None:
    left = alone(pair)
    left.send(bytes(60_000))
    assert data_chunks(left.wire.carried) == [((2**32 - 100 + n) % 2**32, PAYLOAD) for n in range(10)]
    assert left.association.unsent == 60_000 - 10 * PAYLOAD
    left.send(bytes(10))
    assert left.association.unsent == 60_010 - 10 * PAYLOAD


def test_the_far_ends_window_bounds_what_is_in_flight_and_one_packet_asks(pair: Pair) -> None:
    left = alone(pair)
    left.send(bytes(60_000))
    left.take([sack(left, 10, window=2000)])
    assert left.association._sender._in_flight == 2 * PAYLOAD
    left.take([sack(left, 12, window=0)])
    assert left.association._sender._in_flight == PAYLOAD, "one packet asks whether the window has opened"
    left.take([sack(left, 13, window=1 << 20)])
    assert left.association._sender._in_flight > 5 * PAYLOAD


def test_three_reports_send_the_missing_chunk_again_and_nothing_else(pair: Pair) -> None:
    left = alone(pair)
    left.send(bytes(10 * PAYLOAD))
    left.wire.carried.clear()
    left.world.rest(0.02)
    left.take([sack(left, 0, (2, 3))])
    assert left.wire.carried == []
    left.take([sack(left, 0, (2, 4))])
    assert [tsn for tsn, _ in data_chunks(left.wire.carried)] == [2**32 - 100]
    left.take([sack(left, 0, (2, 10))])
    assert len(left.wire.carried) == 1
    left.take([sack(left, 10)])
    assert left.idle and left.association.next_timeout() == inf


def test_the_tail_is_probed_before_the_timeout(pair: Pair) -> None:
    left, right = pair
    left.send(b"measure")
    left.world.rest(1)
    left.wire.carried.clear()
    left.wire.suffer(loss=1.0)
    left.send(b"tail")
    left.world.rest(0.02)
    left.wire.suffer(loss=0.0)
    left.world.rest(0.15)
    assert right.messages[-1] == b"tail"
    assert len(data_chunks(left.wire.carried)) == 2


def test_timeouts_back_off_and_end() -> None:
    world, random = World(), Random(1)
    config = SctpConfig(packet_sizes=(), max_retransmits=5)
    left = OurEnd(world, Wire(world, random), 1, config=config)
    right = OurEnd(world, Wire(world, random), 2)
    join(world, left, right)
    left.wire.suffer(loss=1.0)
    left.send(b"x")
    began = world.now
    assert world.run(lambda: left.ended is not None, 300)
    # 1 + 2 + 4 + 8 + 10 + 10
    assert 34.9 < world.now - began < 36
    assert left.wire.dropped == 6 + 1, "and an ABORT"


def test_a_far_end_that_throws_away_what_it_acknowledged_gets_it_again(pair: Pair) -> None:
    left = alone(pair)
    left.send(bytes(5 * PAYLOAD))
    left.take([sack(left, 0, (2, 5))])
    left.take([sack(left, 1)])
    left.wire.carried.clear()
    left.world.rest(20)
    assert {tsn for tsn, _ in data_chunks(left.wire.carried)} == {2**32 - 99}
    left.take([sack(left, 2)])
    left.world.rest(1)
    assert {tsn for tsn, _ in data_chunks(left.wire.carried)} == {2**32 - 99 + n for n in range(3)}
    left.take([sack(left, 3)])
    left.take([sack(left, 5)])
    assert left.idle


def test_blocks_of_all_numbers_cost_nothing(pair: Pair) -> None:
    left = alone(pair)
    left.send(bytes(5 * PAYLOAD))
    for _ in range(100):
        left.take([sack(left, 0, *[(1, 65535)] * 250)])
    assert left.ended is None
    left.take([sack(left, 5)])
    assert left.idle


def test_the_span_of_tsns_is_bounded() -> None:
    world = World()
    left, right = ends(world, delay=0.02, limits=EngineConfig(max_span=64))
    join(world, left, right)
    first = left.wire._put
    skipped = iter([False] * 10 + [True] * 1)
    left.wire._put = lambda packet: None if next(skipped, False) else first(packet)  # type: ignore[method-assign]
    for _ in range(30):
        left.send(bytes(16 * KIB))
    assert world.run(lambda: left.idle, 60)
    assert len(right.messages) == 30 and left.association._sender.timeouts == 0


def test_a_far_end_that_names_twenty_blocks_has_twenty_gaps_filled_in_each_round_trip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After slow start has overrun a queue. No more can be known in time: TSNs beyond the last block may have come."""
    monkeypatch.setattr(receive, "_MAX_BLOCKS", 20)
    world, random = World(), Random(1)
    wire = Wire(world, random, delay=0.05, rate=5e6, queue=100_000)
    left, right = OurEnd(world, wire, 1), OurEnd(world, Wire(world, random, delay=0.05), 2)
    join(world, left, right)

    def feed() -> None:
        while left.association.unsent < 64 * KIB:
            left.association.send(bytes(16 * KIB))

    left.hungry = feed
    left.pump()
    ranges = right.association._receiver._ranges
    sender = left.association._sender
    assert world.run(lambda: len(ranges) > 100, 3)
    begun, most = world.now, 0

    def settled() -> bool:
        nonlocal most
        most = max(most, len(ranges))
        assert sender.timeouts == 0
        return not ranges

    assert world.run(settled, 5)
    assert (world.now - begun) / 0.1 <= most / 20 + 4
    needless = len(data_chunks(wire.carried)) - len(data_chunks(wire.lost)) - len(set(data_chunks(wire.carried)))
    assert needless <= 20, "and hardly anything is sent twice for nothing"


def test_pacing_spreads_a_window_over_its_round_trip() -> None:
    world = World()
    left, right = ends(world, delay=0.05)
    join(world, left, right)
    for _ in range(20):
        left.send(bytes(16 * KIB))
        world.rest(0.3)
    left.wire.carried.clear()
    for _ in range(20):
        left.send(bytes(16 * KIB))
    burst = len(left.wire.carried)
    world.rest(0.03)
    assert 10 <= burst <= 14
    window = left.association._sender.control.window // PAYLOAD
    assert burst < len(left.wire.carried) < window


def test_of_sacks_that_come_together_the_last_tells_all(pair: Pair) -> None:
    left = alone(pair)
    left.send(bytes(10 * PAYLOAD))
    heard: list[int] = []
    control = left.association._sender.control
    control.on_acknowledged = lambda sample: heard.append(sample.acknowledged)  # type: ignore[method-assign]
    left.take([sack(left, 2), sack(left, 6), sack(left, 4)])
    assert heard == [6 * PAYLOAD], "and one that was overtaken tells nothing"
    left.take([sack(left, 7), sack(left, 7, (2, 2)), sack(left, 8)])
    assert heard == [6 * PAYLOAD, 2 * PAYLOAD, PAYLOAD], "one with blocks is taken at once"
    left.take([sack(left, 10), sack(left, 7, (2, 2))])
    assert sum(heard) == 10 * PAYLOAD and left.idle


def test_samples_carry_what_a_rate_based_controller_needs(pair: Pair) -> None:
    from mayfly.sctp.samples import AckSample

    left, _ = pair
    heard: list[AckSample] = []
    control = left.association._sender.control
    inner = control.on_acknowledged

    def listen(sample: AckSample) -> None:
        heard.append(sample)
        inner(sample)

    control.on_acknowledged = listen  # type: ignore[method-assign]
    left.send(bytes(60_000))
    left.world.rest(1)
    assert sum(sample.acknowledged for sample in heard) == 60_000 == heard[-1].delivered
    rates = [
        (s.delivered - s.departure.delivered)
        / max(s.now - s.departure.delivered_time, s.departure.time - s.departure.first, 1e-9)
        for s in heard
    ]
    assert all(rate > 0 for rate in rates)
    assert not heard[0].departure.app_limited
    left.send(b"small")
    left.world.rest(1)
    left.send(b"small")
    left.world.rest(1)
    assert heard[-1].departure.app_limited and not heard[-1].limited
