"""What the multiplexer tells its driver."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from mayfly.errors import ErrorCode
from mayfly.wire.hello import Hello


class Priority(IntEnum):
    """The scheduler's classes, served in this order."""

    CHAT = 0
    INTERACTIVE = 1
    BULK = 2


class Side(Enum):
    """Who ended a session."""

    US = "us"
    PEER = "peer"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class HelloReceived:
    """The peer's HELLO has come: streams may be opened from now on."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The peer opened a stream. Others may follow out of order."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class StreamReadable:
    """`read` has bytes, or the end, to give."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class StreamWritable:
    """A stream that had refused bytes takes some again."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The peer ended its half early; what was not read is gone."""

    stream_id: int
    code: int


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The peer wants no more of our half. The multiplexer has reset it already."""

    stream_id: int
    code: int


@dataclass(frozen=True, slots=True)
class StreamsAvailable:
    """More streams may be opened than before: the peer allows them, or one of ours has ended."""


@dataclass(frozen=True, slots=True)
class DatagramReceived:
    """A datagram that belongs to an open stream."""

    stream_id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class GoAwayReceived:
    """The peer takes no new streams and leaves within `seconds`."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The session is over. When `by` is US, a last message waits to be sent."""

    by: Side
    code: int
    """An ErrorCode where known."""
    reason: str
    """For people; foreign text where it is the peer's."""

    @property
    def in_order(self) -> bool:
        """Whether whoever ended it has just left: nothing was lost, and nobody broke a rule."""
        return self.by is not Side.LINK and self.code in (ErrorCode.NO_ERROR, ErrorCode.DRAINED)


Event = (
    HelloReceived
    | StreamOpened
    | StreamReadable
    | StreamWritable
    | StreamReset
    | StreamStopped
    | StreamsAvailable
    | DatagramReceived
    | GoAwayReceived
    | SessionClosed
)
