"""The options of relay and client for meeting at an onion service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mayfly_cli import endpoints, settings
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly_client.onion import OnionOptions

_PANEL = "Meeting at an onion service"

OfferOnion = Annotated[
    bool,
    typer.Option(
        "--offer-onion",
        help="Meet clients at an onion service, an address inside Tor, instead of pasting codes. It is made for this "
        "run; whoever has the address may come.",
        rich_help_panel=_PANEL,
    ),
]
Onion = Annotated[
    str | None,
    typer.Option(
        "--onion",
        metavar="ADDRESS",
        help="Meet the relay at this onion address, through tor, instead of pasting codes.",
        rich_help_panel=_PANEL,
    ),
]
TorSocks = Annotated[
    str | None,
    typer.Option(
        "--tor-socks",
        metavar="HOST:PORT",
        help="With --onion: the SOCKS port of the tor to use. Default: 127.0.0.1:9050 or :9150 if one answers there; "
        "else a tor is started.",
        rich_help_panel=_PANEL,
    ),
]
TorrcLine = Annotated[
    list[str] | None,
    typer.Option(
        "--torrc-line",
        metavar="LINE",
        help=f"With --onion: {settings.TORRC_LINE}",
        rich_help_panel=_PANEL,
    ),
]


def client_onion(values: Values) -> OnionOptions | None:
    """Where the client meets a relay, or None. Raises UsageError."""
    values.only_with(values.raw("onion") is not None, "--onion", "tor_socks", "torrc_line")
    if values.raw("onion") is None:
        return None
    from mayfly.onion.address import parse_onion  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly.tor.settings import TorSettings, torrc_line  # noqa: PLC0415
    from mayfly_client.onion import OnionOptions  # noqa: PLC0415

    return OnionOptions(
        address=values.one("onion", parse_onion, ""),
        socks=values.one("tor_socks", endpoints.host_port, None),
        tor=TorSettings(torrc=values.many("torrc_line", torrc_line)),
    )
