"""What tor tells us by variables when it starts us (pt-spec, "configuration environment variables").

`negotiate` comes first and gives the version; then `parse` gives the settings of a client or of a server. Variables
that are set and empty count as not set, as tor itself has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from mayfly.pt.arguments import Arguments
from mayfly.pt.arguments import parse as parse_arguments
from mayfly.pt.errors import ArgumentsError, ProxyError, VariableError, VersionError

VERSION = "1"
"""The only version there is. Others begin with other digits."""

TRANSPORT = "mayfly"
"""The name of our transport, in torrc files, in bridge lines, and in the statistics of bridges."""

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
"""The form of any transport's name."""

_SCHEMES = ("socks5", "socks4a", "http")

Address = tuple[IPv4Address | IPv6Address, int]


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that tor wants outgoing connections to take. `url` is as tor gave it, with its password."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """tor wants a client's side: a SOCKS proxy for each transport that we know."""

    state: PurePath
    exit_on_stdin_close: bool
    transports: tuple[str, ...]
    proxy: str | None
    """The value of TOR_PT_PROXY, still unread: `parse_proxy` reads it, after everything else was found good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """tor wants a server's side: something that lets clients in and passes them on to its ORPort."""

    state: PurePath
    exit_on_stdin_close: bool
    transports: tuple[str, ...]
    or_port: Address | None
    extended_port: Address | None
    cookie_file: PurePath | None
    """The key to the extended port; there whenever that is."""
    bind: Mapping[str, Address]
    """Where each transport should listen."""
    options: Mapping[str, Arguments]
    """What the operator set for each transport (ServerTransportOptions)."""


def negotiate(environment: Mapping[str, str]) -> str:
    """The version to go by. Raises VersionError, or VariableError when tor names none at all."""
    offered = environment.get("TOR_PT_MANAGED_TRANSPORT_VER", "")
    if not offered:
        raise VariableError("no TOR_PT_MANAGED_TRANSPORT_VER environment variable")
    if VERSION not in offered.split(","):
        raise VersionError("no-version")
    return VERSION


def parse(environment: Mapping[str, str]) -> ClientSettings | ServerSettings:
    """Read everything but the proxy. Raises VariableError."""
    clients, servers = environment.get("TOR_PT_CLIENT_TRANSPORTS"), environment.get("TOR_PT_SERVER_TRANSPORTS")
    if clients and servers:
        raise VariableError("both TOR_PT_CLIENT_TRANSPORTS and TOR_PT_SERVER_TRANSPORTS are set")
    state = _path(environment, "TOR_PT_STATE_LOCATION")
    if state is None:
        raise VariableError("no TOR_PT_STATE_LOCATION environment variable")
    leave = _flag(environment, "TOR_PT_EXIT_ON_STDIN_CLOSE")
    if clients:
        return ClientSettings(
            state=state,
            exit_on_stdin_close=leave,
            transports=_names("TOR_PT_CLIENT_TRANSPORTS", clients),
            proxy=environment.get("TOR_PT_PROXY") or None,
        )
    if servers:
        return _server(environment, state, leave, _names("TOR_PT_SERVER_TRANSPORTS", servers))
    raise VariableError("neither TOR_PT_CLIENT_TRANSPORTS nor TOR_PT_SERVER_TRANSPORTS is set")


