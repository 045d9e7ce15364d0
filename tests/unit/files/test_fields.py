"""The fields that only files have: round trips."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly.files.fields import Body, optional, signed
from mayfly.wire.varint import MAX_VARINT


@given(value=st.integers(-(1 << 63), (1 << 63) - 1), size=st.none() | st.integers(0, MAX_VARINT - 1))
def test_round_trip(value: int, size: int | None) -> None:
    body = Body(signed(value) + optional(size))
    assert (body.signed(), body.optional()) == (value, size)
    body.end()


def test_a_time_that_does_not_fit_is_clamped() -> None:
    assert Body(signed(1 << 70)).signed() == (1 << 63) - 1
    assert Body(signed(-(1 << 70))).signed() == -(1 << 63)
