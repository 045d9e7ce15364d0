"""The sending half: what leaves, what comes back acknowledged, and what has to leave again (RFC 9260 §6, §7).

What is outstanding is found by its TSN, so a SACK costs what it newly acknowledges and one look at each of its blocks.
`loss.py` says what is lost, `congestion.py` how much may be in flight, `pacing.py` when; this file keeps the accounts.
Three deadlines wake it: a loss that becomes certain, a probe of the tail (RFC 8985 §7), and T3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mayfly.config import SctpConfig
from mayfly.sctp.congestion import CongestionControl
from mayfly.sctp.endings import SILENT, UNACKNOWLEDGED, BrokenRuleError
from mayfly.sctp.flight import ABANDONED, ACKNOWLEDGED, IN_FLIGHT, LOST, Sent
from mayfly.sctp.loss import LossDetection
from mayfly.sctp.outgoing import Outgoing
from mayfly.sctp.pacing import Pacer
from mayfly.sctp.partial import Abandoned
from mayfly.sctp.ranges import newly_covered
from mayfly.sctp.roundtrip import RoundTrip
from mayfly.sctp.samples import AckSample, Departure, LossSample
from mayfly.sctp.wire import COMMON_HEADER, DATA_HEADER, TSN_HALF, TSN_MASK, Sack

_WORTHWHILE = 256
"""Bytes left in a packet for which it is worth beginning the next message."""


class Sender:
    """Messages in, chunks for packets out."""

    def __init__(
        self,
        config: SctpConfig,
        *,
        tsn: int,
        channel: int,
        ordered: bool,
        control: Callable[[int], CongestionControl],
    ) -> None:
        self._config = config
        self._first_tsn = tsn
        self._mtu = config.base_packet
        self.queue = Outgoing(channel, ordered=ordered)
        self.round_trip = RoundTrip(config)
        self.control = control(self._mtu - COMMON_HEADER - DATA_HEADER)
        self._loss = LossDetection(self.round_trip)
        self._pacer = Pacer()
        self._abandoned = Abandoned(channel, ordered=ordered)
        self._outstanding: dict[int, Sent] = {}
        self._again: deque[Sent] = deque()
        self._next = 0  # TSNs here are unwrapped, and begin at 0
        self._acked = -1
        self._blocks: list[tuple[int, int]] = []
        self._order = 0
        self._in_flight = 0
        self._window = 0
        self._delivered = 0
        self._delivered_time = 0.0
        self._first_sent = 0.0
        self._app_limited_until = 0
        self._last_sent = 0.0
        self._limited = False
        self._failures = 0
        self._t3: float | None = None
        self._probe: float | None = None
        self._probed = False
        self._paced: float | None = None

    def begin(self, window: int) -> None:
        """The far end's first window."""
        self._window = window

    @property
    def busy(self) -> bool:
        """Whether anything is queued, or may still be lost."""
        return bool(self.queue or self._outstanding)

    @property
    def in_flight(self) -> int:
        """Bytes that are neither acknowledged nor lost."""
        return self._in_flight

    @property
    def last_tsn(self) -> int:
        """The last TSN that was given to a chunk."""
        return (self._first_tsn + self._next - 1) & TSN_MASK

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

    def acknowledge(self, sack: Sack, now: float) -> None:
        """Take in a SACK. Raises BrokenRuleError when it tells of what was never sent."""
        acked = self._acked
        ahead = (sack.cumulative - self._first_tsn - acked) & TSN_MASK
        if ahead >= TSN_HALF:
            return  # overtaken by a later one
        cumulative = acked + ahead
        if cumulative >= self._next:
            raise BrokenRuleError(UNACKNOWLEDGED)
        self._window = sack.window
        self._failures = 0
        in_flight = self._in_flight
        arrived: list[Sent] = []
        if ahead:
            pop = self._outstanding.pop
            arrived = [pop(tsn) for tsn in range(acked + 1, cumulative + 1)]
            self._acked = cumulative
        if sack.blocks or self._blocks:
            self._blocks, fresh = newly_covered(self._blocks, sack.blocks, cumulative, self._next - 1)
            outstanding = self._outstanding
            for start, end in fresh:
                arrived += [outstanding[tsn] for tsn in range(start, end + 1)]
        if arrived:
            self._arrived(arrived, in_flight, now)
            self.round_trip.settle()
        elif self._loss.deadline is not None:
            self._declare(self._loss.detect(now), now)
        if ahead or arrived:
            self._probed = False
            self._arm(now)
        self._abandoned.advance(self._outstanding, self._acked)

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
        self._delivered += total
        self._delivered_time = now
        if reordered:
            self._loss.spurious()
        if newest is None:
            return
        departure = newest.departure
        sample: float | None = None
        if newest.transmissions == 1:
            sample = now - departure.time
            self.round_trip.add(sample)
        self._first_sent = departure.time
        self._loss.acknowledged(newest)
        lost = self._declare(self._loss.detect(now), now)
        smoothed = self.round_trip.smoothed
        if smoothed is not None:
            self.control.on_acknowledged(
                AckSample(
                    now,
                    total,
                    lost,
                    self._delivered,
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
                self._outstanding[self._next] = placeholder = Sent(self._next, b"", 0, message, chunk.departure, -1)
                self._next += 1
                placeholder.state = ABANDONED
            for part in message.chunks or ():
                if part.state == IN_FLIGHT:
                    self._in_flight -= part.size
                part.state = ABANDONED
            self._abandoned.advance(self._outstanding, self._acked)

    # what leaves

    def packets(self, head: bytes, now: float) -> list[bytes]:
        """The chunks of the packets that may leave now. `head` goes first, into a packet of its own only if it must."""
        space = self._mtu - COMMON_HEADER
        bodies: list[bytes] = []
        if forward := self._abandoned.forward_tsn(self._first_tsn):
            head += forward
            self._arm_t3(now)
        self._paced = None
        room = self._room(now) if self._again or self.queue else 0
        if room <= 0:
            return [head] if head else []
        if not self._outstanding and self._last_sent:
            self.control.on_idle(now, now - self._last_sent, self.round_trip.timeout)
        departure = Departure(
            now,
            self._delivered,
            self._delivered_time if self._outstanding else now,
            self._first_sent if self._outstanding else now,
            self._in_flight,
            app_limited=self._app_limited_until > self._delivered,
        )
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
        if room > 0 and self.queue and not again:
            sent += self._cut(bodies, parts, used, room, departure)
        elif parts:
            bodies.append(b"".join(parts))
        if sent:
            self._pacer.spend(sent)
            self._last_sent = now
            self._arm_t3(now)
            self._arm_probe(now)
        if not self.queue and not again and self._in_flight < self.control.window:
            self._app_limited_until = self._delivered + self._in_flight
            self._limited = False
            self._paced = None
        return bodies

    def _cut(self, bodies: list[bytes], parts: list[bytes], used: int, room: int, departure: Departure) -> int:
        """Make packets of what is queued. Gives the bytes of data in them."""
        space = self._mtu - COMMON_HEADER
        queue = self.queue
        outstanding = self._outstanding
        in_order = self._loss.sent
        tsn, order, first = self._next, self._order, self._first_tsn
        begin = room
        queue.drop_expired(departure.time)
        while queue and room > 0:
            free = space - used - DATA_HEADER
            if free < _WORTHWHILE and used:
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
        self._next, self._order = tsn, order
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

    def _room(self, now: float) -> int:
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
            allowance = self._pacer.allowance(rate, self._mtu, now)
            if allowance <= 0:
                self._limited = True
                self._paced = self._pacer.ready(rate, self._mtu)
                return 0
            if allowance < room:
                room = int(allowance) + 1
                self._paced = self._pacer.ready(rate, self._mtu)
        self._limited = room < offered
        return min(room, offered)

    # deadlines

    def next_timeout(self) -> float | None:
        """When `handle_timeout` or `packets` has something to do."""
        deadlines = [at for at in (self._t3, self._probe, self._paced, self._loss.deadline) if at is not None]
        return min(deadlines, default=None)

    def handle_timeout(self, now: float) -> bool:
        """Do what is due. Whether T3 expired. Raises BrokenRuleError once the far end has been silent too long."""
        deadline = self._loss.deadline
        if deadline is not None and now >= deadline:
            self._declare(self._loss.detect(now), now)
        if self._probe is not None and now >= self._probe:
            self._probe_tail(now)
        if self._t3 is None or now < self._t3:
            return False
        self._t3 = None
        self._failures += 1
        if self._failures > self._config.max_retransmits:
            raise BrokenRuleError(SILENT)
        self.round_trip.back_off()
        in_flight = self._in_flight
        self._renege()
        for chunk in self._loss.give_up():
            self._lose(chunk, now)
        self._again = deque(sorted(self._again, key=_by_tsn))
        self.control.on_timeout(now, in_flight)
        self._abandoned.repeat(self._acked)
        self._probe = None
        if self._outstanding:
            self._t3 = now + self.round_trip.timeout
        return True

    def _renege(self) -> None:
        """A far end that reported the next chunk and still does not move on has thrown it away (RFC 9260 §6.2.1 D)."""
        following = self._outstanding.get(self._acked + 1)
        if following is None or following.state != ACKNOWLEDGED:
            return
        self._blocks = []
        for chunk in self._outstanding.values():
            if chunk.state == ACKNOWLEDGED:
                chunk.state = LOST
                self._again.append(chunk)

    def _probe_tail(self, now: float) -> None:
        """The last packet may be lost, and nobody tells: have it acknowledged by sending it again."""
        self._probe = None
        self._probed = True
        if self.queue or self._again:
            return
        chunk = self._loss.last()
        if chunk is not None:
            self._in_flight -= chunk.size
            chunk.state = LOST
            self._again.append(chunk)
            self._t3 = now + self.round_trip.timeout

    def _arm(self, now: float) -> None:
        """Something was acknowledged: the timers begin anew, or end."""
        if not self._outstanding:
            self._t3 = self._probe = None
            return
        self._t3 = now + self.round_trip.timeout
        self._arm_probe(now)

    def _arm_t3(self, now: float) -> None:
        if self._t3 is None:
            self._t3 = now + self.round_trip.timeout

    def _arm_probe(self, now: float) -> None:
        smoothed = self.round_trip.smoothed
        if smoothed is None or self._probed or not self._in_flight:
            self._probe = None
            return
        # Far ends may delay the acknowledgement of a single packet.
        self._probe = now + 2 * smoothed + self._config.probe_margin


def _by_tsn(chunk: Sent) -> int:
    return chunk.tsn
