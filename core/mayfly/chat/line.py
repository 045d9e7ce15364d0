"""One session's chat: what has come and was not read yet, what waits to be written, and how fast it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mayfly.chat.pace import Pace
from mayfly.chat.records import Half, Record, RecordReader
from mayfly.config import ChatConfig

if TYPE_CHECKING:
    from mayfly.chat.neighbour import Neighbour

FORWARDER_FACTOR: Final = 10
"""Whoever passes on what others say may say that much more."""


class Line:
    """The two chat streams of one session. `neighbour` is whose HELLO has come."""

    def __init__(self, session: int, config: ChatConfig) -> None:
        self.session = session
        self.neighbour: Neighbour | None = None
        self._config = config
        self._readers = {half: RecordReader(half) for half in Half}
        self._out = {half: bytearray() for half in Half}
        self._paces = self._paced(1)

    def spoken_for_many(self) -> None:
        """The peer forwards, so it may be faster."""
        self._paces = self._paced(FORWARDER_FACTOR)

    def feed(self, half: Half, data: bytes) -> None:
        """Take bytes that came."""
        self._readers[half].feed(data)

    def read(self, half: Half, now: float) -> Record | None:
        """The next record that may be read by now. Raises ChatError."""
        if half is Half.SAY and self.wait(now) > 0:
            return None
        reader = self._readers[half]
        before = len(reader)
        record = reader.read()
        if half is Half.SAY:
            for pace, amount in zip(self._paces, (record is not None, before - len(reader)), strict=True):
                pace.spend(amount)
        return record

    def wait(self, now: float) -> float:
        """Seconds until more may be read of what the peer says."""
        return max(pace.wait(now) for pace in self._paces)

    def write(self, half: Half, record: Record) -> bool:
        """Queue a record. Gives whether the queue is longer than a peer that reads would let it become."""
        queue = self._out[half]
        queue += record.encode()
        return len(queue) > self._config.max_queue

    def queued(self, half: Half) -> int:
        """Bytes that wait to be written."""
        return len(self._out[half])

    def take(self, half: Half, limit: int) -> bytes:
        """Up to `limit` bytes to write now."""
        queue = self._out[half]
        data = bytes(queue[:limit])
        del queue[:limit]
        return data

    def _paced(self, factor: int) -> tuple[Pace, Pace]:
        config = self._config
        return (
            Pace(factor * config.record_rate, factor * config.record_burst),
            Pace(factor * config.byte_rate, factor * config.byte_burst),
        )
