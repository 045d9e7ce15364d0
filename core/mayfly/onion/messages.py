"""The lines that a caller and a relay exchange: JSON objects of one line each, read with a bound."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

VERSION = 1

_NO_MESSAGE = "the other side sent something that is no message"

PORT = 6293
"""The virtual port of the onion service (M-A-Y-F on a telephone)."""


class OnionError(Exception):
    """The other side does not keep to the protocol. The text is ours and shows nothing of what it said."""


class Refusal(Enum):
    """Why a relay does not go on. The values are what travels."""

    BUSY = "busy"
    """No seat, too many callers, or too many of late. Another call later may do."""
    VERSION = "version"
    """The caller speaks a version that the relay does not."""
    ANSWER = "answer"
    """The answer cannot be used, or belongs to another offer."""
    LATE = "late"
    """The answer took too long."""


@dataclass(frozen=True, slots=True)
class Call:
    """Caller: an offer is wanted."""

    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Offered:
    """Relay: an offer for this caller alone, and the seconds within which the answer is due."""

    offer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """Caller: the answer's code."""

    answer: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """Relay: the answer is taken; the link comes now."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Relay: no. `seconds` is when to come back, where that helps."""

    why: Refusal
    seconds: float = 0.0


Message = Call | Offered | Answered | Accepted | Refused

MAX_SECONDS = 3600.0
"""No relay's span counts for more."""


class LineReader:
    """Cuts what arrives into lines of at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now. Raises OnionError for one that is too long."""
        self._held += data
        *lines, rest = bytes(self._held).split(b"\n")
        self._held = bytearray(rest)
        if max(map(len, (*lines, rest))) > self._limit:
            raise OnionError("the other side sent a line that is too long")
        return lines


def encode(message: Message) -> bytes:
    """One line."""
    match message:
        case Call(version):
            content: dict[str, Any] = {"call": version}
        case Offered(offer, seconds):
            content = {"offer": offer, "seconds": seconds}
        case Answered(answer):
            content = {"answer": answer}
        case Accepted():
            content = {"accepted": True}
        case Refused(why, seconds):
            content = {"refused": why.value, "seconds": seconds}
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Read a line; members that are not known are ignored. Raises OnionError."""
    try:
        content: object = json.loads(line)
    except (ValueError, RecursionError):
        raise OnionError(_NO_MESSAGE) from None
    if not isinstance(content, dict):
        raise OnionError(_NO_MESSAGE)
    members = cast("dict[str, object]", content)
    match members:
        case {"call": int(version)} if not isinstance(version, bool):
            return Call(version)
        case {"offer": str(offer)}:
            return Offered(offer, _seconds(members))
        case {"answer": str(answer)}:
            return Answered(answer)
        case {"accepted": True}:
            return Accepted()
        case {"refused": str(why)}:
            return Refused(_refusal(why), _seconds(members))
        case _:
            raise OnionError("the other side sent a message that is not known")


def _seconds(members: dict[str, object]) -> float:
    seconds = members.get("seconds", 0.0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        raise OnionError("the other side sent a span of time that is none")
    return min(float(seconds), MAX_SECONDS)


def _refusal(why: str) -> Refusal:
    try:
        return Refusal(why)
    except ValueError:
        return Refusal.BUSY  # of a newer relay: to come back later is never wrong
