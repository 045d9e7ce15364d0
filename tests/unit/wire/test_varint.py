"""Varints: RFC 9000 §16 and its examples (§A.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.wire.varint import MAX_VARINT, IncompleteError, decode_varint, encode_varint, prefixed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("c2197c5eff14e88c", 151_288_809_941_952_652),
        ("9d7f3e7d", 494_878_333),
        ("7bbd", 15_293),
        ("25", 37),
    ],
)
def test_the_rfc_s_examples(text: str, value: int) -> None:
    assert encode_varint(value).hex() == text
    assert decode_varint(bytes.fromhex(text), 0) == (value, len(text) // 2)


@pytest.mark.parametrize(("value", "size"), [(0x3F, 1), (0x40, 2), (0x3FFF, 2), (0x4000, 4), (0x3FFF_FFFF, 4)])
def test_each_form_ends_where_the_next_begins(value: int, size: int) -> None:
    assert len(encode_varint(value)) == size
    assert len(encode_varint(0x4000_0000)) == len(encode_varint(MAX_VARINT)) == 8


@pytest.mark.parametrize("value", [-1, MAX_VARINT + 1])
def test_what_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="varint"):
        encode_varint(value)


def test_longer_forms_are_accepted() -> None:
    assert decode_varint(bytes.fromhex("4025"), 0) == (37, 2)
    assert decode_varint(bytes.fromhex("c000000000000025"), 0) == (37, 8)


@given(value=st.integers(0, MAX_VARINT), before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_round_trip_anywhere(value: int, before: bytes, after: bytes) -> None:
    encoded = encode_varint(value)
    assert decode_varint(before + encoded + after, len(before)) == (value, len(before) + len(encoded))


@given(value=st.integers(0, MAX_VARINT), data=st.data())
def test_every_cut_is_incomplete(value: int, data: st.DataObject) -> None:
    encoded = encode_varint(value)
    with pytest.raises(IncompleteError):
        decode_varint(encoded[: data.draw(st.integers(0, len(encoded) - 1))], 0)


@given(data=st.binary(max_size=20), start=st.integers(0, 25))
def test_any_bytes_give_a_value_or_incomplete(data: bytes, start: int) -> None:
    try:
        value, end = decode_varint(data, start)
    except IncompleteError:
        return
    assert 0 <= value <= MAX_VARINT
    assert start < end <= len(data)


@pytest.mark.parametrize(("data", "encoded"), [(b"", "00"), (b"ab", "026162"), (bytes(0x40), "4040" + "00" * 0x40)])
def test_bytes_behind_their_length(data: bytes, encoded: str) -> None:
    assert prefixed(data).hex() == encoded
