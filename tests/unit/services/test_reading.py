"""The sender's requests, carried out in order and ahead."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from mayfly.files.disk import BlockRead, CloseSource, Failed, HashPrefix, PrefixHashed, Read, SendRequest, SendResult
from mayfly.files.records import Reason
from mayfly.services.reading import Reader
from mayfly.services.source import Source, SourceReader, piped, scan
from unit.services.manifests import digest, open_files

DATA = b"0123456789"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    for name in "ab":
        (tmp_path / name).write_bytes(DATA)
    return scan([tmp_path / "a", tmp_path / "b"])


async def results(reader_of: Source, *requests: SendRequest, wanted: int) -> tuple[list[SendResult], Reader]:
    """What comes of the requests, once so many results are there and the reader is closed."""
    got: list[SendResult] = []
    enough = asyncio.Event()

    def give(result: SendResult) -> None:
        got.append(result)
        if len(got) == wanted:
            enough.set()

    reader = Reader(SourceReader(reader_of), give)
    async with asyncio.TaskGroup() as group:
        group.create_task(reader.run())
        for request in requests:
            reader.submit(request)
        await enough.wait()
        reader.submit(CloseSource())
    return got, reader


async def test_blocks_across_files_with_running_hashes(source: Source) -> None:
    got, _ = await results(
        source,
        Read(0, 0, 4, last=False),
        Read(0, 4, 6, last=True),
        Read(1, 0, 10, last=True),
        wanted=3,
    )
    assert got == [
        BlockRead(0, b"0123", digest(b"0123"), ended=False),
        BlockRead(0, b"456789", digest(DATA), ended=True),
        BlockRead(1, DATA, digest(DATA), ended=True),
    ]


async def test_a_read_goes_on_behind_a_prefix(source: Source) -> None:
    got, _ = await results(source, HashPrefix(1, 4), Read(1, 4, 6, last=True), wanted=2)
    assert got == [PrefixHashed(1, digest(b"0123")), BlockRead(1, b"456789", digest(DATA), ended=True)]


async def test_a_prefix_longer_than_the_source_has_no_digest(source: Source) -> None:
    got, _ = await results(source, HashPrefix(1, 11), wanted=1)
    assert got == [PrefixHashed(1, b"")]


async def test_after_a_failure_nothing_more_is_done(source: Source, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"other")
    got, reader = await results(source, Read(0, 0, 10, last=True), Read(1, 0, 10, last=True), wanted=1)
    assert got == [Failed(Reason.SOURCE_CHANGED)]
    assert reader.error is not None
    assert "a was changed" in reader.error.message


async def test_closing_ends_a_read_that_waits_for_a_pipe() -> None:
    ours, theirs = os.pipe()
    got: list[SendResult] = []
    reader = Reader(SourceReader(piped(ours, b"", 0)), got.append)
    async with asyncio.TaskGroup() as group:
        group.create_task(reader.run())
        reader.submit(Read(0, 0, 100, last=False))
        await asyncio.sleep(0)
        reader.submit(CloseSource())
    assert (got, reader.error) == ([], None), "that is no fault of the source"
    for descriptor in (ours, theirs):
        os.close(descriptor)


async def test_when_cancelled_it_closes_the_file(source: Source) -> None:
    before = open_files()
    read = asyncio.Event()
    reader = Reader(SourceReader(source), lambda result: read.set())
    reader.submit(Read(0, 0, 4, last=False))
    task = asyncio.get_running_loop().create_task(reader.run())
    await read.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert open_files() == before
