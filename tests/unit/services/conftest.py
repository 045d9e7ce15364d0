"""What tests of the services share."""

from __future__ import annotations

import pytest

from mayfly.services.hashing import RunningHash
from mayfly.services.source import Read, SourceReader


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
