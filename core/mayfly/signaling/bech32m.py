"""Bech32m, BIP-350, without BIP-173's limit of 90 characters.

A text is `hrp`, the separator `1`, and data characters that carry 5 bits each, of which the last six are the checksum.
Up to 1,023 characters any three substitutions are detected; one substitution is detected at any length, and anything
else is missed once in 2³⁰ times. `Checksum` takes a text piece by piece, for a reader that does not know where it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
SEPARATOR = "1"
CHECKSUM_LENGTH = 6

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_FINAL = 0x2BC830A3


def _feedback(top: int) -> int:
    value = 0
    for bit, generator in enumerate(_GENERATOR):
        if top >> bit & 1:
            value ^= generator
    return value


_FEEDBACK = tuple(_feedback(top) for top in range(32))


class Bech32Error(ValueError):
    """A character is not bech32m's, or the data are not whole bytes with zero padding."""


class Checksum:
    """The running checksum over the human-readable part and the data symbols so far."""

    __slots__ = ("_state",)

    def __init__(self, hrp: str) -> None:
        self._state = 1
        self.feed([ord(character) >> 5 for character in hrp])
        self.feed([0])
        self.feed([ord(character) & 31 for character in hrp])

    def feed(self, symbols: Iterable[int]) -> None:
        """Take further 5-bit values."""
        state = self._state
        for symbol in symbols:
            state = (state & 0x1FFFFFF) << 5 ^ symbol ^ _FEEDBACK[state >> 25]
        self._state = state

    @property
    def fits(self) -> bool:
        """Whether what was fed ends in its right checksum."""
        return self._state == _FINAL

    def symbols(self) -> list[int]:
        """The six checksum values that belong behind what was fed."""
        state = self._state
        for _ in range(CHECKSUM_LENGTH):
            state = (state & 0x1FFFFFF) << 5 ^ _FEEDBACK[state >> 25]
        state ^= _FINAL
        return [state >> 5 * (CHECKSUM_LENGTH - 1 - index) & 31 for index in range(CHECKSUM_LENGTH)]


def encode(hrp: str, symbols: Sequence[int]) -> str:
    """The lower-case text of 5-bit values under a lower-case human-readable part."""
    checksum = Checksum(hrp)
    checksum.feed(symbols)
    return hrp + SEPARATOR + "".join(ALPHABET[symbol] for symbol in [*symbols, *checksum.symbols()])


def values(data: str) -> list[int]:
    """The 5-bit values of lower-case data characters. Raises Bech32Error for one outside the alphabet."""
    try:
        return [_VALUES[character] for character in data]
    except KeyError:
        raise Bech32Error("a character is outside the alphabet") from None


def from_bytes(data: bytes) -> list[int]:
    """Cut bytes into 5-bit values, most significant bit first; the last one is filled with zero bits."""
    count = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << count * 5 - len(data) * 8
    return [number >> 5 * (count - 1 - index) & 31 for index in range(count)]


def to_bytes(symbols: Sequence[int]) -> bytes:
    """The reverse of from_bytes. Raises Bech32Error for padding that from_bytes would not have made."""
    size = len(symbols) * 5 // 8
    padding = len(symbols) * 5 - size * 8
    number = 0
    for symbol in symbols:
        number = number << 5 | symbol
    if padding >= 5 or number & (1 << padding) - 1:
        raise Bech32Error("the padding is not canonical")
    return (number >> padding).to_bytes(size, "big")
