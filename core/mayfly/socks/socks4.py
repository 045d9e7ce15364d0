"""SOCKS4 and SOCKS4a (Y.-D. Lee's memos), with Tor's RESOLVE.

VN, CD, DSTPORT, DSTIP, USERID, NUL. An address 0.0.0.x with x other than 0 announces a name and another NUL (4a).
There is no password, so where one is required SOCKS4 is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from ipaddress import IPv4Address
from typing import ClassVar

from mayfly.errors import Reply
from mayfly.socks.events import Close, Command, Credentials, End, Event, Request, Send
from mayfly.socks.handshake import Handshake, Reader, State, Table
from mayfly.wire.address import NOWHERE, AddressError, Destination

VERSION = 0x04


class Code(IntEnum):
    """CD of a SOCKS4 reply."""

    GRANTED = 0x5A
    REJECTED = 0x5B
    LOGIN = 0x5D


def encode_reply(code: Code, bound: Destination) -> bytes:
    """VN (which is 0 in replies), CD, DSTPORT, DSTIP. What is not an IPv4 address is written as 0.0.0.0."""
    address = bound.host if isinstance(bound.host, IPv4Address) else IPv4Address(0)
    return bytes([0, code]) + bound.port.to_bytes(2, "big") + address.packed


class Socks4(Handshake):
    """One SOCKS4 or SOCKS4a handshake: a single message. The caller has seen that the first byte is VERSION."""

    first = State.REQUEST
    table: ClassVar[Table] = {
        State.REQUEST: frozenset({State.ASKED, State.CLOSED}),
        State.ASKED: frozenset({State.ANSWERED, State.CLOSED}),
        State.ANSWERED: frozenset(),
        State.CLOSED: frozenset(),
    }

    def _make_readers(self) -> Mapping[State, Reader]:
        return {State.REQUEST: self._read_request}

    def _read_request(self, data: bytes) -> list[Event] | None:
        user_end = data.find(b"\0", 8)
        if user_end < 0:
            return None
        address, port = data[4:8], int.from_bytes(data[2:4], "big")
        end = user_end
        if address[:3] == b"\0\0\0" and address[3] != 0:
            end = data.find(b"\0", user_end + 1)
            if end < 0:
                return None
            destination = _named(data[user_end + 1 : end], port)
        else:
            destination = Destination(IPv4Address(address), port)
        number, user = data[1], data[8:user_end]
        self._take(end + 1)
        if self._login.required:
            return self._refuse(encode_reply(Code.LOGIN, NOWHERE), End.LOGIN)
        if destination is None:
            return self._refuse(encode_reply(Code.REJECTED, NOWHERE), End.ADDRESS)
        return self._judge(number, destination, Credentials(user, b"") if user else None)

    def _judge(self, number: int, destination: Destination, credentials: Credentials | None) -> list[Event]:
        is_name = isinstance(destination.host, str)
        match number:
            case Command.CONNECT:
                return self._ask(Request(Command.CONNECT, destination, credentials))
            case Command.RESOLVE if is_name:
                return self._ask(Request(Command.RESOLVE, Destination(destination.host, 0), credentials))
            case Command.RESOLVE:
                self._move(State.CLOSED)
                return [Send(_resolved(Destination(destination.host, 0))), Close(End.ANSWERED)]
            case _:
                return self._refuse(encode_reply(Code.REJECTED, NOWHERE), End.COMMAND)

    def _too_long(self) -> bytes:
        return encode_reply(Code.REJECTED, NOWHERE)

    def _encode(self, reply: Reply, bound: Destination, command: Command) -> bytes:
        if reply is not Reply.SUCCEEDED:
            return encode_reply(Code.REJECTED, NOWHERE)
        if command is Command.RESOLVE:
            return _resolved(bound)
        return encode_reply(Code.GRANTED, bound)


def _named(name: bytes, port: int) -> Destination | None:
    try:
        return Destination.parse_host(name.decode("ascii"), port)
    except (UnicodeDecodeError, AddressError):
        return None


def _resolved(bound: Destination) -> bytes:
    # The reply has room for four bytes, so any other resolution is none.
    if isinstance(bound.host, IPv4Address):
        return encode_reply(Code.GRANTED, bound)
    return encode_reply(Code.REJECTED, NOWHERE)
