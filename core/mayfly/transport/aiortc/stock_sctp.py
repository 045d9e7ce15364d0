"""aiortc's SCTP with one channel, and with bounds on what a far end can make it hold or compute.

aiortc trusts its far end: it holds fragments without limit, asserts what a peer may break, and expands acknowledged
ranges one by one. Everything here arrives inside DTLS, so it comes from the far end alone, and what breaks the rules
ends the link through `listener.failed`.
"""

# aiortc's association is made of private methods; the ones overridden are where a far end's data comes in.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import cast

from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import (
    SCTP_MAX_BURST,
    SCTP_TSN_MODULO,
    USERDATA_MAX_LENGTH,
    WEBRTC_BINARY,
    WEBRTC_BINARY_EMPTY,
    Chunk,
    DataChunk,
    ForwardTsnChunk,
    InitChunk,
    RTCSctpCapabilities,
    RTCSctpTransport,
    SackChunk,
    tsn_plus_one,
)
from OpenSSL import SSL

from mayfly.config import MIB, EngineConfig
from mayfly.sctp.endings import (
    ABANDONED,
    CLOSED,
    FOREIGN_CHANNEL,
    MALFORMED,
    NOT_BINARY,
    SEND_FAILED,
    TOO_BIG,
    UNACKNOWLEDGED,
)
from mayfly.transport.aiortc.dtls import StockDtls
from mayfly.transport.aiortc.sctp import SctpListener
from mayfly.transport.aiortc.stock_check import check_packet
from mayfly.transport.base import CHANNEL, LABEL

PORT = 5000

_LOG = logging.getLogger(__name__)
_STUMBLES = (ValueError, LookupError, ArithmeticError, TypeError, AttributeError, AssertionError, struct.error)

_MAX_REPORTED = 128
"""Gap blocks, and duplicates, in one SACK: what does not fit a packet is left out (RFC 9260 §6.7)."""

_BURST = SCTP_MAX_BURST * USERDATA_MAX_LENGTH

_MIN_FRAGMENT = 256
"""No stack cuts messages into smaller fragments than this, but for the last one."""


