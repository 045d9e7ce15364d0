"""One association with one negotiated channel (RFC 9260, RFC 8831), as a machine without I/O.

Packets go in with the time, whole messages come out; `packets_to_send` gives what has to leave, `next_timeout` when to
call `handle_timeout` and then `packets_to_send` again. Once `ended` says why, nothing comes out any more but what
tells the far end.

The far end is authenticated by DTLS below, so a broken rule is its own doing and ends the association. Cookies
therefore guard nothing here; one random value per association tells ours from a late one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import ClassVar

from mayfly.config import EngineConfig, SctpConfig
from mayfly.sctp.congestion import CongestionControl
from mayfly.sctp.endings import CLOSED, MALFORMED, SILENT, BrokenRuleError
from mayfly.sctp.near import NearBound
from mayfly.sctp.packet import Admission, Headers
from mayfly.sctp.receive import Receiver
from mayfly.sctp.replies import Replies
from mayfly.sctp.reset import answer_reconfig
from mayfly.sctp.retry import Retry
from mayfly.sctp.search import PathSearch
from mayfly.sctp.send import Sender
from mayfly.sctp.states import MEETING, RECEIVING, SENDING, State, Step, follow
from mayfly.sctp.wire import (
    CHUNK_HEADER,
    COMMON_HEADER,
    ChunkType,
    Init,
    chunk_at,
    decode_forward_tsn,
    decode_init,
    decode_parameters,
    decode_sack,
    encode_chunk,
)

_STREAMS = 65535
_IGNORED = frozenset({ChunkType.DATA, ChunkType.SHUTDOWN_ACK, ChunkType.PAD})  # known, and mean nothing by themselves
_REFLECTED = 1
"""The T bit: the packet carries its sender's own tag, for it knows no other (RFC 9260 §8.5.1)."""
_LAST_WORDS = frozenset({ChunkType.ABORT, ChunkType.SHUTDOWN_COMPLETE})


