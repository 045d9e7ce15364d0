"""What the relay does for one client: each stream that the client opens asks for one service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from mayfly.config import StreamHeaderConfig
from mayfly.errors import Reply, StreamCode, StreamResetError, UpstreamError
from mayfly.runtime.rate import ByteLimiter
from mayfly.runtime.serving import Serve, serve_stream
from mayfly.runtime.splice import splice_socket
from mayfly.runtime.stream import Stream
from mayfly.runtime.tasks import TaskSet
from mayfly.wire.address import Destination
from mayfly.wire.header import Answer, Header, Service
from mayfly_relay.addresses import Address
from mayfly_relay.guard import Guard
from mayfly_relay.limits import ConnectRate, RelayLimits
from mayfly_relay.udp import UdpAssociation
from mayfly_relay.until_reset import UntilReset
from mayfly_relay.upstream import Upstream

log = logging.getLogger(__name__)

Send = Callable[[int, bytes], None]


class ClientService:
    """Serves one client's session. Hand `on_stream` and `on_datagram` to the Session, then call `attach`.

    `guard` checks datagrams; without one there is no UDP, as with upstreams that carry none. `serve_people` takes the
    streams of chat and files; without it there are none. Nothing that is logged holds a destination unless
    `unsafe_logging`.
    """

    def __init__(
        self,
        upstream: Upstream,
        guard: Guard | None,
        limits: RelayLimits,
        *,
        unsafe_logging: bool = False,
        header: StreamHeaderConfig | None = None,
        serve_people: Serve | None = None,
        outbound: Sequence[Address] = (),
    ) -> None:
        self._upstream = upstream
        self._serve_people = serve_people
        self._guard = guard
        self._outbound = outbound
        self._limits = limits
        self._unsafe_logging = unsafe_logging
        self._header = header or StreamHeaderConfig()
        self._connects = ConnectRate(limits.connect_rate, limits.connect_burst, limits.connect_delay)
        self._datagrams = ByteLimiter(limits.udp.rate, limits.udp.burst)
        self._tasks = TaskSet()
        self._associations: dict[int, UdpAssociation] = {}
        self._send: Send = lambda _stream_id, _payload: None
        self._closed = False
        self.datagram_bytes = 0
        """Bytes of datagrams, both directions."""
        self.datagram_at: float | None = None
        """When a datagram last passed, on the loop's clock."""

    def attach(self, send_datagram: Send) -> None:
        """Where datagrams for the client go: the session's `send_datagram`."""
        self._send = send_datagram

    def on_stream(self, stream: Stream) -> None:
        """Serve a stream that the client opened."""
        if self._closed:
            stream.reset(StreamCode.DRAINING)
        else:
            self._tasks.spawn(serve_stream(stream, self._serve, self._header))

    def on_datagram(self, stream_id: int, payload: bytes) -> None:
        """Pass a datagram of the client on; dropped where its stream is no association."""
        association = self._associations.get(stream_id)
        if association is not None:
            self._count_datagram(payload)
            association.receive(payload)

    async def aclose(self) -> None:
        """End every stream and free all that they hold. Idempotent."""
        self._closed = True
        await self._tasks.aclose()

    async def _serve(self, stream: Stream, header: Header) -> None:
        match header.service:
            case Service.TCP:
                await self._tcp(stream, header.destination)
            case Service.RESOLVE:
                await self._resolve(stream, header.destination)
            case Service.UDP:
                await self._udp(stream)
            case Service.CHAT | Service.FILE if self._serve_people is not None:
                await self._serve_people(stream, header)
            case _:
                self._answer(stream, Reply.COMMAND_NOT_SUPPORTED)

    async def _tcp(self, stream: Stream, destination: Destination) -> None:
        try:
            with UntilReset(stream):
                await self._connects.admit()
                sock = await self._upstream.connect(destination)
        except UpstreamError as error:
            self._refuse(stream, Service.TCP, error, destination)
            return
        try:
            # BND says 0.0.0.0:0. The address that the volunteer's machine connects from is of no use to the client,
            # and tells it which network and which interface the volunteer is on.
            self._answer(stream, Reply.SUCCEEDED, more=True)
        except StreamResetError:
            sock.close()
            raise
        stream.flush()  # the splice takes longer to build than the answer to leave
        await splice_socket(stream, sock)

    async def _resolve(self, stream: Stream, destination: Destination) -> None:
        try:
            with UntilReset(stream):
                await self._connects.admit()
                found = await self._upstream.resolve(destination)
        except UpstreamError as error:
            self._refuse(stream, Service.RESOLVE, error, destination)
        else:
            self._answer(stream, Reply.SUCCEEDED, found)

    async def _udp(self, stream: Stream) -> None:
        if self._guard is None:
            self._answer(stream, Reply.COMMAND_NOT_SUPPORTED)
            return
        if len(self._associations) >= self._limits.udp.max_associations:
            self._answer(stream, Reply.NOT_ALLOWED)
            return

        def send(payload: bytes) -> None:
            self._count_datagram(payload)
            self._send(stream.id, payload)

        association = UdpAssociation(
            self._guard,
            send,
            limits=self._limits.udp,
            datagrams=self._datagrams,
            lookups=self._connects,
            outbound=self._outbound,
        )
        self._associations[stream.id] = association
        try:
            self._answer(stream, Reply.SUCCEEDED, more=True)
            await _until_ended_or_idle(stream, association)
        finally:
            del self._associations[stream.id]
            await association.close()

    def _answer(self, stream: Stream, reply: Reply, bound: Destination | None = None, *, more: bool = False) -> None:
        """Answer, and end our half unless there is `more`. Raises StreamResetError."""
        answer = Answer(reply) if bound is None else Answer(reply, bound)
        stream.put(answer.encode())  # the first bytes of a stream always find room
        if not more:
            stream.finish()

    def _refuse(self, stream: Stream, service: Service, error: UpstreamError, destination: Destination) -> None:
        where = f" ({destination})" if self._unsafe_logging else ""
        log.debug("%s refused with %s: %s%s", service.name, error.reply.name, error.message, where)
        self._answer(stream, error.reply)

    def _count_datagram(self, payload: bytes) -> None:
        self.datagram_bytes += len(payload)
        self.datagram_at = asyncio.get_running_loop().time()


async def _until_ended_or_idle(stream: Stream, association: UdpAssociation) -> None:
    """The client ends an association by ending its stream; what it writes there means nothing."""
    while not association.idle:
        try:
            async with asyncio.timeout_at(association.idle_at):
                if not await stream.read():
                    stream.finish()
                    return
        except TimeoutError:
            continue
    stream.reset(StreamCode.TIMEOUT)
