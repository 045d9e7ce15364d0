"""The association: what it carries, and what a hostile far end cannot make it hold, compute or raise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from struct import pack

import pytest
from aiortc.rtcsctptransport import USERDATA_MAX_LENGTH
from hypothesis import given, settings
from hypothesis import strategies as st

from mayfly.config import EngineConfig
from mayfly.sctp import endings
from support.chunks import CHUNKS, HOSTILE, raw_chunk
from support.stock_sctp import SctpEnd, data_chunk, joined, settle

LIMITS = EngineConfig(max_message=64 * 1024, max_reassembly=128 * 1024, max_ahead=256)
FIRST, LAST, MIDDLE = 0x06, 0x05, 0x04

Pair = tuple[SctpEnd, SctpEnd]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    left, right = await joined(LIMITS)
    yield left, right
    await left.sctp.stop()
    await right.sctp.stop()


def following(end: SctpEnd) -> int:
    """The TSN that an end expects next."""
    return (end.sctp._received() + 1) % 2**32


async def test_messages_of_every_size(pair: Pair) -> None:
    left, right = pair
    sent = [b"", b"x", bytes(1172), bytes(1173), bytes(64 * 1024)]
    for message in sent:
        left.sctp.send_message(message)
    await settle(left, right)
    assert right.messages == sent and left.progress > 0
    assert left.sctp.unsent == 0 and not left.sctp.unacknowledged


async def test_unsent_counts_the_message_that_is_half_in_packets(pair: Pair) -> None:
    left, right = pair
    left.sctp.send_message(bytes(60_000))
    on_the_way = sum(len(chunk.user_data) for chunk in left.sctp._sent_queue)
    assert 0 < on_the_way < 60_000
    assert left.sctp.unsent == 60_000 - on_the_way
    left.sctp.send_message(bytes(10))
    assert left.sctp.unsent == 60_010 - on_the_way
    await settle(left, right)
    assert left.sctp.unsent == 0


async def test_the_far_ends_window_bounds_what_is_in_flight(pair: Pair) -> None:
    left, right = pair
    most = 0
    for _ in range(40):
        left.sctp.send_message(bytes(64 * 1024))
    for _ in range(200):
        most = max(most, left.sctp._flight_size)
        await asyncio.sleep(0)
        for source, target in ((left, right), (right, left)):
            for _ in range(min(len(source.dtls.out), 20)):
                await target.take(source.dtls.out.popleft())
    await settle(left, right)
    assert len(right.messages) == 40
    assert 64 * 1024 < most <= LIMITS.max_reassembly + USERDATA_MAX_LENGTH


async def test_a_closed_window_lets_one_packet_through_at_a_time(pair: Pair) -> None:
    left, right = pair
    left.sctp._window = 0
    left.sctp.send_message(bytes(5000))
    assert len(left.sctp._sent_queue) == 1
    await settle(left, right)
    assert right.messages == [bytes(5000)]


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("seed", range(3))
async def test_loss_is_repaired_within_the_limits(ordered: bool, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiortc.rtcsctptransport.SCTP_RTO_MIN", 0.01)
    left, right = await joined(LIMITS, ordered=ordered)
    left.sctp._rto = 0.01
    chance = Random(seed)
    sent = [index.to_bytes(2, "big") * 2000 for index in range(60)]
    for message in sent:
        left.sctp.send_message(message)
    async with asyncio.timeout(20):
        while left.sctp.unacknowledged:
            await settle(left, right, lambda _: chance.random() > 0.1)
            await asyncio.sleep(0.005)
    assert (right.messages if ordered else sorted(right.messages)) == sent
    assert left.reasons == right.reasons == []
    await left.sctp.stop()
    await right.sctp.stop()


async def test_endless_fragments_end_the_link_at_the_message_limit(pair: Pair) -> None:
    left, _ = pair
    tsn, packets = following(left), 0
    await left.take(left.forge(data_chunk(tsn, bytes(1000), flags=FIRST)))
    while not left.reasons and packets < 10_000:
        packets += 1
        await left.take(left.forge(data_chunk(tsn + packets, bytes(1000), flags=MIDDLE)))
    assert left.reasons == [endings.TOO_BIG]
    assert packets * 1000 <= LIMITS.max_reassembly + LIMITS.max_message + 2000


async def test_endless_tiny_fragments_end_the_link_by_their_number(pair: Pair) -> None:
    left, _ = pair
    tsn, packets = following(left), 0
    await left.take(left.forge(data_chunk(tsn, b"x", flags=FIRST)))
    while not left.reasons and packets < 10_000:
        packets += 1
        await left.take(left.forge(data_chunk(tsn + packets, b"x", flags=MIDDLE)))
    assert left.reasons == [endings.TOO_BIG]
    assert packets <= LIMITS.max_ahead + LIMITS.max_message // 256 + 1


async def test_a_finished_message_above_the_limit_ends_the_link(pair: Pair) -> None:
    left, _ = pair
    tsn = following(left)
    for index in range(66):
        flags = FIRST if index == 0 else LAST if index == 65 else MIDDLE
        await left.take(left.forge(data_chunk(tsn + index, bytes(1000), flags=flags)))
    assert left.reasons == [endings.TOO_BIG] and left.messages == []


async def test_what_overtakes_a_gap_is_held_up_to_the_window_and_then_dropped(pair: Pair) -> None:
    left, _ = pair
    tsn = following(left)
    for index in range(1, 5000):
        await left.take(left.forge(data_chunk(tsn + index, bytes(1000), flags=MIDDLE)))
    stream = left.sctp._inbound_streams[0]
    assert left.reasons == []
    assert sum(len(chunk.user_data) for chunk in stream.reassembly) <= LIMITS.max_reassembly + 1000
    assert len(left.sctp._sack_misordered) <= LIMITS.max_ahead
    assert all(len(packet) < 1200 for packet in left.dtls.out)


async def test_scattered_gaps_are_reported_in_one_packet(pair: Pair) -> None:
    left, _ = pair
    tsn = following(left)
    for index in range(2, 256, 2):
        await left.take(left.forge(data_chunk(tsn + index, b"x" * 10)))
    for index in range(2, 256, 2):
        await left.take(left.forge(*[data_chunk(tsn + index, b"x" * 10)] * 20))
    assert left.reasons == [] and len(left.messages) == 127
    assert all(len(packet) < 1200 for packet in left.dtls.out)


async def test_a_block_that_acknowledges_all_numbers_costs_nothing(pair: Pair) -> None:
    left, right = pair
    left.sctp.send_message(bytes(5000))
    cumulative = left.sctp._last_sacked_tsn
    blocks = pack("!HH", 1, 65535) * 280
    body = pack("!LLHH", cumulative, 100_000, 280, 0) + blocks
    async with asyncio.timeout(1):
        for _ in range(100):
            await left.take(left.forge(raw_chunk(3, body)))
    assert left.reasons == []
    await settle(left, right)


async def test_acknowledging_what_was_never_sent_ends_the_link(pair: Pair) -> None:
    left, _ = pair
    await left.take(left.forge(raw_chunk(3, pack("!LLHH", (left.sctp._local_tsn + 5) % 2**32, 1000, 0, 0))))
    assert left.reasons == [endings.UNACKNOWLEDGED]


BROKEN = {
    **HOSTILE,
    "INIT with company": (raw_chunk(1, bytes(16)) + raw_chunk(11, b""), endings.MALFORMED),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_rules_end_the_link_with_one_reason(pair: Pair, name: str) -> None:
    left, _ = pair
    chunk, reason = BROKEN[name]
    await left.take(left.forge(chunk, tag=0 if "INIT" in name else None))
    assert left.reasons == [reason]
    await left.take(left.forge(data_chunk(following(left), b"after the end")))
    assert left.messages == []


async def test_a_reset_of_the_channel_is_a_close(pair: Pair) -> None:
    left, _ = pair
    request = pack("!HHLLLH", 13, 18, 77, 0, left.sctp._received(), 0)
    await left.take(left.forge(raw_chunk(130, request)))
    await left.take(left.forge(data_chunk(following(left), b"after the end")))
    assert left.reasons == [endings.CLOSED] and left.messages == []


@pytest.mark.parametrize(
    ("chunk", "reason"),
    [
        (data_chunk(0, b"x", stream=7), endings.FOREIGN_CHANNEL),
        (data_chunk(0, b"text", kind=51), endings.NOT_BINARY),
        (data_chunk(0, b"\x00", kind=56), endings.NOT_BINARY),
        (data_chunk(0, bytes(12), kind=50), endings.NOT_BINARY),
        (data_chunk(0, b"\x03", kind=50), endings.NOT_BINARY),
        (data_chunk(0, b"?", kind=99), endings.NOT_BINARY),
    ],
)
async def test_only_binary_messages_on_the_one_channel(pair: Pair, chunk: object, reason: str) -> None:
    left, _ = pair
    chunk.tsn = following(left)  # type: ignore[attr-defined]
    await left.take(left.forge(chunk))  # type: ignore[arg-type]
    assert left.reasons == [reason]
    assert left.messages == []


async def test_a_late_init_does_not_start_the_association_over(pair: Pair) -> None:
    left, right = pair
    right.sctp.send_message(b"before")
    await settle(left, right)
    await left.take(left.forge(raw_chunk(1, pack("!LLHHL", 1, 1000, 1, 1, 5)), tag=0))
    right.sctp.send_message(b"after")
    await settle(left, right)
    assert left.messages == [b"before", b"after"] and left.reasons == []


async def test_data_before_the_association_is_dropped() -> None:
    left = SctpEnd("client", LIMITS)
    await left.sctp.open()
    await left.take(left.forge(data_chunk(1, b"x")))
    await left.take(left.forge(raw_chunk(3, pack("!LLHH", 1, 1000, 0, 0))))
    assert (left.messages, left.reasons) == ([], [])
    await left.sctp.stop()


async def test_stopping_tells_the_far_end_and_leaves_no_timer(pair: Pair) -> None:
    left, right = pair
    left.sctp.send_message(bytes(50_000))
    await left.sctp.stop()
    await settle(left, right)
    assert right.reasons == [endings.CLOSED]
    for end in pair:
        assert (end.sctp._t1_handle, end.sctp._t2_handle, end.sctp._t3_handle) == (None, None, None)
    left.sctp.send_message(b"too late")
    assert not left.dtls.out


async def test_a_broken_dtls_is_told_and_raises_nothing(pair: Pair) -> None:
    left, _ = pair
    left.dtls.broken = True
    left.sctp.send_message(b"x")
    assert left.reasons == [endings.SEND_FAILED]


async def test_a_forged_tag_or_checksum_is_not_the_far_ends(pair: Pair) -> None:
    left, _ = pair
    good = left.forge(data_chunk(following(left), b"x"))
    await left.take(left.forge(data_chunk(following(left), b"x"), tag=1))
    await left.take(good[:8] + bytes(4) + good[12:])
    assert (left.messages, left.reasons) == ([], [])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(CHUNKS, min_size=1, max_size=3), max_size=6), st.booleans())
def test_no_packet_raises_or_fills_memory(packets: list[list[bytes]], established: bool) -> None:
    async def attack() -> None:
        if established:
            left, right = await joined(LIMITS)
        else:
            left = right = SctpEnd("client", LIMITS)
            await left.sctp.open()
        for chunks in packets:
            await left.take(left.forge(*chunks))
            await left.take(left.forge(*chunks, tag=0))
        assert len(left.sctp._inbound_streams) <= 1 and len(left.sctp._data_channels) <= 1
        assert len(left.sctp._sack_misordered) <= LIMITS.max_ahead
        await asyncio.sleep(0)
        await left.sctp.stop()
        await right.sctp.stop()

    asyncio.run(attack())
