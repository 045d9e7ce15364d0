"""What something costs this process: the memory that it holds, and whether its time grows with its size alone."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from time import process_time


def grown(act: Callable[[], object]) -> tuple[int, int]:
    """Bytes that an act leaves this process holding, and the most that it held meanwhile."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


def assert_linear(act: Callable[[int], object], size: int) -> None:
    """Eight times as much takes less than 24 times as long; with quadratic work it would be 64 times.

    `size` has to be such that quadratic work is most of what is done.
    """

    def spent(much: int) -> float:
        samples: list[float] = []
        for _ in range(2):  # other work of the machine only adds
            begin = process_time()
            act(much)
            samples.append(process_time() - begin)
        return min(samples)

    few, many = spent(size), spent(8 * size)
    assert many < 24 * few + 0.02, f"{few:.4f} s, and {many:.4f} s for eight times as much"
