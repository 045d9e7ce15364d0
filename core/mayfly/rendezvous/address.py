"""Where a broker is, as people write it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_NO_URL = "is not a URL like https://broker.example"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """`url` without a slash at its end; `host` is what a Host header names, with the port where it is not the usual."""

    url: str
    host: str

    def behind(self, front: str) -> str:
        """The URL with which to ask `front` (HOST or HOST:PORT) for this broker."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=front).geturl()


def parse(text: str, *, plain: bool = False, otherwise: str = "") -> BrokerAddress:
    """`https://HOST[:PORT][/PATH]`; http:// where nobody can listen: on loopback or to an onion service, or if `plain`.

    Raises ValueError with words that fit after "the value"; `otherwise` ends them where http:// is the matter.
    """
    parts = _split(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(_NO_URL)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("may hold a host, a port and a path, and nothing else")
    if parts.scheme == "http" and not plain and not _unheard(parts.hostname):
        raise ValueError(f"begins with http://, so everybody on the way sees who meets whom; use https://{otherwise}")
    return BrokerAddress(parts._replace(path=parts.path.rstrip("/")).geturl(), parts.netloc)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        raise ValueError(_NO_URL) from None
    if any(character <= " " or character == "\x7f" for character in text.strip()):
        raise ValueError(_NO_URL)
    return parts


def _unheard(host: str) -> bool:
    if host == "localhost" or host.endswith(".onion"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
