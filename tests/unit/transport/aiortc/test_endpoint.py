"""Runs of datagrams over real sockets on loopback, with every help of the kernel and with none, on both loops."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import sys
from collections.abc import Callable, Coroutine, Iterator
from random import Random
from typing import Any

import pytest
import uvloop

from mayfly.transport.aiortc import endpoint as module
from mayfly.transport.aiortc.endpoint import MAX_RUN, Address, UdpEndpoint, open_endpoint
from support.news import News

linux = pytest.mark.skipif(sys.platform != "linux", reason="GSO and GRO are Linux's")
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.SelectorEventLoop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


class Receiver:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.endpoint: UdpEndpoint | None = None
        self.datagrams: list[bytes] = []
        self.runs: list[tuple[int, int]] = []
        self.sources: set[Address] = set()
        self.turns: list[int] = []
        self.errors: list[Exception] = []
        self.lost = 0
        self.news = News()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, UdpEndpoint)
        self.endpoint = transport

    def connection_lost(self, exc: Exception | None) -> None:
        assert exc is None
        self.lost += 1
        self.news.ring()

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)
        self.news.ring()

    def run_received(self, run: memoryview, segment: int, source: Address) -> None:
        self.runs.append((len(run), segment))
        self.datagrams += [bytes(run[at : at + segment]) for at in range(0, len(run), segment)]
        self.sources.add(source)

    def runs_received(self) -> None:
        self.turns.append(len(self.datagrams))
        self.news.ring()


class Pair:
    """A sender and a receiver."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        loop = asyncio.get_running_loop()
        self.receiver, self.deaf = Receiver(), Receiver()
        self.far = open_endpoint(loop, self.receiver, host)
        self.near = open_endpoint(loop, self.deaf, host)
        self.address: Address = self.far.get_extra_info("sockname")[:2]

    def send(self, data: bytes, segment: int) -> None:
        self.near.send_run(data, segment, self.address)

    async def arrive(self, *expected: bytes) -> None:
        await self.receiver.news.until(lambda: len(self.receiver.datagrams) >= len(expected))
        assert self.receiver.datagrams == list(expected)

    async def close(self) -> None:
        self.near.close()
        self.far.close()
        await self.receiver.news.until(lambda: self.receiver.lost == 1)


def split(data: bytes, segment: int) -> list[bytes]:
    return [data[at : at + segment] for at in range(0, len(data), segment)]


def bare(sock: socket.socket, *_args: int) -> None:
    """In place of options that the kernel does not know."""


RUNS = [(1200 * 10, 1200), (1200 * 10 - 7, 1200), (5, 5), (5, 9), (64, 1), (16_421 * 3, 16_421), (MAX_RUN, 1_237)]


