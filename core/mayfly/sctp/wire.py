"""Packets, chunks and parameters (RFC 9260 §3; RFC 3758, RFC 6525, RFC 9653 for the extensions).

Foreign bytes become frozen objects here, or `BrokenRuleError`. DATA is not among them: it is read in place, in
`receive.py`, because it is nearly all that there is to read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from mayfly.sctp.endings import MALFORMED, BrokenRuleError

COMMON_HEADER = 12
CHUNK_HEADER = 4
DATA_HEADER = 16
TSN_MASK = 0xFFFFFFFF
TSN_HALF = 0x80000000
SSN_MASK = 0xFFFF

LAST, FIRST, UNORDERED, IMMEDIATE = 1, 2, 4, 8
"""Flags of a DATA chunk (RFC 9260 §3.3.1)."""

BINARY, BINARY_EMPTY = 53, 57
"""Payload protocol identifiers (RFC 8831 §8)."""

DATA = Struct("!BBHLHHL")
"""Type, flags, length, TSN, stream, stream sequence number, payload protocol."""

_CHUNK = Struct("!BBH")
_INIT = Struct("!LLHHL")
_SACK = Struct("!BBHLLHH")
_PARAMETER = Struct("!HH")
_RESET = Struct("!LLL")
_RESPONSE = Struct("!LL")


class ChunkType(IntEnum):
    """Chunk types (RFC 9260 §3.2, RFC 6525 §3.1, RFC 3758 §3.2)."""

    DATA = 0
    INIT = 1
    INIT_ACK = 2
    SACK = 3
    HEARTBEAT = 4
    HEARTBEAT_ACK = 5
    ABORT = 6
    SHUTDOWN = 7
    SHUTDOWN_ACK = 8
    ERROR = 9
    COOKIE_ECHO = 10
    COOKIE_ACK = 11
    SHUTDOWN_COMPLETE = 14
    RECONFIG = 130
    PAD = 132
    FORWARD_TSN = 192


class Parameter(IntEnum):
    """Parameters that we read or write."""

    HEARTBEAT_INFO = 1
    STATE_COOKIE = 7
    OUTGOING_RESET = 13
    INCOMING_RESET = 14
    RESPONSE = 16
    ADD_OUTGOING = 17
    ADD_INCOMING = 18
    ZERO_CHECKSUM = 0x8001
    LARGEST_PACKET = 0x9D4D  # our own, which others skip without a word (RFC 9260 §3.2.1); 4 bytes
    SUPPORTED_EXTENSIONS = 0x8008
    FORWARD_TSN_SUPPORTED = 0xC000


SCTP_OVER_DTLS = 1
"""The error detection method that lets checksums be zero (RFC 9653 §4)."""


@dataclass(frozen=True, slots=True)
class Init:
    """An INIT or an INIT ACK. `cookie` is None in an INIT."""

    tag: int
    window: int
    outgoing_streams: int
    incoming_streams: int
    tsn: int
    cookie: bytes | None = None
    forward_tsn: bool = False
    zero_checksum: bool = False
    largest_packet: int = 0
    """The largest packet that its sender reads; 0 where it does not tell, and may not read more than Ethernet's."""

    def encode(self) -> bytes:
        """The chunk with its header."""
        extensions = bytes([ChunkType.RECONFIG, *([ChunkType.FORWARD_TSN] if self.forward_tsn else [])])
        parameters = [(Parameter.SUPPORTED_EXTENSIONS, extensions)]
        if self.forward_tsn:
            parameters.append((Parameter.FORWARD_TSN_SUPPORTED, b""))
        if self.zero_checksum:
            parameters.append((Parameter.ZERO_CHECKSUM, SCTP_OVER_DTLS.to_bytes(4, "big")))
        if self.largest_packet:
            parameters.append((Parameter.LARGEST_PACKET, self.largest_packet.to_bytes(4, "big")))
        if self.cookie is not None:
            parameters.append((Parameter.STATE_COOKIE, self.cookie))
        fixed = _INIT.pack(self.tag, self.window, self.outgoing_streams, self.incoming_streams, self.tsn)
        kind = ChunkType.INIT if self.cookie is None else ChunkType.INIT_ACK
        return encode_chunk(kind, fixed + encode_parameters(parameters))


@dataclass(frozen=True, slots=True)
class Sack:
    """A selective acknowledgement: blocks are offsets from `cumulative`, both ends included."""

    cumulative: int
    window: int
    blocks: tuple[tuple[int, int], ...]
    duplicates: int


@dataclass(frozen=True, slots=True)
class ForwardTsn:
    """What the far end gave up (RFC 3758 §3.2): everything up to `cumulative`, and the last message of each stream."""

    cumulative: int
    streams: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class OutgoingReset:
    """The far end closes streams after `last_tsn` (RFC 6525 §4.1). No stream named means all."""

    request: int
    last_tsn: int
    streams: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """A request that we refuse: to reset our streams, or to add some."""

    request: int


@dataclass(frozen=True, slots=True)
class Response:
    """How a request of ours went (RFC 6525 §4.4)."""

    request: int
    result: int


