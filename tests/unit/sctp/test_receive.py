"""What is acknowledged, when, with which window; and the bounds on what is held."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import KIB, SctpConfig
from mayfly.sctp import endings
from mayfly.sctp.receive import Receiver
from mayfly.sctp.wire import Sack, chunk_at, decode_sack
from support.associations import LIMITS, OurEnd, Pair, ends, forge, join
from support.chunks import data_chunk, following
from support.network import Wire, World

BEGIN, LAST, MIDDLE = 0x06, 0x05, 0x04


def sacks(packets: list[bytes]) -> list[Sack]:
    """Those that packets begin with."""
    found = []
    for packet in packets:
        kind, _, begin, end = chunk_at(packet, 12)
        if kind == 3:
            found.append(decode_sack(packet[begin:end]))
    return found


@given(st.lists(st.integers(0, 30), max_size=60))
def test_blocks_and_the_cumulative_tsn_against_a_set(ahead: list[int]) -> None:
    receiver = Receiver(LIMITS, channel=0, partial_reliability=False)
    receiver.begin(2**32 - 5)
    receiver.set_unread(0, reading=True)
    seen: set[int] = set()
    for offset in ahead:
        receiver.data(data_chunk(2**32 - 5 + offset, b"x"), 0)
        seen.add(offset)
        cumulative = -1
        while cumulative + 1 in seen:
            cumulative += 1
        chunk = receiver.sack()
        sack = decode_sack(chunk[4:])
        assert sack.cumulative == (2**32 - 5 + cumulative) % 2**32
        told = {cumulative + n for begin, end in sack.blocks for n in range(begin, end + 1)}
        assert told == {offset for offset in seen if offset > cumulative}
    assert len(receiver.messages) == len(seen)
    assert receiver.held == 0


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.randoms(use_true_random=False), st.booleans())
def test_fragments_in_any_order_are_their_messages(sizes: list[int], random: Random, ordered: bool) -> None:
    receiver = Receiver(LIMITS, channel=0, partial_reliability=False)
    receiver.begin(0)
    receiver.set_unread(0, reading=True)
    chunks, tsn = list[bytes](), 0
    for number, size in enumerate(sizes):
        for at in range(size):
            flags = (0 if ordered else 4) | (2 if at == 0 else 0) | (1 if at == size - 1 else 0)
            chunks.append(data_chunk(tsn, bytes([number, at]), flags=flags, sequence=number if ordered else 0))
            tsn += 1
    random.shuffle(chunks)
    for chunk in chunks:
        receiver.data(chunk, 0)
    expected = [b"".join(bytes([n, at]) for at in range(size)) for n, size in enumerate(sizes)]
    assert (receiver.messages if ordered else sorted(receiver.messages)) == expected
    assert receiver.held == 0 and receiver.last == tsn - 1 and receiver._straight


@pytest.mark.parametrize(("ordered", "given"), [(False, [b"second"]), (True, [])])
def test_a_message_behind_a_lost_one_is_given_at_once_where_the_order_is_nobody_s(
    ordered: bool, given: list[bytes]
) -> None:
    receiver = Receiver(LIMITS, channel=0, partial_reliability=False)
    receiver.begin(0)
    receiver.set_unread(0, reading=True)
    flags = 3 if ordered else 7
    receiver.data(data_chunk(1, b"second", flags=flags, sequence=1 if ordered else 0), 0)
    assert receiver.messages == given
    receiver.data(data_chunk(0, b"first", flags=flags, sequence=0), 0)
    assert sorted(receiver.messages) == [b"first", b"second"]


def all_sacks(packets: list[bytes]) -> list[Sack]:
    """Every one in packets that hold nothing else."""
    found = []
    for packet in packets:
        position = 12
        while position < len(packet):
            kind, _, begin, end = chunk_at(packet, position)
            assert kind == 3
            found.append(decode_sack(packet[begin:end]))
            position = end
    return found


@pytest.fixture
def ours() -> OurEnd:
    """One of two ends of our kind, told so by the other's INIT."""
    world = World()
    left, right = ends(world, limits=LIMITS, config=SctpConfig(packet_sizes=(1352,)))
    join(world, left, right)
    world.rest(10)
    return right


def test_one_sack_answers_all_that_arrived_together_from_our_kind(ours: OurEnd) -> None:
    right = ours
    before = len(right.wire.carried)
    right.take([forge(right, data_chunk(following(right) + n, bytes(200))) for n in range(9)])
    assert [sack.cumulative for sack in all_sacks(right.wire.carried[before:])] == [following(right) - 1]


def test_other_kinds_get_a_sack_for_every_second_packet(pair: Pair) -> None:
    """Each lets dcSCTP, usrsctp and aiortc send four packets more: with one for all, four stay in flight for ever."""
    _, right = pair
    before, first = len(right.wire.carried), following(right)
    right.take([forge(right, data_chunk(first + n, bytes(1000))) for n in range(9)])
    told = all_sacks(right.wire.carried[before:])
    assert len(right.wire.carried) == before + 1
    assert [(sack.cumulative - first) % 2**32 for sack in told] == [1, 3, 5, 7, 8]


