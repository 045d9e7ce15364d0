"""The emulated path's arithmetic on a clock of our own, and the path itself with real packets."""

from __future__ import annotations

import json
import sys

import pytest

from support.emulator import FAR, Pipe, Shape, path
from support.namespaces import inside
from support.programs import Program, run


def sent(shape: Shape, sizes: list[int], *, every: float = 0.0) -> tuple[Pipe, list[tuple[float, int]]]:
    """Put packets in, and give when each came out, looked at every tenth of a millisecond."""
    pipe = Pipe(shape, seed=7)
    out: list[tuple[float, int]] = []
    for index, size in enumerate(sizes):
        pipe.put(bytes(size), 1.0 + index * every)
    for step in range(20_000):
        now = 1.0 + step / 10_000
        out += [(now - 1.0, len(packet)) for packet in pipe.take(now)]
    return pipe, out


def test_delay_alone() -> None:
    _, out = sent(Shape(delay=0.05), [100, 200])
    assert [size for _, size in out] == [100, 200]
    assert all(0.0499 < when < 0.0503 for when, _ in out)


def test_the_rate_spaces_packets() -> None:
    _, out = sent(Shape(delay=0.01, rate=100_000), [1000] * 10)
    assert [round(when, 2) for when, _ in out] == [round(0.02 + 0.01 * index, 2) for index in range(10)]


def test_a_full_queue_drops_the_newest() -> None:
    pipe, out = sent(Shape(rate=100_000, queue=5000), [1000] * 20)
    assert pipe.dropped == 20 - len(out) and 5 <= len(out) <= 7


def test_an_idle_path_has_no_credit_for_a_burst() -> None:
    pipe = Pipe(Shape(rate=1000), seed=1)
    pipe.put(bytes(100), 10.0)
    pipe.put(bytes(100), 100.0)
    assert pipe.take(100.05) == [bytes(100)] and pipe.next_due() == pytest.approx(100.1)


def test_loss_is_a_share_and_the_same_for_a_seed() -> None:
    first, out = sent(Shape(loss=0.1), [10] * 10_000)
    again, _ = sent(Shape(loss=0.1), [10] * 10_000)
    assert first.lost == again.lost == 10_000 - len(out)
    assert 850 < first.lost < 1150
    spared = Pipe(Shape(loss=1.0), seed=1)
    spared.put(b"arp", 0.0, may_be_lost=False)
    assert spared.take(0.0) == [b"arp"]


PROBE = """
import json, socket, sys, time
probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
probe.settimeout(5)
took = []
for _ in range(5):
    begin = time.monotonic()
    probe.sendto(b"x", (sys.argv[1], 9999))
    probe.recv(10)
    took.append(time.monotonic() - begin)
print(json.dumps(took))
"""
ECHO = """
import socket
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("", 9999))
print("bound", flush=True)
while True:
    data, source = echo.recvfrom(100)
    echo.sendto(data, source)
"""


@pytest.mark.needs("root", "ip", "ethtool")
async def test_real_packets_take_their_time() -> None:
    async with (
        path(Shape(delay=0.03)) as made,
        Program.running(*inside(made.far, sys.executable, "-c", ECHO)) as echo,
    ):
        await echo.wait_for_line("bound")
        done = await run(*inside(made.near, sys.executable, "-c", PROBE, FAR))
    took = sorted(json.loads(done.text))
    assert 0.06 <= took[0] < 0.2
