"""Results as JSON, each with the machine that they come from."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from bench.family import Family
from bench.figures import Figures
from bench.show import Verdict

RESULTS = Path(__file__).with_name("results")
LATEST = "latest"
"""The name of a result that git ignores."""
VERSIONS = ("mayfly-relay", "aiortc", "aioice", "uvloop", "wrtc", "cryptography")


def save(
    name: str | None,
    families: list[Family],
    figures: Figures,
    found: list[Verdict],
    how: dict[str, Any],
    folder: Path = RESULTS,
) -> Path:
    """Write everything as JSON beside this file, and give its path. Without a name the time is its name."""
    now = datetime.now(UTC)
    content = {
        "when": now.isoformat(timespec="seconds"),
        "commit": commit(),
        "how": how,
        "machine": machine(),
        "versions": {each: _version(each) for each in VERSIONS},
        "families": {family.name: _family(family, figures) for family in families},
        "promises": [
            {
                "promise": each.bar.promise,
                "bound": each.bar.bound,
                "found": each.found.value if each.found else None,
                "kept": each.kept,
                "samples": each.found.samples if each.found else 0,
                "enough": each.judged,
            }
            for each in found
        ],
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{name or now.strftime('%Y-%m-%d-%H%M')}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def load(names: Iterable[str], folder: Path = RESULTS) -> Figures:
    """The samples of earlier runs together. Raises ValueError for a name that none has."""
    figures = Figures()
    for name in names:
        path = folder / f"{name}.json"
        if not path.exists():
            raise ValueError(f"there is no result called {name}")
        for family, content in json.loads(path.read_text())["families"].items():
            for subject, rows in content["samples"].items():
                for row, values in rows.items():
                    figures.samples[family][subject][row] += values
    return figures


def commit() -> str | None:
    """What was measured, where git knows it."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(
        [git, "describe", "--always", "--dirty"], cwd=RESULTS.parent, capture_output=True, check=False
    )
    return done.stdout.decode().strip() or None


def machine() -> dict[str, Any]:
    """What ran it, as far as it matters for speed."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _family(family: Family, figures: Figures) -> dict[str, Any]:
    subjects = figures.subjects(family.name)
    return {
        "units": {row.key: row.unit for row in family.rows},
        "medians": {s: {r.key: figures.median(family.name, s, r.key) for r in family.rows} for s in subjects},
        "samples": {subject: figures.samples[family.name][subject] for subject in subjects},
        "notes": figures.notes.get(family.name, []),
    }


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
