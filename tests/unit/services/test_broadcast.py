"""One source for many: read once, bounded, and nobody waits for one who has left."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mayfly.errors import UsageError
from mayfly.services.broadcast import Broadcast, Share
from mayfly.services.hashing import RunningHash
from mayfly.services.source import Read, Source, SourceError, SourceReader, piped, scan
from unit.services.manifests import blocks, digest

DATA = bytes(range(256)) * 64
SIZE = 1024


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "x").write_bytes(DATA)
    return scan([tmp_path / "x"])


def read_all(share: Share, running: RunningHash | None = None) -> bytes:
    running, pieces = running or RunningHash(), []
    while running.length < len(DATA):
        got = share.read(0, SIZE, running, last=running.length + SIZE == len(DATA))
        pieces.append(got.data)
        running = got.running
    assert running.digest() == digest(DATA)
    return b"".join(pieces)


def test_many_at_once_read_once(source: Source, reads: list[int]) -> None:
    whole = Broadcast(source)
    shares = [whole.share() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read_all, shares)) == {DATA}
    assert sorted(reads) == list(range(0, len(DATA), SIZE))
    for share in shares:
        share.close()


def test_one_who_is_far_behind_reads_for_itself(source: Source, reads: list[int]) -> None:
    whole = Broadcast(source, cache=4 * SIZE)
    first, second = whole.share(), whole.share()
    assert read_all(first) == read_all(second) == DATA
    assert reads == 2 * list(range(0, len(DATA), SIZE))
    for share in (first, second):
        share.close()


def test_the_cache_is_bounded(source: Source) -> None:
    whole = Broadcast(source, cache=8 * SIZE)
    share = whole.share()
    read_all(share)
    assert whole._held <= 8 * SIZE
    assert len(whole._blocks) <= 8
    share.close()


def test_one_who_goes_on_from_an_earlier_run_shares_the_rest(source: Source, reads: list[int]) -> None:
    whole = Broadcast(source)
    first, second = whole.share(), whole.share()
    read_all(first)
    reads.clear()
    assert read_all(second, second.hash_prefix(0, 4 * SIZE)) == DATA[4 * SIZE :]
    assert not reads
    for share in (first, second):
        share.close()


def test_one_who_leaves_in_the_middle_hurts_nobody(source: Source) -> None:
    whole = Broadcast(source)
    leaving, staying = whole.share(), whole.share()
    running = RunningHash()
    for _ in blocks(DATA[: 3 * SIZE], SIZE):
        running = leaving.read(0, SIZE, running, last=False).running
    leaving.close()
    assert read_all(staying) == DATA
    staying.close()


def test_an_error_reaches_all_who_wait_and_is_not_kept(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Broadcast(source)
    reading, may_fail = threading.Event(), threading.Event()
    real = SourceReader.read

    def fail(self: SourceReader, index: int, size: int, before: RunningHash, *, last: bool) -> Read:
        reading.set()
        may_fail.wait(10)
        return real(self, index, size + len(DATA), before, last=last)

    shares = [whole.share(), whole.share()]
    with monkeypatch.context() as patched, ThreadPoolExecutor(2) as pool:
        patched.setattr(SourceReader, "read", fail)
        one = pool.submit(shares[0].read, 0, SIZE, RunningHash(), last=False)
        reading.wait(10)
        other = pool.submit(shares[1].read, 0, SIZE, RunningHash(), last=False)
        may_fail.set()
        for waiting in (one, other):
            with pytest.raises(SourceError):
                waiting.result()
    assert read_all(shares[1]) == DATA
    shares[1].interrupt()
    for share in shares:
        share.close()


def test_standard_input_is_refused() -> None:
    with pytest.raises(UsageError):
        Broadcast(piped(0, b"", 0))
