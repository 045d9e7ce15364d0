"""What tests of the services share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly.services.hashing import RunningHash
from mayfly.services.source import Read, SourceReader


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    """The test's own folder, opened."""
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The offsets of the blocks that are read from the disk, as they are read."""
    offsets: list[int] = []
    real = SourceReader.read

    def read(self: SourceReader, index: int, size: int, before: RunningHash, *, last: bool) -> Read:
        offsets.append(before.length)
        return real(self, index, size, before, last=last)

    monkeypatch.setattr(SourceReader, "read", read)
    return offsets
