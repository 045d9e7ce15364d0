"""What a volunteer lends at most, and the counters that hold clients to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from mayfly.bucket import Bucket
from mayfly.errors import Reply, UpstreamError

MEGABYTE = 1_000_000
GIGABYTE = 1_000 * MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpLimits:
    """The limits of UDP ASSOCIATE. The worst case of a client is `worst_case_memory`."""

    max_associations: int = 32
    """Associations of one client at once. Each holds up to two sockets."""

    max_peers: int = 256
    """Addresses of one association whose replies are let in; the one not used for longest is forgotten. With the names
    of as many destinations about 600 bytes each."""

    max_waiting: int = 32
    """Datagrams of one association that wait for a name to be resolved; more are dropped."""

    rate: float = 5000.0
    """Datagrams a second that one client may send; more are dropped."""

    burst: int = 1000
    """Datagrams that a client may send at once after a pause."""

    idle_timeout: float = 300.0
    """Seconds without a datagram either way after which an association ends. RFC 4787 REQ-5 asks for 120 at least and
    recommends 300."""

    @property
    def worst_case_memory(self) -> int:
        """Bytes that the associations of one client can hold, socket buffers in the kernel apart."""
        return self.max_associations * (self.max_peers * 600 + self.max_waiting * 16 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLimits:
    """Everything that bounds what clients take. Sizes are bytes, times are seconds."""

    max_clients: int = 4
    """Clients at once."""

    max_streams: int = 1024
    """Streams that a client may have open at once, each with at most one socket."""

    connect_rate: float = 100.0
    """Connections and lookups a second that one client may ask for in the long run."""

    connect_burst: int = 600
    """Connections and lookups that a client may ask for at once after a pause. A page of many parts needs it."""

    connect_delay: float = 5.0
    """How long a request above the rate is held back; one that would have to wait longer is refused."""

    max_rate: float | None = 128.0 * MEGABYTE
    """Bytes a second of all clients together, in each direction. None for no limit."""

    max_bytes: int | None = 100 * GIGABYTE
    """Bytes of all clients together, both directions, in the whole run; then the relay leaves. None for no limit."""

    idle_timeout: float = 1800.0
    """How long a client may go without moving a byte."""

    resolve_timeout: float = 10.0
    """How long a name or an address is looked up."""

    connect_timeout: float = 20.0
    """How long a connection to a destination may take, all its addresses together."""

    tor_timeout: float = 60.0
    """How long a connection or a lookup through tor may take. An onion service takes many steps to reach."""

    udp: UdpLimits = field(default_factory=UdpLimits)
    """Those of UDP."""

    @property
    def sockets(self) -> int:
        """As many as all clients together may have open."""
        return self.max_clients * (self.max_streams + self.udp.max_associations)

    def __post_init__(self) -> None:
        if min(self.max_clients, self.max_streams, self.connect_burst) < 1:
            raise ValueError("max_clients, max_streams and connect_burst must be at least 1")
        if min(self.connect_rate, self.idle_timeout, self.resolve_timeout, self.connect_timeout, self.tor_timeout) <= 0:
            raise ValueError("rates and timeouts must be above 0")
        if (self.max_rate is not None and self.max_rate <= 0) or (self.max_bytes is not None and self.max_bytes <= 0):
            raise ValueError("max_rate and max_bytes must be above 0, or None for no limit")


class ConnectRate:
    """Spreads a client's connection attempts over time. Requests above the rate wait their turn, in order."""

    def __init__(self, rate: float, burst: int, max_delay: float) -> None:
        self._rate = rate
        self._max_delay = max_delay
        self._bucket = Bucket(rate, burst)

    def reserve(self, now: float) -> float | None:
        """Take a turn at `now` (monotonic seconds): how long to wait for it, or None when that would be too long.

        So at most `rate * max_delay` requests wait.
        """
        delay = max(0.0, (1.0 - self._bucket.level(now)) / self._rate)
        if delay > self._max_delay:
            return None
        self._bucket.spend(1)
        return delay

    async def admit(self) -> None:
        """Wait for a turn. Raises UpstreamError(NOT_ALLOWED) when it would be too far off."""
        delay = self.reserve(asyncio.get_running_loop().time())
        if delay is None:
            raise UpstreamError(Reply.NOT_ALLOWED, "too many connections are asked for at once")
        if delay > 0:
            await asyncio.sleep(delay)


class ByteQuota:
    """The bytes of the whole run, counted down."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.spent = 0

    def spend(self, n: int) -> None:
        """Count `n` bytes."""
        self.spent += n

    @property
    def exhausted(self) -> bool:
        """Whether the relay has carried what it was to carry."""
        return self._limit is not None and self.spent >= self._limit
