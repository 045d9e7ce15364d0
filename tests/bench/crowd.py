"""A relay with many clients: two processes, whatever the number."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess
from support.programs import Program


class RelayWithCrowd:
    """A relay, and the process that holds all its clients."""

    def __init__(self, relay: MayflyProcess, crowd: Program) -> None:
        self.relay = relay
        self._crowd = crowd

    async def join(self, count: int) -> None:
        """Connect so many further clients, one after the other."""
        for _ in range(count):
            answer = await self._ask({"do": "join", "offer": await self.relay.code("offer")})
            await self.relay.send_code(answer["answer"])
            await self.relay.event("connected")
            await self._told()

    async def fetch(self, host: str, port: int, size: int, streams: int) -> float:
        """Seconds until each client has read `size` bytes of the origin on each of `streams` streams, all at once."""
        answer = await self._ask({"do": "fetch", "host": host, "port": port, "bytes": size, "streams": streams})
        return float(answer["seconds"])

    def cpu_seconds(self) -> float:
        """Processor time of relay and clients so far."""
        return ran(self.relay.program.pid) + ran(self._crowd.pid)

    async def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        await self._crowd.write_line(json.dumps(command))
        return await self._told()

    async def _told(self) -> dict[str, Any]:
        await self._crowd.until(lambda: bool(self._crowd.lines), "an answer", timeout=300)
        answer = json.loads(self._crowd.lines.pop(0))
        assert isinstance(answer, dict)
        return answer


def ran(pid: int) -> float:
    """Seconds that the threads of a process have run so far: to the nanosecond, where psutil has hundredths."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@contextlib.asynccontextmanager
async def relay_with_crowd(most: int) -> AsyncIterator[RelayWithCrowd]:
    """A relay that takes up to `most` clients, and nobody connected yet."""
    argv = ("relay", *LOOPBACK, *OPEN_LOOPBACK, "--max-clients", str(most), "--connect-rate", "100000/s")
    async with (
        MayflyProcess.running(*argv, "--max-rate", "none") as relay,
        Program.running(sys.executable, "-m", "bench.peers.crowd") as crowd,
    ):
        yield RelayWithCrowd(relay, crowd)
