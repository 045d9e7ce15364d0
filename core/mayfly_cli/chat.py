"""`mayfly chat`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mayfly_cli import settings, sharing, terminals, units
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly.runtime.shutdown import Shutdown
    from mayfly_cli import running
    from mayfly_cli.attaching import Desk
    from mayfly_cli.pasting import Lines

HELP = (
    "Talk to whoever is connected.\n\n"
    "In the relay or client that runs here: a relay with several clients is a room. With a CODE, answers it; where "
    "nothing runs, prints a code and waits. A message is marked when it has arrived. /help lists the commands; "
    "Ctrl-D leaves. Through a pipe, every line is a message."
)

PATIENCE = 60.0
"""Seconds that a message may wait for somebody to be there, and for its receipts, unless --wait says otherwise."""

_TALK = "Talking"


def chat(
    ctx: typer.Context,
    *,
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            help="The other side's code, to answer it; - reads it from standard input.",
            show_default=False,
        ),
    ] = None,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Send the whole standard input as one message, wait until it has arrived, and leave.",
            rich_help_panel=_TALK,
        ),
    ] = False,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="NAME", help="What is piped in goes to this one alone.", rich_help_panel=_TALK),
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(
            "--wait",
            metavar="DURATION",
            help="How long piped messages may wait for somebody to be there, and for their receipts. Default: 1m.",
            rich_help_panel=_TALK,
        ),
    ] = None,
    session: sharing.Session = None,
    alone: sharing.Alone = False,
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
        patience = values.one("wait", settings.positive(units.duration), PATIENCE)
        attach = attaching.session(values, code=code)

        async def work(desk: Desk, lines: Lines, shutdown: Shutdown) -> int:
            from mayfly_cli.chatting import Chat  # noqa: PLC0415
            from mayfly_cli.people import People  # noqa: PLC0415

            talk = Chat(desk, teller, to=to, patience=patience)
            if isinstance(teller, People) and not once and terminals.can_ask() and terminals.can_show():
                from mayfly_cli.screenchat import at_terminal  # noqa: PLC0415

                return await at_terminal(talk, teller, shutdown)
            if source is None:
                return await talk.piped(lines, shutdown, once=once)
            from mayfly_cli.pasting import Lines  # noqa: PLC0415

            own = Lines(running.STANDARD_INPUT)  # the others hold what --codes names
            try:
                return await talk.piped(own, shutdown, once=once)
            finally:
                own.close()

        source = attaching.codes_descriptor(values, attach)
        return attaching.run(values, teller, work, attach=attach, code=code, codes_from=source)

    running.answer("chat", values, body)
