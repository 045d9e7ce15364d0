"""What is known of a tor at one moment, in words for people. Pure.

::

    STARTING -> BOOTSTRAPPING -> READY
        any of them -> DOWN (it ended, or does not answer) -> STARTING, after a while
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_STAGES = (
    (("conn", "handshake"), "reaching the Tor network"),
    (("onehop", "requesting_status", "loading_status", "loading_keys"), "asking who is in the Tor network"),
    (("requesting_descriptors", "loading_descriptors"), "learning about its relays"),
    (("enough_dirinfo", "ap_"), "connecting to a first relay"),
    (("circuit",), "building a way through it"),
    (("done",), "ready"),
)
"""Beginnings of the tags of bootstrap phases (control-spec §5.5), and what they mean to people."""

_REASONS = {
    "DONE": "the other side closes connections",
    "CONNECTREFUSED": "connections are refused",
    "IDENTITY": "a relay is not the one that was meant",
    "CONNECTRESET": "connections are reset",
    "TIMEOUT": "connections take too long",
    "NOROUTE": "there is no way to the Tor network",
    "IOERROR": "connections break",
    "RESOURCELIMIT": "this computer allows no more connections",
    "MISC": "connections fail",
    "PT_MISSING": "a bridge's transport does not run",
    "TLS_ERROR": "TLS handshakes fail",
}
"""What tor often puts in place of a sentence (control-spec §4.1.11), in words."""


LOST = "The connection to tor was lost."


class TorPhase(Enum):
    """How far a tor is."""

    STARTING = "starting"
    BOOTSTRAPPING = "bootstrapping"
    READY = "ready"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class TorStatus:
    """A tor at one moment."""

    phase: TorPhase = TorPhase.STARTING
    percent: int = 0
    words: str = "starting tor"
    """What it is doing."""
    problem: str = ""
    """What stands in its way, mostly in tor's own words; empty where nothing does. To be escaped before a terminal."""
    retry: float | None = None
    """Seconds after which it is started again; only when DOWN."""

    @property
    def ready(self) -> bool:
        """Whether streams can be sent through it."""
        return self.phase is TorPhase.READY

    @property
    def not_ready(self) -> str:
        """What to say while it is not."""
        return f"Tor is not ready: {self.words}."


def bootstrapping(progress: str | None, tag: str | None, warning: str | None = None) -> TorStatus:
    """The status that a bootstrap phase of tor's means. What makes no sense counts as no progress."""
    percent = int(progress) if progress is not None and progress.isascii() and progress.isdigit() else 0
    if percent >= 100:
        return TorStatus(TorPhase.READY, 100, "ready")
    stages = (words for tags, words in _STAGES if (tag or "").startswith(tags))
    problem = _REASONS.get(warning or "", warning or "")
    return TorStatus(TorPhase.BOOTSTRAPPING, percent, next(stages, "starting tor"), problem)


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit of tor's (control-spec §4.1.1)."""

    id: str
    state: str
    """`LAUNCHED`, `BUILT`, `EXTENDED`, `FAILED` or `CLOSED`."""
    purpose: str
    hops: tuple[str, ...]
    """The nicknames of its relays, from the first to the last; a fingerprint where there is none."""
    user: str | None = None
    """The SOCKS user name that it is kept for."""
    password: str | None = None


@dataclass(frozen=True, slots=True)
class OnionService:
    """An onion service that tor serves for us. Its key lives in memory alone."""

    address: str
    """56 letters and digits and `.onion`."""
    port: int
    target: str
    """Where its streams go: `HOST:PORT` or `unix:PATH`."""
    key: str = ""

    def __repr__(self) -> str:
        """Without the key, and without the address, which is a secret of those who meet there."""
        return f"OnionService(port={self.port})"


class Backoff:
    """How long to wait before each new start: doubled every time, and short again after it has run for a while."""

    def __init__(self, first: float = 1.0, longest: float = 60.0, settled: float = 60.0) -> None:
        self._first = first
        self._longest = longest
        self._settled = settled
        self._next = first

    def after(self, ran: float) -> float:
        """Seconds to wait, after a tor that was ready for `ran` seconds."""
        if ran >= self._settled:
            self._next = self._first
        delay = self._next
        self._next = min(self._next * 2, self._longest)
        return delay
