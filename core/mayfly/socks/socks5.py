"""SOCKS5: RFC 1928, user name and password by RFC 1929, and Tor's RESOLVE and RESOLVE_PTR (its socks-extensions).

::

    GREETING ──► PASSWORD ──► REQUEST ──► ASKED
        │                        ▲
        └────────────────────────┘   no authentication

User name and password are chosen wherever the application offers them, as Tor does, because applications that want
their streams kept apart say so with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mayfly.errors import Reply
from mayfly.socks.events import Close, Command, Credentials, End, Event, Request, Send
from mayfly.socks.handshake import Handshake, Reader, State, Table
from mayfly.wire.address import NOWHERE, AddressError, Destination, UnknownAddressTypeError

VERSION = 0x05
PASSWORD_VERSION = 0x01
NO_AUTHENTICATION = 0x00
USERNAME_PASSWORD = 0x02
NO_ACCEPTABLE_METHOD = 0xFF


def encode_reply(reply: Reply, bound: Destination) -> bytes:
    """VER, REP, RSV, ATYP, BND.ADDR, BND.PORT (RFC 1928 §6)."""
    return bytes([VERSION, reply, 0]) + bound.encode()


class Socks5(Handshake):
    """One SOCKS5 handshake. The caller has seen that the first byte is VERSION."""

    first = State.GREETING
    table: ClassVar[Table] = {
        State.GREETING: frozenset({State.PASSWORD, State.REQUEST, State.CLOSED}),
        State.PASSWORD: frozenset({State.REQUEST, State.CLOSED}),
        State.REQUEST: frozenset({State.ASKED, State.CLOSED}),
        State.ASKED: frozenset({State.ANSWERED, State.CLOSED}),
        State.ANSWERED: frozenset(),
        State.CLOSED: frozenset(),
    }
    _credentials: Credentials | None = None

    def _make_readers(self) -> Mapping[State, Reader]:
        return {
            State.GREETING: self._read_greeting,
            State.PASSWORD: self._read_password,
            State.REQUEST: self._read_request,
        }

    def _read_greeting(self, data: bytes) -> list[Event] | None:
        """VER, NMETHODS, METHODS (RFC 1928 §3)."""
        if len(data) < 2 or len(data) < 2 + data[1]:
            return None
        methods = data[2 : 2 + data[1]]
        self._take(2 + data[1])
        if USERNAME_PASSWORD in methods:
            self._move(State.PASSWORD)
            return [Send(bytes([VERSION, USERNAME_PASSWORD]))]
        if NO_AUTHENTICATION in methods and not self._login.required:
            self._move(State.REQUEST)
            return [Send(bytes([VERSION, NO_AUTHENTICATION]))]
        return self._refuse(bytes([VERSION, NO_ACCEPTABLE_METHOD]), End.LOGIN)

    def _read_password(self, data: bytes) -> list[Event] | None:
        """VER, ULEN, UNAME, PLEN, PASSWD (RFC 1929 §2). Empty ones are taken too: some applications send them."""
        if not data:
            return None
        if data[0] != PASSWORD_VERSION:
            return self._refuse(bytes([PASSWORD_VERSION, 1]), End.MALFORMED)
        if len(data) < 2 or len(data) < 3 + data[1]:
            return None
        middle = 2 + data[1]
        end = middle + 1 + data[middle]
        if len(data) < end:
            return None
        self._credentials = Credentials(data[2:middle], data[middle + 1 : end])
        self._take(end)
        if not self._login.admits(self._credentials):
            return self._refuse(bytes([PASSWORD_VERSION, 1]), End.LOGIN)
        self._move(State.REQUEST)
        return [Send(bytes([PASSWORD_VERSION, 0]))]

    def _read_request(self, data: bytes) -> list[Event] | None:
        """VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT (RFC 1928 §4)."""
        if not data:
            return None
        if data[0] != VERSION:
            return self._refuse(encode_reply(Reply.GENERAL_FAILURE, NOWHERE), End.MALFORMED)
        try:
            found = Destination.decode(data, 3)
        except UnknownAddressTypeError:
            return self._refuse(encode_reply(Reply.ADDRESS_TYPE_NOT_SUPPORTED, NOWHERE), End.ADDRESS)
        except AddressError:
            # What a resolver would say of such a name.
            return self._refuse(encode_reply(Reply.HOST_UNREACHABLE, NOWHERE), End.ADDRESS)
        if found is None:
            return None
        destination, end = found
        number = data[1]
        self._take(end)
        return self._judge(number, destination)

    def _judge(self, number: int, destination: Destination) -> list[Event]:
        is_name = isinstance(destination.host, str)
        match number:
            case Command.CONNECT | Command.UDP_ASSOCIATE:
                return self._ask(Request(Command(number), destination, self._credentials))
            case Command.RESOLVE if is_name:
                return self._ask(Request(Command.RESOLVE, Destination(destination.host, 0), self._credentials))
            case Command.RESOLVE:
                # An address is its own resolution; Tor answers so too. For the relay it would mean RESOLVE_PTR.
                self._move(State.CLOSED)
                bound = Destination(destination.host, 0)
                return [Send(encode_reply(Reply.SUCCEEDED, bound)), Close(End.ANSWERED)]
            case Command.RESOLVE_PTR if not is_name:
                return self._ask(Request(Command.RESOLVE_PTR, Destination(destination.host, 0), self._credentials))
            case Command.RESOLVE_PTR:
                return self._refuse(encode_reply(Reply.ADDRESS_TYPE_NOT_SUPPORTED, NOWHERE), End.ADDRESS)
            case _:
                return self._refuse(encode_reply(Reply.COMMAND_NOT_SUPPORTED, NOWHERE), End.COMMAND)

    def _too_long(self) -> bytes:
        match self.state:
            case State.GREETING:
                return bytes([VERSION, NO_ACCEPTABLE_METHOD])
            case State.PASSWORD:
                return bytes([PASSWORD_VERSION, 1])
            case _:
                return encode_reply(Reply.GENERAL_FAILURE, NOWHERE)

    def _encode(self, reply: Reply, bound: Destination, command: Command) -> bytes:
        return encode_reply(reply, bound)
