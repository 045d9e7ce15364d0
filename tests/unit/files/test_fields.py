"""Fields of records: round trips, and every way in which they cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.files.fields import Body, FilesError, field, optional, signed
from mayfly.wire.varint import MAX_VARINT


@given(value=st.integers(-(1 << 63), (1 << 63) - 1), size=st.none() | st.integers(0, MAX_VARINT - 1), text=st.text())
def test_round_trip(value: int, size: int | None, text: str) -> None:
    body = Body(signed(value) + optional(size) + field(text.encode()))
    assert (body.signed(), body.optional(), body.text()) == (value, size, text)
    body.end()


def test_a_time_that_does_not_fit_is_clamped() -> None:
    assert Body(signed(1 << 70)).signed() == (1 << 63) - 1
    assert Body(signed(-(1 << 70))).signed() == -(1 << 63)


@pytest.mark.parametrize("data", [b"", b"\x40", b"\x02a", b"\x02\xff\xff", b"\x03\xed\xa0\x80"])
def test_a_text_that_cannot_be_read(data: bytes) -> None:
    with pytest.raises(FilesError):
        Body(data).text()


def test_limits_and_ends() -> None:
    with pytest.raises(FilesError, match="too long"):
        Body(b"\x03abc").text(2)
    assert Body(b"\x03abc").text(3) == "abc"
    with pytest.raises(FilesError, match="cut short"):
        Body(b"abc").take(4)
    with pytest.raises(FilesError, match="longer"):
        Body(b"a").end()
