"""What waits for the stream: control first, data that can be held, whole records always."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly.files import records as r
from mayfly.files.outbox import Outbox
from mayfly.files.reader import RecordReader


def test_control_goes_first_and_data_can_be_held() -> None:
    outbox = Outbox()
    outbox.data(r.Finished().encode())
    outbox.control(r.Pause())
    assert outbox.size == 2
    assert outbox.take(1000, held=True) == [r.Pause().encode()]
    assert outbox.take(1000, held=True) == []
    assert outbox.take(1000, held=False) == [r.Finished().encode()]
    assert (outbox.size, outbox.take(1000, held=False)) == (0, [])


def test_small_records_are_joined_and_large_ones_are_not_copied() -> None:
    outbox = Outbox()
    for _ in range(1000):
        outbox.data(r.File(1, 0).encode(), r.chunk_head(3), b"abc")
    large = memoryview(bytes(r.MAX_CHUNK))
    outbox.data(r.chunk_head(len(large)), large)
    taken = outbox.take(1 << 30, held=False)
    assert len(taken) == 3
    assert taken[-1] is large


def test_dropped_data_are_gone_and_control_is_not() -> None:
    outbox = Outbox()
    outbox.data(b"x" * 100_000)
    outbox.control(r.Cancel(r.Reason.USER))
    outbox.drop_data()
    assert outbox.size == 0
    assert outbox.take(1000, held=False) == [r.Cancel(r.Reason.USER).encode()]


@given(
    sizes=st.lists(st.integers(1, 40_000), max_size=12),
    limits=st.lists(st.integers(1, 100_000), min_size=1, max_size=5),
)
def test_control_never_cuts_a_record(sizes: list[int], limits: list[int]) -> None:
    outbox, reader = Outbox(), RecordReader()
    for size in sizes:
        outbox.data(r.chunk_head(size), bytes(size))
    total = turn = pauses = 0
    while True:
        outbox.control(r.Pause())
        taken = outbox.take(limits[turn % len(limits)], held=False)
        turn += 1
        for record in reader.feed(b"".join(taken)):
            total += len(record.data) if isinstance(record, r.Chunk) else 0
            pauses += record == r.Pause()
        assert pauses == turn
        if len(taken) == 1:
            break
    assert total == sum(sizes)
