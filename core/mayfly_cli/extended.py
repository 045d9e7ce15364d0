"""The options of `mayfly relay` about a bridge's extended ORPort."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mayfly.errors import UsageError
from mayfly_cli import endpoints
from mayfly_cli.settings import Values
from mayfly_cli.upstreams import OUT

if TYPE_CHECKING:
    from mayfly_relay.extorport import CoarseAddress

ExtOrPort = Annotated[
    str | None,
    typer.Option(
        "--ext-or-port",
        metavar="ADDRESS:PORT",
        help="With bridge://: go to this extended ORPort of the bridge instead, so that it counts who came over "
        "Mayfly.",
        rich_help_panel=OUT,
    ),
]
ExtOrCookie = Annotated[
    str | None,
    typer.Option(
        "--ext-or-cookie",
        metavar="FILE",
        help="With --ext-or-port: the file extended_orport_auth_cookie in the data directory of the bridge's tor.",
        rich_help_panel=OUT,
    ),
]
ExtOrAddress = Annotated[
    str | None,
    typer.Option(
        "--ext-or-address",
        metavar="BITS",
        help="With --ext-or-port: tell the bridge so many leading bits of a client's IPv4 address, at most 24, and of "
        "its IPv6 address, at most 48, so that it can count countries: /16 or /16,/32. Default: nothing.",
        rich_help_panel=OUT,
    ),
]


def extended_port(values: Values) -> dict[str, Any]:
    """The fields of RelayOptions about it. Raises UsageError.

    Looks at the cookie file at once: before any client comes is the time to say that it is wrong.
    """
    from mayfly_relay.extorport import ExtendedPort  # noqa: PLC0415 - `mayfly --help` must not pay for it

    values.only_with(values.raw("ext_or_port") is not None, "--ext-or-port", "ext_or_cookie", "ext_or_address")
    if values.raw("ext_or_port") is None:
        return {}
    if values.raw("ext_or_cookie") is None:
        raise UsageError("--ext-or-port needs --ext-or-cookie.", hint="The bridge lets in only who can read that file.")
    host, port = values.one("ext_or_port", endpoints.host_port, ("", 0))
    address = values.converted("ext_or_port", host, endpoints.address)
    found = ExtendedPort(address, port, Path(str(values.raw("ext_or_cookie"))).expanduser())
    found.check()
    return {"extended_port": found, "told_of_clients": values.one("ext_or_address", coarse_address, None)}


def coarse_address(text: str) -> CoarseAddress:
    """`/BITS` for IPv4, `/BITS,/BITS` for both; an IPv6 address that is not spoken of counts as /32. ValueError."""
    from mayfly_relay.extorport import CoarseAddress  # noqa: PLC0415 - `mayfly --help` must not pay for it

    match = re.fullmatch(r"/([0-9]{1,2})(?:,/([0-9]{1,2}))?", text.strip(), re.ASCII)
    if match is None:
        raise ValueError("is not /BITS or /BITS,/BITS")
    bits4, bits6 = int(match[1]), int(match[2] or 32)
    if bits4 > 24 or bits6 > 48:
        raise ValueError("tells more than /24 or /48, which is nearly whose it is")
    return CoarseAddress(bits4, bits6)
