"""`mayfly send` and `mayfly receive`, killed or cut off again and again, and given again until the file is there.

What crosses the cable is counted by the kernel, and how far the receiver had come is read from the journal beside the
part, so the two programs under test are not asked about themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from mayfly.errors import ExitCode
from support.bodies import body_sha256, file_sha256, write_body
from support.cable import Cable, Plug, cable
from support.homes import Home
from support.mayfly import MayflyProcess, introduce
from support.programs import ProgramError

MIB = 1 << 20
SENDER, RECEIVER, LINK = "sender", "receiver", "link"
VICTIMS = (SENDER, RECEIVER, LINK)
EARLIEST = 64 * 1024
"""Bytes on the wire before the first that may matter: by then the two have met, and the file has been offered."""
LATEST = 16 * MIB
SPARE = 32 * MIB
"""The file has LATEST for every point and this, so that it does not end before its last one."""
POLL = 0.001
"""The kernel's counters can only be looked at again and again."""
NOTICED_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One pair of commands that was broken off."""

    point: int
    """Bytes on the wire, sender to receiver, at which it was decided."""
    sent: int
    """The same when both had ended, without headers if they were weighed."""
    gained: int
    """How much further the receiver had come."""
    noticed: float | None
    """Seconds until who survived had noticed the silence and ended; None where somebody did not wait for that."""

    @property
    def again(self) -> int:
        """Bytes of the file that this attempt sent and that another had to send again."""
        return max(0, self.sent - self.gained)


class Ordeal:
    """One file, one victim, and as many attempts as it takes."""

    def __init__(self, wire: Cable, folder: Path, victim: str, points: int) -> None:
        self._wire = wire
        self._victim = victim
        self._words = random.Random(victim)
        self._anna, self._ben = Home.made(folder / "anna"), Home.made(folder / "ben")
        self._film = self._anna.files / "film.mkv"
        self._size = points * LATEST + SPARE + 12_345
        self._overhead = 1.0  # headers counted as bytes of the file, unless it is weighed
        write_body(self._film, self._size)

    async def weigh(self) -> None:
        """Learn from another file, that nobody disturbs, how many bytes the wire carries for each of a file."""
        sample = self._anna.files / "sample"
        await asyncio.to_thread(write_body, sample, SPARE)
        before = self._wire.near.sent()
        async with self._both(sample) as both:
            for process in both:
                await process.ends(ExitCode.OK)
        self._overhead = (self._wire.near.sent() - before) / SPARE
        (self._ben.files / "sample").unlink()

    async def attempt(self, *, patient: bool) -> Attempt:
        """Begin, break off at a random point, and see that who survives says that it can go on.

        Who is not patient presses Ctrl-C twice instead of waiting until the silence is noticed.
        """
        point = self._words.randrange(EARLIEST, LATEST)
        begin, start = self._come(), self._wire.near.sent()
        async with self._both(self._film) as both:
            while self._wire.near.sent() - start < point:
                if any(process.program.ended for process in both):
                    raise ProgramError(f"it ended before it was broken off at {point} bytes")
                await asyncio.sleep(POLL)
            if (self._ben.files / self._film.name).exists():
                raise ProgramError("a file stands under its name before it is whole")
            broken = time.perf_counter()
            survivors = await self._break_off(both)
            async with asyncio.TaskGroup() as group:
                for survivor in survivors:
                    group.create_task(self._ends(survivor, patient=patient))
            noticed = time.perf_counter() - broken if patient else None
        if self._victim == LINK:
            await self._wire.plug_in()
        sent = round((self._wire.near.sent() - start) / self._overhead)
        return Attempt(point, sent, self._come() - begin, noticed)

    async def finish(self) -> None:
        """The same commands once more, undisturbed: the file is there, whole, and nothing else."""
        async with self._both(self._film) as both:
            for process in both:
                await process.ends(ExitCode.OK, timeout=120)
        found = [path.name for path in self._ben.files.iterdir()]
        if found != [self._film.name]:
            raise ProgramError(f"{found} stand there")
        arrived = await asyncio.to_thread(file_sha256, self._ben.files / self._film.name)
        if arrived != await asyncio.to_thread(body_sha256, self._size):
            raise ProgramError("what arrived is not what was sent")

    @contextlib.asynccontextmanager
    async def _both(self, what: Path) -> AsyncIterator[tuple[MayflyProcess, MayflyProcess]]:
        near, far = self._wire.near, self._wire.far
        take = ("receive", "--yes", "--into", self._ben.files)
        async with (
            MayflyProcess.running("send", what, *_at(near), env=self._anna.env, within=near.command()) as sender,
            MayflyProcess.running(*take, *_at(far), env=self._ben.env, within=far.command()) as receiver,
        ):
            await introduce(sender, receiver)
            yield sender, receiver

    async def _break_off(self, both: tuple[MayflyProcess, MayflyProcess]) -> list[MayflyProcess]:
        if self._victim == LINK:
            await self._wire.pull()
            return list(both)
        victim, survivor = both if self._victim == SENDER else reversed(both)
        victim.kill()
        return [survivor]

    async def _ends(self, survivor: MayflyProcess, *, patient: bool) -> None:
        if patient:
            status = await survivor.wait(NOTICED_WITHIN)
            states = [event["state"] for event in survivor.named("transfer")]
            if status != ExitCode.INCOMPLETE or states[-1:] != ["interrupted"]:
                raise survivor.program.error(f"ended with {status} and the states {states}")
            return
        survivor.interrupt()
        await survivor.event("draining")
        survivor.interrupt()
        await survivor.wait(NOTICED_WITHIN)

    def _come(self) -> int:
        """Bytes that the receiver goes on from."""
        notes = list(self._ben.files.glob("*.part.json"))
        return int(json.loads(notes[0].read_bytes())["written"]) if notes else 0


def _at(plug: Plug) -> tuple[str, ...]:
    return ("--engine", "aiortc", "--bind", plug.address, "--stun", "none")


async def ordeal(
    folder: Path, victim: str, points: int, *, patient: int, tell: Callable[[Attempt], object], weigh: bool = False
) -> None:
    """So many attempts, the last `patient` of which are waited for until who survives notices; then the file arrives.

    `tell` hears of each attempt. With `weigh`, the packets' headers are not counted.
    """
    async with cable() as wire:
        tested = await asyncio.to_thread(Ordeal, wire, folder, victim, points)
        if weigh:
            await tested.weigh()
        for number in range(points):
            tell(await tested.attempt(patient=number >= points - patient))
        await tested.finish()
