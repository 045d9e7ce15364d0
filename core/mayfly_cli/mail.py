"""Our own messages until it is known of each receiver whether it has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

MAX_LETTERS = 1000
"""Messages that may travel at once, and failed ones that are remembered; the oldest are forgotten."""

T = TypeVar("T")


@dataclass(slots=True)
class Letter:
    """One message with those who should get it."""

    text: str
    to: str | None
    missing: list[str]
    delivered: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])

    def mark(self, shown: Callable[[str], str]) -> str:
        """What became of it: `✓`, `✓ anna, bob`, `✗ not delivered to carol`."""
        got = ", ".join(map(shown, self.delivered)) if len(self.delivered) + len(self.failed) > 1 else ""
        parts = [f"✓ {got}".strip()] if self.delivered else []
        if self.failed:
            parts.append("✗ not delivered to " + ", ".join(map(shown, self.failed)))
        return "  ".join(parts)


class Mail:
    """The messages that travel, and those that have failed and may arrive after all when a session comes back."""

    def __init__(self) -> None:
        self._letters: dict[str, Letter] = {}
        self._failed: dict[str, Letter] = {}
        self._early: dict[str, list[tuple[str, bool]]] = {}

    def __len__(self) -> int:
        return len(self._letters)

    @property
    def failures(self) -> int:
        """How many messages did not reach everybody."""
        return len(self._failed)

    def sent(self, identity: str, text: str, to: str | None, reach: list[str]) -> Letter | None:
        """A message is on its way to these names. Gives it when receipts that came before have settled it already."""
        _keep(self._letters, identity, Letter(text, to, list(reach)))
        settled = None
        for name, arrived in self._early.pop(identity, []):
            settled = self._settle(identity, name, arrived=arrived)
        return settled

    def waiting(self) -> list[Letter]:
        """What travels, the oldest first."""
        return list(self._letters.values())

    def delivered(self, identity: str, by: str) -> Letter | None:
        """A receipt. Gives the letter when nobody is missing any more, and each time that a failed one has arrived."""
        late = self._failed.get(identity)
        if late is not None and by in late.failed:
            late.failed.remove(by)
            late.delivered.append(by)
            if not late.failed:
                self._failed.pop(identity)
            return late
        return self._settle(identity, by, arrived=True)

    def undelivered(self, identity: str, to: str) -> Letter | None:
        """It did not reach this name. Gives the letter when nobody is missing any more."""
        return self._settle(identity, to, arrived=False)

    def take_all(self) -> list[Letter]:
        """All that travels; from now on it counts as failed."""
        taken = self.waiting()
        for identity, letter in self._letters.items():
            _keep(self._failed, identity, letter)
        self._letters.clear()
        return taken

    def _settle(self, identity: str, name: str, *, arrived: bool) -> Letter | None:
        letter = self._letters.get(identity)
        if letter is None:
            if identity not in self._failed:
                _keep(self._early, identity, [*self._early.get(identity, []), (name, arrived)][-MAX_LETTERS:])
            return None
        if name not in letter.missing:
            return None
        letter.missing.remove(name)
        (letter.delivered if arrived else letter.failed).append(name)
        if letter.missing:
            return None
        self._letters.pop(identity)
        if letter.failed:
            _keep(self._failed, identity, letter)
        return letter


def _keep(kept: dict[str, T], identity: str, value: T) -> None:
    kept.pop(identity, None)
    kept[identity] = value
    if len(kept) > MAX_LETTERS:
        kept.pop(next(iter(kept)))
