"""Addresses of ours and of servers, as the command line and the configuration file spell them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import parse_qsl, unquote

from mayfly.transport.base import TurnServer

STUN_SERVERS = ("stun.cloudflare.com:3478", "stun.l.google.com:19302", "stun.nextcloud.com:443")
"""Asked for our public address unless --stun says otherwise: three operators, so that one blocked name is no end."""

_STUN_PORT = 3478  # RFC 8489 §18.6; RFC 8656 §18 gives TURN the same
_TURNS_PORT = 5349
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})", re.ASCII)


def address(text: str) -> IPv4Address | IPv6Address:
    """One literal address, an IPv6 one with or without brackets. Raises ValueError."""
    try:
        return ip_address(text.strip().removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError("is not an IPv4 or IPv6 address") from None


def host_port(text: str, *, default: int | None = None) -> tuple[str, int]:
    """HOST:PORT, with an IPv6 host in brackets; without a port only where there is a default. Raises ValueError."""
    text = text.strip()
    host, colon, port = text.rpartition(":")
    if text.endswith("]") or not colon:
        host, port = text, ""
    if not port and default is None:
        raise ValueError("is not HOST:PORT")
    number = default if not port else int(port) if re.fullmatch("[0-9]{1,5}", port, re.ASCII) else None
    if number is None or number > 0xFFFF:
        raise ValueError("has no port between 0 and 65535 after its last colon")
    return _host(host), number


def stun_server(text: str) -> str:
    """`HOST:PORT` of a STUN server; `stun:` before it is allowed, the port may be left out. Raises ValueError."""
    host, port = host_port(text.strip().removeprefix("stun:"), default=_STUN_PORT)
    if port == 0:
        raise ValueError("has no port between 1 and 65535")
    return join(host, port)


def turn_server(text: str) -> TurnServer:
    """`turn:USER:PASSWORD@HOST[:PORT][?transport=udp|tcp]`, also `turns:`. Raises ValueError, without the password.

    A colon, an at sign or a slash inside the user or the password is written as %3A, %40, %2F.
    """
    scheme, _, rest = text.strip().partition(":")
    credential, at, place = rest.rpartition("@")
    user, colon, password = credential.partition(":")
    if scheme not in ("turn", "turns") or not (at and colon and user and password):
        raise ValueError("is not turn:USER:PASSWORD@HOST:PORT")
    place, question, query = place.partition("?")
    transports = [value for name, value in parse_qsl(query) if name == "transport"]
    if question and (len(parse_qsl(query)) != 1 or transports not in (["udp"], ["tcp"])):
        raise ValueError("may end in ?transport=udp or ?transport=tcp and nothing else")
    host, port = host_port(place, default=_TURNS_PORT if scheme == "turns" else _STUN_PORT)
    url = f"{scheme}:{join(host, port)}" + (f"?transport={transports[0]}" if transports else "")
    return TurnServer(url, unquote(user), unquote(password))


def user_password(text: str) -> tuple[str, str]:
    """`USER:PASSWORD`, each 1 to 255 bytes (RFC 1929 §2); the password may hold colons. Raises ValueError."""
    user, _, password = text.partition(":")
    if not (1 <= len(user.encode()) <= 255 and 1 <= len(password.encode()) <= 255):
        raise ValueError("is not USER:PASSWORD, each of 1 to 255 bytes")
    return user, password


def join(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 host."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _host(text: str) -> str:
    if text.startswith("["):
        return str(address(text))
    if not _HOST.fullmatch(text):
        raise ValueError("has no host name or address before its port (an IPv6 address stands in brackets)")
    return text
