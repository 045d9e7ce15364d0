"""What two sides say to each other through a broker: one type byte, then the content. The broker can read the type.

::

    0x01  element     33 bytes of SPAKE2
    0x02  sealed      authenticated ciphertext: an offer from the client, an answer from the relay
    0x03  refusal     one byte, why; in clear, so a broker can forge it, and the worst of that is to be refused
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mayfly.config import RendezvousConfig
from mayfly.rendezvous.spake import ELEMENT_SIZE

_ELEMENT, _SEALED, _REFUSAL = 1, 2, 3


class EnvelopeError(ValueError):
    """The bytes are no message of this protocol."""


class Reason(IntEnum):
    """Why a relay refuses."""

    WRONG_WORDS = 1
    FULL = 2
    LEAVING = 3
    UNREADABLE = 4
    NO_ADDRESS = 5


@dataclass(frozen=True, slots=True)
class Element:
    """A message of SPAKE2."""

    value: bytes

    def encode(self) -> bytes:
        """The bytes."""
        return bytes([_ELEMENT]) + self.value


@dataclass(frozen=True, slots=True)
class Sealed:
    """An offer or an answer that only the other side can read."""

    ciphertext: bytes

    def encode(self) -> bytes:
        """The bytes."""
        return bytes([_SEALED]) + self.ciphertext


@dataclass(frozen=True, slots=True)
class Refusal:
    """The relay says no."""

    reason: Reason

    def encode(self) -> bytes:
        """The bytes."""
        return bytes([_REFUSAL, self.reason])


Envelope = Element | Sealed | Refusal


def decode(data: bytes) -> Envelope:
    """A message from anywhere. Raises EnvelopeError."""
    if not 2 <= len(data) <= RendezvousConfig().max_message:
        raise EnvelopeError("the message is too short or too long")
    kind, content = data[0], data[1:]
    if kind == _ELEMENT and len(content) == ELEMENT_SIZE:
        return Element(content)
    if kind == _SEALED:
        return Sealed(content)
    if kind == _REFUSAL and len(content) == 1:
        return Refusal(_reason(content[0]))
    raise EnvelopeError("the message is of no known form")


def _reason(value: int) -> Reason:
    try:
        return Reason(value)
    except ValueError:
        raise EnvelopeError("the relay refuses for a reason that is not known") from None
