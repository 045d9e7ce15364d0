"""Which messages have come before. Along one way the numbers of one author only grow, so the highest says it all."""

from __future__ import annotations

from typing import Final

MAX_WAYS: Final = 64
MAX_AUTHORS: Final = 256
"""Of one way; with MAX_WAYS about 3 MB at the very worst. The least recently used are forgotten first."""


class Seen:
    """The highest number heard of each author, apart for each neighbour, so that none can spoil what another brings."""

    def __init__(self) -> None:
        self._ways: dict[bytes, dict[bytes, int]] = {}

    def first_time(self, way: bytes, author: bytes, number: int) -> bool:
        """Whether `number` is new; it is not, from then on."""
        authors = self._ways.pop(way, {})
        highest = authors.pop(author, 0)
        authors[author] = max(highest, number)
        self._ways[way] = authors
        _trim(authors, MAX_AUTHORS)
        _trim(self._ways, MAX_WAYS)
        return number > highest


def _trim(table: dict[bytes, int] | dict[bytes, dict[bytes, int]], size: int) -> None:
    while len(table) > size:
        del table[next(iter(table))]