@pytest.mark.parametrize("help_", ["all", "no gso", "no gro", "none"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_runs_arrive_as_the_datagrams_they_are(
    run: Run, host: str, help_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if help_ in ("no gro", "none"):
        monkeypatch.setattr(module, "_set_where_known", bare)

    async def test() -> None:
        pair = Pair(host)
        if help_ in ("no gso", "none"):
            pair.near._gso_up_to = 0
        random = Random(1)
        expected: list[bytes] = []
        for size, segment in RUNS:
            data = random.randbytes(size)
            pair.send(data, segment)
            expected += split(data, segment)
        await pair.arrive(*expected)
        assert pair.receiver.sources == {pair.near.get_extra_info("sockname")[:2]}
        await pair.close()

    run(test())


@linux
def test_a_run_is_one_call_each_way(run: Run) -> None:
    async def test() -> None:
        pair = Pair()
        pair.send(bytes(1200 * 40), 1200)
        await pair.arrive(*[bytes(1200)] * 40)
        assert pair.receiver.runs == [(48_000, 1200)]
        await pair.close()

    run(test())


def test_one_turn_of_the_loop_reads_so_much_and_no_more(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_set_where_known", bare)

    async def test() -> None:
        pair = Pair()
        for _ in range(200):
            pair.near.sendto(b"x", pair.address)
        await pair.receiver.news.until(lambda: len(pair.receiver.datagrams) == 200)
        reads = [after - before for before, after in zip([0, *pair.receiver.turns], pair.receiver.turns, strict=False)]
        assert max(reads) == 64 and len(pair.receiver.turns) >= 4
        await pair.close()

    run(test())


def test_large_reads_end_a_turn_too(run: Run) -> None:
    async def test() -> None:
        pair = Pair()
        for _ in range(8):
            pair.send(bytes(60_000), 1_000)
        await pair.receiver.news.until(lambda: len(pair.receiver.datagrams) == 480)
        assert pair.receiver.turns[0] <= 300
        await pair.close()

    run(test())


def test_empty_datagrams_mean_nothing_and_end_nothing(run: Run) -> None:
    async def test() -> None:
        pair = Pair()
        pair.near.sendto(b"", pair.address)
        pair.near.sendto(b"after", pair.address)
        await pair.arrive(b"after")
        await pair.close()

    run(test())


class Moody:
    """A socket that fails as it is told, then works."""

    def __init__(self, sock: socket.socket, *moods: OSError, plain: bool = False) -> None:
        self._socket = sock
        self._moods = list(moods)
        self._plain = plain
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def sendmsg(self, *args: Any) -> int:
        self._sulk(run=True)
        return self._socket.sendmsg(*args)

    def sendto(self, *args: Any) -> int:
        self._sulk(run=False)
        return self._socket.sendto(*args)

    def recvmsg_into(self, *args: Any) -> Any:
        self._sulk(run=False)
        return self._socket.recvmsg_into(*args)

    def _sulk(self, *, run: bool) -> None:
        self.calls += 1
        if self._moods and run is not self._plain:
            raise self._moods.pop(0)


def moody(endpoint: UdpEndpoint, *moods: OSError, plain: bool = False) -> Moody:
    made = Moody(endpoint._socket, *moods, plain=plain)
    endpoint._socket = made  # type: ignore[assignment]
    return made


@linux
@pytest.mark.parametrize(
    ("number", "left"),
    [(errno.EIO, 0), (errno.EOPNOTSUPP, 0), (errno.EINVAL, 1199), (errno.EMSGSIZE, 1199)],
)
def test_a_kernel_that_refuses_runs_gets_datagrams(run: Run, number: int, left: int) -> None:
    async def test() -> None:
        pair = Pair()
        moody(pair.near, OSError(number, "no"))
        data = os.urandom(5000)
        pair.send(data, 1200)
        await pair.arrive(*split(data, 1200))
        assert pair.near._gso_up_to == left
        await pair.close()

    run(test())


@linux
@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EPERM, errno.ENOBUFS])
def test_what_the_network_refuses_is_lost_and_nothing_else(run: Run, number: int) -> None:
    async def test() -> None:
        pair = Pair()
        moody(pair.near, OSError(number, "no"))
        pair.send(bytes(5000), 1200)
        pair.send(b"after", 5)
        await pair.arrive(b"after")
        await pair.close()

    run(test())


def test_a_datagram_that_is_too_big_is_lost_alone(run: Run) -> None:
    async def test() -> None:
        pair = Pair()
        pair.near.sendto(bytes(70_000), pair.address)
        pair.send(bytes(70_000) + b"after", 70_000)
        await pair.arrive(b"after")
        await pair.close()

    run(test())


@pytest.mark.parametrize("plain", [False, True], ids=["runs", "datagrams"])
def test_a_full_socket_is_waited_for_in_order(run: Run, plain: bool) -> None:
    async def test() -> None:
        pair = Pair()
        if plain:
            pair.near._gso_up_to = 0
        elif not pair.near._gso_up_to:
            return
        data = os.urandom(5000)
        moody(pair.near, *[BlockingIOError(errno.EAGAIN, "full")] * 3, plain=plain)
        pair.send(data, 1200)
        pair.send(b"behind", 6)
        assert pair.receiver.datagrams == []
        await pair.arrive(*split(data, 1200), b"behind")
        assert pair.near._waiting_bytes == 0
        await pair.close()

    run(test())


def test_what_waits_for_a_full_socket_is_bounded(run: Run) -> None:
    async def test() -> None:
        pair = Pair()
        pair.near._gso_up_to = 0
        moody(pair.near, *[BlockingIOError(errno.EAGAIN, "full")] * 1000, plain=True)
        for _ in range(1000):
            pair.send(bytes(12_000), 1200)
        assert pair.near._waiting_bytes <= module._MAX_WAITING
        pair.near.close()
        assert not pair.near._waiting
        await pair.close()

    run(test())


def test_an_error_while_reading_is_told_and_ends_nothing(run: Run) -> None:
    async def test() -> None:
        pair = Pair()
        moody(pair.far, ConnectionRefusedError(errno.ECONNREFUSED, "icmp"), plain=True)
        pair.send(b"x", 1)
        await pair.arrive(b"x")
        assert [type(error) for error in pair.receiver.errors] == [ConnectionRefusedError]
        await pair.close()

    run(test())


def test_closing_frees_the_socket_and_is_told_once(run: Run) -> None:
    async def test() -> None:
        pair = Pair()
        number = pair.near._socket.fileno()
        assert not pair.near.is_closing()
        pair.near.close()
        pair.near.abort()
        assert pair.near.is_closing() and pair.deaf.lost == 0
        pair.near.sendto(b"late", pair.address)
        await pair.deaf.news.until(lambda: pair.deaf.lost == 1)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)
        await pair.close()
        assert pair.deaf.lost == 1 and pair.receiver.datagrams == []

    run(test())


def test_nobody_fragments(run: Run) -> None:
    async def test() -> None:
        pair = Pair()
        if sys.platform == "linux":
            assert pair.near.get_extra_info("socket").getsockopt(socket.IPPROTO_IP, 10) == 3
        await pair.close()

    run(test())


@linux
@pytest.mark.parametrize(
    ("host", "level", "option"),
    [("127.0.0.1", socket.IPPROTO_IP, 10), ("::1", socket.IPPROTO_IPV6, 23)],  # IP_MTU_DISCOVER, IPV6_MTU_DISCOVER
)
def test_whoever_must_may_be_let_fragment(run: Run, host: str, level: int, option: int) -> None:
    async def test() -> None:
        pair = Pair(host)
        sock = pair.near.get_extra_info("socket")
        assert sock.getsockopt(level, option) == 3
        pair.near.let_fragment()
        assert sock.getsockopt(level, option) == 0
        assert pair.far.get_extra_info("socket").getsockopt(level, option) == 3, "and nobody else"
        data = os.urandom(20_000)
        pair.send(data, 10_000)
        await pair.arrive(data[:10_000], data[10_000:])
        await pair.close()

    run(test())


def test_an_address_that_is_not_ours_is_refused(run: Run) -> None:
    async def test() -> None:
        with pytest.raises(OSError, match="assign"):
            open_endpoint(asyncio.get_running_loop(), Receiver(), "192.0.2.1")

    run(test())


@linux
def test_the_segment_size_is_read_as_the_kernel_writes_it(run: Run) -> None:
    """A socket that Mayfly did not send with: the run comes from two system calls of somebody else."""

    async def test() -> None:
        pair = Pair()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendmsg([bytes(700)], [(17, 103, struct.pack("=H", 300))], 0, pair.address)
            other.sendto(b"alone", pair.address)
        await pair.arrive(bytes(300), bytes(300), bytes(100), b"alone")
        await pair.close()

    run(test())
