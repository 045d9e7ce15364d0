"""Which transmissions count as lost, and when."""

from __future__ import annotations

from math import inf

from mayfly.config import SctpConfig
from mayfly.sctp.flight import ACKNOWLEDGED, LOST, Sent
from mayfly.sctp.loss import LossDetection
from mayfly.sctp.roundtrip import RoundTrip
from mayfly.sctp.samples import Departure

ALL = 10**9


class Bench:
    """Chunks that leave one by one, a millisecond apart, on a path of 100 ms."""

    def __init__(self, number: int) -> None:
        trip = RoundTrip(SctpConfig())
        trip.add(0.1)
        self.loss = LossDetection(trip)
        self.chunks: list[Sent] = []
        self.order = 0
        for tsn in range(number):
            self.chunks.append(Sent(tsn, b"", 1, None, self.departure(), self.order))
            self.sent(tsn)

    def departure(self) -> Departure:
        return Departure(self.order / 1000, 0, 0.0, 0.0, 0, app_limited=False)

    def sent(self, tsn: int) -> None:
        chunk = self.chunks[tsn]
        chunk.departure, chunk.order = self.departure(), self.order
        self.order += 1
        self.loss.sent(chunk)

    def acknowledge(self, *tsns: int) -> None:
        for tsn in tsns:
            self.chunks[tsn].state = ACKNOWLEDGED
            self.loss.acknowledged(self.chunks[tsn])

    def detect(self, now: float, reported: int = ALL) -> list[int]:
        lost = self.loss.detect(reported, now)
        for chunk in lost:
            chunk.state = LOST
        return [chunk.tsn for chunk in lost]


def test_three_later_transmissions_prove_a_loss() -> None:
    bench = Bench(6)
    bench.acknowledge(1, 2)
    assert bench.detect(0.1) == []
    bench.acknowledge(3)
    assert bench.detect(0.1) == [0]
    assert bench.detect(0.1) == []


def test_fewer_prove_it_after_a_while() -> None:
    bench = Bench(2)
    bench.acknowledge(1)
    assert bench.detect(0.1) == []
    assert 0.11 < bench.loss.deadline < 0.12
    assert bench.detect(bench.loss.deadline) == [0]
    assert bench.loss.deadline == inf


def test_a_retransmission_that_is_lost_again_is_noticed() -> None:
    bench = Bench(5)
    bench.acknowledge(1, 2, 3)
    assert bench.detect(0.1) == [0]
    bench.chunks[0].state = 0
    bench.sent(0)
    for tsn in range(5, 9):
        bench.chunks.append(Sent(tsn, b"", 1, None, bench.departure(), bench.order))
        bench.sent(tsn)
    bench.acknowledge(4, 6, 7, 8)
    assert bench.detect(0.1) == [0, 5]


def test_the_newest_itself_and_what_left_after_it_are_never_lost() -> None:
    bench = Bench(10)
    bench.acknowledge(0, 1, 2, 3)
    assert bench.detect(99.0) == [] and bench.loss.deadline == inf


def test_nothing_above_what_was_reported_is_lost() -> None:
    bench = Bench(10)
    bench.acknowledge(9)
    assert bench.detect(0.1, reported=2) == [0, 1, 2]
    assert bench.detect(0.1, reported=9) == [3, 4, 5, 6]


def test_a_path_that_reorders_is_given_more_room() -> None:
    bench = Bench(20)
    bench.loss.spurious()
    bench.acknowledge(5)
    assert bench.detect(0.1) == []
    bench.acknowledge(6)
    assert bench.detect(0.1) == [0]


def test_after_a_timeout_everything_in_flight_is_lost_once() -> None:
    bench = Bench(4)
    bench.acknowledge(2)
    assert [chunk.tsn for chunk in bench.loss.give_up()] == [0, 1, 3]
    assert bench.loss.give_up() == []


def test_the_last_in_flight_is_taken_for_the_probe() -> None:
    bench = Bench(3)
    bench.acknowledge(2)
    last = bench.loss.last()
    assert last is not None and last.tsn == 1
    bench.chunks[0].state = LOST
    assert bench.loss.last() is None
