"""Our own association over DTLS: `mayfly.sctp` with a clock, random numbers and one timer.

What a wake-up of the socket brought is taken in at once, and what then has to leave does so in the loop's next turn,
together with what the session sends in answer. Where nothing presses, nothing leaves: what waits goes with the next
message, or by the timer. SACKs are taken in a turn later then, behind what the messages beside them brought about.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from math import inf
from typing import Protocol

from mayfly.config import EngineConfig, SctpConfig
from mayfly.sctp.association import Association
from mayfly.sctp.endings import SEND_FAILED
from mayfly.transport.aiortc.dtls import LinkDtls

_EARLY = 0.001
"""Seconds that a timer may be late rather than be set anew."""


class SctpListener(Protocol):
    """What an association tells. The calls must return soon."""

    @property
    def unread(self) -> int:
        """Bytes of messages received that nobody has taken."""
        ...

    def opened(self) -> None:
        """The channel is open."""

    def received(self, message: bytes) -> None:
        """A whole message has arrived."""

    def progressed(self) -> None:
        """Something has left, so there may be room."""

    def acknowledged(self) -> None:
        """Everything that was sent has arrived."""

    def failed(self, reason: str) -> None:
        """The association has ended, or has to. May be called more than once."""


class LinkSctp:
    """One association with one negotiated channel."""

    def __init__(self, dtls: LinkDtls, listener: SctpListener, limits: EngineConfig, *, ordered: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._dtls = dtls
        self._listener = listener
        self._association = Association(
            limits,
            SctpConfig(),
            tag=1 + secrets.randbelow(2**32 - 1),
            tsn=secrets.randbits(32),
            cookie=secrets.token_bytes(16),
            ordered=ordered,
        )
        self._timer: asyncio.TimerHandle | None = None
        self._due = inf  # uvloop's handles do not tell
        self._flush_handle: asyncio.Handle | None = None
        self._settling = False
        self._reading = False
        self._opened = False
        self._over = False

    async def open(self) -> None:
        """Begin; `listener.opened` follows."""
        self._association.start(self._loop.time())
        self._dtls.deliver_to(self._receive)
        self._flush()

    def send_message(self, message: bytes) -> None:
        """Queue a message. It leaves in the loop's next turn, or with `flush`."""
        self._association.send(message)
        self._flush_soon()

    def flush(self) -> None:
        """Let leave now what would leave in the loop's next turn."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush()

    def start_reading(self) -> None:
        """From now on every message is taken when it is given."""
        self._reading = True
        self._association.set_unread(0, reading=True)
        self._flush_soon()

    @property
    def unsent(self) -> int:
        """Bytes of messages that have not been put into a packet yet."""
        return self._association.unsent

    @property
    def unacknowledged(self) -> bool:
        """Whether anything sent may still be lost."""
        return self._association.unacknowledged

    @property
    def round_trip(self) -> float | None:
        """Smoothed round-trip time in seconds."""
        return self._association.round_trip

    async def stop(self) -> None:
        """Abort the association; no timer is left."""
        if not self._over:
            self._over = True
            self._association.abort()
            with contextlib.suppress(ConnectionError):
                self._dtls.send_packets(self._association.packets_to_send(self._loop.time()))
        self._stop_timer()

    def _receive(self, packets: list[bytes]) -> None:
        if self._over:
            return
        association, listener = self._association, self._listener
        for message in association.receive(packets, self._loop.time()):
            listener.received(message)
        if not self._reading:
            association.set_unread(listener.unread, reading=False)
        if association.established and not self._opened:
            self._opened = True
            listener.opened()
        if association.pressing:
            self._flush_soon()
            return
        if not self._settling:
            self._settling = True
            self._loop.call_soon(self._settle)

    def _flush_soon(self) -> None:
        if self._flush_handle is None:
            self._flush_handle = self._loop.call_soon(self._flush)

    def _settle(self) -> None:
        self._settling = False
        if self._over or self._flush_handle is not None:
            return
        association = self._association
        association.settle(self._loop.time())
        if association.pressing:
            self._flush()
            return
        self._set_timer()
        if not association.unacknowledged:
            self._listener.acknowledged()

    def _flush(self) -> None:
        self._flush_handle = None
        if self._over:
            return
        association = self._association
        if association.oversized:
            self._dtls.let_fragment()
        packets = association.packets_to_send(self._loop.time())
        try:
            if packets:
                self._dtls.send_packets(packets)
        except ConnectionError:
            self._end(SEND_FAILED)
            return
        if association.ended is not None:
            self._end(association.ended)
            return
        self._set_timer()
        if packets:
            self._listener.progressed()
        if not association.unacknowledged:
            self._listener.acknowledged()

    def _end(self, reason: str) -> None:
        self._over = True
        self._stop_timer()
        self._listener.failed(reason)

    def _set_timer(self) -> None:
        due = self._association.next_timeout()  # where one is set for earlier, it finds nothing to do then
        if due < self._due - _EARLY:
            self._stop_timer()
            self._timer, self._due = self._loop.call_at(due, self._timed_out), due

    def _timed_out(self) -> None:
        self._timer, self._due = None, inf
        self._association.handle_timeout(self._loop.time())
        self._flush()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._due = None, inf
