"""The options that have to do with brokers, and that several commands share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from mayfly.errors import UsageError
from mayfly_cli import endpoints
from mayfly_cli.settings import Values, completing, one_of

if TYPE_CHECKING:
    from mayfly.rendezvous.address import BrokerAddress
    from mayfly.runtime.broker.options import BrokerOptions, Wish

_BROKER = "Meeting through a broker"
UPSTREAMS = ("direct", "socks", "http", "tor", "bridge")
_PROXY = re.compile(r"(?P<scheme>socks5|http)://(?:(?P<user>[^:@/]+):(?P<password>[^@/]*)@)?(?P<place>[^@/]+)/?")


Broker = Annotated[
    list[str] | None,
    typer.Option(
        "--broker",
        metavar="URL",
        help="Meet through this broker instead of pasting codes: https://HOST, with :PORT and /PATH if need be. "
        "Repeatable; they are tried in this order.",
        rich_help_panel=_BROKER,
    ),
]
BrokerProxy = Annotated[
    str | None,
    typer.Option(
        "--broker-proxy",
        metavar="URL",
        help="Reach the brokers through this proxy: socks5://HOST:PORT or http://HOST:PORT, with USER:PASSWORD@ before "
        "HOST if need be. The link does not go through it.",
        rich_help_panel=_BROKER,
    ),
]
BrokerFront = Annotated[
    str | None,
    typer.Option(
        "--broker-front",
        metavar="HOST",
        help="For a broker that is hosted behind this name of a large service: whoever watches the line sees this name "
        "alone, in DNS and in TLS, and the service passes on to the broker what the Host header inside asks for.",
        rich_help_panel=_BROKER,
    ),
]
BrokerPlain = Annotated[
    bool,
    typer.Option(
        "--broker-plain",
        help="Let a broker's URL begin with http://, without encryption, on a network too; everybody on the way can "
        "then read who meets whom.",
        rich_help_panel=_BROKER,
    ),
]
Public = Annotated[
    bool,
    typer.Option(
        "--public",
        help="Let the broker hand this relay to strangers. Without it, a short code for a friend is shown.",
        rich_help_panel=_BROKER,
    ),
]
Want = Annotated[
    str | None,
    typer.Option(
        "--want",
        metavar="UPSTREAM",
        autocompletion=completing(*UPSTREAMS),
        help=f"Take only relays that send connections on in this way: {', '.join(UPSTREAMS)}.",
        rich_help_panel=_BROKER,
    ),
]
WantPort = Annotated[
    str | None,
    typer.Option(
        "--want-port",
        metavar="PORT",
        help="Take only relays that serve this port and those of its kind (web, mail, chat, high, low).",
        rich_help_panel=_BROKER,
    ),
]
Relays = Annotated[
    str | None,
    typer.Option(
        "--relays",
        metavar="N",
        help="Keep links to so many of the relays that wait at the broker, 1 to 8, and spread connections over them. "
        "Default: 2.",
        rich_help_panel=_BROKER,
    ),
]


def broker_options(values: Values) -> BrokerOptions | None:
    """The brokers, or None where none is given. Raises UsageError."""
    from mayfly.rendezvous.address import parse  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly.runtime.broker.options import BrokerOptions  # noqa: PLC0415

    plain = bool(values.raw("broker_plain"))

    def address(text: str) -> BrokerAddress:
        return parse(text, plain=plain, otherwise=", or --broker-plain if it must be")

    brokers = values.many("broker", address)
    proxy = values.one("broker_proxy", proxy_url, None)
    front = values.one("broker_front", front_host, None)
    if not brokers:
        return None
    if front is not None and any(broker.url.startswith("http:") for broker in brokers):
        raise UsageError(
            f"{values.source('broker_front')}: a front is for brokers with https:// alone.",
            hint="Leave one of them out.",
        )
    return BrokerOptions(brokers=brokers, proxy=proxy, front=front)


def strangers_come(values: Values) -> bool:
    """Whether a relay or a client meets those that a broker introduces, and not one person whom it knows.

    `public` in a variable or the file waits for a run with a broker, and says nothing of one without.
    """
    if not values.raw("broker"):
        return False
    return bool(values.raw("public")) if values.command == "relay" else values.raw("code") is None


def wish(values: Values) -> Wish:
    """What a relay of the pool should offer. Raises UsageError."""
    from mayfly.rendezvous.ports import class_of  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly.runtime.broker.options import Wish  # noqa: PLC0415

    upstream = values.one("want", one_of(*UPSTREAMS), None)
    port = values.one("want_port", port_number, None)
    return Wish(upstream=upstream, serves=None if port is None else class_of(port))  # type: ignore[arg-type]


def relays(text: str) -> int:
    """How many relays to keep. Raises ValueError."""
    if text not in tuple("12345678"):
        raise ValueError("is not a number from 1 to 8")
    return int(text)


def port_number(text: str) -> int:
    """A port. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 0xFFFF):
        raise ValueError("is not a port from 1 to 65535")
    return int(text)


def proxy_url(text: str) -> str:
    """A proxy for brokers, as its client takes it. Raises ValueError, without the password."""
    found = _PROXY.fullmatch(text.strip())
    if found is None:
        raise ValueError("is not socks5://HOST:PORT or http://HOST:PORT")
    endpoints.host_port(found["place"])
    return text.strip().rstrip("/")


def front_host(text: str) -> str:
    """HOST or HOST:PORT. Raises ValueError."""
    host, port = endpoints.host_port(text, default=443)
    return endpoints.join(host, port) if port != 443 else endpoints.join(host, 443).removesuffix(":443")
