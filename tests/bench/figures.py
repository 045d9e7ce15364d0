"""What was measured, the medians, the bars, and how all of it is shown and kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("results")
TUNNEL, BARE, BARE_ASYNCIO, SSH = "tunnel", "bare channel", "bare, asyncio", "ssh -D"
SUBJECTS = (TUNNEL, BARE, BARE_ASYNCIO, SSH)


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: what it is called, its unit, how its numbers are written."""

    key: str
    title: str
    unit: str
    digits: int = 1


METRICS = (
    Metric("down", "download", "MB/s"),
    Metric("up", "upload", "MB/s"),
    Metric("first_byte", "first byte, new stream", "ms", 2),
    Metric("setup", "set-up, from the pasted answer", "ms"),
    Metric("streams", "new streams, 32 at once", "1/s", 0),
    Metric("cpu_down", "processor, download, both ends", "ms/MB", 2),
    Metric("cpu_up", "processor, upload, both ends", "ms/MB", 2),
    Metric("memory", "memory of an idle stream, both ends", "KiB"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise of the project and whether it was kept."""

    promise: str
    found: str
    kept: bool


@dataclass(slots=True)
class Figures:
    """Samples by subject and metric."""

    samples: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, subject: str, key: str, value: float) -> None:
        """Keep one sample."""
        self.samples[subject][key].append(value)

    def median(self, subject: str, key: str) -> float | None:
        """The median, or None when nothing was measured."""
        found = self.samples.get(subject, {}).get(key)
        return statistics.median(found) if found else None

    def ratio(self, key: str, other: str) -> float | None:
        """Tunnel over another subject."""
        ours, theirs = self.median(TUNNEL, key), self.median(other, key)
        return ours / theirs if ours is not None and theirs else None

    def bars(self) -> list[Bar]:
        """The promises of the README that these figures can judge."""
        bars = []
        for key, what in (("down", "Download"), ("up", "Upload")):
            ratio = self.ratio(key, BARE)
            if ratio is not None:
                promise = f"{what} through the whole tunnel is at least 0.8 of the bare aiortc channel, same loop"
                bars.append(Bar(promise, f"{ratio:.2f}", ratio >= 0.8))
        ours, theirs = self.median(TUNNEL, "first_byte"), self.median(SSH, "first_byte")
        if ours is not None and theirs is not None:
            promise = "The first byte costs at most 5 ms more than through ssh -D"
            bars.append(Bar(promise, f"{ours - theirs:+.2f} ms", ours - theirs <= 5.0))
        return bars

    def show(self, console: Console) -> None:
        """The table, then the bars."""
        table = Table(title="Medians on this machine, loopback", title_justify="left")
        table.add_column("")
        for subject in SUBJECTS:
            table.add_column(subject, justify="right")
        table.add_column("tunnel/bare", justify="right")
        table.add_column("tunnel/ssh", justify="right")
        for metric in METRICS:
            cells = [_number(self.median(subject, metric.key), metric.digits) for subject in SUBJECTS]
            ratios = [_number(self.ratio(metric.key, other), 2) for other in (BARE, SSH)]
            table.add_row(f"{metric.title}, {metric.unit}", *cells, *ratios)
        console.print(table)
        for bar in self.bars():
            mark = "[green]kept[/]  " if bar.kept else "[red]missed[/]"
            console.print(f"{mark} {bar.promise}: {bar.found}", soft_wrap=True)

    def save(self, name: str) -> Path:
        """Write everything as JSON beside this file, and give its path."""
        content = {
            "machine": {
                "system": platform.system(),
                "processor": platform.machine(),
                "cores": os.cpu_count(),
                "python": platform.python_version(),
            },
            "versions": {each: _version(each) for each in ("mayfly-relay", "aiortc", "aioice", "uvloop")},
            "units": {metric.key: metric.unit for metric in METRICS},
            "medians": {s: {m.key: self.median(s, m.key) for m in METRICS} for s in self.samples},
            "samples": self.samples,
            "bars": [{"promise": bar.promise, "found": bar.found, "kept": bar.kept} for bar in self.bars()],
        }
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{name}.json"
        path.write_text(json.dumps(content, indent=1) + "\n")
        return path


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
