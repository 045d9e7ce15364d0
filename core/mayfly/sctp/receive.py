"""The receiving half: TSNs into ranges, fragments into messages, and what to acknowledge (RFC 9260 §6.2, §6.5, §6.7).

While nothing is missing, a chunk costs a comparison and a list's append. What overtakes a gap goes to `reassembly.py`
and into sorted ranges, which are also the gap blocks of the next SACK.

One SACK answers all packets that arrived together, where the far end is our kind. Others follow RFC 9260 §6.1 D and
§7.2.1 to the letter: a SACK lets them send a burst of four packets, and grow by one. One for many packets would keep
four in flight for ever, so they get one for every second packet, all of them in one packet of ours. A packet that came
alone, or a few that are small, wait for a packet of ours to take their SACK along, for more, or for
`SctpConfig.sack_delay`: RFC 9260 §6.2 asks for a SACK every second packet, TCP (RFC 5681 §4.2) every second full one,
and of a small request SACKs by themselves are a large part of the cost. The window that a SACK offers is what is left
of `EngineConfig.max_reassembly` beside fragments, messages that wait for their turn, and messages that nobody has taken
yet; what comes beyond it is dropped, but for what fills a gap. Until the session has started, the window is half of
`EngineConfig.max_early`.
"""

from __future__ import annotations

from bisect import bisect_right

from mayfly.config import EngineConfig
from mayfly.sctp.endings import ABANDONED, FOREIGN_CHANNEL, MALFORMED, NOT_BINARY, TOO_BIG, BrokenRuleError
from mayfly.sctp.reassembly import Order, Reassembly
from mayfly.sctp.wire import (
    BINARY,
    BINARY_EMPTY,
    DATA,
    DATA_HEADER,
    FIRST,
    IMMEDIATE,
    LAST,
    TSN_HALF,
    TSN_MASK,
    UNORDERED,
    ForwardTsn,
    encode_sack,
)

_WHOLE = FIRST | LAST
_MIN_FRAGMENT = 256
"""No stack cuts messages into smaller fragments than this, but for the last one."""

_MAX_BLOCKS = 256
_MAX_DUPLICATES = 16
"""In one SACK: what does not fit a packet is left out (RFC 9260 §6.7)."""

_MAX_BEHIND = 512
"""Bytes of SACKs before the last one: all go into one packet."""

_FEW_BLOCKS = 4
"""In each of them, where there are several."""

_SMALLEST_WINDOW = 1500
"""Less is told as none, so that the far end does not send crumbs (RFC 9260 §6.2)."""

_SMALL = 1188
"""Bytes of packets that may wait together as one may: less than two full ones of the smallest size."""

_unpack = DATA.unpack_from


