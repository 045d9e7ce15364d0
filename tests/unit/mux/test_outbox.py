"""Messages built from what waits: sizes, order, budget, and what newer frames replace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import KIB, MuxConfig
from mayfly.mux.events import Priority
from mayfly.mux.liveness import Liveness
from mayfly.mux.outbox import Outbox
from mayfly.mux.restraint import LEAST, Restraint
from mayfly.mux.send import SendPool
from mayfly.mux.states import SendStep
from mayfly.mux.stream import MuxStream
from mayfly.wire import frames as f

CONFIG = replace(MuxConfig(), usual_message=2 * KIB, max_message=6 * KIB)


def outbox(credit: int = 1 << 30) -> Outbox:
    """An empty one with that much of the peer's credit."""
    made = Outbox(CONFIG, Liveness(CONFIG, 0.0))
    made.allow(credit)
    return made


def stream(box: Outbox, number: int, size: int, *, credit: int = 1 << 30, fin: bool = False) -> MuxStream:
    """A stream with bytes to send, scheduled."""
    made = MuxStream(number, Priority.BULK, SendPool(MuxConfig()), credit, 1000)
    if size:
        made.outgoing.append(bytes(size))
    if fin:
        made.step_send(SendStep.FINISH)
    box.scheduler.add(made)
    return made


def sent(box: Outbox, budget: int = 1 << 30) -> list[list[f.Frame]]:
    """The frames of each message."""
    return [list(f.decode_message(message)) for message, _ in box.messages(budget, 1.0)]


def flat(box: Outbox, budget: int = 1 << 30) -> Iterator[f.Frame]:
    """The frames of all messages."""
    return (frame for message in sent(box, budget) for frame in message)


def test_nothing_waits_nothing_goes() -> None:
    assert sent(outbox()) == []


def test_control_goes_first_then_datagrams_then_streams_all_in_one() -> None:
    box = outbox()
    stream(box, 2, 5)
    box.datagram(f.DatagramFrame(2, b"d").encode())
    box.limit(f.MaxDataFrame(9))
    box.control(f.GoAwayFrame(1, b"x"))
    box.pong(bytes(8))
    assert sent(box) == [
        [
            f.PongFrame(bytes(8)),
            f.GoAwayFrame(1, b"x"),
            f.MaxDataFrame(9),
            f.DatagramFrame(2, b"d"),
            f.StreamFrame(2, 0, bytes(5)),
        ]
    ]
    assert sent(box) == []


