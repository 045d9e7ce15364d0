"""What the two machines tell their program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mayfly.files.records import Offer, Reason
from mayfly.files.states import Outcome

if TYPE_CHECKING:
    from mayfly.files.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Offered:
    """Receiver: ask the user, then call `accept` or `decline`. The name is foreign text."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class Accepted:
    """Sender: the receiver wants it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Receiver: the manifest is whole and within its limits; what was changed or left out stands in it."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Resumed:
    """A file goes on from `offset`, which both ends have the same bytes of."""

    index: int
    offset: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """The receiver had `offset` bytes that are no longer the source's: the file is sent from its start."""

    index: int
    offset: int


@dataclass(frozen=True, slots=True)
class PauseChanged:
    """Whether data may move now, and who holds it."""

    by_us: bool
    by_peer: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event. `reason` is None for COMPLETED and for a link that was lost."""

    outcome: Outcome
    reason: Reason | None
    by_us: bool


TransferEvent: TypeAlias = Offered | Accepted | Listed | Resumed | Restarted | PauseChanged | Ended
