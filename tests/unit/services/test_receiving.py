"""The receiver's end: asking, a full disk, and processes that are killed."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mayfly
import support
from mayfly.config import MIB
from mayfly.files.events import Listed, Offered, Restarted, Resumed
from mayfly.files.records import BLOCK, Offer, Reason
from mayfly.files.states import Outcome
from mayfly.services.receiving import Into
from mayfly.services.source import Source, scan
from mayfly.transport.memory import MemoryPath
from unit.services.pairs import transferring

SLOW = MemoryPath(bandwidth=4 * MIB)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "x").write_bytes(random.Random(3).randbytes(6 * MIB))
    return scan([tmp_path / "x"])


async def test_the_user_is_asked_and_may_decline(source: Source) -> None:
    async with transferring(source, Reason.USER) as pair:
        results = await pair.results()
    assert [(result.outcome, result.reason) for result in results] == [(Outcome.DECLINED, Reason.USER)] * 2
    (offered,) = [event for event in pair.receiving.heard if isinstance(event, Offered)]
    assert (offered.offer.name, offered.offer.total, offered.offer.entries) == ("x", 6 * MIB, 1)


async def test_an_offer_that_is_taken_back_while_the_user_thinks(source: Source) -> None:
    stopped = asyncio.Event()

    async def ask(offer: Offer) -> Into | Reason:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return Reason.USER

    async with transferring(source, Reason.USER, ask=ask) as pair:
        await pair.receiving.until(Offered)
        pair.sending.driver.cancel()
        results = await pair.results()
    assert stopped.is_set()
    assert [result.outcome for result in results] == [Outcome.CANCELLED] * 2


async def test_a_link_that_is_lost_while_the_user_thinks(source: Source) -> None:
    async def ask(offer: Offer) -> Into | Reason:
        await asyncio.Event().wait()
        return Reason.USER

    async with transferring(source, Reason.USER, ask=ask) as pair:
        await pair.receiving.until(Offered)
        pair.cut()
        assert (await pair.receiving.result).outcome is Outcome.INTERRUPTED


async def test_what_exists_is_refused_in_words(source: Source, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").write_text("precious")
    async with transferring(source, tmp_path / "in") as pair:
        sent, received = await pair.results()
    assert sent.reason is received.reason is Reason.EXISTS
    assert received.error is not None
    assert "exists already" in received.error.message
    assert (tmp_path / "in" / "x").read_text() == "precious"
    async with transferring(source, Into(tmp_path / "in", overwrite=True)) as pair:
        await pair.results()
    assert (tmp_path / "in" / "x").stat().st_size == 6 * MIB


async def test_after_a_lost_link_the_same_send_goes_on(source: Source, tmp_path: Path) -> None:
    async with transferring(source, tmp_path / "in", path=SLOW) as pair:
        while pair.sending.driver.on_disk < 2 * MIB:
            await asyncio.sleep(0.001)
        reported = pair.sending.driver.on_disk
        pair.cut()
        await pair.results()
    async with transferring(source, tmp_path / "in") as pair:
        await pair.results()
        (resumed,) = [event for event in pair.sending.heard if isinstance(event, Resumed)]
        assert pair.relay.session.bytes_received < 6 * MIB - resumed.offset + MIB // 2
    assert resumed.offset >= reported
    assert (tmp_path / "in" / "x").read_bytes() == (tmp_path / "x").read_bytes()


async def test_a_source_whose_first_part_was_changed_starts_again(source: Source, tmp_path: Path) -> None:
    """Size and time are the same, so only the hash of the part can tell."""
    async with transferring(source, tmp_path / "in", path=SLOW) as pair:
        while pair.sending.driver.on_disk < 2 * MIB:
            await asyncio.sleep(0.001)
        pair.cut()
        await pair.results()
    before = (tmp_path / "x").stat()
    with (tmp_path / "x").open("r+b") as file:
        file.write(b"changed")
    os.utime(tmp_path / "x", ns=(before.st_atime_ns, before.st_mtime_ns))
    async with transferring(scan([tmp_path / "x"]), tmp_path / "in") as pair:
        assert [result.outcome for result in await pair.results()] == [Outcome.COMPLETED] * 2
    assert any(isinstance(event, Restarted) for event in pair.sending.heard)
    assert (tmp_path / "in" / "x").read_bytes() == (tmp_path / "x").read_bytes()


async def test_hostile_names_land_in_the_folder_and_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for name in ("CON", "a\x1b[31m", "..x", "tail.", "case", "CASE"):
        (folder / name).write_text(name)
    async with transferring(scan([folder]), tmp_path / "in") as pair:
        assert [result.outcome for result in await pair.results()] == [Outcome.COMPLETED] * 2
    (listed,) = [event for event in pair.receiving.heard if isinstance(event, Listed)]
    assert len(listed.manifest.renamed) == 4
    assert len(list((tmp_path / "in" / "d").iterdir())) == 6
    assert not any("\x1b" in path.name for path in (tmp_path / "in").rglob("*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets root mount nothing")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.needs("root")
async def test_a_disk_that_is_too_small_is_said_before_a_byte_moves(small_disk: Path, source: Source) -> None:
    async with transferring(source, small_disk) as pair:
        sent, received = await pair.results()
        assert pair.relay.session.bytes_received < 4096
    assert sent.reason is received.reason is Reason.DISK_FULL
    assert received.error is not None
    assert "not enough room" in received.error.message
    assert not list(small_disk.iterdir())


@pytest.mark.needs("root")
async def test_a_disk_that_fills_up_leaves_a_part_that_goes_on(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "y").write_bytes(random.Random(4).randbytes(3 * MIB + 5))
    source = scan([tmp_path / "y"])
    async with transferring(source, small_disk, path=SLOW) as pair:
        await pair.receiving.until(Listed)
        while not (small_disk / "y.part.json").exists() or not (small_disk / "y.part.json").stat().st_size:
            await asyncio.sleep(0)
        (small_disk / "other").write_bytes(bytes(2 * MIB))
        sent, received = await pair.results()
    assert sent.reason is received.reason is Reason.DISK_FULL
    assert sent.outcome is received.outcome is Outcome.INTERRUPTED
    assert received.error is not None
    assert "full" in received.error.message
    assert not (small_disk / "y").exists()
    (small_disk / "other").unlink()
    async with transferring(source, small_disk) as pair:
        await pair.results()
    assert any(isinstance(event, Resumed) for event in pair.sending.heard)
    assert (small_disk / "y").read_bytes() == (tmp_path / "y").read_bytes()


def kill_at_random(source: Path, into: Path, after: float) -> tuple[list[list[str]], bool]:
    """Run a transfer, kill it that long after it began to move; what it said, and whether it had ended before."""
    paths = [str(Path(module.__path__[0]).parent) for module in (mayfly, support)]
    process = subprocess.Popen(
        [sys.executable, "-m", "support.transfer_to_kill", str(source), str(into)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    killer = threading.Timer(after, process.kill)
    killer.start()
    lines += process.stdout
    killer.cancel()
    process.stdout.close()
    return [line.split() for line in lines if line.endswith("\n")], process.wait() == 0


@pytest.mark.slow
def test_killed_at_random_points_it_completes_and_sends_little_twice(tmp_path: Path) -> None:
    generator = random.Random(5)
    folder, into = tmp_path / "d", tmp_path / "in"
    folder.mkdir()
    for number in range(200):
        (folder / f"a{number:03}").write_bytes(generator.randbytes(4000))
    (folder / "big").write_bytes(generator.randbytes(24 * MIB + 17))
    (folder / "zlast").write_bytes(generator.randbytes(9 * MIB))
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    index = {entry.path[-1]: entry.index for entry in scan([folder]).entries}
    kills, reported, began = 0, 0, time.monotonic()
    while kills < 20 and time.monotonic() - began < 60:
        part = into / "d.part" / "now"
        there = part.stat().st_size if part.exists() else 0
        placed = sum(path.stat().st_size for path in (into / "d.part" / "tree").rglob("*") if path.is_file())
        assert there + placed >= reported, "what was reported is not there any more"
        said, ended = kill_at_random(folder, into, generator.uniform(0, 0.35))
        found = [(int(words[1]), int(words[2])) for words in said if words[0] == "found"]
        for file, offset in found:
            assert file in (index["big"], index["zlast"])
            assert there - offset <= BLOCK, "more than a block that was there is sent again"
        reported = max(int(words[1]) for words in said if words[0] == "disk")
        if ended:
            assert {path.name: path.read_bytes() for path in (into / "d").iterdir()} == whole
            assert [path.name for path in into.iterdir()] == ["d"]
            shutil.rmtree(into)
            reported = 0
        else:
            kills += 1
            if (into / "d").exists():  # killed behind its last step
                assert {path.name: path.read_bytes() for path in (into / "d").iterdir()} == whole
                shutil.rmtree(into)  # or the next run would find its name taken
                reported = 0
    assert kills >= 8
    said, ended = kill_at_random(folder, into, 60)
    assert ended
    assert said[-1] == ["completed"]
    assert {path.name: path.read_bytes() for path in (into / "d").iterdir()} == whole
