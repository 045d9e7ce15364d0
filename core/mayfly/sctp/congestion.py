"""The interface of congestion control: given acknowledgements, losses, time; asked for a window and a rate."""

from __future__ import annotations

from typing import Protocol

from mayfly.sctp.samples import AckSample, LossSample


class CongestionControl(Protocol):
    """How much may be in flight, and how fast it may leave. All sizes are bytes of user data."""

    @property
    def window(self) -> int:
        """Bytes that may be in flight."""
        ...

    @property
    def pacing_rate(self) -> float | None:
        """Bytes a second, or None as long as nothing is known of the path."""
        ...

    def resize(self, packet: int) -> None:
        """A packet now carries that much."""
        ...

    def on_acknowledged(self, sample: AckSample) -> None:
        """A SACK acknowledged something."""
        ...

    def on_lost(self, sample: LossSample) -> None:
        """Loss detection gave chunks up as lost. The controller tells apart what is one event."""
        ...

    def on_timeout(self, now: float, in_flight: int) -> None:
        """Nothing was acknowledged for a whole timeout: everything in flight counts as lost."""
        ...

    def on_idle(self, now: float, idle: float, timeout: float) -> None:
        """Sending begins again after so many seconds with nothing in flight (RFC 9260 §7.2.1)."""
        ...
