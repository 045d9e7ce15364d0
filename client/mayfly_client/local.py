"""Local addresses: where the proxy may listen, and what to tell the person about it. No name is ever resolved."""

from __future__ import annotations

import errno
import os
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from mayfly.errors import ListenError

LOCALHOST = "127.0.0.1"


def parse_local(host: str) -> IPv4Address | IPv6Address:
    """The address to listen on; `localhost` is 127.0.0.1. Raises ListenError for any other name."""
    try:
        return ip_address(LOCALHOST if host.lower() == "localhost" else host.strip("[]"))
    except ValueError:
        raise ListenError("the proxy can listen on an address only, not on a name", hint=_HINT) from None


def exposure_warning(host: str, *, login_required: bool) -> tuple[str, str] | None:
    """A warning and a hint where the proxy would listen beyond this computer; None on loopback. Raises ListenError."""
    address = parse_local(host)
    if address.is_loopback:
        return None
    where = "every address of this computer" if address.is_unspecified else str(address)
    if login_required:
        return (
            f"The proxy listens on {where}, not only on this computer. User name, password and everything sent to the "
            "proxy cross that network unencrypted.",
            "Listen on 127.0.0.1 only, or use this in a network that you trust.",
        )
    return (
        f"The proxy listens on {where}, not only on this computer: whoever can reach it there can use your relay.",
        "Require a login with --socks-auth USER:PASSWORD, or listen on 127.0.0.1 only.",
    )


def listening_socket(host: str, port: int, backlog: int) -> socket.socket:
    """A listening TCP socket, non-blocking. Raises ListenError with the reason and what to do."""
    address = parse_local(host)
    sock = socket.socket(_family(address), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((str(address), port))
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise _listen_error(address, port, error) from error
    return sock


def datagram_socket(beside: tuple[Any, ...]) -> socket.socket:
    """A UDP socket on a free port of the same local address as `beside`, a socket name. Raises OSError."""
    sock = socket.socket(socket.AF_INET if len(beside) == 2 else socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((beside[0], 0, *beside[2:]))
    except OSError:
        sock.close()
        raise
    return sock


def show(address: tuple[Any, ...]) -> str:
    """`host:port` of a socket name, an IPv6 host in brackets."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_HINT = f"Choose one with --socks, for example --socks {LOCALHOST}:0."


def _family(address: IPv4Address | IPv6Address) -> socket.AddressFamily:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def _listen_error(address: IPv4Address | IPv6Address, port: int, error: OSError) -> ListenError:
    elsewhere = f"Choose another with --socks {show((str(address), 0))}."
    match error.errno:
        case errno.EADDRINUSE:
            return ListenError(f"port {port} on {address} is in use", hint=elsewhere)
        case errno.EACCES | errno.EPERM:
            return ListenError(f"port {port} on {address} is kept for the system's own services", hint=elsewhere)
        case errno.EADDRNOTAVAIL:
            return ListenError(f"{address} is not an address of this computer", hint=_HINT)
        case errno.EAFNOSUPPORT:
            return ListenError(f"this computer has no IPv{address.version}", hint=_HINT)
        case number:
            return ListenError(f"cannot listen on port {port} of {address}: {os.strerror(number or 0)}", hint=_HINT)
