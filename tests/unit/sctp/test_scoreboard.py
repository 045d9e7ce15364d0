"""SACKs against what is outstanding."""

from __future__ import annotations

import pytest

from mayfly.sctp.endings import UNACKNOWLEDGED, BrokenRuleError
from mayfly.sctp.flight import ACKNOWLEDGED, LOST, Sent
from mayfly.sctp.samples import Departure
from mayfly.sctp.scoreboard import Scoreboard
from mayfly.sctp.wire import Sack

FIRST = 2**32 - 3


def board(number: int) -> Scoreboard:
    scores = Scoreboard(FIRST)
    departure = Departure(0.0, 0, 0.0, 0.0, 0, app_limited=False)
    for tsn in range(number):
        scores.outstanding[tsn] = Sent(tsn, b"", 1, None, departure, tsn)
    scores.next = number
    return scores


def sack(scores: Scoreboard, cumulative: int, *blocks: tuple[int, int]) -> tuple[bool, list[int]] | None:
    taken = scores.take(Sack(scores.wire(cumulative), 1000, blocks, 0))
    return None if taken is None else (taken[0], [chunk.tsn for chunk in taken[1]])


def test_each_chunk_is_told_of_once_across_the_wrap() -> None:
    scores = board(10)
    assert scores.wire(3) == 0
    assert sack(scores, -1, (3, 4)) == (False, [2, 3])
    assert sack(scores, 0, (2, 4), (7, 7)) == (True, [0, 4, 7])
    assert scores.reported == 7
    assert sack(scores, 8) == (True, [1, 2, 3, 4, 5, 6, 7, 8])
    assert list(scores.outstanding) == [9]


def test_a_late_sack_means_nothing() -> None:
    scores = board(4)
    sack(scores, 2)
    assert sack(scores, 1) is None


@pytest.mark.parametrize("beyond", [4, 1000])
def test_what_was_never_sent_cannot_be_acknowledged(beyond: int) -> None:
    with pytest.raises(BrokenRuleError) as caught:
        sack(board(4), beyond)
    assert caught.value.reason == UNACKNOWLEDGED


def test_reneging() -> None:
    scores = board(4)
    taken = scores.take(Sack(scores.wire(-1), 1000, ((1, 2), (4, 4)), 0))
    assert taken is not None
    for chunk in taken[1]:
        chunk.state = ACKNOWLEDGED
    assert [chunk.tsn for chunk in scores.renege()] == [0, 1, 3]
    assert all(scores.outstanding[tsn].state == LOST for tsn in (0, 1, 3))
    assert scores.renege() == []
    assert sack(scores, -1, (1, 1)) == (False, [0])
