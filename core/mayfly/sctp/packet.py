"""The common header and its checksum (RFC 9260 §3.1, §6.8), with zero checksums where both ends agreed (RFC 9653).

CRC32c needs native code; google-crc32c is what aiortc brings, and known to this module alone.
"""

from __future__ import annotations

from struct import Struct

import google_crc32c

from mayfly.sctp.wire import COMMON_HEADER

_PORTS_AND_TAG = Struct("!HHL")
_ZERO = bytes(4)


class Header:
    """The header of all packets that carry one tag in one direction.

    What does not change is kept, so that a packet costs one concatenation and, unless zero is agreed, one checksum.
    """

    __slots__ = ("_crc", "_zero", "prefix")

    def __init__(self, source_port: int, destination_port: int, tag: int) -> None:
        self.prefix: bytes = _PORTS_AND_TAG.pack(source_port, destination_port, tag)
        self._zero = self.prefix + _ZERO
        self._crc: int = google_crc32c.value(self._zero)

    @property
    def unchecked(self) -> bytes:
        """The whole header with a checksum of zero."""
        return self._zero

    def seal(self, chunks: bytes) -> bytes:
        """A packet with its checksum."""
        crc: int = google_crc32c.extend(self._crc, chunks)
        return self.prefix + crc.to_bytes(4, "little") + chunks

    def opens(self, packet: bytes) -> bool:
        """Whether a packet, whose prefix has been compared, has the right checksum."""
        crc: int = google_crc32c.extend(self._crc, packet[COMMON_HEADER:])
        return packet[8:COMMON_HEADER] == crc.to_bytes(4, "little")
