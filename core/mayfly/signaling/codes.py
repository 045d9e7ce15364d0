"""Codes: an offer or an answer as one line that a person can paste, scan or read aloud (core/PROTOCOL.md, "Codes").

`mf1`, then a body (body.py) in bech32m. Here a code is found to be of the right kind, in time and for the right offer;
what it says of the peer stands in its Description.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from mayfly.errors import (
    CodeError,
    ExpiredCodeError,
    MistypedCodeError,
    TooNewCodeError,
    WrongKindCodeError,
    WrongOfferError,
)
from mayfly.signaling import bech32m
from mayfly.signaling.body import DIGEST_LENGTH, EPOCH, VERSION, Body, BodyError, UnknownKindError, decode, encode
from mayfly.signaling.description import Description, Kind
from mayfly.signaling.finding import HRP, MAX_TEXT, find

# The shortest version 1 code: 58 bytes of body are 93 characters, and there are six of checksum.
_SHORTEST = 99

_BEGINNING = re.compile(rf"{HRP}1[{bech32m.ALPHABET}]", re.ASCII | re.IGNORECASE)

_OTHER_WAYS = (
    (
        re.compile(r"\A\s*[0-9]{1,6}(?:[ -]{1,3}[a-z]{2,20}){2}\s*\Z", re.ASCII | re.IGNORECASE),
        "This is a short code, and they go with a broker.",
        "Give the command both: --broker URL, and the code.",
    ),
    (
        re.compile(r"\b[a-z2-7]{56}\.onion\b", re.ASCII | re.IGNORECASE),
        "This is an onion address, and not a code.",
        "`mayfly client --onion ADDRESS` meets the relay there.",
    ),
)
"""What else people are told to meet by, with what to say to whoever puts it in the place of a code."""

_COPY_AGAIN = f"Copy the whole code again, from {HRP}1 to its last character."
_NEWER = "Update Mayfly on this computer, or ask the other side to use the same version."


@dataclass(frozen=True, slots=True)
class Code:
    """A description with the time until which it is good, and in an answer the digest of the offer it answers.

    `expires` is in Unix seconds and is rounded up to a whole minute, as the code carries it. Raises ValueError when
    the description breaks a rule of rules.py, when the expiry lies outside 2024 to 2055, or when `offer` does not suit
    the kind.
    """

    description: Description
    expires: int
    offer: bytes = b""

    def __post_init__(self) -> None:
        object.__setattr__(self, "expires", -(-self.expires // 60) * 60)
        encode(self._fields)

    @property
    def _fields(self) -> Body:
        return Body(self.description, (self.expires - EPOCH) // 60, self.offer)

    @property
    def body(self) -> bytes:
        """The bytes that the text carries."""
        return encode(self._fields)

    @property
    def text(self) -> str:
        """The one text form, in lower case."""
        return bech32m.encode(HRP, bech32m.from_bytes(self.body))

    @property
    def digest(self) -> bytes:
        """Six bytes that name this code; the answer to an offer carries the offer's.

        They catch a mix-up among codes. Against somebody who forges codes there are the verification words.
        """
        return sha256(self.body).digest()[:DIGEST_LENGTH]


def parse(text: str, *, wanted: Kind | None, now: float | None, offers: Sequence[Code] = ()) -> Code:
    """Find the code in a pasted text and check that it can be used.

    `wanted` is the kind that is due, None for either. `now` is in Unix seconds; None reads an expired code too, which
    is for showing it. An answer must belong to one of `offers`, if there are any. When the text holds several codes,
    the first that can be used is taken. An answer to one of `offers` can be used although it looks expired, if no other
    can: the offer still waits, and was there first, so one of the two clocks is wrong. Spaces, line breaks, hyphens,
    quote marks, case and prose do not matter.

    Raises MistypedCodeError (also when there is no code in the text), TooNewCodeError, WrongKindCodeError,
    ExpiredCodeError or WrongOfferError, looked for in this order.
    """
    if len(text) > MAX_TEXT:
        raise MistypedCodeError(
            "This text is far too long to be a message with a code in it.", hint="Paste only the code."
        )
    found = find(text)
    errors: list[CodeError] = []
    late: list[Code] = []
    for symbols in found.codes:
        try:
            code = _read(symbols)
            if code.offer and any(code.offer == offer.digest for offer in offers):
                late.append(code)
            return _check(code, wanted, now, offers)
        except CodeError as error:
            errors.append(error)
    if late and wanted is not Kind.OFFER:
        return late[-1]
    if found.damaged:
        errors.append(_damaged(found.damaged))
    # Our own offer often stands in the same chat as the answer; what is wrong with the answer is more to the point.
    errors.sort(key=lambda error: isinstance(error, WrongKindCodeError))
    if errors:
        raise errors[0]
    if _BEGINNING.search(text):  # too little of one to be found
        raise _damaged(0)
    for form, message, hint in _OTHER_WAYS:
        if form.search(text):
            raise MistypedCodeError(message, hint=hint)
    raise MistypedCodeError(f"There is no code in this text; a code begins with {HRP}1.", hint=_COPY_AGAIN)


def _damaged(length: int) -> MistypedCodeError:
    if length < _SHORTEST:
        return MistypedCodeError("Only a part of the code is there, or a character of it is wrong.", hint=_COPY_AGAIN)
    return MistypedCodeError(
        "The code's checksum does not fit: a character is wrong, missing or too many.",
        hint=f"{_COPY_AGAIN} If it was typed: behind {HRP}1 there is never a b, i, o or 1.",
    )


def _read(symbols: list[int]) -> Code:
    # The version is in the first three bits, wherever a later version puts the rest.
    version = symbols[0] >> 2
    if version > VERSION:
        raise TooNewCodeError("This code was made by a newer version of Mayfly.", hint=_NEWER)
    try:
        body = decode(bech32m.to_bytes(symbols))
    except UnknownKindError:
        raise TooNewCodeError("This code is of a kind that only newer versions of Mayfly know.", hint=_NEWER) from None
    except (BodyError, bech32m.Bech32Error):
        raise MistypedCodeError(
            "The code is complete, but what it says makes no sense: it was not made by Mayfly.",
            hint="Ask the other side for a new code, made with Mayfly.",
        ) from None
    return Code(body.description, EPOCH + body.minutes * 60, body.offer)


def _check(code: Code, wanted: Kind | None, now: float | None, offers: Sequence[Code]) -> Code:
    if wanted is not None and code.description.kind is not wanted:
        raise _wrong_kind(wanted)
    if now is not None and now >= code.expires:
        raise ExpiredCodeError(
            f"This code expired {_duration(now - code.expires)} ago by this computer's clock.",
            hint="Ask the other side for a new code. If this computer's clock is wrong, set it first.",
        )
    if code.description.kind is Kind.ANSWER and offers and all(code.offer != offer.digest for offer in offers):
        raise WrongOfferError(
            "This answer belongs to another offer than the one that waits here.",
            hint="Send the code shown here to the other side, and paste the answer that comes back to that one.",
        )
    return code


def _wrong_kind(wanted: Kind) -> WrongKindCodeError:
    if wanted is Kind.ANSWER:
        return WrongKindCodeError(
            "This is an offer; what is due here is the answer to the code shown here.",
            hint="Send the code shown here to the other side, and paste what their Mayfly shows in return.",
        )
    return WrongKindCodeError(
        "This is an answer; what is due here is an offer.",
        hint="Paste it where the offer was made, or ask the other side for an offer.",
    )


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}" + ("s" if count > 1 else "")
    return "less than a minute"
