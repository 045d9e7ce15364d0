"""Path MTU discovery: what passes is used, what does not costs nothing, and a black hole is left."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import KIB, SctpConfig
from mayfly.sctp.endings import BrokenRuleError
from mayfly.sctp.search import PathSearch
from mayfly.sctp.wire import encode_parameters
from support.associations import OurEnd, StockEnd, aiortc_in, ends, join
from support.network import Wire, World

CONFIG = SctpConfig()
NONCE = b"12345678"


@pytest.mark.parametrize(
    ("mtu", "found"), [(1200, CONFIG.base_packet), (1360, 1352), (1500, 1432), (9000, 1432), (65536, 16 * KIB)]
)
@pytest.mark.parametrize("stock", [False, True])
def test_the_largest_size_that_passes_is_used(mtu: int, found: int, stock: bool) -> None:
    world, random = World(), Random(1)
    with aiortc_in(world):
        left = OurEnd(world, Wire(world, random, mtu=mtu), 1, config=CONFIG, tsn=1)
        right = (
            StockEnd(world, Wire(world, random), "server")
            if stock
            else OurEnd(world, Wire(world, random), 2, config=CONFIG)
        )
        join(world, left, right)
        world.rest(1)
        left.send(bytes(100_000))
        assert world.run(lambda: left.idle, 10)
        assert right.messages == [bytes(100_000)]
        sizes = [size for size in CONFIG.packet_sizes if size <= 1432 or not stock]
        found = min(found, max(sizes))
        assert max(len(packet) for packet in left.wire.carried if packet[12] == 0) == found
        world.rest(60)
        probes = [packet for packet in left.wire.carried if packet[12] == 4]
        larger = sum(size > found for size in sizes)
        assert len(probes) == len(sizes) + larger * (CONFIG.max_probes - 1)
        # Anew after a while: the path may have changed.
        left.wire.mtu = 65536
        world.rest(CONFIG.search_interval)
        assert left.association._search.size == max(sizes), "no record that aiortc cannot read"


def test_a_black_hole_is_left_within_two_timeouts() -> None:
    world = World()
    left, right = ends(world, config=CONFIG)
    join(world, left, right)
    world.rest(1)
    left.send(bytes(100_000))
    assert world.run(lambda: left.idle, 10)
    left.wire.mtu = 1300
    left.send(bytes(1000))
    assert world.run(lambda: left.idle, 10)
    left.send(bytes(40_000))
    assert world.run(lambda: left.association._search.size == CONFIG.base_packet, 3)
    assert left.association.oversized, "what is cut already does not shrink: it has to be fragmented below"
    left.wire.mtu = 65536
    left.send(bytes(10_000))
    assert world.run(lambda: left.idle, 10)
    assert len(right.messages) == 4 and not left.association.oversized


@given(
    st.one_of(
        st.binary(max_size=30),
        st.integers(0, 65535).map(lambda n: encode_parameters([(1, n.to_bytes(2, "big") + NONCE)])),
    )
)
def test_any_answer_leaves_a_size_that_was_tried(body: bytes) -> None:
    search = PathSearch(CONFIG, NONCE)
    search.begin(16 * KIB, 1.0)
    try:
        grew = search.acknowledged(body)
    except BrokenRuleError:
        return
    assert search.size in (CONFIG.base_packet, *CONFIG.packet_sizes)
    assert grew == (search.size != CONFIG.base_packet)


def test_timeouts_of_small_packets_change_nothing() -> None:
    search = PathSearch(CONFIG, NONCE)
    search.begin(16 * KIB, 1.0)
    assert not search.timed_out(5)
