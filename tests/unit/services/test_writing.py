"""The receiver's requests: verified, written, and reported in order when they are on the disk."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mayfly.config import FilesConfig
from mayfly.files.disk import (
    BlockWritten,
    CloseTarget,
    Commit,
    Committed,
    Failed,
    FileFinished,
    FinishFile,
    Part,
    Prepare,
    Prepared,
    ReceiveRequest,
    ReceiveResult,
    WriteBlock,
)
from mayfly.files.manifest import Manifest
from mayfly.files.records import BLOCK, Buffer, Entry, Kind, Offer, Reason
from mayfly.services.sinks import StorageError
from mayfly.services.storage import Plan, Storage
from mayfly.services.writing import Writer
from support.news import News
from unit.services.manifests import digest, file

BIG = random.Random(2).randbytes(2 * BLOCK + 7)


class Work:
    """A writer at work on one transfer, and what it has said."""

    def __init__(self, into: Path, entries: list[Entry], make: Callable[[Plan, Path], Storage]) -> None:
        self.results: list[ReceiveResult] = []
        self._news = News()
        self.manifest = Manifest(
            Offer(b"T" * 16, Kind.MIXED, "x", sum(e.size or 0 for e in entries), len(entries)), FilesConfig()
        )
        for entry in entries:
            self.manifest.add(entry)
        self.manifest.finish()
        plan = Plan(b"T" * 16, entries[0].path[0], self.manifest.entries, self.manifest.total)
        self.writer = Writer(lambda manifest: make(plan, into), self._give)

    def _give(self, result: ReceiveResult) -> None:
        self.results.append(result)
        self._news.ring()

    async def result(self, number: int) -> list[ReceiveResult]:
        """All results, once there are so many."""
        await self._news.until(lambda: len(self.results) >= number)
        return self.results

    def submit(self, *requests: ReceiveRequest) -> None:
        for request in requests:
            self.writer.submit(request)


@asynccontextmanager
async def working(
    into: Path, *entries: Entry, keep: bool = True, make: Callable[[Plan, Path], Storage] = Storage
) -> AsyncIterator[Work]:
    work = Work(into, list(entries), make)
    async with asyncio.TaskGroup() as group:
        group.create_task(work.writer.run())
        work.submit(Prepare(work.manifest))
        yield work
        work.submit(CloseTarget(keep))


def block(index: int, offset: int, data: bytes = BIG) -> WriteBlock:
    piece = data[offset : offset + BLOCK]
    return WriteBlock(index, offset, (piece[:10], piece[10:]), len(piece), digest(data[: offset + len(piece)]))


def end(index: int, data: bytes, offset: int = 0) -> FinishFile:
    return FinishFile(index, offset, (data[offset:],), len(data) - offset, digest(data))


async def test_one_file(tmp_path: Path) -> None:
    async with working(tmp_path, file(0, "x", len(BIG))) as work:
        work.submit(block(0, 0), block(0, BLOCK), end(0, BIG, 2 * BLOCK))
        assert (await work.result(4))[1:] == [BlockWritten(0), BlockWritten(0), FileFinished(0)]
        assert not (tmp_path / "x").exists()
        work.submit(Commit())
        assert (await work.result(5))[4] == Committed()
    assert (tmp_path / "x").read_bytes() == BIG
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


async def test_large_and_small_files_in_turn(tmp_path: Path) -> None:
    sizes = [3, 0, len(BIG), 5, len(BIG), 1]
    entries = [file(index, f"f{index}", size) for index, size in enumerate(sizes)]
    async with working(tmp_path, *entries) as work:
        for index, size in enumerate(sizes):
            if size == len(BIG):
                work.submit(block(index, 0), block(index, BLOCK), end(index, BIG, 2 * BLOCK))
            else:
                work.submit(end(index, BIG[:size]))
        work.submit(Commit())
        results = await work.result(12)
    finished = [result.index for result in results if isinstance(result, FileFinished)]
    assert finished == [0, 1, 2, 3, 4, 5]
    assert results[-1] == Committed()
    for index, size in enumerate(sizes):
        assert (tmp_path / f"f{index}").read_bytes() == BIG[:size]


async def test_small_files_share_their_waits(tmp_path: Path) -> None:
    waits: list[int] = []

    class Counting(Storage):
        def place_small(self, indexes: object) -> None:
            waits.append(len(indexes))  # type: ignore[arg-type]
            super().place_small(indexes)  # type: ignore[arg-type]

    async with working(tmp_path, *(file(index, f"f{index}", 4) for index in range(600)), make=Counting) as work:
        work.submit(*(end(index, b"data") for index in range(600)), Commit())
        results = await work.result(602)
    assert [result.index for result in results if isinstance(result, FileFinished)] == list(range(600))
    assert sum(waits) == 600
    assert len(waits) <= 6


async def test_small_files_are_written_a_bounded_number_of_bytes_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    real = Writer._write_each

    def write_each(self: Writer, requests: list[WriteBlock | FinishFile]) -> object:
        batches.append(sum(request.size for request in requests))
        return real(self, requests)

    monkeypatch.setattr(Writer, "_write_each", write_each)
    data = BIG[: 200 * 1024]
    async with working(tmp_path, *(file(index, f"f{index}", len(data)) for index in range(6))) as work:
        work.submit(*(end(index, data) for index in range(6)), Commit())
        await work.result(8)
    assert sum(batches) == 6 * len(data)
    assert max(batches) <= 512 * 1024


async def test_after_a_failure_nothing_more_is_written(tmp_path: Path) -> None:
    async with working(tmp_path, file(0, "x", 4), file(1, "y", 4)) as work:
        work.submit(FinishFile(0, 0, (b"dat!",), 4, digest(b"data")))
        await work.result(2)
        work.submit(end(1, b"data"))
        while work.writer._requests:
            await asyncio.sleep(0)
    assert work.results[1:] == [Failed(Reason.WRONG_HASH)]
    assert not (tmp_path / "x.part" / "tree" / "y").exists()


async def test_what_the_disk_says_at_the_end_is_kept_for_our_user(tmp_path: Path) -> None:
    class Broken(Storage):
        def close(self) -> None:
            super().close()
            raise StorageError(Reason.DISK_FAILED, "the last word")

    async with working(tmp_path, file(0, "x", 4), make=Broken) as work:
        await work.result(1)
    assert work.writer.error is not None
    assert work.writer.error.message == "the last word"


@pytest.mark.parametrize("small", [True, False])
async def test_a_wrong_byte_is_found_before_it_is_written(tmp_path: Path, small: bool) -> None:
    async with working(tmp_path, file(0, "x", len(BIG)), file(1, "y", 4)) as work:
        wrong = WriteBlock(0, BLOCK, (bytes(BLOCK),), BLOCK, digest(BIG[: 2 * BLOCK]))
        if small:
            work.submit(FinishFile(0, 0, (b"dat!",), 4, digest(b"data")), end(1, b"data"), Commit())
            expected: list[ReceiveResult] = [Failed(Reason.WRONG_HASH)]
        else:
            work.submit(block(0, 0), wrong, block(0, 2 * BLOCK), Commit())
            expected = [BlockWritten(0), Failed(Reason.WRONG_HASH)]
        results = await work.result(1 + len(expected))
    assert results[1:] == expected
    assert work.writer.error is not None
    assert not (tmp_path / "x").exists()
    if not small:
        assert (tmp_path / "x.part" / "now").stat().st_size == BLOCK


async def test_it_goes_on_behind_a_part(tmp_path: Path) -> None:
    async with working(tmp_path, file(0, "x", len(BIG))) as work:
        work.submit(block(0, 0))
        await work.result(2)
    async with working(tmp_path, file(0, "x", len(BIG))) as work:
        assert await work.result(1) == [Prepared(frozenset(), {0: Part(BLOCK, digest(BIG[:BLOCK]))})]
        work.submit(block(0, BLOCK), end(0, BIG, 2 * BLOCK), Commit())
        await work.result(4)
    assert (tmp_path / "x").read_bytes() == BIG


async def test_blocks_that_wait_when_the_link_is_lost_are_still_written(tmp_path: Path) -> None:
    async with working(tmp_path, file(0, "x", len(BIG))) as work:
        await work.result(1)
        work.submit(block(0, 0), block(0, BLOCK))
    assert (tmp_path / "x.part").stat().st_size == 2 * BLOCK


async def test_giving_up_deletes_the_part(tmp_path: Path) -> None:
    async with working(tmp_path, file(0, "x", len(BIG)), keep=False) as work:
        work.submit(block(0, 0))
        await work.result(2)
    assert not list(tmp_path.iterdir())


async def test_writing_goes_on_while_the_disk_is_slow_and_waits_are_shared(tmp_path: Path) -> None:
    may_end, waiting, waits, written = threading.Event(), threading.Event(), [], []

    class Slow(Storage):
        def write(self, index: int, offset: int, data: Buffer) -> None:
            super().write(index, offset, data)
            written.append(offset)

        def sync(self, index: int, offset: int) -> None:
            waits.append(offset)
            waiting.set()
            may_end.wait(10)
            super().sync(index, offset)

    data = BIG + bytes(3 * BLOCK)
    async with working(tmp_path, file(0, "x", len(data)), make=Slow) as work:
        work.submit(block(0, 0, data))
        await asyncio.to_thread(waiting.wait, 10)
        work.submit(*(block(0, number * BLOCK, data) for number in range(1, 4)))
        while len(written) < 4:
            await asyncio.sleep(0.001)
        assert len(work.results) == 1
        may_end.set()
        await work.result(5)
    assert waits[0] == BLOCK
    assert waits[-1] == 4 * BLOCK
    assert len(waits) < 4


async def test_a_disk_that_fails_while_it_is_waited_for(tmp_path: Path) -> None:
    class Broken(Storage):
        def _sync_data(self, descriptor: int) -> None:
            raise OSError(28, "full")

    async with working(tmp_path, file(0, "x", len(BIG)), make=Broken) as work:
        work.submit(block(0, 0), block(0, BLOCK))
        assert (await work.result(2))[1] == Failed(Reason.DISK_FULL)


async def test_a_target_that_exists_fails_at_once(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("precious")
    async with working(tmp_path, file(0, "x", 1)) as work:
        assert await work.result(1) == [Failed(Reason.EXISTS)]


async def test_a_block_that_does_not_follow_fails(tmp_path: Path) -> None:
    async with working(tmp_path, file(0, "x", len(BIG))) as work:
        work.submit(block(0, BLOCK))
        assert (await work.result(2))[1] == Failed(Reason.DISK_FAILED)


async def test_when_cancelled_the_part_is_kept_and_let_go_of(tmp_path: Path) -> None:
    work = Work(tmp_path, [file(0, "x", len(BIG))], Storage)
    task = asyncio.get_running_loop().create_task(work.writer.run())
    work.submit(Prepare(work.manifest), block(0, 0))
    await work.result(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with working(tmp_path, file(0, "x", len(BIG))) as again:
        assert isinstance(prepared := (await again.result(1))[0], Prepared)
        assert prepared.parts[0].offset == BLOCK
