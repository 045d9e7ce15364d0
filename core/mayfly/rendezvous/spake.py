"""SPAKE2 (RFC 9382 describes the family), from the package `spake2`, which has no types and is known here only.

Its group is the prime-order subgroup of Ed25519's curve. What is hashed into the key, and the constants M and N, stand
in core/PROTOCOL.md. It is written in Python and takes no care of timing: whoever measures the relay's answer learns at
most something of a password that three tries use up.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from enum import Enum
from typing import Any

ELEMENT_SIZE = 33
"""Bytes of a message: the sender's side, and a point."""


class Side(Enum):
    """Who sends: the client is SPAKE2's A, the relay its B."""

    CLIENT = b"A"
    RELAY = b"B"


class ElementError(ValueError):
    """The other side's message is no element that can be used."""


class Spake:
    """One side of one exchange. `message` goes to the other side; `finish` takes its message, once.

    `entropy(n)` gives n random bytes.
    """

    def __init__(
        self, side: Side, password: bytes, client: bytes, relay: bytes, entropy: Callable[[int], bytes]
    ) -> None:
        library: Any = importlib.import_module("spake2")  # here, because it computes for 50 ms when it is loaded
        maker = library.SPAKE2_A if side is Side.CLIENT else library.SPAKE2_B
        self._side = side
        self._state: Any = maker(password, idA=client, idB=relay, entropy_f=entropy)
        self.message: bytes = self._state.start()

    def finish(self, message: bytes) -> bytes:
        """32 bytes of key, which the other side has if and only if its password is the same. Raises ElementError."""
        other = Side.RELAY if self._side is Side.CLIENT else Side.CLIENT
        if len(message) != ELEMENT_SIZE or message[:1] != other.value:
            raise ElementError("this is no message of the other side")
        try:
            key: bytes = self._state.finish(message)
        except (
            Exception
        ) as error:  # the library raises AssertionError, ValueError and classes of its own for bad points
            raise ElementError("this is no point of the group") from error
        return key
