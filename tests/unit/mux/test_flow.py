"""Windows: when credit is announced, when they grow, and what the sum of them may be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import KIB, MIB, MuxConfig
from mayfly.mux.flow import ConnectionWindow, StreamWindow

CONFIG = MuxConfig()
RTT = 0.1


def window(size: int = 256 * KIB) -> tuple[StreamWindow, ConnectionWindow]:
    """A stream's window within an empty connection's."""
    connection = ConnectionWindow(CONFIG)
    connection.streams_total = size
    return StreamWindow(size), connection


def consume(stream: StreamWindow, connection: ConnectionWindow, size: int, now: float) -> bool:
    """Consume, and renew where it is worth it."""
    due = stream.consume(size, now, RTT, CONFIG.max_stream_window, connection)
    if due:
        stream.renew()
    return due


def test_credit_is_announced_once_it_is_worth_an_eighth() -> None:
    stream, connection = window(800)
    assert not consume(stream, connection, 99, 0)
    assert stream.limit == 800
    assert consume(stream, connection, 1, 0)
    assert stream.limit == 900
    assert not consume(stream, connection, 99, 0)


def test_a_fast_reader_s_window_grows_to_the_cap_and_no_further() -> None:
    stream, connection = window()
    now = 0.0
    for _ in range(20_000):
        now += 0.0001  # 16 KiB each 0.1 ms: far more than any window in one round trip
        consume(stream, connection, 16 * KIB, now)
    assert stream.size == CONFIG.max_stream_window
    assert connection.streams_total == stream.size
    assert connection.grown == stream.size - 256 * KIB
    assert stream.limit <= stream.consumed + stream.size


def test_each_round_trip_of_a_fast_reader_makes_its_window_four_times_as_large() -> None:
    """On a path that always brings as much as there is credit for, the window is at its cap after four round trips."""
    stream, connection = window(64 * KIB)
    sizes = [stream.size]
    now = 10.0  # it waited for its first bytes, which is nothing that the reader did
    for _ in range(4):
        arrives = stream.limit - stream.consumed
        while arrives > 0:
            piece = min(arrives, 16 * KIB)
            arrives -= piece
            consume(stream, connection, piece, now)
        sizes.append(stream.size)
        now += RTT
    assert sizes == [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB]


@given(carried=st.integers(16, 4096), pieces=st.integers(1, 64))
def test_a_window_grows_to_a_few_times_what_the_path_carries(carried: int, pieces: int) -> None:
    """`carried` KiB in a round trip, in so many pieces."""
    stream, connection = window(64 * KIB)
    for piece in range(100 * pieces):
        consume(stream, connection, carried * KIB // pieces, piece * RTT / pieces)
    assert stream.size >= min(2 * carried * KIB, CONFIG.max_stream_window)
    assert stream.size <= max(16 * carried * KIB, 64 * KIB)


def test_a_stream_that_pauses_is_judged_by_how_fast_it_reads() -> None:
    stream, connection = window(64 * KIB)
    consume(stream, connection, 32 * KIB, 100.0)
    assert stream.size == 256 * KIB
    for second in range(101, 110):
        for _ in range(8):
            consume(stream, connection, 16 * KIB, float(second))
    assert stream.size == MIB, "and a burst of 128 KiB needs no more than that"


def test_a_new_stream_starts_where_another_one_has_got_to() -> None:
    stream, connection = window(64 * KIB)
    assert connection.head_start(RTT) == 0
    for _ in range(16):
        consume(stream, connection, 16 * KIB, 1.0)
    assert connection.needed == stream.size == MIB
    assert connection.head_start(RTT) == MIB - CONFIG.initial_stream_window
    assert connection.head_start(0.019) == 0, "a near path grows windows soon enough"


def test_head_starts_leave_half_of_the_growth_to_those_who_read() -> None:
    connection = ConnectionWindow(CONFIG)
    connection.needed = CONFIG.max_stream_window
    given = []
    for _ in range(1000):
        given.append(connection.head_start(RTT))
        connection.grown += given[-1]
    assert given[:3] == [3 * MIB, 3 * MIB // 2, 3 * MIB // 4]
    assert given[-1] == 0
    assert sum(given) <= CONFIG.max_connection_window * 3 // 16
    stream = StreamWindow(64 * KIB)
    for _ in range(100):
        consume(stream, connection, 16 * KIB, 1.0)
    assert stream.size == 4 * MIB, "whoever reads still finds room"


def test_a_slow_reader_s_window_stays() -> None:
    stream, connection = window()
    for second in range(1000):
        consume(stream, connection, 64 * KIB, float(second))
    assert stream.size == 256 * KIB


def test_growth_of_all_streams_leaves_five_eighths_of_the_connection() -> None:
    connection = ConnectionWindow(CONFIG)
    streams = [StreamWindow(256 * KIB) for _ in range(64)]
    connection.streams_total = 64 * 256 * KIB
    now = 0.0
    for _ in range(300):
        for stream in streams:
            now += 0.0001
            consume(stream, connection, 128 * KIB, now)
    grown = sum(stream.size - 256 * KIB for stream in streams)
    assert grown == connection.grown
    assert connection.streams_total == sum(stream.size for stream in streams)
    assert 8 * MIB < grown <= CONFIG.max_connection_window * 3 // 8


def test_idle_streams_do_not_keep_a_busy_one_slow() -> None:
    stream, connection = window()
    connection.streams_total += 1000 * 256 * KIB
    now = 0.0
    for _ in range(4000):
        now += 0.0001
        consume(stream, connection, 16 * KIB, now)
    assert stream.size == CONFIG.max_stream_window


@given(opened=st.integers(0, 2000), consumed=st.integers(0, 1 << 40))
def test_the_connection_never_promises_more_than_its_cap(opened: int, consumed: int) -> None:
    connection = ConnectionWindow(CONFIG)
    connection.consumed = consumed
    connection.streams_total = opened * CONFIG.initial_stream_window
    limit = connection.due()
    if limit is not None:
        assert limit > connection.limit
        assert limit - consumed <= CONFIG.max_connection_window


def test_the_connection_s_credit_follows_its_streams() -> None:
    connection = ConnectionWindow(CONFIG)
    assert connection.due() is None
    connection.streams_total = 4 * 256 * KIB
    assert connection.due() == 3 * MIB
    connection.limit = 3 * MIB
    connection.streams_total = 0
    connection.consumed = MIB
    assert connection.due() is None  # what was promised stays promised, and no more
