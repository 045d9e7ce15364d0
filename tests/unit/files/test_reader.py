"""The stream taken apart: any cut gives the same records; hostile bytes give one error and hold little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.files import records as r
from mayfly.files.fields import FilesError
from mayfly.files.reader import RecordReader
from mayfly.wire.varint import MAX_VARINT, encode_varint
from support.spoilt import spoilt
from unit.files.strategies import bodies

chunks = st.builds(r.Chunk, st.binary(min_size=1, max_size=400))


def joined(records: list[r.Record]) -> list[r.Record]:
    """Neighbouring pieces of CHUNKs put together."""
    found: list[r.Record] = []
    for record in records:
        if isinstance(record, r.Chunk) and found and isinstance(found[-1], r.Chunk):
            found[-1] = r.Chunk(bytes(found[-1].data) + bytes(record.data))
        elif isinstance(record, r.Chunk):
            found.append(r.Chunk(bytes(record.data)))
        else:
            found.append(record)
    return found


@given(sent=st.lists(bodies | chunks, max_size=8), sizes=st.lists(st.integers(1, 90), min_size=1))
def test_any_cut_gives_the_same_records(sent: list[r.Record], sizes: list[int]) -> None:
    stream = b"".join(record.encode() for record in sent)
    reader = RecordReader()
    got: list[r.Record] = []
    position = turn = 0
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        got += reader.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert joined(got) == joined(sent)


@given(data=st.lists(st.binary(max_size=60) | spoilt(bodies.map(lambda record: record.encode())), max_size=6))
def test_any_bytes_give_records_or_the_documented_error(data: list[bytes]) -> None:
    reader = RecordReader()
    try:
        for piece in data:
            list(reader.feed(piece))
    except FilesError:
        pass


def test_a_chunk_comes_in_pieces_and_without_a_copy() -> None:
    reader = RecordReader()
    stream = r.Chunk(b"a" * 1000).encode()
    first, second = stream[:600], stream[600:]
    (one,) = reader.feed(first)
    assert isinstance(one, r.Chunk)
    assert isinstance(one.data, memoryview)
    assert one.data.obj is first
    (two,) = reader.feed(second)
    assert isinstance(two, r.Chunk)
    assert (len(one.data), len(two.data)) == (597, 403)


@pytest.mark.parametrize(
    "head",
    [
        bytes((r.RecordType.ENTRY,)) + encode_varint(r.MAX_RECORD + 1),
        bytes((r.RecordType.CHUNK,)) + encode_varint(r.MAX_CHUNK + 1),
        bytes((r.RecordType.OFFER,)) + encode_varint(MAX_VARINT),
        bytes((r.RecordType.CHUNK, 0)),
    ],
)
def test_a_length_that_cannot_be_is_refused_at_once(head: bytes) -> None:
    with pytest.raises(FilesError):
        list(RecordReader().feed(head))
    reader = RecordReader()
    with pytest.raises(FilesError):
        for byte in head:
            list(reader.feed(bytes((byte,))))


def test_records_before_a_fault_are_given() -> None:
    found = RecordReader().feed(r.Accept().encode() + b"\x3f\0")
    assert next(found) == r.Accept()
    with pytest.raises(FilesError):
        next(found)


def test_an_unfinished_record_is_all_that_is_held() -> None:
    reader = RecordReader()
    head = bytes((r.RecordType.ENTRY,)) + encode_varint(r.MAX_RECORD)
    assert list(reader.feed(head + bytes(r.MAX_RECORD - 1))) == []
    assert len(reader._held) == len(head) + r.MAX_RECORD - 1
    assert list(RecordReader().feed(r.chunk_head(r.MAX_CHUNK))) == []
