"""The transfers of a run."""

from __future__ import annotations

import pytest

from mayfly.runtime.events import Joined, Offered, Progress, TransferChanged
from mayfly_cli.tally import Tally, Transfer


def film(tally: Tally, transfer: str = "ab", peer: int = 1) -> Transfer:
    found = tally.note(Offered(transfer, peer, "anna", "files", "film.mkv", 2000, 1))
    assert found is not None
    return found


def test_an_offer_is_answered_then_runs_then_ends() -> None:
    times = iter([10.0, 14.0])
    tally = Tally(now=lambda: next(times))
    transfer = film(tally)
    assert tally.offered() == tally.running() == [transfer]
    tally.note(TransferChanged("ab", 1, "accepted", ""))
    assert tally.offered() == []
    tally.note(Progress("ab", 1, 1000, None, 500.0))
    assert transfer.figures() == "50 % · 1.0 kB of 2.0 kB · 500 B/s · 0:02 left"
    tally.note(TransferChanged("ab", 1, "completed", ""))
    assert tally.running() == []
    assert transfer.spent == 4.0


@pytest.mark.parametrize(
    ("state", "total", "rate", "text"),
    [
        ("offered", 2000, 0.0, "waits to be accepted · 2.0 kB"),
        ("offered", None, 0.0, "waits to be accepted"),
        ("paused", 2000, 500.0, "50 % · 1.0 kB of 2.0 kB · paused"),
        ("resumed", None, 500.0, "1.0 kB · 500 B/s"),
        ("accepted", 2000, 0.0, "50 % · 1.0 kB of 2.0 kB · 0 B/s"),
        ("accepted", 500, 10.0, "100 % · 1.0 kB of 500 B · 10 B/s · 0:00 left"),
        ("completed", 2000, 10.0, "50 % · 1.0 kB of 2.0 kB"),
    ],
)
def test_figures(state: str, total: int | None, rate: float, text: str) -> None:
    assert Transfer("ab", 1, 1, True, "n", "w", total, 1000, rate, state).figures() == text


def test_labels_are_safe() -> None:
    assert Transfer("ab", 1, 1, True, "a\x1b", "you").label() == 'a\\x1b to "you"'
    assert Transfer("ab", 1, 1, False, "a", "anna").label() == "a from anna"


def test_numbers_stay_and_ids_may_be_cut() -> None:
    tally = Tally()
    first, second = film(tally, "abcd"), film(tally, "abce")
    assert [first.number, second.number] == [1, 2]
    assert film(tally, "abcd").number == 1
    running = tally.running()
    assert tally.named(None, running) is running[-1]
    assert tally.named("2", running) is tally.find("abce", 1)
    assert tally.named("abcd", running) is tally.find("abcd", 1)
    assert tally.named("9", running) is None
    assert tally.named(None, []) is None


def test_one_transfer_to_many_is_told_apart_by_peer() -> None:
    tally = Tally()
    tally.begin("ab", 1, outgoing=True, name="n", who="anna")
    tally.begin("ab", 2, outgoing=True, name="n", who="bob")
    tally.note(TransferChanged("ab", 1, "declined", "no"))
    assert [each.who for each in tally.running()] == ["bob"]


def test_other_events_and_strangers_transfers_say_nothing() -> None:
    tally = Tally()
    assert tally.note(Joined("anna")) is None
    assert tally.note(Progress("zz", 1, 1, 2, 3.0)) is None
    assert tally.note(TransferChanged("zz", 1, "completed", "")) is None
    assert tally.running() == []