class StockSctp(RTCSctpTransport):
    """One association with one negotiated channel."""

    def __init__(self, dtls: StockDtls, listener: SctpListener, limits: EngineConfig, *, ordered: bool) -> None:
        super().__init__(dtls, PORT)
        self._listener = listener
        # aiortc's own window: a larger one makes its slow start overrun sockets.
        self._limits = limits = replace(limits, max_reassembly=min(limits.max_reassembly, 1 * MIB))
        self._ended = False
        self._lossy = False
        self._window = 0
        # Nothing here is partially reliable, and a far end that is told so has no reason for FORWARD TSN (RFC 3758).
        self._local_partial_reliability = False
        self._advertised_rwnd = limits.max_reassembly
        self._channel = RTCDataChannel(
            self, RTCDataChannelParameters(label=LABEL, ordered=ordered, negotiated=True, id=CHANNEL)
        )

    async def open(self) -> None:
        """Begin; `listener.opened` follows."""
        await self.start(RTCSctpCapabilities(self._limits.max_message), PORT)

    def send_message(self, message: bytes) -> None:
        """Queue a message and let the congestion window decide."""
        if self._ended:
            return
        protocol, data = (WEBRTC_BINARY, message) if message else (WEBRTC_BINARY_EMPTY, b"\x00")
        self._channel._addBufferedAmount(len(data))
        self._data_channel_queue.append((self._channel, protocol, data))
        _finish(self._data_channel_flush())

    def flush(self) -> None:
        """Nothing waits for the loop: aiortc sends from inside `send_message`."""

    def start_reading(self) -> None:
        """From now on every message is taken when it is given. aiortc's window knows nothing of that."""

    @property
    def unsent(self) -> int:
        """Bytes of messages that have not been put into a packet yet.

        aiortc's bufferedAmount leaves out the message that is cut into fragments and waits for the window.
        """
        return self._channel.bufferedAmount + sum(len(chunk.user_data) for chunk in self._outbound_queue)

    @property
    def unacknowledged(self) -> bool:
        """Whether anything sent may still be lost."""
        return bool(self._data_channel_queue or self._outbound_queue or self._sent_queue)

    @property
    def round_trip(self) -> float | None:
        """Smoothed round-trip time in seconds (RFC 9260 §6.3.1)."""
        return self._srtt

    async def stop(self) -> None:
        """Abort the association; no timer is left."""
        await super().stop()
        self._ended = True

    # what comes in

    async def _handle_data(self, data: bytes) -> None:
        if self._ended:
            return
        try:
            check_packet(data)
            await super()._handle_data(data)
        except _STUMBLES as error:
            # Whatever aiortc stumbles over, the far end has sent it; its own link ends, and nobody else's.
            _LOG.debug("a packet was refused: %s", type(error).__name__)
            self._refuse(MALFORMED)

    async def _receive_chunk(self, chunk: Chunk) -> None:
        if self._ended:
            return
        if isinstance(chunk, InitChunk):
            # Late copies only: aiortc would take the association back to its start.
            if self._association_state is self.State.ESTABLISHED:
                return
        elif isinstance(chunk, ForwardTsnChunk):
            self._refuse(ABANDONED)
            return
        elif isinstance(chunk, (DataChunk, SackChunk)) and self._last_received_tsn is None:
            return
        await super()._receive_chunk(chunk)

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        if chunk.stream_id != CHANNEL:
            self._refuse(FOREIGN_CHANNEL)
            return
        ahead = (chunk.tsn - self._received()) % SCTP_TSN_MODULO
        full = ahead > self._limits.max_ahead or self._advertised_rwnd <= 0
        if full and 1 < ahead < SCTP_TSN_MODULO // 2:
            # Out of space: it is dropped, and will be sent again (RFC 9260 §6.2).
            self._sack_needed = True
            return
        await super()._receive_data_chunk(chunk)
        self._check_held()

    def _check_held(self) -> None:
        stream = self._inbound_streams.get(CHANNEL)
        if stream is None or not stream.reassembly:
            return
        held = self._limits.max_reassembly - self._advertised_rwnd
        most = self._limits.max_ahead + self._limits.max_message // _MIN_FRAGMENT
        if held > self._limits.max_reassembly + self._limits.max_message or len(stream.reassembly) > most:
            self._refuse(TOO_BIG)

    def _mark_received(self, tsn: int) -> bool:
        """Whether a TSN is known; otherwise take note of it. In constant time, unlike aiortc's."""
        received = self._received()
        ahead = (tsn - received) % SCTP_TSN_MODULO
        if ahead == 0 or ahead >= SCTP_TSN_MODULO // 2 or tsn in self._sack_misordered:
            if len(self._sack_duplicates) < _MAX_REPORTED:
                self._sack_duplicates.append(tsn)
            return True
        self._sack_misordered.add(tsn)
        while (following := tsn_plus_one(received)) in self._sack_misordered:
            self._sack_misordered.remove(following)
            received = following
        self._last_received_tsn = received
        return False

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:
        outstanding = (self._local_tsn - 1 - chunk.cumulative_tsn) % SCTP_TSN_MODULO
        if outstanding >= SCTP_TSN_MODULO // 2:
            self._refuse(UNACKNOWLEDGED)
            return
        # aiortc walks every number of every block, so overlaps and blocks past what was sent cost us, and mean nothing.
        gaps: list[tuple[int, int]] = []
        last = 0
        blocks = cast("list[tuple[int, int]]", chunk.gaps)  # pyright: ignore[reportUnknownMemberType] - untyped there
        for begin, end in blocks:
            if last < begin <= end and begin <= outstanding:
                last = min(end, outstanding)
                gaps.append((begin, last))
        chunk.gaps = gaps
        self._window = chunk.advertised_rwnd
        self._lossy = self._lossy or bool(gaps)
        await super()._receive_sack_chunk(chunk)
        self._listener.progressed()
        if not self.unacknowledged:
            self._listener.acknowledged()

    async def _data_channel_receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        if pp_id not in (WEBRTC_BINARY, WEBRTC_BINARY_EMPTY):
            self._refuse(NOT_BINARY)
        elif len(data) > self._limits.max_message:
            self._refuse(TOO_BIG)
        elif not self._ended:
            self._listener.received(data if pp_id == WEBRTC_BINARY else b"")

    # what goes out

    async def _send_chunk(self, chunk: Chunk) -> None:
        # aiortc also sends from timers, where nobody would see the exception but asyncio.
        try:
            await super()._send_chunk(chunk)
        except (ConnectionError, SSL.Error):
            self._refuse(SEND_FAILED)

    async def _send_sack(self) -> None:
        received = self._received()
        gaps: list[tuple[int, int]] = []
        for position in sorted((tsn - received) % SCTP_TSN_MODULO for tsn in self._sack_misordered):
            if gaps and gaps[-1][1] + 1 == position:
                gaps[-1] = (gaps[-1][0], position)
            elif len(gaps) < _MAX_REPORTED:
                gaps.append((position, position))
            else:
                break
        sack = SackChunk()
        sack.cumulative_tsn = received
        sack.advertised_rwnd = max(0, self._advertised_rwnd)
        sack.duplicates = self._sack_duplicates[:]
        sack.gaps = gaps
        self._sack_duplicates.clear()
        self._sack_needed = False
        await self._send_chunk(sack)

    async def _transmit(self) -> None:
        if self._association_state is not self.State.ESTABLISHED:
            # A task that aiortc started before the end would start the retransmission timer again, for ever.
            return
        if self._lossy or self._fast_recovery_exit is not None:
            await super()._transmit()
            self._lossy = any(chunk._retransmit for chunk in self._sent_queue)
            return
        # aiortc looks through everything in flight for what is lost, which is nothing here, and never minds the far
        # end's window (RFC 9260 §6.1 A): then a fast sender overruns the receiver's socket.
        room = min(self._flight_size + _BURST, self._cwnd, max(self._window, USERDATA_MAX_LENGTH))
        while self._outbound_queue and self._flight_size < room:
            chunk = self._outbound_queue.popleft()
            self._sent_queue.append(chunk)
            self._flight_size_increase(chunk)
            chunk._sent_count += 1
            chunk._sent_time = time.time()
            await self._send_chunk(chunk)
            if not self._t3_handle:
                self._t3_start()

    def _t3_expired(self) -> None:
        self._lossy = True
        super()._t3_expired()

    # how it begins and ends

    def _set_state(self, state: RTCSctpTransport.State) -> None:
        super()._set_state(state)
        if state is self.State.ESTABLISHED:
            self._window = self._ssthresh
            self._listener.opened()
        elif state is self.State.CLOSED:
            self._ended = True
            self._listener.failed(CLOSED)

    def _data_channel_close(self, channel: RTCDataChannel) -> None:
        # The far end reset the channel's stream, which is how a browser closes it (RFC 8831 §6.7).
        super()._data_channel_close(channel)
        self._refuse(CLOSED)

    def _data_channel_closed(self, stream_id: int) -> None:
        if stream_id in self._data_channels:
            super()._data_channel_closed(stream_id)

    def _refuse(self, reason: str) -> None:
        if not self._ended:
            self._ended = True
            self._listener.failed(reason)

    def _received(self) -> int:
        # Asked for only once an INIT or INIT ACK has set it; see _receive_chunk.
        return self._last_received_tsn or 0


def _finish(coroutine: Coroutine[None, None, None]) -> None:
    """Run a coroutine of aiortc's that never waits, without the task that aiortc would make for it."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("aiortc waited where it never did before")
