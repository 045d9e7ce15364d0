"""Everything that can be sent arrives as it was."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from mayfly.config import MIB
from mayfly.files.events import Listed
from mayfly.files.records import Reason
from mayfly.files.states import Outcome
from mayfly.services.broadcast import Broadcast
from mayfly.services.receiving import Into
from mayfly.services.source import piped, scan, text
from unit.services.pairs import transferring


def tree(root: Path) -> Path:
    folder = root / "d"
    (folder / "empty").mkdir(parents=True)
    for number in range(50):
        (folder / f"s{number % 3}").mkdir(exist_ok=True)
        (folder / f"s{number % 3}" / f"f{number}").write_bytes(os.urandom(number * 100))
    (folder / "big").write_bytes(os.urandom(2 * MIB + 5))
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    os.utime(folder / "empty", ns=(1, 1_500_000_000_000_000_007))
    return folder


def described(root: Path) -> list[tuple[str, int, bytes]]:
    return sorted(
        (path.relative_to(root).as_posix(), path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in root.rglob("*")
    )


async def test_a_folder(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    async with transferring(scan([folder]), tmp_path / "in") as pair:
        assert [result.outcome for result in await pair.results()] == [Outcome.COMPLETED] * 2
    assert described(tmp_path / "in" / "d") == described(folder)
    assert os.access(tmp_path / "in" / "d" / "run", os.X_OK)
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["d"]


async def test_many_paths(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("words")
    async with transferring(scan([tree(tmp_path), tmp_path / "x"]), tmp_path / "in") as pair:
        await pair.results()
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["d", "x"]


async def test_a_text_is_given_and_no_file_made(tmp_path: Path) -> None:
    async with transferring(text("Grüße\n", 5), tmp_path / "in") as pair:
        sent, received = await pair.results()
    assert (sent.text, received.text) == (None, "Grüße\n")
    assert not (tmp_path / "in").exists()


@pytest.mark.parametrize("size", [0, 5, MIB, 2 * MIB + 1])
async def test_standard_input_to_standard_output(tmp_path: Path, size: int) -> None:
    ours, theirs = os.pipe()
    data = os.urandom(size)

    def feed() -> None:
        os.write(theirs, data)
        os.close(theirs)

    feeding = threading.Thread(target=feed)
    feeding.start()
    with (tmp_path / "out").open("wb") as out:
        async with transferring(piped(ours, b"", 0), Into(tmp_path, descriptor=out.fileno())) as pair:
            await pair.results()
    await asyncio.to_thread(feeding.join)
    os.close(ours)
    assert (tmp_path / "out").read_bytes() == data


async def test_standard_input_to_a_folder(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"words")
    os.close(theirs)
    async with transferring(piped(ours, b"", 0), tmp_path / "in") as pair:
        await pair.results()
    os.close(ours)
    assert (tmp_path / "in" / "stdin").read_bytes() == b"words"


async def test_a_source_that_changes_under_way_is_noticed_and_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(3 * MIB))
    source = scan([tmp_path / "x"])
    with (tmp_path / "x").open("ab") as file:
        file.write(b"more")
    async with transferring(source, tmp_path / "in") as pair:
        sent, received = await pair.results()
    assert (
        (sent.outcome, sent.reason)
        == (received.outcome, received.reason)
        == (Outcome.INTERRUPTED, Reason.SOURCE_CHANGED)
    )
    assert sent.error is not None
    assert "x was changed" in sent.error.message
    assert not (tmp_path / "in" / "x").exists()


async def test_one_sender_many_receivers_of_which_one_leaves(tmp_path: Path, reads: list[int]) -> None:
    (tmp_path / "x").write_bytes(os.urandom(6 * MIB))
    whole = Broadcast(scan([tmp_path / "x"]))
    async with (
        transferring(whole.source, tmp_path / "a", blocks=whole.share()) as one,
        transferring(whole.source, tmp_path / "b", blocks=whole.share()) as leaving,
        transferring(whole.source, tmp_path / "c", blocks=whole.share()) as other,
    ):
        await leaving.receiving.until(Listed)
        leaving.cut()
        results = [await pair.results() for pair in (one, other)]
        await leaving.results()
    assert {result.outcome for pair in results for result in pair} == {Outcome.COMPLETED}
    for place in "ac":
        assert (tmp_path / place / "x").read_bytes() == (tmp_path / "x").read_bytes()
    assert len(reads) <= 7
