"""What the volunteer types behind --upstream, as a choice. Pure.

::

    direct
    socks5://[USER:PASSWORD@]HOST:PORT   socks4://[USER@]HOST:PORT   http://[USER:PASSWORD@]HOST:PORT
    tor
    bridge://HOST:PORT

Several proxies are a chain: the first is connected to, each further one is reached through the one before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

from mayfly.errors import UsageError
from mayfly.wire.address import AddressError, Destination
from mayfly.wire.hello import Upstream

_HINT = "It is direct, socks5://HOST:PORT, socks4://HOST:PORT, http://HOST:PORT, tor, or bridge://HOST:PORT."
_URL = re.compile(r"(?P<scheme>[a-z0-9]+)://(?:(?P<login>.*)@)?(?P<place>[^@/]+)/?", re.IGNORECASE)

_OTHER_LOGIN = "Choose another one at the proxy."
_WORDS = {"direct": Upstream.DIRECT, "tor": Upstream.TOR}

MAX_LOGIN = 255
"""Bytes of a user name or a password: RFC 1929 §2 counts them in one byte."""


class Protocol(Enum):
    """How a proxy is spoken to."""

    SOCKS5 = "socks5"
    SOCKS4 = "socks4"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """One proxy. User and password are ASCII; empty where there are none."""

    protocol: Protocol
    place: Destination
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without user and password."""
        return f"ProxyAddress({self.protocol.value}://{self.place})"


@dataclass(frozen=True, slots=True)
class UpstreamChoice:
    """Where streams go. `proxies` is a chain, never empty for PROXY; `bridge` is set for BRIDGE."""

    kind: Upstream = Upstream.DIRECT
    proxies: tuple[ProxyAddress, ...] = ()
    bridge: Destination | None = None


def parse_upstreams(texts: Sequence[str]) -> UpstreamChoice:
    """All that was given, in its order. Raises UsageError, which shows no password."""
    found = [parse_upstream(text) for text in texts]
    if not found:
        return UpstreamChoice()
    if len(found) == 1:
        return found[0]
    if any(choice.kind is not Upstream.PROXY for choice in found):
        raise UsageError("Only proxies can be chained; direct, tor and bridge:// stand alone.", hint=_HINT)
    return UpstreamChoice(Upstream.PROXY, tuple(proxy for choice in found for proxy in choice.proxies))


def parse_upstream(text: str) -> UpstreamChoice:
    """One of them. Raises UsageError, which shows no password."""
    word = text.strip()
    if word in _WORDS:
        return UpstreamChoice(_WORDS[word])
    match = _URL.fullmatch(word)
    if match is None:
        raise UsageError("An upstream cannot be read.", hint=_HINT)
    scheme, login = match["scheme"].lower(), match["login"]
    place = _place(match["place"])
    if scheme == "bridge":
        if login is not None:
            raise UsageError("A bridge takes no user name.", hint=_HINT)
        return UpstreamChoice(Upstream.BRIDGE, bridge=place)
    # All of them pass names on, so curl's names for that mean the same here.
    try:
        protocol = Protocol({"socks5h": "socks5", "socks4a": "socks4"}.get(scheme, scheme))
    except ValueError:
        raise UsageError(f"There is no upstream of the kind {scheme!r}.", hint=_HINT) from None
    user, password = _login(protocol, login) if login is not None else ("", "")
    return UpstreamChoice(Upstream.PROXY, (ProxyAddress(protocol, place, user, password),))


def _place(text: str) -> Destination:
    host, _, number = text.rpartition(":")
    if not host or not number.isascii() or not number.isdigit() or not 0 < int(number) < 65536:
        raise UsageError("An upstream needs a host and a port.", hint=_HINT)
    try:
        return Destination.parse_host(host, int(number))
    except AddressError:
        raise UsageError("An upstream's host is neither an address nor a name.", hint=_HINT) from None


def _login(protocol: Protocol, text: str) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    user, password = unquote(user), unquote(password)
    if not all(part.isascii() and part.isprintable() and len(part) <= MAX_LOGIN for part in (user, password)):
        raise UsageError(
            "A user name or password of an upstream is not plain ASCII of at most 255 characters.",
            hint=_OTHER_LOGIN,
        )
    if protocol is Protocol.SOCKS4:
        if colon:
            raise UsageError("SOCKS4 knows no password.", hint="Write socks4://USER@HOST:PORT, or take socks5://.")
        return user, ""
    if not user or not password:
        raise UsageError("An upstream needs a user name and a password, or neither.", hint="Write USER:PASSWORD@.")
    if protocol is Protocol.HTTP and ":" in user:
        raise UsageError("HTTP allows no colon in a user name.", hint=_OTHER_LOGIN)
    return user, password
