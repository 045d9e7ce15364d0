"""HTTP CONNECT: RFC 9110 §9.3.6 in the message format of RFC 9112. No other method is served.

::

    REQUEST ──► FIELDS ──► ASKED

The request line is judged as soon as it is whole, so that a program which speaks something else is told at once;
a request that is HTTP is answered after its whole head, since a close on unread bytes could destroy the answer.
Every answer but 200 closes the connection, so no second request is ever parsed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import ClassVar

from mayfly.errors import Reply
from mayfly.socks.events import Command, Credentials, End, Event, Request
from mayfly.socks.handshake import Handshake, Reader, State, Table
from mayfly.wire.address import AddressError, Destination

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(%b) ([\x21-\x7e]+) HTTP/1\.[0-9]" % _TOKEN)
_FIELD = re.compile(rb"(%b):([\t\x20-\x7e\x80-\xff]*)" % _TOKEN)
_HEAD_END = re.compile(rb"(?:^|\n)\r?\n")
_BASIC = re.compile(rb"basic +([A-Za-z0-9+/]+={0,2})", re.IGNORECASE)
_AUTHORITY = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):([0-9]{1,5})")

_WHAT_THIS_IS = (
    "This is Mayfly's local proxy. It speaks SOCKS5, SOCKS4a and HTTP CONNECT on this port.\n"
    "It is not a web server, and it does not fetch plain http:// pages as an HTTP proxy:\n"
    "set it as the SOCKS5 proxy of your program instead, and let the proxy resolve names.\n"
)

# Status, the words for people, and the error type of RFC 9209 §2.3.
_FAILURES: Mapping[Reply, tuple[str, str, str]] = {
    Reply.GENERAL_FAILURE: (
        "502 Bad Gateway",
        "The relay could not serve this, or there is no relay.",
        "proxy_internal_error",
    ),
    Reply.NOT_ALLOWED: (
        "403 Forbidden",
        "The relay does not serve this destination.",
        "destination_ip_prohibited",
    ),
    Reply.NETWORK_UNREACHABLE: (
        "502 Bad Gateway",
        "The relay has no route to the destination's network.",
        "destination_ip_unroutable",
    ),
    Reply.HOST_UNREACHABLE: (
        "502 Bad Gateway",
        "The relay cannot find or reach the destination.",
        "destination_unavailable",
    ),
    Reply.CONNECTION_REFUSED: ("502 Bad Gateway", "The destination refused the connection.", "connection_refused"),
    Reply.TTL_EXPIRED: ("504 Gateway Timeout", "The destination did not answer in time.", "connection_timeout"),
    Reply.COMMAND_NOT_SUPPORTED: (
        "502 Bad Gateway",
        "The relay does not know this kind of request.",
        "proxy_internal_error",
    ),
    Reply.ADDRESS_TYPE_NOT_SUPPORTED: (
        "502 Bad Gateway",
        "The relay has no use for this kind of address.",
        "destination_ip_unroutable",
    ),
}


class HttpConnect(Handshake):
    """One HTTP request."""

    first = State.REQUEST
    table: ClassVar[Table] = {
        State.REQUEST: frozenset({State.FIELDS, State.CLOSED}),
        State.FIELDS: frozenset({State.ASKED, State.CLOSED}),
        State.ASKED: frozenset({State.ANSWERED, State.CLOSED}),
        State.ANSWERED: frozenset(),
        State.CLOSED: frozenset(),
    }
    _method = b""
    _target = b""

    def _make_readers(self) -> Mapping[State, Reader]:
        return {State.REQUEST: self._read_line, State.FIELDS: self._read_fields}

    def _read_line(self, data: bytes) -> list[Event] | None:
        end = data.find(b"\n")
        if end < 0:
            return None
        line = _REQUEST_LINE.fullmatch(data[:end].removesuffix(b"\r"))
        if line is None:
            return self._refuse(_bad_request("This is not an HTTP/1.1 request."), End.MALFORMED)
        self._method, self._target = line[1], line[2]
        self._take(end + 1)
        self._move(State.FIELDS)
        return []

    def _read_fields(self, data: bytes) -> list[Event] | None:
        end = _HEAD_END.search(data)
        if end is None:
            return None
        self._take(end.end())
        if self._method != b"CONNECT":
            return self._refuse(_answer("405 Method Not Allowed", _WHAT_THIS_IS, "Allow: CONNECT"), End.COMMAND)
        logins = _logins(data[: end.start()])
        if logins is None or len(logins) > 1:
            return self._refuse(_bad_request("The header fields are malformed."), End.MALFORMED)
        credentials = _basic(logins[0]) if logins else None
        if not self._login.admits(credentials):
            return self._refuse(_login_wanted(), End.LOGIN)
        destination = _authority(self._target)
        if destination is None:
            return self._refuse(_bad_request("CONNECT needs HOST:PORT."), End.ADDRESS)
        return self._ask(Request(Command.CONNECT, destination, credentials))

    def _too_long(self) -> bytes:
        return _bad_request("The request is too long.")

    def _encode(self, reply: Reply, bound: Destination, command: Command) -> bytes:
        if reply is Reply.SUCCEEDED:
            # RFC 9110 §9.3.6: no Content-Length and no Transfer-Encoding here.
            return b"HTTP/1.1 200 Connection established\r\n\r\n"
        status, words, error = _FAILURES[reply]
        return _answer(status, words + "\n", f"Proxy-Status: mayfly; error={error}")


def _authority(target: bytes) -> Destination | None:
    """The authority form of RFC 9112 §3.2.3; a CONNECT without a port is refused."""
    parts = _AUTHORITY.fullmatch(target)
    if parts is None or not 0 < int(parts[2]) <= 0xFFFF:
        return None
    try:
        return Destination.parse_host(parts[1].decode("ascii"), int(parts[2]))
    except AddressError:
        return None


def _logins(fields: bytes) -> list[bytes] | None:
    """The values of Proxy-Authorization, or None where any field is malformed."""
    logins: list[bytes] = []
    for line in fields.split(b"\n") if fields else []:
        field = _FIELD.fullmatch(line.removesuffix(b"\r"))
        if field is None:
            return None
        if field[1].lower() == b"proxy-authorization":
            logins.append(field[2].strip(b" \t"))
    return logins


def _basic(value: bytes) -> Credentials | None:
    """RFC 7617 §2. None where it is another scheme or cannot be read: that is as good as no login."""
    found = _BASIC.fullmatch(value)
    if found is None:
        return None
    try:
        name, colon, password = base64.b64decode(found[1], validate=True).partition(b":")
    except binascii.Error:
        return None
    return Credentials(name, password) if colon else None


def _login_wanted() -> bytes:
    words = "This proxy asks for a user name and a password (mayfly client --socks-auth).\n"
    challenge = 'Proxy-Authenticate: Basic realm="mayfly", charset="UTF-8"'
    return _answer("407 Proxy Authentication Required", words, challenge)


def _bad_request(words: str) -> bytes:
    return _answer("400 Bad Request", f"{words}\n{_WHAT_THIS_IS}")


def _answer(status: str, words: str, *fields: str) -> bytes:
    body = words.encode()
    head = [
        f"HTTP/1.1 {status}",
        *fields,
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body
