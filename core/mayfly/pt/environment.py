"""What tor tells us by variables when it starts us (pt-spec, "configuration environment variables").

`negotiate` comes first and gives the version; then `parse` gives the settings of a client. Variables that are set and
empty count as not set, as tor itself has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from mayfly.pt.errors import ProxyError, VariableError, VersionError

VERSION = "1"
"""The only version there is. Others begin with other digits."""

TRANSPORT = "mayfly"
"""The name of our transport, in torrc files, in bridge lines, and in the statistics of bridges."""

VERSIONS = "TOR_PT_MANAGED_TRANSPORT_VER"
"""The variable without which it was not tor that started us."""

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
"""The form of any transport's name."""

_NO_PROXY = "TOR_PT_PROXY is not a proxy's address, such as socks5://127.0.0.1:8001."
_SCHEMES = ("socks5", "socks4a", "http")


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


@dataclass(frozen=True, slots=True)
class ServerRefused:
    """tor wants a server's side, which there is not: what more it says of that is not read."""

    transports: tuple[str, ...]


def negotiate(environment: Mapping[str, str]) -> str:
    """The version to go by. Raises VersionError, or VariableError when tor names none at all."""
    offered = environment.get(VERSIONS, "")
    if not offered:
        raise VariableError(f"no {VERSIONS} environment variable")
    if VERSION not in offered.split(","):
        raise VersionError("no-version")
    return VERSION


def parse(environment: Mapping[str, str]) -> ClientSettings | ServerRefused:
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
        return ServerRefused(_names("TOR_PT_SERVER_TRANSPORTS", servers))
    raise VariableError("neither TOR_PT_CLIENT_TRANSPORTS nor TOR_PT_SERVER_TRANSPORTS is set")


def parse_proxy(url: str) -> Proxy:
    """Check the form of TOR_PT_PROXY: `scheme://[user[:password]@]ip:port`. Raises ProxyError, without the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = ip_address(parts.hostname or "")
    except ValueError:
        raise ProxyError(_NO_PROXY) from None
    if parts.scheme not in _SCHEMES:
        raise ProxyError(f"TOR_PT_PROXY is none of {', '.join(_SCHEMES)}.")
    if not port or host.is_unspecified or parts.path.strip("/") or parts.query or parts.fragment:
        raise ProxyError(_NO_PROXY)
    if parts.scheme == "socks4a" and parts.password:
        raise ProxyError("TOR_PT_PROXY has a password, which socks4a cannot carry.")
    if max(len(unquote(part or "").encode()) for part in (parts.username, parts.password)) > 255:
        raise ProxyError("TOR_PT_PROXY has a user name or password of more than 255 bytes.")
    return Proxy(url)


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