@pytest.mark.parametrize("step", [1, 2, 100], ids=["in a row", "gaps", "few packets in a row, then many gaps"])
def test_the_sacks_of_a_flood_fit_one_packet(pair: Pair, step: int) -> None:
    _, right = pair
    before, first = len(right.wire.carried), following(right)
    offsets = [n if n < step else step + 2 * (n - step) for n in range(250)] if step == 100 else range(0, 250, step)
    right.take([forge(right, *[data_chunk(first + n, bytes(700))] * 2) for n in offsets])
    (packet,) = right.wire.carried[before:]
    assert len(packet) <= SctpConfig().base_packet
    assert (all_sacks([packet])[-1].cumulative - first) % 2**32 == right.association._receiver._cumulative


def test_a_single_packet_is_acknowledged_a_little_later_and_a_second_full_one_at_once(pair: Pair) -> None:
    left, right = pair
    delay = SctpConfig().sack_delay
    before = len(right.wire.carried)
    right.take([forge(right, data_chunk(following(right), b"one"))])
    assert sacks(right.wire.carried[before:]) == []
    right.world.rest(delay + 0.001)
    assert len(sacks(right.wire.carried[before:])) == 1
    right.take([forge(right, data_chunk(following(right), bytes(1000)))])
    right.take([forge(right, data_chunk(following(right), bytes(1000)))])
    assert len(sacks(right.wire.carried[before:])) == 2
    left.world.rest(1)
    assert len(sacks(right.wire.carried[before:])) == 2, "no timer is left that tells nothing new"


@pytest.mark.parametrize(
    ("chunk", "why"),
    [
        (lambda end: data_chunk(following(end) + 1, b"x"), "a gap"),
        (lambda end: data_chunk(following(end) - 1, b"x"), "a copy"),
        (lambda end: data_chunk(following(end), b"x", flags=0x0F), "the sender asks for it (RFC 7053)"),
    ],
)
def test_some_packets_are_acknowledged_at_once(pair: Pair, chunk: object, why: str) -> None:
    _, right = pair
    before = len(right.wire.carried)
    right.take([forge(right, chunk(right))])  # type: ignore[operator]
    assert len(sacks(right.wire.carried[before:])) == 1, why


def test_a_sack_rides_on_data(pair: Pair) -> None:
    _, right = pair
    before = len(right.wire.carried)
    right.take([forge(right, data_chunk(following(right), b"question"))])
    right.send(b"answer")
    (packet,) = right.wire.carried[before:]
    assert chunk_at(packet, 12)[0] == 3 and chunk_at(packet, 28)[0] == 0


def test_small_packets_wait_together_but_no_longer_than_the_first_of_them(ours: OurEnd) -> None:
    right = ours
    delay = SctpConfig().sack_delay
    before = len(right.wire.carried)
    for _ in range(4):
        right.take([forge(right, data_chunk(following(right), b"small"))])
        right.world.rest(delay / 5)
    assert sacks(right.wire.carried[before:]) == []
    right.world.rest(delay / 5 + 0.001)
    assert len(sacks(right.wire.carried[before:])) == 1


def test_the_window_is_what_nobody_has_taken_and_opens_again() -> None:
    world, random = World(), Random(1)
    limits = replace(LIMITS, max_early=64 * KIB)
    left = OurEnd(world, Wire(world, random), 1, limits=limits)
    right = OurEnd(world, Wire(world, random), 2, limits=limits, reading=False)
    left.wire.to(right)
    right.wire.to(left)
    taken = right.take

    def take(packets: list[bytes]) -> None:
        taken(packets)
        right.association.set_unread(right.received_bytes, reading=False)

    right.take = take  # type: ignore[method-assign]
    left.start()
    right.start()
    for _ in range(30):
        left.send(bytes(10_000))
    world.rest(120)
    assert 20_000 <= right.received_bytes <= 32 * KIB + 10_000
    assert left.ended is None and not left.idle, "the sender waits, and asks from time to time"
    right.take = taken  # type: ignore[method-assign]
    right.association.set_unread(0, reading=True)
    right.pump()
    assert world.run(lambda: left.idle, 30)
    assert len(right.messages) == 30


def test_endless_fragments_end_the_link_at_the_message_limit(pair: Pair) -> None:
    left, _ = pair
    tsn, packets = following(left), 0
    left.take([forge(left, data_chunk(tsn, bytes(1000), flags=BEGIN))])
    while left.ended is None and packets < 10_000:
        packets += 1
        left.take([forge(left, data_chunk(tsn + packets, bytes(1000), flags=MIDDLE))])
    assert left.ended == endings.TOO_BIG
    assert packets * 1000 <= LIMITS.max_message + 2000


