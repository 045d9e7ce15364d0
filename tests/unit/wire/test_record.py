"""Records and their fields: round trips, and every way in which they cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.wire import record
from mayfly.wire.varint import MAX_VARINT, encode_varint, prefixed


class BrokenError(Exception):
    """What a protocol of this test's own says of bytes that it cannot read."""


class Body(record.Body):
    """A body of that protocol."""

    __slots__ = ()

    error = BrokenError


@given(
    kind=st.integers(0, MAX_VARINT), fields=st.lists(st.binary(max_size=40), max_size=3), before=st.binary(max_size=9)
)
def test_a_record_has_a_head_and_its_fields(kind: int, fields: list[bytes], before: bytes) -> None:
    whole = before + record.record(kind, *fields)
    found = record.head(whole, len(before))
    assert found is not None
    assert found[0] == kind
    assert whole[found[1] :] == b"".join(fields)
    assert found[2] == len(whole) - found[1]


@given(kind=st.integers(0, MAX_VARINT), size=st.integers(0, MAX_VARINT), data=st.data())
def test_a_head_is_short_and_needs_all_of_its_bytes(kind: int, size: int, data: st.DataObject) -> None:
    head = encode_varint(kind) + encode_varint(size)
    assert len(head) <= record.MAX_HEAD
    assert record.head(head, 0) == (kind, len(head), size)
    assert record.head(head[: data.draw(st.integers(0, len(head) - 1))], 0) is None


@given(number=st.integers(0, MAX_VARINT), raw=st.binary(max_size=9), text=st.text())
def test_fields_are_read_in_their_order(number: int, raw: bytes, text: str) -> None:
    body = Body(encode_varint(number) + raw + prefixed(text.encode()))
    assert (body.number(), body.take(len(raw)), body.text()) == (number, raw, text)
    body.end()


@pytest.mark.parametrize("data", [b"", b"\x40", b"\x02a", b"\x02\xff\xff", b"\x03\xed\xa0\x80"])
def test_a_text_that_cannot_be_read(data: bytes) -> None:
    with pytest.raises(BrokenError):
        Body(data).text()


def test_limits_and_ends() -> None:
    with pytest.raises(BrokenError, match="too long"):
        Body(b"\x03abc").text(2)
    assert Body(b"\x03abc").text(3) == "abc"
    with pytest.raises(BrokenError, match="cut short"):
        Body(b"abc").take(4)
    with pytest.raises(BrokenError, match="cut short"):
        Body(b"").number()
    with pytest.raises(BrokenError, match="longer"):
        Body(b"a").end()