def encode_chunk(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A chunk with header and padding."""
    return _CHUNK.pack(kind, flags, CHUNK_HEADER + len(body)) + body + bytes(-len(body) % 4)


def encode_parameters(parameters: Iterable[tuple[int, bytes]]) -> bytes:
    """Parameters one after the other, each but the last padded: a chunk's length leaves out the last padding."""
    parts: list[bytes] = []
    padding = 0
    for kind, value in parameters:
        parts += (bytes(padding), _PARAMETER.pack(kind, 4 + len(value)), value)
        padding = -len(value) % 4
    return b"".join(parts)


def encode_sack(cumulative: int, window: int, blocks: list[tuple[int, int]], duplicates: list[int]) -> bytes:
    """A SACK chunk with its header (RFC 9260 §3.3.4)."""
    length = 16 + 4 * (len(blocks) + len(duplicates))
    head = _SACK.pack(ChunkType.SACK, 0, length, cumulative, window, len(blocks), len(duplicates))
    if not blocks and not duplicates:
        return head
    return b"".join((head, *[_PARAMETER.pack(*block) for block in blocks], *[t.to_bytes(4, "big") for t in duplicates]))


def encode_forward_tsn(cumulative: int, streams: Iterable[tuple[int, int]]) -> bytes:
    """A FORWARD TSN chunk."""
    body = cumulative.to_bytes(4, "big") + b"".join(_PARAMETER.pack(*stream) for stream in streams)
    return encode_chunk(ChunkType.FORWARD_TSN, body)


def encode_reset(request: int, response: int, last_tsn: int, stream: int) -> bytes:
    """A RE-CONFIG chunk that asks to reset one outgoing stream."""
    value = _RESET.pack(request, response, last_tsn) + stream.to_bytes(2, "big")
    return encode_chunk(ChunkType.RECONFIG, encode_parameters([(Parameter.OUTGOING_RESET, value)]))


def encode_response(request: int, result: int) -> bytes:
    """A RE-CONFIG chunk that answers a request."""
    value = _RESPONSE.pack(request, result)
    return encode_chunk(ChunkType.RECONFIG, encode_parameters([(Parameter.RESPONSE, value)]))


def chunk_at(packet: bytes, position: int) -> tuple[int, int, int, int]:
    """Type, flags, and where the body of a chunk begins and ends. Raises BrokenRuleError."""
    if position + CHUNK_HEADER > len(packet):
        raise BrokenRuleError(MALFORMED)
    kind, flags, length = _CHUNK.unpack_from(packet, position)
    if length < CHUNK_HEADER or position + length > len(packet):
        raise BrokenRuleError(MALFORMED)
    return kind, flags, position + CHUNK_HEADER, position + length


def decode_parameters(body: bytes) -> list[tuple[int, bytes]]:
    """Types and values. Raises BrokenRuleError."""
    found: list[tuple[int, bytes]] = []
    position = 0
    while position + 4 <= len(body):
        kind, length = _PARAMETER.unpack_from(body, position)
        if length < 4 or position + length > len(body):
            raise BrokenRuleError(MALFORMED)
        found.append((kind, body[position + 4 : position + length]))
        position += length + -length % 4
    return found


def decode_init(body: bytes) -> Init:
    """The body of an INIT or INIT ACK. Raises BrokenRuleError."""
    _demand(len(body) >= _INIT.size)
    tag, window, outgoing, incoming, tsn = _INIT.unpack_from(body)
    _demand(tag != 0 and outgoing != 0 and incoming != 0)
    cookie: bytes | None = None
    forward = zero = False
    largest = 0
    for kind, value in decode_parameters(body[_INIT.size :]):
        if kind == Parameter.STATE_COOKIE:
            cookie = value
        elif kind == Parameter.FORWARD_TSN_SUPPORTED:
            forward = True
        elif kind == Parameter.ZERO_CHECKSUM:
            zero = value == SCTP_OVER_DTLS.to_bytes(4, "big")
        elif kind == Parameter.LARGEST_PACKET:
            largest = int.from_bytes(value[:4], "big")
    return Init(tag, window, outgoing, incoming, tsn, cookie, forward, zero, largest)


def decode_sack(body: bytes) -> Sack:
    """The body of a SACK. Raises BrokenRuleError."""
    _demand(len(body) >= 12)
    cumulative, window, blocks, duplicates = _SACK_BODY.unpack_from(body)
    _demand(len(body) == 12 + 4 * (blocks + duplicates))
    found = tuple(_PARAMETER.iter_unpack(body[12 : 12 + 4 * blocks])) if blocks else ()
    return Sack(cumulative, window, found, duplicates)


def decode_forward_tsn(body: bytes) -> ForwardTsn:
    """The body of a FORWARD TSN. Raises BrokenRuleError."""
    _demand(len(body) >= 4 and len(body) % 4 == 0)
    return ForwardTsn(int.from_bytes(body[:4], "big"), tuple(_PARAMETER.iter_unpack(body[4:])))


def decode_reconfig(body: bytes) -> list[OutgoingReset | OtherRequest | Response]:
    """The body of a RE-CONFIG; what we do not know is left out. Raises BrokenRuleError."""
    found: list[OutgoingReset | OtherRequest | Response] = []
    for kind, value in decode_parameters(body):
        if kind == Parameter.OUTGOING_RESET:
            _demand(len(value) >= _RESET.size and len(value) % 2 == 0)
            request, _response, last_tsn = _RESET.unpack_from(value)
            streams = tuple(int.from_bytes(value[at : at + 2], "big") for at in range(_RESET.size, len(value), 2))
            found.append(OutgoingReset(request, last_tsn, streams))
        elif kind == Parameter.RESPONSE:
            _demand(len(value) >= _RESPONSE.size)
            found.append(Response(*_RESPONSE.unpack_from(value)))
        elif kind in (Parameter.INCOMING_RESET, Parameter.ADD_OUTGOING, Parameter.ADD_INCOMING):
            _demand(len(value) >= 4)
            found.append(OtherRequest(int.from_bytes(value[:4], "big")))
    return found


_SACK_BODY = Struct("!LLHH")


def _demand(fits: bool) -> None:
    if not fits:
        raise BrokenRuleError(MALFORMED)
