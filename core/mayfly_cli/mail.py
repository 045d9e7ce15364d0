"""Our own messages until it is known of each receiver whether it has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

MAX_LETTERS = 1000
"""Messages that may travel at once, and failed ones that are remembered; the oldest are forgotten."""

T = TypeVar("T")


class Outcome(Enum):
    """What is known of one receiver."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """They surely do not have it."""
    UNSURE = "unsure"
    """It was sent, and no answer came: they may have it."""


@dataclass(slots=True)
class Letter:
    """One message with those who should get it. Of who is `missing` nothing is known yet."""

    text: str
    to: str | None
    missing: list[str]
    outcomes: dict[str, Outcome] = field(default_factory=dict[str, Outcome])

    @property
    def delivered(self) -> bool:
        """Whether everybody has it of whom something is known."""
        return set(self.outcomes.values()) <= {Outcome.DELIVERED}

    def mark(self, shown: Callable[[str], str]) -> str:
        """What became of it: `✓`, `✓ anna, bob`, `✗ not delivered to carol`, `… carol has not confirmed it`."""
        if self.delivered and len(self.outcomes) == 1:
            return "✓"
        parts: list[str] = []
        if got := self._names(Outcome.DELIVERED):
            parts.append("✓ " + ", ".join(map(shown, got)))
        if lacking := self._names(Outcome.FAILED):
            parts.append("✗ not delivered to " + ", ".join(map(shown, lacking)))
        if silent := self._names(Outcome.UNSURE):
            has = "has" if len(silent) == 1 else "have"
            parts.append(f"… {', '.join(map(shown, silent))} {has} not confirmed it")
        return "  ".join(parts)

    def _names(self, outcome: Outcome) -> list[str]:
        return [name for name, known in self.outcomes.items() if known is outcome]


class Mail:
    """The messages that travel, and those that have failed and may arrive after all when a session comes back."""

    def __init__(self) -> None:
        self._letters: dict[str, Letter] = {}
        self._failed: dict[str, Letter] = {}
        self._early: dict[str, list[tuple[str, Outcome]]] = {}

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
        for name, outcome in self._early.pop(identity, []):
            settled = self._settle(identity, name, outcome) or settled
        return settled

    def waiting(self) -> list[Letter]:
        """What travels, the oldest first."""
        return list(self._letters.values())

    def delivered(self, identity: str, by: str) -> Letter | None:
        """A receipt. Gives the letter when nobody is missing any more, and each time that a failed one has arrived."""
        return self._settle(identity, by, Outcome.DELIVERED)

    def undelivered(self, identity: str, to: str, *, certain: bool) -> Letter | None:
        """This name lacks it or, unless `certain`, has not confirmed it.

        Gives the letter when all are known, and each time that something else is known of one.
        """
        return self._settle(identity, to, Outcome.FAILED if certain else Outcome.UNSURE)

    def take_all(self) -> list[Letter]:
        """All that travels; from now on who has not confirmed it may have it or not."""
        taken = self.waiting()
        for identity, letter in self._letters.items():
            letter.outcomes |= dict.fromkeys(letter.missing, Outcome.UNSURE)
            letter.missing.clear()
            _keep(self._failed, identity, letter)
        self._letters.clear()
        return taken

    def _settle(self, identity: str, name: str, outcome: Outcome) -> Letter | None:
        letter = self._letters.get(identity) or self._failed.get(identity)
        if letter is None:
            _keep(self._early, identity, [*self._early.get(identity, []), (name, outcome)][-MAX_LETTERS:])
            return None
        if name in letter.missing:
            letter.missing.remove(name)
        elif letter.outcomes.get(name, Outcome.DELIVERED) in (Outcome.DELIVERED, outcome):
            return None  # a stranger, or no news
        letter.outcomes[name] = outcome
        if letter.missing:
            return None
        self._letters.pop(identity, None)
        self._failed.pop(identity, None)
        if not letter.delivered:
            _keep(self._failed, identity, letter)
        return letter


def _keep(kept: dict[str, T], identity: str, value: T) -> None:
    kept.pop(identity, None)
    kept[identity] = value
    if len(kept) > MAX_LETTERS:
        kept.pop(next(iter(kept)))
