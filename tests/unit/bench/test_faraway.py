"""How long a transfer over an emulated path is: as long as was asked, and found once."""

from __future__ import annotations

import psutil

from bench.faraway import LONGEST, PROBE, speed_of


class Steady:
    """A subject with a start and a steady speed, on no clock."""

    name = "steady"

    def __init__(self, speed: float, start: float) -> None:
        self.speed, self.start = speed, start
        self.sizes: list[int] = []

    def processes(self) -> list[psutil.Process]:
        return []

    async def download(self, size: int) -> float:
        self.sizes.append(size)
        return self.start + size / self.speed

    upload = download

    async def first_byte(self) -> float:
        return self.start

    async def streams(self, count: int) -> float | None:
        return None


async def test_transfers_grow_until_one_is_long_enough() -> None:
    subject = Steady(20e6, 0.3)
    speed, size = await speed_of(subject, 10, None)
    assert speed == size / (0.3 + size / 20e6) and size / 20e6 > 5
    assert len(subject.sizes) < 6 and all(b <= 8 * a for a, b in zip(subject.sizes, subject.sizes[1:], strict=False))


async def test_the_size_of_the_last_round_is_right_at_once() -> None:
    subject = Steady(20e6, 0.3)
    _, size = await speed_of(subject, 10, None)
    subject.sizes.clear()
    await speed_of(subject, 10, size)
    assert subject.sizes == [size]


async def test_the_first_transfer_of_all_is_never_the_sample() -> None:
    subject = Steady(20e3, 10)
    _, size = await speed_of(subject, 10, None)
    assert subject.sizes == [PROBE, size]


async def test_nothing_is_longer_than_the_longest() -> None:
    subject = Steady(1e12, 0)
    assert (await speed_of(subject, 10, None))[1] == LONGEST
