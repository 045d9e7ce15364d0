"""Opening, closing, and what a hostile far end cannot make an association hold, compute or raise."""

from __future__ import annotations

from math import inf
from random import Random
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mayfly.config import EngineConfig, SctpConfig
from mayfly.sctp import endings
from mayfly.sctp.packet import Header
from mayfly.sctp.states import State
from mayfly.sctp.wire import chunk_at, decode_init
from support.associations import LIMITS, OurEnd, Pair, StockEnd, aiortc_in, data_chunks, ends, forge, join
from support.chunks import CHUNKS, HOSTILE, data_chunk, following, raw_chunk
from support.network import Wire, World


def kinds(packets: list[bytes]) -> list[int]:
    """The first chunk of each packet."""
    return [chunk_at(packet, 12)[0] for packet in packets]


def test_both_begin_at_once_and_open_in_two_round_trips(pair: Pair) -> None:
    left, _ = pair
    assert kinds(left.wire.carried)[:3] == [1, 2, 10]
    assert left.association.next_timeout() == inf


@pytest.mark.parametrize("lost", range(4))
def test_any_packet_of_the_opening_may_be_lost(lost: int) -> None:
    world = World()
    left, right = ends(world, limits=LIMITS)
    put, number = left.wire._put, iter(range(100))
    left.wire._put = lambda packet: put(packet) if next(number) != lost else None  # type: ignore[method-assign]
    join(world, left, right)
    left.send(b"there")
    right.send(b"back")
    assert world.run(lambda: left.idle and right.idle, 60)
    assert (left.messages, right.messages) == ([b"back"], [b"there"])


@pytest.mark.parametrize(
    ("kind", "flags", "over"),
    [(6, 1, True), (14, 1, True), (6, 0, False), (7, 1, False)],
    ids=["ABORT", "SHUTDOWN COMPLETE", "an ABORT without T", "a SHUTDOWN"],
)
def test_an_end_without_our_tag_may_end_it_with_its_own(pair: Pair, kind: int, flags: int, over: bool) -> None:
    """RFC 9260 §8.5.1."""
    left, right = pair
    reflected = Header(5000, 5000, right.association._ours.tag)
    left.take([reflected.seal(raw_chunk(kind, bytes(4), flags=flags))])
    assert left.ended == (endings.CLOSED if over else None)


def test_nobody_there_is_told_after_all_tries() -> None:
    world = World()
    left, _ = ends(world, limits=LIMITS)
    left.wire.to(left)  # its own INITs come back with a tag of zero, and open nothing
    left.wire.loss = 1.0
    left.start()
    assert world.run(lambda: left.ended is not None, 300)
    assert left.ended == endings.SILENT
    assert len(left.wire.carried) == SctpConfig().max_handshakes + 1
    assert left.association.next_timeout() == inf


def test_a_far_end_that_falls_silent_is_given_up(pair: Pair) -> None:
    left, _ = pair
    left.wire.loss = 1.0
    left.send(b"x")
    assert left.world.run(lambda: left.ended is not None, 300)
    assert left.ended == endings.SILENT


def test_checksums_are_zero_once_both_ends_agreed(pair: Pair) -> None:
    left, right = pair
    left.send(b"x")
    left.world.rest(1)
    assert right.messages == [b"x"]
    by_kind = {chunk_at(packet, 12)[0]: packet[8:12] == bytes(4) for packet in left.wire.carried}
    assert (by_kind[1], by_kind[10], by_kind[0]) == (False, False, True)


def test_the_first_window_is_the_largest(pair: Pair) -> None:
    """libwebrtc takes it for the end of its slow start, and grows by a packet a round trip from there."""
    left, _ = pair
    init = next(packet for packet in left.wire.carried if packet[12] == 1)
    _, _, begin, end = chunk_at(init, 12)
    assert decode_init(init[begin:end]).window == LIMITS.max_reassembly


def test_an_end_that_wants_checksums_gets_them() -> None:
    world = World()
    left, right = ends(world, limits=LIMITS, zero_checksum=False)
    join(world, left, right)
    left.send(b"x")
    world.rest(1)
    assert right.messages == [b"x"]
    assert all(packet[8:12] != bytes(4) for packet in left.wire.carried)


def test_a_forged_tag_or_checksum_is_not_the_far_ends(pair: Pair) -> None:
    left, _ = pair
    good = forge(left, data_chunk(following(left), b"x"))
    left.take([good[:4] + b"\0\0\0\x01" + good[8:]])
    left.take([good[:8] + b"\x01\x02\x03\x04" + good[12:]])
    left.take([b"", b"x", bytes(11)])
    assert (left.messages, left.ended) == ([], None)


