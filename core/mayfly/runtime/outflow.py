"""What leaves a session, and when: the multiplexer's messages, as far as the link and the rate have room for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from mayfly.mux.events import Event
from mayfly.mux.multiplexer import Multiplexer
from mayfly.runtime.rate import ByteLimiter
from mayfly.transport.base import Link

_TICK = 0.001
"""Seconds behind a deadline at which its timer comes. uvloop tells the time by the millisecond, and one that came a
rounding error too early would come again and again until the next."""


class Outflow:
    """Pulls messages out of a multiplexer into a link, and keeps the multiplexer's time.

    Whatever changes the multiplexer calls `wake()`. `flushed` is called behind each flush, and `dispatch` with what the
    multiplexer tells when its time has come.
    """

    def __init__(
        self,
        mux: Multiplexer,
        link: Link,
        limiter: ByteLimiter | None,
        *,
        flushed: Callable[[], None],
        dispatch: Callable[[Iterable[Event]], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._mux = mux
        self._link = link
        self._limiter = limiter
        self._flushed = flushed
        self._dispatch = dispatch
        self._stopped = False
        self._flush_handle: asyncio.Handle | None = None
        self._waking_later = False
        self._rate_timer: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0

    def wake(self) -> None:
        """Flush in the loop's next turn, so that what happens together leaves together."""
        if self._flush_handle is None and not self._stopped:
            self._flush_handle = self._loop.call_soon(self.flush)

    def wake_later(self) -> None:
        """Look in the loop's next turn whether anything presses, and `wake` then; otherwise only the time is kept.

        What the network brings meanwhile may have more to send, and leaves with it.
        """
        if not self._waking_later:
            self._waking_later = True
            self._loop.call_soon(self._wake_if_pressing)

    def _wake_if_pressing(self) -> None:
        self._waking_later = False
        if self._flush_handle is not None or self._stopped:
            return
        if self._mux.pressing(self._loop.time()):
            self.wake()
        else:
            self._flushed()
            self._arm_timer()

    def flush(self) -> None:
        """Send now what is to be sent, as far as the link takes it."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        if self._stopped:
            return
        now = self._loop.time()
        # The link may pass on at once what it is given, and it calls back only when it has been full: so until it is.
        while messages := self._mux.messages_to_send(budget := self._budget(now), now):
            for message in messages:
                budget -= len(message)
                self._link.send(message)
                if self._limiter is not None:
                    self._limiter.consume(len(message), now)
            if budget > 0:
                break
        self._link.flush()
        self._flushed()
        self._arm_timer()

    def stop(self) -> None:
        """Say the multiplexer's last word, and nothing from then on."""
        self._stopped = True
        for message in self._mux.messages_to_send(1, self._loop.time()):
            self._link.send(message)
        for timer in (self._flush_handle, self._rate_timer, self._timer):
            if timer is not None:
                timer.cancel()

    def _budget(self, now: float) -> int:
        """Bytes that may be handed to the link now."""
        budget = self._link.high_water - self._link.buffered_amount
        if self._limiter is None:
            return budget
        allowed = self._limiter.available(now)
        if not allowed and self._rate_timer is None:  # while there is some, the caller comes back
            self._rate_timer = self._loop.call_later(self._limiter.wait(now), self._on_rate)
        return min(budget, allowed)

    def _on_rate(self) -> None:
        self._rate_timer = None
        self.wake()

    def _arm_timer(self) -> None:
        due = self._mux.next_timeout()  # mostly later than before; a timer that comes too early is the cheaper way
        if due is not None and (self._timer is None or due < self._timer_due):
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._timer_due = self._loop.call_at(due + _TICK, self._on_timer), due

    def _on_timer(self) -> None:
        self._timer = None
        self._dispatch(self._mux.handle_timeout(self._loop.time()))
        self.flush()
