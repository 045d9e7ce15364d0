"""What is to be said beside data: control chunks, and packets that share nothing with them."""

from __future__ import annotations

from mayfly.sctp.retry import Retry
from mayfly.sctp.wire import ChunkType, encode_chunk

_MOST = 64
"""Of each kind; what a far end provokes beyond that is not answered, and what of our own comes behind it is repeated by
its timer."""


class Replies:
    """What waits for the next packets."""

    __slots__ = ("_chunks", "_packets")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._packets: list[bytes] = []

    @property
    def waiting(self) -> bool:
        """Whether there is anything."""
        return bool(self._chunks or self._packets)

    def chunk(self, chunk: bytes) -> None:
        """A control chunk, which goes first into a packet."""
        if len(self._chunks) < _MOST:
            self._chunks.append(chunk)

    def packet(self, packet: bytes) -> None:
        """A whole packet: INIT and INIT ACK share none with other chunks (RFC 9260 §3)."""
        if len(self._packets) < _MOST:
            self._packets.append(packet)

    def unknown(self, kind: int, chunk: bytes) -> None:
        """A chunk of a type that we do not know; some ask to be reported (RFC 9260 §3.2, §3.3.10.6)."""
        if kind & 0x40:
            cause = (6).to_bytes(2, "big") + (4 + len(chunk)).to_bytes(2, "big") + chunk
            self.chunk(encode_chunk(ChunkType.ERROR, cause))

    def repeat(self, retry: Retry) -> None:
        """What is sent until it is answered."""
        (self.packet if retry.alone else self.chunk)(retry.what)

    def last_words(self, *chunks: bytes) -> None:
        """These in place of the chunks that wait: the association is over."""
        self._chunks = list(chunks)

    def take_chunks(self) -> bytes:
        """The chunks, behind one another."""
        if not self._chunks:
            return b""
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)

    def take_packets(self) -> list[bytes]:
        """The packets."""
        packets, self._packets = self._packets, []
        return packets
