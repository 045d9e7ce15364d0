"""The order of --allow and --deny on the command line."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.testing import CliRunner

from mayfly_cli.ordered import RULES, OrderedCommand

app = typer.Typer()


@app.command(cls=OrderedCommand)
def show(
    ctx: typer.Context,
    allow: Annotated[list[str] | None, typer.Option("--allow")] = None,
    deny: Annotated[list[str] | None, typer.Option("--deny")] = None,
    other: Annotated[list[str] | None, typer.Option("--other")] = None,
) -> None:
    typer.echo(" ".join(f"{name}={value}" for name, value in ctx.meta[RULES]))
    typer.echo(f"{list(allow or [])} {list(deny or [])} {list(other or [])}")


def run(*args: str) -> list[str]:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_the_mixed_order_is_kept() -> None:
    lines = run("--deny", "a", "--other", "x", "--allow=b", "--deny", "c", "--allow", "d", "--allow", "e")
    assert lines == ["deny=a allow=b deny=c allow=d allow=e", "['b', 'd', 'e'] ['a', 'c'] ['x']"]


def test_without_rules_there_are_none() -> None:
    assert run() == ["", "[] [] []"]


def test_an_error_of_the_first_parse_is_the_usual_one() -> None:
    result = CliRunner().invoke(app, ["--allow"])
    assert result.exit_code == 2
    assert "requires an argument" in result.output
