"""`mayfly send`."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mayfly.errors import UsageError
from mayfly_cli import settings, sharing
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly.runtime.shutdown import Shutdown
    from mayfly_cli import running
    from mayfly_cli.attaching import Desk
    from mayfly_cli.pasting import Lines

HELP = (
    "Send files, directories, a program's output or a text.\n\n"
    "Through the relay or client that runs here, to whoever is connected to it. Where none runs, prints a code for "
    "`mayfly receive` and waits for the answer. Ends when the receiver has everything on disk, with all hashes "
    "checked. A transfer that was interrupted goes on where it was when the same command is given again. Keys while it "
    "runs: p pauses, r resumes, c cancels."
)

MAX_TEXT = 256 * 1024
"""Characters of --text; more is better sent as a file."""

MAX_NAMED = 20
"""Paths that are left out and named."""

_WHAT = "What and to whom"


def send(
    ctx: typer.Context,
    *,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH", help="Files and directories; - sends standard input as it comes.", show_default=False
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="Send this text.", rich_help_panel=_WHAT)
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="NAME",
            help="To this one: a name in the chat, or a number, as `mayfly status` shows them. Needed where several "
            "are connected.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    to_all: Annotated[
        bool,
        typer.Option(
            "--to-all",
            help="To all who are connected, each at its own pace; read from disk once.",
            rich_help_panel=_WHAT,
        ),
    ] = False,
    filename: Annotated[
        str | None,
        typer.Option(
            "--filename",
            metavar="NAME",
            help="The name to propose for standard input. Default: stdin.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    symlinks: Annotated[
        bool,
        typer.Option(
            "--symlinks",
            help="Send symbolic links as links. Without it they are left out, and named.",
            rich_help_panel=_WHAT,
        ),
    ] = False,
    session: sharing.Session = None,
    alone: sharing.Alone = False,
    code: Annotated[
        str | None,
        typer.Option(
            "--code",
            metavar="CODE",
            help="Answer the code that `mayfly receive --offer` has printed; - reads it from standard input.",
            rich_help_panel=sharing.WHICH,
        ),
    ] = None,
    codes: sharing.Codes = None,
    nick: sharing.OwnNick = None,
    bind: settings.Bind = None,
    stun: settings.Stun = None,
    turn: settings.Turn = None,
    ip_policy: settings.Policy = None,
    dtls_role: settings.Role = None,
    engine: settings.EngineName = None,
    ordered: settings.Ordered = False,
    json: settings.JsonFlag = False,
    config: settings.Config = None,
    loop: settings.LoopName = None,
    unsafe_logging: settings.UnsafeLogging = False,
    verbose: settings.Verbose = False,
) -> None:
    """The command: options in, exit code out."""
    from mayfly_cli import attaching, running  # noqa: PLC0415 - `mayfly --help` must not pay for it

    values = Values(ctx)

    def body(teller: running.Teller) -> int:
        goods = chosen(values)
        attach = attaching.session(values, code=code)

        async def work(desk: Desk, _: Lines, shutdown: Shutdown) -> int:
            return await goods.send(desk, teller, shutdown)

        source = attaching.codes_descriptor(values, attach, input_is_data=goods.standard_input)
        return attaching.run(values, teller, work, attach=attach, code=code, codes_from=source)

    running.answer("send", values, body)


@dataclass(frozen=True, slots=True)
class Goods:
    """What is sent, as the members of a `send` request."""

    members: dict[str, Any]
    standard_input: bool

    async def send(self, desk: Desk, teller: running.Teller, shutdown: Shutdown) -> int:
        """Offer it, and follow the transfers to their end; gives the exit code."""
        from mayfly_cli.following import Following  # noqa: PLC0415 - `mayfly --help` must not pay for it
        from mayfly_cli.running import STANDARD_INPUT  # noqa: PLC0415

        extra = {"fds": [STANDARD_INPUT]} if self.standard_input else {}
        following = Following(desk, teller, shutdown, keys=None if self.standard_input else STANDARD_INPUT)
        reply = await desk.request("send", **self.members, **extra)
        for transfer, peer, _ in offered(reply, teller):
            following.add(transfer, peer)
        return await following.to_the_end()


def offered(reply: dict[str, Any], teller: running.Teller) -> list[tuple[str, int, str]]:
    """Tell people what a reply to `send` says; gives the id, the peer and the receiver's name of each transfer."""
    from mayfly_cli.people import People  # noqa: PLC0415 - `mayfly --help` must not pay for it

    _tell_left_out(reply, teller)
    begun = [(str(entry["transfer"]), int(entry["peer"]), str(entry["to"])) for entry in reply["transfers"]]
    if isinstance(teller, People):
        for transfer, peer, who in begun:
            teller.conversation.offered_by_us(transfer, peer, reply["name"], who, reply["total"])
    return begun


