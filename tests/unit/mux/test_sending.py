"""The sending halves: who is refused and told again, and how a half ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.config import KIB, MuxConfig
from mayfly.errors import LocalProtocolError
from mayfly.mux.events import Priority, StreamWritable
from mayfly.mux.liveness import Liveness
from mayfly.mux.outbox import Outbox
from mayfly.mux.sending import Sending
from mayfly.mux.states import Receive, Send
from mayfly.mux.stream import MuxStream
from mayfly.wire import frames as f

CONFIG = replace(
    MuxConfig(),
    usual_message=4 * KIB,
    max_message=4 * KIB,
    send_floor=4 * KIB,
    send_buffer=16 * KIB,
    send_pool=1024 * KIB,
)


class Desk:
    """The sending half with its outbox, and a peer that has given credit for everything."""

    def __init__(self) -> None:
        self.outbox = Outbox(CONFIG, Liveness(CONFIG, 0.0))
        self.outbox.allow(1 << 30)
        self.sending = Sending(CONFIG, self.outbox)

    def stream(self, number: int = 0, credit: int = 1 << 30) -> MuxStream:
        return MuxStream(number, Priority.BULK, self.sending.pool, credit, CONFIG.initial_stream_window)

    def said(self, budget: int = 1 << 20) -> list[f.Frame]:
        """What leaves now."""
        frames: list[f.Frame] = []
        for message, moved in self.outbox.messages(budget, 0.0):
            self.sending.sent(moved)
            frames += f.decode_message(message)
        return [frame for frame in frames if not isinstance(frame, f.PingFrame)]


def test_no_more_is_taken_than_there_is_room_for() -> None:
    desk = Desk()
    stream = desk.stream()
    assert desk.sending.room(stream) == 16 * KIB
    assert desk.sending.write(stream, bytes(20 * KIB)) == 16 * KIB == stream.outgoing.size
    assert desk.sending.write(stream, b"more") == desk.sending.room(stream) == 0


@pytest.mark.parametrize("asked", ["write", "room"])
def test_who_was_refused_is_told_once_when_half_has_left(asked: str) -> None:
    desk = Desk()
    stream, other = desk.stream(), desk.stream(2)
    assert desk.sending.write(stream, bytes(16 * KIB)) == 16 * KIB
    assert desk.sending.write(other, bytes(4 * KIB)) == 4 * KIB
    assert desk.sending.room(other) > 0
    assert (desk.sending.write(stream, b"x") if asked == "write" else desk.sending.room(stream)) == 0
    desk.said(budget=1)
    assert desk.sending.writable() == [], "a quarter has left"
    desk.said()
    assert desk.sending.writable() == [StreamWritable(0)], "and not the one that was never refused"
    assert desk.sending.writable() == []


def test_who_was_refused_and_then_reset_is_not_told() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.sending.write(stream, bytes(20 * KIB))
    desk.sending.reset(stream, 7)
    assert desk.said() == [f.ResetStreamFrame(0, 7, 0)]
    assert desk.sending.writable() == []


def test_all_streams_share_the_pool_and_each_has_a_message_s_worth() -> None:
    desk = Desk()
    taken = [desk.sending.write(desk.stream(2 * number), bytes(16 * KIB)) for number in range(200)]
    assert taken[0] == 16 * KIB
    assert taken[-1] == 4 * KIB
    assert desk.sending.pool.used == sum(taken)


def test_a_single_byte_leaves() -> None:
    desk = Desk()
    assert desk.sending.write(desk.stream(), b"x") == 1
    assert desk.said() == [f.StreamFrame(0, 0, b"x", False)]


def test_the_end_comes_behind_what_was_written() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.sending.write(stream, b"words")
    desk.sending.finish(stream, ours=True)
    assert desk.said() == [f.StreamFrame(0, 0, b"words", True)]
    assert stream.send is Send.FINISHED
    with pytest.raises(LocalProtocolError):
        desk.sending.write(stream, b"more")
    desk.sending.finish(stream, ours=True)
    assert desk.said() == []


def test_a_reset_drops_what_is_unsent_and_is_said_once() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.sending.write(stream, bytes(6 * KIB))
    sent = sum(len(frame.data) for frame in desk.said(budget=1) if isinstance(frame, f.StreamFrame))
    assert 0 < sent < 6 * KIB
    desk.sending.reset(stream, 7)
    desk.sending.reset(stream, 8)
    assert desk.said() == [f.ResetStreamFrame(0, 7, sent)]
    assert desk.sending.pool.used == 0


def test_a_peer_that_wants_no_more_ends_a_half_once_and_none_that_has_ended() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.sending.write(stream, b"words")
    assert desk.sending.stop(stream, 9)
    assert not desk.sending.stop(stream, 9)
    assert desk.said() == [f.ResetStreamFrame(0, 9, 0)]
    finished = desk.stream(2)
    desk.sending.finish(finished, ours=True)
    desk.said()
    assert not desk.sending.stop(finished, 9)
    assert finished.send is Send.FINISHED


def test_credit_lets_go_on_and_older_credit_takes_nothing_back() -> None:
    desk = Desk()
    stream = desk.stream(credit=3)
    desk.sending.write(stream, b"words")
    assert [frame.data for frame in desk.said() if isinstance(frame, f.StreamFrame)] == [b"wor"]
    desk.sending.allow(stream, 2, 0)
    assert desk.said() == []
    desk.sending.allow(stream, 9, 0)
    assert desk.said() == [f.StreamFrame(0, 3, b"ds", False)]


@pytest.mark.parametrize(("received", "state"), [(5, Send.FINISHED), (6, Send.DELIVERED)])
def test_a_half_is_delivered_when_the_peer_has_read_its_end(received: int, state: Send) -> None:
    desk = Desk()
    stream = desk.stream()
    desk.sending.write(stream, b"words")
    desk.sending.finish(stream, ours=True)
    desk.said()
    desk.sending.allow(stream, 0, received)
    assert stream.send is state


def test_nobody_waits_in_a_session_that_is_over() -> None:
    desk = Desk()
    desk.sending.write(desk.stream(), bytes(20 * KIB))
    desk.said()
    desk.sending.write(desk.stream(2), bytes(20 * KIB))
    desk.sending.clear()
    desk.said()
    assert desk.sending.writable() == []


def test_an_end_that_nobody_waits_for_goes_with_the_next_message_or_when_it_is_due() -> None:
    desk = Desk()
    answered, other = desk.stream(), desk.stream(2)
    answered.receive = Receive.READ
    desk.sending.finish(answered, ours=True)
    assert desk.said() == [] and desk.outbox.due == CONFIG.report_delay
    desk.sending.write(other, b"more")
    assert desk.said() == [f.StreamFrame(2, 0, b"more"), f.StreamFrame(0, 0, b"", fin=True)]
    assert answered.send is Send.FINISHED

    late, reset = desk.stream(4), desk.stream(6)
    late.receive = reset.receive = Receive.READ
    desk.sending.finish(late, ours=True)
    desk.sending.finish(reset, ours=True)
    assert desk.said() == []
    desk.sending.reset(reset, 7)
    assert desk.said() == [f.ResetStreamFrame(6, 7, 0), f.StreamFrame(4, 0, b"", fin=True)]

    alone = desk.stream(8)
    alone.receive = Receive.RESET
    desk.sending.finish(alone, ours=True)
    assert desk.said() == []
    desk.outbox.handle_timeout(desk.outbox.due)
    assert desk.said() == [f.StreamFrame(8, 0, b"", fin=True)]


@pytest.mark.parametrize(
    ("receive", "ours"),
    [(Receive.OPEN, True), (Receive.SIZE_KNOWN, True), (Receive.COMPLETE, True), (Receive.READ, False)],
)
def test_an_end_that_somebody_may_wait_for_leaves_at_once(receive: Receive, ours: bool) -> None:
    desk = Desk()
    stream = desk.stream()
    stream.receive = receive
    desk.sending.finish(stream, ours=ours)
    assert desk.said() == [f.StreamFrame(0, 0, b"", fin=True)]
