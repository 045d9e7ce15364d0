"""A look at an SCTP packet before aiortc parses it: lengths that it trusts are checked here (RFC 9260 §3)."""

from __future__ import annotations

from struct import unpack_from

from mayfly.sctp.wire import COMMON_HEADER, ChunkType, Parameter


class MalformedPacketError(ValueError):
    """The packet breaks RFC 9260. Inside DTLS only the far end can have sent it."""


def check_packet(packet: bytes) -> None:
    """Raise MalformedPacketError unless every chunk and parameter has the length that its type demands."""
    position = COMMON_HEADER
    chunks, init = 0, False
    if len(packet) < position + 4:
        raise MalformedPacketError("no chunk")
    while position < len(packet):
        if position + 4 > len(packet):
            raise MalformedPacketError("half a chunk header")
        kind, _flags, length = unpack_from("!BBH", packet, position)
        if length < 4 or position + length > len(packet):
            raise MalformedPacketError("chunk length")
        _check_chunk(kind, packet[position + 4 : position + length])
        chunks += 1
        init = init or kind == ChunkType.INIT
        position += length + -length % 4
    if init and chunks > 1:
        # RFC 9260 §4.3 forbids it, and aiortc asserts it.
        raise MalformedPacketError("INIT with company")


def _check_chunk(kind: int, body: bytes) -> None:
    if kind == ChunkType.DATA:
        # 12 bytes of header and at least one of data (RFC 9260 §3.3.1).
        _demand(len(body) > 12)
    elif kind == ChunkType.SACK:
        _demand(len(body) >= 12)
        gaps, duplicates = unpack_from("!HH", body, 8)
        _demand(len(body) == 12 + 4 * (gaps + duplicates))
    elif kind in (ChunkType.INIT, ChunkType.INIT_ACK):
        _demand(len(body) >= 16)
        _check_parameters(body[16:])
    elif kind in (ChunkType.HEARTBEAT, ChunkType.HEARTBEAT_ACK, ChunkType.ABORT, ChunkType.ERROR):
        _check_parameters(body)
    elif kind == ChunkType.RECONFIG:
        _check_reconfiguration(body)
    elif kind == ChunkType.SHUTDOWN:
        _demand(len(body) == 4)
    elif kind == ChunkType.FORWARD_TSN:
        _demand(len(body) >= 4 and len(body) % 4 == 0)


def _check_parameters(body: bytes) -> list[tuple[int, int]]:
    """Types and value lengths. A parameter shorter than its header would make aiortc loop for ever."""
    found: list[tuple[int, int]] = []
    position = 0
    while position + 4 <= len(body):
        kind, length = unpack_from("!HH", body, position)
        _demand(length >= 4 and position + length <= len(body))
        found.append((kind, length - 4))
        position += length + -length % 4
    return found


def _check_reconfiguration(body: bytes) -> None:
    for kind, length in _check_parameters(body):
        if kind == Parameter.OUTGOING_RESET:  # RFC 6525 §4.1
            _demand(length >= 12 and length % 2 == 0)
        elif kind in (Parameter.RESPONSE, Parameter.ADD_OUTGOING):  # §4.4, §4.5
            _demand(length >= 8)


def _demand(fits: bool) -> None:
    if not fits:
        raise MalformedPacketError("chunk or parameter length")
