"""The samples of one run, by family, subject and row, and their medians."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field

Samples = dict[str, dict[str, dict[str, list[float]]]]


@dataclass(frozen=True, slots=True)
class Found:
    """The number that a promise is held against, and how many samples the scarcest of its medians has."""

    value: float
    samples: int


def _samples() -> Samples:
    return defaultdict(lambda: defaultdict(lambda: defaultdict(list)))


@dataclass(slots=True)
class Figures:
    """All that was measured, and what has to be said of it."""

    samples: Samples = field(default_factory=_samples)
    notes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, family: str, subject: str, row: str, value: float) -> None:
        """Keep one sample."""
        self.samples[family][subject][row].append(value)

    def note(self, family: str, text: str) -> None:
        """Keep one remark, once."""
        if text not in self.notes[family]:
            self.notes[family].append(text)

    def subjects(self, family: str) -> list[str]:
        """Who was measured, in the order of their first samples."""
        return list(self.samples[family]) if family in self.samples else []

    def of(self, family: str, subject: str, row: str) -> list[float]:
        """The samples of one cell."""
        return self.samples.get(family, {}).get(subject, {}).get(row, [])

    def median(self, family: str, subject: str, row: str) -> float | None:
        """The median of one cell, or None when nothing was measured."""
        found = self.of(family, subject, row)
        return statistics.median(found) if found else None

    def fewest(self, family: str, *cells: tuple[str, str]) -> int:
        """How many samples the scarcest of these cells has, each a subject and a row."""
        return min(len(self.of(family, subject, row)) for subject, row in cells)
