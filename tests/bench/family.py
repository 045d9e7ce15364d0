"""What a family of measurements is: rows, the promises it judges, the chart it draws, and the way to measure.

To add one, write `bench/families/NAME.py` with a `FAMILY = Family(...)` in it; nothing else has to be told. Its
`measure` gets a `Run`: call `run.add(subject, row, value)` for each sample, `run.note(...)` for what was left out and
why, `run.progress(...)` often. Subjects that are compared take turns inside one `measure`, so that what else the
machine does meets all of them; `in_turns` is the order.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bench.figures import Figures, Found

T = TypeVar("T")
MB = 1_000_000
ENOUGH = 5
"""Samples that a median needs before its promise counts as judged."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it is called, its unit, how its numbers are written."""

    key: str
    title: str
    unit: str
    digits: int = 1


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise of the project. `found` gives the number that it is held against; None when it was not measured."""

    promise: str
    found: Callable[[Figures], Found | None]
    bound: float
    unit: str = ""
    at_most: bool = False
    enough: int = ENOUGH
    """Samples that it is judged by. One, where the number is no median."""

    def kept(self, value: float) -> bool:
        """Whether that value keeps it."""
        return value <= self.bound if self.at_most else value >= self.bound


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of the family: a line for each subject through its rows, each row at its x. Saved with --charts."""

    name: str
    title: str
    x_label: str
    y_label: str
    points: tuple[tuple[str, float], ...]
    log_y: bool = False


class Run:
    """What a family measures with, and where it puts its samples."""

    def __init__(
        self,
        name: str,
        figures: Figures,
        folder: Path,
        *,
        rounds: int = 1,
        quick: bool = False,
        bars: bool = False,
        minutes: float = 1.0,
        wanted: Collection[str] = (),
    ) -> None:
        self.figures = figures
        self.folder = folder
        """Empty at first, on a file system in memory where there is one."""
        self.rounds = rounds
        self.quick = quick
        self.bars = bars
        """Whether only what a promise is held against is wanted."""
        self.minutes = minutes
        """How long the soak shall take."""
        self._name = name
        self._wanted = wanted

    def add(self, subject: str, row: str, value: float) -> None:
        """Keep one sample."""
        self.figures.add(self._name, subject, row, value)

    def note(self, text: str) -> None:
        """Say below the table what a reader must know."""
        self.figures.note(self._name, text)

    def progress(self, text: str) -> None:
        """Say what is being done now."""
        print(f"  {self._name}: {text}", flush=True)

    def wants(self, subject: str) -> bool:
        """Whether the user left this subject in (--subjects)."""
        return not self._wanted or subject in self._wanted

    def scaled(self, full: int, quick: int) -> int:
        """A size or a count for the whole run, and one for --quick."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Family:
    """Measurements that belong together. One with `default` False runs only when --only names it.

    `for_bars` names the subjects that the promises of the link and the tunnel need: --bars runs the families that name
    some, with these alone.
    """

    name: str
    title: str
    measure: Callable[[Run], Coroutine[Any, Any, None]]
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...] = ()
    charts: tuple[Chart, ...] = field(default=())
    default: bool = True
    for_bars: tuple[str, ...] = ()


def ratio(family: str, row: str, ours: str, theirs: str) -> Callable[[Figures], Found | None]:
    """The `found` of a bar: our median over theirs."""
    return quotient(family, (ours, row), (theirs, row))


def quotient(family: str, above: tuple[str, str], below: tuple[str, str]) -> Callable[[Figures], Found | None]:
    """The `found` of a bar: one median over another, each of a subject and a row."""

    def found(figures: Figures) -> Found | None:
        upper, lower = figures.median(family, *above), figures.median(family, *below)
        return None if upper is None or not lower else Found(upper / lower, figures.fewest(family, above, below))

    return found


def median(family: str, row: str, subject: str, *, scale: float = 1.0) -> Callable[[Figures], Found | None]:
    """The `found` of a bar: one median, by that factor."""

    def found(figures: Figures) -> Found | None:
        value = figures.median(family, subject, row)
        return None if value is None else Found(value * scale, figures.fewest(family, (subject, row)))

    return found


def greatest(family: str, row: str, subject: str) -> Callable[[Figures], Found | None]:
    """The `found` of a bar: the greatest of all samples, where no single one may be worse."""

    def found(figures: Figures) -> Found | None:
        samples = figures.of(family, subject, row)
        return Found(max(samples), len(samples)) if samples else None

    return found


def in_turns(subjects: Sequence[T], rounds: int) -> Iterator[tuple[int, list[T]]]:
    """Each round with the subjects in its order: who begins changes."""
    for number in range(rounds):
        turn = number % max(len(subjects), 1)
        yield number + 1, [*subjects[turn:], *subjects[:turn]]


def missing(*programs: str) -> list[str]:
    """Those of the programs that are not installed."""
    places = "/usr/local/sbin:/usr/sbin:/sbin"
    return [name for name in programs if not (shutil.which(name) or shutil.which(name, path=places))]
