"""Writes the man pages in deploy/man from the same options that --help shows: `make man`.

One page for each command. The pages hold no version, and as their date that of the last release, so that they change
only when what they say does, or with a release.
click-man cannot read these commands: Typer has its own copy of click.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import typer.main

from mayfly.errors import ExitCode
from mayfly_cli.main import app

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/man"

_CONFIG = ("~/.config/mayfly/config.toml", "Defaults for options, unless --config or MAYFLY_CONFIG names another file.")
_FILES = (
    _CONFIG,
    ("$XDG_RUNTIME_DIR/mayfly/", "One socket for each running program, over which the other commands use it."),
    ("~/.local/state/mayfly/tor/", "What a tor that a relay starts keeps for its next run."),
)


def pages() -> dict[str, str]:
    """The text of each page, by the name of its file."""
    root: Any = typer.main.get_command(app)
    found = {"mayfly.1": _root_page(root)}
    for words, command in _commands(root, "mayfly"):
        found[f"{words.replace(' ', '-')}.1"] = _command_page(words, command)
    return found


def _commands(group: Any, words: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{words} {name}")
        else:
            yield f"{words} {name}", command


def _root_page(root: Any) -> str:
    summary, *paragraphs = root.help.split("\n\n")
    commands = [(f"`{words}`", command.help.partition("\n")[0]) for words, command in _commands(root, "mayfly")]
    codes = [(f"`{code.value}`", f"{code.meaning} {code.remedy}".removesuffix(" Nothing.")) for code in ExitCode]
    return _joined(
        _head("mayfly", summary),
        *_section("SYNOPSIS", "`mayfly` COMMAND [OPTIONS] [ARGUMENTS]"),
        *_section("DESCRIPTION", *paragraphs, "An error names its stage, what failed, and the next step."),
        *_list("COMMANDS", commands),
        ".SH OPTIONS",
        *_options(root),
        *_list("EXIT STATUS", codes),
        *_list("FILES", list(_FILES)),
        *_see_also("mayfly", [words for words, _ in _commands(root, "mayfly")]),
    )


def _command_page(words: str, command: Any) -> str:
    summary, *paragraphs = re.sub(r"(?<!\n)\n(?!\n)", " ", command.help).split("\n\n")
    context = command.context_class(command)
    usage = " ".join(str(piece) for piece in command.collect_usage_pieces(context))
    arguments = [(f"_{param.metavar}_", str(param.help)) for param in _params(command, "argument")]
    brief = ", ".join(f"{code.value} {code.brief}" for code in ExitCode)
    configured = any(param.name == "config" for param in command.params)
    return _joined(
        _head(words, summary),
        *_section("SYNOPSIS", f"`{words}` {usage}"),
        *_section("DESCRIPTION", *(paragraphs or [summary])),
        *(_list("ARGUMENTS", arguments) if arguments else ()),
        ".SH OPTIONS",
        *_options(command),
        *_section("EXIT STATUS", f"{brief}.", "See `mayfly`(1) for what to do about each."),
        *_list("ENVIRONMENT", _variables(command)),
        *(_list("FILES", [_CONFIG]) if configured else ()),
        *_see_also(words, ["mayfly"]),
    )


def _params(command: Any, kind: str) -> list[Any]:
    context = command.context_class(command, help_option_names=["-h", "--help"])
    return [param for param in command.get_params(context) if param.param_type_name == kind]


def _options(command: Any) -> Iterator[str]:
    for panel, params in groupby(_params(command, "option"), lambda param: param.rich_help_panel):
        if panel is not None:
            yield f".SS {panel}"
        for param in params:
            short_first = sorted(param.opts, key=lambda name: name.startswith("--"))
            names = ", ".join(f"`{name}`" for name in (*short_first, *param.secondary_opts))
            yield from _item(f"{names} _{param.metavar}_" if param.metavar else names, str(param.help))


def _variables(command: Any) -> list[tuple[str, str]]:
    prefix = command.context_settings["auto_envvar_prefix"]
    options = [param for param in _params(command, "option") if param.name != "help"]
    return [(f"`{param.envvar or f'{prefix}_{param.name.upper()}'}`", f"As {param.opts[0]}.") for param in options]


# roff


def _head(words: str, summary: str) -> str:
    name = words.replace(" ", "-")
    text = summary[0].lower() + summary[1:].removesuffix(".")
    return f'.TH "{name.upper()}" 1 "{_released()}" "Mayfly" "Mayfly"\n.SH NAME\n{name} \\- {_text(text)}'


@cache
def _released() -> str:
    """The day of the last release."""
    found = re.search(
        r"^## \d.* - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert found, "CHANGELOG.md names no release"
    return found[1]


def _section(title: str, *paragraphs: str) -> Iterator[str]:
    yield f".SH {title}"
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        yield _text(paragraph)


def _list(title: str, items: list[tuple[str, str]]) -> Iterator[str]:
    yield f".SH {title}"
    for term, meaning in items:
        yield from _item(term, meaning)


def _item(term: str, meaning: str) -> Iterator[str]:
    yield ".TP"
    yield _text(term)
    yield _text(meaning)


def _see_also(words: str, others: list[str]) -> Iterator[str]:
    names = [f"`{other.replace(' ', '-')}`(1)" for other in others if other != words]
    yield from _section("SEE ALSO", f"{', '.join(names)}.", "README.md and core/CATALOGUE.md in the source of Mayfly.")


def _text(text: str) -> str:
    """Plain text as roff: `bold` and _italic_ words, hyphens that can be searched for, one sentence on a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", text)
    text = re.sub(r"(?<![A-Z\w])_([A-Z][A-Z:/]*)_", r"\\fI\1\\fR", text)
    lines = re.sub(r"(?<=[.:;]) (?=[A-Z\\])", "\n", text).split("\n")
    return "\n".join(f"\\&{line}" if line[0] in ".'" else line for line in lines)


def _joined(*parts: str) -> str:
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.1"):
        old.unlink()
    for file, page in pages().items():
        (FOLDER / file).write_text(page, encoding="ascii")
    sys.stdout.write(f"wrote {len(pages())} pages\n")
