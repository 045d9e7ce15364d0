"""DTLS hellos out of datagrams, and what is left of one when all is taken away that differs between two of one stack.

ClientHello (RFC 9147 §5.3, RFC 6347 §4.2.1) and ServerHello are in the clear in every version. Normalising takes away
what is random by design: the random bytes, key shares' values, the order of extensions, which today's stacks permute,
and the value of GREASE (RFC 8701).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

CLIENT_HELLO, SERVER_HELLO = 1, 2
_HANDSHAKE = 22
_KEY_SHARE = 51
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a HelloRetryRequest, which is no ServerHello yet (RFC 8446 §4.1.3)."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A normalised hello. Lists of numbers are in the order of the wire; extensions are sorted by their number."""

    version: int
    session_id: int
    cookie: int | None
    ciphers: tuple[int, ...]
    compression: tuple[int, ...]
    extensions: tuple[tuple[int, str], ...]

    def to_json(self) -> dict[str, Any]:
        """As a stored reference has it."""
        return {**asdict(self), "extensions": [list(each) for each in self.extensions]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Hello:
        """The reverse."""
        return cls(
            version=stored["version"],
            session_id=stored["session_id"],
            cookie=stored["cookie"],
            ciphers=tuple(stored["ciphers"]),
            compression=tuple(stored["compression"]),
            extensions=tuple((kind, data) for kind, data in stored["extensions"]),
        )


class Reader:
    """Numbers and vectors from the front of some bytes. Raises ValueError where they end early."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __bool__(self) -> bool:
        return bool(self._data)

    def take(self, size: int) -> bytes:
        """That many bytes."""
        if len(self._data) < size:
            raise ValueError("a hello ends early")
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def number(self, size: int) -> int:
        """An unsigned number."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Bytes with their length, of `size` bytes, in front."""
        return self.take(self.number(size))


def handshake_message(datagrams: Iterable[bytes], kind: int) -> bytes | None:
    """The body of the first whole handshake message of that kind, fragments put together; None where there is none."""
    parts: dict[int, tuple[int, dict[int, bytes]]] = {}
    for datagram in datagrams:
        for fragment in _plain_handshake(datagram):
            reader = Reader(fragment)
            found, length, sequence = reader.number(1), reader.number(3), reader.number(2)
            offset, size = reader.number(3), reader.number(3)
            if found != kind:
                continue
            pieces = parts.setdefault(sequence, (length, {}))[1]
            pieces[offset] = reader.take(size)
            body = b"".join(piece for _, piece in sorted(pieces.items()))
            if len(body) == length and not (kind == SERVER_HELLO and body[2:34] == _RETRY):
                return body
    return None


def _plain_handshake(datagram: bytes) -> Iterable[bytes]:
    reader = Reader(datagram)
    while reader:
        try:
            kind, _version, epoch = reader.number(1), reader.number(2), reader.number(2)
            reader.take(6)
            fragment = reader.vector(2)
        except ValueError:
            return
        if kind != _HANDSHAKE or epoch:
            return
        yield fragment


def client_hello(body: bytes) -> Hello:
    """A normalised ClientHello."""
    reader = Reader(body)
    version = reader.number(2)
    reader.take(32)
    session_id, cookie = len(reader.vector(1)), len(reader.vector(1))
    ciphers, compression = _numbers(reader.vector(2)), tuple(reader.vector(1))
    return Hello(version, session_id, cookie, ciphers, compression, _extensions(reader, client=True))


def server_hello(body: bytes) -> Hello:
    """A normalised ServerHello."""
    reader = Reader(body)
    version = reader.number(2)
    reader.take(32)
    session_id = len(reader.vector(1))
    ciphers, compression = (reader.number(2),), (reader.number(1),)
    return Hello(version, session_id, None, ciphers, compression, _extensions(reader, client=False))


def _numbers(data: bytes) -> tuple[int, ...]:
    return tuple(_plain(int.from_bytes(data[at : at + 2], "big")) for at in range(0, len(data), 2))


def _plain(number: int) -> int:
    """All GREASE values are one."""
    grease = number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF
    return 0x0A0A if grease else number


def _extensions(reader: Reader, *, client: bool) -> tuple[tuple[int, str], ...]:
    found = []
    extensions = Reader(reader.vector(2)) if reader else Reader(b"")
    while extensions:
        kind, data = _plain(extensions.number(2)), extensions.vector(2)
        found.append((kind, _shares(data, client=client) if kind == _KEY_SHARE else data.hex()))
    return tuple(sorted(found))


def _shares(data: bytes, *, client: bool) -> str:
    """The groups, each with the size of its share."""
    reader = Reader(Reader(data).vector(2) if client else data)
    groups = []
    while reader:
        groups.append(f"{_plain(reader.number(2)):04x}:{len(reader.vector(2))}")
    return " ".join(groups)


class Tap:
    """What passes an interface in UDP over IPv4, read from a packet socket; needs root."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self._socket.bind((interface, 0x0800))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
        self._socket.setblocking(False)

    def datagrams(self) -> list[tuple[tuple[bytes, int], bytes]]:
        """What came since the last call, each with its source, in order. Closes the tap."""
        found: list[tuple[tuple[bytes, int], bytes]] = []
        with self._socket:
            while True:
                try:
                    packet = self._socket.recv(65535)
                except BlockingIOError:
                    return found
                header = (packet[0] & 15) * 4
                if packet[9] == 17 and len(packet) > header + 8:
                    source = (packet[12:16], int.from_bytes(packet[header : header + 2], "big"))
                    found.append((source, packet[header + 8 :]))
