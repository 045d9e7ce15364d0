"""The front machine: tells SOCKS5, SOCKS4 and HTTP CONNECT apart by the first byte, and speaks that one from then on.

Feed `receive()` until it gives a Request or a Close. After a Request, ask the relay, write what `reply()` returns, and
on success hand `leftover` and the connection to the stream. After a Close, flush and close.
"""

from __future__ import annotations

from mayfly.config import SocksConfig
from mayfly.errors import Reply
from mayfly.socks import socks4, socks5
from mayfly.socks.events import Close, End, Event
from mayfly.socks.handshake import Handshake, nothing_asked
from mayfly.socks.http_connect import HttpConnect
from mayfly.socks.login import Login
from mayfly.wire.address import Destination


class ProxyServer:
    """One application's connection to the local proxy, up to the answer.

    `auth` is the only user name and password that are admitted; without it anybody is. It holds at most
    `SocksConfig.max_handshake` bytes and one `receive()` call's until the Request, and after it what the driver
    still feeds it. Foreign bytes raise nothing.
    """

    def __init__(self, config: SocksConfig, auth: tuple[str, str] | None = None) -> None:
        self._login = Login(auth)
        self._limit = config.max_handshake
        self._dialect: Handshake | None = None
        self._closed = False

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes from the application. What comes after a Request collects in `leftover`."""
        if self._closed or not data:
            return []
        if self._dialect is None:
            kind = _dialect_of(data[0])
            if kind is None:
                # There is no refusal that such a program would understand.
                self._closed = True
                return [Close(End.UNKNOWN_PROTOCOL)]
            self._dialect = kind(self._login, self._limit)
        return self._dialect.receive(data)

    def reply(self, reply: Reply, bound: Destination) -> bytes:
        """Encode the relay's answer in the application's dialect, once. Raises LocalProtocolError without a Request.

        Unless this is a success of CONNECT or UDP_ASSOCIATE, the connection is to be closed after it.
        """
        if self._dialect is None:
            raise nothing_asked()
        return self._dialect.reply(reply, bound)

    @property
    def leftover(self) -> bytes:
        """Bytes that came behind the request: the beginning of the stream."""
        return self._dialect.leftover if self._dialect is not None else b""


def _dialect_of(first: int) -> type[Handshake] | None:
    if first == socks5.VERSION:
        return socks5.Socks5
    if first == socks4.VERSION:
        return socks4.Socks4
    if chr(first).isascii() and chr(first).isalpha():
        return HttpConnect
    return None