def _tell_left_out(reply: dict[str, Any], teller: running.Teller) -> None:
    """Name the symbolic links that a reply to `send` says are left out."""
    from mayfly.runtime.events import Warned  # noqa: PLC0415 - `mayfly --help` must not pay for it

    names = [str(name) for name in reply["left_out"]]
    if names:
        more = ", …" if len(names) > MAX_NAMED else ""
        teller.report(
            Warned(
                "transfer",
                f"Left out, because they are symbolic links or no files: {', '.join(names[:MAX_NAMED])}{more}.",
                "--symlinks sends links as links.",
            )
        )


def chosen(values: Values) -> Goods:
    """What the options say is to be sent. Raises UsageError."""
    paths = [str(path) for path in values.raw("paths") or ()]
    text = values.raw("text")
    if bool(paths) == (text is not None):
        raise UsageError(
            "Say what to send: paths, or - for standard input, or --text.",
            hint="For example: `mayfly send photo.jpg`, or `mayfly send --text hello`.",
        )
    if values.raw("to") is not None and values.raw("to_all"):
        raise settings.exclude_each_other("--to", "--to-all")
    members: dict[str, Any] = {}
    for name, member in (("to", "to"), ("to_all", "all"), ("symlinks", "symlinks")):
        if values.raw(name):
            members[member] = values.raw(name)
    if text is not None:
        if not text or len(text) > MAX_TEXT:
            raise UsageError(
                f"--text takes 1 to {MAX_TEXT} characters.", hint="Send a longer text as a file, or with -."
            )
        return Goods({**members, "text": text}, standard_input=False)
    if "-" in paths:
        if len(paths) > 1:
            raise UsageError("- stands alone: standard input is one stream.", hint="Send the files by another command.")
        name = values.raw("filename") or "stdin"
        return Goods({**members, "name": name}, standard_input=True)
    if values.raw("filename") is not None:
        raise UsageError("--filename is for standard input alone; files keep their names.", hint="Leave it out.")
    return Goods({**members, "paths": absolute(paths)}, standard_input=False)


def absolute(paths: list[str]) -> list[str]:
    """The paths, absolute, with symbolic links in them kept. Raises UsageError for one that cannot be sent.

    What is below a directory is looked at when somebody is there to take it.
    """
    found = [os.path.abspath(path) for path in paths]  # noqa: PTH100 - Path.resolve would follow links
    for given, path in zip(paths, found, strict=True):
        try:
            mode = Path(path).stat().st_mode
        except PermissionError:
            mode = 0  # and it cannot be read either
        except OSError:  # also a link that leads nowhere, or round
            raise UsageError(f"There is no {given!r} here.", hint="Correct the path.") from None
        if not os.access(path, os.R_OK):
            raise UsageError(f"{given!r} cannot be read.", hint="Change its permissions, or leave it out.")
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise UsageError(
                f"{given!r} is neither a file nor a directory.", hint="`mayfly send -` sends what comes out of a pipe."
            )
    return found
