"""The common header and its checksum (RFC 9260 §3.1, §6.8), with zero checksums where both ends agreed (RFC 9653).

CRC32c needs native code; google-crc32c is what aiortc brings, and known to this module alone.
"""

# google-crc32c says that it is typed, and its functions are not.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from enum import Enum, auto
from struct import Struct

import google_crc32c

from mayfly.sctp.wire import COMMON_HEADER

_PORTS_AND_TAG = Struct("!HHL")
_ZERO = bytes(4)


class Header:
    """The header of all packets that carry one tag in one direction.

    What does not change is kept, so that a packet costs one concatenation and, unless zero is agreed, one checksum.
    """

    __slots__ = ("_crc", "prefix", "unchecked")

    def __init__(self, source_port: int, destination_port: int, tag: int) -> None:
        self.prefix: bytes = _PORTS_AND_TAG.pack(source_port, destination_port, tag)
        self.unchecked: bytes = self.prefix + _ZERO
        """The whole header with a checksum of zero."""
        self._crc: int = google_crc32c.value(self.unchecked)

    def seal(self, chunks: bytes) -> bytes:
        """A packet with its checksum."""
        crc: int = google_crc32c.extend(self._crc, chunks)
        return self.prefix + crc.to_bytes(4, "little") + chunks

    def opens(self, packet: bytes) -> bool:
        """Whether a packet, whose prefix has been compared, has the right checksum."""
        crc: int = google_crc32c.extend(self._crc, packet[COMMON_HEADER:])
        return packet[8:COMMON_HEADER] == crc.to_bytes(4, "little")


class Admission(Enum):
    """Whose packet it is, by its tag and checksum (RFC 9260 §8.5)."""

    OURS = auto()
    """It carries our tag."""
    OPENING = auto()
    """It carries none, which an INIT alone may."""
    REFLECTED = auto()
    """It carries its sender's own tag, as an ABORT does from an end that knows no other."""
    NOBODYS = auto()


class Headers:
    """The headers of both directions. `usual` is how nearly all packets that arrive begin."""

    __slots__ = ("_accepts_zero", "_incoming", "_opening", "_port", "_sends_zero", "outgoing", "usual")

    def __init__(self, port: int, tag: int, *, zero: bool) -> None:
        self._port = port
        self._accepts_zero = zero
        self._sends_zero = False
        self._incoming = Header(port, port, tag)
        self._opening = Header(port, port, 0)
        self.outgoing = self._opening
        """Of packets to the far end."""
        self.usual = self._incoming.unchecked if zero else b""

    def meet(self, tag: int, *, zero: bool) -> None:
        """The far end's tag, and whether it takes checksums of zero."""
        self.outgoing = Header(self._port, self._port, tag)
        self._sends_zero = zero and self._accepts_zero

    def admit(self, packet: bytes) -> Admission:
        """Look at a packet that does not begin as usual."""
        prefix = packet[:8]
        if prefix == self._incoming.prefix:
            return Admission.OURS if self._incoming.opens(packet) else Admission.NOBODYS
        if prefix == self._opening.prefix and self._opening.opens(packet):
            return Admission.OPENING
        if prefix == self.outgoing.prefix and self.outgoing.opens(packet):
            return Admission.REFLECTED
        return Admission.NOBODYS

    def seal_opening(self, chunk: bytes) -> bytes:
        """A packet without a tag."""
        return self._opening.seal(chunk)

    def seal(self, bodies: list[bytes], *, open_: bool) -> list[bytes]:
        """Packets to the far end. Their checksums are zero where that is agreed and the association is open."""
        header = self.outgoing
        if self._sends_zero and open_:
            unchecked = header.unchecked
            return [unchecked + body for body in bodies]
        return [header.seal(body) for body in bodies]
