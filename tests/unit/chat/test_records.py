"""The codec of chat records: what goes in comes out, in any pieces, and foreign bytes raise ChatError alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.chat.fates import Fate
from mayfly.chat.records import (
    MAX_NAME,
    MAX_NAMES,
    MAX_RECORD,
    MAX_TEXT,
    MAX_TIME,
    ChatError,
    Half,
    Hello,
    Joins,
    Leaves,
    Message,
    Receipt,
    Record,
    RecordReader,
    Roster,
    Taken,
    participant_id,
)
from mayfly.wire.varint import MAX_VARINT, encode_varint
from support.spoilt import spoilt

ids = st.binary(min_size=16, max_size=16)
numbers = st.integers(1, MAX_VARINT)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_NAME)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
fates = st.sampled_from(Fate)
said = st.one_of(
    st.builds(Hello, ids, names, st.booleans()),
    st.builds(Roster, names, st.lists(names, max_size=5).map(tuple)),
    st.builds(Joins, names),
    st.builds(Leaves, names),
    st.builds(Message, ids, numbers, st.integers(0, MAX_TIME), names, names, texts),
)
answered = st.one_of(
    st.builds(Taken, ids, numbers, st.lists(st.tuples(names, fates), max_size=5).map(tuple)),
    st.builds(Receipt, ids, numbers, names, fates),
)
SOMEBODY = bytes(range(16))


def read_all(reader: RecordReader) -> list[Record]:
    """Every record that is there."""
    records: list[Record] = []
    while (record := reader.read()) is not None:
        records.append(record)
    return records


def raw(kind: int, body: bytes) -> bytes:
    """A record of any type."""
    return encode_varint(kind) + encode_varint(len(body)) + body


@given(
    half_and_records=st.one_of(
        st.tuples(st.just(Half.SAY), st.lists(said, max_size=8)),
        st.tuples(st.just(Half.BACK), st.lists(answered, max_size=8)),
    ),
    size=st.integers(1, 400),
)
def test_what_goes_in_comes_out_in_any_pieces(half_and_records: tuple[Half, list[Record]], size: int) -> None:
    half, records = half_and_records
    data = b"".join(each.encode() for each in records)
    reader = RecordReader(half)
    found: list[Record] = []
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
        found += read_all(reader)
    assert found == records
    assert len(reader) == 0


@given(
    st.sampled_from(Half),
    st.lists(st.binary(max_size=200) | spoilt(st.one_of(said, answered).map(lambda each: each.encode())), max_size=8),
)
def test_foreign_bytes_raise_nothing_else(half: Half, pieces: list[bytes]) -> None:
    reader = RecordReader(half)
    try:
        for piece in pieces:
            reader.feed(piece)
            for record in read_all(reader):
                assert record.encode()
    except ChatError:
        pass
    assert len(reader) <= sum(map(len, pieces))


@given(st.one_of(said, answered), st.data())
def test_spoilt_records_raise_nothing_else(record: Record, data: st.DataObject) -> None:
    encoded = bytearray(record.encode())
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    for half in Half:
        reader = RecordReader(half)
        reader.feed(bytes(encoded))
        try:
            read_all(reader)
        except ChatError as error:
            assert str(error).isascii()


@given(st.one_of(said, answered), st.integers(0, 400))
def test_a_body_cut_short_is_refused(record: Record, cut: int) -> None:
    encoded = record.encode()
    body = encoded[1 + (1 if len(encoded) < 66 else 2) :]
    assert raw(encoded[0], body) == encoded
    short = body[: min(cut, len(body) - 1)]
    reader = RecordReader(Half.BACK if isinstance(record, Taken | Receipt) else Half.SAY)
    reader.feed(raw(encoded[0], short))
    with pytest.raises(ChatError):
        reader.read()


def test_the_largest_of_each_fits() -> None:
    name = "\U0001f600" * MAX_NAME
    largest: list[tuple[Half, Record]] = [
        (Half.SAY, Hello(SOMEBODY, name, True)),
        (Half.SAY, Roster(name, (name,) * MAX_NAMES)),
        (Half.SAY, Message(SOMEBODY, MAX_VARINT, MAX_TIME, name, name, "x" * MAX_TEXT)),
        (Half.BACK, Taken(SOMEBODY, MAX_VARINT, ((name, Fate.UNKNOWN),) * MAX_NAMES)),
    ]
    for half, record in largest:
        reader = RecordReader(half)
        reader.feed(record.encode())
        assert reader.read() == record


def test_a_record_that_is_too_long_is_refused_by_its_length_alone() -> None:
    reader = RecordReader(Half.SAY)
    reader.feed(encode_varint(99) + encode_varint(MAX_RECORD + 1))
    with pytest.raises(ChatError):
        reader.read()


def test_unknown_records_and_flags_are_skipped_and_unknown_fates_held() -> None:
    reader = RecordReader(Half.SAY)
    reader.feed(raw(6, b"new") + raw(1000, b"") + raw(1, SOMEBODY + b"\x3f" + b"\x01a"))
    assert reader.read() == Hello(SOMEBODY, "a", True)
    reader = RecordReader(Half.BACK)
    reader.feed(raw(17, SOMEBODY + b"\x01\x01a\x3f"))
    assert reader.read() == Receipt(SOMEBODY, 1, "a", Fate.HELD)


@pytest.mark.parametrize(
    "data",
    [
        raw(16, SOMEBODY + b"\x01\x00"),
        raw(1, SOMEBODY),
        raw(1, SOMEBODY + b"\x00\x02\xff\xfe"),
        raw(1, SOMEBODY + b"\x00\x01aX"),
        raw(1, SOMEBODY + b"\x00" + encode_varint(MAX_NAME + 1) + b"x" * (MAX_NAME + 1)),
        raw(2, b"\x00" + encode_varint(MAX_NAMES + 1) + b"\x00" * (MAX_NAMES + 1)),
        raw(5, SOMEBODY + b"\x00\x00\x00\x00\x00"),
        raw(5, SOMEBODY + b"\x01" + encode_varint(MAX_TIME + 1) + b"\x00\x00\x00"),
        raw(5, SOMEBODY + b"\x01\x00\x00\x00" + encode_varint(MAX_TEXT + 1) + b"x" * (MAX_TEXT + 1)),
    ],
)
def test_rules_are_kept(data: bytes) -> None:
    reader = RecordReader(Half.SAY)
    reader.feed(data)
    with pytest.raises(ChatError):
        reader.read()


@pytest.mark.parametrize(
    "record",
    [
        Hello(b"short", "a"),
        Joins("x" * (MAX_NAME + 1)),
        Roster("", ("a",) * (MAX_NAMES + 1)),
        Message(SOMEBODY, 0, 0, "", "", ""),
        Message(SOMEBODY, 1, -1, "", "", ""),
        Message(SOMEBODY, 1, 0, "", "", "x" * (MAX_TEXT + 1)),
    ],
)
def test_our_own_mistakes_are_not_sent(record: Record) -> None:
    with pytest.raises(ChatError):
        record.encode()


def test_the_id_is_made_from_the_key() -> None:
    assert participant_id(SOMEBODY).hex() == "9d106e0765ac9247aad2d3cfdb85bbc9"
    assert SOMEBODY.hex() not in repr(Hello(SOMEBODY, "a"))
