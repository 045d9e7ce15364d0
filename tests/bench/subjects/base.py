"""What every subject can be asked."""

from __future__ import annotations

from typing import Protocol

import psutil


class Subject(Protocol):
    """Something that moves bytes, checked on arrival. A call gives None where the question makes no sense."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    def processes(self) -> list[psutil.Process]:
        """All processes of both ends."""
        ...

    async def download(self, size: int) -> float:
        """Seconds for that many bytes towards the client."""
        ...

    async def upload(self, size: int) -> float:
        """Seconds for that many bytes away from the client."""
        ...

    async def first_byte(self) -> float:
        """Seconds from asking for a small thing to its first byte, everything warm."""
        ...

    async def streams(self, count: int) -> float | None:
        """Seconds for that many small fetches, 32 at once, each on a stream of its own."""
        ...


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Processor time of all of them so far."""
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


def resident(processes: list[psutil.Process]) -> int:
    """Resident bytes of all of them."""
    return sum(process.memory_info().rss for process in processes)
