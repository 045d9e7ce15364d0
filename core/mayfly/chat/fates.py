"""What becomes of a message at one of those it is for. The numbers are on the wire.

::

    HELD --------------------> DELIVERED, GONE, FULL, UNKNOWN
      \\--link lost--> AWAY ---/

A fate never goes back, so a peer can have at most two things to say about one message and one name.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Fate(IntEnum):
    """Where a message is, for one addressee."""

    HELD = 0
    """On its way."""
    DELIVERED = 1
    """The addressee's own process has it."""
    AWAY = 2
    """The addressee's link was lost. It is kept, and sent when the addressee comes back."""
    GONE = 3
    """The addressee left, or did not come back in time, and has not confirmed it."""
    FULL = 4
    """Too much waits for the addressee already, so it was not kept."""
    UNKNOWN = 5
    """Nobody has that name."""


OPEN: Final = frozenset({Fate.HELD, Fate.AWAY})
"""Fates that may still change."""

NOT_KEPT: Final = frozenset({Fate.FULL, Fate.UNKNOWN})
"""Fates of a message that nobody has sent on. (What was sent to one who is GONE may have arrived.)"""

NEXT: Final[dict[Fate, frozenset[Fate]]] = {
    Fate.HELD: frozenset({Fate.AWAY, Fate.DELIVERED, Fate.GONE, Fate.FULL, Fate.UNKNOWN}),
    Fate.AWAY: frozenset({Fate.DELIVERED, Fate.GONE, Fate.FULL, Fate.UNKNOWN}),
    Fate.DELIVERED: frozenset(),
    Fate.GONE: frozenset(),
    Fate.FULL: frozenset(),
    Fate.UNKNOWN: frozenset(),
}
