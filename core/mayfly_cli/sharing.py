"""The options that have to do with chat, files and running programs, and that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly.services.options import HubOptions

WHICH = "Which program"
_SERVICES = "Chat, files and commands"
_PARTS = {"send": "sender", "receive": "receiver"}

Session = Annotated[
    str | None,
    typer.Option(
        "--session",
        metavar="NAME",
        help="Use this running program; `mayfly status` lists the names. Default: the only one that runs.",
        rich_help_panel=WHICH,
    ),
]
Alone = Annotated[
    bool,
    typer.Option(
        "--alone",
        help="Use no running program: exchange codes, for a link of this command's own.",
        rich_help_panel=WHICH,
    ),
]
Codes = Annotated[
    str | None,
    typer.Option(
        "--codes",
        metavar="FILE",
        help="Read the other side's code from this file or named pipe. Default: standard input, or the terminal where "
        "standard input is what is sent.",
        rich_help_panel=WHICH,
    ),
]
OwnNick = Annotated[
    str | None,
    typer.Option(
        "--nick",
        metavar="NAME",
        help="What the others call us, on a link of this command's own. Default: sender or "
        "receiver; in a chat host for whoever makes the first code, guest for the other.",
        rich_help_panel=WHICH,
    ),
]
Nick = Annotated[
    str | None,
    typer.Option(
        "--nick",
        metavar="NAME",
        help="What the others call us in the chat. Default: relay or client.",
        rich_help_panel=_SERVICES,
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="What commands call this program, as in `mayfly chat --session NAME`. Default: relay or client, with a "
        "number where that is taken.",
        rich_help_panel=_SERVICES,
    ),
]
AcceptInto = Annotated[
    str | None,
    typer.Option(
        "--accept-into",
        metavar="DIR",
        help="Take all files that are offered, without asking, and store them in this directory. Without it, `mayfly "
        "receive` or `mayfly chat` takes them.",
        rich_help_panel=_SERVICES,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="With --accept-into: replace files of the same name.", rich_help_panel=_SERVICES),
]
NoControl = Annotated[
    bool,
    typer.Option(
        "--no-control",
        help="Let no command use this program: no chat, no transfers, no status.",
        rich_help_panel=_SERVICES,
    ),
]


def hub_options(values: Values) -> HubOptions:
    """What a relay or a client offers to commands. Raises UsageError."""
    from mayfly.services.options import HubOptions  # noqa: PLC0415 - `mayfly --help` must not pay for it

    return HubOptions(
        control=not values.raw("no_control"),
        session=values.one("name", session_name, None),
        user=values.one("nick", nickname, None),
        accept_into=values.one("accept_into", directory, None),
        overwrite=bool(values.raw("overwrite")),
    )


def own_hub_options(values: Values, *, answers: bool) -> HubOptions:
    """The same for a link of a command's own; `answers` says that the code is the other side's. Raises UsageError."""
    from mayfly.services.options import HubOptions  # noqa: PLC0415 - `mayfly --help` must not pay for it

    part = _PARTS.get(values.command) or ("guest" if answers else "host")
    return HubOptions(user=values.one("nick", nickname, part))


def session_name(text: str) -> str:
    """A name for `--session`. Raises ControlError."""
    from mayfly.runtime.control_socket import check_name  # noqa: PLC0415 - `mayfly --help` must not pay for it

    return check_name(text)


def nickname(text: str) -> str:
    """A name for the chat. Raises ValueError."""
    if not text.strip() or len(text) > 64 or not text.isprintable():
        raise ValueError("is not a name of 1 to 64 visible characters")
    return text.strip()


def directory(text: str) -> Path:
    """A directory that can be written to, as an absolute path. Raises ValueError."""
    path = Path(text).expanduser().absolute()
    if not path.is_dir():
        raise ValueError("names no directory that exists; make it first")
    if not os.access(path, os.W_OK | os.X_OK):
        raise ValueError("is a directory that cannot be written to")
    return path
