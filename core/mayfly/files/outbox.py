"""What a machine has to say and its stream has not taken yet."""

from __future__ import annotations

from collections import deque
from typing import Final

from mayfly.files.records import Buffer, Record

_JOINED: Final = 64 * 1024
_SMALL: Final = 16 * 1024


class Outbox:
    """Control records, which go first, and data behind them, which can be held and dropped. Whole records only."""

    def __init__(self) -> None:
        self._control: list[bytes] = []
        self._data: deque[list[Buffer]] = deque()
        self.size = 0
        """Bytes of data."""

    def __bool__(self) -> bool:
        return bool(self._control or self._data)

    def control(self, record: Record) -> None:
        """Say this before any data."""
        self._control.append(record.encode())

    def data(self, *parts: Buffer) -> None:
        """Say this behind all other data. The parts are one record, or several; small ones are joined."""
        size = sum(map(len, parts))
        self.size += size
        last = self._data[-1][-1] if self._data else None
        if size >= _SMALL:
            self._data.append(list(parts))
            return
        if not isinstance(last, bytearray) or len(last) >= _JOINED:
            last = bytearray()
            self._data.append([last])
        for part in parts:
            last += part

    def take(self, limit: int, *, held: bool) -> list[Buffer]:
        """What to write now: about `limit` bytes of data, none when they are held."""
        taken: list[Buffer] = [b"".join(self._control)] if self._control else []
        self._control.clear()
        while self._data and limit > 0 and not held:
            parts = self._data.popleft()
            size = sum(map(len, parts))
            self.size -= size
            limit -= size
            taken += parts
        return taken

    def drop_data(self) -> None:
        """Forget what has not been taken."""
        self._data.clear()
        self.size = 0