def test_endless_tiny_fragments_end_the_link_by_their_number(pair: Pair) -> None:
    left, _ = pair
    tsn, packets = following(left), 0
    left.take([forge(left, data_chunk(tsn, b"x", flags=BEGIN))])
    while left.ended is None and packets < 10_000:
        packets += 1
        left.take([forge(left, data_chunk(tsn + packets, b"x", flags=MIDDLE))])
    assert left.ended == endings.TOO_BIG
    assert packets <= LIMITS.max_ahead + LIMITS.max_message // 256 + 1


@pytest.mark.parametrize("overtaken", [False, True])
def test_a_finished_message_above_the_limit_ends_the_link(pair: Pair, overtaken: bool) -> None:
    left, _ = pair
    tsn = following(left)
    indices = range(65, -1, -1) if overtaken else range(66)
    for index in indices:
        flags = BEGIN if index == 0 else LAST if index == 65 else MIDDLE
        left.take([forge(left, data_chunk(tsn + index, bytes(1000), flags=flags))])
    assert left.ended == endings.TOO_BIG and left.messages == []


@pytest.mark.parametrize("flags", [0x07, 0x03], ids=["unordered", "ordered"])
def test_a_message_of_one_chunk_above_the_limit_ends_the_link(flags: int) -> None:
    receiver = Receiver(replace(LIMITS, max_message=100), channel=0, partial_reliability=False)
    receiver.begin(0)
    receiver.data(data_chunk(0, bytes(100), flags=flags), 0)
    assert receiver.messages == [bytes(100)]
    with pytest.raises(endings.BrokenRuleError) as caught:
        receiver.data(data_chunk(1, bytes(101), flags=flags, sequence=1), 0)
    assert caught.value.reason == endings.TOO_BIG


def test_a_chunk_without_data_is_malformed_wherever_it_stands() -> None:
    for packet in (data_chunk(0, b""), data_chunk(0, b"") + data_chunk(1, b"x")):
        receiver = Receiver(LIMITS, channel=0, partial_reliability=False)
        receiver.begin(0)
        with pytest.raises(endings.BrokenRuleError) as caught:
            receiver.data(packet, 0)
        assert caught.value.reason == endings.MALFORMED


def test_fragments_make_a_message_up_to_the_limit() -> None:
    receiver = Receiver(replace(LIMITS, max_message=100), channel=0, partial_reliability=False)
    receiver.begin(0)
    receiver.data(data_chunk(0, bytes(60), flags=BEGIN), 0)
    receiver.data(data_chunk(1, bytes(40), flags=LAST), 0)
    assert receiver.messages == [bytes(100)]
    receiver.data(data_chunk(2, bytes(60), flags=BEGIN), 0)
    with pytest.raises(endings.BrokenRuleError):
        receiver.data(data_chunk(3, bytes(41), flags=LAST), 0)


def test_what_overtakes_a_gap_is_held_up_to_the_window_and_then_dropped(pair: Pair) -> None:
    left, _ = pair
    tsn, receiver = following(left), left.association._receiver
    for index in range(1, 5000):
        left.take([forge(left, data_chunk(tsn + index, bytes(1000), flags=MIDDLE))])
        if left.ended:
            break
    assert left.ended == endings.TOO_BIG, "fragments that belong together cannot be longer than a message"
    assert receiver.held <= LIMITS.max_message + 1000


def test_separate_pieces_beyond_a_gap_are_dropped_at_the_limits(pair: Pair) -> None:
    left, _ = pair
    tsn, receiver = following(left), left.association._receiver
    for index in range(1, 2000):
        left.take([forge(left, data_chunk(tsn + index, bytes(1000), flags=BEGIN))])
    assert left.ended is None
    assert receiver.held <= LIMITS.max_reassembly + 1000
    assert receiver.window == 0
    assert all(len(packet) <= SctpConfig().base_packet for packet in left.wire.carried)
    # What is missing still comes in, or nothing would ever move.
    left.take([forge(left, data_chunk(tsn, b"x"))])
    assert left.messages == [b"x"]


def test_ordered_messages_kept_back_are_bounded(pair: Pair) -> None:
    left, _ = pair
    tsn = following(left)
    for index in range(400):
        left.take([forge(left, data_chunk(tsn + index, bytes(1000), flags=3, sequence=index + 1))])
    receiver = left.association._receiver
    assert left.ended == endings.TOO_BIG and left.messages == []
    assert receiver.held <= LIMITS.max_reassembly + LIMITS.max_message + 1000


def test_scattered_gaps_are_reported_in_one_packet(pair: Pair) -> None:
    left, _ = pair
    tsn = following(left)
    for index in range(2, 1024, 2):
        left.take([forge(left, *[data_chunk(tsn + index, b"x" * 10)] * 20)])
    assert left.ended is None and len(left.messages) == LIMITS.max_span // 2
    assert all(len(packet) <= SctpConfig().base_packet for packet in left.wire.carried)
    assert len(sacks(left.wire.carried)[-1].blocks) == 256
