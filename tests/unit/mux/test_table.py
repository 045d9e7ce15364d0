"""Which streams may be opened, and how stream credit comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from mayfly.mux.events import Priority
from mayfly.mux.send import SendPool
from mayfly.mux.stream import MuxStream
from mayfly.mux.table import StreamTable

CONFIG = replace(MuxConfig(), max_streams=16)


def table(*, offerer: bool = True, limit: int = 1 << 40) -> StreamTable:
    """An empty table whose peer allows that many streams."""
    made = StreamTable(CONFIG, offerer=offerer)
    made.our_limit = limit
    return made


def add(streams: StreamTable, stream_id: int) -> MuxStream:
    """An open stream of that id."""
    stream = MuxStream(stream_id, Priority.BULK, SendPool(MuxConfig()), 0, 1000)
    streams.add(stream)
    return stream


def code_of(streams: StreamTable, stream_id: int) -> ErrorCode:
    """How a frame of that stream is refused."""
    with pytest.raises(RemoteProtocolError) as caught:
        streams.must_open(stream_id)
    return caught.value.code


def test_the_offerer_s_are_even_and_the_answerer_s_odd() -> None:
    assert [table(offerer=True).next_id()] == [0]
    answerer = table(offerer=False)
    assert [answerer.next_id() for _ in range(3)] == [1, 3, 5]
    assert answerer.is_ours(7)
    assert not answerer.is_ours(8)


def test_the_peer_s_limit_is_kept() -> None:
    streams = table(limit=2)
    streams.next_id()
    streams.next_id()
    assert not streams.can_open
    with pytest.raises(LocalProtocolError) as caught:
        streams.next_id()
    assert caught.value.code is ErrorCode.STREAM_LIMIT_ERROR
    streams.our_limit = 3
    assert streams.next_id() == 4


def test_a_peer_that_lets_no_stream_end_does_not_make_the_table_grow() -> None:
    streams = table()
    opened = [add(streams, streams.next_id()) for _ in range(CONFIG.max_streams)]
    assert [streams.can_open, streams.has_room_again()] == [False, False]
    streams.remove(opened[3])
    assert streams.can_open
    assert streams.has_room_again()
    assert not streams.has_room_again()  # said once
    streams.remove(opened[4])
    assert not streams.has_room_again()


def test_require_names_the_stream() -> None:
    streams = table()
    with pytest.raises(LocalProtocolError, match="stream 6 is not open"):
        streams.require(6)
    stream = add(streams, 6)
    assert streams.require(6) is stream


def test_peer_streams_open_in_any_order_once() -> None:
    streams = table()
    for stream_id in (7, 1, 5, 3):
        assert streams.must_open(stream_id)
        assert not streams.must_open(stream_id)
    assert streams.must_open(9)


def test_streams_that_cannot_be() -> None:
    streams = table()
    assert code_of(streams, 0) is ErrorCode.STREAM_STATE_ERROR
    assert code_of(streams, 2 * CONFIG.max_streams + 1) is ErrorCode.STREAM_LIMIT_ERROR
    assert code_of(streams, (1 << 62) - 1) is ErrorCode.STREAM_LIMIT_ERROR
    streams.next_id()
    assert not streams.must_open(0)  # ours, and closed
    assert streams.must_open(2 * CONFIG.max_streams - 1)


def test_stream_credit_comes_back_in_eighths() -> None:
    streams = table()
    limits: list[int | None] = []
    for number in range(4):
        assert streams.must_open(2 * number + 1)
        streams.remove(add(streams, 2 * number + 1))
        limit = streams.due_limit()
        limits.append(limit)
        if limit is not None:
            streams.peer_limit = limit
    assert limits == [None, 18, None, 20]
    assert len(streams) == 0


def test_our_own_streams_give_the_peer_no_credit() -> None:
    streams = table()
    for _ in range(40):
        streams.remove(add(streams, streams.next_id()))
    assert streams.due_limit() is None


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=100))
def test_what_a_peer_makes_it_remember_is_bounded(frames: list[tuple[int, bool]]) -> None:
    streams = table()
    opened: dict[int, MuxStream] = {}
    ever: set[int] = set()
    for number, close in frames:
        stream_id = 2 * number + 1
        try:
            new = streams.must_open(stream_id)
        except RemoteProtocolError:
            assert number >= streams.peer_limit
            continue
        assert new == (stream_id not in ever)
        if new:
            ever.add(stream_id)
            opened[stream_id] = add(streams, stream_id)
        if close and stream_id in opened:
            streams.remove(opened.pop(stream_id))
            streams.peer_limit = streams.due_limit() or streams.peer_limit
        assert len(streams) + len(streams._due) <= CONFIG.max_streams


def test_streams_of_the_chat_do_not_make_it_busy() -> None:
    streams = table()
    stream = add(streams, streams.next_id())
    assert streams.busy == 1
    for _ in range(2):
        streams.set_priority(stream.id, Priority.CHAT)
    assert (len(streams), streams.busy) == (1, 0)
    streams.set_priority(stream.id, Priority.BULK)
    assert streams.busy == 1
    streams.set_priority(stream.id, Priority.CHAT)
    other = add(streams, streams.next_id())
    streams.remove(stream)
    assert streams.busy == 1
    streams.remove(other)
    assert streams.busy == 0
    with pytest.raises(LocalProtocolError):
        streams.set_priority(stream.id, Priority.CHAT)
