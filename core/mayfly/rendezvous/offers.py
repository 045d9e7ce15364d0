"""Offers and answers as they travel sealed: the body of a code (mayfly.signaling.body), without its text form.

Clocks may be wrong by an hour and a broker's match lives for a minute, so the expiry says nothing here and is zero.
"""

from __future__ import annotations

from mayfly.signaling.body import EPOCH, BodyError, decode
from mayfly.signaling.codes import Code
from mayfly.signaling.description import Description, Kind


class OfferError(ValueError):
    """What was sealed is no offer, or no answer to ours."""


def offer(description: Description) -> Code:
    """Our offer."""
    return Code(description, EPOCH)


def answer(description: Description, to: Code) -> Code:
    """Our answer to an offer."""
    return Code(description, EPOCH, to.digest)


def read_offer(body: bytes) -> Code:
    """The other side's offer. Raises OfferError."""
    return _read(body, Kind.OFFER)


def read_answer(body: bytes, to: Code) -> Code:
    """The other side's answer, which must be to our offer. Raises OfferError."""
    found = _read(body, Kind.ANSWER)
    if found.offer != to.digest:
        raise OfferError("the answer is to another offer")
    return found


def _read(body: bytes, kind: Kind) -> Code:
    try:
        found = decode(body)
        if found.description.kind is not kind:
            raise OfferError("an offer where an answer is due, or the reverse")
        return Code(found.description, EPOCH + found.minutes * 60, found.offer)
    except BodyError as error:
        raise OfferError("the content makes no sense") from error
