"""The sending half: what leaves, what comes back acknowledged, and what has to leave again (RFC 9260 §6, §7).

What is outstanding is found by its TSN, so a SACK costs what it newly acknowledges and one look at each of its blocks.
`loss.py` says what is lost, `congestion.py` how much may be in flight, `pacing.py` when; this file keeps the accounts.
Three deadlines wake it: a loss that becomes certain, a probe of the tail (RFC 8985 §7), and T3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf

from mayfly.config import EngineConfig, SctpConfig
from mayfly.sctp.congestion import CongestionControl
from mayfly.sctp.delivery import Delivery
from mayfly.sctp.endings import SILENT, BrokenRuleError
from mayfly.sctp.flight import ABANDONED, ACKNOWLEDGED, IN_FLIGHT, LOST, Sent
from mayfly.sctp.loss import LossDetection
from mayfly.sctp.outgoing import Outgoing
from mayfly.sctp.pacing import Pacer
from mayfly.sctp.partial import Abandoned
from mayfly.sctp.roundtrip import RoundTrip
from mayfly.sctp.samples import AckSample, Departure, LossSample
from mayfly.sctp.scoreboard import Scoreboard
from mayfly.sctp.timers import Timers
from mayfly.sctp.wire import COMMON_HEADER, DATA_HEADER, TSN_HALF, TSN_MASK, Sack

_WORTHWHILE = 256
"""Bytes left in a packet for which it is worth cutting the next message."""

_CROWDED = 16
"""Blocks in a SACK for which there may have been more: far ends name 20 at most, or what fits a packet. What arrived
beyond still counts as in flight, so the window may look full for ever. Each such SACK lets two packets be
sent again."""


class Sender:
    """Messages in, chunks for packets out."""

    def __init__(
        self,
        limits: EngineConfig,
        config: SctpConfig,
        *,
        tsn: int,
        channel: int,
        ordered: bool,
        control: Callable[[int], CongestionControl],
    ) -> None:
        self._config = config
        self._max_span = limits.max_span
        self._mtu = config.base_packet
        self.queue = Outgoing(channel, ordered=ordered)
        self.round_trip = RoundTrip(config)
        self.control = control(self._mtu - COMMON_HEADER - DATA_HEADER)
        self._loss = LossDetection(self.round_trip)
        self._pacer = Pacer()
        self._abandoned = Abandoned(channel, ordered=ordered)
        self._board = Scoreboard(tsn)
        self._again: deque[Sent] = deque()
        self._order = 0
        self._in_flight = 0
        """Bytes that are neither acknowledged nor lost."""
        self._window = 0
        self._delivery = Delivery()
        self._last_sent = 0.0
        self._limited = False
        self._crowded = False
        self._heard: Sack | None = None
        self._heard_at = 0.0
        self._failures = 0
        self._timers = Timers(self.round_trip, config)

    def begin(self, window: int) -> None:
        """The far end's first window."""
        self._window = window

    @property
    def busy(self) -> bool:
        """Whether anything is queued, or may still be lost, by all that was heard."""
        arrived = self._heard is not None and self._heard.cumulative == self.last_tsn
        return bool(self.queue.unsent or (self._board.outstanding and not arrived))

    @property
    def pressing(self) -> bool:
        """Whether `packets` may have something to give now: messages, what was lost, or word of what was given up."""
        return bool(self.queue.unsent or self._again or self._abandoned.due)

    @property
    def last_tsn(self) -> int:
        """The last TSN that was given to a chunk."""
        return self._board.wire(self._board.next - 1)

    @property
    def oversized(self) -> bool:
        """Whether a chunk that must be sent again no longer fits a packet: a chunk is never cut a second time."""
        return bool(self._again) and len(self._again[0].chunk) > self._mtu - COMMON_HEADER

    @property
    def timeouts(self) -> int:
        """Timeouts since anything was acknowledged."""
        return self._failures

    def set_mtu(self, mtu: int) -> None:
        """A packet, common header included, may have that many bytes."""
        self._mtu = mtu
        self.control.resize(mtu - COMMON_HEADER - DATA_HEADER)

    # what is acknowledged

    def hear(self, sack: Sack, now: float) -> None:
        """A SACK has come. One without blocks waits for `settle`: of those that come together the last tells all.

        Raises BrokenRuleError as `acknowledge` does.
        """
        heard = self._heard
        if heard is None or (sack.cumulative - heard.cumulative) & TSN_MASK < TSN_HALF:
            if now != self._heard_at:
                self.settle()  # its time is when what it tells of was acknowledged
            self._heard, self._heard_at = sack, now
            if sack.blocks:
                self.settle()

    def settle(self) -> None:
        """All that came together was heard."""
        heard = self._heard
        if heard is not None:
            self._heard = None
            self.acknowledge(heard, self._heard_at)

    def acknowledge(self, sack: Sack, now: float) -> None:
        """Take in a SACK. Raises BrokenRuleError when it tells of what was never sent."""
        in_flight = self._in_flight
        taken = self._board.take(sack)
        if taken is None:
            return
        moved, arrived = taken
        self._window = sack.window
        self._failures = 0
        self._crowded = len(sack.blocks) >= _CROWDED
        if arrived:
            self._arrived(arrived, in_flight, now)
            self.round_trip.settle()
        elif self._loss.deadline < inf:
            self._declare(self._loss.detect(self._board.reported, now), now)
        if moved or arrived:
            self._timers.progressed(now, outstanding=bool(self._board.outstanding))
        self._abandoned.advance(self._board)

    def acknowledge_up_to(self, cumulative: int, now: float) -> None:
        """Take in an acknowledgement without blocks or a window."""
        self.acknowledge(Sack(cumulative, self._window, (), 0), now)

    def _arrived(self, arrived: list[Sent], in_flight: int, now: float) -> None:
        total = 0
        newest: Sent | None = None
        reordered = False
        minimum = self.round_trip.minimum
        for chunk in arrived:
            state = chunk.state
            if state >= ACKNOWLEDGED:
                continue
            size = chunk.size
            total += size
            if state == IN_FLIGHT:
                self._in_flight -= size
            chunk.state = ACKNOWLEDGED
            if state == LOST or (chunk.transmissions > 1 and now - chunk.departure.time < minimum):
                reordered = True
                continue  # it was an earlier transmission that arrived
            if newest is None or chunk.order > newest.order:
                newest = chunk
        self._delivery.arrived(total, now)
        if reordered:
            self._loss.spurious()
        if newest is None:
            return
        departure = newest.departure
        sample: float | None = None
        if newest.transmissions == 1:
            sample = now - departure.time
            self.round_trip.add(sample)
        self._delivery.sampled(departure)
        self._loss.acknowledged(newest)
        lost = self._declare(self._loss.detect(self._board.reported, now), now)
        smoothed = self.round_trip.smoothed
        if smoothed is not None:
            self.control.on_acknowledged(
                AckSample(
                    now,
                    total,
                    lost,
                    self._delivery.total,
                    in_flight,
                    departure,
                    sample,
                    smoothed,
                    self.round_trip.minimum,
                    self._limited,
                )
            )

    def _declare(self, lost: list[Sent], now: float) -> int:
        """Chunks are lost: send them again, or give them up. Gives their bytes."""
        if not lost:
            return 0
        in_flight = self._in_flight
        total = 0
        for chunk in lost:
            total += chunk.size
            self._lose(chunk, now)
        newest = lost[-1].departure
        self.control.on_lost(LossSample(now, total, newest.time, in_flight, newest))
        return total

    def _lose(self, chunk: Sent, now: float) -> None:
        if chunk.state == IN_FLIGHT:
            self._in_flight -= chunk.size
            chunk.state = LOST
            message = chunk.message
            if message is None or not self._abandoned.gives_up(chunk, message, now):
                self._again.append(chunk)
                return
            if self.queue.give_up(message):
                # Of what is not cut yet the far end must hear as well, or it waits for the end of the message.
                self._board.outstanding[self._board.next] = placeholder = Sent(
                    self._board.next, b"", 0, message, chunk.departure, -1
                )
                self._board.next += 1
                placeholder.state = ABANDONED
            for part in message.chunks or ():
                if part.state == IN_FLIGHT:
                    self._in_flight -= part.size
                part.state = ABANDONED
            self._abandoned.advance(self._board)

    # what leaves

    def packets(self, head: bytes, now: float) -> list[bytes]:
        """The chunks of the packets that may leave now. `head` goes first, into a packet of its own only if it must."""
        space = self._mtu - COMMON_HEADER
        bodies: list[bytes] = []
        if forward := self._abandoned.forward_tsn(self._board):
            head += forward
            self._timers.expect(now)
        due, self._timers.paced = self._timers.paced, inf
        room = self._room(now, due) if self._again or self.queue.unsent else 0
        if room <= 0 and self._again and self._crowded:
            room = self._mtu
        self._crowded = False
        if room <= 0:
            return [head] if head else []
        idle = not self._board.outstanding
        if idle and self._last_sent:
            self.control.on_idle(now, now - max(self._last_sent, self._delivery.last), self.round_trip.timeout)
        departure = self._delivery.departure(now, self._in_flight, idle=idle)
        parts = [head] if head else []
        used = len(head)
        sent = 0
        again = self._again
        while again and room > 0:
            chunk = again[0]
            if chunk.state != LOST:
                again.popleft()
                continue
            length = len(chunk.chunk)
            if used and used + length > space:
                bodies.append(b"".join(parts))
                parts, used = [], 0
            again.popleft()
            self._resend(chunk, departure)
            parts.append(chunk.chunk)
            used += length
            room -= chunk.size
            sent += chunk.size
        if room > 0 and self.queue.unsent and not again:
            sent += self._cut(bodies, parts, used, room, departure)
        elif parts:
            bodies.append(b"".join(parts))
        if sent:
            self._pacer.spend(sent)
            self._last_sent = now
            self._timers.left(now)
        if not self.queue.unsent and not again and self._in_flight < self.control.window:
            self._delivery.ran_dry(self._in_flight)
            self._limited = False
            self._timers.paced = inf
        return bodies

    def _cut(self, bodies: list[bytes], parts: list[bytes], used: int, room: int, departure: Departure) -> int:
        """Make packets of what is queued. Gives the bytes of data in them."""
        space = self._mtu - COMMON_HEADER
        queue = self.queue
        outstanding = self._board.outstanding
        in_order = self._loss.sent
        tsn, order, first = self._board.next, self._order, self._board.wire(0)
        begin = room
        queue.drop_expired(departure.time)
        last = self._board.acked + self._max_span
        while queue.unsent and room > 0 and tsn <= last:
            free = space - used - DATA_HEADER
            if used and free < _WORTHWHILE and free < queue.first:
                bodies.append(parts[0] if len(parts) == 1 else b"".join(parts))
                parts, used = [], 0
                continue
            chunk, size, message = queue.cut((first + tsn) & TSN_MASK, free)
            record = Sent(tsn, chunk, size, None, departure, order)
            if message.chunks is not None:
                record.message = message
                message.chunks.append(record)
            outstanding[tsn] = record
            in_order(record)
            tsn += 1
            order += 1
            room -= size
            parts.append(chunk)
            used += len(chunk)
        if parts:
            bodies.append(parts[0] if len(parts) == 1 else b"".join(parts))
        self._board.next, self._order = tsn, order
        sent = begin - room
        self._in_flight += sent
        return sent

    def _resend(self, chunk: Sent, departure: Departure) -> None:
        chunk.state = IN_FLIGHT
        chunk.departure = departure
        chunk.order = self._order
        chunk.transmissions += 1
        self._order += 1
        self._in_flight += chunk.size
        self._loss.sent(chunk)

    def _room(self, now: float, due: float) -> int:
        """Bytes that may leave now. A packet is begun as long as there is any (RFC 9260 §6.1 B)."""
        in_flight = self._in_flight
        offered = self._window - in_flight
        if offered <= 0:
            # One packet asks whether the window has opened again (§6.1 A).
            return 0 if in_flight else 1
        room = self.control.window - in_flight
        if room <= 0:
            self._limited = True
            return 0
        rate = self.control.pacing_rate
        if rate is not None:
            allowance = self._pacer.allowance(rate, self._mtu, now, due)
            if allowance <= 0:
                self._limited = True
                self._timers.paced = self._pacer.ready(rate, self._mtu)
                return 0
            if allowance < room:
                room = int(allowance) + 1
                self._timers.paced = self._pacer.ready(rate, self._mtu)
        self._limited = room < offered
        return min(room, offered)

    # deadlines

    def next_timeout(self) -> float:
        """When `handle_timeout` or `packets` has something to do; infinite for never."""
        due, deadline = self._timers.next(), self._loss.deadline
        return due if due < deadline else deadline

    def handle_timeout(self, now: float) -> bool:
        """Do what is due. Whether T3 expired. Raises BrokenRuleError once the far end has been silent too long."""
        if now >= self._loss.deadline:
            self._declare(self._loss.detect(self._board.reported, now), now)
        timers = self._timers
        if now >= timers.probe:
            self._probe_tail(now)
        if now < timers.t3:
            return False
        self._failures += 1
        if self._failures > self._config.max_retransmits:
            raise BrokenRuleError(SILENT)
        self.round_trip.back_off()
        in_flight = self._in_flight
        self._again += self._board.renege()
        for chunk in self._loss.give_up():
            self._lose(chunk, now)
        self._again = deque(sorted(self._again, key=_by_tsn))
        self.control.on_timeout(now, in_flight)
        self._abandoned.repeat(self._board)
        timers.expired(now, outstanding=bool(self._board.outstanding))
        return True

    def _probe_tail(self, now: float) -> None:
        """The last packet may be lost, and nobody tells: have it acknowledged by sending it again."""
        self._timers.asked(now)
        chunk = None if self._again else self._loss.last()
        if chunk is not None:
            self._in_flight -= chunk.size
            chunk.state = LOST
            self._again.append(chunk)


def _by_tsn(chunk: Sent) -> int:
    return chunk.tsn
