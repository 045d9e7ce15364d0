"""Seals: they open for the right key in the right place, and for nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.rendezvous.sealing import (
    BLOCK,
    ReceivingKey,
    SealError,
    direction_key,
    open_with,
    pad,
    seal_to,
    seal_with,
    unpad,
)
from support.spoilt import spoilt

KEY = ReceivingKey()


@given(st.binary(max_size=1000), st.binary(max_size=40))
def test_a_seal_to_a_key_opens(plaintext: bytes, info: bytes) -> None:
    sealed = seal_to(KEY.public, plaintext, info)
    assert KEY.open(sealed, info) == plaintext
    with pytest.raises(SealError):
        KEY.open(sealed, info + b"x")
    with pytest.raises(SealError):
        ReceivingKey().open(sealed, info)


@given(st.binary(max_size=1000), st.binary(min_size=32, max_size=32))
def test_a_seal_with_a_key_opens(plaintext: bytes, secret: bytes) -> None:
    key = direction_key(secret, b"there")
    assert open_with(key, seal_with(key, plaintext)) == plaintext
    with pytest.raises(SealError):
        open_with(direction_key(secret, b"back"), seal_with(key, plaintext))


@given(st.data())
def test_no_changed_seal_opens(data: st.DataObject) -> None:
    key = bytes(32)
    sealed_to, sealed_with = seal_to(KEY.public, b"offer", b""), seal_with(key, b"offer")
    for changed in _changes(data, sealed_to):
        with pytest.raises(SealError):
            KEY.open(changed, b"")
    for changed in _changes(data, sealed_with):
        with pytest.raises(SealError):
            open_with(key, changed)


def _changes(data: st.DataObject, sealed: bytes) -> tuple[bytes, ...]:
    at = data.draw(st.integers(0, len(sealed) - 1))
    flip = data.draw(st.integers(1, 255))
    return sealed[:at], sealed[:at] + bytes([sealed[at] ^ flip]) + sealed[at + 1 :], sealed + b"x"


@given(st.binary(max_size=600))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(SealError):
        KEY.open(data, b"")
    with pytest.raises(SealError):
        open_with(bytes(32), data)


@pytest.mark.parametrize(
    "public", [b"", bytes(31), bytes(32), b"\x01" + bytes(31)], ids=["none", "short", "zero", "one"]
)
def test_keys_that_are_none(public: bytes) -> None:
    with pytest.raises(SealError):
        seal_to(public, b"offer", b"")


@given(st.binary(max_size=600))
def test_padding_hides_the_length(plaintext: bytes) -> None:
    assert len(pad(plaintext)) % BLOCK == 0
    assert unpad(pad(plaintext)) == plaintext


@given(st.binary(max_size=600) | spoilt(st.binary(max_size=600).map(pad)))
def test_only_our_padding_is_taken(padded: bytes) -> None:
    with contextlib.suppress(SealError):
        assert pad(unpad(padded)) == padded
