"""What is kept of a run can be read again, and says what it rests on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.family import Bar, Family, Row, Run, median
from bench.figures import Figures
from bench.keep import load, save
from bench.show import verdicts


async def nothing(run: Run) -> None:
    """Measures nothing."""


def test_samples_medians_promises_and_the_machine_are_kept(tmp_path: Path) -> None:
    figures = Figures()
    for value in (3.0, 1.0, 2.0):
        figures.add("f", "ours", "down", value)
    figures.note("f", "no ssh")
    bars = (Bar("fast", median("f", "down", "ours"), 2, " MB/s"), Bar("other", median("f", "down", "nobody"), 1))
    family = Family("f", "a family", nothing, rows=(Row("down", "download", "MB/s"),), bars=bars)
    path = save("kept", [family], figures, verdicts([family], figures), {"arguments": ["--bars"]}, tmp_path)
    assert path == tmp_path / "kept.json"
    kept = json.loads(path.read_text())
    assert kept["families"]["f"] == {
        "units": {"down": "MB/s"},
        "medians": {"ours": {"down": 2.0}},
        "samples": {"ours": {"down": [3.0, 1.0, 2.0]}},
        "notes": ["no ssh"],
    }
    assert kept["promises"] == [
        {"promise": "fast", "bound": 2, "found": 2.0, "kept": True, "samples": 3, "enough": False},
        {"promise": "other", "bound": 1, "found": None, "kept": None, "samples": 0, "enough": False},
    ]
    assert kept["machine"]["cores"] and kept["machine"]["processor"] and kept["how"] == {"arguments": ["--bars"]}
    assert kept["versions"]["aiortc"]


def test_without_a_name_the_time_is_the_name(tmp_path: Path) -> None:
    assert save(None, [], Figures(), [], {}, tmp_path).name.startswith("20")


def test_kept_runs_are_read_together(tmp_path: Path) -> None:
    family = Family("f", "a family", nothing, rows=(Row("down", "download", "MB/s"),))
    for name, value in (("one", 1.0), ("two", 2.0)):
        figures = Figures()
        figures.add("f", "ours", "down", value)
        save(name, [family], figures, [], {}, tmp_path)
    assert load(["one", "two"], tmp_path).of("f", "ours", "down") == [1.0, 2.0]
    with pytest.raises(ValueError, match="no result called three"):
        load(["three"], tmp_path)