@given(
    sizes=st.lists(st.integers(0, 6000), max_size=8),
    datagrams=st.lists(st.integers(0, CONFIG.usual_message - 16), max_size=8),
    reasons=st.integers(0, 40),
    touched=st.integers(0, 300),
    largest=st.integers(1200, 8 * KIB),
    budget=st.integers(0, 20_000),
)
def test_no_message_is_too_big_and_one_at_most_beyond_the_budget(
    sizes: list[int], datagrams: list[int], reasons: int, touched: int, largest: int, budget: int
) -> None:
    box = outbox()
    box.fit(largest)
    allowed = min(largest, max(CONFIG.usual_message, min(CONFIG.max_message, budget // 2)))
    streams = [stream(box, 4 * n, size, fin=True) for n, size in enumerate(sizes)]
    kept = [size for size in datagrams if size <= min(largest, CONFIG.usual_message) - 16]
    for size in kept:
        box.datagram(f.DatagramFrame(0, bytes(size)).encode())
    for _ in range(reasons):
        box.control(f.GoAwayFrame(1 << 40, bytes(CONFIG.max_reason)))
    for number in range(touched):
        one = MuxStream((1 << 61) + number, Priority.BULK, SendPool(MuxConfig()), 0, 1000)
        one.reset_code = one.stop_code = 1 << 60
        box.touch(one)
    first = [message for message, _ in box.messages(budget, 1.0)]
    assert all(0 < len(message) <= allowed for message in first)
    assert sum(map(len, first[:-1])) < max(budget, 1)
    frames = [frame for message in first for frame in f.decode_message(message)] + list(flat(box))
    assert sum(isinstance(frame, f.ResetStreamFrame) for frame in frames) == touched
    assert sum(isinstance(frame, f.StopSendingFrame) for frame in frames) == touched
    assert sum(isinstance(frame, f.GoAwayFrame) for frame in frames) == reasons
    assert [len(frame.data) for frame in frames if isinstance(frame, f.DatagramFrame)] == kept
    for number, one in enumerate(streams):
        mine = [frame for frame in frames if isinstance(frame, f.StreamFrame) and frame.stream_id == 4 * number]
        assert sum(len(frame.data) for frame in mine) == sizes[number] == one.sent
        assert [frame.fin for frame in mine] == [False] * (len(mine) - 1) + [True]
        assert [frame.offset for frame in mine] == [sum(len(g.data) for g in mine[:i]) for i in range(len(mine))]


def test_a_single_download_is_one_frame_a_message() -> None:
    box = outbox()
    stream(box, 0, 100 * KIB)
    messages = sent(box, 90 * KIB)
    assert all(len(message) == 1 for message in messages)
    assert all(len(frame.encode()) > CONFIG.max_message - 32 for message in messages for frame in message)


@pytest.mark.parametrize(
    ("room", "peer", "size"),
    [
        (1, 64 * KIB, CONFIG.usual_message),
        (2 * CONFIG.usual_message, 64 * KIB, CONFIG.usual_message),
        (8 * KIB, 64 * KIB, 4 * KIB),
        (2 * CONFIG.max_message, 64 * KIB, CONFIG.max_message),
        (1 << 30, 64 * KIB, CONFIG.max_message),
        (1 << 30, 3 * KIB, 3 * KIB),
        (1 << 30, 1200, 1200),
    ],
)
def test_a_message_is_half_of_the_room_within_its_bounds(room: int, peer: int, size: int) -> None:
    box = outbox()
    box.fit(peer)
    stream(box, 0, 100 * KIB)
    stream(box, 4, 100 * KIB)
    first = next(message for message, _ in box.messages(room, 1.0))
    assert size - 80 < len(first) <= size
    assert box.scheduler.quantum == size  # so that a turn is a message, and a slow link has short ones


def test_a_datagram_that_was_taken_fits_however_little_room_there_is() -> None:
    box = outbox()
    box.datagram(f.DatagramFrame(0, bytes(box.always_fits - 16)).encode())
    assert len(sent(box, 1)) == 1


def held_back() -> tuple[Outbox, Restraint]:
    """One with more to send than its restraint lets leave at once."""
    held = Restraint()
    held.measured(0.1, 0.0)
    box = Outbox(CONFIG, Liveness(CONFIG, 0.0, held))
    box.allow(1 << 30)
    stream(box, 0, 4 * LEAST)
    return box, held


def test_datagrams_do_not_wait_for_streams_that_are_held_back() -> None:
    box, held = held_back()
    for _ in range(40):
        box.datagram(f.DatagramFrame(0, bytes(1000)).encode())
    frames = list(flat(box))
    assert held.full(box.sent)
    assert sum(isinstance(frame, f.DatagramFrame) for frame in frames) == 40
    for _ in range(40):
        box.datagram(f.DatagramFrame(0, bytes(1000)).encode())
    assert sum(isinstance(frame, f.DatagramFrame) for frame in flat(box)) == 40


def test_a_ping_that_waits_is_not_asked_twice_nor_answered_twice() -> None:
    box = outbox()
    for number in range(20):
        box.ping(b"question")
        box.pong(b"the same")
        box.pong(number.to_bytes(8, "big"))
    frames = list(flat(box))
    assert [frame for frame in frames if isinstance(frame, f.PingFrame)] == [f.PingFrame(b"question")]
    assert sum(frame == f.PongFrame(b"the same") for frame in frames) == 1


def test_a_ping_whose_answer_was_dropped_is_sent_again() -> None:
    box, held = held_back()
    asked = [frame.opaque for frame in flat(box) if isinstance(frame, f.PingFrame)]
    assert held.full(box.sent)
    assert not list(box.messages(1 << 30, 1.5)), "too early"
    again = [frame for message, _ in box.messages(1 << 30, 2.5) for frame in f.decode_message(message)]
    assert again == [f.PingFrame(asked[-1])]
    held.pong(asked[-1], 2.6)
    assert any(isinstance(frame, f.StreamFrame) for frame in flat(box))


def test_newer_limits_take_the_place_of_older() -> None:
    box = outbox()
    for limit in (1, 2, 3):
        box.limit(f.MaxDataFrame(limit))
        box.limit(f.MaxStreamsFrame(10 * limit))
    assert sorted(map(str, flat(box))) == ["MaxDataFrame(limit=3)", "MaxStreamsFrame(limit=30)"]


def test_the_session_s_credit_is_kept_to_the_byte() -> None:
    box = outbox(credit=100)
    one, other = stream(box, 0, 70, fin=True), stream(box, 2, 70)
    frames = list(flat(box))
    assert one.sent + other.sent == box.sent == 100
    assert frames[-1] == f.DataBlockedFrame(100)
    assert list(flat(box)) == []
    box.allow(50)  # an older one that came late
    assert list(flat(box)) == []
    box.allow(120)
    assert list(flat(box)) == [f.StreamFrame(2, 30, bytes(20)), f.DataBlockedFrame(120)]


def test_an_end_needs_no_credit() -> None:
    box = outbox(credit=0)
    stream(box, 0, 0, credit=0, fin=True)
    assert list(flat(box)) == [f.StreamFrame(0, 0, b"", fin=True)]


def test_a_stream_s_credit_is_kept_to_the_byte_and_blocks_that_stream_alone() -> None:
    box = outbox()
    stuck, free = stream(box, 0, 70, credit=30, fin=True), stream(box, 2, 70)
    frames = list(flat(box))
    assert (stuck.sent, free.sent) == (30, 70)
    assert f.StreamDataBlockedFrame(0, 30) in frames
    box.scheduler.add(stuck)
    assert list(flat(box)) == []  # said once for each limit
    stuck.send_limit = 70
    box.scheduler.add(stuck)
    assert list(flat(box)) == [f.StreamFrame(0, 30, bytes(40), fin=True)]


def test_a_flood_of_datagrams_leaves_half_to_the_streams() -> None:
    box = outbox()
    stream(box, 0, 1 << 20)
    counts = {f.DatagramFrame: 0, f.StreamFrame: 0}
    for _ in range(200):
        for _ in range(64):
            box.datagram(f.DatagramFrame(0, bytes(1000)).encode())
        for frame in flat(box, 3000):
            if isinstance(frame, f.DatagramFrame | f.StreamFrame):
                counts[type(frame)] += len(frame.data)
    assert counts[f.StreamFrame] > 0.4 * sum(counts.values())
    assert counts[f.DatagramFrame] > 0.4 * sum(counts.values())


@pytest.mark.parametrize("credit", [0, 1 << 20])
def test_datagrams_never_wait_for_streams_that_cannot_go(credit: int) -> None:
    box = outbox(credit=credit)
    stream(box, 0, 1 << 20, credit=100)
    for _ in range(20):
        box.datagram(f.DatagramFrame(0, bytes(1000)).encode())
    assert sum(isinstance(frame, f.DatagramFrame) for frame in flat(box)) == 20


def test_the_oldest_datagram_and_pong_give_way() -> None:
    box = outbox()
    for number in range(CONFIG.max_datagrams + 5):
        box.datagram(f.DatagramFrame(0, bytes([number])).encode())
        box.pong(number.to_bytes(8, "big"))
    frames = list(flat(box))
    assert [frame.data[0] for frame in frames if isinstance(frame, f.DatagramFrame)] == list(range(5, 69))
    assert [frame.opaque[7] for frame in frames if isinstance(frame, f.PongFrame)] == list(range(61, 69))


def test_each_stream_says_its_control_frames_once_and_in_order() -> None:
    box = outbox()
    one = MuxStream(4, Priority.BULK, SendPool(MuxConfig()), 0, 1000)
    one.reset_code, one.stop_code, one.credit_due = 1, 2, True
    box.touch(one)
    box.touch(one)
    one.incoming.insert(0, b"abc")
    assert list(flat(box)) == [
        f.ResetStreamFrame(4, 1, 0),
        f.StopSendingFrame(4, 2),
        f.MaxStreamDataFrame(4, 1000, 3),
    ]
    assert list(flat(box)) == []


def test_a_busy_path_is_measured() -> None:
    liveness = Liveness(CONFIG, 0.0)
    liveness.pong(liveness.ping(0.0), 0.1)
    box = Outbox(CONFIG, liveness)
    box.allow(1 << 30)
    assert list(box.messages(9999, 10.0)) == []  # an idle one is not
    stream(box, 0, 10)
    message, _ = next(box.messages(9999, 10.0))
    assert isinstance(next(f.decode_message(message)), f.PingFrame)


def test_what_may_wait_goes_with_the_next_message_or_alone_when_it_is_due() -> None:
    box = outbox()
    read, busy = (MuxStream(number, Priority.BULK, SendPool(CONFIG), 1 << 30, 1000) for number in (0, 2))
    read.credit_due = True
    box.touch_later(read)
    assert list(box.messages(1 << 20, 1.0)) == []
    assert box.due == 1.0 + CONFIG.report_delay
    assert list(box.messages(1 << 20, box.due - 0.001)) == []
    busy.stop_code = 7
    box.touch(busy)
    ((message, moved),) = box.messages(1 << 20, box.due - 0.001)
    assert [type(frame) for frame in f.decode_message(message)] == [f.MaxStreamDataFrame, f.StopSendingFrame]
    assert moved == [read, busy]
    assert box.due == float("inf")

    read.credit_due = True
    box.touch_later(read)
    assert list(box.messages(1 << 20, 2.0)) == []
    due = box.due
    box.handle_timeout(due)
    assert box.due > due, "a timeout that stays in the past makes a driver spin"
    ((message, moved),) = box.messages(1 << 20, due)
    assert moved == [read]
    assert list(box.messages(1 << 20, due)) == []
