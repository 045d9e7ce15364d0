"""Short codes for friends: a number that the broker gives, and two words that it never learns.

``7-copper-tulip``. The number finds the relay at the broker; the words are the password of SPAKE2 (spake.py). They are
the verification words' list (mayfly.signaling.wordlist), whose members are told apart by ear and in writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from mayfly.errors import MistypedCodeError
from mayfly.signaling.finding import HRP
from mayfly.signaling.wordlist import WORDS

COUNT = 2
"""Words of a code. Each stands for a byte, so one guess is right once in 65,536."""

_KNOWN = frozenset(WORDS)
_SEPARATORS = re.compile(r"[\s\-_.,]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_MAX_TEXT = 200
_EXAMPLE = f"7-{WORDS[0]}-{WORDS[-1]}"
_READ_AGAIN = f"It is a number and two words, like {_EXAMPLE}. Read it again where the relay shows it."


@dataclass(frozen=True, slots=True)
class ShortCode:
    """A number without leading zeros, and two words of the list."""

    nameplate: str
    words: tuple[str, str]

    @property
    def text(self) -> str:
        """What people read and type."""
        return "-".join((self.nameplate, *self.words))

    @property
    def password(self) -> bytes:
        """What the two sides prove to each other that they know."""
        return "-".join(self.words).encode()


def make(nameplate: str, entropy: bytes) -> ShortCode:
    """A code of the broker's number and two random bytes."""
    first, second = entropy
    return ShortCode(nameplate, (WORDS[first], WORDS[second]))


def parse(text: str) -> ShortCode:
    """The code that somebody typed; case, spaces and hyphens do not matter.

    Raises MistypedCodeError, which names a near word of the list where one is not in it.
    """
    parts = _SEPARATORS.split(text.strip().lower()[:_MAX_TEXT])
    if len(parts) != COUNT + 1 or not _NUMBER.fullmatch(parts[0]):
        if f"{HRP}1" in text.lower():
            raise MistypedCodeError(
                "This is a code that needs no broker.", hint="Leave --broker out, also of the variable and the file."
            )
        raise MistypedCodeError("This is not a short code.", hint=_READ_AGAIN)
    number, first, second = parts
    for word in (first, second):
        if word not in _KNOWN:
            raise _unknown(word)
    return ShortCode(number, (first, second))


def complete(text: str) -> list[str]:
    """What the last word of a code that is being typed may become, as whole codes."""
    start, hyphen, word = text.lower().rpartition("-")
    done = start.split("-") if hyphen else []
    if not 1 <= len(done) <= COUNT or not _NUMBER.fullmatch(done[0]):
        return []
    end = "-" if len(done) < COUNT else ""
    return [f"{start}-{found}{end}" for found in _beginning(word)]


def _beginning(start: str) -> Iterable[str]:
    return (word for word in WORDS if word.startswith(start))


def _unknown(word: str) -> MistypedCodeError:
    near = get_close_matches(word, WORDS, n=2, cutoff=0.6)
    if not near:
        return MistypedCodeError("A word of this code is not one that Mayfly uses.", hint=_READ_AGAIN)
    meant = " or ".join(f"“{each}”" for each in near)
    # The word itself may be part of a secret, and of a terminal's escapes: only words of the list are shown.
    return MistypedCodeError(f"A word of this code is not one that Mayfly uses. Is it {meant}?", hint=_READ_AGAIN)
