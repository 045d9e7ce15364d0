"""What both ends share: ends happen once, and a peer that flips the pause piles up nothing."""

from __future__ import annotations

import pytest

from mayfly.files import records as r
from mayfly.files.events import Ended, PauseChanged
from mayfly.files.records import Kind, Reason
from mayfly.files.states import GIVING_UP, Outcome, Step
from mayfly.files.transfer import end_step
from unit.files.pair import Pair, Source, Target, directory, file


def pair() -> Pair:
    return Pair([directory(0, "top"), file(1, "top/a", 5)], Source({1: b"hello"}), Target())


def test_both_ends_complete_and_say_so_once() -> None:
    both = pair()
    both.settle()
    assert both.outcomes == (Outcome.COMPLETED, Outcome.COMPLETED)
    assert both.target.final == {("top", "a"): b"hello"}
    for end in (both.sender, both.receiver):
        end.pause()
        end.cancel()
        end.link_lost()
        end.receive(r.Pause().encode())
        assert (end.events(), end.requests(), end.output()) == ([], [], [])
        assert end.outcome is Outcome.COMPLETED


def test_an_offer_that_is_declined_ends_on_both_sides() -> None:
    both = pair()
    both.answer = both.receiver.decline
    both.settle()
    assert both.outcomes == (Outcome.DECLINED, Outcome.DECLINED)
    assert both.sender_events == [Ended(Outcome.DECLINED, Reason.USER, by_us=False)]


def test_an_unknown_size_goes_through() -> None:
    content = b"0123456789" * 150_000
    source = Source({0: content}, at_once=300_000)
    both = Pair([file(0, "-", None)], source, Target(), kind=Kind.STDIN)
    both.settle()
    assert both.target.final == {("-",): content}
    assert (both.sender.on_disk, both.receiver.on_disk) == (len(content), len(content))


def test_a_pause_that_is_flipped_is_one_event() -> None:
    both = pair()
    both.receiver.receive(b"".join(r.Pause().encode() + r.Resume().encode() for _ in range(1000)))
    assert both.receiver.events() == [PauseChanged(by_us=False, by_peer=False)]


def test_bytes_that_are_no_records_end_it() -> None:
    both = pair()
    both.sender.receive(b"\xff" * 16)
    both.settle()
    assert both.outcomes == (Outcome.INTERRUPTED, Outcome.INTERRUPTED)
    assert Ended(Outcome.INTERRUPTED, Reason.PROTOCOL, by_us=False) in both.receiver_events


@pytest.mark.parametrize("reason", Reason)
def test_both_ends_read_a_reason_alike(reason: Reason) -> None:
    assert end_step(reason) is (Step.GIVE_UP if reason in GIVING_UP else Step.STOP)
    for name in ("sender", "receiver"):
        both = pair()
        both.run(8)
        getattr(both, name).cancel(reason)
        both.settle()
        expected = Outcome.CANCELLED if reason in GIVING_UP else Outcome.INTERRUPTED
        assert both.outcomes == (expected, expected)


def test_output_is_announced_where_there_is_some() -> None:
    entries = [file(0, "a", 3), file(1, "b", 0)]
    both = Pair(entries, Source({0: b"abc", 1: b""}), Target())
    while True:
        ends = both.sender, both.receiver
        silent = [end for end in ends if not end.has_output]
        assert not any(end.output() for end in silent), "a driver that trusts it would say nothing"
        if not (both.run(1) or both.run(1, "kbrsaw")):
            break
    assert both.outcomes == (Outcome.COMPLETED, Outcome.COMPLETED)
    assert both.sender.has_output
    assert both.receiver.has_output
