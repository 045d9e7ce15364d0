"""The options of `mayfly relay` that choose its way out."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mayfly.errors import UsageError
from mayfly_cli import endpoints, places, settings
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly.runtime.events import Warned
    from mayfly_relay.addresses import Address
    from mayfly_relay.upstream_urls import UpstreamChoice

OUT = "The way out"
"""The panel of these options."""

ISOLATIONS = ("client", "stream")


Upstream = Annotated[
    list[str] | None,
    typer.Option(
        "--upstream",
        metavar="URL",
        help="Where clients' connections go: direct; a proxy, socks5://[USER:PASSWORD@]HOST:PORT, socks4://HOST:PORT "
        "or http://[USER:PASSWORD@]HOST:PORT, repeatable for a chain; tor; or bridge://HOST:PORT, to which every "
        f"connection goes. Default: direct. A password is {settings.BETTER_HIDDEN}",
        rich_help_panel=OUT,
    ),
]
Outbound = Annotated[
    list[str] | None,
    typer.Option(
        "--outbound-address",
        metavar="ADDRESS",
        help="With direct: connect from this address of this computer. One IPv4, one IPv6, or both; a family without "
        "one is not used.",
        rich_help_panel=OUT,
    ),
]
TorControl = Annotated[
    str | None,
    typer.Option(
        "--tor-control",
        metavar="ADDRESS",
        help="With tor: use the tor that runs already and takes commands there, [PASSWORD@]HOST:PORT or the path of a "
        "socket. Default: one is started, and ended with the relay.",
        rich_help_panel=OUT,
    ),
]
TorrcLine = Annotated[
    list[str] | None,
    typer.Option(
        "--torrc-line",
        metavar="LINE",
        help=f"With tor: {settings.TORRC_LINE}",
        rich_help_panel=OUT,
    ),
]
TorIsolate = Annotated[
    str | None,
    typer.Option(
        "--tor-isolate",
        metavar="WHAT",
        autocompletion=settings.completing(*ISOLATIONS),
        help="With tor: what gets circuits of its own: each client, or each connection (stream). Default: client.",
        rich_help_panel=OUT,
    ),
]


def way_out(values: Values) -> dict[str, Any]:
    """The fields of RelayOptions about the way out. Raises UsageError."""
    from mayfly.tor.settings import ControlAddress, TorSettings, torrc_line  # noqa: PLC0415
    from mayfly.wire.hello import Upstream as Kind  # noqa: PLC0415

    choice = _choice(values)
    if choice.kind is not Kind.DIRECT:
        _refuse_outbound(values)
    values.only_with(choice.kind is Kind.TOR, "--upstream tor", "tor_isolate")
    tor = choice.kind is Kind.TOR or bool(values.raw("offer_onion"))
    values.only_with(tor, "--upstream tor or --offer-onion", "tor_control", "torrc_line")
    values.only_with(choice.kind is Kind.BRIDGE, "--upstream bridge://", "ext_or_port")
    if choice.kind is Kind.BRIDGE:
        _leave_rules_out(values)
    _leave_one_tor(values)
    settings_of_tor = TorSettings(
        control=values.one("tor_control", ControlAddress.parse, None),
        torrc=values.many("torrc_line", torrc_line),
        directory=places.state_directory() / "tor" if tor else None,
    )
    return {
        "upstream": choice,
        "outbound": _outbound(values),
        "tor": settings_of_tor,
        "tor_isolate_streams": values.one("tor_isolate", settings.one_of(*ISOLATIONS), ISOLATIONS[0]) == "stream",
    }


def _refuse_outbound(values: Values) -> None:
    """Wherever it came from: who pins an address must not leave by another network without a word."""
    if values.raw("outbound_address"):
        raise UsageError(
            f"{values.source('outbound_address')}: this means something only with --upstream direct.",
            hint="Leave out one of the two: by another way nothing leaves from that address.",
        )


def _leave_one_tor(values: Values) -> None:
    """Lines are for a tor that is started, a control port for one that runs; a typed port goes before a file's lines.

    For lines, none is started where another was named: that one may have bridges of its own.
    """
    if values.raw("tor_control") is None or not values.raw("torrc_line"):
        return
    if values.on_command_line("torrc_line") or not values.on_command_line("tor_control"):
        raise UsageError(
            "--torrc-line is for a tor that is started, and --tor-control for one that runs already.",
            hint=settings.ONE_OF_TWO,
        )
    values.leave_out("torrc_line")


def _leave_rules_out(values: Values) -> None:
    if values.on_command_line("allow") or values.on_command_line("deny"):
        raise UsageError(
            "A bridge's relay serves that bridge and nothing else, so --allow and --deny mean nothing.",
            hint="Leave them out.",
        )
    values.leave_out("allow")
    values.leave_out("deny")


def lead_to_bridge(values: Values) -> bool:
    """Whether whoever comes is led to a bridge, so that it is somebody's tor that comes."""
    return any(text.lower().startswith("bridge://") for text in _texts(values, "upstream"))


def shows_password(values: Values) -> bool:
    """Whether a password stands on the command line, for every user of this computer to see."""
    given = [
        text for name in ("upstream", "tor_control") if values.on_command_line(name) for text in _texts(values, name)
    ]
    return any("@" in text for text in given)


def password_shown() -> Warned:
    """What to say of that."""
    from mayfly.runtime.events import Warned  # noqa: PLC0415 - `mayfly --help` must not pay for it

    return Warned(
        "options",
        "A password stands on the command line, where every user of this computer can read it.",
        "Give it in MAYFLY_RELAY_UPSTREAM or MAYFLY_RELAY_TOR_CONTROL, or in the configuration file.",
    )


def _texts(values: Values, name: str) -> list[str]:
    raw: str | list[str] | None = values.raw(name)
    return [raw] if isinstance(raw, str) else list(raw or ())


def _choice(values: Values) -> UpstreamChoice:
    from mayfly_relay.upstream_urls import UpstreamChoice, parse_upstream, parse_upstreams  # noqa: PLC0415

    texts = _texts(values, "upstream")
    for text in texts:
        values.converted("upstream", text, parse_upstream)
    if not texts:
        return UpstreamChoice()
    return values.converted("upstream", "", lambda _: parse_upstreams(texts))


def _outbound(values: Values) -> tuple[Address, ...]:
    found = values.many("outbound_address", _own_address)
    if len({address.version for address in found}) < len(found):
        raise UsageError(
            "--outbound-address takes one IPv4 and one IPv6 address at most.", hint="Leave out the others."
        )
    return found


def _own_address(text: str) -> Address:
    address = endpoints.address(text)
    try:
        with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6) as probe:
            probe.bind((str(address), 0))
    except OSError:
        raise ValueError("is not an address of this computer") from None
    return address
