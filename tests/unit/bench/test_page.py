"""The table of speeds in core/CLAIMS.md is what the kept results say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.page import BEGIN, END, PAGE, table, written


def test_the_page_shows_the_kept_results() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page, table()), "write it anew: PYTHONPATH=core:tests .venv/bin/python -m bench.page"


def test_what_was_missed_is_said_and_what_was_not_measured_left_out(tmp_path: Path) -> None:
    promise = "first byte: tunnel / ssh -D"
    result = {
        "when": "2026-11-25T20:00:00+00:00",
        "machine": {"cores": 2},
        "promises": [
            {"promise": promise, "bound": 1.5, "found": 1.87, "kept": False, "samples": 5},
            {"promise": "small fetches a second: tunnel / ssh -D", "bound": 0.3, "found": None, "kept": None},
            {"promise": "of another time", "bound": 1, "found": 1, "kept": True},
        ],
    }
    for name in ("speed", "latest"):  # the latter is nobody's but this working copy's
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
    rows = table(tmp_path).strip().splitlines()[2:]
    source = "[speed](../tests/bench/results/speed.json), 2026-11-25, 2 cores"
    assert rows == [f"| {promise} | 1.87, **missed** | at most 1.5 | 5 | {source} |"]


def test_only_what_stands_between_the_marks_is_written() -> None:
    assert written(f"a{BEGIN}old{END}b", "new") == f"a{BEGIN}new{END}b"
    with pytest.raises(ValueError, match="no marks"):
        written("a page", "new")
