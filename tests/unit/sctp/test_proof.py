"""Every message arrives once and whole, whatever the path does: our association with itself and with aiortc's own."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mayfly.config import KIB, EngineConfig, SctpConfig
from support.associations import AnyEnd, OurEnd, StockEnd, aiortc_in, data_chunks, join
from support.network import Wire, World

MESSAGES = st.lists(st.integers(0, 40_000), min_size=1, max_size=12)
FAULTS = st.fixed_dictionaries(
    {
        "loss": st.sampled_from([0.0, 0.02, 0.1, 0.3]),
        "duplicate": st.sampled_from([0.0, 0.1]),
        "jitter": st.sampled_from([0.0, 0.002, 0.05]),
        "corrupt": st.sampled_from([0.0, 0.05]),
        "delay": st.sampled_from([0.0, 0.001, 0.08]),
    }
)
PATIENT = SctpConfig(packet_sizes=(), max_retransmits=60, max_handshakes=60)
"""Chance alone must not look like a far end that is gone."""
WINDOWS = st.sampled_from([4 * KIB, 48 * KIB, 4096 * KIB])


def content(seed: int, sizes: list[int]) -> list[bytes]:
    """Messages that tell which they are, wherever there is room for that."""
    return [
        (index.to_bytes(2, "big") + Random(seed + index).randbytes(size))[:size] for index, size in enumerate(sizes)
    ]


def wire(world: World, random: Random, faults: dict[str, float]) -> Wire:
    made = Wire(world, random)
    made.suffer(**faults)
    return made


def exchange(world: World, left: AnyEnd, right: AnyEnd, there: list[bytes], back: list[bytes]) -> None:
    """Send both ways at once, and wait until both ends have everything acknowledged."""
    for index in range(max(len(there), len(back))):
        if index < len(there):
            left.send(there[index])
        if index < len(back):
            right.send(back[index])
    done = world.run(lambda: (left.idle and right.idle) or bool(left.ended or right.ended), 3600.0)
    assert (left.ended, right.ended) == (None, None)
    assert done


def compare(got: list[bytes], sent: list[bytes], ordered: bool) -> None:
    assert got == sent if ordered else Counter(got) == Counter(sent)


@settings(deadline=None, max_examples=120)
@given(st.integers(0, 10_000), MESSAGES, MESSAGES, FAULTS, FAULTS, WINDOWS, st.booleans())
def test_our_end_with_our_end(
    seed: int,
    there: list[int],
    back: list[int],
    faults: dict[str, float],
    returning: dict[str, float],
    window: int,
    ordered: bool,
) -> None:
    world, random = World(), Random(seed)
    # A checksum of zero is agreed only above DTLS, which lets nothing corrupted through.
    options = {"ordered": ordered, "zero_checksum": not (faults["corrupt"] or returning["corrupt"])}
    limits = EngineConfig(max_reassembly=window, max_early=2 * window)
    left = OurEnd(world, wire(world, random, faults), 1, limits=limits, config=PATIENT, **options)
    right = OurEnd(world, wire(world, random, returning), 2, limits=limits, config=PATIENT, **options)
    join(world, left, right)
    sent, answered = content(seed, there), content(~seed, back)
    exchange(world, left, right, sent, answered)
    compare(right.messages, sent, ordered)
    compare(left.messages, answered, ordered)
    for end in (left, right):
        assert end.association._receiver.held == 0
        assert end.association._sender._in_flight == 0
        assert not end.association._sender._again or all(c.state >= 2 for c in end.association._sender._again)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), MESSAGES, MESSAGES, FAULTS, FAULTS, st.booleans())
def test_our_end_with_stock_aiortc(
    seed: int, there: list[int], back: list[int], faults: dict[str, float], returning: dict[str, float], ordered: bool
) -> None:
    world, random = World(), Random(seed)
    with aiortc_in(world):
        # aiortc takes a late copy of INIT for a new beginning, and loses its way where TSNs wrap.
        left = OurEnd(world, Wire(world, random), 1, config=PATIENT, tsn=1, ordered=ordered)
        right = StockEnd(world, Wire(world, random), "server", ordered=ordered)
        join(world, left, right)
        world.rest(1)
        left.wire.suffer(**faults)
        right.wire.suffer(**returning)
        sent, answered = content(seed, there), content(~seed, back)
        exchange(world, left, right, sent, answered)
        world.rest(5)
        compare(right.messages, sent, ordered)
        compare(left.messages, answered, ordered)


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.2])
def test_only_what_is_missing_is_sent_again(loss: float) -> None:
    world, random = World(), Random(4)
    left = OurEnd(world, Wire(world, random, delay=0.02, rate=5e6, queue=1 << 20), 1)
    right = OurEnd(world, Wire(world, random, delay=0.02), 2)
    join(world, left, right)
    left.wire.loss = loss
    sent = content(1, [16_000] * 200)
    exchange(world, left, right, sent, [])
    compare(right.messages, sent, ordered=False)
    carried, lost = data_chunks(left.wire.carried), data_chunks(left.wire.lost)
    again = sum(size for _, size in carried) - sum(map(len, sent))
    # Beside what was lost, only questions about the tail, and what a timeout takes for lost after silence.
    assert again <= sum(size for _, size in lost) + 20 * 1200
    assert len(lost) > 10


def test_nothing_is_sent_again_on_a_clean_path() -> None:
    world, random = World(), Random(5)
    left = OurEnd(world, Wire(world, random, delay=0.05, rate=20e6), 1)
    right = OurEnd(world, Wire(world, random, delay=0.05), 2)
    join(world, left, right)
    exchange(world, left, right, content(1, [30_000] * 100), [])
    carried = data_chunks(left.wire.carried)
    assert len(carried) == len({tsn for tsn, _ in carried})
