"""Twenty kills each of the sender, the receiver and the wire between them, at random points: nothing is lost, and what
crosses the wire twice is counted on the wire. Each end is a process of its own; SIGKILL ends it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.bodies import body_sha256, file_sha256, write_body
from support.programs import Program

MIB = 1 << 20
SIZE = 64 * MIB + 12_345
KILLS = 20
CHUNK = 8 * MIB
"""README: how far a sender is ahead of the receiver's disk at most."""
BLOCK = MIB
"""README: what is verified at once."""
SLACK = MIB // 2
"""Records and frames around the bytes of a file, and what our own wire held when it was cut."""


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Joined:
    """A sender and a receiver whose bytes are carried, `limit` of the sender's at most."""

    def __init__(self, sender: Ends, receiver: Ends, limit: int) -> None:
        self.carried = 0
        """Bytes that the sender's end has put on the wire."""
        self.full = asyncio.Event()
        self._limit = limit
        self._writers = (sender[1], receiver[1])
        loop = asyncio.get_running_loop()
        self._pumps = {
            loop.create_task(self._pump(sender[0], receiver[1], forth=True)),
            loop.create_task(self._pump(receiver[0], sender[1], forth=False)),
        }

    async def at_limit(self) -> bool:
        """Wait until the limit is reached. False when an end has left before."""
        reached = asyncio.get_running_loop().create_task(self.full.wait())
        await asyncio.wait({reached, *self._pumps}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        return self.full.is_set()

    async def apart(self) -> None:
        """Wait until either end has left."""
        await asyncio.wait(self._pumps, return_when=asyncio.FIRST_COMPLETED)

    async def cut(self) -> None:
        """Nothing passes any more, and both ends notice."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.wait(self._pumps)
        for writer in self._writers:
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, forth: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(min(65536, self._limit - self.carried) if forth else 65536):
                writer.write(data)
                await writer.drain()
                if forth:
                    self.carried += len(data)
                    if self.carried == self._limit:
                        self.full.set()
                        await asyncio.Event().wait()  # until it is cut


class Wire:
    """Two sockets to connect to, and what joins those who do, one pair after the other."""

    def __init__(self, folder: Path) -> None:
        self.paths = {side: folder / side for side in ("send", "receive")}
        self._waiting: dict[str, asyncio.Queue[Ends]] = {}

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take connections while the block lasts."""
        async with contextlib.AsyncExitStack() as stack:
            for side, path in self.paths.items():
                queue = self._waiting[side] = asyncio.Queue()
                server = await asyncio.start_unix_server(lambda *ends, to=queue: to.put_nowait(ends), path)
                stack.callback(server.close)
            yield

    @contextlib.asynccontextmanager
    async def joined(self, limit: int) -> AsyncIterator[Joined]:
        """The next two who connect, while the block lasts."""
        pair = Joined(await self._waiting["send"].get(), await self._waiting["receive"].get(), limit)
        try:
            yield pair
        finally:
            await pair.cut()


class End:
    """One end, started again whenever it was killed."""

    def __init__(self, side: str, path: Path, wire: Wire) -> None:
        self._argv = (sys.executable, "-m", "support.transfer_end", side, path, wire.paths[side])
        self._stack = contextlib.AsyncExitStack()
        self.said: list[str] = []
        self.program: Program

    async def start(self) -> None:
        self.program = await self._stack.enter_async_context(Program.running(*self._argv, on_line=self.said.append))

    async def kill(self) -> None:
        await self._stack.aclose()

    async def completed(self) -> None:
        assert await self.program.wait() == 0, self.program.output
        assert self.said[-1] == "completed"
        await self._stack.aclose()


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["sender", "receiver", "wire"])
async def test_killed_twenty_times_it_completes_and_sends_at_most_a_chunk_again(victim: str, tmp_path: Path) -> None:
    generator = random.Random(victim)
    source, into = tmp_path / "film", tmp_path / "in"
    write_body(source, SIZE)
    wire = Wire(tmp_path)
    ends = {"sender": End("send", source, wire), "receiver": End("receive", into, wire)}
    sent: list[int] = []
    async with wire.open():
        for end in ends.values():
            await end.start()
        for _ in range(KILLS):
            async with wire.joined(generator.randrange(1, 4 * MIB)) as pair:
                assert await pair.at_limit(), "it ended before it could be killed"
                assert not (into / "film").exists(), "what has its name is whole"
                if victim in ends:
                    await ends[victim].kill()
                    await ends[victim].start()
                sent.append(pair.carried)
        async with wire.joined(2 * SIZE) as pair:
            await pair.apart()
            sent.append(pair.carried)
        for end in ends.values():
            await end.completed()
    assert file_sha256(into / "film") == body_sha256(SIZE)
    assert [path.name for path in into.iterdir()] == ["film"]
    said = ends["receiver"].said
    assert "begins anew" not in said
    found = [int(line.split()[-1]) for line in said if line.startswith("goes on from")]
    begins = [0] * (KILLS + 1 - len(found)) + found  # it says nothing while it has nothing
    again = [carried - (later - begin) for carried, begin, later in zip(sent, begins, [*begins[1:], SIZE], strict=True)]
    assert max(again) <= again_at_most(victim) + SLACK, again


def again_at_most(victim: str) -> int:
    """A receiver that lives has on its disk all that reached it, but for the block that was not whole."""
    return CHUNK if victim == "receiver" else BLOCK
