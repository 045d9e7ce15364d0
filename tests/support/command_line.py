"""The command `mayfly` as tests see it: its commands, their options, and an environment in which it is started."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import typer.main

from mayfly_cli.main import app
from support.programs import ROOT

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("MAYFLY_")},
    "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("core", "relay", "client", "broker_optional")),
    "COLUMNS": "80",
}
"""Everything of this computer's but settings of ours, with the sources in place of an installed package."""


@cache
def commands() -> dict[str, Any]:
    """Each command that has options of its own, by the words that call it."""
    root: Any = typer.main.get_command(app)
    found = {"": root}
    for name, command in root.commands.items():
        below = getattr(command, "commands", None)
        found |= {name: command} if below is None else {f"{name} {inner}": one for inner, one in below.items()}
    return found


def options(command: str) -> set[str]:
    """The long options of a command."""
    params = commands()[command].params
    names = {name for param in params for name in (*param.opts, *param.secondary_opts) if name.startswith("--")}
    return names | {"--help"}
