"""How large a packet the path carries (DPLPMTUD, RFC 8899), by padded HEARTBEATs that are not fragmented on their way.

Few sizes are worth knowing, so all are tried at once: what comes back, passes. What does not is tried again some
times, and everything once more after `SctpConfig.search_interval`. Should large packets stop arriving (a black hole:
timeout after timeout), the size falls back for good.
"""

from __future__ import annotations

from math import inf

from mayfly.config import SctpConfig
from mayfly.sctp.wire import (
    CHUNK_HEADER,
    COMMON_HEADER,
    ChunkType,
    Parameter,
    decode_parameters,
    encode_chunk,
    encode_parameters,
)

_ETHERNET = 1432
"""The largest packet that fits a frame of Ethernet."""
_BLACK_HOLE = 2
"""Timeouts in a row."""


class PathSearch:
    """The size in use, and what is being tried. `nonce` tells our probes from any other HEARTBEAT."""

    __slots__ = ("_config", "_nonce", "_sizes", "_tries", "at", "size")

    def __init__(self, config: SctpConfig, nonce: bytes) -> None:
        self._config = config
        self._nonce = nonce
        self._tries = 0
        self._sizes: tuple[int, ...] = ()
        self.size = config.base_packet
        """Bytes of a packet, common header included."""
        self.at = inf
        """When to probe; infinite before the association is open."""

    def begin(self, largest: int, now: float) -> None:
        """The association is open. `largest` is what the far end reads, or 0 where it did not tell.

        aiortc and browsers read DTLS records into buffers of little more than 1,500 bytes, and what is larger upsets
        them for good; so they are sent no more than fits Ethernet.
        """
        most = max(largest, _ETHERNET)
        self._sizes = tuple(size for size in self._config.packet_sizes if size <= most)
        self.at = now if self._sizes else inf

    def probes(self, now: float) -> list[bytes]:
        """The chunks of the packets that try larger sizes, if it is time."""
        if now < self.at:
            return []
        sizes = [size for size in self._sizes if size > self.size]
        self._tries += 1
        if not sizes or self._tries > self._config.max_probes:
            self._tries = 0
            self.at = now + self._config.search_interval
            return []
        self.at = now + self._config.probe_interval
        return [self._probe(size) for size in sizes]

    def acknowledged(self, body: bytes) -> bool:
        """A HEARTBEAT ACK has come. Whether the size grew by it. Raises BrokenRuleError."""
        for kind, value in decode_parameters(body):
            if kind == Parameter.HEARTBEAT_INFO and value[2:] == self._nonce:
                size = int.from_bytes(value[:2], "big")
                if size > self.size and size in self._sizes:
                    self.size = size
                    return True
        return False

    def timed_out(self, timeouts: int) -> bool:
        """So many timeouts came in a row. Whether the size fell back by it."""
        if timeouts < _BLACK_HOLE or self.size == self._config.base_packet:
            return False
        self.size = self._config.base_packet
        self.at = inf  # for good: what was cut already may now be fragmented below, and so would probes be
        return True

    def _probe(self, size: int) -> bytes:
        info = encode_parameters([(Parameter.HEARTBEAT_INFO, size.to_bytes(2, "big") + self._nonce)])
        heartbeat = encode_chunk(ChunkType.HEARTBEAT, info)
        # A type that every stack skips when it does not know it (RFC 4820).
        return heartbeat + encode_chunk(ChunkType.PAD, bytes(size - COMMON_HEADER - len(heartbeat) - CHUNK_HEADER))
