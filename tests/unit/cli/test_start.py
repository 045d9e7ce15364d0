"""The entry point: it takes the signals before it loads what takes time."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from support.command_line import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[3]


def test_it_is_what_the_installed_command_calls() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"mayfly": "mayfly_cli.start:main"}


def test_it_loads_next_to_nothing_before_it_takes_the_signals() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import mayfly_cli.start"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "mayfly_cli.interrupts" in loaded
    assert not loaded & {"typer", "rich", "asyncio", "dataclasses", "mayfly", "mayfly_cli.main"}
