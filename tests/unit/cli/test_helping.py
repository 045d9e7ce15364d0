"""What --help shows of options that several commands share; its looks are held in test_main.py."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
import typer.main

from mayfly_cli.helping import RUNNING
from mayfly_cli.main import app

MEAN_MORE = {
    "--json": "some commands read codes as well",
    "--session": "status shows all without it",
    "--nick": "a relay has another default than a link of a command's own",
    "--grace": "each program says what it waits for",
    "--overwrite": "a relay and a client need --accept-into beside it",
    "--offer": "each names the command of the other side",
    "--to": "what is sent and what is said",
    "--torrc-line": "relay and client start a tor for different options",
}
"""Options that read differently in some commands, and why."""


def leaves() -> dict[str, Any]:
    root: Any = typer.main.get_command(app)
    found = {name: command for name, command in root.commands.items() if not hasattr(command, "commands")}
    return found | {f"code {name}": command for name, command in root.commands["code"].commands.items()}


def test_an_option_reads_the_same_wherever_it_is() -> None:
    texts: dict[str, set[tuple[str, str | None, str]]] = defaultdict(set)
    for command in leaves().values():
        for param in command.params:
            if param.param_type_name == "option":
                texts[param.opts[0]].add((param.help, param.metavar, str(param.rich_help_panel)))
    different = {option for option, readings in texts.items() if len(readings) > 1}
    assert different == set(MEAN_MORE)


@pytest.mark.parametrize("name", leaves())
def test_options_stand_in_panels_and_texts_are_sentences(name: str) -> None:
    command = leaves()[name]
    summary = command.help.partition("\n")[0]
    assert summary.endswith(".")
    assert len(summary) <= 66, "it fits on one line of `mayfly --help`"
    for param in command.params:
        assert param.help[0].isupper(), param.name
        assert param.help.endswith((".", ".)")), param.name
        if param.param_type_name == "option":
            assert param.rich_help_panel, param.name
            assert "Otherwise" not in param.help, "values have a Default:"
    assert command.params[-1].rich_help_panel == RUNNING
