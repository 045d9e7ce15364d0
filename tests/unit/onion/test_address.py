"""Onion addresses: real ones pass, slips are noticed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import UsageError
from mayfly.onion.address import onion_checksum, parse_onion

# The Tor Project's own site.
REAL = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"


def test_a_real_address() -> None:
    assert parse_onion(REAL) == REAL
    assert parse_onion(f" http://{REAL.upper()}/ ".replace("HTTP", "http")) == REAL


@given(st.binary(min_size=32, max_size=32), st.integers(0, 55), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_wrong_character_is_noticed(key: bytes, place: int, character: str) -> None:
    label = base64.b32encode(key + onion_checksum(key) + b"\x03").decode().lower()
    assert parse_onion(label + ".onion") == label + ".onion"
    wrong = label[:place] + character + label[place + 1 :]
    if wrong != label and place < 51:  # later characters hold bits of the checksum and of the version themselves
        try:
            parse_onion(wrong + ".onion")
        except UsageError:
            return
        # Two bytes of checksum let one of 65,536 slips pass.
        raw = base64.b32decode(wrong, casefold=True)
        assert raw[32:34] == onion_checksum(raw[:32])


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_an_error(text: str) -> None:
    try:
        assert parse_onion(text).endswith(".onion")
    except UsageError as error:
        assert error.hint


@pytest.mark.parametrize("text", ["", "expyuzz4wqqyqhjn.onion", "example.com", REAL[:-6], "0" * 56 + ".onion"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_onion(text)