def parse_proxy(url: str) -> Proxy:
    """Check the form of TOR_PT_PROXY: `scheme://[user[:password]@]ip:port`. Raises ProxyError, without the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = ip_address(parts.hostname or "")
    except ValueError:
        raise ProxyError("TOR_PT_PROXY is not a proxy's address, such as socks5://127.0.0.1:8001.") from None
    if parts.scheme not in _SCHEMES:
        raise ProxyError(f"TOR_PT_PROXY is none of {', '.join(_SCHEMES)}.")
    if not port or host.is_unspecified or parts.path.strip("/") or parts.query or parts.fragment:
        raise ProxyError("TOR_PT_PROXY is not a proxy's address, such as socks5://127.0.0.1:8001.")
    if parts.scheme == "socks4a" and parts.password:
        raise ProxyError("TOR_PT_PROXY has a password, which socks4a cannot carry.")
    if max(len(unquote(part or "").encode()) for part in (parts.username, parts.password)) > 255:
        raise ProxyError("TOR_PT_PROXY has a user name or password of more than 255 bytes.")
    return Proxy(url)


def _server(
    environment: Mapping[str, str], state: PurePath, leave: bool, transports: tuple[str, ...]
) -> ServerSettings:
    extended = _address(environment, "TOR_PT_EXTENDED_SERVER_PORT")
    cookie = _path(environment, "TOR_PT_AUTH_COOKIE_FILE")
    or_port = _address(environment, "TOR_PT_ORPORT")
    if extended is not None and cookie is None:
        raise VariableError("no TOR_PT_AUTH_COOKIE_FILE when TOR_PT_EXTENDED_SERVER_PORT is set")
    if extended is None and or_port is None:
        raise VariableError("neither TOR_PT_ORPORT nor TOR_PT_EXTENDED_SERVER_PORT is set")
    return ServerSettings(
        state=state,
        exit_on_stdin_close=leave,
        transports=transports,
        or_port=or_port,
        extended_port=extended,
        cookie_file=cookie,
        bind=_bind(environment.get("TOR_PT_SERVER_BINDADDR", "")),
        options=_options(environment.get("TOR_PT_SERVER_TRANSPORT_OPTIONS", "")),
    )


def _names(variable: str, text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not all(NAME.fullmatch(name) for name in names):
        raise VariableError(f"{variable} is not a list of transport names")
    return names


def _path(environment: Mapping[str, str], variable: str) -> PurePath | None:
    text = environment.get(variable)
    if not text:
        return None
    path = PurePath(text)
    if not path.is_absolute() or "\0" in text:
        raise VariableError(f"{variable} is not an absolute path")
    return path


def _flag(environment: Mapping[str, str], variable: str) -> bool:
    match environment.get(variable, ""):
        case "1":
            return True
        case "" | "0":
            return False
        case _:
            raise VariableError(f"{variable} is neither 0 nor 1")


def _address(environment: Mapping[str, str], variable: str) -> Address | None:
    text = environment.get(variable)
    return _host_port(variable, text) if text else None


def _host_port(variable: str, text: str) -> Address:
    host, _, port = text.rpartition(":")
    try:
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            raise ValueError
        if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or int(port) > 0xFFFF:
            raise ValueError
        return ip_address(host.removeprefix("[").removesuffix("]")), int(port)
    except ValueError:
        raise VariableError(f"{variable} is not ADDRESS:PORT") from None


def _bind(text: str) -> dict[str, Address]:
    """`name-address:port`, separated by commas."""
    bound: dict[str, Address] = {}
    for piece in text.split(",") if text else ():
        name, dash, address = piece.partition("-")
        if not dash or not NAME.fullmatch(name) or name in bound:
            raise VariableError("TOR_PT_SERVER_BINDADDR is not a list of NAME-ADDRESS:PORT")
        bound[name] = _host_port("TOR_PT_SERVER_BINDADDR", address)
    return bound


def _options(text: str) -> dict[str, Arguments]:
    r"""`name:key=value`, separated by semicolons; `\` escapes as in a bridge line's arguments."""
    options: dict[str, Arguments] = {}
    try:
        pairs = parse_arguments(text)
    except ArgumentsError:
        raise _options_error() from None
    for key, value in pairs:
        name, colon, option = key.partition(":")
        if not colon or not option or not NAME.fullmatch(name):
            raise _options_error()
        options[name] = (*options.get(name, ()), (option, value))
    return options


def _options_error() -> VariableError:
    return VariableError("TOR_PT_SERVER_TRANSPORT_OPTIONS is not a list of NAME:KEY=VALUE")
