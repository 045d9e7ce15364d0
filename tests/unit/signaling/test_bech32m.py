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
INVALID = [
    "y1b0jsk6g",
    "lt1igcx5c0",
    "in1muywd",
    "mm1crxm3i",
    "au1s5cgom",
    "M1VUXWEZ",
]
"""Those that are about characters and checksums. How a code is told from what stands around it is finding.py's."""
BECH32 = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd"
"""BIP-173's checksum."""
symbol_lists = st.lists(st.integers(0, 31), max_size=200)


def fits(text: str) -> bool:
    """Whether the checksum is right. Raises Bech32Error for a character outside the alphabet."""
    hrp, _, data = text.lower().rpartition(bech32m.SEPARATOR)
    checksum = bech32m.Checksum(hrp)
    checksum.feed(bech32m.values(data))
    return checksum.fits


@pytest.mark.parametrize("text", VALID)
def test_bip350_valid(text: str) -> None:
    hrp, _, data = text.lower().rpartition(bech32m.SEPARATOR)
    assert fits(text)
    assert bech32m.encode(hrp, bech32m.values(data)[: -bech32m.CHECKSUM_LENGTH]) == text.lower()


@pytest.mark.parametrize("text", [*INVALID, BECH32])
def test_bip350_invalid(text: str) -> None:
    try:
        assert not fits(text)
    except Bech32Error as error:
        assert "outside the alphabet" in str(error)


def test_bytes_of_a_bip350_address() -> None:
    text = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
    program = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    assert fits(text)
    assert bech32m.encode("bc", [1, *bech32m.from_bytes(program)]) == text
    assert bech32m.to_bytes(bech32m.values(text[4:])[: -bech32m.CHECKSUM_LENGTH]) == program


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
    text = bech32m.encode("mf", symbols)
    assert fits(text)
    assert text.startswith("mf1") and bech32m.values(text[3:])[: -bech32m.CHECKSUM_LENGTH] == symbols


@given(st.text(max_size=100) | st.text(bech32m.ALPHABET, max_size=100))
def test_values_take_any_text(text: str) -> None:
    try:
        symbols = bech32m.values(text)
    except Bech32Error:
        assert not all(character in bech32m.ALPHABET for character in text)
        return
    assert "".join(bech32m.ALPHABET[symbol] for symbol in symbols) == text


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
