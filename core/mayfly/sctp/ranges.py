"""Gap blocks of a SACK against what earlier ones told (RFC 9260 §6.7)."""

from __future__ import annotations

from collections.abc import Iterable


def newly_covered(
    known: list[tuple[int, int]], blocks: Iterable[tuple[int, int]], cumulative: int, highest: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """All that is covered beyond `cumulative`, and which parts of that `known` did not cover.

    Blocks are offsets from `cumulative`; those that overlap, run backwards or lie beyond `highest` mean nothing and
    cost nothing. All other positions are absolute, both ends included, sorted and apart. The work is linear in the
    number of blocks, however much they cover.
    """
    covered: list[tuple[int, int]] = []
    fresh: list[tuple[int, int]] = []
    at = 0
    last = 0
    for begin, end in blocks:
        if not last < begin <= end or cumulative + begin > highest:
            continue
        last = end
        start, stop = cumulative + begin, min(cumulative + end, highest)
        while at < len(known) and known[at][1] < start:
            _keep(covered, known[at], cumulative)
            at += 1
        if at < len(known) and known[at][0] < start:
            _keep(covered, known[at], cumulative)
        _keep(covered, (start, stop), cumulative)
        position = start
        while at < len(known) and known[at][0] <= stop:
            if known[at][0] > position:
                fresh.append((position, known[at][0] - 1))
            position = max(position, known[at][1] + 1)
            _keep(covered, known[at], cumulative)
            if known[at][1] > stop:
                break
            at += 1
        if position <= stop:
            fresh.append((position, stop))
    for block in known[at:]:
        _keep(covered, block, cumulative)
    return covered, fresh


def _keep(covered: list[tuple[int, int]], block: tuple[int, int], cumulative: int) -> None:
    """Add a block that begins no earlier than those before, joined to the last where they touch."""
    start, end = max(block[0], cumulative + 1), block[1]
    if end < start:
        return
    if covered and start <= covered[-1][1] + 1:
        covered[-1] = (covered[-1][0], max(covered[-1][1], end))
    else:
        covered.append((start, end))
