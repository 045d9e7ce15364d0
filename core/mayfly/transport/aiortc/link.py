"""The link that a session gets: messages over one aiortc channel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, ip_address

from aioice import Candidate as IceCandidate

from mayfly.sctp.endings import CLOSED
from mayfly.signaling.description import Candidate, CandidateType
from mayfly.transport.aiortc.dtls import LinkDtls, StockDtls
from mayfly.transport.aiortc.ice import LinkConnection
from mayfly.transport.aiortc.sctp import LinkSctp
from mayfly.transport.aiortc.stock_sctp import StockSctp
from mayfly.transport.base import LinkSettings, PathInfo, above_max_message
from mayfly.transport.connecting import PATH_GONE
from mayfly.transport.farend import FarEnd, named, peer_reflexive
from mayfly.transport.highwater import LEAST, HighWater
from mayfly.transport.mailbox import Mailbox
from mayfly.transport.roomwatch import RoomWatch


class AiortcLink:
    """Fulfils `base.Link`, and listens to its own association (`sctp.SctpListener`)."""

    def __init__(
        self,
        connection: LinkConnection,
        dtls: StockDtls,
        settings: LinkSettings,
        *,
        offerer: bool,
        code: tuple[Candidate, ...],
        free: Callable[[], Awaitable[None]],
    ) -> None:
        """`code` is what the far end's named."""
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._dtls = dtls
        self._code = code
        self._free = free
        self._offerer = offerer
        self._limits = settings.engine
        self._high_water = HighWater(LEAST, settings.config.high_water, self._loop.time())
        self._mailbox = Mailbox(self._loop, max_early=self._limits.max_early)
        self._sctp: LinkSctp | StockSctp
        if isinstance(dtls, LinkDtls):
            self._sctp = LinkSctp(dtls, self, self._limits, ordered=settings.ordered)
        else:
            self._sctp = StockSctp(dtls, self, self._limits, ordered=settings.ordered)
        self._open: asyncio.Future[str | None] = self._loop.create_future()
        self._quiet = asyncio.Event()
        self._watch = RoomWatch(self._loop, self.progressed)
        self._sent = self._received = 0
        dtls.on("statechange", self._dtls_changed)

    async def open(self) -> str | None:
        """Open the channel. Returns why that failed, or None."""
        await self._sctp.open()
        return await self._open

    # base.Link

    @property
    def offerer(self) -> bool:
        """Whether our end made the offer."""
        return self._offerer

    @property
    def high_water(self) -> int:
        """Bytes of buffered_amount above which nothing more should be sent."""
        return self._high_water.mark

    @property
    def buffered_amount(self) -> int:
        """Bytes handed to send() that have not been put into a packet."""
        return self._sctp.unsent

    @property
    def overruns(self) -> bool:
        """Our own congestion control knows restraint."""
        return False

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        """Begin delivery; called once."""
        self._mailbox.start(receive, writable, lost)
        self._loop.call_soon(self._sctp.start_reading)  # after what came early has been given

    def send(self, message: bytes) -> None:
        """Queue one message. Raises ValueError above `EngineConfig.max_message`."""
        if len(message) > self._limits.max_message:
            raise above_max_message(message)
        if self._mailbox.ended:
            return
        self._sent += len(message)
        self._sctp.send_message(message)
        # The mark may fall before anything leaves, and whoever then finds no room must be told of it.
        if not self._watch.on and self.buffered_amount > LEAST // 2:
            self._watch.begin()

    def flush(self) -> None:
        """Let what was sent leave at once."""
        self._sctp.flush()

    def path(self) -> PathInfo:
        """Statistics of the path in use; bytes are those of messages."""
        pair = self._connection.nominated
        local, far = None, FarEnd()
        if pair is not None:
            local = _local_type(pair.local_candidate, pair.remote_candidate)
            far = _far_end(pair.remote_candidate, self._code)
        return PathInfo(local, far.type, self._sctp.round_trip, self._sent, self._received, far.address)

    async def close(self) -> None:
        """End the link: let what was sent arrive, tell the far end, and free sockets and tasks. Idempotent."""
        ended = self._mailbox.ended
        self._mailbox.close()
        self._watch.stop()
        try:
            if not ended and self._sctp.unacknowledged:
                self._quiet.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.linger):
                        await self._quiet.wait()
        finally:  # also for who does not wait to the end
            await self._free()

    async def stop_sctp(self) -> None:
        """Abort the association; a part of closing."""
        await self._sctp.stop()

    # sctp.SctpListener

    @property
    def unread(self) -> int:
        """Bytes that have arrived and wait for `start`."""
        return self._mailbox.early

    def opened(self) -> None:
        """The channel is open."""
        if not self._open.done():
            self._open.set_result(None)

    def received(self, message: bytes) -> None:
        """A whole message has arrived."""
        self._received += len(message)
        self._mailbox.deliver(message)

    def progressed(self) -> None:
        """Something has left."""
        self._high_water.moved(self._sent - self.buffered_amount, self._loop.time())
        if self._watch.on and self.buffered_amount <= self.high_water // 2:
            self._watch.stop()
            # Not from inside SCTP, where a session that sends at once would recurse.
            self._loop.call_soon(self._mailbox.writable)

    def acknowledged(self) -> None:
        """Everything that was sent has arrived."""
        self._quiet.set()

    def failed(self, reason: str) -> None:
        """The association has ended, or has to."""
        self._watch.stop()
        self._quiet.set()
        if not self._open.done():
            self._open.set_result(reason)
        self._mailbox.end(reason)

    def _dtls_changed(self) -> None:
        if not self._dtls.connected:
            self.failed(PATH_GONE if self._connection.gone else CLOSED)


def _local_type(local: IceCandidate, remote: IceCandidate) -> CandidateType:
    if local.type == "relay":
        return CandidateType.RELAYED
    near, far = ip_address(local.host), ip_address(remote._network_host)  # pyright: ignore[reportPrivateUsage] - mDNS
    # From a private address to a public one the way leads through a NAT, though aioice pairs the address behind it.
    translated = isinstance(near, IPv4Address) and far.is_global and not near.is_global
    return CandidateType.SERVER_REFLEXIVE if translated else CandidateType.HOST


def _far_end(remote: IceCandidate, code: tuple[Candidate, ...]) -> FarEnd:
    address = ip_address(remote._network_host)  # pyright: ignore[reportPrivateUsage] - mDNS
    return peer_reflexive(address, code) if remote.type == "prflx" else named(CandidateType(remote.type), address)
