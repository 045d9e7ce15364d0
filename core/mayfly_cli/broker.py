"""`mayfly broker`."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mayfly.errors import UsageError
from mayfly_cli import endpoints, settings, units
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly_broker.options import BrokerOptions, Place, Tls
    from mayfly_broker.prefixes import Network
    from mayfly_cli import running

HELP = (
    "Run a broker: a meeting point for relays and clients.\n\n"
    "It introduces them to each other and carries nothing else: what they say is sealed, and their traffic never comes "
    "here. Ctrl-C leaves politely, a second one at once."
)

_SERVER = "The server"
_LIMITS = "Limits"


def broker(
    ctx: typer.Context,
    *,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            help="Where to listen; unix:/PATH for a Unix socket behind a reverse proxy. Default: 127.0.0.1:8040.",
            rich_help_panel=_SERVER,
        ),
    ] = None,
    tls_cert: Annotated[
        str | None,
        typer.Option(
            "--tls-cert", metavar="FILE", help="Serve TLS with this certificate (PEM).", rich_help_panel=_SERVER
        ),
    ] = None,
    tls_key: Annotated[
        str | None,
        typer.Option("--tls-key", metavar="FILE", help="The certificate's key (PEM).", rich_help_panel=_SERVER),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy",
            metavar="NETWORK",
            help="A reverse proxy, as an address or a network, whose X-Forwarded-For is believed. Repeatable. "
            "Without it everybody behind a proxy shares one network's limits.",
            rich_help_panel=_SERVER,
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="Where postings are kept: memory, or redis://HOST:PORT/DB (rediss://, unix://) for several brokers at "
            "once. Default: memory.",
            rich_help_panel=_SERVER,
        ),
    ] = None,
    metrics_listen: Annotated[
        str | None,
        typer.Option(
            "--metrics-listen",
            metavar="HOST:PORT",
            help="Serve /metrics there. Default: beside everything else.",
            rich_help_panel=_SERVER,
        ),
    ] = None,
    access_log: Annotated[
        bool,
        typer.Option(
            "--access-log",
            help="Write a line for each request to standard error: time taken, method, operation, status; no address.",
            rich_help_panel=_SERVER,
        ),
    ] = False,
    max_postings: Annotated[
        str | None,
        typer.Option(
            "--max-postings", metavar="N", help="Relays that wait at once. Default: 20000.", rich_help_panel=_LIMITS
        ),
    ] = None,
    prefix_postings: Annotated[
        str | None,
        typer.Option(
            "--prefix-postings",
            metavar="N",
            help="Relays of one network (/24 or /48) at once. Default: 64.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    prefix_matches: Annotated[
        str | None,
        typer.Option(
            "--prefix-matches",
            metavar="N",
            help="Clients of one network that are being matched at once. Default: 64.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    prefix_claims: Annotated[
        str | None,
        typer.Option(
            "--prefix-claims",
            metavar="N",
            help="Short codes that one network may try in a minute, right or wrong. Default: 10.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    prefix_rate: Annotated[
        str | None,
        typer.Option(
            "--prefix-rate",
            metavar="N/s",
            help="Requests of one network in a second, after a burst of ten times as many. Default: 20/s.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    prefix_connections: Annotated[
        str | None,
        typer.Option(
            "--prefix-connections",
            metavar="N",
            help="Connections of one network at once. Default: 512.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    grace: Annotated[
        str | None,
        typer.Option(
            "--grace",
            metavar="DURATION",
            help="How long open matches may go on when the broker leaves. Default: 10s.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    json: settings.JsonOutput = False,
    config: settings.Config = None,
    loop: settings.LoopName = None,
    verbose: settings.Verbose = False,
) -> None:
    """The command: options in, exit code out."""
    from mayfly_cli import running  # noqa: PLC0415 - `mayfly --help` must not pay for it

    values = Values(ctx)

    def body(teller: running.Teller) -> int:
        from mayfly_cli import serving  # noqa: PLC0415 - loads aiohttp

        return serving.serve(options(values), values, teller)

    running.answer("broker", values, body)


def options(values: Values) -> BrokerOptions:
    """What the command line, the variables and the file say. Raises UsageError."""
    from mayfly_broker.config import BrokerConfig  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly_broker.options import BrokerOptions  # noqa: PLC0415

    usual, standard = BrokerConfig(), BrokerOptions()
    rate = values.one("prefix_rate", settings.per_second, usual.prefix_rate)
    limits = replace(
        usual,
        max_postings=values.one("max_postings", settings.count, usual.max_postings),
        prefix_postings=values.one("prefix_postings", settings.count, usual.prefix_postings),
        prefix_matches=values.one("prefix_matches", settings.count, usual.prefix_matches),
        prefix_claims=values.one("prefix_claims", settings.count, usual.prefix_claims),
        prefix_connections=values.one("prefix_connections", settings.count, usual.prefix_connections),
        prefix_rate=rate,
        prefix_burst=10 * rate,
        drain=values.one("grace", units.duration, usual.drain),
    )
    return BrokerOptions(
        listen=values.one("listen", place, standard.listen),
        metrics=values.one("metrics_listen", place, None),
        tls=_tls(values),
        trusted=values.many("trusted_proxy", network),
        store=values.one("store", store_url, standard.store),
        access_log=bool(values.raw("access_log")),
        config=limits,
    )


def place(text: str) -> Place:
    """`HOST:PORT` or `unix:/PATH`. Raises ValueError."""
    from mayfly_broker.options import Place  # noqa: PLC0415

    kind, colon, path = text.strip().partition(":")
    if kind == "unix" and colon:
        if not path.startswith("/") or len(path.encode()) > 100:
            raise ValueError("is not unix: and an absolute path of at most 100 bytes")
        return Place(path=Path(path))
    host, port = endpoints.host_port(text)
    return Place(host, port)


def network(text: str) -> Network:
    """An address or a network. Raises ValueError."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError("is not an address, nor a network such as 10.0.0.0/8") from None


def store_url(text: str) -> str:
    """`memory`, or a URL that a Redis client takes. Raises ValueError, without a password that it may hold."""
    text = text.strip()
    if text != "memory" and not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("is neither memory nor the URL of a Redis (redis://HOST:PORT/DB)")
    return text


def _tls(values: Values) -> Tls | None:
    from mayfly_broker.options import Tls  # noqa: PLC0415

    cert, key = (values.one(name, lambda text: Path(text).expanduser(), None) for name in ("tls_cert", "tls_key"))
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        given, missing = ("tls_cert", "--tls-key") if key is None else ("tls_key", "--tls-cert")
        raise UsageError(f"{values.source(given)}: TLS needs {missing} too.", hint="Give both files, or neither.")
    return Tls(cert, key)
