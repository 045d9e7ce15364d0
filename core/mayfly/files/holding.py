"""A transfer's pause: either side may hold it, and it goes on when neither does.

While it is held the sender sends nothing but PAUSE, RESUME and CANCEL. The receiver may send everything.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Hold(Enum):
    """Who holds the transfer: (we, the peer)."""

    NOBODY = (False, False)
    US = (True, False)
    PEER = (False, True)
    BOTH = (True, True)

    @property
    def by_us(self) -> bool:
        """Whether we said PAUSE."""
        return self.value[0]

    @property
    def by_peer(self) -> bool:
        """Whether the peer said PAUSE."""
        return self.value[1]


class HoldStep(Enum):
    """What changes it."""

    PAUSE = "our PAUSE"
    RESUME = "our RESUME"
    PEER_PAUSE = "the peer's PAUSE"
    PEER_RESUME = "the peer's RESUME"


HOLD: Final[dict[tuple[Hold, HoldStep], Hold]] = {
    (Hold.NOBODY, HoldStep.PAUSE): Hold.US,
    (Hold.NOBODY, HoldStep.PEER_PAUSE): Hold.PEER,
    (Hold.US, HoldStep.RESUME): Hold.NOBODY,
    (Hold.US, HoldStep.PEER_PAUSE): Hold.BOTH,
    (Hold.PEER, HoldStep.PAUSE): Hold.BOTH,
    (Hold.PEER, HoldStep.PEER_RESUME): Hold.NOBODY,
    (Hold.BOTH, HoldStep.RESUME): Hold.PEER,
    (Hold.BOTH, HoldStep.PEER_RESUME): Hold.US,
}
"""Steps that are not here change nothing: a second PAUSE, or a RESUME without one."""