class Receiver:
    """What the far end sent. Whole messages are put into `messages`, which the association hands on."""

    __slots__ = (
        "_abandoning",
        "_behind",
        "_capacity",
        "_channel",
        "_cumulative",
        "_duplicates",
        "_expected",
        "_limits",
        "_max_fragments",
        "_max_message",
        "_offered",
        "_order",
        "_packets_size",
        "_parts",
        "_parts_flags",
        "_parts_protocol",
        "_parts_sequence",
        "_parts_size",
        "_ranges",
        "_reassembly",
        "_straight",
        "_together",
        "_unread",
        "messages",
        "packets",
        "sack_now",
    )

    def __init__(self, limits: EngineConfig, *, channel: int, partial_reliability: bool) -> None:
        self._limits = limits
        self._channel = channel
        self._abandoning = partial_reliability
        self._capacity = limits.max_early // 2
        self._max_message = limits.max_message
        self._max_fragments = limits.max_ahead + limits.max_message // _MIN_FRAGMENT
        self._expected = 0  # the next TSN
        self._cumulative = -1  # the last one, unwrapped
        self._straight = True  # nothing has been overtaken, so all that is held is in _parts
        self._parts: list[bytes] = []
        self._parts_size = self._parts_flags = self._parts_sequence = self._parts_protocol = 0
        self._ranges: list[list[int]] = []  # received beyond a gap, unwrapped, both ends included
        self._reassembly = Reassembly()
        self._order = Order()
        self._unread = 0
        self._duplicates: list[int] = []
        self._offered = self._capacity
        self._together = True
        self._behind = b""  # SACKs for what came before the last two packets
        self.messages: list[bytes] = []
        self.packets = 0
        """Packets with DATA that no SACK has answered."""
        self._packets_size = 0
        self.sack_now = False
        """Whether the next SACK must not be delayed."""

    def begin(self, tsn: int, *, together: bool = True) -> None:
        """The far end's first TSN, and whether it takes one SACK for all that arrived together."""
        self._expected = tsn
        self._together = together

    @property
    def last(self) -> int:
        """The last TSN up to which nothing is missing."""
        return (self._expected - 1) & TSN_MASK

    @property
    def held(self) -> int:
        """Bytes of everything that was received and not taken."""
        return self._parts_size + self._reassembly.size + self._order.size + self._unread

    @property
    def window(self) -> int:
        """Bytes that the far end may have in flight."""
        room = self._capacity - self.held
        return room if room >= _SMALLEST_WINDOW else 0

    def set_unread(self, unread: int, *, reading: bool) -> None:
        """Bytes of messages that were handed out and not taken. Until somebody is `reading`, the window is smaller."""
        self._unread = unread
        if reading:
            self._capacity = self._limits.max_reassembly
        if self._offered < self._capacity // 2 and self.window >= 2 * self._offered:
            self.sack_now = True  # the far end may be waiting for it

    def begin_packet(self, size: int) -> None:
        """A packet of `size` bytes with DATA is about to be taken in."""
        if self.packets == 2 and not self._together and len(self._ranges) <= _FEW_BLOCKS:
            if len(self._behind) < _MAX_BEHIND:
                self._behind += self._sack()
            self.sack_now = True
            self.packets = self._packets_size = 0
        self.packets += 1
        self._packets_size += size

    def data(self, packet: bytes, position: int) -> int:
        """Take in the DATA chunks that begin at `position`. Gives where the first other chunk begins."""
        size = len(packet)
        while True:
            if size - position <= DATA_HEADER:
                raise BrokenRuleError(MALFORMED)
            _, flags, length, tsn, stream, sequence, protocol = _unpack(packet, position)
            end = position + length
            # At least one byte of data (RFC 9260 §3.3.1).
            if length <= DATA_HEADER or end > size:
                raise BrokenRuleError(MALFORMED)
            if stream != self._channel:
                raise BrokenRuleError(FOREIGN_CHANNEL)
            data = packet[position + DATA_HEADER : end]
            if tsn == self._expected and self._straight and self._unread < self._capacity:
                self._expected = (tsn + 1) & TSN_MASK
                self._cumulative += 1
                self._append(flags, sequence, protocol, data)
            else:
                self._place(tsn, flags, sequence, protocol, data)
            if flags & IMMEDIATE:
                self.sack_now = True
            position = end + (-length & 3)
            if position >= size or packet[position] != 0:
                return position

    def forward(self, chunk: ForwardTsn) -> None:
        """Nothing up to the chunk's TSN will come any more (RFC 3758 §3.6)."""
        if not self._abandoning:
            raise BrokenRuleError(ABANDONED)
        self.sack_now = True
        ahead = (chunk.cumulative - self._expected) & TSN_MASK
        if ahead >= TSN_HALF:
            return
        if ahead > self._limits.max_span:
            raise BrokenRuleError(MALFORMED)
        self._spill()
        self._advance(self._cumulative + 1 + ahead)
        self._reassembly.abandon(self._cumulative)
        for stream, sequence in chunk.streams:
            if stream == self._channel:
                self._deliver(self._order.skip(sequence))
        self._settle()

    def owes_sack(self, *, single: bool) -> bool:
        """Whether a SACK is due, for a packet that came alone, or for a few that are small, only where `single`."""
        full = self.packets > 1 and (self._packets_size > _SMALL or not self._together)
        return self.sack_now or full or (single and self.packets > 0)

    def sack(self) -> bytes:
        """The SACK chunk that tells all of it, behind those that are due before it."""
        behind, self._behind = self._behind, b""
        self.packets = self._packets_size = 0
        self.sack_now = False
        return behind + self._sack() if len(self._ranges) <= _FEW_BLOCKS else self._sack()

    def _sack(self) -> bytes:
        self._offered = window = self.window
        after = self._cumulative
        blocks = [(start - after, end - after) for start, end in self._ranges[:_MAX_BLOCKS]]
        duplicates, self._duplicates = self._duplicates, []
        return encode_sack(self.last, window, blocks, duplicates)

    def _append(self, flags: int, sequence: int, protocol: int, data: bytes) -> None:
        """The next fragment of the message that is being received, or a message of one fragment."""
        if flags & FIRST:
            if self._parts:
                if not self._abandoning:
                    raise BrokenRuleError(MALFORMED)
                self._parts.clear()
                self._parts_size = 0
            if flags & LAST:
                self._finish(flags, sequence, protocol, data)
                return
            self._parts_flags, self._parts_sequence, self._parts_protocol = flags, sequence, protocol
            self._parts.append(data)
            self._parts_size = len(data)
            return
        parts = self._parts
        if not parts:
            if self._abandoning:
                return
            raise BrokenRuleError(MALFORMED)
        parts.append(data)
        size = self._parts_size = self._parts_size + len(data)
        if size > self._max_message or len(parts) > self._max_fragments:
            raise BrokenRuleError(TOO_BIG)
        if flags & LAST:
            message = b"".join(parts)
            parts.clear()
            self._parts_size = 0
            self._finish(self._parts_flags, self._parts_sequence, self._parts_protocol, message)

    def _finish(self, flags: int, sequence: int, protocol: int, message: bytes) -> None:
        if not flags & UNORDERED:
            order = self._order
            self._deliver(order.add(sequence, protocol, message))
            if order.size > self._limits.max_reassembly + self._max_message or len(order) > self._max_fragments:
                raise BrokenRuleError(TOO_BIG)  # of what came without a gap nothing can have to wait
        elif protocol == BINARY and len(message) <= self._max_message:
            self.messages.append(message)
        else:
            self._deliver([(protocol, message)])

    def _deliver(self, messages: list[tuple[int, bytes]]) -> None:
        for protocol, message in messages:
            if protocol not in (BINARY, BINARY_EMPTY):
                raise BrokenRuleError(NOT_BINARY)
            if len(message) > self._max_message:
                raise BrokenRuleError(TOO_BIG)
            self.messages.append(message if protocol == BINARY else b"")

    # beyond a gap

    def _place(self, tsn: int, flags: int, sequence: int, protocol: int, data: bytes) -> None:
        """A chunk that comes too early, fills a gap, comes twice, or finds no room."""
        self.sack_now = True
        ahead = (tsn - self._expected) & TSN_MASK
        index = self._cumulative + 1 + ahead
        if ahead >= TSN_HALF or self._known(index):
            if len(self._duplicates) < _MAX_DUPLICATES:
                self._duplicates.append(tsn)
            return
        # Out of space: it is dropped, and will be sent again. What is missing comes in even so, or nothing would move.
        full = self.held >= self._capacity and (ahead or self._unread >= self._capacity)
        if ahead > self._limits.max_span or full:
            return
        self._spill()
        if ahead:
            self._remember(index)
        else:
            self._advance(index)
        if flags & _WHOLE == _WHOLE:
            self._finish(flags, sequence, protocol, data)
        else:
            run = self._reassembly.add(index, flags, sequence, protocol, data)
            if run.size > self._max_message or len(self._reassembly) > self._max_fragments:
                raise BrokenRuleError(TOO_BIG)
            if run.flags & _WHOLE == _WHOLE:
                self._finish(run.flags, run.sequence, run.protocol, self._reassembly.take(run))
        if self._abandoning:
            self._reassembly.abandon(self._cumulative)
        self._settle()

    def _known(self, index: int) -> bool:
        at = bisect_right(self._ranges, index, key=_start_of) - 1
        return at >= 0 and index <= self._ranges[at][1]

    def _remember(self, index: int) -> None:
        """Add a TSN to the ranges, which it extends, joins, or is a new one of."""
        ranges = self._ranges
        if not ranges or index > ranges[-1][1] + 1:
            ranges.append([index, index])
        elif index == ranges[-1][1] + 1:
            ranges[-1][1] = index
        else:
            at = bisect_right(ranges, index, key=_start_of)
            left = at > 0 and ranges[at - 1][1] == index - 1
            right = ranges[at][0] == index + 1
            if left and right:
                ranges[at - 1][1] = ranges.pop(at)[1]
            elif left:
                ranges[at - 1][1] = index
            elif right:
                ranges[at][0] = index
            else:
                ranges.insert(at, [index, index])

    def _advance(self, index: int) -> None:
        """Nothing is missing up to `index`, nor in the ranges that it reaches."""
        ranges = self._ranges
        reached = 0
        while reached < len(ranges) and ranges[reached][0] <= index + 1:
            index = max(index, ranges[reached][1])
            reached += 1
        del ranges[:reached]
        self._expected = (self._expected + index - self._cumulative) & TSN_MASK
        self._cumulative = index

    def _spill(self) -> None:
        """Hand the unfinished message to reassembly, for a chunk that is not simply the next one."""
        if not self._straight:
            return
        self._straight = False
        tsn = self._cumulative - len(self._parts) + 1
        for at, data in enumerate(self._parts):
            flags = self._parts_flags & ~LAST if at == 0 else self._parts_flags & UNORDERED
            self._reassembly.add(tsn + at, flags, self._parts_sequence, self._parts_protocol, data)
        self._parts.clear()
        self._parts_size = 0

    def _settle(self) -> None:
        """Go straight again once no gap is left and at most the message that is being received is held."""
        if self._ranges:
            return
        if len(self._reassembly) == 0:
            self._straight = True
        elif (found := self._reassembly.take_open(self._cumulative)) is not None:
            run, self._parts = found
            self._parts_size = run.size
            self._parts_flags, self._parts_sequence, self._parts_protocol = run.flags, run.sequence, run.protocol
            self._straight = True


def _start_of(span: list[int]) -> int:
    return span[0]
