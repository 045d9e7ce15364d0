"""bech32m.py against the vectors of BIP-350, and its bytes against BIP-350's witness program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.signaling import bech32m
from mayfly.signaling.bech32m import Bech32Error

VALID = [
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
]
# Each is BIP-350's but the one that is only too long, which is not an error here.
INVALID = [
    "\x201xj0phk",
    "\x7f1g6xzxy",
    "\x801vctc34",
    "qyrz8wqd2c9m",
    "1qyrz8wqd2c9m",
    "y1b0jsk6g",
    "lt1igcx5c0",
    "in1muywd",
    "mm1crxm3i",
    "au1s5cgom",
    "M1VUXWEZ",
    "16plkw9",
    "1p2gdwpf",
]
symbol_lists = st.lists(st.integers(0, 31), max_size=200)


@pytest.mark.parametrize("text", VALID)
def test_bip350_valid(text: str) -> None:
    hrp, symbols = bech32m.decode(text)
    assert bech32m.encode(hrp, symbols) == text.lower()


@pytest.mark.parametrize("text", INVALID)
def test_bip350_invalid(text: str) -> None:
    with pytest.raises(Bech32Error):
        bech32m.decode(text)


def test_bip350_too_long_is_no_error_here() -> None:
    text = "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4"
    assert bech32m.decode(text)[1] == []


def test_bech32_checksum_of_bip173_does_not_pass() -> None:
    with pytest.raises(Bech32Error, match="checksum"):
        bech32m.decode("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd")


@pytest.mark.parametrize("text", ["a1lqfN3a", "A1lqfn3a"])
def test_mixed_case(text: str) -> None:
    with pytest.raises(Bech32Error, match="mixed"):
        bech32m.decode(text)


def test_bytes_of_a_bip350_address() -> None:
    hrp, symbols = bech32m.decode("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0")
    program = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    assert (hrp, symbols[0]) == ("bc", 1)
    assert bech32m.to_bytes(symbols[1:]) == program
    assert bech32m.from_bytes(program) == symbols[1:]


@given(st.binary(max_size=200))
def test_bytes_round_trip(data: bytes) -> None:
    assert bech32m.to_bytes(bech32m.from_bytes(data)) == data


@given(symbol_lists)
def test_symbols_have_one_byte_form_or_none(symbols: list[int]) -> None:
    try:
        data = bech32m.to_bytes(symbols)
    except Bech32Error:
        return
    assert bech32m.from_bytes(data) == symbols


@pytest.mark.parametrize("symbols", [[0], [0, 1], [0, 0, 0], [31, 31]])
def test_padding_must_be_canonical(symbols: list[int]) -> None:
    with pytest.raises(Bech32Error, match="padding"):
        bech32m.to_bytes(symbols)


@given(symbol_lists)
def test_symbols_round_trip(symbols: list[int]) -> None:
    assert bech32m.decode(bech32m.encode("mf", symbols)) == ("mf", symbols)


@given(st.text(max_size=100))
def test_decode_takes_any_text(text: str) -> None:
    try:
        hrp, symbols = bech32m.decode(text)
    except Bech32Error:
        return
    assert bech32m.encode(hrp, symbols) == text.lower()


@given(symbol_lists, st.data())
def test_checksum_does_not_care_how_it_is_fed(symbols: list[int], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(symbols)))
    whole, pieces = bech32m.Checksum("mf"), bech32m.Checksum("mf")
    whole.feed(symbols)
    pieces.feed(symbols[:cut])
    pieces.feed(symbols[cut:])
    assert whole.symbols() == pieces.symbols()
    pieces.feed(whole.symbols())
    assert pieces.fits
