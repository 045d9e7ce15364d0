"""`mayfly pt`, which tor runs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mayfly.errors import ExitCode, MayflyError
from mayfly.pt import environment, lines
from mayfly.pt.errors import PtError, VariableError
from mayfly_cli import settings, terminals
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from mayfly_client.pt.app import PtOptions
    from mayfly_client.pt.teller import Tor

HELP = (
    "Carry tor's connections through relays. Run by tor itself.\n\n"
    "In the torrc: `ClientTransportPlugin mayfly exec /path/to/mayfly pt`, with the options below behind it, and a "
    "line `Bridge mayfly 192.0.2.1:1 code=CODE` with a relay's code."
)

_STANDARD_INPUT = 0
_NO_SERVER = (
    "a relay in front of a bridge is started on its own: "
    "mayfly relay --upstream bridge://ADDRESS:ORPORT --ext-or-port ADDRESS:PORT --ext-or-cookie FILE"
)
_BY_HAND = (
    "This command is run by tor, not by hand. Put `ClientTransportPlugin mayfly exec {program} pt` into its torrc."
)


def pt(
    ctx: typer.Context,
    *,
    links_around_proxy: Annotated[
        bool,
        typer.Option(
            "--links-around-proxy",
            help="Where tor is set to use a proxy: ask brokers through it, and make links past it. Without it, such a "
            "proxy is refused, for it carries no UDP.",
            rich_help_panel="The way to relays",
        ),
    ] = False,
    bind: settings.Bind = None,
    stun: settings.Stun = None,
    turn: settings.Turn = None,
    ip_policy: settings.Policy = None,
    dtls_role: settings.Role = None,
    engine: settings.EngineName = None,
    ordered: settings.Ordered = False,
    config: settings.Config = None,
    loop: settings.LoopName = None,
) -> None:
    """The command: tor's variables in, protocol lines out."""
    from mayfly_cli.loop import run  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly_client.pt.teller import Tor  # noqa: PLC0415

    values = Values(ctx)
    if terminals.can_show():
        sys.stderr.write(_BY_HAND.format(program=sys.argv[0]) + "\n")
    try:
        choice = settings.loop(values)
        run(_run(lambda: _options(values), Tor(sys.stdout)), choice)
    except MayflyError as error:
        fail(error)
        raise typer.Exit(error.exit_code) from None
    raise typer.Exit(ExitCode.OK)


def started_by_tor() -> bool:
    """Whether it is tor that reads what is said."""
    return environment.VERSIONS in os.environ


def fail(error: MayflyError) -> None:
    """Tell tor why there is no transport. Of what is written to standard error, tor's user sees nothing."""
    from mayfly.runtime.events import Warned  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly_client.pt.teller import Tor  # noqa: PLC0415

    said = Warned.of(error)
    wrong = error if isinstance(error, PtError) else VariableError(said.message, hint=said.hint)
    Tor(sys.stdout).say(lines.failure(wrong))


def _options(values: Values) -> PtOptions:
    """What stands in the torrc behind `mayfly pt`. Raises UsageError."""
    from mayfly_client.pt.app import PtOptions  # noqa: PLC0415 - `mayfly --help` must not pay for it

    return PtOptions(
        link=settings.link_settings(values),
        engine=settings.engine(values),
        links_around_proxy=bool(values.raw("links_around_proxy")),
    )


async def _run(options: Callable[[], PtOptions], tor: Tor) -> None:
    import asyncio  # noqa: PLC0415 - `mayfly --help` must not pay for it

    from mayfly.runtime.shutdown import Shutdown  # noqa: PLC0415
    from mayfly_client.pt.app import run_client  # noqa: PLC0415

    shutdown = Shutdown()
    shutdown.install(asyncio.get_running_loop())
    tor.on_gone(shutdown.request_stop)
    try:
        tor.say(lines.version(environment.negotiate(os.environ)))
        match environment.parse(os.environ):
            case environment.ClientSettings() as chosen:
                await run_client(chosen, options(), tor, shutdown, _STANDARD_INPUT)
            case environment.ServerRefused(transports):
                _refuse_server(transports, tor)
    finally:
        shutdown.finish()


def _refuse_server(transports: tuple[str, ...], tor: Tor) -> None:
    """A relay is no server that waits on a port: a person starts it, for a time, and knows who comes."""
    if environment.TRANSPORT in transports:
        tor.say(lines.smethod_error(environment.TRANSPORT, _NO_SERVER))
    tor.say(lines.SMETHODS_DONE)