class Association:
    """One end. `tag`, `tsn` and `cookie` are random, and chosen by the caller, as randomness is I/O."""

    def __init__(
        self,
        limits: EngineConfig,
        config: SctpConfig,
        *,
        tag: int,
        tsn: int,
        cookie: bytes,
        port: int = 5000,
        channel: int = 0,
        ordered: bool = False,
        partial_reliability: bool = False,
        zero_checksum: bool = True,
        control: Callable[[int], CongestionControl] = NearBound,
    ) -> None:
        self._config = config
        self._cookie = cookie
        self._channel = channel
        self._receiver = Receiver(limits, channel=channel, partial_reliability=partial_reliability)
        self._sender = Sender(limits, config, tsn=tsn, channel=channel, ordered=ordered, control=control)
        self._ours = Init(
            tag,
            limits.max_reassembly,  # not the smaller one of before the session: dcSCTP's slow start ends at the first
            _STREAMS,
            _STREAMS,
            tsn,
            forward_tsn=partial_reliability,
            zero_checksum=zero_checksum,
            largest_packet=max(config.packet_sizes, default=0),
        )
        self._theirs: Init | None = None
        self._headers = Headers(port, tag, zero=zero_checksum)
        self._search = PathSearch(config, cookie)
        self._state = State.CLOSED
        self._retry: Retry | None = None
        self._replies = Replies()
        self._sack_at = inf
        self.ended: str | None = None
        """Why it is over, in words for people; None before."""

    # for the driver

    @property
    def established(self) -> bool:
        """Whether messages leave."""
        return self._state in SENDING

    @property
    def unsent(self) -> int:
        """Bytes of messages that have not been put into a packet yet."""
        return self._sender.queue.unsent

    @property
    def unacknowledged(self) -> bool:
        """Whether anything sent may still be lost."""
        return self._sender.busy

    @property
    def round_trip(self) -> float | None:
        """Smoothed round-trip time in seconds."""
        return self._sender.round_trip.smoothed

    @property
    def pressing(self) -> bool:
        """Whether `packets_to_send` may have something to give that does not wait for `next_timeout`."""
        beside = self._replies.waiting or self._receiver.owes_sack(single=False)
        return beside or self._state not in SENDING or self._sender.pressing

    @property
    def oversized(self) -> bool:
        """Whether a packet has to leave that is larger than the path now seems to carry."""
        return self._sender.oversized

    def start(self, now: float) -> None:
        """Begin to open. The far end does the same."""
        self._step(Step.START)
        self._repeat(self._headers.seal_opening(self._ours.encode()), now, alone=True)

    def send(self, message: bytes, *, max_retransmits: int | None = None, expiry: float | None = None) -> None:
        """Queue a message. With one of the limits it may be given up, if the far end agreed to that (RFC 3758)."""
        if self._state is State.ENDED:
            return
        if self._theirs is None or not (self._theirs.forward_tsn and self._ours.forward_tsn):
            max_retransmits = expiry = None
        self._sender.queue.put(message, max_retransmits, expiry)

    def set_unread(self, unread: int, *, reading: bool) -> None:
        """Bytes of messages given out that nobody has taken, and whether somebody takes them at all yet."""
        self._receiver.set_unread(unread, reading=reading)

    def abort(self) -> None:
        """End at once, and tell the far end."""
        if self._state is not State.ENDED:
            self._break(CLOSED)

    def receive(self, packets: Sequence[bytes], now: float) -> list[bytes]:
        """Take in packets that arrived together. Gives the messages that they completed."""
        receiver = self._receiver
        usual = self._headers.usual
        try:
            for packet in packets:
                if packet[:COMMON_HEADER] != usual and not self._admit(packet):
                    continue
                if len(packet) < COMMON_HEADER + CHUNK_HEADER:
                    raise BrokenRuleError(MALFORMED)
                position = COMMON_HEADER
                if packet[position] == 0 and self._state in RECEIVING:
                    receiver.begin_packet(len(packet))
                    position = receiver.data(packet, position)
                if position < len(packet):
                    self._take_chunks(packet, position, now)
        except BrokenRuleError as error:
            self._break(error.reason)
        if receiver.packets and self._sack_at == inf and self._state in RECEIVING:
            self._sack_at = now + self._config.sack_delay
        messages, receiver.messages = receiver.messages, []
        return messages

    def settle(self, now: float) -> None:
        """Do what `receive` left for a moment in which nobody waits: take in what SACKs have told.

        `packets_to_send` and `handle_timeout` do it, too.
        """
        if self._state not in SENDING:
            return
        try:
            self._sender.settle()
        except BrokenRuleError as error:
            self._break(error.reason)
            return
        if self._state is State.SHUTDOWN_RECEIVED and not self._sender.busy:
            self._step(Step.ALL_ACKNOWLEDGED)
            self._sack_at = inf
            self._repeat(encode_chunk(ChunkType.SHUTDOWN_ACK, b""), now)

    def packets_to_send(self, now: float) -> list[bytes]:
        """What has to leave now."""
        self.settle(now)
        packets = self._replies.take_packets()
        head = self._replies.take_chunks()
        bodies = [head] if head else []
        opened = self._state in SENDING
        if opened or self._state is State.COOKIE_ECHOED:
            bodies = self._data_to_send(head, now)
        if opened and now >= self._search.at:
            bodies += self._search.probes(now)
        return packets + self._headers.seal(bodies, open_=opened) if bodies else packets

    def next_timeout(self) -> float:
        """When to call `handle_timeout`; infinite for never."""
        if self._state is State.ENDED:
            return inf
        due = self._sack_at
        if self._retry is not None and self._retry.at < due:
            due = self._retry.at
        return min(due, self._search.at, self._sender.next_timeout()) if self._state in SENDING else due

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        self.settle(now)
        if self._state is State.ENDED:
            return
        retry = self._retry
        if retry is not None and now >= retry.at:
            if not retry.again(now):
                self._break(SILENT)
                return
            self._replies.repeat(retry)
        try:
            if self._sender.handle_timeout(now) and self._search.timed_out(self._sender.timeouts):
                self._sender.set_mtu(self._search.size)
        except BrokenRuleError as error:
            self._break(error.reason)

    # packets

    def _data_to_send(self, head: bytes, now: float) -> list[bytes]:
        if self._receiver.owes_sack(single=now >= self._sack_at or bool(self._sender.queue.unsent)):
            head += self._receiver.sack()
            self._sack_at = inf
        if self._state not in SENDING:
            return [head] if head else []
        return self._sender.packets(head, now)

    def _admit(self, packet: bytes) -> bool:
        """Whether a packet whose header is not the usual one is for us. An INIT is dealt with right here."""
        admission = self._headers.admit(packet)
        if admission is Admission.OURS:
            return True
        if admission is not Admission.NOBODYS:
            kind, flags, begin, end = chunk_at(packet, COMMON_HEADER)
            if admission is Admission.OPENING and kind == ChunkType.INIT:
                if end + -end % 4 < len(packet):
                    raise BrokenRuleError(MALFORMED)
                self._on_init(packet[begin:end])
            elif admission is Admission.REFLECTED and flags & _REFLECTED and kind in _LAST_WORDS:
                self._end(CLOSED)
        return False

    def _take_chunks(self, packet: bytes, position: int, now: float) -> None:
        size = len(packet)
        while position < size and self._state is not State.ENDED:
            kind, _flags, begin, end = chunk_at(packet, position)
            if kind == ChunkType.DATA and self._state in RECEIVING:
                self._receiver.begin_packet(size)
                position = self._receiver.data(packet, position)
                continue
            if kind == ChunkType.SACK:
                if self._state in SENDING:
                    self._sender.hear(decode_sack(packet[begin:end]), now)
            else:
                handler = self._handlers.get(kind)
                if handler is not None:
                    handler(self, packet[begin:end], now)
                elif kind not in _IGNORED:
                    if self._theirs is not None:
                        self._replies.unknown(kind, packet[position:end])
                    if not kind & 0x80:
                        return  # unknown, and the rest of the packet is not to be read (§3.2)
            position = end + -end % 4

    # opening

    def _on_company(self, _body: bytes, _now: float) -> None:
        # INIT shares no packet (§4.3), and has its own tag, so it never comes this far.
        raise BrokenRuleError(MALFORMED)

    def _on_init(self, body: bytes) -> None:
        theirs = decode_init(body)
        if self._state not in MEETING:
            return
        if self._state is State.COOKIE_WAIT:
            self._meet(theirs)
        answer = replace(self._ours, cookie=self._cookie)
        self._replies.packet(self._headers.seal([answer.encode()], open_=False)[0])

    def _on_init_ack(self, body: bytes, now: float) -> None:
        theirs = decode_init(body)
        if theirs.cookie is None:
            raise BrokenRuleError(MALFORMED)
        if self._step(Step.INIT_ACK):
            self._meet(theirs)
            self._repeat(encode_chunk(ChunkType.COOKIE_ECHO, theirs.cookie), now)

    def _on_cookie_echo(self, cookie: bytes, now: float) -> None:
        if cookie == self._cookie and self._theirs is not None:
            self._establish(Step.COOKIE_ECHO, now)
            self._replies.chunk(encode_chunk(ChunkType.COOKIE_ACK, b""))

    def _on_cookie_ack(self, _body: bytes, now: float) -> None:
        self._establish(Step.COOKIE_ACK, now)

    def _meet(self, theirs: Init) -> None:
        self._theirs = theirs
        self._headers.meet(theirs.tag, zero=theirs.zero_checksum)
        self._receiver.begin(theirs.tsn, together=theirs.largest_packet > 0)
        self._sender.begin(theirs.window)

    def _establish(self, step: Step, now: float) -> None:
        if self._step(step):
            self._retry = None
            self._search.begin(self._theirs.largest_packet if self._theirs is not None else 0, now)

    # what is neither DATA nor SACK, once open

    def _on_heartbeat(self, body: bytes, _now: float) -> None:
        decode_parameters(body)
        self._replies.chunk(encode_chunk(ChunkType.HEARTBEAT_ACK, body))

    def _on_heartbeat_ack(self, body: bytes, _now: float) -> None:
        if self._search.acknowledged(body):
            self._sender.set_mtu(self._search.size)

    def _on_error(self, body: bytes, _now: float) -> None:
        decode_parameters(body)  # which is all: what matters repeats until it is answered

    def _on_forward_tsn(self, body: bytes, _now: float) -> None:
        if self._state in RECEIVING:
            self._receiver.forward(decode_forward_tsn(body))

    # ending

    def _on_reconfig(self, body: bytes, _now: float) -> None:
        if self._state not in RECEIVING:
            return
        answers, closes = answer_reconfig(
            body, self._channel, received=self._receiver.last, sent=self._sender.last_tsn, own=self._ours.tsn
        )
        for answer in answers:
            self._replies.chunk(answer)
        if closes:
            self._end(CLOSED)

    def _on_abort(self, _body: bytes, _now: float) -> None:
        self._end(CLOSED)

    def _on_shutdown_complete(self, _body: bytes, _now: float) -> None:
        if self._step(Step.SHUTDOWN_COMPLETE):
            self._end(CLOSED)

    def _on_shutdown(self, body: bytes, now: float) -> None:
        if len(body) != 4:
            raise BrokenRuleError(MALFORMED)
        if self._state not in SENDING:
            return
        self._step(Step.SHUTDOWN)
        self._sack_at = inf
        # It acknowledges like a SACK (§9.2).
        self._sender.acknowledge_up_to(int.from_bytes(body, "big"), now)

    def _break(self, reason: str) -> None:
        """End with an ABORT: the far end broke a rule or fell silent, or we leave."""
        self._replies.last_words(*([encode_chunk(ChunkType.ABORT, b"")] if self._theirs is not None else []))
        self._end(reason)

    def _end(self, reason: str) -> None:
        self._step(Step.END)
        if self.ended is None:
            self.ended = reason
        self._retry, self._sack_at = None, inf

    # odds and ends

    def _step(self, step: Step) -> bool:
        following = follow(self._state, step)
        if following is not None:
            self._state = following
        return following is not None

    def _repeat(self, what: bytes, now: float, *, alone: bool = False) -> None:
        """Send a chunk (or a whole packet) now, and again until the next state."""
        self._retry = Retry(what, now, self._config, alone=alone)
        self._replies.repeat(self._retry)

    _handlers: ClassVar[dict[int, Callable[[Association, bytes, float], None]]] = {
        ChunkType.INIT: _on_company,
        ChunkType.INIT_ACK: _on_init_ack,
        ChunkType.HEARTBEAT: _on_heartbeat,
        ChunkType.HEARTBEAT_ACK: _on_heartbeat_ack,
        ChunkType.ABORT: _on_abort,
        ChunkType.SHUTDOWN: _on_shutdown,
        ChunkType.ERROR: _on_error,
        ChunkType.COOKIE_ECHO: _on_cookie_echo,
        ChunkType.COOKIE_ACK: _on_cookie_ack,
        ChunkType.SHUTDOWN_COMPLETE: _on_shutdown_complete,
        ChunkType.RECONFIG: _on_reconfig,
        ChunkType.FORWARD_TSN: _on_forward_tsn,
    }
