"""The tables that people read: one a family, medians in the cells, its promises and remarks below."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.family import ENOUGH, Bar, Family
from bench.figures import Figures, Found


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise, what was found, and whether it was kept."""

    bar: Bar
    found: Found | None

    @property
    def kept(self) -> bool | None:
        """None when nothing was measured."""
        return None if self.found is None else self.bar.kept(self.found.value)

    @property
    def judged(self) -> bool:
        """Whether there were samples enough to rely on it. Fewer are a look."""
        return self.found is not None and self.found.samples >= self.bar.enough

    @property
    def word(self) -> str:
        """The judgement in a word or two."""
        if self.kept is None:
            return "not measured"
        word = "kept" if self.kept else "missed"
        return word if self.judged else f"{word} so far"

    @property
    def bound(self) -> str:
        """What was promised."""
        return f"{'at most' if self.bar.at_most else 'at least'} {self.bar.bound:g}{self.bar.unit}"


def verdicts(families: list[Family], figures: Figures) -> list[Verdict]:
    """All promises of these families."""
    return [Verdict(bar, bar.found(figures)) for family in families for bar in family.bars]


def number(value: float | None, digits: int) -> str:
    """One cell."""
    return "-" if value is None else f"{value:,.{digits}f}"


def show_family(console: Console, family: Family, figures: Figures) -> None:
    """One table. A row that nobody was measured for is left out."""
    subjects = figures.subjects(family.name)
    table = Table(title=f"{family.name}: {family.title}", title_justify="left")
    table.add_column("")
    for subject in subjects:
        table.add_column(subject, justify="right")
    for row in family.rows:
        cells = [figures.median(family.name, subject, row.key) for subject in subjects]
        if any(cell is not None for cell in cells):
            table.add_row(f"{row.title}, {row.unit}", *(number(cell, row.digits) for cell in cells))
    console.print(table)
    for note in figures.notes.get(family.name, []):
        console.print(f"  {note}", style="dim", soft_wrap=True)
    console.print()


def show_verdicts(console: Console, found: list[Verdict]) -> None:
    """Every promise with the number found, the bar, and how many samples that rests on; nothing where there is none."""
    if not found:
        return
    colours = {True: "green", False: "red", None: "dim"}
    table = Table(title="What was promised", title_justify="left")
    table.add_column("promise")
    for column in ("found", "bar", "samples"):
        table.add_column(column, justify="right")
    table.add_column("")
    for verdict in found:
        value = "-" if verdict.found is None else f"{verdict.found.value:.2f}{verdict.bar.unit}"
        samples = "-" if verdict.found is None else str(verdict.found.samples)
        word = f"[{colours[verdict.kept]}]{verdict.word}[/]"
        table.add_row(verdict.bar.promise, value, verdict.bound, samples, word)
    console.print(table)
    if any(verdict.found and not verdict.judged for verdict in found):
        console.print(f"  so far: medians of fewer than {ENOUGH}, a look and no judgement", style="dim", soft_wrap=True)