BROKEN = {
    **HOSTILE,
    "a data chunk that is longer than its packet": (raw_chunk(0, bytes(20), length=400), endings.MALFORMED),
    "half a chunk header": (raw_chunk(11, b"") + b"\0\0", endings.MALFORMED),
    "INIT with a tag": (raw_chunk(1, bytes(16)), endings.MALFORMED),
    "another channel": (data_chunk(0, b"x", stream=7), endings.FOREIGN_CHANNEL),
    "text": (data_chunk(0, b"text", protocol=51), endings.NOT_BINARY),
    "empty text": (data_chunk(0, b"\0", protocol=56), endings.NOT_BINARY),
    "a channel opened": (data_chunk(0, b"\x03" + bytes(11), protocol=50), endings.NOT_BINARY),
    "another protocol": (data_chunk(0, b"?", protocol=99), endings.NOT_BINARY),
    "a message that does not begin": (data_chunk(0, b"x", flags=0x04), endings.MALFORMED),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rules_end_the_association_with_one_reason(pair: Pair, name: str) -> None:
    left, right = pair
    chunk, reason = BROKEN[name]
    if chunk[0] == 0 and len(chunk) > 16:
        chunk = chunk[:4] + pack("!L", following(left)) + chunk[8:]
    left.take([forge(left, chunk)])
    assert left.ended == reason
    left.take([forge(left, data_chunk(following(left), b"after the end"))])
    left.send(b"too late")
    left.world.rest(1)
    assert (left.messages, right.messages) == ([], [])
    assert left.association.next_timeout() == inf
    if name != "ABORT":
        assert right.ended == endings.CLOSED, "the far end is told"


def test_init_with_company_is_malformed(pair: Pair) -> None:
    left, _ = pair
    packet = forge(left, raw_chunk(1, bytes(16)), raw_chunk(11, b""))
    from mayfly.sctp.packet import Header

    left.take([Header(5000, 5000, 0).seal(packet[12:])])
    assert left.ended == endings.MALFORMED


def test_a_late_init_does_not_start_the_association_over(pair: Pair) -> None:
    left, right = pair
    init = next(packet for packet in right.wire.carried if packet[12] == 1)
    right.send(b"before")
    left.world.rest(1)
    left.take([init])
    right.send(b"after")
    left.world.rest(1)
    assert left.messages == [b"before", b"after"] and left.ended is None


def test_a_repeated_cookie_is_answered_again_and_a_wrong_one_is_not(pair: Pair) -> None:
    left, right = pair
    before = len(left.wire.carried)
    left.take([forge(left, raw_chunk(10, left.association._cookie))])
    assert kinds(left.wire.carried[before:]) == [11]
    left.take([forge(left, raw_chunk(10, b"wrong"))])
    assert len(left.wire.carried) == before + 1
    assert right.ended is None


def test_data_before_the_association_is_dropped() -> None:
    world = World()
    left, _ = ends(world, limits=LIMITS)
    left.wire.to(left)
    left.start()
    left.take([forge(left, data_chunk(1, b"x"), raw_chunk(3, pack("!LLHH", 1, 1000, 0, 0)))])
    assert (left.messages, left.ended) == ([], None)


def test_heartbeats_are_answered_and_unknown_chunks_treated_by_their_type(pair: Pair) -> None:
    left, _ = pair
    before = len(left.wire.carried)
    heartbeat = raw_chunk(4, pack("!HHL", 1, 8, 77))
    left.take([forge(left, raw_chunk(0xBF, b"skip"), raw_chunk(0xFF, b"skip and tell"), heartbeat)])
    left.take([forge(left, raw_chunk(0x3F, b"stop"), heartbeat)])
    left.take([forge(left, raw_chunk(0x7F, b"stop and tell"), heartbeat)])
    answers = b"".join(packet[12:] for packet in left.wire.carried[before:])
    told = [raw_chunk(9, pack("!HH", 6, 4 + len(c)) + c) for c in (raw_chunk(0xFF, b"skip and tell")[:17],)]
    assert answers.startswith(told[0])
    assert answers.count(raw_chunk(5, pack("!HHL", 1, 8, 77))) == 1
    assert answers.count(pack("!BB", 9, 0)) >= 2 and left.ended is None


def test_what_a_far_end_provokes_is_bounded(pair: Pair) -> None:
    left, _ = pair
    packet = forge(left, *[raw_chunk(4, pack("!HHL", 1, 8, n)) for n in range(90)])
    left.association.receive([packet] * 50, left.world.now)
    assert sum(len(p) for p in left.association.packets_to_send(left.world.now)) < 64 * 20 + 200


def test_a_reset_of_the_channel_is_a_close_and_is_answered(pair: Pair) -> None:
    left, right = pair
    before = len(left.wire.carried)
    request = pack("!HHLLLH", 13, 18, 77, 0, following(left) - 1, 0)
    left.take([forge(left, raw_chunk(130, request))])
    left.take([forge(left, data_chunk(following(left), b"after the end"))])
    assert left.ended == endings.CLOSED and left.messages == []
    assert kinds(left.wire.carried[before:]) == [130]
    # Our own half is reset in the same packet, so the far end's channel closes as well.
    left.world.rest(1)
    assert right.ended == endings.CLOSED


def test_shutdown_lets_what_was_queued_arrive() -> None:
    world = World()
    left, right = ends(world, limits=LIMITS)
    join(world, left, right)
    left.send(bytes(60_000))
    last = right.association._receiver.last
    left.take([forge(left, raw_chunk(7, pack("!L", last)))])
    assert left.association._state is State.SHUTDOWN_RECEIVED
    assert world.run(lambda: left.idle, 10)
    assert right.messages == [bytes(60_000)]
    assert kinds(left.wire.carried).count(8) == 1 and left.ended is None
    world.rest(3)
    assert kinds(left.wire.carried).count(8) >= 2, "SHUTDOWN ACK is repeated"
    left.take([forge(left, raw_chunk(14, b""))])
    assert left.ended == endings.CLOSED


def test_an_abort_of_ours_reaches_the_far_end_and_leaves_no_timer(pair: Pair) -> None:
    left, right = pair
    left.send(bytes(50_000))
    left.association.abort()
    left.pump()
    left.world.rest(1)
    assert right.ended == endings.CLOSED and left.association.next_timeout() == inf
    left.send(b"too late")
    assert left.association.packets_to_send(left.world.now) == []


@pytest.mark.parametrize("closing", ["ours", "theirs", "their channel"])
def test_closing_against_stock_aiortc(closing: str) -> None:
    world, random = World(), Random(1)
    with aiortc_in(world):
        left, right = OurEnd(world, Wire(world, random), 1), StockEnd(world, Wire(world, random), "server")
        join(world, left, right)
        right.send(b"last words")
        world.rest(1)
        if closing == "ours":
            left.association.abort()
            left.pump()
        elif closing == "theirs":
            from support.associations import run_now

            run_now(right.sctp.stop())
        else:
            right.channel.close()
        world.rest(5)
        assert left.messages == [b"last words"]
        assert left.ended == endings.CLOSED
        if closing == "their channel":
            assert right.channel.readyState == "closed"
        elif closing == "ours":
            assert right.ended == "closed"


CLOSE = st.builds(
    lambda ahead, data, flags, stream: ("data", ahead, data, flags, stream),
    st.integers(-5, 600),
    st.binary(min_size=1, max_size=20),
    st.integers(0, 15),
    st.sampled_from([0, 0, 0, 1]),
)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.lists(st.one_of(CHUNKS, CLOSE), min_size=1, max_size=3), max_size=8),
    st.booleans(),
    st.booleans(),
)
def test_no_packet_raises_or_fills_memory(
    packets: list[list[bytes | tuple[str, int, bytes, int, int]]], established: bool, partial: bool
) -> None:
    world = World()
    left, right = ends(world, limits=LIMITS, partial_reliability=partial)
    if established:
        join(world, left, right)
        left.send(bytes(3000))
    else:
        left.wire.to(left)
        left.start()
    from mayfly.sctp.packet import Header

    for chunks in packets:
        raw = [
            c if isinstance(c, bytes) else data_chunk(following(left) + c[1], c[2], flags=c[3], stream=c[4])
            for c in chunks
        ]
        left.take([forge(left, *raw)])
        left.take([Header(5000, 5000, 0).seal(b"".join(raw))])
        receiver = left.association._receiver
        assert receiver.held <= LIMITS.max_reassembly + LIMITS.max_message + 64
        assert len(receiver._ranges) <= LIMITS.max_span
    world.rest(1)


def test_acknowledging_what_was_never_sent_ends_the_association(pair: Pair) -> None:
    left, _ = pair
    tsn = left.association._sender.last_tsn
    left.take([forge(left, raw_chunk(3, pack("!LLHH", (tsn + 5) % 2**32, 1000, 0, 0)))])
    assert left.ended == endings.UNACKNOWLEDGED


def test_the_worst_case_counts_every_limit() -> None:
    small, large = EngineConfig(max_span=10), EngineConfig(max_span=10_010)
    assert large.worst_case_memory - small.worst_case_memory >= 10_000 * 100


def test_messages_leave_in_full_packets(pair: Pair) -> None:
    left, right = pair
    for _ in range(40):
        left.association.send(bytes(100))
    left.pump()
    left.world.rest(1)
    assert len(right.messages) == 40
    assert len(data_chunks(left.wire.carried)) == 40
    assert len([p for p in left.wire.carried if p[12] == 0]) == 4
