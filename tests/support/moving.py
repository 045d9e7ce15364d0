"""Files through a relay and a client that run already: timed, with what it costs both in memory, and checked."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import time
from pathlib import Path

import psutil

from support.homes import Home
from support.mayfly import Event, MayflyProcess

MIB = 1 << 20
SPARSE_STEP = 64 * MIB


async def state(process: MayflyProcess, wanted: str, timeout: float = 30.0) -> Event:
    """The `transfer` event that says it has come to that state; others before it are passed over."""
    while (event := await process.event("transfer", timeout))["state"] != wanted:
        pass
    return event


async def move(what: Path, sender: Home, receiver: Home, timeout: float = 600.0) -> float:
    """`mayfly send` here and `mayfly receive --yes` there, attached to what runs. Seconds from the receiver's yes to
    its word that everything is in its place."""
    into = ("receive", "--yes", "--into", receiver.files)
    async with (
        MayflyProcess.running(*into, env=receiver.env) as taking,
        MayflyProcess.running("send", what, env=sender.env) as giving,
    ):
        await state(taking, "accepted")
        started = time.perf_counter()
        await state(taking, "completed", timeout)
        took = time.perf_counter() - started
        await giving.ends(0)
        await taking.ends(0)
    return took


def sparse(path: Path, size: int) -> None:
    """A file that takes little room, with bytes of its own at every step: nothing can be swapped or left out."""
    words = random.Random(size)
    with path.open("wb") as file:
        file.truncate(size)
        for start in range(0, size, SPARSE_STEP):
            file.seek(start)
            file.write(words.randbytes(min(64 * 1024, size - start)))


def many_small(folder: Path, count: int) -> int:
    """That many files of 1 to 16 kB, a hundred to a folder. Gives their bytes."""
    words = random.Random(count)
    total = 0
    for number in range(count):
        inside = folder / f"{number // 100:03}"
        if number % 100 == 0:
            inside.mkdir(parents=True)
        size = words.randrange(1_000, 16_000)
        (inside / f"{number:05}").write_bytes(words.randbytes(size))
        total += size
    return total


def same(one: Path, other: Path) -> bool:
    """Whether two files, or two trees, have the same names and bytes."""
    if one.is_file():
        return _digest(one) == _digest(other)
    names = sorted(path.relative_to(one) for path in one.rglob("*"))
    if names != sorted(path.relative_to(other) for path in other.rglob("*")):
        return False
    return all((one / name).is_dir() or (one / name).read_bytes() == (other / name).read_bytes() for name in names)


def empty(folder: Path) -> None:
    """Delete what stands in a folder."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


class PeakMemory:
    """How far above its size at the beginning a process's resident memory has been, as the kernel notes it."""

    def __init__(self, process: psutil.Process) -> None:
        self._status = Path(f"/proc/{process.pid}/status")
        Path(f"/proc/{process.pid}/clear_refs").write_text("5", encoding="ascii")  # proc(5): the peak is now
        self._before = self._peak()

    def growth(self) -> int:
        """Bytes."""
        return self._peak() - self._before

    def _peak(self) -> int:
        line = next(line for line in self._status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


async def same_soon(one: Path, other: Path) -> bool:
    """As `same`, beside what else the loop does."""
    return await asyncio.to_thread(same, one, other)
