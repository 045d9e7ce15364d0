"""The tables that people read: one a family, medians in the cells, its promises and remarks below."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.family import Bar, Family
from bench.figures import Figures

ENOUGH = 5
"""Samples that a median needs before its promise counts as judged."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise, what was found, and whether it was kept. None: not measured in this run."""

    bar: Bar
    found: float | None

    @property
    def kept(self) -> bool | None:
        """None when nothing was measured."""
        return None if self.found is None else self.bar.kept(self.found)

    @property
    def text(self) -> str:
        """The promise and the number."""
        sign = "at most" if self.bar.at_most else "at least"
        found = "not measured" if self.found is None else f"{self.found:.2f}{self.bar.unit}"
        return f"{self.bar.promise}: {found} ({sign} {self.bar.bound:g}{self.bar.unit})"


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
    """Kept and missed, one a line."""
    marks = {True: "[green]kept[/]        ", False: "[red]missed[/]      ", None: "[dim]not measured[/]"}
    for verdict in found:
        console.print(f"{marks[verdict.kept]} {verdict.text}", soft_wrap=True)
